//! Secrets that callers supply, or that are made for them.

use std::fmt::Write as _;

use hookport::random::Random;
use hookport::signature::standard::{SUPPLIED_SECRET_CHARS, SecretRefusal};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A secret of the caller's own: 16 to 128 characters.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct SuppliedSecret(pub(crate) SecretString);

impl TryFrom<String> for SuppliedSecret {
    type Error = SecretRefusal;

    fn try_from(text: String) -> Result<Self, SecretRefusal> {
        if SUPPLIED_SECRET_CHARS.contains(&text.chars().count()) {
            Ok(Self(text.into()))
        } else {
            Err(SecretRefusal::Length)
        }
    }
}

/// A secret as a provider makes it, of any form: at most 4,096 bytes. What else must hold, the proof says.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ProviderSecret(pub(crate) SecretString);

impl TryFrom<String> for ProviderSecret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() <= 4_096 { Ok(Self(text.into())) } else { Err("must have at most 4096 bytes") }
    }
}

impl ProviderSecret {
    /// The same where no provider makes it: 16 to 128 characters.
    pub(crate) fn supplied(self) -> Result<SecretString, SecretRefusal> {
        SuppliedSecret::try_from(self.0.expose_secret().to_owned()).map(|SuppliedSecret(secret)| secret)
    }
}

/// Makes a secret of `N` random bytes, in hex.
pub(crate) fn hex_secret<const N: usize>(random: &Random) -> SecretString {
    let mut text = String::with_capacity(2 * N);
    for byte in random.bytes::<N>() {
        let _ = write!(text, "{byte:02x}");
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_secret_has_64_hex_characters_and_is_another_each_time() {
        let random = Random::seeded(7);
        let (one, two) = (hex_secret::<32>(&random), hex_secret::<32>(&random));
        assert_eq!(one.expose_secret().len(), 64);
        assert!(one.expose_secret().bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        assert_ne!(one.expose_secret(), two.expose_secret());
    }
}
