//! How an inbound webhook is doing, by what it received lately.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::inbound_delivery::{DispatchStatus, InboundDelivery};
use super::inbound_webhook::InboundWebhook;
use super::watch;

/// How many of the newest requests must have failed for a webhook to be failing.
pub const FAILING_AFTER: usize = 5;
/// How long ago requests are that say whether proofs are refused.
pub const REJECTING_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// How many requests it takes to say that proofs are refused.
pub const REJECTING_LEAST: usize = 10;
/// After how long without a request a webhook is idle.
pub const IDLE_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// How an inbound webhook is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Requests come and are taken.
    Healthy,
    /// No request came for 24 hours.
    Idle,
    /// No request came for as long as the webhook's silence alarm says.
    Silent,
    /// The newest five requests were all refused after they had been received, for what is in them.
    Failing,
    /// More than half of the requests of the last hour, and those at least ten, could not prove who sent them.
    Rejecting,
    /// Somebody switched it off.
    Disabled,
    /// It was switched off because its requests kept failing.
    AutoDisabled,
}

/// A state, and why it is that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The state.
    pub state: HealthState,
    /// Why, for people.
    pub why: String,
}

/// What health is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The newest requests of senders that were kept, newest first: [`FAILING_AFTER`] of them if there are as many.
    pub newest: &'a [InboundDelivery],
    /// How many requests of senders were kept within [`REJECTING_WITHIN`]; any number above `refused` says the same.
    pub kept: usize,
    /// How many requests were refused in that time. The log of refused requests is capped, so there may be more.
    pub refused: usize,
    /// How many of them because of their proof.
    pub refused_proofs: usize,
}

/// Judges a webhook. Of several states that it is in, the first of the list in this function counts.
#[must_use]
pub fn judge(webhook: &InboundWebhook, evidence: Evidence<'_>, now: Timestamp) -> Health {
    let health = |state, why| Health { state, why };
    let last_used_at = evidence.newest.first().map(InboundDelivery::received_at);
    if !webhook.is_active {
        return match webhook.auto_disabled_at {
            Some(at) => health(HealthState::AutoDisabled, format!("switched off at {at}: its requests kept failing")),
            None => health(HealthState::Disabled, "switched off".to_owned()),
        };
    }
    let failed = evidence.newest.iter().take_while(|row| row.status == DispatchStatus::Failed).count();
    if failed >= FAILING_AFTER {
        let why = evidence.newest.first().and_then(|row| row.error.as_deref()).unwrap_or("failed");
        let why = format!("the newest {FAILING_AFTER} requests were refused for what is in them, the last with {why}");
        return health(HealthState::Failing, why);
    }
    let requests = evidence.kept + evidence.refused;
    if requests >= REJECTING_LEAST && evidence.refused_proofs * 2 > requests {
        let refused = evidence.refused_proofs;
        let why = format!("{refused} requests of the last hour did not prove who sent them, and {} did", evidence.kept);
        return health(HealthState::Rejecting, why);
    }
    if let Some(silence) = watch::silence(webhook, last_used_at, now) {
        return health(HealthState::Silent, format!("no request since {}", silence.since));
    }
    match last_used_at {
        None => health(HealthState::Idle, "no request yet".to_owned()),
        Some(at) if now.duration_since(at) >= IDLE_AFTER => health(HealthState::Idle, format!("no request since {at}")),
        Some(at) => health(HealthState::Healthy, format!("the last request came at {at}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::stats::tests::{at, row, webhook};

    const HOUR: i64 = 3_600;

    fn state(
        webhook: &InboundWebhook,
        newest: &[InboundDelivery],
        counts: (usize, usize, usize),
        now: i64,
    ) -> HealthState {
        let (kept, refused, refused_proofs) = counts;
        judge(webhook, Evidence { newest, kept, refused, refused_proofs }, at(now)).state
    }

    fn rows(statuses: &[DispatchStatus]) -> Vec<InboundDelivery> {
        (0..).zip(statuses).map(|(n, status)| row(100 - n, *status)).collect()
    }

    #[test]
    fn a_webhook_that_is_off_is_nothing_else() {
        let failed = rows(&[DispatchStatus::Failed; 5]);
        let off = InboundWebhook { is_active: false, ..webhook() };
        assert_eq!(state(&off, &failed, (0, 100, 100), 200), HealthState::Disabled);
        let auto = InboundWebhook { auto_disabled_at: Some(at(150)), ..off };
        assert_eq!(state(&auto, &failed, (0, 100, 100), 200), HealthState::AutoDisabled);
        let on_again = InboundWebhook { is_active: true, ..auto };
        assert_eq!(state(&on_again, &failed[..4], (0, 0, 0), 200), HealthState::Healthy);
    }

    #[test]
    fn five_failures_in_a_row_are_failing_and_four_are_not() {
        let mut newest = rows(&[DispatchStatus::Failed; 5]);
        assert_eq!(state(&webhook(), &newest, (5, 0, 0), 200), HealthState::Failing);
        newest[4].status = DispatchStatus::Dispatched;
        assert_eq!(state(&webhook(), &newest, (5, 0, 0), 200), HealthState::Healthy);
        assert_eq!(state(&webhook(), &newest[..4], (5, 0, 0), 200), HealthState::Healthy);
    }

    #[test]
    fn more_than_half_of_at_least_ten_must_be_refused_proofs() {
        let newest = rows(&[DispatchStatus::Dispatched]);
        let cases = [
            ((0, 9, 9), HealthState::Healthy),
            ((0, 10, 10), HealthState::Rejecting),
            ((5, 5, 5), HealthState::Healthy),
            ((5, 6, 6), HealthState::Rejecting),
            ((0, 20, 10), HealthState::Healthy),
        ];
        for (counts, expected) in cases {
            assert_eq!(state(&webhook(), &newest, counts, 200), expected, "{counts:?}");
        }
    }

    #[test]
    fn silence_is_by_the_webhooks_own_measure_and_idleness_by_a_day() {
        let newest = rows(&[DispatchStatus::Dispatched]);
        assert_eq!(state(&webhook(), &newest, (0, 0, 0), 100 + 24 * HOUR - 1), HealthState::Healthy);
        assert_eq!(state(&webhook(), &newest, (0, 0, 0), 100 + 24 * HOUR), HealthState::Idle);
        assert_eq!(state(&webhook(), &[], (0, 0, 0), 0), HealthState::Idle);
        let watched = InboundWebhook { silence_alarm_h: Some(2), ..webhook() };
        assert_eq!(state(&watched, &newest, (0, 0, 0), 100 + 2 * HOUR - 1), HealthState::Healthy);
        assert_eq!(state(&watched, &newest, (0, 0, 0), 100 + 2 * HOUR), HealthState::Silent);
        assert_eq!(state(&watched, &[], (0, 0, 0), 2 * HOUR), HealthState::Silent);
    }
}
