//! Reckoning with times.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How long an answer may wait for what only saves time.
pub const PATIENCE: Duration = Duration::from_millis(300);

/// A time that much later; the end of time where there is none.
#[must_use]
pub fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}
