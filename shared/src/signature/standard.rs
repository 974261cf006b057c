//! Signing of outgoing deliveries as Standard Webhooks 1.0 defines it, scheme `v1`.
//!
//! Source: the Standard Webhooks specification (github.com/standard-webhooks/standard-webhooks). The signed content is
//! `{webhook-id}.{webhook-timestamp}.{body}`, the key is the base64 part of `whsec_…`, the value `v1,` and base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::proof::HmacKey;
use crate::random::Random;

/// What generated secrets start with.
pub const SECRET_PREFIX: &str = "whsec_";
/// The shortest and longest secret that a caller may supply, in characters.
pub const SUPPLIED_SECRET_CHARS: std::ops::RangeInclusive<usize> = 16..=128;

/// Why a supplied secret was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretRefusal {
    /// Too short to be safe, or too long.
    #[error("must have 16 to 128 characters")]
    Length,
    /// Starts with `whsec_` and is no base64 after it.
    #[error("must be base64 after whsec_")]
    Encoding,
}

/// A signing key, ready for use.
#[derive(Clone)]
pub struct SigningKey(HmacKey);

impl SigningKey {
    /// Prepares a secret: the base64 after `whsec_`, bare base64, or else the bytes of the text itself.
    ///
    /// Receivers' libraries decode base64 with or without the prefix, so bare base64 is decoded here as well.
    ///
    /// # Errors
    /// When the secret has no acceptable length, or `whsec_` without base64.
    pub fn new(secret: &SecretString) -> Result<Self, SecretRefusal> {
        let text = secret.expose_secret();
        if !SUPPLIED_SECRET_CHARS.contains(&text.chars().count()) {
            return Err(SecretRefusal::Length);
        }
        let key = match text.strip_prefix(SECRET_PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| SecretRefusal::Encoding)?,
            None => STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec()),
        };
        Ok(Self(HmacKey::from_bytes(&Zeroizing::new(key))))
    }

    /// The value of the `webhook-signature` header.
    #[must_use]
    pub fn sign(&self, webhook_id: &str, at: Timestamp, body: &[u8]) -> String {
        let timestamp = at.as_second().to_string();
        let tag = self.0.tag(&[webhook_id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
        format!("v1,{}", STANDARD.encode(tag))
    }
}

/// Makes a secret: `whsec_` and the base64 of 32 random bytes.
#[must_use]
pub fn generate_secret(random: &Random) -> SecretString {
    let key = Zeroizing::new(random.bytes::<32>());
    SecretString::from(format!("{SECRET_PREFIX}{}", STANDARD.encode(key.as_slice())))
}

#[cfg(test)]
mod tests {
    use standardwebhooks::Webhook;

    use super::*;

    /// B1: an independent implementation computes the same signature over the exact bytes.
    #[test]
    fn b1_the_signature_is_that_of_the_reference_implementation() {
        let secret = generate_secret(&Random::seeded(1));
        let at = Timestamp::from_second(1_790_000_000).expect("a time");
        let oracle = Webhook::new(secret.expose_secret()).expect("a valid secret");
        let key = SigningKey::new(&secret).expect("a valid secret");
        for body in [&b"{}"[..], b"", "{\"naïve\":\"☃\"}".as_bytes()] {
            let theirs = oracle.sign("evt_1", at.as_second(), body).expect("signed");
            assert_eq!(key.sign("evt_1", at, body), theirs);
            assert_ne!(key.sign("evt_2", at, body), theirs);
        }
    }

    #[test]
    fn a_supplied_secret_has_16_to_128_characters() {
        let of = |text: String| SigningKey::new(&SecretString::from(text)).map(|_| ());
        assert_eq!(of("x".repeat(15)), Err(SecretRefusal::Length));
        assert_eq!(of("x".repeat(16)), Ok(()));
        assert_eq!(of("x".repeat(128)), Ok(()));
        assert_eq!(of("x".repeat(129)), Err(SecretRefusal::Length));
        assert_eq!(of(format!("whsec_{}", "!".repeat(20))), Err(SecretRefusal::Encoding));
    }
}
