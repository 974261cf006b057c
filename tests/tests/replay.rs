//! What is handled again, and what is made up: replays of received requests, and tests of a webhook.

use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::gateway::{SECRET, TestGateway, answer, merge, text};
use hookport_tests::{SenderRequest, Sink};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const URL: &str = "/api/inbound/default/github";
const WEBHOOKS: &str = "/api/v1/inbound-webhooks";

type Answer = (StatusCode, Value);

fn keyed() -> Value {
    json!({"idempotency_source": {"type": "header", "value": "Idempotency-Key"}})
}

fn request(body: &str) -> SenderRequest {
    SenderRequest::json(body.to_owned()).with("idempotency-key", "k1").signed(SECRET)
}

/// Sends a request and gives the id of its delivery.
async fn received(gateway: &TestGateway, request: &SenderRequest) -> String {
    let response = gateway.send(gateway.instance(0), URL, request).await;
    text(&answer(&response)["delivery_id"])
}

async fn post(gateway: &TestGateway, path: &str, body: Option<Value>) -> Answer {
    gateway.api(Method::POST, path, gateway.admin_token(), body).await
}

fn path(webhook: &str, delivery: &str) -> String {
    format!("{WEBHOOKS}/{webhook}/deliveries/{delivery}/replay")
}

/// Replays a delivery and gives the new one.
async fn replayed(gateway: &TestGateway, webhook: &str, delivery: &str, body: Option<Value>) -> Value {
    let (status, answer) = post(gateway, &path(webhook, delivery), body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    answer["data"].clone()
}

/// Makes a request up and gives its delivery.
async fn tested(gateway: &TestGateway, webhook: &str, body: Value) -> Value {
    let (status, answer) = post(gateway, &format!("{WEBHOOKS}/{webhook}/test"), Some(body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    answer["data"].clone()
}

#[track_caller]
fn refused(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.0, answer.1["error"]["code"].as_str()), (status, Some(code)), "{}", answer.1);
}

/// The status and the error of a delivery.
fn end(delivery: &Value) -> (&str, &Value) {
    (delivery["status"].as_str().expect("a status"), &delivery["error"])
}

/// Changes members of the webhook that [`TestGateway::webhook`] makes.
async fn change(gateway: &TestGateway, webhook: &str, more: Value) {
    let mut body = json!({"name": "github", "slug": "github", "event_type": "github.push"});
    merge(&mut body, more);
    let path = format!("{WEBHOOKS}/{webhook}");
    let (status, answer) = gateway.api(Method::PUT, &path, gateway.admin_token(), Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

/// D14: a replay is a row of its own, linked, with the same body and key; nothing is proved or deduplicated.
#[tokio::test]
async fn d14_a_replay_is_delivered_again_and_linked_to_what_it_replays() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let webhook = gateway.webhook("github", keyed()).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let first = received(&gateway, &request(r#"{"n": 1}"#)).await;
    gateway.drain(gateway.instance(0)).await;
    gateway.advance(SignedDuration::from_secs(1));

    let replay = replayed(&gateway, &webhook, &first, None).await;
    assert_ne!(replay["id"], json!(first));
    assert_eq!((&replay["is_replay"], &replay["replayed_from"]), (&json!(true), &json!(first)));
    assert_eq!((&replay["idempotency_key"], &replay["auth_status"]), (&json!("k1"), &json!("verified")));
    assert_eq!(replay["received_at"], json!(gateway.clock.now().to_string()));
    assert_eq!(end(&replay), ("pending", &json!(null)));

    gateway.drain(gateway.instance(0)).await;
    let [one, two] = &sink.received()[..] else { panic!("two deliveries") };
    assert_eq!((&one.body[..], &two.body[..]), (&br#"{"n": 1}"#[..], &br#"{"n": 1}"#[..]));
    assert_ne!(one.header("webhook-id"), two.header("webhook-id"), "it is an event of its own");
    let shown = gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries/{}", text(&replay["id"]))).await;
    assert_eq!(end(&shown["data"]), ("dispatched", &json!(null)));
    assert_eq!(shown["data"]["request"]["path"], json!(URL), "the request is as it was received");

    let again = answer(&gateway.send(gateway.instance(0), URL, &request("{}")).await);
    assert_eq!(again, json!({"delivery_id": first, "duplicate": true}), "a replay claims no key");
}

/// D14: two replays, two rows; a replay of a replay names the replay.
#[tokio::test]
async fn d14_every_replay_is_a_row_and_names_the_one_replayed() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let first = received(&gateway, &request("{}")).await;
    let one = text(&replayed(&gateway, &webhook, &first, None).await["id"]);
    let two = text(&replayed(&gateway, &webhook, &first, Some(json!({}))).await["id"]);
    let third = replayed(&gateway, &webhook, &two, Some(json!({"config": "current"}))).await;
    assert_ne!(one, two);
    assert_eq!(third["replayed_from"], json!(two));
    let rows = gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries")).await;
    let rows = rows["data"].as_array().expect("a list");
    assert_eq!(rows.len(), 4);
    assert_eq!(rows.iter().filter(|row| row["replayed_from"] == json!(first)).count(), 2);
}

/// D14: the configuration is that of now, or on demand the one that the delivery was handled under.
#[tokio::test]
async fn d14_a_replay_goes_by_the_configuration_of_now_or_of_then() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let webhook = gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let first = received(&gateway, &request("{}")).await;
    change(&gateway, &webhook, json!({"event_type": "github.changed"})).await;
    let mut seen = Vec::new();
    for config in [None, Some(json!({"config": "original"}))] {
        gateway.drain(gateway.instance(0)).await;
        sink.forget();
        let replay = replayed(&gateway, &webhook, &first, config).await;
        gateway.drain(gateway.instance(0)).await;
        let [delivered] = &sink.received()[..] else { panic!("one delivery") };
        assert_eq!(replay["event_type"], json!(delivered.header("hookport-event-type")));
        seen.push((text(&replay["event_type"]), replay["webhook_version"].clone()));
    }
    assert_eq!(seen, [("github.changed".to_owned(), json!(2)), ("github.push".to_owned(), json!(1))]);
    let answer = post(&gateway, &path(&webhook, &first), Some(json!({"config": "newest"}))).await;
    refused(&answer, StatusCode::BAD_REQUEST, "invalid_request");
}

/// D14, defect 28: what proved nothing is never handled, also not by a replay.
#[tokio::test]
async fn d14_a_refused_request_is_not_replayed() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let other = gateway.webhook("other", json!({})).await;
    let response = gateway.send(gateway.instance(0), URL, &SenderRequest::json("{}")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let log = gateway.get(&format!("{WEBHOOKS}/{webhook}/rejections")).await;
    let id = text(&log["data"][0]["id"]);
    refused(&post(&gateway, &path(&webhook, &id), None).await, StatusCode::CONFLICT, "delivery_rejected");
    // To another webhook's owner it is as unknown as one that never was.
    refused(&post(&gateway, &path(&other, &id), None).await, StatusCode::NOT_FOUND, "inbound_delivery_not_found");
    gateway.advance(SignedDuration::from_hours(72));
    refused(&post(&gateway, &path(&webhook, &id), None).await, StatusCode::NOT_FOUND, "inbound_delivery_not_found");
    let rows = gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries")).await;
    assert_eq!(rows["data"], json!([]), "nothing was made of it");
}

/// D14: there must be a webhook, and it must be switched on.
#[tokio::test]
async fn d14_nothing_is_replayed_for_an_inactive_or_deleted_webhook() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let first = received(&gateway, &request("{}")).await;
    change(&gateway, &webhook, json!({"is_active": false})).await;
    refused(&post(&gateway, &path(&webhook, &first), None).await, StatusCode::CONFLICT, "webhook_inactive");
    let token = gateway.admin_token();
    let (status, _) = gateway.api(Method::DELETE, &format!("{WEBHOOKS}/{webhook}"), token, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    refused(&post(&gateway, &path(&webhook, &first), None).await, StatusCode::CONFLICT, "webhook_deleted");
}

/// D14: a body that is gone cannot be handled; a repetition never had one.
#[tokio::test]
async fn d14_without_its_body_nothing_is_replayed() {
    let gateway = TestGateway::new().await;
    let month = json!({"idempotency_window_seconds": 2_592_000});
    let mut settings = keyed();
    merge(&mut settings, month);
    let webhook = gateway.webhook("github", settings).await;
    // Bytes that hardly get smaller, so that they do not fit the row, which lives a day longer than they do.
    let noise: Vec<u8> = (0..40_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let large = SenderRequest::json(noise).with("content-type", "application/octet-stream");
    let first = received(&gateway, &large.with("idempotency-key", "k1").signed(SECRET)).await;
    gateway.advance(SignedDuration::from_secs(1));
    assert_eq!(received(&gateway, &request("{}")).await, first);
    let rows = gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries?status=duplicate")).await;
    let repetition = text(&rows["data"][0]["id"]);
    refused(&post(&gateway, &path(&webhook, &repetition), None).await, StatusCode::CONFLICT, "body_expired");

    replayed(&gateway, &webhook, &first, None).await;
    gateway.advance(SignedDuration::from_hours(24 * 30));
    gateway.cloud.dynamodb().sweep_ttl().expect("swept");
    refused(&post(&gateway, &path(&webhook, &first), None).await, StatusCode::CONFLICT, "body_expired");
}

/// D14: replaying needs its own permission, and tells strangers nothing.
#[tokio::test]
async fn d14_replaying_needs_its_permission_and_the_right_tenant_and_webhook() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let other = gateway.webhook("other", json!({})).await;
    let first = received(&gateway, &request("{}")).await;
    let token = async |permission: &str| {
        let body = json!({"name": "t", "permissions": [permission]});
        text(&gateway.create("/api/v1/api-tokens", body).await["token"])
    };
    let by = async |token: &str, webhook: &str| gateway.api(Method::POST, &path(webhook, &first), token, None).await;
    let reader = token("inbound_webhook:update").await;
    refused(&by(&reader, &webhook).await, StatusCode::FORBIDDEN, "forbidden");
    let replayer = token("inbound_webhook:replay").await;
    assert_eq!(by(&replayer, &webhook).await.0, StatusCode::ACCEPTED);
    refused(&by(&replayer, &other).await, StatusCode::NOT_FOUND, "inbound_delivery_not_found");
    let tenant = gateway.create("/api/v1/tenants", json!({"slug": "acme", "name": "Acme"})).await;
    let stranger = text(&tenant["token"]);
    refused(&by(&stranger, &webhook).await, StatusCode::NOT_FOUND, "inbound_delivery_not_found");
}

/// D14: what failed can be replayed, and fails for the same reason.
#[tokio::test]
async fn what_failed_is_checked_again_when_it_is_replayed() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let webhook = gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let failed = received(&gateway, &request("{")).await;
    let replay = replayed(&gateway, &webhook, &failed, None).await;
    assert_eq!(end(&replay), ("failed", &json!("invalid_json")));
    assert_eq!((&replay["replayed_from"], &replay["event_id"]), (&json!(failed), &json!(null)));
    gateway.settle(gateway.instance(0)).await;
    assert!(sink.received().is_empty(), "no event is made of it");
}

/// D14: what broke a wrong schema gets through once the schema is right.
#[tokio::test]
async fn d14_a_replay_is_held_against_the_schema_of_now() {
    let gateway = TestGateway::new().await;
    let strict = json!({"type": "object", "required": ["id"]});
    gateway.create("/api/v1/event-types", json!({"ref": "github.push", "schema": strict})).await;
    let webhook = gateway.webhook("github", json!({})).await;
    let failed = received(&gateway, &request("{}")).await;
    let replay = replayed(&gateway, &webhook, &failed, None).await;
    assert_eq!(end(&replay), ("failed", &json!("schema_mismatch")));
    assert_eq!(replay["violations"].as_array().map(Vec::len), Some(1), "{replay}");
    let change = json!({"schema": {"type": "object"}});
    let token = gateway.admin_token();
    let (status, answer) = gateway.api(Method::PUT, "/api/v1/event-types/github.push", token, Some(change)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let replay = replayed(&gateway, &webhook, &failed, None).await;
    assert_eq!(end(&replay), ("pending", &json!(null)));
    let change = json!({"enabled": false});
    gateway.api(Method::PUT, "/api/v1/event-types/github.push", token, Some(change)).await;
    refused(&post(&gateway, &path(&webhook, &failed), None).await, StatusCode::CONFLICT, "webhook_inactive");
}

#[tokio::test]
async fn a_replay_whose_hint_is_lost_is_found_by_the_sweeper() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let webhook = gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let first = received(&gateway, &request("{}")).await;
    gateway.drain(gateway.instance(0)).await;
    gateway.cloud.faults().set(Fault::new(FaultKind::Before).on("SendMessage").sticky());
    replayed(&gateway, &webhook, &first, None).await;
    gateway.cloud.faults().clear();
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 2);
}

/// D15: a test is a request that nobody sent.
#[tokio::test]
async fn a_test_is_handled_as_a_request_and_marked() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let webhook = gateway.webhook("github", keyed()).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let headers = json!({"X-GitHub-Event": "push", "Authorization": "Bearer hidden", "Idempotency-Key": "k1"});
    let test = tested(&gateway, &webhook, json!({"body": {"a": [1]}, "headers": headers})).await;
    assert_eq!((&test["is_test"], &test["is_replay"]), (&json!(true), &json!(false)));
    assert_eq!((&test["idempotency_key"], end(&test)), (&json!(null), ("pending", &json!(null))));
    gateway.drain(gateway.instance(0)).await;
    let [delivered] = &sink.received()[..] else { panic!("one delivery") };
    assert_eq!(&delivered.body[..], br#"{"a":[1]}"#);
    assert_eq!(delivered.header("content-type"), "application/json");
    let shown = gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries/{}", text(&test["id"]))).await;
    let kept = &shown["data"]["request"];
    assert_eq!((&kept["path"], &kept["source_ip"]), (&json!("/api/inbound/test/github"), &json!(null)));
    let headers = kept["headers"].as_array().expect("a list");
    assert!(headers.contains(&json!({"name": "x-github-event", "value": "push"})), "{headers:?}");
    assert!(!shown.to_string().contains("hidden"), "{shown}");
    // A replay of a test is a test as well.
    assert_eq!(replayed(&gateway, &webhook, &text(&test["id"]), None).await["is_test"], json!(true));
    let first = received(&gateway, &request("{}")).await;
    assert_ne!(json!(first), test["id"], "a test claims no key");
}

#[tokio::test]
async fn a_test_may_have_any_body_and_says_when_it_is_not_fit() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({"max_body_bytes": 8})).await;
    let pending = ("pending", json!(null), "application/json");
    let cases = [
        (json!({}), pending.clone()),
        (json!({"body": null}), pending.clone()),
        (json!({"body": "text"}), pending),
        (json!({"body_text": "{"}), ("pending", json!(null), "text/plain; charset=utf-8")),
        (json!({"body_base64": "/wA="}), ("pending", json!(null), "application/octet-stream")),
        (json!({"body_text": "{", "content_type": "a/b+json"}), ("failed", json!("invalid_json"), "a/b+json")),
        (json!({"body_text": "{", "headers": {"Content-Type": "a/b"}}), ("pending", json!(null), "a/b")),
    ];
    for (body, (status, error, content_type)) in cases {
        let test = tested(&gateway, &webhook, body.clone()).await;
        assert_eq!(end(&test), (status, &error), "{body}");
        let shown = gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries/{}", text(&test["id"]))).await;
        assert_eq!(shown["data"]["request"]["content_type"], json!(content_type), "{body}");
    }
    let wrong = [
        json!({"body": 1, "body_text": "1"}),
        json!({"body_base64": "!"}),
        json!({"body_text": "123456789"}),
        json!({"headers": {"two words": "x"}}),
        json!({"headers": {"x": "a\nb"}}),
        json!({"content_type": "a\nb"}),
        json!({"unknown": 1}),
    ];
    for body in wrong {
        let answer = post(&gateway, &format!("{WEBHOOKS}/{webhook}/test"), Some(body)).await;
        refused(&answer, StatusCode::BAD_REQUEST, "invalid_request");
    }
}

/// D15: who may test, and what.
#[tokio::test]
async fn a_test_needs_an_active_webhook_and_the_permission_to_change_it() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let path = format!("{WEBHOOKS}/{webhook}/test");
    let token = json!({"name": "t", "permissions": ["inbound_webhook:replay"]});
    let token = text(&gateway.create("/api/v1/api-tokens", token).await["token"]);
    let answer = gateway.api(Method::POST, &path, &token, Some(json!({}))).await;
    refused(&answer, StatusCode::FORBIDDEN, "forbidden");
    change(&gateway, &webhook, json!({"is_active": false})).await;
    refused(&post(&gateway, &path, Some(json!({}))).await, StatusCode::CONFLICT, "webhook_inactive");
}

/// Defect 38: what is documented is what is answered.
#[test]
fn replay_and_test_are_documented_with_the_status_that_they_answer() {
    let document: Value = serde_json::from_str(&management::openapi_json()).expect("a document");
    for path in ["{id}/deliveries/{delivery_id}/replay", "{id}/test"] {
        let answers = &document["paths"][format!("{WEBHOOKS}/{path}")]["post"]["responses"];
        assert!(answers.get("202").is_some() && answers.get("200").is_none(), "{path}: {answers}");
    }
}
