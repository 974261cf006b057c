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
        if !SUPPLIED_SECRET_CHARS.contains(&secret.expose_secret().chars().count()) {
            return Err(SecretRefusal::Length);
        }
        Ok(Self(HmacKey::from_bytes(&key_bytes(secret)?)))
    }

    /// The value of the `webhook-signature` header.
    #[must_use]
    pub fn sign(&self, webhook_id: &str, at: Timestamp, body: &[u8]) -> String {
        let timestamp = at.as_second().to_string();
        let tag = self.0.tag(&[webhook_id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
        format!("v1,{}", STANDARD.encode(tag))
    }
}

/// The key of a subscription, and the one before it while receivers change over.
#[derive(Clone)]
pub struct SigningKeys {
    current: SigningKey,
    previous: Option<(SigningKey, Timestamp)>,
}

impl SigningKeys {
    /// Takes the current key, and the previous one with the time until which it signs as well.
    #[must_use]
    pub fn new(current: SigningKey, previous: Option<(SigningKey, Timestamp)>) -> Self {
        Self { current, previous }
    }

    /// The key that stays.
    #[must_use]
    pub fn current(&self) -> &SigningKey {
        &self.current
    }

    /// The value of the `webhook-signature` header: one signature for each key that signs at that time.
    #[must_use]
    pub fn sign(&self, webhook_id: &str, at: Timestamp, body: &[u8]) -> String {
        let mut value = self.current.sign(webhook_id, at, body);
        if let Some((previous, until)) = &self.previous
            && at < *until
        {
            value.push(' ');
            value.push_str(&previous.sign(webhook_id, at, body));
        }
        value
    }
}

/// The bytes that a secret stands for: never none, because everybody has an empty key.
pub(crate) fn key_bytes(secret: &SecretString) -> Result<Zeroizing<Vec<u8>>, SecretRefusal> {
    let text = secret.expose_secret();
    let key = match text.strip_prefix(SECRET_PREFIX) {
        Some(encoded) => STANDARD.decode(encoded).map_err(|_| SecretRefusal::Encoding)?,
        None => STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec()),
    };
    if key.is_empty() { Err(SecretRefusal::Encoding) } else { Ok(Zeroizing::new(key)) }
}

/// Makes a secret: `whsec_` and the base64 of 32 random bytes.
#[must_use]
pub fn generate_secret(random: &Random) -> SecretString {
    let key = Zeroizing::new(random.bytes::<32>());
    SecretString::from(format!("{SECRET_PREFIX}{}", STANDARD.encode(key.as_slice())))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use jiff::SignedDuration;
    use standardwebhooks::Webhook;

    use super::*;
    use crate::clock::Clock;

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

    /// Tells whether the reference implementation, holding `secret`, takes what the keys sign.
    fn is_taken(secret: &SecretString, keys: &SigningKeys, at: Timestamp, body: &[u8]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("webhook-id", "evt_1".to_owned()),
            ("webhook-timestamp", at.as_second().to_string()),
            ("webhook-signature", keys.sign("evt_1", at, body)),
        ] {
            headers.insert(name, value.parse().expect("a header"));
        }
        let oracle = Webhook::new(secret.expose_secret()).expect("a valid secret");
        oracle.verify(body, &headers).is_ok()
    }

    #[test]
    fn b1_a_receiver_with_either_secret_takes_it_until_the_overlap_ends() {
        let random = Random::seeded(2);
        let (new, old, other) = (generate_secret(&random), generate_secret(&random), generate_secret(&random));
        let key = |secret: &SecretString| SigningKey::new(secret).expect("a valid secret");
        // The reference implementation compares with the time of day.
        let at = Clock::system().now();
        let keys_until = |until| SigningKeys::new(key(&new), Some((key(&old), until)));

        let both = keys_until(at + SignedDuration::from_millis(1));
        assert!(is_taken(&new, &both, at, b"{}"));
        assert!(is_taken(&old, &both, at, b"{}"));
        assert!(!is_taken(&other, &both, at, b"{}"));
        let expected = format!("{} {}", key(&new).sign("evt_1", at, b"{}"), key(&old).sign("evt_1", at, b"{}"));
        assert_eq!(both.sign("evt_1", at, b"{}"), expected);

        let over = keys_until(at);
        assert!(is_taken(&new, &over, at, b"{}"));
        assert!(!is_taken(&old, &over, at, b"{}"));
        let alone = SigningKeys::new(key(&new), None);
        assert_eq!(over.sign("evt_1", at, b"{}"), alone.sign("evt_1", at, b"{}"));
        assert_eq!(alone.sign("evt_1", at, b"{}"), alone.current().sign("evt_1", at, b"{}"));
    }

    /// A13: of the characters of a secret that is supplied.
    #[test]
    fn a13_a_supplied_secret_has_16_to_128_characters() {
        let of = |text: String| SigningKey::new(&SecretString::from(text)).map(|_| ());
        assert_eq!(of("x".repeat(15)), Err(SecretRefusal::Length));
        assert_eq!(of("x".repeat(16)), Ok(()));
        assert_eq!(of("x".repeat(128)), Ok(()));
        assert_eq!(of("x".repeat(129)), Err(SecretRefusal::Length));
        assert_eq!(of(format!("whsec_{}", "!".repeat(20))), Err(SecretRefusal::Encoding));
    }
}
