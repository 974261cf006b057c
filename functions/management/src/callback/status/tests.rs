use hookport::domain::delivery::OwnerToken;
use hookport::domain::event_type::EventType;
use hookport::domain::id::{InboundDeliveryId, InboundWebhookId, SubscriptionId};
use hookport::domain::text::TenantSlug;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("a time in range")
}

fn delivery(state: DeliveryState) -> Delivery {
    let event = InboundDeliveryId::new(at(0), InboundWebhookId::NONE, 7).into();
    let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
    let kind = EventType::try_from("invoice.paid".to_owned()).expect("a type");
    Delivery::of_event(tenant, event, kind, SubscriptionId::new(at(0), 3), state, at(0))
}

fn in_progress() -> Delivery {
    delivery(DeliveryState::InProgress { silent_at: at(900) })
}

/// What becomes of a delivery when its target tells this.
fn told(before: &Delivery, body: &str, second: i64) -> Delivery {
    StatusReport::read(body.as_bytes()).and_then(|report| report.applied_to(before, at(second))).expect("it is taken")
}

fn code(body: &[u8]) -> &'static str {
    StatusReport::read(body).map_or_else(|error| error.code(), |_| "taken")
}

#[test]
fn b17_progress_is_noted_and_buys_another_quarter_of_an_hour() {
    let quarter = told(&in_progress(), r#"{"status":"in_progress","status_percent":25,"status_message":"on it"}"#, 60);
    assert_eq!(quarter.state, DeliveryState::InProgress { silent_at: at(60 + 900) });
    assert_eq!(quarter.due_at, Some(at(60 + 900)));
    assert_eq!(quarter.progress, Some(Progress { percent: 25, message: Some("on it".into()), at: at(60) }));

    let more = told(&quarter, r#"{"status":"in_progress","status_percent":75}"#, 120);
    assert_eq!(more.progress, Some(Progress { percent: 75, message: Some("on it".into()), at: at(120) }));
    let alive = told(&more, r#"{"status":"in_progress"}"#, 180);
    assert_eq!(alive.progress.map(|progress| progress.percent), Some(75));
}

#[test]
fn b17_completed_ends_it_at_a_hundred_percent() {
    let done = told(&in_progress(), r#"{"status":"completed","status_percent":3}"#, 60);
    assert_eq!((done.state, done.due_at), (DeliveryState::Delivered { at: at(60) }, None));
    assert_eq!(done.progress.map(|progress| progress.percent), Some(100));
}

#[test]
fn b17_failed_ends_it_with_the_targets_words() {
    let failed = told(&in_progress(), r#"{"status":"failed","status_message":"out of paper"}"#, 60);
    assert_eq!((failed.state, failed.due_at), (DeliveryState::Exhausted { at: at(60) }, None));
    assert_eq!(failed.progress.and_then(|progress| progress.message).as_deref(), Some("out of paper"));
}

#[test]
fn b17_a_report_that_breaks_a_rule_is_refused() {
    let message = |chars: usize| format!(r#"{{"status":"in_progress","status_message":"{}"}}"#, "é".repeat(chars));
    assert_eq!(code(message(1024).as_bytes()), "taken");
    let refused = [
        "{".to_owned(),
        "[]".to_owned(),
        String::new(),
        r#"{"status_percent":5}"#.to_owned(),
        r#"{"status":"done"}"#.to_owned(),
        r#"{"status":"in_progress","status_percent":-1}"#.to_owned(),
        r#"{"status":"in_progress","status_percent":101}"#.to_owned(),
        r#"{"status":"in_progress","percent":5}"#.to_owned(),
        message(1025),
    ];
    for body in refused {
        assert_eq!(code(body.as_bytes()), "invalid_request", "{body}");
    }
    for percent in [0, 100] {
        assert_eq!(code(format!(r#"{{"status":"in_progress","status_percent":{percent}}}"#).as_bytes()), "taken");
    }
}

/// B14: an end stays what it is, whatever is told afterwards.
#[test]
fn b14_what_has_ended_ends_once() {
    let report = StatusReport::read(br#"{"status":"completed"}"#).expect("a report");
    let ends = [
        DeliveryState::Delivered { at: at(1) },
        DeliveryState::Exhausted { at: at(1) },
        DeliveryState::Cancelled { at: at(1) },
    ];
    for state in ends {
        let refusal = report.applied_to(&delivery(state), at(2)).map_err(|error| error.code());
        assert_eq!(refusal, Err("delivery_ended"), "{state:?}");
    }
}

#[test]
fn b17_only_a_target_that_promised_to_answer_later_can_tell_of_it() {
    let report = StatusReport::read(br#"{"status":"completed"}"#).expect("a report");
    let others = [
        DeliveryState::Pending { next_attempt_at: at(5), reason: None },
        DeliveryState::Held,
        DeliveryState::Attempting { n: 1, owner: OwnerToken::new(9), lease_until: at(90) },
    ];
    for state in others {
        let refusal = report.applied_to(&delivery(state), at(2)).map_err(|error| error.code());
        assert_eq!(refusal, Err("delivery_not_in_progress"), "{state:?}");
    }
}
