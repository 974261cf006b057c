//! Algorithms and encodings: MACs, digests and public-key signatures, behind one way to ask.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::proof::BASE64;

const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The longest signature as text: RSA with 8192 bits, in hex.
const MAX_SIGNATURE_CHARS: usize = 2_048;

/// How a signature is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Algorithm {
    /// HMAC with SHA-1.
    #[serde(rename = "hmac-sha1")]
    HmacSha1,
    /// HMAC with SHA-256.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// HMAC with SHA-384.
    #[serde(rename = "hmac-sha384")]
    HmacSha384,
    /// HMAC with SHA-512.
    #[serde(rename = "hmac-sha512")]
    HmacSha512,
    /// A plain SHA-256 over something that has the secret in it.
    #[serde(rename = "sha256")]
    Sha256,
    /// Ed25519 (RFC 8032).
    #[serde(rename = "ed25519")]
    Ed25519,
    /// ECDSA on P-256 with SHA-256, the signature in ASN.1.
    #[serde(rename = "ecdsa-p256-sha256")]
    EcdsaP256Sha256,
    /// RSA, PKCS #1 v1.5, with SHA-1.
    #[serde(rename = "rsa-sha1")]
    RsaSha1,
    /// RSA, PKCS #1 v1.5, with SHA-256.
    #[serde(rename = "rsa-sha256")]
    RsaSha256,
}

impl Algorithm {
    /// Tells whether sender and receiver share a secret.
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        matches!(self, Self::HmacSha1 | Self::HmacSha256 | Self::HmacSha384 | Self::HmacSha512 | Self::Sha256)
    }
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hex, in any case.
    Hex,
    /// Base64, padded or not.
    Base64,
    /// Base64 of the alphabet for URLs, padded or not.
    Base64Url,
}

impl Encoding {
    /// Decodes a text.
    #[must_use]
    pub fn decode(self, text: &str) -> Option<Vec<u8>> {
        if text.is_empty() || text.len() > MAX_SIGNATURE_CHARS { None } else { self.decode_long(text) }
    }

    /// Decodes a text that is no signature, of any length.
    #[must_use]
    pub(super) fn decode_long(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => BASE64.decode(text).ok(),
            Self::Base64Url => BASE64_URL.decode(text).ok(),
        }
    }

    /// Encodes bytes: hex in lower case, base64 padded, that for URLs not.
    #[must_use]
    pub fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64Url => URL_SAFE_NO_PAD.encode(bytes),
        }
    }
}

/// A tag of a shared secret over `parts`, one after another; `None` for algorithms with public keys.
#[must_use]
pub fn tag(algorithm: Algorithm, key: &[u8], parts: &[Cow<'_, [u8]>]) -> Option<Zeroizing<Vec<u8>>> {
    let tag = match algorithm {
        Algorithm::HmacSha1 => mac::<Hmac<Sha1>>(key, parts),
        Algorithm::HmacSha256 => mac::<Hmac<Sha256>>(key, parts),
        Algorithm::HmacSha384 => mac::<Hmac<Sha384>>(key, parts),
        Algorithm::HmacSha512 => mac::<Hmac<Sha512>>(key, parts),
        Algorithm::Sha256 => {
            let mut digest = Sha256::new();
            for part in parts {
                digest.update(part);
            }
            digest.finalize().to_vec()
        }
        Algorithm::Ed25519 | Algorithm::EcdsaP256Sha256 | Algorithm::RsaSha1 | Algorithm::RsaSha256 => return None,
    };
    Some(Zeroizing::new(tag))
}

fn mac<M: Mac + KeyInit>(key: &[u8], parts: &[Cow<'_, [u8]>]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// Compares two tags in constant time.
#[must_use]
pub fn equal(one: &[u8], other: &[u8]) -> bool {
    bool::from(one.ct_eq(other))
}

/// Tells whether `signature` over `message` is by the holder of a public key; never for shared secrets.
#[must_use]
pub fn is_signed(algorithm: Algorithm, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let by: &dyn VerificationAlgorithm = match algorithm {
        Algorithm::Ed25519 => &signature::ED25519,
        Algorithm::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
        Algorithm::RsaSha1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::RsaSha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::HmacSha1
        | Algorithm::HmacSha256
        | Algorithm::HmacSha384
        | Algorithm::HmacSha512
        | Algorithm::Sha256 => return false,
    };
    UnparsedPublicKey::new(by, key).verify(message, signature).is_ok()
}
