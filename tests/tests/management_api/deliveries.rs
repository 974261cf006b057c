//! Deliveries: how each attempt ended, told without logs.

use std::net::TcpListener;

use hookport_tests::gateway::{SECRET, text};
use hookport_tests::{SenderRequest, Sink, TestGateway};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{SUBSCRIPTIONS, delete, get, ids};

/// A gateway with one webhook, and a sink that is subscribed to it. Gives the subscription's id.
async fn subscribed(sink: &Sink) -> (TestGateway, String) {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let subscription = gateway.subscribe(sink, &["*"], json!({"retry_schedule": "five-tries"})).await;
    (gateway, text(&subscription["data"]["id"]))
}

async fn send(gateway: &TestGateway) {
    let request = SenderRequest::json("{}").signed(SECRET);
    let response = gateway.send(gateway.instance(0), "/api/inbound/default/github", &request).await;
    assert_eq!(response.status(), StatusCode::OK);
    gateway.drain(gateway.instance(0)).await;
}

/// The newest delivery, read by itself; lists show the same.
async fn newest(gateway: &TestGateway) -> Value {
    let (_, page) = get(gateway, "/api/v1/deliveries").await;
    let (status, one) = get(gateway, &format!("/api/v1/deliveries/{}", text(&page["data"][0]["id"]))).await;
    assert_eq!((status, &one["data"]), (StatusCode::OK, &page["data"][0]));
    one["data"].clone()
}

#[tokio::test]
async fn a_delivery_tells_where_it_stands_and_how_each_attempt_ended() {
    let sink = Sink::start().await;
    let (gateway, subscription) = subscribed(&sink).await;
    sink.answers([500]);
    send(&gateway).await;
    let began = gateway.clock.now();
    let pending = newest(&gateway).await;
    let next = (began + SignedDuration::from_mins(1)).to_string();
    assert_eq!((&pending["state"], &pending["next_attempt_at"]), (&json!("pending"), &json!(next)));
    assert_eq!((&pending["ended_at"], &pending["subscription_id"]), (&json!(null), &json!(subscription)));
    let attempt = json!({
        "n": 1,
        "started_at": began.to_string(),
        "duration_ms": pending["attempts"][0]["duration_ms"],
        "outcome": "failed",
        "status": 500,
        "error_code": null,
        "error_message": null,
        "response_body": "seen",
    });
    assert_eq!(pending["attempts"], json!([attempt]));

    gateway.advance(SignedDuration::from_mins(1));
    gateway.drain(gateway.instance(0)).await;
    let delivered = newest(&gateway).await;
    assert_eq!((&delivered["state"], &delivered["next_attempt_at"]), (&json!("delivered"), &json!(null)));
    assert_eq!(delivered["ended_at"], json!(gateway.clock.now().to_string()));
    assert_eq!(delivered["attempts"][0], attempt);
    let second = &delivered["attempts"][1];
    assert_eq!((&second["n"], &second["outcome"], &second["status"]), (&json!(2), &json!("succeeded"), &json!(200)));
}

#[tokio::test]
async fn an_attempt_without_an_answer_tells_why() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    // Nothing listens on a port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be listened on");
    let url = format!("http://{}/", listener.local_addr().expect("a bound socket has an address"));
    drop(listener);
    let body = json!({"name": "x", "url": url, "events": ["*"], "retry_schedule": "none"});
    gateway.create(SUBSCRIPTIONS, body).await;
    send(&gateway).await;
    let exhausted = newest(&gateway).await;
    assert_eq!(exhausted["state"], json!("exhausted"));
    let attempt = &exhausted["attempts"][0];
    assert_eq!((&attempt["outcome"], &attempt["status"]), (&json!("failed"), &json!(null)));
    assert_eq!(attempt["error_code"], json!("connect_failed"));
    assert!(!text(&attempt["error_message"]).is_empty());
}

#[tokio::test]
async fn deliveries_are_listed_for_all_or_for_one_subscription_newest_first() {
    let sink = Sink::start().await;
    let (gateway, one) = subscribed(&sink).await;
    let two = text(&gateway.subscribe(&sink, &["github.push"], json!({})).await["data"]["id"]);
    for _ in 0..3 {
        gateway.advance(SignedDuration::from_secs(1));
        send(&gateway).await;
    }
    let (_, all) = get(&gateway, "/api/v1/deliveries").await;
    assert_eq!(ids(&all).len(), 6);
    for subscription in [&one, &two] {
        let (_, by_query) = get(&gateway, &format!("/api/v1/deliveries?subscription_id={subscription}")).await;
        let (_, by_path) = get(&gateway, &format!("{SUBSCRIPTIONS}/{subscription}/deliveries")).await;
        assert_eq!(by_query, by_path);
        let mut sorted = ids(&by_path);
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!((ids(&by_path), sorted.len()), (sorted, 3));
        assert!(
            by_path["data"].as_array().expect("a list").iter().all(|d| d["subscription_id"] == json!(subscription))
        );
    }
    let (_, first) = get(&gateway, "/api/v1/deliveries?limit=4").await;
    let cursor = text(&first["meta"]["next_cursor"]);
    let (_, second) = get(&gateway, &format!("/api/v1/deliveries?limit=4&cursor={cursor}")).await;
    assert_eq!([ids(&first), ids(&second)].concat(), ids(&all));
}

#[tokio::test]
async fn deliveries_outlive_their_subscription() {
    let sink = Sink::start().await;
    let (gateway, subscription) = subscribed(&sink).await;
    send(&gateway).await;
    let before = newest(&gateway).await;
    let (status, _) = delete(&gateway, &format!("{SUBSCRIPTIONS}/{subscription}")).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(newest(&gateway).await, before);
    let (status, page) = get(&gateway, &format!("{SUBSCRIPTIONS}/{subscription}/deliveries")).await;
    assert_eq!((status, ids(&page).len()), (StatusCode::OK, 1));
}
