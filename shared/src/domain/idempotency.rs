//! Idempotency: the claim that decides which of several equal requests is kept.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::id::InboundDeliveryId;
use super::time::later;

/// The longest key that is taken, in bytes. Longer ones would not fit a log row; they are refused, not cut.
pub const MAX_KEY_BYTES: usize = 512;

/// What tells equal requests of one webhook: the sender's own key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads a header's value: trimmed; `None` when nothing is left, so that the request is not deduplicated.
    #[must_use]
    pub fn from_header(value: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(value);
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The key as the sender gave it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The SHA-256 of the key in hex: of one length whatever the sender chose, and nothing of it in table keys.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who holds a key, and until when.
///
/// The window is `[first_at, window_ends_at)`, counted from the first request; duplicates never extend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The delivery that the key belongs to.
    pub delivery_id: InboundDeliveryId,
    /// When the first request arrived.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub first_at: Timestamp,
    /// From when on the key is free again.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub window_ends_at: Timestamp,
}

impl Claim {
    /// A claim by `delivery_id` from its arrival, for `window_s` seconds.
    #[must_use]
    pub fn new(delivery_id: InboundDeliveryId, arrived_at: Timestamp, window_s: u32) -> Self {
        let window_ends_at = later(arrived_at, SignedDuration::from_secs(window_s.into()));
        Self { delivery_id, first_at: arrived_at, window_ends_at }
    }
}
