//! How the gateway shows targets who is asking: by credentials in requests, by tokens that it gets, by signatures and
//! by certificates.

#[path = "target_auth/certificates.rs"]
mod certificates;
#[path = "target_auth/credentials.rs"]
mod credentials;
#[path = "target_auth/logs.rs"]
mod logs;
#[path = "target_auth/refusals.rs"]
mod refusals;
#[path = "target_auth/secure.rs"]
mod secure;
#[path = "target_auth/signatures.rs"]
mod signatures;
#[path = "target_auth/tokens.rs"]
mod tokens;

use bytes::Bytes;
use hookport_tests::gateway::text;
use hookport_tests::inbound::list;
use hookport_tests::{Sink, TestGateway};
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

const EVENTS: &str = "/api/v1/events";
const EVENT_TYPES: &str = "/api/v1/event-types";
const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
const DELIVERIES: &str = "/api/v1/deliveries";

type Answer = (StatusCode, Value);

/// A gateway with these settings that knows `ticket.updated`.
async fn gateway_with(settings: &[(&str, &str)]) -> TestGateway {
    let gateway = TestGateway::with_settings(&["a"], settings).await;
    gateway.create(EVENT_TYPES, json!({"ref": "ticket.updated"})).await;
    gateway
}

async fn gateway() -> TestGateway {
    gateway_with(&[]).await
}

/// Subscribes a sink to `ticket.updated`, with this authentication; the sink proves itself.
async fn subscribed(gateway: &TestGateway, sink: &Sink, auth: Value) -> Value {
    gateway.subscribe(sink, &["ticket.updated"], json!({"auth": auth})).await
}

/// Publishes a `ticket.updated` and lets nothing follow.
async fn publish(gateway: &TestGateway) {
    let event = json!({"type": "ticket.updated", "data": {"n": 1}});
    let (status, answer) = gateway.api(Method::POST, EVENTS, gateway.admin_token(), Some(event)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
}

/// Publishes a `ticket.updated` and works the queues.
async fn happens(gateway: &TestGateway) {
    publish(gateway).await;
    gateway.drain(gateway.instance(0)).await;
}

/// Does all that is due now.
async fn work(gateway: &TestGateway) {
    let instance = gateway.instance(0);
    gateway.drain(instance).await;
    gateway.tick(instance).await;
    gateway.drain(instance).await;
}

/// The path of a subscription that was made.
fn path(made: &Value) -> String {
    format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]))
}

/// The newest delivery of an event to a subscription.
async fn newest(gateway: &TestGateway, made: &Value) -> Value {
    let id = text(&made["data"]["id"]);
    list(gateway, &format!("{DELIVERIES}?kind=event&limit=100&subscription_id={id}")).await[0].clone()
}

/// The only attempt of the newest delivery to a subscription.
async fn only_attempt(gateway: &TestGateway, made: &Value) -> Value {
    let delivery = newest(gateway, made).await;
    let attempts = delivery["attempts"].as_array().expect("a list").clone();
    assert_eq!(attempts.len(), 1, "{delivery}");
    attempts[0].clone()
}

/// Replaces the settings of a subscription as it is now.
async fn replace(gateway: &TestGateway, made: &Value, settings: &Value) -> Answer {
    let path = path(made);
    let version = gateway.get(&path).await["data"]["version"].clone();
    let request = Request::put(path)
        .header(AUTHORIZATION, format!("Bearer {}", gateway.admin_token()))
        .header(CONTENT_TYPE, "application/json")
        .header(IF_MATCH, format!("\"{version}\""))
        .body(Bytes::from(settings.to_string()))
        .expect("a request");
    let response = management::handle(&gateway.instance(0).management, request).await;
    (response.status(), serde_json::from_slice(response.body()).expect("JSON"))
}

/// What a subscription of a sink is replaced by.
fn settings(sink: &Sink, auth: &Value) -> Value {
    json!({"name": "sink", "url": sink.url("/hook"), "events": ["ticket.updated"], "auth": auth})
}

#[track_caller]
fn refused(answer: &Answer, says: &str) {
    assert_eq!(
        (answer.0, &answer.1["error"]["code"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_request")),
        "{}",
        answer.1
    );
    let detail = answer.1["error"].to_string();
    assert!(detail.contains(says), "{says}: {detail}");
}

/// All that the API shows of a subscription and what was sent to it.
async fn all_shown(gateway: &TestGateway, made: &Value) -> String {
    let (path, id) = (path(made), text(&made["data"]["id"]));
    let mut shown = made.to_string();
    for path in [
        path.clone(),
        format!("{path}/attempts"),
        format!("{path}/health"),
        format!("{path}/analytics"),
        SUBSCRIPTIONS.to_owned(),
        format!("{DELIVERIES}?subscription_id={id}"),
    ] {
        shown.push_str(&gateway.get(&path).await.to_string());
    }
    shown
}
