//! Settings: the values beside the secret that a row needs, opened and ready.

use std::collections::BTreeMap;
use std::fmt;

/// The setting that says by which URL the sender knows the webhook, for rows that sign it. Every such row has it.
pub const PUBLIC_URL: &str = "public_url";

/// The values of a webhook, by name. What they are is not printed: some are secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl From<BTreeMap<String, String>> for Settings {
    fn from(values: BTreeMap<String, String>) -> Self {
        Self(values)
    }
}

impl Settings {
    /// The value of a setting.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of the only setting there is.
    #[must_use]
    pub fn only(&self) -> Option<&str> {
        let mut values = self.0.iter().filter(|(name, _)| *name != PUBLIC_URL);
        values.next().filter(|_| self.0.len() == 1).map(|(_, value)| value.as_str())
    }

    /// By which URL the sender knows the webhook, if it was said.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        self.get(PUBLIC_URL)
    }
}
