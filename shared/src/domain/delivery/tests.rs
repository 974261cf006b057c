use super::*;
use crate::domain::attempt::Answer;
use crate::domain::id::{InboundDeliveryId, InboundWebhookId};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("a time in range")
}

fn delivery() -> Delivery {
    let webhook = InboundWebhookId::new(at(0), 1);
    let event = InboundDeliveryId::new(at(0), webhook, 2).into();
    let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
    let kind = EventType::try_from("a.b".to_owned()).expect("a type");
    let state = DeliveryState::Attempting { n: 1, owner: OwnerToken::new(9), lease_until: at(90) };
    Delivery::of_event(tenant, event, kind, SubscriptionId::new(at(0), 3), state, at(0))
}

fn attempt(n: u32, outcome: Outcome) -> Attempt {
    Attempt { n, started_at: at(1), duration_ms: 12, url: None, outcome }
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered(Answer { status, ..Answer::default() })
}

fn failed(not_before_s: Option<i64>) -> Verdict {
    Verdict::Failed { retry: true, not_before: not_before_s.map(SignedDuration::from_secs), slow_down: false }
}

fn wait(seconds: i64) -> Option<SignedDuration> {
    Some(SignedDuration::from_secs(seconds))
}

fn pending(seconds: i64) -> DeliveryState {
    DeliveryState::Pending { next_attempt_at: at(seconds), reason: None }
}

#[test]
fn a_2xx_ends_a_delivery() {
    let after = delivery().after_attempt(attempt(1, answered(204)), &Verdict::Delivered, wait(5), at(2));
    assert_eq!(after.state, DeliveryState::Delivered { at: at(2) });
    assert_eq!((after.due_at, after.wait(at(2)), after.is_on_its_own()), (None, None, true));
}

/// B3: any other answer, and no answer, is tried again later, and the cause is kept.
#[test]
fn b3_a_failure_is_tried_again_and_its_cause_kept() {
    let timeout = Outcome::Failed { code: "timed_out".into(), message: "no answer".into(), permanent: false };
    for outcome in [answered(500), answered(400), timeout, Outcome::Unknown] {
        let after = delivery().after_attempt(attempt(1, outcome.clone()), &failed(None), wait(5), at(2));
        assert_eq!(after.state, pending(7), "{outcome:?}");
        assert_eq!(after.attempts[0].outcome, outcome);
        assert_eq!(after.wait(at(2)), Some(Wait::OnQueue(SignedDuration::from_secs(5))));
        assert_eq!(after.due_at, Some(at(67)), "the sweeper comes a minute after the queue should have");
    }
}

#[test]
fn a_target_that_asks_for_more_time_gets_it_and_one_that_asks_for_less_does_not() {
    let after =
        |asked| delivery().after_attempt(attempt(1, answered(503)), &failed(Some(asked)), wait(60), at(0)).state;
    assert_eq!(after(120), pending(120));
    assert_eq!(after(3), pending(60));
}

#[test]
fn a_long_wait_is_the_sweepers() {
    let after = delivery().after_attempt(attempt(3, answered(500)), &failed(None), wait(1800), at(0));
    assert_eq!(after.state, pending(1800));
    assert_eq!((after.wait(at(0)), after.due_at), (Some(Wait::OnSweeper), Some(at(1800))));
}

#[test]
fn the_end_of_the_schedule_a_410_and_a_pointless_retry_end_a_delivery() {
    let pointless = Verdict::Failed { retry: false, not_before: None, slow_down: false };
    for (verdict, wait) in [(failed(None), None), (Verdict::Gone, wait(5)), (pointless, wait(5))] {
        let after = delivery().after_attempt(attempt(1, answered(500)), &verdict, wait, at(2));
        assert_eq!(after.state, DeliveryState::Exhausted { at: at(2) });
        assert_eq!(after.due_at, None);
    }
}

/// B17: a target that answers later is waited for, and the sweeper ends the wait.
#[test]
fn b17_a_target_that_answers_later_has_fifteen_minutes_to_say_something() {
    let after = delivery().after_attempt(attempt(1, answered(202)), &Verdict::InProgress, wait(5), at(0));
    assert_eq!(after.state, DeliveryState::InProgress { silent_at: at(900) });
    assert_eq!((after.due_at, after.is_on_its_own()), (Some(at(900)), true));
}

#[test]
fn a_lost_lease_becomes_an_unknown_attempt_only_after_its_end() {
    assert_eq!(delivery().after_lost_lease(wait(5), at(89)), None);
    let after = delivery().after_lost_lease(wait(5), at(90)).expect("the lease is over");
    assert_eq!(after.attempts[0].outcome, Outcome::Unknown);
    assert_eq!(after.state, pending(95));
    let done = after.after_attempt(attempt(2, answered(200)), &Verdict::Delivered, wait(5), at(96));
    assert_eq!(done.clone().after_lost_lease(wait(5), at(999)), None);
    assert_eq!(done.attempts.len(), 2);
}

#[test]
fn a_first_attempt_is_covered_by_its_event_until_it_is_recorded() {
    assert!(!delivery().is_on_its_own());
    assert!(delivery().after_attempt(attempt(1, answered(500)), &failed(None), wait(5), at(2)).is_on_its_own());
    assert!(delivery().in_state(DeliveryState::Held, at(0)).is_on_its_own(), "a held one waits for its subscription");
}

#[test]
fn a_delivery_in_a_lane_has_no_due_time_of_its_own() {
    let lane = LaneKey::of("x");
    let held = delivery().in_state(DeliveryState::Held, at(0)).in_lane(lane);
    let attempting = DeliveryState::Attempting { n: 1, owner: OwnerToken::new(9), lease_until: at(90) };
    let begun = held.clone().in_state(attempting, at(1));
    let waiting = begun.clone().after_attempt(attempt(1, answered(500)), &failed(None), wait(5), at(2));
    let lost = begun.clone().after_lost_lease(wait(5), at(91)).expect("the lease ran out");
    for stage in [&held, &begun, &waiting, &lost] {
        assert_eq!((stage.lane, stage.due_at, stage.is_on_its_own()), (Some(lane), None, true), "{:?}", stage.state);
    }
}
