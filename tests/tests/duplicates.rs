//! Once means once: equal idempotency keys within the window are dispatched once.

use std::collections::HashSet;

use futures_util::future::join_all;
use hookport_tests::gateway::{SECRET, TestGateway, answer, text};
use hookport_tests::{SenderRequest, Sink};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

const URL: &str = "/api/inbound/default/github";
const TASKS: usize = 64;

fn keyed() -> Value {
    json!({"idempotency_source": {"type": "header", "value": "Idempotency-Key"}})
}

fn request(key: &str, n: usize) -> SenderRequest {
    SenderRequest::json(format!(r#"{{"n":{n}}}"#)).with("idempotency-key", key).signed(SECRET)
}

/// Sends 64 requests with one key at the same instant over two instances; gives the answers.
async fn at_once(gateway: &TestGateway) -> Vec<Value> {
    let sends = (0..TASKS).map(|n| async move {
        let response = gateway.send(gateway.instance(n % 2), URL, &request("same", n)).await;
        assert_eq!(response.status(), StatusCode::OK);
        answer(&response)
    });
    join_all(sends).await
}

/// D7, defect 25: two, or 64, at the same instant are one; all answers carry the first id.
#[tokio::test]
async fn d7_equal_keys_at_the_same_instant_are_dispatched_once() {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    let sink = Sink::start().await;
    gateway.webhook("github", keyed()).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let answers = at_once(&gateway).await;
    let ids: HashSet<_> = answers.iter().map(|a| text(&a["delivery_id"])).collect();
    assert_eq!(ids.len(), 1, "every answer names the first");
    let duplicates = answers.iter().filter(|a| a["duplicate"] == true).count();
    assert_eq!(duplicates, TASKS - 1);
    gateway.settle(gateway.instance(1)).await;
    assert_eq!(sink.received().len(), 1);
}

/// D7: the same at the very end of the window: the last instant of it is a duplicate, the next is fresh.
#[tokio::test]
async fn d7_the_window_ends_exactly_and_the_next_instant_is_decided_once_too() {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    let sink = Sink::start().await;
    gateway.webhook("github", keyed()).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let first = answer(&gateway.send(gateway.instance(0), URL, &request("same", 0)).await);
    gateway.advance(SignedDuration::from_secs(86_400) - SignedDuration::from_millis(1));
    for late in at_once(&gateway).await {
        assert_eq!((&late["delivery_id"], &late["duplicate"]), (&first["delivery_id"], &json!(true)));
    }
    gateway.advance(SignedDuration::from_millis(1));
    let answers = at_once(&gateway).await;
    let ids: HashSet<_> = answers.iter().map(|a| text(&a["delivery_id"])).collect();
    assert_eq!(ids.len(), 1);
    assert!(!ids.contains(&text(&first["delivery_id"])), "after the window a key is fresh");
    assert_eq!(answers.iter().filter(|a| a["duplicate"] == true).count(), TASKS - 1);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 2);
}

/// D7, defect 25: third and later duplicates point to the first; other webhooks and other keys are independent.
#[tokio::test]
async fn d7_later_duplicates_point_to_the_first_and_other_webhooks_are_independent() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", keyed()).await;
    gateway.webhook("gitlab", keyed()).await;
    let instance = gateway.instance(0);
    let first = answer(&gateway.send(instance, URL, &request("k", 1)).await);
    for _ in 0..3 {
        gateway.advance(SignedDuration::from_hours(7));
        let again = answer(&gateway.send(instance, URL, &request("k", 2)).await);
        assert_eq!(again, json!({"delivery_id": first["delivery_id"], "duplicate": true}));
    }
    gateway.advance(SignedDuration::from_hours(3));
    let fresh = answer(&gateway.send(instance, URL, &request("k", 3)).await);
    assert_eq!(fresh["duplicate"], Value::Null, "duplicates do not extend the window");
    let other = answer(&gateway.send(instance, "/api/inbound/default/gitlab", &request("k", 1)).await);
    assert_eq!(other["duplicate"], Value::Null);
    let other_key = answer(&gateway.send(instance, URL, &request("k2", 1)).await);
    assert_eq!(other_key["duplicate"], Value::Null);
}

/// D8 for headers: without a key, or with an empty one, every request is its own.
#[tokio::test]
async fn d8_requests_without_a_key_are_not_deduplicated() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", keyed()).await;
    let mut ids = HashSet::new();
    for request in
        [SenderRequest::json("{}"), SenderRequest::json("{}"), SenderRequest::json("{}").with("idempotency-key", "  ")]
    {
        let response = answer(&gateway.send(gateway.instance(0), URL, &request.signed(SECRET)).await);
        assert_eq!(response["duplicate"], Value::Null);
        ids.insert(text(&response["delivery_id"]));
    }
    assert_eq!(ids.len(), 3);
}

/// Two attempts of one delivery picked up by two workers at once are one request.
#[tokio::test]
async fn one_due_attempt_is_sent_once_whoever_picks_it_up() {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    let sink = Sink::start().await;
    sink.answers([500]);
    gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    gateway.send(gateway.instance(0), URL, &request("k", 1)).await;
    gateway.drain(gateway.instance(0)).await;
    // Past the queue's message and past the sweeper's grace: both bring the same attempt.
    gateway.advance(SignedDuration::from_secs(90));
    tokio::join!(gateway.tick(gateway.instance(0)), gateway.tick(gateway.instance(1)));
    tokio::join!(gateway.drain(gateway.instance(0)), gateway.drain(gateway.instance(1)));
    let attempts: Vec<_> = sink.received().iter().map(|r| r.header("hookport-attempt").to_owned()).collect();
    assert_eq!(attempts, ["1", "2"]);
}
