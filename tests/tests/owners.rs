//! Owners of subscriptions: what they may ask for and see, what their tokens reach, what is left when one is deleted;
//! and the operator's rules of where nothing is sent.

#[path = "owners/deleting.rs"]
mod deleting;
#[path = "owners/egress.rs"]
mod egress;
#[path = "owners/permissions.rs"]
mod permissions;
#[path = "owners/quotas.rs"]
mod quotas;
#[path = "owners/tokens.rs"]
mod tokens;

use bytes::Bytes;
use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::inbound::list;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const EVENTS: &str = "/api/v1/events";
const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
const DELIVERIES: &str = "/api/v1/deliveries";
const OWNERS: &str = "/api/v1/owners";
const TOKENS: &str = "/api/v1/api-tokens";

type Answer = (StatusCode, Value);

/// A gateway that knows `ticket.updated`.
async fn gateway() -> TestGateway {
    let gateway = TestGateway::new().await;
    gateway.create("/api/v1/event-types", json!({"ref": "ticket.updated"})).await;
    gateway
}

/// Calls as the operator, expecting nothing.
async fn call(gateway: &TestGateway, method: Method, path: &str, body: Option<Value>) -> Answer {
    gateway.api(method, path, gateway.admin_token(), body).await
}

/// Posts nothing as the operator, and it is done.
async fn act(gateway: &TestGateway, path: &str) -> Value {
    let (status, answer) = call(gateway, Method::POST, path, None).await;
    assert!(status.is_success(), "{path}: {status} {answer}");
    answer
}

/// Puts as the operator.
async fn put(gateway: &TestGateway, path: &str, body: Value) -> Value {
    let (status, answer) = call(gateway, Method::PUT, path, Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer["data"].clone()
}

/// Deletes as the operator, and it is done.
async fn delete(gateway: &TestGateway, path: &str) {
    let (status, answer) = call(gateway, Method::DELETE, path, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{path}: {answer}");
}

/// Replaces a subscription, at the version that it has, as the holder of a token.
async fn replace(gateway: &TestGateway, made: &Value, token: &str, body: &Value) -> Answer {
    let path = path(made);
    let version = gateway.get(&path).await["data"]["version"].clone();
    let request = Request::put(&path)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/json")
        .header(IF_MATCH, format!("\"{version}\""))
        .body(Bytes::from(body.to_string()));
    let response = management::handle(&gateway.instance(0).management, request.expect("a request")).await;
    (response.status(), serde_json::from_slice(response.body()).expect("JSON"))
}

/// The text of a token that is bound to an owner, if one is named.
async fn token(gateway: &TestGateway, owner: Value, permissions: &[&str]) -> String {
    let body = json!({"name": "t", "owner": owner, "permissions": permissions});
    text(&gateway.create(TOKENS, body).await["token"])
}

/// Publishes a `ticket.updated`, a second after whatever was before, and lets nothing follow. Gives its id.
async fn publish(gateway: &TestGateway, owner: Value) -> String {
    gateway.advance(SignedDuration::from_secs(1));
    let event = json!({"type": "ticket.updated", "data": {}, "owner": owner});
    let (status, answer) = call(gateway, Method::POST, EVENTS, Some(event)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    text(&answer["data"]["id"])
}

/// Publishes a `ticket.updated` of nobody's and works the queues. Gives its id.
async fn happens(gateway: &TestGateway) -> String {
    let id = publish(gateway, Value::Null).await;
    gateway.drain(gateway.instance(0)).await;
    id
}

/// The path of a subscription that was made.
fn path(made: &Value) -> String {
    format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]))
}

/// The deliveries of events to a subscription, newest first.
async fn deliveries(gateway: &TestGateway, made: &Value) -> Vec<Value> {
    let id = text(&made["data"]["id"]);
    list(gateway, &format!("{DELIVERIES}?kind=event&limit=100&subscription_id={id}")).await
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> String {
    let error = &answer.1["error"];
    assert_eq!((answer.0.as_u16(), error["code"].as_str()), (status, Some(code)), "{}", answer.1);
    text(&error["message"])
}
