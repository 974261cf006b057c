//! What became of a subscription's deliveries, by the clock hour.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::delivery::{Delivery, DeliveryState};
use super::rejection::hour_of;
use super::subscription_health::{counts, finished_of, percentile};

const HOUR_S: i64 = 3_600;

/// One clock hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HourOfDeliveries {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// The deliveries that were delivered in it.
    pub delivered: u32,
    /// The attempts that began in it and failed.
    pub failed_attempts: u32,
    /// The deliveries that were given up in it.
    pub exhausted: u32,
    /// Half of its attempts took at most so many milliseconds; null without any.
    pub p50_ms: Option<u32>,
    /// Nineteen of twenty of its attempts took at most so many milliseconds; null without any.
    pub p95_ms: Option<u32>,
}

#[derive(Default)]
struct Tally {
    delivered: u32,
    failed_attempts: u32,
    exhausted: u32,
    durations_ms: Vec<u32>,
}

/// When the first of the last `hours` clock hours began, the present one being the last.
#[must_use]
pub fn first_hour(hours: u16, now: Timestamp) -> Timestamp {
    start(hour_of(now) - i64::from(hours.max(1)) + 1)
}

fn start(hour: i64) -> Timestamp {
    let since = SignedDuration::from_secs(hour.saturating_mul(HOUR_S));
    Timestamp::UNIX_EPOCH.saturating_add(since).unwrap_or(Timestamp::MIN)
}

/// The last `hours` clock hours, oldest first, the present one being the last. Tests and challenges are in none.
#[must_use]
pub fn by_hour(deliveries: &[Delivery], hours: u16, now: Timestamp) -> Vec<HourOfDeliveries> {
    let last = hour_of(now);
    let first = hour_of(first_hour(hours, now));
    let mut tallies: BTreeMap<i64, Tally> = (first..=last).map(|hour| (hour, Tally::default())).collect();
    for delivery in deliveries.iter().filter(|delivery| counts(delivery)) {
        match delivery.state {
            DeliveryState::Delivered { at } => {
                if let Some(tally) = tallies.get_mut(&hour_of(at)) {
                    tally.delivered += 1;
                }
            }
            DeliveryState::Exhausted { at } => {
                if let Some(tally) = tallies.get_mut(&hour_of(at)) {
                    tally.exhausted += 1;
                }
            }
            _ => {}
        }
        for attempt in finished_of(delivery) {
            if let Some(tally) = tallies.get_mut(&hour_of(attempt.started_at)) {
                tally.failed_attempts += u32::from(!attempt.is_success);
                tally.durations_ms.push(attempt.duration_ms);
            }
        }
    }
    tallies.into_iter().map(|(hour, tally)| tally.at(hour)).collect()
}

impl Tally {
    fn at(mut self, hour: i64) -> HourOfDeliveries {
        self.durations_ms.sort_unstable();
        HourOfDeliveries {
            start: start(hour),
            delivered: self.delivered,
            failed_attempts: self.failed_attempts,
            exhausted: self.exhausted,
            p50_ms: percentile(&self.durations_ms, 50),
            p95_ms: percentile(&self.durations_ms, 95),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::{Answer, Attempt, Outcome};
    use crate::domain::delivery::DeliveryKind;
    use crate::domain::event_type::EventType;
    use crate::domain::id::{InboundDeliveryId, InboundWebhookId, SubscriptionId};
    use crate::domain::text::TenantSlug;

    /// A time counted from the begin of a clock hour.
    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(500_000 * HOUR_S + 60 * minutes).expect("a time in range")
    }

    fn delivery(state: DeliveryState, attempts: &[(i64, u32, u16)]) -> Delivery {
        let event = InboundDeliveryId::new(at(0), InboundWebhookId::NONE, 7).into();
        let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
        let kind = EventType::try_from("invoice.paid".to_owned()).expect("a type");
        let mut made = Delivery::of_event(tenant, event, kind, SubscriptionId::new(at(0), 3), state, at(0));
        for (n, (start, duration_ms, status)) in (1..).zip(attempts) {
            let outcome = Outcome::Answered(Answer { status: *status, ..Answer::default() });
            let (started_at, duration_ms) = (at(*start), *duration_ms);
            made.attempts.push(Attempt { n, started_at, duration_ms, url: None, outcome });
        }
        made
    }

    #[test]
    fn every_hour_is_there_and_the_present_one_is_the_last() {
        let hours = by_hour(&[], 24, at(30));
        assert_eq!(hours.len(), 24);
        assert_eq!((hours[0].start, hours[23].start), (at(-23 * 60), at(0)));
        assert_eq!(first_hour(1, at(59)), at(0));
    }

    #[test]
    fn an_attempt_is_in_the_hour_of_its_begin_and_a_delivery_in_that_of_its_end() {
        let retried = delivery(DeliveryState::Delivered { at: at(61) }, &[(59, 100, 503), (60, 20, 200)]);
        let given_up = delivery(DeliveryState::Exhausted { at: at(62) }, &[(58, 300, 500), (62, 40, 500)]);
        let hours = by_hour(&[retried, given_up], 2, at(70));
        let first = HourOfDeliveries {
            start: at(0),
            delivered: 0,
            failed_attempts: 2,
            exhausted: 0,
            p50_ms: Some(100),
            p95_ms: Some(300),
        };
        let second = HourOfDeliveries {
            start: at(60),
            delivered: 1,
            failed_attempts: 1,
            exhausted: 1,
            p50_ms: Some(20),
            p95_ms: Some(40),
        };
        assert_eq!(hours, [first, second]);
    }

    #[test]
    fn what_lies_outside_the_hours_and_what_is_a_test_are_in_none() {
        let old = delivery(DeliveryState::Delivered { at: at(-1) }, &[(-1, 10, 200)]);
        let test = delivery(DeliveryState::Exhausted { at: at(1) }, &[(1, 10, 500)]);
        let hours = by_hour(&[old, Delivery { kind: DeliveryKind::Test, ..test }], 1, at(5));
        assert_eq!(hours, by_hour(&[], 1, at(5)));
    }
}
