use super::*;
use crate::domain::delivery::DeliveryKind;
use crate::domain::event_type::EventType;
use crate::domain::id::{InboundDeliveryId, InboundWebhookId, SubscriptionId};
use crate::domain::text::TenantSlug;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("a time in range")
}

fn answered(status: u16, body: Option<&str>) -> Outcome {
    Outcome::Answered(Answer { status, body: body.map(str::to_owned), ..Answer::default() })
}

/// A delivery whose attempts began at these times.
fn delivery(state: DeliveryState, attempts: &[(i64, u32, Outcome)]) -> Delivery {
    let event = InboundDeliveryId::new(at(0), InboundWebhookId::NONE, 7).into();
    let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
    let kind = EventType::try_from("invoice.paid".to_owned()).expect("a type");
    let mut made = Delivery::of_event(tenant, event, kind, SubscriptionId::new(at(0), 3), state, at(0));
    made.attempts = (1..)
        .zip(attempts)
        .map(|(n, (start, duration_ms, outcome))| Attempt {
            n,
            started_at: at(*start),
            duration_ms: *duration_ms,
            url: None,
            outcome: outcome.clone(),
        })
        .collect();
    made
}

fn delivered(start: i64, duration_ms: u32) -> Delivery {
    delivery(DeliveryState::Delivered { at: at(start) }, &[(start, duration_ms, answered(200, None))])
}

fn failed(start: i64) -> Delivery {
    delivery(DeliveryState::Exhausted { at: at(start) }, &[(start, 10, answered(500, None))])
}

fn pending(next: i64) -> Delivery {
    delivery(DeliveryState::Pending { next_attempt_at: at(next), reason: None }, &[])
}

#[test]
fn a_subscription_without_attempts_is_healthy_and_wholly_successful() {
    let health = SubscriptionHealth::of(State::Active, &[]);
    assert_eq!((health.state, health.success_rate), (SubscriptionHealthState::Healthy, 1.0));
    assert_eq!((health.last_success_at, health.last_failure_at, health.consecutive_failures), (None, None, 0));
    assert_eq!((health.latency_ms, health.last_response), (AttemptLatency::default(), None));
}

#[test]
fn the_newest_attempt_decides_whether_an_active_one_is_failing() {
    let recovered = SubscriptionHealth::of(State::Active, &[delivered(30, 10), failed(20)]);
    assert_eq!((recovered.state, recovered.consecutive_failures), (SubscriptionHealthState::Healthy, 0));
    assert_eq!((recovered.last_success_at, recovered.last_failure_at), (Some(at(30)), Some(at(20))));

    let failing = SubscriptionHealth::of(State::Active, &[failed(40), failed(30), delivered(20, 10), failed(10)]);
    assert_eq!((failing.state, failing.consecutive_failures), (SubscriptionHealthState::Failing, 2));
    assert!((failing.success_rate - 0.25).abs() < f64::EPSILON);
}

#[test]
fn an_older_delivery_that_was_tried_again_just_now_is_the_newest() {
    let retried = delivery(
        DeliveryState::Delivered { at: at(50) },
        &[(1, 10, answered(503, None)), (50, 10, answered(200, None))],
    );
    let health = SubscriptionHealth::of(State::Active, &[failed(40), retried]);
    assert_eq!((health.state, health.last_success_at), (SubscriptionHealthState::Healthy, Some(at(50))));
}

#[test]
fn the_state_comes_before_what_the_attempts_say() {
    let cases = [
        (State::Paused, SubscriptionHealthState::Disabled),
        (State::Disabled, SubscriptionHealthState::Disabled),
        (State::AwaitingApproval, SubscriptionHealthState::Unverified),
        (State::AwaitingChallenge, SubscriptionHealthState::Unverified),
        (State::PendingVerification, SubscriptionHealthState::Unverified),
        (State::VerificationFailed, SubscriptionHealthState::Unverified),
        (State::Active, SubscriptionHealthState::Failing),
    ];
    for (state, expected) in cases {
        assert_eq!(SubscriptionHealth::of(state, &[failed(1)]).state, expected, "{state:?}");
    }
}

#[test]
fn only_the_newest_fifty_attempts_count() {
    let many: Vec<Delivery> = (0..60).map(|n| if n < 10 { failed(n) } else { delivered(n, 10) }).collect();
    let health = SubscriptionHealth::of(State::Active, &many);
    assert_eq!((health.success_rate, health.last_failure_at), (1.0, None));
}

