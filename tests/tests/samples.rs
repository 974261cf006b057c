//! Samples: which request a webhook captures, when, and who may see it.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::gateway::{SECRET, TestGateway, answer, text};
use hookport_tests::{SenderRequest, Sink};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const URL: &str = "/api/inbound/default/github";
const WEBHOOKS: &str = "/api/v1/inbound-webhooks";
/// What receivers remember of a webhook is older than this by now.
const FORGOTTEN: SignedDuration = SignedDuration::from_secs(5);
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

fn path(webhook: &str) -> String {
    format!("{WEBHOOKS}/{webhook}/capture-sample")
}

async fn call(gateway: &TestGateway, method: Method, webhook: &str) -> Value {
    let (status, answer) = gateway.api(method, &path(webhook), gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["data"].clone()
}

async fn arm(gateway: &TestGateway, webhook: &str) -> Value {
    call(gateway, Method::POST, webhook).await
}

async fn sample(gateway: &TestGateway, webhook: &str) -> Value {
    call(gateway, Method::GET, webhook).await["sample"].clone()
}

/// Sends a proven request and gives the id of its delivery.
async fn send(gateway: &TestGateway, body: &str) -> String {
    let request = SenderRequest::json(body.to_owned()).with("x-kept", "seen").signed(SECRET);
    text(&answer(&gateway.send(gateway.instance(0), URL, &request).await)["delivery_id"])
}

/// D15: the first verified body within five minutes, and it is dispatched as ever.
#[tokio::test]
async fn d15_the_first_proven_request_is_captured_and_dispatched() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let webhook = gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let until = gateway.clock.now() + WINDOW;
    let armed = json!({"armed_until": until.to_string(), "captured_at": null, "sample": null});
    assert_eq!(arm(&gateway, &webhook).await, armed);
    assert_eq!(call(&gateway, Method::GET, &webhook).await, armed);

    let unproven = gateway.send(gateway.instance(0), URL, &SenderRequest::json(r#"{"n": 0}"#)).await;
    assert_eq!(unproven.status(), StatusCode::UNAUTHORIZED);
    gateway.advance(SignedDuration::from_secs(1));
    let first = send(&gateway, r#"{"n": 1}"#).await;
    let captured_at = gateway.clock.now();
    gateway.advance(SignedDuration::from_secs(1));
    send(&gateway, r#"{"n": 2}"#).await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 2, "both are dispatched");

    let captured = call(&gateway, Method::GET, &webhook).await;
    assert_eq!(captured["captured_at"], json!(captured_at.to_string()));
    assert_eq!(captured["armed_until"], json!(until.to_string()));
    let sample = &captured["sample"];
    assert_eq!((&sample["delivery_id"], &sample["body"]), (&json!(first), &json!(r#"{"n": 1}"#)));
    assert_eq!((&sample["content_type"], &sample["method"]), (&json!("application/json"), &json!("POST")));
    let headers = sample["headers"].as_array().expect("a list");
    assert!(headers.contains(&json!({"name": "x-kept", "value": "seen"})), "{headers:?}");
    assert!(!captured.to_string().contains("x-hub-signature"), "{captured}");
}

/// D15: the window is five minutes, to the instant, also for a receiver that knew the webhook before.
#[tokio::test]
async fn d15_nothing_is_captured_before_or_after_the_window() {
    for (late, is_captured) in [(SignedDuration::from_millis(1), true), (SignedDuration::ZERO, false)] {
        let gateway = TestGateway::new().await;
        let webhook = gateway.webhook("github", json!({})).await;
        send(&gateway, r#"{"n": 0}"#).await;
        arm(&gateway, &webhook).await;
        assert_eq!(sample(&gateway, &webhook).await, json!(null));
        gateway.advance(WINDOW - late);
        send(&gateway, r#"{"n": 1}"#).await;
        assert_eq!(sample(&gateway, &webhook).await["body"].is_string(), is_captured);
    }
}

/// D15, defect 39: arming again lets go of the old sample, before there is a new one.
#[tokio::test]
async fn d15_arming_again_replaces_the_sample() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    arm(&gateway, &webhook).await;
    send(&gateway, r#"{"n": 1}"#).await;
    assert_eq!(sample(&gateway, &webhook).await["body"], json!(r#"{"n": 1}"#));
    // At the same instant, which is the hardest.
    assert_eq!(arm(&gateway, &webhook).await["sample"], json!(null));
    assert_eq!(call(&gateway, Method::GET, &webhook).await["captured_at"], json!(null));
    // A receiver that still knows the window before captures nothing for this one.
    send(&gateway, r#"{"n": 2}"#).await;
    assert_eq!(sample(&gateway, &webhook).await, json!(null));
    gateway.advance(FORGOTTEN);
    send(&gateway, r#"{"n": 3}"#).await;
    send(&gateway, r#"{"n": 4}"#).await;
    assert_eq!(sample(&gateway, &webhook).await["body"], json!(r#"{"n": 3}"#));
}

/// D15: clearing disarms, and forgets.
#[tokio::test]
async fn d15_clearing_disarms_and_forgets() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let nothing = json!({"armed_until": null, "captured_at": null, "sample": null});
    assert_eq!(call(&gateway, Method::GET, &webhook).await, nothing);
    assert_eq!(call(&gateway, Method::DELETE, &webhook).await, nothing, "there may be nothing to clear");
    arm(&gateway, &webhook).await;
    send(&gateway, r#"{"n": 1}"#).await;
    assert_eq!(call(&gateway, Method::DELETE, &webhook).await, nothing);
    assert_eq!(call(&gateway, Method::GET, &webhook).await, nothing);
    arm(&gateway, &webhook).await;
    assert_eq!(sample(&gateway, &webhook).await, json!(null), "it does not come back");
    call(&gateway, Method::DELETE, &webhook).await;
    gateway.advance(FORGOTTEN);
    send(&gateway, r#"{"n": 2}"#).await;
    assert_eq!(call(&gateway, Method::GET, &webhook).await, nothing);
}

/// D15: what was sent before, and what no event is made from, is no sample.
#[tokio::test]
async fn d15_repetitions_and_broken_bodies_are_not_captured() {
    let gateway = TestGateway::new().await;
    let source = json!({"type": "header", "value": "x-kept"});
    let webhook = gateway.webhook("github", json!({"idempotency_source": source})).await;
    send(&gateway, r#"{"n": 1}"#).await;
    arm(&gateway, &webhook).await;
    gateway.advance(FORGOTTEN);
    send(&gateway, r#"{"n": 2}"#).await;
    send(&gateway, "{").await;
    assert_eq!(sample(&gateway, &webhook).await, json!(null));
}

#[tokio::test]
async fn one_of_many_at_the_same_instant_is_captured() {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    let webhook = gateway.webhook("github", json!({})).await;
    arm(&gateway, &webhook).await;
    let to = &gateway;
    let sends = (0..16).map(|n| async move {
        let body = format!(r#"{{"n": {n}}}"#);
        let request = SenderRequest::json(body.clone()).signed(SECRET);
        let response = to.send(to.instance(n % 2), URL, &request).await;
        (text(&answer(&response)["delivery_id"]), body)
    });
    let sent: BTreeSet<(String, String)> = join_all(sends).await.into_iter().collect();
    let captured = sample(&gateway, &webhook).await;
    assert!(sent.contains(&(text(&captured["delivery_id"]), text(&captured["body"]))), "{captured}");
    gateway.advance(FORGOTTEN);
    send(&gateway, "{}").await;
    assert_eq!(sample(&gateway, &webhook).await, captured, "it stays the first");
}

#[tokio::test]
async fn a_large_body_is_captured_whole() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    arm(&gateway, &webhook).await;
    let body = format!("[{}1]", "0.12345678901234567,".repeat(40_000));
    send(&gateway, &body).await;
    let captured = sample(&gateway, &webhook).await;
    assert_eq!(
        (captured["body_bytes"].as_u64(), captured["body"].as_str()),
        (Some(body.len() as u64), Some(&body[..]))
    );
}

#[tokio::test]
async fn a_sample_is_shown_for_thirty_days() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    arm(&gateway, &webhook).await;
    send(&gateway, "{}").await;
    gateway.advance(SignedDuration::from_hours(24 * 30) - SignedDuration::from_millis(1));
    assert_eq!(sample(&gateway, &webhook).await["body"], json!("{}"));
    gateway.advance(SignedDuration::from_millis(1));
    let shown = call(&gateway, Method::GET, &webhook).await;
    assert_eq!((&shown["sample"], &shown["captured_at"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn arming_makes_no_version_and_survives_a_change() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let of_webhook = format!("{WEBHOOKS}/{webhook}");
    let before = gateway.get(&of_webhook).await;
    let until = arm(&gateway, &webhook).await["armed_until"].clone();
    assert_eq!(gateway.get(&of_webhook).await, before);
    let change = json!({"name": "another", "slug": "github", "event_type": "github.push"});
    let (status, changed) = gateway.api(Method::PUT, &of_webhook, gateway.admin_token(), Some(change)).await;
    assert_eq!((status, &changed["data"]["version"]), (StatusCode::OK, &json!(2)), "{changed}");
    assert_eq!(call(&gateway, Method::GET, &webhook).await["armed_until"], until);
    send(&gateway, "{}").await;
    assert_eq!(sample(&gateway, &webhook).await["body"], json!("{}"));
}

/// The sample is a help for people; a sender never waits or fails for it.
#[tokio::test]
async fn a_sender_has_its_answer_also_when_the_sample_is_lost() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    arm(&gateway, &webhook).await;
    // The first put is the row, the second the sample.
    gateway.cloud.faults().set(Fault::new(FaultKind::Before).on("PutItem").nth(2));
    let id = send(&gateway, "{}").await;
    assert_eq!(gateway.cloud.faults().hit(), 1);
    gateway.cloud.faults().clear();
    gateway.drain(gateway.instance(0)).await;
    let shown = gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries/{id}")).await;
    assert_eq!(shown["data"]["status"], json!("dispatched"));
    assert_eq!(sample(&gateway, &webhook).await, json!(null));
}

#[tokio::test]
async fn a_sample_needs_its_own_permission_and_is_in_no_list() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    arm(&gateway, &webhook).await;
    send(&gateway, r#"{"name": "Ada"}"#).await;
    let everything_else = [
        "inbound_webhook:create",
        "inbound_webhook:read",
        "inbound_webhook:update",
        "inbound_webhook:delete",
        "inbound_webhook:replay",
    ];
    let token = async |permissions: &[&str]| {
        let body = json!({"name": "t", "permissions": permissions});
        text(&gateway.create("/api/v1/api-tokens", body).await["token"])
    };
    let (other, sampler) = (token(&everything_else).await, token(&["inbound_webhook:sample"]).await);
    for method in [Method::POST, Method::DELETE, Method::GET] {
        let (status, answer) = gateway.api(method, &path(&webhook), &other, None).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (StatusCode::FORBIDDEN, Some("forbidden")));
    }
    let (status, seen) = gateway.api(Method::GET, &path(&webhook), &sampler, None).await;
    assert!(status == StatusCode::OK && seen.to_string().contains("Ada"), "{seen}");
    for list in [WEBHOOKS.to_owned(), format!("{WEBHOOKS}/{webhook}"), format!("{WEBHOOKS}/{webhook}/deliveries")] {
        let shown = gateway.get(&list).await;
        assert!(!shown.to_string().contains("Ada"), "{shown}");
    }
    let tenant = gateway.create("/api/v1/tenants", json!({"slug": "acme", "name": "Acme"})).await;
    let stranger = text(&tenant["token"]);
    let (status, answer) = gateway.api(Method::GET, &path(&webhook), &stranger, None).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (StatusCode::NOT_FOUND, Some("inbound_webhook_not_found")));
}
