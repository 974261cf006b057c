//! The keyring `{kid: key material}` and the sealing itself (AES-256-GCM of ring, keys derived by HKDF-SHA-256).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroize;

use super::Sealed;

const NONCE_LEN: usize = 12;
/// Below this, key material could be guessed.
const MIN_MATERIAL_BYTES: usize = 32;

/// Why a keyring, or something sealed, is of no use. Never says anything of the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// The secret is not a JSON object of texts.
    #[error("the keyring is not a JSON object of key ids and key material")]
    Malformed,
    /// A key has under 32 bytes of material.
    #[error("key {0} of the keyring has too little material")]
    Weak(String),
    /// There is no key.
    #[error("the keyring holds no key")]
    Empty,
    /// Sealed with a key that the ring does not hold.
    #[error("the value is sealed with key {0}, which the keyring does not hold")]
    UnknownKey(String),
    /// Changed, cut, or bound to something else.
    #[error("the sealed value does not open")]
    Broken,
}

/// The keys of one deployment; the newest (by natural order of ids: k2 before k10) seals.
pub struct Keyring {
    keys: BTreeMap<(usize, String), LessSafeKey>,
}

fn order(kid: &str) -> (usize, String) {
    (kid.len(), kid.to_owned())
}

impl Keyring {
    /// Reads the secret's text.
    ///
    /// # Errors
    /// When it is not a JSON object of texts with enough material, or empty.
    pub fn parse(text: &SecretString) -> Result<Self, KeyringError> {
        let mut entries: BTreeMap<String, String> =
            serde_json::from_str(text.expose_secret()).map_err(|_| KeyringError::Malformed)?;
        let mut keys = BTreeMap::new();
        for (kid, material) in &mut entries {
            if kid.is_empty() || kid.contains('.') {
                return Err(KeyringError::Malformed);
            }
            if material.len() < MIN_MATERIAL_BYTES {
                return Err(KeyringError::Weak(kid.clone()));
            }
            keys.insert(order(kid), derive(material.as_bytes()));
            material.zeroize();
        }
        if keys.is_empty() { Err(KeyringError::Empty) } else { Ok(Self { keys }) }
    }

    /// Tells whether the key that sealed a value is on the ring.
    #[must_use]
    pub fn knows(&self, sealed: &Sealed) -> bool {
        sealed.0.split_once('.').is_some_and(|(kid, _)| self.keys.contains_key(&order(kid)))
    }

    pub(super) fn seal(
        &self,
        secret: &SecretString,
        owner: &str,
        nonce: [u8; NONCE_LEN],
    ) -> Result<Sealed, KeyringError> {
        let ((_, kid), key) = self.keys.last_key_value().ok_or(KeyringError::Empty)?;
        let mut data = secret.expose_secret().as_bytes().to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner.as_bytes()), &mut data)
            .map_err(|_| KeyringError::Broken)?;
        let mut whole = nonce.to_vec();
        whole.append(&mut data);
        Ok(Sealed(format!("{kid}.{}", URL_SAFE_NO_PAD.encode(whole))))
    }

    pub(super) fn open(&self, sealed: &Sealed, owner: &str) -> Result<SecretString, KeyringError> {
        let (kid, text) = sealed.0.split_once('.').ok_or(KeyringError::Broken)?;
        let key = self.keys.get(&order(kid)).ok_or_else(|| KeyringError::UnknownKey(kid.to_owned()))?;
        let mut whole = URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyringError::Broken)?;
        let (nonce, data) = whole.split_first_chunk_mut::<NONCE_LEN>().ok_or(KeyringError::Broken)?;
        let plain = key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(owner.as_bytes()), data)
            .map_err(|_| KeyringError::Broken)?;
        let text = String::from_utf8(plain.to_vec()).map_err(|_| KeyringError::Broken)?;
        plain.zeroize();
        Ok(SecretString::from(text))
    }
}

fn derive(material: &[u8]) -> LessSafeKey {
    let pseudo_random = Salt::new(HKDF_SHA256, b"hookport keyring").extract(material);
    let output = pseudo_random.expand(&[b"seal v1"], &AES_256_GCM).expect("one key is within HKDF's length");
    LessSafeKey::new(UnboundKey::from(output))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"k1":"0123456789abcdef0123456789abcdef"}"#;
    const TWO: &str = r#"{"k2":"0123456789abcdef0123456789abcdef","k10":"fedcba9876543210fedcba9876543210"}"#;

    fn ring(text: &str) -> Keyring {
        Keyring::parse(&SecretString::from(text)).expect("a good ring")
    }

    #[test]
    fn a_sealed_secret_opens_for_its_owner_only() {
        let ring = ring(ONE);
        let sealed = ring.seal(&SecretString::from("whsec_x"), "acme/sub_1", [7; 12]).expect("sealed");
        assert_eq!(ring.open(&sealed, "acme/sub_1").expect("opened").expose_secret(), "whsec_x");
        assert_eq!(ring.open(&sealed, "acme/sub_2").err(), Some(KeyringError::Broken));
        assert!(!sealed.0.contains("whsec"));
    }

    #[test]
    fn a_changed_or_cut_value_does_not_open() {
        let ring = ring(ONE);
        let sealed = ring.seal(&SecretString::from("secret"), "o", [7; 12]).expect("sealed");
        let (kid, data) = sealed.0.split_once('.').expect("two parts");
        let mut bytes = URL_SAFE_NO_PAD.decode(data).expect("base64");
        bytes[14] ^= 1;
        let changed = Sealed(format!("{kid}.{}", URL_SAFE_NO_PAD.encode(&bytes)));
        let cut = Sealed(format!("{kid}.{}", &data[..8]));
        for bad in [changed, cut, Sealed("k1".into())] {
            assert_eq!(ring.open(&bad, "o").err(), Some(KeyringError::Broken));
        }
    }

    #[test]
    fn the_newest_key_seals_and_an_unknown_key_is_named() {
        let sealed = ring(TWO).seal(&SecretString::from("s"), "o", [1; 12]).expect("sealed");
        assert!(sealed.0.starts_with("k10."), "k10 is newer than k2");
        assert!(!ring(ONE).knows(&sealed));
        assert_eq!(ring(ONE).open(&sealed, "o").err(), Some(KeyringError::UnknownKey("k10".into())));
    }

    #[test]
    fn a_ring_without_strong_keys_is_refused() {
        for (text, error) in [
            ("{}", KeyringError::Empty),
            ("[]", KeyringError::Malformed),
            (r#"{"k1":"short"}"#, KeyringError::Weak("k1".into())),
        ] {
            assert_eq!(Keyring::parse(&SecretString::from(text)).err(), Some(error), "{text}");
        }
    }
}
