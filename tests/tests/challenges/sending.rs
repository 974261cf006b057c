//! A19, A20: tests by hand, and what is left of a subscription that was deleted.

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use hookport_tests::inbound::list;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    SUBSCRIPTIONS, active, call, delete, delivered, gateway_of, happens, json_of, numbers, path_of, refused, signature,
};

/// A19: a test is sent once, signed, and is seen among the deliveries.
#[tokio::test]
async fn a19_a_test_is_sent_signed_and_seen_as_a_delivery() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = active(&gateway, &sink, json!({})).await;
    let path = format!("{}/test", path_of(&made));
    for (body, event_type) in
        [(None, "github.push"), (Some(json!({})), "github.push"), (Some(json!({"event_type": "a.b"})), "a.b")]
    {
        gateway.advance(SignedDuration::from_secs(1));
        let (status, answer) = gateway.api(Method::POST, &path, gateway.admin_token(), body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        assert_eq!(answer["data"]["status"], "pending");
        assert!(!text(&answer["data"]["message"]).is_empty());
        gateway.drain(gateway.instance(0)).await;
        let received = sink.received();
        let sent = received.last().expect("the test");
        let body = json_of(sent);
        assert_eq!((&body["type"], &body["subscription_id"]), (&json!("test"), &made["data"]["id"]));
        assert!(body["timestamp"].is_string() && body["message"].is_string(), "{body}");
        assert_eq!(sent.header("hookport-event-type"), event_type);
        assert_eq!(sent.header("webhook-signature"), signature(&made["secret"], sent));

        let delivery = gateway.get(&format!("/api/v1/deliveries/{}", text(&answer["data"]["delivery_id"]))).await;
        let delivery = &delivery["data"];
        assert_eq!((&delivery["kind"], &delivery["state"]), (&json!("test"), &json!("delivered")));
        assert_eq!(delivery["event_type"], event_type);
        assert_eq!(sent.header("hookport-delivery-id"), text(&delivery["id"]));
    }
    assert_eq!(sink.received().len(), 3);
    assert_eq!(list(&gateway, "/api/v1/deliveries?kind=test").await.len(), 3);
    for event in list(&gateway, "/api/v1/events").await {
        assert_eq!(event["type"], "subscription.activated", "a test is no event: {event}");
    }
}

/// A19: a test that fails is not tried again.
#[tokio::test]
async fn a19_a_test_that_fails_is_not_tried_again() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers([500]);
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    let (_, answer) = call(&gateway, Method::POST, &format!("{path}/test"), json!({})).await;
    gateway.drain(gateway.instance(0)).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
    let delivery = gateway.get(&format!("/api/v1/deliveries/{}", text(&answer["data"]["delivery_id"]))).await;
    assert_eq!(delivery["data"]["state"], "exhausted");
    assert_eq!(delivery["data"]["attempts"][0]["status"], 500);
}

/// A19: what is not active is sent no test; unknown ids, wrong types and missing rights are told.
#[tokio::test]
async fn a19_a_test_needs_an_active_subscription_and_the_right_to_send_it() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    for (trigger_challenge, state) in [(false, "awaiting_challenge"), (true, "pending_verification")] {
        let more = json!({"trigger_challenge": trigger_challenge});
        let path = path_of(&gateway.ask_for_subscription(&sink, &["github.push"], more).await);
        let answer = call(&gateway, Method::POST, &format!("{path}/test"), json!({})).await;
        let message = refused(&answer, 409, "subscription_state");
        assert!(message.contains(state), "{message}");
    }
    let path = format!("{}/test", path_of(&active(&gateway, &sink, json!({})).await));
    let unknown = format!("{SUBSCRIPTIONS}/sub_01m5w3rm008000000400000003/test");
    refused(&call(&gateway, Method::POST, &unknown, json!({})).await, 404, "subscription_not_found");
    for body in [json!({"event_type": "nothing"}), json!({"event": "a.b"})] {
        refused(&call(&gateway, Method::POST, &path, body).await, 400, "invalid_request");
    }
    let token = json!({"name": "t", "permissions": ["subscription:read", "subscription:update"]});
    let token = text(&gateway.create("/api/v1/api-tokens", token).await["token"]);
    refused(&gateway.api(Method::POST, &path, &token, None).await, 403, "forbidden");
    gateway.drain(gateway.instance(0)).await;
    assert!(sink.received().is_empty());
}

/// A20: once it is deleted nothing more is sent, not even what is to be tried again.
#[tokio::test]
async fn a20_nothing_is_sent_to_a_deleted_subscription() {
    let gateway = gateway_of(&["a", "b"]).await;
    let (sink, other) = (Sink::start().await, Sink::start().await);
    sink.answers([500]);
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    active(&gateway, &other, json!({})).await;
    delivered(&gateway, 1).await;
    happens(&gateway, 2).await;
    assert_eq!(delete(&gateway, &path).await, StatusCode::NO_CONTENT);
    delivered(&gateway, 3).await;
    gateway.settle(gateway.instance(1)).await;
    assert_eq!(numbers(&sink), [1]);
    let mut others = numbers(&other);
    others.sort_unstable();
    assert_eq!(others, [1, 2, 3], "another one goes on");
    refused(&call(&gateway, Method::GET, &path, Value::Null).await, 404, "subscription_not_found");
    assert_eq!(delete(&gateway, &path).await, StatusCode::NOT_FOUND);
    let kept = list(&gateway, "/api/v1/deliveries?limit=100").await;
    assert!(kept.iter().all(|delivery| delivery["state"] != "pending"), "nothing waits for ever: {kept:?}");
}

/// A20: an attempt that is under way when its subscription is deleted ends without harm, however it ends.
#[tokio::test]
async fn a20_an_attempt_in_flight_ends_harmlessly_when_its_subscription_is_deleted() {
    for (status, state) in [(200, "delivered"), (500, "exhausted")] {
        let gateway = gateway_of(&["a"]).await;
        let sink = Sink::start().await;
        sink.answers([status]);
        let made = active(&gateway, &sink, json!({})).await;
        happens(&gateway, 1).await;
        sink.hang(true);
        let meanwhile = async {
            sink.got(1).await;
            assert_eq!(delete(&gateway, &path_of(&made)).await, StatusCode::NO_CONTENT);
            sink.hang(false);
        };
        tokio::join!(gateway.drain(gateway.instance(0)), meanwhile);
        gateway.settle(gateway.instance(0)).await;
        assert_eq!(numbers(&sink), [1], "{status}");
        let deliveries = list(&gateway, "/api/v1/deliveries").await;
        let event = deliveries.iter().find(|delivery| delivery["kind"] == "event").expect("the delivery");
        assert_eq!((&event["state"], &event["attempts"][0]["status"]), (&json!(state), &json!(status)));
    }
}
