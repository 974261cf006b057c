//! Ordered deliveries: one after another within a lane, and no lane waits for another.

#[path = "ordering/ending.rs"]
mod ending;
#[path = "ordering/failing.rs"]
mod failing;
#[path = "ordering/instances.rs"]
mod instances;
#[path = "ordering/late.rs"]
mod late;
#[path = "ordering/pausing.rs"]
mod pausing;

use bytes::Bytes;
use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, merge, text};
use hookport_tests::inbound::list;
use hookport_tests::sink::SinkRequest;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const EVENT_TYPE: &str = "ticket.updated";
const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";

/// A gateway of two instances that knows the event type.
async fn gateway() -> TestGateway {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    gateway.create("/api/v1/event-types", json!({"ref": EVENT_TYPE})).await;
    gateway
}

/// An active subscription whose events about one entity are sent in order, at once. Gives its path.
async fn ordered(gateway: &TestGateway, sink: &Sink, more: Value) -> String {
    let mut wanted = json!({"ordering": {"by": "entity", "settle_seconds": 0}});
    merge(&mut wanted, more);
    let made = gateway.subscribe(sink, &[EVENT_TYPE], wanted).await;
    format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]))
}

/// Publishes a numbered event about an entity, a moment after whatever was before, and lets nothing follow.
async fn publish(gateway: &TestGateway, entity: &str, n: u64) {
    gateway.advance(SignedDuration::from_millis(10));
    let event = json!({
        "type": EVENT_TYPE,
        "data": {"key": entity, "n": n},
        "entity_type": "ticket",
        "entity_id": entity,
    });
    let (status, answer) = gateway.api(Method::POST, "/api/v1/events", gateway.admin_token(), Some(event)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
}

/// The same, and the queues are worked.
async fn happens(gateway: &TestGateway, entity: &str, n: u64) {
    publish(gateway, entity, n).await;
    gateway.drain(gateway.instance(0)).await;
}

/// Publishes an event whose message is lost: nobody works it before the sweeper finds it after two minutes.
async fn is_forgotten(gateway: &TestGateway, entity: &str, n: u64) {
    gateway.cloud.faults().set(Fault::new(FaultKind::Before).on("SendMessage"));
    publish(gateway, entity, n).await;
    assert_eq!(gateway.cloud.faults().hit(), 1, "its message is lost");
    gateway.cloud.faults().clear();
    gateway.drain(gateway.instance(0)).await;
}

/// Lets time pass, then sweeps and works the queues.
async fn later(gateway: &TestGateway, by: SignedDuration) {
    gateway.advance(by);
    gateway.tick(gateway.instance(0)).await;
    gateway.drain(gateway.instance(0)).await;
}

/// Does something to a subscription or a delivery, and it is done.
async fn act(gateway: &TestGateway, method: Method, path: &str, body: Option<Value>) {
    let (status, answer) = gateway.api(method, path, gateway.admin_token(), body).await;
    assert!(status.is_success(), "{path}: {status} {answer}");
}

/// Gives a subscription another order, or none.
async fn order(gateway: &TestGateway, path: &str, ordering: Value) {
    let before = gateway.get(path).await;
    let wanted = json!({
        "name": before["data"]["name"],
        "url": before["data"]["url"],
        "events": before["data"]["events"],
        "ordering": ordering,
    });
    let request = Request::put(path)
        .header(AUTHORIZATION, format!("Bearer {}", gateway.admin_token()))
        .header(CONTENT_TYPE, "application/json")
        .header(IF_MATCH, format!("\"{}\"", before["data"]["version"]))
        .body(Bytes::from(wanted.to_string()));
    let response = management::handle(&gateway.instance(0).management, request.expect("a request")).await;
    assert_eq!(response.status(), StatusCode::OK, "{}", String::from_utf8_lossy(response.body()));
}

/// What an event is called here: its entity and its number.
fn name(request: &SinkRequest) -> String {
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    format!("{}{}", text(&body["data"]["key"]), body["data"]["n"])
}

/// What the sink got, in order.
fn sent(sink: &Sink) -> Vec<String> {
    sink.received().iter().map(name).collect()
}

/// The numbers of the attempts that the sink got, in order.
fn attempts(sink: &Sink) -> Vec<String> {
    sink.received().iter().map(|request| request.header("hookport-attempt").to_owned()).collect()
}

/// The deliveries of events, the oldest first.
async fn deliveries(gateway: &TestGateway) -> Vec<Value> {
    let path = format!("/api/v1/deliveries?kind=event&limit=100&event_type={EVENT_TYPE}");
    let mut all = list(gateway, &path).await;
    all.reverse();
    all
}

/// Their states.
async fn states(gateway: &TestGateway) -> Vec<String> {
    deliveries(gateway).await.iter().map(|delivery| text(&delivery["state"])).collect()
}
