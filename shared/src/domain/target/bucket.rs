//! Buckets, and what the keys of objects in them start with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::text::texts;

/// Why a text names no bucket, or starts no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// Not a name of a bucket.
    #[error("must be a bucket's name: 3 to 63 of a-z, 0-9, - and single dots, a letter or digit at both ends")]
    Name,
    /// Not the beginning of a key.
    #[error("must have at most 256 of A-Z, a-z, 0-9, ., _, =, - and /, no / at the start, no segment . or ..")]
    Prefix,
}

/// The name of a bucket of S3.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 3, max_length = 63, example = "orders-archive")]
pub struct BucketName(String);

impl TryFrom<String> for BucketName {
    type Error = BucketError;

    fn try_from(text: String) -> Result<Self, BucketError> {
        let is_end = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let bytes = text.as_bytes();
        let is_name = (3..=63).contains(&bytes.len())
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(b))
            && is_end(bytes.first())
            && is_end(bytes.last())
            && !text.contains("..")
            // An address would not be taken for a bucket.
            && text.parse::<std::net::Ipv4Addr>().is_err();
        if is_name { Ok(Self(text)) } else { Err(BucketError::Name) }
    }
}

/// What the keys of objects start with; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 256, example = "webhooks/")]
pub struct KeyPrefix(String);

impl TryFrom<String> for KeyPrefix {
    type Error = BucketError;

    fn try_from(text: String) -> Result<Self, BucketError> {
        let is_prefix = text.len() <= 256
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._=-/".contains(&b))
            && !text.starts_with('/')
            && text.split('/').all(|segment| segment != "." && segment != "..");
        if is_prefix { Ok(Self(text)) } else { Err(BucketError::Prefix) }
    }
}

impl KeyPrefix {
    /// Tells whether keys start with their date.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

texts!(BucketName, KeyPrefix);
