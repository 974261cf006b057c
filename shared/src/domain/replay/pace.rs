//! How fast a replay is sent: a bucket that holds two seconds' worth.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::time::later;

/// The most items that can be asked to be sent in a second.
pub const MAX_RATE: u16 = 1_000;
/// How many seconds' worth may be sent at once after a wait, however long it was.
const BURST_S: u64 = 2;

/// What may be sent. Over any time, no more than that time's worth and two seconds' more is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// When this much was left.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    at: Timestamp,
    /// Thousandths of items that may be sent.
    left: u64,
}

impl Pace {
    /// The beginning: a second's worth.
    #[must_use]
    pub fn begin(rate: u16, now: Timestamp) -> Self {
        Self { at: now, left: u64::from(rate) * 1_000 }
    }

    /// What may be sent at `now`, in thousandths.
    fn refilled(&self, rate: u16, now: Timestamp) -> u64 {
        let elapsed_ms = u64::try_from(now.duration_since(self.at).as_millis()).unwrap_or(0);
        let gained = u64::from(rate).saturating_mul(elapsed_ms);
        self.left.saturating_add(gained).min(u64::from(rate) * 1_000 * BURST_S)
    }

    /// How many items of at most `most` may be sent now; else from when on.
    ///
    /// A small number is waited with until it is worth a page, so that a quick replay does not write its progress for
    /// every item.
    ///
    /// # Errors
    /// When nothing may be sent yet: the time when it may.
    pub fn allowance(&self, rate: u16, most: usize, now: Timestamp) -> Result<usize, Timestamp> {
        let left = self.refilled(rate, now);
        let enough = u64::try_from(most).unwrap_or(u64::MAX).min(u64::from(rate)).max(1) * 1_000;
        if left >= enough {
            return Ok(usize::try_from(left / 1_000).unwrap_or(most).min(most));
        }
        let wait_ms = (enough - left).div_ceil(u64::from(rate.max(1)));
        Err(later(now, SignedDuration::from_millis(i64::try_from(wait_ms).unwrap_or(i64::MAX))))
    }

    /// What is left after `sent` items were sent.
    #[must_use]
    pub fn spent(&self, rate: u16, sent: u64, now: Timestamp) -> Self {
        Self { at: now, left: self.refilled(rate, now).saturating_sub(sent.saturating_mul(1_000)) }
    }
}
