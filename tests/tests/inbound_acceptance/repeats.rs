//! D6, D7 and D8: requests that come again, after a crash, after a failure, and without a key.

use std::collections::HashSet;

use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::gateway::{SECRET, TestGateway, answer, text};
use hookport_tests::{SenderRequest, Sink};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{URL, kept, rows};

fn keyed_by_header() -> Value {
    json!({"idempotency_source": {"type": "header", "value": "Idempotency-Key"}})
}

fn request(key: &str, body: &str) -> SenderRequest {
    SenderRequest::json(body.to_owned()).with("idempotency-key", key).signed(SECRET)
}

/// D6: a receiver that dies after the claim or after the row keeps nobody's key: the sender's next try is kept, or told
/// of what was, at once, and is dispatched once.
#[tokio::test]
async fn d6_a_crash_while_keeping_blocks_no_key() {
    for (write, is_repetition) in [(1, false), (2, true)] {
        let gateway = TestGateway::with_instances(&["a", "b"]).await;
        let sink = Sink::start().await;
        let webhook = gateway.webhook("github", keyed_by_header()).await;
        gateway.subscribe(&sink, &["github.*"], json!({})).await;
        let request = request("k1", "{}");
        let crash = Fault::new(FaultKind::Crash { effect: true }).on("PutItem").nth(write).by("a");
        gateway.cloud.faults().set(crash);
        let died = gateway.send(gateway.instance(0), URL, &request).await;
        assert_eq!(died.status(), StatusCode::SERVICE_UNAVAILABLE, "write {write}");
        assert!(gateway.cloud.faults().is_dead("a"), "write {write}");
        gateway.cloud.faults().clear();

        let survivor = gateway.instance(1);
        let again = gateway.send(survivor, URL, &request).await;
        assert_eq!(again.status(), StatusCode::OK, "write {write}");
        let again = answer(&again);
        assert_eq!(again["duplicate"] == json!(true), is_repetition, "write {write}: {again}");
        let pending: Vec<Value> =
            rows(&gateway, &webhook).await.into_iter().filter(|row| row["status"] == "pending").collect();
        assert_eq!(pending.len(), 1, "write {write}: it is there to be seen");
        assert_eq!(pending[0]["id"], again["delivery_id"], "write {write}");
        gateway.settle(survivor).await;
        assert_eq!(sink.received().len(), 1, "write {write}");
        assert!(rows(&gateway, &webhook).await.iter().all(|row| row["status"] != "pending"), "write {write}");
    }
}

/// D7: what failed has claimed nothing: the sender may come again with its key, as often as it fails, and is kept then.
#[tokio::test]
async fn d7_a_failed_request_may_come_again_with_its_key() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let strict = json!({"type": "object", "required": ["id"]});
    gateway.create("/api/v1/event-types", json!({"ref": "github.push", "schema": strict})).await;
    let webhook = gateway.webhook("github", keyed_by_header()).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    for (key, broken, status) in [("k1", "{", 400), ("k2", "{}", 422)] {
        let mut failed = HashSet::new();
        for _ in 0..2 {
            let response = gateway.send(gateway.instance(0), URL, &request(key, broken)).await;
            assert_eq!((response.status().as_u16(), &answer(&response)["duplicate"]), (status, &json!(null)), "{key}");
            failed.insert(text(&answer(&response)["delivery_id"]));
        }
        assert_eq!(failed.len(), 2, "each try is a row of its own");
        let first = kept(&gateway, URL, &request(key, r#"{"id":1}"#)).await;
        assert_eq!(first["duplicate"], json!(null), "{key}: it is the first that was kept");
        assert!(!failed.contains(&text(&first["delivery_id"])), "{key}");
        let again = kept(&gateway, URL, &request(key, r#"{"id":1}"#)).await;
        assert_eq!(again, json!({"delivery_id": first["delivery_id"], "duplicate": true}), "{key}");
    }
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 2);
    assert_eq!(rows(&gateway, &webhook).await.iter().filter(|row| row["status"] == "failed").count(), 4);
}

/// D7, with the option: a repetition is a conflict that names the first, and nothing is done with it.
#[tokio::test]
async fn d7_a_repetition_can_be_answered_as_a_conflict() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let mut more = keyed_by_header();
    more["on_duplicate"] = json!("conflict");
    let webhook = gateway.webhook("github", more).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let first = kept(&gateway, URL, &request("k1", "{}")).await;
    for _ in 0..2 {
        let again = gateway.send(gateway.instance(0), URL, &request("k1", "{}")).await;
        let expected = json!({"delivery_id": first["delivery_id"], "duplicate": true});
        assert_eq!((again.status(), answer(&again)), (StatusCode::CONFLICT, expected));
    }
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
    let noted: Vec<Value> =
        rows(&gateway, &webhook).await.into_iter().filter(|row| row["status"] == "duplicate").collect();
    assert_eq!(noted.len(), 2);
    for row in noted {
        assert_eq!((&row["response_status"], &row["duplicate_of"]), (&json!(409), &first["delivery_id"]));
    }
}

/// D8 for an expression: a body that has no key where it should be is kept every time it comes.
#[tokio::test]
async fn d8_a_body_without_the_key_is_kept_each_time_it_comes() {
    let gateway = TestGateway::new().await;
    let source = json!({"idempotency_source": {"type": "jsonpath", "value": "$.alert.id"}});
    let webhook = gateway.webhook("github", source).await;
    let without = [
        "",
        "null",
        "1",
        r#""alert""#,
        "[]",
        r#"[{"alert":{"id":"a"}}]"#,
        "{}",
        r#"{"id":"a"}"#,
        r#"{"alert":null}"#,
        r#"{"alert":"a"}"#,
        r#"{"alert":{}}"#,
        r#"{"alert":{"id":null}}"#,
        r#"{"alert":{"id":""}}"#,
        r#"{"alert":{"id":"  "}}"#,
        r#"{"alert":{"id":["a"]}}"#,
        r#"{"alert":{"id":{"a":1}}}"#,
    ];
    let with = r#"{"alert":{"id":"a"}}"#;
    let raw = SenderRequest::json(with).with("content-type", "text/plain").signed(SECRET);
    let requests = without.map(|body| SenderRequest::json(body).signed(SECRET)).into_iter().chain([raw]);
    let mut ids = HashSet::new();
    for request in requests {
        for _ in 0..2 {
            let answer = kept(&gateway, URL, &request).await;
            assert_eq!(answer["duplicate"], json!(null), "{:?}", request.body);
            ids.insert(text(&answer["delivery_id"]));
        }
    }
    assert_eq!(ids.len(), 2 * (without.len() + 1));
    assert!(rows(&gateway, &webhook).await.iter().all(|row| row["idempotency_key"] == json!(null)));

    let first = kept(&gateway, URL, &SenderRequest::json(with).signed(SECRET)).await;
    let same = SenderRequest::json(r#"{"n": 2, "alert": {"id": " a "}}"#).signed(SECRET);
    let again = kept(&gateway, URL, &same).await;
    assert_eq!(again, json!({"delivery_id": first["delivery_id"], "duplicate": true}), "with a key it is one");
}
