//! The names of dialects.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The name of a dialect: 1 to 63 lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 63, pattern = "^[a-z0-9-]{1,63}$", example = "standard")]
pub struct DialectName(String);

/// A text that names no dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 63 lower-case letters, digits and hyphens")]
pub struct DialectNameError;

impl TryFrom<String> for DialectName {
    type Error = DialectNameError;

    fn try_from(text: String) -> Result<Self, DialectNameError> {
        let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=63).contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(Self(text))
        } else {
            Err(DialectNameError)
        }
    }
}

crate::domain::text::texts!(DialectName);

impl Default for DialectName {
    fn default() -> Self {
        Self("standard".to_owned())
    }
}

impl DialectName {
    /// Tells whether it is that of the dialect that nobody has to ask for.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0 == "standard"
    }
}
