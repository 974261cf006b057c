//! Reckoning with times.

use jiff::{SignedDuration, Timestamp};

/// A time that much later; the end of time where there is none.
#[must_use]
pub fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}
