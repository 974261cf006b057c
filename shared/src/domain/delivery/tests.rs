use super::*;
use crate::domain::id::{InboundDeliveryId, InboundWebhookId};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("a time in range")
}

fn delivery() -> Delivery {
    let webhook = InboundWebhookId::new(at(0), 1);
    let event = InboundDeliveryId::new(at(0), webhook, 2).into();
    let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
    let kind = EventType::try_from("a.b".to_owned()).expect("a type");
    Delivery::first_attempt(tenant, event, kind, SubscriptionId::new(at(0), 3), OwnerToken::new(9), at(90))
}

fn attempt(n: u32, outcome: Outcome) -> Attempt {
    Attempt { n, started_at: at(1), duration_ms: 12, outcome }
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered { status, body: None }
}

#[test]
fn a_2xx_ends_a_delivery() {
    let after = delivery().after_attempt(attempt(1, answered(204)), RetrySchedule::Standard, 0.5, at(2));
    assert_eq!(after.state, DeliveryState::Delivered { at: at(2) });
    assert_eq!((after.due_at, after.wait(at(2)), after.is_on_its_own()), (None, None, true));
}

/// B3: any other answer, and no answer, is tried again later, and the cause is kept.
#[test]
fn b3_a_failure_is_tried_again_and_its_cause_kept() {
    let timeout = Outcome::Failed { code: "timeout".into(), message: "no answer".into(), permanent: false };
    for outcome in [answered(500), answered(503), answered(400), answered(301), timeout, Outcome::Unknown] {
        let after = delivery().after_attempt(attempt(1, outcome.clone()), RetrySchedule::Standard, 0.5, at(2));
        assert_eq!(after.state, DeliveryState::Pending { next_attempt_at: at(7) }, "{outcome:?}");
        assert_eq!(after.attempts[0].outcome, outcome);
        assert_eq!(after.wait(at(2)), Some(Wait::OnQueue(SignedDuration::from_secs(5))));
        assert_eq!(after.due_at, Some(at(67)), "the sweeper comes a minute after the queue should have");
    }
}

#[test]
fn a_long_wait_is_the_sweepers() {
    let after = delivery().after_attempt(attempt(3, answered(500)), RetrySchedule::Standard, 0.5, at(0));
    assert_eq!(after.state, DeliveryState::Pending { next_attempt_at: at(1800) });
    assert_eq!((after.wait(at(0)), after.due_at), (Some(Wait::OnSweeper), Some(at(1800))));
}

#[test]
fn the_end_of_the_schedule_a_410_and_a_refused_address_end_a_delivery() {
    let refused = Outcome::Failed { code: "refused".into(), message: "private".into(), permanent: true };
    for (n, outcome) in [(5, answered(500)), (1, answered(410)), (1, refused)] {
        let after = delivery().after_attempt(attempt(n, outcome), RetrySchedule::FiveTries, 0.5, at(2));
        assert_eq!(after.state, DeliveryState::Exhausted { at: at(2) });
        assert_eq!(after.due_at, None);
    }
}

#[test]
fn a_lost_lease_becomes_an_unknown_attempt_only_after_its_end() {
    assert_eq!(delivery().after_lost_lease(RetrySchedule::Standard, 0.5, at(89)), None);
    let after = delivery().after_lost_lease(RetrySchedule::Standard, 0.5, at(90)).expect("the lease is over");
    assert_eq!(after.attempts[0].outcome, Outcome::Unknown);
    assert_eq!(after.state, DeliveryState::Pending { next_attempt_at: at(95) });
    let done = after.after_attempt(attempt(2, answered(200)), RetrySchedule::Standard, 0.5, at(96));
    assert_eq!(done.clone().after_lost_lease(RetrySchedule::Standard, 0.5, at(999)), None);
    assert_eq!(done.attempts.len(), 2);
}

#[test]
fn a_first_attempt_is_covered_by_its_event_until_it_is_recorded() {
    assert!(!delivery().is_on_its_own());
    assert!(delivery().after_attempt(attempt(1, answered(500)), RetrySchedule::Standard, 0.5, at(2)).is_on_its_own());
}
