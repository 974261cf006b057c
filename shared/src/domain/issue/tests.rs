use super::*;
use crate::domain::attempt::Attempt;
use crate::domain::delivery::{DeliveryKind, Progress};
use crate::domain::id::{EventId, InboundDeliveryId, InboundWebhookId};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("a time")
}

fn answered(status: u16, fault: Option<&str>) -> Outcome {
    Outcome::Answered(Answer { status, fault: fault.map(str::to_owned), ..Answer::default() })
}

fn failed(code: &str) -> Outcome {
    Outcome::Failed { code: code.to_owned(), message: format!("it {code}"), permanent: false }
}

fn delivery(event_type: &str, outcomes: Vec<Outcome>, state: DeliveryState) -> Delivery {
    let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
    let event: EventId = InboundDeliveryId::new(at(0), InboundWebhookId::NONE, 1).into();
    let event_type = EventType::try_from(event_type.to_owned()).expect("a type");
    let subscription = SubscriptionId::new(at(0), 6);
    let attempts = (1..).zip(outcomes).map(|(n, outcome)| Attempt {
        n,
        started_at: at(i64::from(n)),
        duration_ms: 5,
        url: None,
        outcome,
    });
    let attempts = attempts.collect();
    Delivery { attempts, ..Delivery::of_event(tenant, event, event_type, subscription, state, at(0)) }
}

fn pending() -> DeliveryState {
    DeliveryState::Pending { next_attempt_at: at(60), reason: None }
}

fn exhausted() -> DeliveryState {
    DeliveryState::Exhausted { at: at(900) }
}

fn issue() -> Issue {
    let one =
        Failures::of_attempt(&delivery("ticket.updated", vec![answered(500, None)], pending())).expect("a failure");
    Issue {
        id: one.issue_id(),
        tenant: one.tenant,
        subscription_id: one.subscription_id,
        cause: one.cause,
        state: IssueState::Open,
        first_seen: at(0),
        last_seen: at(100),
        count: 2,
        total: 2,
        opened: 1,
        last_delivery_id: one.last_delivery_id,
        last_event_type: one.last_event_type,
        last_error: one.last_error,
        is_news: true,
        told: None,
        listed_until: at(0),
    }
}

#[test]
fn each_way_to_fail_is_a_cause_and_a_success_is_none() {
    let cases = [
        (answered(200, None), None),
        (answered(299, None), None),
        (answered(200, Some("$.ok should be true")), Some("response_rule")),
        (answered(302, None), Some("status_302")),
        (answered(410, None), Some("status_410")),
        (answered(500, None), Some("status_500")),
        (failed("timed_out"), Some("timed_out")),
        (failed("connect_failed"), Some("connect_failed")),
        (failed("Not a code!"), Some("other")),
        (failed(""), Some("other")),
        (Outcome::Unknown, Some("unknown")),
    ];
    for (outcome, expected) in cases {
        assert_eq!(cause_of(&outcome).as_ref().map(IssueCause::as_str), expected, "{outcome:?}");
    }
}

#[test]
fn a_delivery_ends_for_the_cause_of_its_last_attempt_or_for_what_was_told_of_it_later() {
    let end = |outcomes, state, told: Option<&str>| {
        let progress = Progress { percent: 0, message: told.map(str::to_owned), at: at(900) };
        let ended = Delivery { progress: Some(progress), ..delivery("ticket.updated", outcomes, state) };
        cause_of_end(&ended).map(String::from)
    };
    let twice = || vec![failed("timed_out"), answered(503, None)];
    assert_eq!(end(twice(), exhausted(), None).as_deref(), Some("status_503"));
    assert_eq!(end(twice(), pending(), None), None, "it goes on");
    assert_eq!(end(twice(), DeliveryState::Cancelled { at: at(9) }, None), None);
    let taken = || vec![answered(202, None)];
    assert_eq!(end(taken(), exhausted(), Some(SAID_NOTHING)).as_deref(), Some("silent"));
    assert_eq!(end(taken(), exhausted(), Some("no such contact")).as_deref(), Some("reported_failure"));
    assert_eq!(end(taken(), exhausted(), None).as_deref(), Some("reported_failure"));
    assert_eq!(end(taken(), DeliveryState::Delivered { at: at(9) }, None), None);
    assert_eq!(end(vec![], exhausted(), None), None, "nothing was tried");
}

#[test]
fn only_attempts_of_events_that_failed_are_counted() {
    let failing = || delivery("ticket.updated", vec![answered(200, None), answered(500, None)], pending());
    let one = Failures::of_attempt(&failing()).expect("a failure");
    assert_eq!((one.cause.as_str(), one.count, one.last_at, one.are_news), ("status_500", 1, at(2), true));
    assert_eq!(one.last_error, "the target answered 500");
    for kind in [DeliveryKind::Test, DeliveryKind::Challenge] {
        assert_eq!(Failures::of_attempt(&Delivery { kind, ..failing() }), None);
    }
    assert_eq!(Failures::of_attempt(&delivery("ticket.updated", vec![answered(200, None)], pending())), None);
    let own = delivery("delivery.exhausted", vec![answered(500, None)], pending());
    assert!(!Failures::of_attempt(&own).expect("a failure").are_news);
}

#[test]
fn failures_of_one_issue_are_added_up_in_any_order() {
    let of = |outcomes| Failures::of_attempt(&delivery("ticket.updated", outcomes, pending())).expect("a failure");
    let (first, second) = (of(vec![failed("timed_out")]), of(vec![Outcome::Unknown, failed("timed_out")]));
    let own = Failures { are_news: false, ..second.clone() };
    assert_eq!(first.issue_id(), second.issue_id());
    for sum in [first.clone().and(own.clone()), own.and(first)] {
        assert_eq!((sum.count, sum.first_at, sum.last_at, sum.are_news), (2, at(1), at(2), true));
    }
    let other = of(vec![answered(500, None)]);
    assert_ne!(other.issue_id(), second.issue_id());
}

#[test]
fn an_issue_is_over_when_a_later_attempt_succeeded_and_five_minutes_were_quiet() {
    let issue = issue();
    let success = Some(at(101));
    assert_eq!(issue.review(success, at(399)), Review::Again(at(400)));
    assert_eq!(issue.review(success, at(400)), Review::Over);
    assert_eq!(issue.review(Some(at(100)), at(400)), Review::Again(at(700)), "that success is older");
    assert_eq!(issue.review(None, at(101)), Review::Again(at(401)));
}

#[test]
fn the_longer_nothing_happens_the_longer_is_the_wait_for_the_next_look() {
    let issue = issue();
    let waits = [(1, 300), (300, 300), (600, 600), (3_600, 3_600), (100_000, 86_400), (8_000_000, 86_400)];
    for (age, wait) in waits {
        assert_eq!(issue.review(None, at(100 + age)), Review::Again(at(100 + age + wait)), "after {age} s");
    }
}

#[test]
fn an_acknowledgement_may_run_out() {
    let until = Some(at(500));
    let state = IssueState::Acknowledged(Acknowledgement { by: None, at: at(200), until });
    let issue = Issue { state: state.clone(), ..issue() };
    assert_eq!(issue.state_at(at(499)), &state);
    assert_eq!(issue.state_at(at(500)), &IssueState::Open);
}

#[test]
fn a_cause_is_a_short_word() {
    for text in ["", "Status_500", "a b", &"a".repeat(65)] {
        assert_eq!(IssueCause::try_from(text.to_owned()), Err(IssueCauseError), "{text}");
    }
    assert_eq!(IssueCause::try_from("tls_failed".to_owned()).map(String::from).as_deref(), Ok("tls_failed"));
}
