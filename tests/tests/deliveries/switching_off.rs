//! B12: subscriptions that keep failing are switched off, their owners are told once, and may switch them on again.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::sink::SinkRequest;
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{act, deliveries, delivery, gateway, happens, now, path, post, publish, work};

const ONCE: &str = "none";

fn body(request: &SinkRequest) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

/// Publishes so many events, one after another.
async fn happen(gateway: &TestGateway, times: usize) {
    for _ in 0..times {
        happens(gateway).await;
    }
}

/// B12: fifty failures in a row that span a quarter of an hour. What comes while it is off makes no attempts; switched
/// on again it begins anew.
#[tokio::test]
async fn b12_fifty_failures_over_a_quarter_of_an_hour_switch_a_subscription_off() {
    let gateway = gateway().await;
    let (sink, listener) = (Sink::start().await, Sink::start().await);
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": ONCE})).await;
    gateway.subscribe(&listener, &["subscription.deactivated"], json!({})).await;
    sink.answers([400; 52]);
    happen(&gateway, 50).await;
    assert_eq!(now(&gateway, &made).await["state"], "active", "a short outage of a busy target is no reason");
    gateway.advance(SignedDuration::from_mins(15));
    happen(&gateway, 1).await;
    let off = now(&gateway, &made).await;
    assert_eq!((&off["state"], &off["cause"]), (&json!("disabled"), &json!("too_many_failures")));
    assert_eq!(off["status_message"], "Delivery suspended due to too many delivery failures.");
    let health = gateway.get(&format!("{}/health", path(&made))).await;
    assert_eq!(health["data"]["health"], "disabled");

    gateway.settle(gateway.instance(0)).await;
    let [told] = &listener.received()[..] else { panic!("told once") };
    let told = body(told);
    assert_eq!((&told["data"]["subscription_id"], &told["data"]["cause"]), (&off["id"], &off["cause"]));
    happen(&gateway, 2).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 51, "events while it is off make no attempts");
    assert_eq!(deliveries(&gateway, &made).await.len(), 51);

    let (status, answer) = act(&gateway, &format!("{}/enable", path(&made))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    work(&gateway).await;
    let on = now(&gateway, &made).await;
    assert_eq!((&on["state"], &on["cause"]), (&json!("active"), &json!("by_hand")));
    assert_eq!(on["status_message"], "Asked for by hand.", "nothing is left of the old trouble");
    gateway.advance(SignedDuration::from_mins(15));
    happen(&gateway, 2).await;
    assert_eq!(sink.received().len(), 53, "the first fails, and the count began anew");
    assert_eq!(now(&gateway, &made).await["state"], "active");
    assert_eq!(listener.received().len(), 1);
}

/// Defect 13: what still waits for its next attempt keeps nothing from being switched off. What waits is cancelled.
#[tokio::test]
async fn b12_defect_13_pending_deliveries_do_not_stand_in_the_way() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": [86_400]})).await;
    sink.answers([400; 50]);
    happen(&gateway, 49).await;
    gateway.advance(SignedDuration::from_mins(15));
    assert!(deliveries(&gateway, &made).await.iter().all(|d| d["state"] == "pending"));
    happen(&gateway, 1).await;
    assert_eq!(now(&gateway, &made).await["state"], "disabled");
    gateway.advance(SignedDuration::from_hours(30));
    work(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    assert!(deliveries(&gateway, &made).await.iter().all(|d| d["state"] == "cancelled"));
    assert_eq!(sink.received().len(), 50);
}

/// B12: a success among them starts the count anew.
#[tokio::test]
async fn b12_a_success_among_the_failures_saves_a_subscription() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": ONCE})).await;
    sink.answers([400; 10]);
    sink.answers([200]);
    sink.answers([400; 49]);
    for times in [10, 1] {
        happen(&gateway, times).await;
        gateway.advance(SignedDuration::from_mins(15));
    }
    happen(&gateway, 48).await;
    gateway.advance(SignedDuration::from_mins(15));
    happen(&gateway, 1).await;
    assert_eq!(now(&gateway, &made).await["state"], "active");
    let health = gateway.get(&format!("{}/health", path(&made))).await;
    assert_eq!((&health["data"]["health"], &health["data"]["consecutive_failures"]), (&json!("failing"), &json!(49)));
    assert_eq!(health["data"]["success_rate"], 0.02);
}