#[test]
fn latencies_are_those_of_the_finished_attempts() {
    let many: Vec<Delivery> = (1_u32..=40).map(|n| delivered(n.into(), n)).collect();
    let health = SubscriptionHealth::of(State::Active, &many);
    assert_eq!(health.latency_ms, AttemptLatency { p50: Some(20), p95: Some(38), p99: Some(40) });
    let one = SubscriptionHealth::of(State::Active, &[delivered(1, 7)]);
    assert_eq!(one.latency_ms, AttemptLatency { p50: Some(7), p95: Some(7), p99: Some(7) });
}

#[test]
fn what_waits_is_counted_and_the_next_attempt_named() {
    let silent = DeliveryState::InProgress { silent_at: at(900) };
    let all = [
        pending(90),
        pending(60),
        delivery(silent, &[(10, 5, answered(202, None))]),
        delivery(DeliveryState::Held, &[]),
        delivered(5, 1),
    ];
    let health = SubscriptionHealth::of(State::Active, &all);
    assert_eq!((health.pending, health.held, health.next_attempt_at), (3, 1, Some(at(60))));
    assert_eq!(health.last_success_at, Some(at(5)), "what the target still works on is neither success nor failure");
}

/// B8: a test is hidden from the numbers, whatever came of it; so is a challenge.
#[test]
fn b8_tests_and_challenges_are_not_in_the_numbers() {
    for kind in [DeliveryKind::Test, DeliveryKind::Challenge] {
        let hidden = [Delivery { kind, ..failed(10) }, Delivery { kind, ..pending(20) }];
        assert_eq!(SubscriptionHealth::of(State::Active, &hidden), SubscriptionHealth::of(State::Active, &[]));
    }
    let resent = Delivery { kind: DeliveryKind::Resend, ..failed(10) };
    assert_eq!(SubscriptionHealth::of(State::Active, &[resent]).consecutive_failures, 1);
}

#[test]
fn a_target_that_told_later_that_it_failed_has_failed() {
    let told = delivery(DeliveryState::Exhausted { at: at(99) }, &[(10, 5, answered(202, None))]);
    assert_eq!(finished(&[told])[0], Finished { started_at: at(10), duration_ms: 5, is_success: false });
}

#[test]
fn an_attempt_whose_sender_died_says_nothing_of_the_target() {
    let lost = delivery(DeliveryState::Exhausted { at: at(9) }, &[(1, 0, Outcome::Unknown)]);
    assert!(finished(&[lost]).is_empty());
}

