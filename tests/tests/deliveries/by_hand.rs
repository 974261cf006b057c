//! B8, B9 and what else people do to deliveries: tests, repetitions, an end before their time.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{DELIVERIES, act, deliveries, delivery, gateway, happens, path, post, publish, refused, register, work};

async fn read(gateway: &TestGateway, id: &Value) -> Value {
    gateway.get(&format!("{DELIVERIES}/{}", text(id))).await["data"].clone()
}

fn count(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

/// B8, A19: a test is one attempt that says it is one, spends no token, is told to nobody and stands in no statistics.
#[tokio::test]
async fn b8_a_test_is_one_attempt_that_nothing_counts() {
    let gateway = gateway().await;
    let (sink, listener) = (Sink::start().await, Sink::start().await);
    let rate = json!({"rate_limit": {"requests": 1, "window_seconds": 3_600}});
    let made = gateway.subscribe(&sink, &["ticket.updated"], rate).await;
    gateway.subscribe(&listener, &["delivery.exhausted"], json!({})).await;
    sink.answers([500]);
    let (status, sent) = act(&gateway, &format!("{}/test", path(&made))).await;
    assert_eq!((status, &sent["data"]["status"]), (StatusCode::ACCEPTED, &json!("pending")), "{sent}");
    work(&gateway).await;
    let [request] = &sink.received()[..] else { panic!("one request") };
    assert_eq!(request.header("hookport-event-type"), "ticket.updated", "the first type that is subscribed to");
    assert!(!request.header("webhook-signature").is_empty());
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!((&body["type"], &body["subscription_id"]), (&json!("test"), &made["data"]["id"]));

    let ended = read(&gateway, &sent["data"]["delivery_id"]).await;
    assert_eq!((&ended["kind"], &ended["state"]), (&json!("test"), &json!("exhausted")));
    assert_eq!(count(&ended["attempts"]), 1);
    let health = gateway.get(&format!("{}/health", path(&made))).await["data"].clone();
    assert_eq!((&health["health"], &health["consecutive_failures"]), (&json!("healthy"), &json!(0)));
    let hours = gateway.get(&format!("{}/analytics?hours=1", path(&made))).await["data"]["hours"].clone();
    assert_eq!((&hours[0]["failed_attempts"], &hours[0]["exhausted"]), (&json!(0), &json!(0)));
    happens(&gateway).await;
    assert_eq!(delivery(&gateway, &made).await["state"], "delivered", "the one token was still there");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 2, "a test is not tried again");
    assert!(listener.received().is_empty());
}

/// B8, A19: nothing is tested that takes no events, and the type can be chosen.
#[tokio::test]
async fn b8_only_an_active_subscription_is_tested() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.*"], json!({})).await;
    let test = format!("{}/test", path(&made));
    let (status, _) = post(&gateway, &test, json!({"event_type": "ticket.closed"})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    act(&gateway, &test).await;
    work(&gateway).await;
    let mut types: Vec<String> = sink.received().iter().map(|r| r.header("hookport-event-type").to_owned()).collect();
    types.sort();
    assert_eq!(types, ["ticket.closed", "webhook.test"]);
    let held = gateway.ask_for_subscription(&sink, &["ticket.*"], json!({"trigger_challenge": false})).await;
    refused(&act(&gateway, &format!("{}/test", path(&held))).await, StatusCode::CONFLICT, "subscription_state");
    act(&gateway, &format!("{}/pause", path(&made))).await;
    refused(&act(&gateway, &test).await, StatusCode::CONFLICT, "subscription_state");
    // A test that finds no answer it likes says nothing of the subscription.
    act(&gateway, &format!("{}/resume", path(&made))).await;
    work(&gateway).await;
    sink.answers([410]);
    act(&gateway, &test).await;
    work(&gateway).await;
    assert_eq!(crate::now(&gateway, &made).await["state"], "active");
}

/// B9: a retry by hand is a delivery of its own that begins at attempt 1, of the same event.
#[tokio::test]
async fn b9_a_retry_by_hand_sends_the_same_event_as_a_new_delivery() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": [1]})).await;
    sink.answers([500, 500, 500]);
    happens(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    let first = delivery(&gateway, &made).await;
    assert_eq!((&first["state"], count(&first["attempts"])), (&json!("exhausted"), 2));
    let (status, answer) = act(&gateway, &format!("{DELIVERIES}/{}/retry", text(&first["id"]))).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let second = &answer["data"];
    assert_ne!(second["id"], first["id"]);
    assert_eq!((&second["kind"], &second["repeats"]), (&json!("resend"), &first["id"]));
    work(&gateway).await;
    gateway.settle(gateway.instance(0)).await;

    let received = sink.received();
    let attempts: Vec<_> = received.iter().map(|r| r.header("hookport-attempt")).collect();
    assert_eq!(attempts, ["1", "2", "1", "2"], "it has its own schedule");
    assert!(received.iter().all(|r| r.header("webhook-id") == received[0].header("webhook-id")));
    assert!(received.iter().all(|r| r.body == received[0].body));
    assert_eq!(read(&gateway, &second["id"]).await["state"], "delivered");
    assert_eq!(delivery(&gateway, &made).await, first, "what it repeats stays as it was");
}

