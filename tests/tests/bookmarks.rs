//! Bookmarks: saved events are kept for as long as they are wanted, and sent again as new ones.

#[path = "bookmarks/keeping.rs"]
mod keeping;
#[path = "bookmarks/sending.rs"]
mod sending;

use hookport_tests::gateway::text;
use hookport_tests::{Sink, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const BOOKMARKS: &str = "/api/v1/bookmarks";
const EVENTS: &str = "/api/v1/events";
const EVENT_TYPES: &str = "/api/v1/event-types";

type Answer = (StatusCode, Value);

/// A gateway that knows `order.paid`.
async fn gateway() -> TestGateway {
    let gateway = TestGateway::new().await;
    gateway.create(EVENT_TYPES, json!({"ref": "order.paid"})).await;
    gateway
}

async fn call(gateway: &TestGateway, method: Method, path: &str, body: Option<Value>) -> Answer {
    gateway.api(method, path, gateway.admin_token(), body).await
}

/// Publishes an `order.paid` about order 7. Gives its id.
async fn published(gateway: &TestGateway) -> String {
    let body = json!({
        "type": "order.paid", "data": {"total": 1.5}, "entity_type": "order", "entity_id": "7", "scope": "acme",
        "previous": {"total": 1},
    });
    let (status, answer) = call(gateway, Method::POST, EVENTS, Some(body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    gateway.drain(gateway.instance(0)).await;
    text(&answer["data"]["id"])
}

/// Saves an event. Gives the path of the bookmark.
async fn saved(gateway: &TestGateway, event: &str) -> String {
    let answer = gateway.create(BOOKMARKS, json!({"event_id": event, "name": "The odd one"})).await;
    format!("{BOOKMARKS}/{}", text(&answer["data"]["id"]))
}

/// Sends a saved event and works what follows. Gives what it was sent as.
async fn sent(gateway: &TestGateway, path: &str, wish: Option<Value>) -> Value {
    let (status, answer) = call(gateway, Method::POST, &format!("{path}/send"), wish).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    gateway.drain(gateway.instance(0)).await;
    answer["data"].clone()
}

/// Lets 31 days pass: whatever has an end is gone.
fn forget(gateway: &TestGateway) {
    gateway.advance(SignedDuration::from_hours(31 * 24));
    gateway.cloud.dynamodb().sweep_ttl().expect("what has expired is deleted");
}

/// The bodies that a sink got.
fn bodies(sink: &Sink) -> Vec<Value> {
    sink.received().iter().map(|request| serde_json::from_slice(&request.body).expect("JSON")).collect()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.0.as_u16(), &answer.1["error"]["code"]), (status, &json!(code)), "{}", answer.1);
}
