//! Samples: the first proven request within a short window, for people to build on.
//!
//! A sample names a delivery and holds nothing of its own: the request is kept there, and goes when its body goes.

use jiff::{SignedDuration, Timestamp};

use super::id::InboundDeliveryId;
use super::inbound_delivery::BODY_DAYS;
use super::time::later;

/// For how long a webhook waits for a request to capture.
pub const CAPTURE_WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// The request that was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The delivery that holds the request.
    pub delivery_id: InboundDeliveryId,
    /// The end of the window that it was captured in: tells one arming from another.
    pub window_ends_at: Timestamp,
    /// When the request arrived.
    pub captured_at: Timestamp,
}

/// The end of the window of a webhook that is armed at `now`; `before` is the end of the window that it had.
///
/// No two armings of a webhook have windows with the same end, so a new one lets go of the old sample.
#[must_use]
pub fn window_end(before: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let end = later(now, CAPTURE_WINDOW);
    let after_before = before.and_then(|before| before.checked_add(SignedDuration::from_millis(1)).ok());
    after_before.map_or(end, |least| end.max(least))
}

impl Sample {
    /// From when on it is no longer shown: its body is not kept longer.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        later(self.captured_at, SignedDuration::from_hours(24 * BODY_DAYS))
    }

    /// Tells whether it is the sample of the window with this end, at `now`.
    #[must_use]
    pub fn is_of(&self, window_ends_at: Option<Timestamp>, now: Timestamp) -> bool {
        window_ends_at == Some(self.window_ends_at) && now < self.expires_at()
    }
}

#[cfg(test)]
mod tests {
    use super::super::id::InboundWebhookId;
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("a time")
    }

    #[test]
    fn every_arming_has_a_window_of_its_own() {
        let first = window_end(None, at(0));
        assert_eq!(first, at(300_000));
        assert_eq!(window_end(Some(first), at(0)), at(300_001), "armed twice in one instant");
        assert_eq!(window_end(Some(first), at(1_000)), at(301_000));
    }

    #[test]
    fn a_sample_is_that_of_its_own_window_for_thirty_days() {
        let webhook = InboundWebhookId::new(at(0), 1);
        let delivery_id = InboundDeliveryId::new(at(0), webhook, 1);
        let sample = Sample { delivery_id, window_ends_at: at(300_000), captured_at: at(0) };
        assert!(sample.is_of(Some(at(300_000)), at(300_001)), "it stays when its window is over");
        assert!(!sample.is_of(Some(at(300_001)), at(1)), "another arming let go of it");
        assert!(!sample.is_of(None, at(1)), "it was cleared");
        let days = 30 * 86_400_000;
        assert!(sample.is_of(Some(at(300_000)), at(days - 1)));
        assert!(!sample.is_of(Some(at(300_000)), at(days)));
    }
}