/// B9: neither tests, nor events whose payload is gone, nor what a subscription would not take are sent again.
#[tokio::test]
async fn b9_what_cannot_be_sent_again_is_refused() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    happens(&gateway).await;
    let event = delivery(&gateway, &made).await;
    let retry = format!("{DELIVERIES}/{}/retry", text(&event["id"]));
    let (_, test) = act(&gateway, &format!("{}/test", path(&made))).await;
    work(&gateway).await;
    let of_test = format!("{DELIVERIES}/{}/retry", text(&test["data"]["delivery_id"]));
    refused(&act(&gateway, &of_test).await, StatusCode::CONFLICT, "test_delivery");
    let unknown = format!("{DELIVERIES}/dlv_01m5w3rm008000000400000003/retry");
    refused(&act(&gateway, &unknown).await, StatusCode::NOT_FOUND, "delivery_not_found");

    act(&gateway, &format!("{}/pause", path(&made))).await;
    refused(&act(&gateway, &retry).await, StatusCode::CONFLICT, "subscription_state");
    act(&gateway, &format!("{}/resume", path(&made))).await;
    work(&gateway).await;
    gateway.advance(SignedDuration::from_hours(31 * 24));
    refused(&act(&gateway, &retry).await, StatusCode::CONFLICT, "body_expired");
    gateway.api(Method::DELETE, &path(&made), gateway.admin_token(), None).await;
    refused(&act(&gateway, &retry).await, StatusCode::NOT_FOUND, "subscription_not_found");
    assert_eq!(sink.received().len(), 2, "the event and the test");
}

/// B9: an event can be sent to a subscription that it did not go to.
#[tokio::test]
async fn b9_an_event_is_resent_whether_it_was_delivered_or_not() {
    let gateway = gateway().await;
    register(&gateway, &["ticket.closed"]).await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.closed"], json!({})).await;
    let event = publish(&gateway, json!({"type": "ticket.updated", "data": {"n": 1}})).await;
    gateway.drain(gateway.instance(0)).await;
    assert!(sink.received().is_empty());
    let resend = format!("/api/v1/events/{event}/resend");
    let (status, answer) = post(&gateway, &resend, json!({"subscription_id": made["data"]["id"]})).await;
    assert_eq!((status, &answer["data"]["kind"]), (StatusCode::ACCEPTED, &json!("resend")), "{answer}");
    work(&gateway).await;
    let [request] = &sink.received()[..] else { panic!("one request") };
    assert_eq!(
        (request.header("webhook-id"), request.header("hookport-event-type")),
        (event.as_str(), "ticket.updated")
    );
    let unknown = "/api/v1/events/evt_01m5w3rm008000000400000003/resend";
    let answer = post(&gateway, unknown, json!({"subscription_id": made["data"]["id"]})).await;
    refused(&answer, StatusCode::NOT_FOUND, "event_not_found");
}

#[tokio::test]
async fn b3_a_delivery_that_is_cancelled_is_not_tried_again() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    sink.answers([500]);
    happens(&gateway).await;
    let waiting = delivery(&gateway, &made).await;
    let cancel = format!("{DELIVERIES}/{}/cancel", text(&waiting["id"]));
    let (status, answer) = act(&gateway, &cancel).await;
    assert_eq!((status, &answer["data"]["state"]), (StatusCode::OK, &json!("cancelled")), "{answer}");
    refused(&act(&gateway, &cancel).await, StatusCode::CONFLICT, "delivery_ended");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
    let ended = delivery(&gateway, &made).await;
    assert_eq!((&ended["state"], &ended["delivered_at"]), (&json!("cancelled"), &Value::Null));
}

#[tokio::test]
async fn b3_all_retries_of_a_subscription_are_cancelled_at_once() {
    let gateway = gateway().await;
    let (sink, other) = (Sink::start().await, Sink::start().await);
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    let beside = gateway.subscribe(&other, &["ticket.updated"], json!({})).await;
    sink.answers([400, 400, 400]);
    other.answers([400]);
    for _ in 0..3 {
        happens(&gateway).await;
    }
    let (status, answer) = act(&gateway, &format!("{}/cancel-retries", path(&made))).await;
    assert_eq!((status, &answer["data"]), (StatusCode::OK, &json!({"cancelled": 3, "more": false})));
    gateway.settle(gateway.instance(0)).await;
    assert_eq!((sink.received().len(), other.received().len()), (3, 4));
    assert!(deliveries(&gateway, &made).await.iter().all(|d| d["state"] == "cancelled"));
    assert!(deliveries(&gateway, &beside).await.iter().all(|d| d["state"] == "delivered"));
}
