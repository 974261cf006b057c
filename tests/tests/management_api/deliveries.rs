//! Deliveries: how each attempt ended, told without logs.

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
    let subscription = gateway.subscribe(sink, &["github.*"], json!({"retry_schedule": "five-tries"})).await;
    (gateway, text(&subscription["data"]["id"]))
}

async fn send(gateway: &TestGateway) {
    let request = SenderRequest::json("{}").signed(SECRET);
    let response = gateway.send(gateway.instance(0), "/api/inbound/default/github", &request).await;
    assert_eq!(response.status(), StatusCode::OK);
    gateway.drain(gateway.instance(0)).await;
}

/// The newest delivery of an event, read by itself; lists show the same.
async fn newest(gateway: &TestGateway) -> Value {
    let (_, page) = get(gateway, "/api/v1/deliveries?kind=event").await;
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
    assert_eq!((&pending["kind"], &pending["repeats"]), (&json!("event"), &json!(null)));
    assert_eq!(pending["last_response"]["status"], json!(500));
    let attempt = json!({
        "n": 1,
        "url": sink.url("/hook"),
        "started_at": began.to_string(),
        "duration_ms": pending["attempts"][0]["duration_ms"],
        "outcome": "failed",
        "status": 500,
        "error_code": null,
        "error_message": null,
        "response_headers": {},
        "response_body": "seen",
        "response_is_cut": false,
        "fault": null,
    });
    assert_eq!(pending["attempts"], json!([attempt]));

    gateway.advance(SignedDuration::from_mins(1));
    gateway.drain(gateway.instance(0)).await;
    let delivered = newest(&gateway).await;
    assert_eq!((&delivered["state"], &delivered["next_attempt_at"]), (&json!("delivered"), &json!(null)));
    let now = json!(gateway.clock.now().to_string());
    assert_eq!((&delivered["ended_at"], &delivered["delivered_at"]), (&now, &now));
    assert_eq!(delivered["attempts"][0], attempt);
    let second = &delivered["attempts"][1];
    assert_eq!((&second["n"], &second["outcome"], &second["status"]), (&json!(2), &json!("succeeded"), &json!(200)));
}

/// Defect 6: what was given up was not delivered, and says so.
#[tokio::test]
async fn defect_6_an_attempt_without_an_answer_tells_why_and_is_no_delivery() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let gone = Sink::start().await;
    gateway.subscribe(&gone, &["github.*"], json!({"retry_schedule": "none"})).await;
    drop(gone);
    let request = SenderRequest::json("{}").signed(SECRET);
    gateway.send(gateway.instance(0), "/api/inbound/default/github", &request).await;
    // The instance that sent the challenge may have kept a connection.
    gateway.drain(&gateway.fresh("b")).await;
    let exhausted = newest(&gateway).await;
    assert_eq!(exhausted["state"], json!("exhausted"));
    assert_eq!(exhausted["ended_at"], json!(gateway.clock.now().to_string()));
    assert_eq!((&exhausted["delivered_at"], &exhausted["last_response"]), (&json!(null), &json!(null)));
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
    assert_eq!(ids(&all).len(), 8, "six of events, and the two challenges");
    for (kind, expected) in [("event", 6), ("challenge", 2), ("test", 0)] {
        let (_, page) = get(&gateway, &format!("/api/v1/deliveries?kind={kind}")).await;
        assert_eq!(ids(&page).len(), expected, "{kind}");
        assert!(page["data"].as_array().expect("a list").iter().all(|delivery| delivery["kind"] == json!(kind)));
    }
    for subscription in [&one, &two] {
        let (_, by_query) = get(&gateway, &format!("/api/v1/deliveries?subscription_id={subscription}")).await;
        let (_, by_path) = get(&gateway, &format!("{SUBSCRIPTIONS}/{subscription}/deliveries")).await;
        assert_eq!(by_query, by_path);
        let mut sorted = ids(&by_path);
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!((ids(&by_path), sorted.len()), (sorted, 4));
        assert!(
            by_path["data"].as_array().expect("a list").iter().all(|d| d["subscription_id"] == json!(subscription))
        );
    }
    let (_, first) = get(&gateway, "/api/v1/deliveries?limit=5").await;
    let cursor = text(&first["meta"]["next_cursor"]);
    let (_, second) = get(&gateway, &format!("/api/v1/deliveries?limit=5&cursor={cursor}")).await;
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
    assert_eq!((status, ids(&page).len()), (StatusCode::OK, 2), "the event's and the challenge's");
}