/// B12: nothing but failures for 24 hours, counted from the first since the last success.
#[tokio::test]
async fn b12_a_day_of_nothing_but_failures_switches_a_subscription_off() {
    let gateway = gateway().await;
    let (sink, saved) = (Sink::start().await, Sink::start().await);
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": ONCE})).await;
    let other = gateway.subscribe(&saved, &["ticket.updated"], json!({"retry_schedule": ONCE})).await;
    sink.answers([400; 9]);
    saved.answers([400, 200, 400, 400]);
    happen(&gateway, 1).await;
    gateway.advance(SignedDuration::from_hours(12));
    happen(&gateway, 1).await;
    gateway.advance(SignedDuration::from_mins(12 * 60 - 1));
    happen(&gateway, 1).await;
    assert_eq!(now(&gateway, &made).await["state"], "active", "a minute is left");
    gateway.advance(SignedDuration::from_mins(1));
    happen(&gateway, 1).await;
    let off = now(&gateway, &made).await;
    assert_eq!((&off["state"], &off["cause"]), (&json!("disabled"), &json!("failing_too_long")));
    assert_eq!(now(&gateway, &other).await["state"], "active", "it had a success within the day");
}

/// B12: one failure and then silence is no reason, and the rule is the owner's to choose.
#[tokio::test]
async fn b12_the_rule_is_the_owners_and_one_old_failure_is_no_reason() {
    let gateway = gateway().await;
    let (never, sooner) = (Sink::start().await, Sink::start().await);
    let url = never.url("/hook");
    let whole = json!({
        "name": "never", "url": url, "events": ["ticket.updated"], "auto_disable": null, "retry_schedule": ONCE,
    });
    let stays = gateway.create(crate::SUBSCRIPTIONS, whole).await;
    gateway.drain(gateway.instance(0)).await;
    let rule = json!({"auto_disable": {"after_hours": 1, "after_failures": 50}, "retry_schedule": ONCE});
    let goes = gateway.subscribe(&sooner, &["ticket.updated"], rule).await;
    never.answers([400; 9]);
    sooner.answers([400; 9]);
    happen(&gateway, 1).await;
    gateway.advance(SignedDuration::from_hours(30));
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(now(&gateway, &goes).await["state"], "active", "nothing was tried since");
    happen(&gateway, 1).await;
    assert_eq!(now(&gateway, &goes).await["state"], "disabled");
    assert_eq!(now(&gateway, &stays).await["state"], "active");
}

/// The end of a delivery is told once, and never that of a delivery of such news.
#[tokio::test]
async fn b4_an_exhausted_delivery_is_told_once_and_own_events_are_not_told_of() {
    let gateway = gateway().await;
    let (sink, listener) = (Sink::start().await, Sink::start().await);
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": ONCE})).await;
    let hearing = json!({"retry_schedule": ONCE});
    let news = gateway.subscribe(&listener, &["delivery.exhausted"], hearing).await;
    sink.answers([500]);
    listener.answers([500; 9]);
    publish(&gateway, json!({"type": "ticket.updated", "data": {}})).await;
    gateway.settle(gateway.instance(0)).await;
    let [told] = &listener.received()[..] else { panic!("told once") };
    let told = body(told);
    let ended = delivery(&gateway, &made).await;
    let expected = json!({
        "delivery_id": ended["id"],
        "subscription_id": made["data"]["id"],
        "event_id": ended["event_id"],
        "event_type": "ticket.updated",
        "attempts": 1,
        "last_error": "the target answered 500",
    });
    assert_eq!((&told["type"], &told["data"]), (&json!("delivery.exhausted"), &expected));
    assert_eq!(delivery(&gateway, &news).await["state"], "exhausted", "and nobody is told of that");

    // Sent once more by hand it may end once more, which is another end.
    sink.answers([500]);
    let resend = format!("/api/v1/events/{}/resend", text(&ended["event_id"]));
    let (status, _) = post(&gateway, &resend, json!({"subscription_id": made["data"]["id"]})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(listener.received().len(), 2);
}
