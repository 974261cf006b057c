//! Keys that are not those of a vector, and written like them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::scheme::catalogue::presets;
use hookport::scheme::key::{KeyEncoding, KeyText};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

use crate::vectors::{Means, vectors_of};

/// What stands before an Ed25519 key in its `SubjectPublicKeyInfo`.
const ED25519_INFO: &str = "302a300506032b6570032100";
/// What stands before a point of P-256 in its `SubjectPublicKeyInfo`.
const P256_INFO: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

/// Kinds of public keys.
#[derive(Clone, Copy)]
pub enum Kind {
    Ed25519,
    P256,
    Rsa,
}

/// Another shared secret, written in the same way: it begins with another character.
pub fn other_secret(how: &KeyText, secret: &str) -> String {
    let prefix = how.strip.as_deref().filter(|prefix| secret.starts_with(prefix)).unwrap_or_default();
    let rest = &secret[prefix.len()..];
    let mut chars = rest.chars();
    let other = match (how.encoding, chars.next()) {
        (KeyEncoding::Hex, Some('0')) => '1',
        (KeyEncoding::Hex, _) => '0',
        (_, Some('A')) => 'B',
        _ => 'A',
    };
    format!("{prefix}{other}{}", chars.as_str())
}

/// A public key of somebody else, written in the same way.
pub fn other_public_key(how: &KeyText, key: &str, kind: Kind) -> String {
    let (info, bytes) = match kind {
        Kind::Ed25519 => {
            let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes");
            (ED25519_INFO, pair.public_key().as_ref().to_vec())
        }
        Kind::P256 => {
            let random = SystemRandom::new();
            let by = &ECDSA_P256_SHA256_ASN1_SIGNING;
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(by, &random).expect("randomness");
            let pair = EcdsaKeyPair::from_pkcs8(by, pkcs8.as_ref(), &random).expect("the pair just made");
            (P256_INFO, pair.public_key().as_ref().to_vec())
        }
        Kind::Rsa => return other_modulus(key),
    };
    let prefix = how.strip.as_deref().unwrap_or_default();
    match how.encoding {
        KeyEncoding::Hex => format!("{prefix}{}", hex::encode(bytes)),
        KeyEncoding::Base64 => format!("{prefix}{}", STANDARD.encode(bytes)),
        KeyEncoding::Pem | KeyEncoding::Text => {
            let info = [hex::decode(info).expect("hex"), bytes].concat();
            STANDARD.encode(info)
        }
    }
}

/// The same RSA key with another modulus.
fn other_modulus(pem: &str) -> String {
    let encoded: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut info = STANDARD.decode(encoded).expect("a key in PEM");
    let middle = info.len() / 2;
    info[middle] ^= 1;
    STANDARD.encode(info)
}

/// A certificate of somebody else.
pub fn other_certificate(means: &Means) -> Option<String> {
    let of_rows = presets().iter().filter(|preset| preset.verify.certificate().is_some());
    let mut all = of_rows.flat_map(|preset| vectors_of(preset).vectors).filter_map(|vector| vector.certificate);
    all.find(|certificate| Some(certificate) != means.certificate.as_ref())
}
