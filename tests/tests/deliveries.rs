//! The acceptance cases of deliveries, by their numbers: what targets are sent, when and how often, and what is told of
//! it.

#[path = "deliveries/attempts.rs"]
mod attempts;
#[path = "deliveries/by_hand.rs"]
mod by_hand;
#[path = "deliveries/callbacks.rs"]
mod callbacks;
#[path = "deliveries/filters.rs"]
mod filters;
#[path = "deliveries/gates.rs"]
mod gates;
#[path = "deliveries/guard.rs"]
mod guard;
#[path = "deliveries/numbers.rs"]
mod numbers;
#[path = "deliveries/permissions.rs"]
mod permissions;
#[path = "deliveries/pinned.rs"]
mod pinned;
#[path = "deliveries/publishing.rs"]
mod publishing;
#[path = "deliveries/requests.rs"]
mod requests;
#[path = "deliveries/statuses.rs"]
mod statuses;
#[path = "deliveries/switching_off.rs"]
mod switching_off;

use hookport_tests::TestGateway;
use hookport_tests::gateway::text;
use hookport_tests::inbound::list;
use http::{Method, StatusCode};
use serde_json::{Value, json};

const EVENTS: &str = "/api/v1/events";
const EVENT_TYPES: &str = "/api/v1/event-types";
const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
const DELIVERIES: &str = "/api/v1/deliveries";

type Answer = (StatusCode, Value);

/// A gateway that knows `ticket.updated`.
async fn gateway() -> TestGateway {
    let gateway = TestGateway::new().await;
    register(&gateway, &["ticket.updated"]).await;
    gateway
}

/// Makes event types without schemas.
async fn register(gateway: &TestGateway, names: &[&str]) {
    for name in names {
        gateway.create(EVENT_TYPES, json!({"ref": name})).await;
    }
}

/// Posts as the operator, expecting nothing.
async fn post(gateway: &TestGateway, path: &str, body: Value) -> Answer {
    gateway.api(Method::POST, path, gateway.admin_token(), Some(body)).await
}

/// Posts nothing as the operator, expecting nothing.
async fn act(gateway: &TestGateway, path: &str) -> Answer {
    gateway.api(Method::POST, path, gateway.admin_token(), None).await
}

/// Puts as the operator.
async fn put(gateway: &TestGateway, path: &str, body: Value) -> Value {
    let (status, answer) = gateway.api(Method::PUT, path, gateway.admin_token(), Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer
}

/// Publishes an event and lets nothing follow. Gives its id.
async fn publish(gateway: &TestGateway, event: Value) -> String {
    let (status, answer) = post(gateway, EVENTS, event).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    text(&answer["data"]["id"])
}

/// Publishes a `ticket.updated` without content and works the queues.
async fn happens(gateway: &TestGateway) {
    publish(gateway, json!({"type": "ticket.updated", "data": {}})).await;
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

/// A subscription as it is now.
async fn now(gateway: &TestGateway, made: &Value) -> Value {
    gateway.get(&path(made)).await["data"].clone()
}

/// The deliveries of events to a subscription, newest first.
async fn deliveries(gateway: &TestGateway, made: &Value) -> Vec<Value> {
    let id = text(&made["data"]["id"]);
    list(gateway, &format!("{DELIVERIES}?kind=event&limit=100&subscription_id={id}")).await
}

/// The one delivery of an event to a subscription.
async fn delivery(gateway: &TestGateway, made: &Value) -> Value {
    let all = deliveries(gateway, made).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

#[track_caller]
fn refused(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.0, &answer.1["error"]["code"]), (status, &json!(code)), "{}", answer.1);
}
