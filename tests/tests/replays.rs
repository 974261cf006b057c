//! Replays: what was missed or failed is sent later, planned first, with exact numbers.

#[path = "replays/access.rs"]
mod access;
#[path = "replays/progress.rs"]
mod progress;
#[path = "replays/recovering.rs"]
mod recovering;
#[path = "replays/refusals.rs"]
mod refusals;
#[path = "replays/routing.rs"]
mod routing;
#[path = "replays/waiting.rs"]
mod waiting;

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::inbound::list;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const EVENTS: &str = "/api/v1/events";
const EVENT_TYPES: &str = "/api/v1/event-types";
const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
const DELIVERIES: &str = "/api/v1/deliveries";
const REPLAYS: &str = "/api/v1/replays";

type Answer = (StatusCode, Value);

/// A gateway that knows `ticket.updated` and `invoice.paid`.
async fn gateway() -> TestGateway {
    let gateway = TestGateway::new().await;
    for name in ["ticket.updated", "invoice.paid"] {
        gateway.create(EVENT_TYPES, json!({"ref": name})).await;
    }
    gateway
}

/// Posts as the operator, expecting nothing.
async fn post(gateway: &TestGateway, path: &str, body: Value) -> Answer {
    gateway.api(Method::POST, path, gateway.admin_token(), Some(body)).await
}

/// Posts nothing as the operator, and it is done. Gives what the answer shows.
async fn act(gateway: &TestGateway, path: &str) -> Value {
    let (status, answer) = gateway.api(Method::POST, path, gateway.admin_token(), None).await;
    assert!(status.is_success(), "{path}: {status} {answer}");
    answer["data"].clone()
}

/// Publishes a numbered event, a second after whatever was before, and works the queues. Gives its id.
async fn publish(gateway: &TestGateway, event_type: &str, n: u64) -> String {
    gateway.advance(SignedDuration::from_secs(1));
    let (status, answer) = post(gateway, EVENTS, json!({"type": event_type, "data": {"n": n}})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    gateway.drain(gateway.instance(0)).await;
    text(&answer["data"]["id"])
}

/// The time, as requests have it.
fn time(gateway: &TestGateway) -> String {
    gateway.clock.now().to_string()
}

/// The path of a subscription that was made.
fn path(made: &Value) -> String {
    format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]))
}

/// Switches a subscription off or on, or the like.
async fn switch(gateway: &TestGateway, made: &Value, to: &str) {
    act(gateway, &format!("{}/{to}", path(made))).await;
    gateway.drain(gateway.instance(0)).await;
}

/// Lets what a replay waits for at its beginning pass, and works the queues.
async fn work(gateway: &TestGateway) {
    gateway.advance(SignedDuration::from_secs(5));
    gateway.drain(gateway.instance(0)).await;
}

/// Makes a replay and works it. Gives its path.
async fn replay(gateway: &TestGateway, body: Value) -> String {
    let (status, answer) = post(gateway, REPLAYS, body).await;
    assert_eq!((status, &answer["data"]["state"]), (StatusCode::ACCEPTED, &json!("planning")), "{answer}");
    work(gateway).await;
    format!("{REPLAYS}/{}", text(&answer["data"]["id"]))
}

/// Recovers a subscription, works the queues and gives the replay as it is then.
async fn recover(gateway: &TestGateway, made: &Value, body: Value) -> Value {
    let (status, answer) = post(gateway, &format!("{}/recover", path(made)), body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    work(gateway).await;
    shown(gateway, &format!("{REPLAYS}/{}", text(&answer["data"]["id"]))).await
}

/// Something as it is now.
async fn shown(gateway: &TestGateway, path: &str) -> Value {
    gateway.get(path).await["data"].clone()
}

/// The numbers of the events that a sink got, in order. Received ones are their own payload.
fn numbers(sink: &Sink) -> Vec<u64> {
    let number = |body: &[u8]| {
        let body: Value = serde_json::from_slice(body).expect("JSON");
        body["data"]["n"].as_u64().or(body["n"].as_u64()).expect("a number")
    };
    sink.received().iter().map(|request| number(&request.body)).collect()
}

/// The same, the least first.
fn sorted(sink: &Sink) -> Vec<u64> {
    let mut numbers = numbers(sink);
    numbers.sort_unstable();
    numbers
}

/// The deliveries to a subscription, newest first.
async fn deliveries(gateway: &TestGateway, made: &Value) -> Vec<Value> {
    let id = text(&made["data"]["id"]);
    list(gateway, &format!("{DELIVERIES}?limit=100&subscription_id={id}"))
        .await
        .into_iter()
        .filter(|delivery| delivery["kind"] == "event" || delivery["kind"] == "resend")
        .collect()
}

/// How many events were looked at, items planned and items sent.
fn counted(replay: &Value) -> (u64, u64, u64) {
    let count = |name: &str| replay["counts"][name].as_u64().expect("a number");
    (count("events"), count("matched"), count("sent"))
}

#[track_caller]
fn refused(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.0, &answer.1["error"]["code"]), (status, &json!(code)), "{}", answer.1);
}
