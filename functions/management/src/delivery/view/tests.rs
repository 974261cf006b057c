use hookport::domain::id::{InboundDeliveryId, InboundWebhookId};
use hookport::domain::text::TenantSlug;
use serde_json::{Value, json};

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("a time in range")
}

/// A delivery with one attempt that ended like this.
fn delivery(subscription: SubscriptionId, state: DeliveryState, outcome: Outcome) -> Delivery {
    let event = InboundDeliveryId::new(at(0), InboundWebhookId::NONE, 7).into();
    let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
    let kind = EventType::try_from("invoice.paid".to_owned()).expect("a type");
    let mut delivery = Delivery::of_event(tenant, event, kind, subscription, state, at(0));
    let url = Some("https://example.com/hooks?a=1".to_owned());
    delivery.attempts.push(Attempt { n: 1, started_at: at(1), duration_ms: 12, url, outcome });
    delivery
}

fn someone() -> SubscriptionId {
    SubscriptionId::new(at(0), 3)
}

fn answered(status: u16, body: &str) -> Outcome {
    let headers = vec![("server".to_owned(), "x".to_owned()), ("server".to_owned(), "y".to_owned())];
    Outcome::Answered(Answer { status, headers, body: Some(body.to_owned()), is_cut: true, fault: None })
}

fn shown(delivery: Delivery) -> Value {
    serde_json::to_value(DeliveryView::from(delivery)).expect("plain data")
}

/// Defect 6: what was given up or cancelled was never delivered.
#[test]
fn defect_6_only_what_was_delivered_has_a_time_of_delivery() {
    let end = at(9);
    let cases = [
        (DeliveryState::Delivered { at: end }, "delivered", true),
        (DeliveryState::Exhausted { at: end }, "exhausted", false),
        (DeliveryState::Cancelled { at: end }, "cancelled", false),
    ];
    for (state, name, is_delivered) in cases {
        let view = shown(delivery(someone(), state, answered(200, "")));
        assert_eq!(view["state"], name);
        assert_eq!(view["ended_at"], json!(end));
        assert_eq!(view["delivered_at"], if is_delivered { json!(end) } else { Value::Null }, "{name}");
    }
}

#[test]
fn a_pending_one_says_what_it_waits_for_and_others_do_not() {
    let reason = Some(WaitReason::CircuitOpen);
    let waits =
        shown(delivery(someone(), DeliveryState::Pending { next_attempt_at: at(5), reason }, answered(500, "")));
    assert_eq!((&waits["waiting_for"], &waits["next_attempt_at"]), (&json!("circuit_open"), &json!(at(5))));
    let held = shown(delivery(someone(), DeliveryState::Held, answered(500, "")));
    assert_eq!((&held["state"], &held["waiting_for"], &held["ended_at"]), (&json!("held"), &Value::Null, &Value::Null));
}

#[test]
fn an_answer_is_shown_with_its_headers_body_and_words_for_people() {
    let view = shown(delivery(
        someone(),
        DeliveryState::Exhausted { at: at(9) },
        answered(422, r#"{"message":"no such contact"}"#),
    ));
    assert_eq!(view["last_response"], json!({"status": 422, "message": "no such contact"}));
    let attempt = &view["attempts"][0];
    assert_eq!(attempt["url"], "https://example.com/hooks?a=1");
    assert_eq!(attempt["response_headers"], json!({"server": "x, y"}));
    assert_eq!(attempt["response_body"], r#"{"message":"no such contact"}"#);
    assert_eq!((&attempt["response_is_cut"], &attempt["outcome"]), (&json!(true), &json!("failed")));
}

/// B24: what leads to the operator's own target is not shown.
#[test]
fn b24_the_operators_target_stays_hidden() {
    let failed =
        Outcome::Failed { code: "connect".into(), message: "secret.internal refused".into(), permanent: false };
    for outcome in [failed, answered(500, "from secret.internal")] {
        let delivery = delivery(SubscriptionId::PINNED, DeliveryState::Exhausted { at: at(9) }, outcome);
        assert_eq!(error_of(&delivery).as_deref(), Some(OPERATOR_PINNED));
        let text = shown(delivery).to_string();
        assert!(!text.contains("secret.internal") && !text.contains("example.com"), "{text}");
        assert!(text.contains(OPERATOR_PINNED), "{text}");
    }
}

#[test]
fn the_last_error_is_what_the_target_told_or_how_the_attempt_ended() {
    let ended = DeliveryState::Exhausted { at: at(9) };
    let told = Progress { percent: 40, message: Some("out of paper".into()), at: at(8) };
    let mut told_later = delivery(someone(), ended, answered(202, ""));
    told_later.progress = Some(told);
    let cases = [
        (told_later, Some("out of paper")),
        (delivery(someone(), ended, answered(202, "")), Some("the target answered 202 and was not done afterwards")),
        (delivery(someone(), ended, answered(500, "no")), Some("the target answered 500: no…")),
        (delivery(someone(), DeliveryState::Delivered { at: at(9) }, answered(200, "")), None),
        (delivery(someone(), DeliveryState::InProgress { silent_at: at(900) }, answered(202, "")), None),
    ];
    for (delivery, expected) in cases {
        assert_eq!(error_of(&delivery).as_deref(), expected);
    }
}
