//! Verification of HMAC-SHA256 signatures over the raw body of a received request.
//!
//! The value is lower- or upper-case hex, bare or after `sha256=`, as GitHub and most others send it.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Why a signature was not accepted. Told to the webhook's owner, never to the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// None of the configured headers is there.
    #[error("no signature header")]
    Missing,
    /// The value names another algorithm.
    #[error("the signature is not a sha256 one")]
    Algorithm,
    /// The value is not 64 hex characters.
    #[error("the signature is not 64 hex characters")]
    Malformed,
    /// The value is well formed and wrong.
    #[error("the signature does not match the body and the secret")]
    Mismatch,
}

/// An HMAC-SHA256 key, ready for use.
#[derive(Clone)]
pub struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    /// Prepares the text of `secret` as the key.
    #[must_use]
    pub fn new(secret: &SecretString) -> Self {
        Self::from_bytes(secret.expose_secret().as_bytes())
    }

    /// Prepares bytes as the key.
    #[must_use]
    pub fn from_bytes(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// The tag over `parts`, one after another.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Judges the value of a signature header, in constant time once it is well formed.
    ///
    /// # Errors
    /// Says why the value was not accepted.
    pub fn verify(&self, value: &[u8], body: &[u8]) -> Result<(), SignatureError> {
        let value = value.trim_ascii();
        let hex = match value.iter().position(|b| *b == b'=') {
            Some(at) if value[..at].eq_ignore_ascii_case(b"sha256") => &value[at + 1..],
            Some(_) => return Err(SignatureError::Algorithm),
            None => value,
        };
        let mut tag = [0; 32];
        hex::decode_to_slice(hex, &mut tag).map_err(|_| SignatureError::Malformed)?;
        let mut mac = self.0.clone();
        mac.update(body);
        mac.verify_slice(&tag).map_err(|_| SignatureError::Mismatch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> HmacKey {
        HmacKey::new(&SecretString::from(secret))
    }

    /// C4 (sha256): the golden vectors, prefixed, bare and in upper case.
    #[test]
    fn c4_golden_vectors_are_accepted_in_every_spelling() {
        let github = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let attune = "ad386d9a61a0540a089d2955a07280771439f9f8c41a4b94cd404a740061c3d9";
        let empty = "a41bc6d81d6413576ae0994995e0ad89a416ec97389515c3604f47722122eeeb";
        let vectors: [(&str, &[u8], &str); 3] = [
            ("It's a Secret to Everybody", b"Hello, World!", github),
            ("test-secret", br#"{"event":"test"}"#, attune),
            ("test-secret", b"", empty),
        ];
        for (secret, body, hex) in vectors {
            let spellings = [
                format!("sha256={hex}"),
                hex.to_owned(),
                hex.to_uppercase(),
                format!("SHA256={}", hex.to_uppercase()),
                format!("  sha256={hex} "),
            ];
            for value in spellings {
                assert_eq!(key(secret).verify(value.as_bytes(), body), Ok(()), "{value}");
            }
        }
    }

    /// C4 (sha256): wrong prefix, odd length, non-hex, empty, wrong value.
    #[test]
    fn c4_anything_else_is_refused_with_its_reason() {
        let good = "ad386d9a61a0540a089d2955a07280771439f9f8c41a4b94cd404a740061c3d9";
        let cases = [
            (format!("sha1={good}"), SignatureError::Algorithm),
            (format!("={good}"), SignatureError::Algorithm),
            (good[1..].to_owned(), SignatureError::Malformed),
            (format!("{good}00"), SignatureError::Malformed),
            (good.replace('a', "g"), SignatureError::Malformed),
            (String::new(), SignatureError::Malformed),
            ("sha256=".to_owned(), SignatureError::Malformed),
            (good.replace("ad3", "ad4"), SignatureError::Mismatch),
        ];
        for (value, error) in cases {
            assert_eq!(key("test-secret").verify(value.as_bytes(), br#"{"event":"test"}"#), Err(error), "{value}");
        }
        assert_eq!(key("other").verify(good.as_bytes(), br#"{"event":"test"}"#), Err(SignatureError::Mismatch));
    }

    #[test]
    fn the_raw_bytes_are_signed_even_when_they_are_no_text() {
        let body = [0xff, 0xfe, 0x00, b'{'];
        let tag = hex::encode(key("k").tag(&[&body]));
        assert_eq!(key("k").verify(tag.as_bytes(), &body), Ok(()));
    }
}