#[test]
fn the_words_for_people_are_found_in_an_answer() {
    let long = "é".repeat(501);
    let cases = [
        (Some(r#"{"message":"no such contact","error":"x"}"#), Some("no such contact".to_owned())),
        (Some(r#"{"error":{"code":7,"message":"no such contact"}}"#), Some("no such contact".to_owned())),
        (Some(r#"{"message":" ","detail":"gone"}"#), Some("gone".to_owned())),
        (Some(r#"{"title":"Bad","status":422}"#), Some("Bad".to_owned())),
        (Some(r#"{"code":7}"#), Some(r#"{"code":7}"#.to_owned())),
        (Some(r#"["no"]"#), Some(r#"["no"]"#.to_owned())),
        (Some("  plain words\n"), Some("plain words".to_owned())),
        (Some(long.as_str()), Some(format!("{}…", "é".repeat(500)))),
        (Some("   "), None),
        (None, None),
    ];
    for (body, expected) in cases {
        let made = delivery(DeliveryState::Exhausted { at: at(1) }, &[(1, 1, answered(422, body))]);
        let last = LastResponse::of(&made.attempts).expect("an answer");
        assert_eq!((last.status, last.message), (422, expected), "{body:?}");
    }
}

#[test]
fn an_answer_that_was_cut_when_it_was_kept_says_so() {
    let answer = Answer { status: 500, body: Some("the beginning".into()), is_cut: true, ..Answer::default() };
    assert_eq!(LastResponse::new(&answer).message.as_deref(), Some("the beginning…"));
}

#[test]
fn the_last_answer_is_shown_though_no_answer_came_after_it() {
    let timeout = Outcome::Failed { code: "timed_out".into(), message: "no answer".into(), permanent: false };
    let attempts = [(1, 1, answered(422, Some("no"))), (2, 1, timeout)];
    let made = delivery(DeliveryState::Exhausted { at: at(3) }, &attempts);
    let health = SubscriptionHealth::of(State::Active, &[failed(0), made]);
    assert_eq!(health.last_response, Some(LastResponse { status: 422, message: Some("no".into()) }));
}

/// So many failures, newest first, one every `step` seconds before `at(0)`.
fn failures(count: i64, step: i64) -> Vec<(Timestamp, bool)> {
    (0..count).map(|n| (at(-n * step), false)).collect()
}

const RULE: AutoDisable = AutoDisable { after_hours: 24, after_failures: 50 };
const LONG_AGO: i64 = -1_000 * HOUR;

#[test]
fn b12_fifty_failures_in_a_row_switch_it_off() {
    let judge = |finished: &[(Timestamp, bool)]| verdict(&RULE, finished, at(LONG_AGO), at(0));
    assert_eq!(judge(&failures(50, MINUTE)), Some(Cause::TooManyFailures));
    assert_eq!(judge(&failures(49, MINUTE)), None);
}

#[test]
fn b12_a_short_outage_of_a_busy_target_does_not_switch_it_off() {
    let judge = |finished: &[(Timestamp, bool)]| verdict(&RULE, finished, at(LONG_AGO), at(0));
    assert_eq!(judge(&failures(50, 10)), None, "fifty failures in eight minutes");
    assert_eq!(judge(&failures(91, 10)), Some(Cause::TooManyFailures), "fifteen minutes of them");
    assert_eq!(judge(&failures(90, 10)), None, "ten seconds less");
}

#[test]
fn b12_a_success_among_them_keeps_it_on() {
    for place in [0, 25, 49] {
        let mut finished = failures(50, MINUTE);
        finished[place].1 = true;
        assert_eq!(verdict(&RULE, &finished, at(LONG_AGO), at(0)), None, "{place}");
    }
}

#[test]
fn b12_a_day_of_nothing_but_failures_switches_it_off() {
    let finished = [(at(0), false), (at(-24 * HOUR), false)];
    assert_eq!(verdict(&RULE, &finished, at(LONG_AGO), at(0)), Some(Cause::FailingTooLong));
    assert_eq!(verdict(&RULE, &finished, at(LONG_AGO), at(-1)), None, "a second too early");
}

#[test]
fn b12_one_failure_and_then_silence_do_not_switch_it_off() {
    assert_eq!(verdict(&RULE, &[(at(-90 * HOUR), false)], at(LONG_AGO), at(0)), None);
    assert_eq!(verdict(&RULE, &[], at(LONG_AGO), at(0)), None);
}

#[test]
fn b12_the_day_begins_after_the_last_success() {
    let finished = [(at(0), false), (at(-HOUR), false), (at(-2 * HOUR), true), (at(-48 * HOUR), false)];
    assert_eq!(verdict(&RULE, &finished, at(LONG_AGO), at(0)), None);
    assert_eq!(verdict(&RULE, &finished, at(LONG_AGO), at(23 * HOUR)), Some(Cause::FailingTooLong));
}

#[test]
fn b12_what_failed_before_it_was_switched_on_again_does_not_count() {
    let finished = failures(50, MINUTE);
    assert_eq!(verdict(&RULE, &finished, at(-48 * MINUTE), at(0)), None);
    assert_eq!(verdict(&RULE, &finished, at(-49 * MINUTE), at(0)), Some(Cause::TooManyFailures));
    let old = [(at(0), false), (at(-HOUR), false), (at(-30 * HOUR), false)];
    assert_eq!(verdict(&RULE, &old, at(-2 * HOUR), at(0)), None);
}

/// Defect 13: a delivery that never resolves does not keep a failing subscription on.
#[test]
fn defect_13_what_is_pending_does_not_stand_in_the_way() {
    let mut deliveries: Vec<Delivery> = (0..50).map(|n| failed(-n * MINUTE)).collect();
    deliveries.insert(0, pending(60));
    deliveries.insert(25, delivery(DeliveryState::Held, &[]));
    let silent = DeliveryState::InProgress { silent_at: at(900) };
    deliveries.insert(30, delivery(silent, &[(1, 5, answered(202, None))]));
    assert_eq!(verdict(&RULE, &outcomes(&deliveries), at(LONG_AGO), at(0)), Some(Cause::TooManyFailures));
}
