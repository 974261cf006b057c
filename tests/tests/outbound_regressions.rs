//! What went wrong once on the outbound side, each as the sequence that brought it about.

#[path = "outbound_regressions/answers.rs"]
mod answers;
#[path = "outbound_regressions/challenges.rs"]
mod challenges;
#[path = "outbound_regressions/held.rs"]
mod held;
#[path = "outbound_regressions/refusals.rs"]
mod refusals;
#[path = "outbound_regressions/senders.rs"]
mod senders;
#[path = "outbound_regressions/silence.rs"]
mod silence;
#[path = "outbound_regressions/views.rs"]
mod views;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookport::aws::lambda::Received;
use hookport::domain::id::SubscriptionId;
use hookport::domain::text::TenantSlug;
use hookport::message::Message;
use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::gateway::{TENANT, TestGateway, text};
use hookport_tests::inbound::list;
use hookport_tests::sink::Reply;
use hookport_tests::{Instance, Sink};
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const EVENTS: &str = "/api/v1/events";
const EVENT_TYPES: &str = "/api/v1/event-types";
const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
const DELIVERIES: &str = "/api/v1/deliveries";
/// How long a call that should be held is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

type Answer = (StatusCode, Value);

/// A gateway of two instances that knows two types of events.
async fn gateway() -> TestGateway {
    gateway_with(&[]).await
}

/// The same with these settings.
async fn gateway_with(settings: &[(&str, &str)]) -> TestGateway {
    let gateway = TestGateway::with_settings(&["a", "b"], settings).await;
    for event_type in ["ticket.updated", "ticket.closed"] {
        gateway.create(EVENT_TYPES, json!({"ref": event_type})).await;
    }
    gateway
}

fn tenant() -> TenantSlug {
    TenantSlug::try_from(TENANT.to_owned()).expect("a slug")
}

/// A sink that is subscribed to `ticket.updated` and active.
async fn subscribed(gateway: &TestGateway, sink: &Sink, more: Value) -> Value {
    gateway.subscribe(sink, &["ticket.updated"], more).await
}

/// Calls as the operator, expecting nothing.
async fn call(gateway: &TestGateway, method: Method, path: &str, body: Option<Value>) -> Answer {
    gateway.api(method, path, gateway.admin_token(), body).await
}

/// Does something to a subscription, and it is done.
async fn act(gateway: &TestGateway, made: &Value, verb: &str) -> Value {
    let path = format!("{}/{verb}", path(made));
    let (status, answer) = call(gateway, Method::POST, &path, None).await;
    assert!(status.is_success(), "{path}: {status} {answer}");
    answer["data"].clone()
}

/// Deletes a subscription.
async fn delete(gateway: &TestGateway, made: &Value) {
    let (status, answer) = call(gateway, Method::DELETE, &path(made), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
}

/// Replaces members of a subscription's settings, at the version that it has. Gives it as it is then.
async fn replace(gateway: &TestGateway, made: &Value, url: &str, event_type: &str) -> Value {
    let path = path(made);
    let version = now(gateway, made).await["version"].clone();
    let body = json!({"name": "sink", "url": url, "events": [event_type]}).to_string();
    let request = Request::put(&path)
        .header(AUTHORIZATION, format!("Bearer {}", gateway.admin_token()))
        .header(CONTENT_TYPE, "application/json")
        .header(IF_MATCH, format!("\"{version}\""))
        .body(Bytes::from(body));
    let response = management::handle(&gateway.instance(0).management, request.expect("a request")).await;
    let answer: Value = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(response.status(), StatusCode::OK, "{answer}");
    answer["data"].clone()
}

/// Publishes a numbered `ticket.updated`, a second after whatever was before, and lets nothing follow. Gives its id.
async fn publish(gateway: &TestGateway, n: u64) -> String {
    gateway.advance(SignedDuration::from_secs(1));
    let event = json!({"type": "ticket.updated", "data": {"n": n}});
    let (status, answer) = call(gateway, Method::POST, EVENTS, Some(event)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    text(&answer["data"]["id"])
}

/// The same, and the queues are worked. Gives its id.
async fn happens(gateway: &TestGateway, n: u64) -> String {
    let id = publish(gateway, n).await;
    gateway.drain(gateway.instance(0)).await;
    id
}

/// Lets time pass, then sweeps and works the queues.
async fn later(gateway: &TestGateway, by: SignedDuration) {
    gateway.advance(by);
    gateway.tick(gateway.instance(0)).await;
    gateway.drain(gateway.instance(0)).await;
}

/// One instance works a message that comes for the second time, without trouble.
async fn work(instance: &Instance, message: &Message) {
    let received = Received { message_id: "m".to_owned(), body: message.encode(), receive_count: 2 };
    let failed = Arc::clone(&instance.dispatcher).handle(vec![received], instance.dispatcher_deadline()).await;
    assert_eq!(failed, [] as [String; 0]);
}

/// Publishes an event whose first attempt is made by an instance that dies before it can record the answer. Gives its
/// id.
async fn sender_dies(gateway: &TestGateway, sink: &Sink) -> String {
    let before = sink.received().len();
    let event = publish(gateway, 1).await;
    sink.hang(true);
    let death = async {
        sink.got(before + 1).await;
        gateway.cloud.faults().set(Fault::new(FaultKind::Crash { effect: false }).by("b"));
        sink.hang(false);
    };
    tokio::join!(gateway.drain(gateway.instance(1)), death);
    assert!(gateway.cloud.faults().is_dead("b"));
    event
}

/// Waits until a call is held, does something, and lets the call go on.
async fn while_held(gateway: &TestGateway, meanwhile: impl Future<Output = ()>) {
    tokio::time::timeout(PATIENCE, gateway.cloud.faults().paused()).await.expect("a call is held");
    meanwhile.await;
    gateway.cloud.faults().release();
}

/// The path of a subscription that was made.
fn path(made: &Value) -> String {
    format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]))
}

fn id_of(made: &Value) -> SubscriptionId {
    text(&made["data"]["id"]).parse().expect("the id of a subscription")
}

/// A subscription as it is now.
async fn now(gateway: &TestGateway, made: &Value) -> Value {
    gateway.get(&path(made)).await["data"].clone()
}

/// The deliveries of one kind to a subscription, the oldest first.
async fn deliveries(gateway: &TestGateway, made: &Value, kind: &str) -> Vec<Value> {
    let id = text(&made["data"]["id"]);
    let mut all = list(gateway, &format!("{DELIVERIES}?kind={kind}&limit=100&subscription_id={id}")).await;
    all.reverse();
    all
}

/// The states of the deliveries of events, the oldest first.
async fn states(gateway: &TestGateway, made: &Value) -> Vec<Value> {
    deliveries(gateway, made, "event").await.iter().map(|delivery| delivery["state"].clone()).collect()
}

/// The one delivery of an event to a subscription.
async fn delivery(gateway: &TestGateway, made: &Value) -> Value {
    let all = deliveries(gateway, made, "event").await;
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

/// The numbers of the events that a sink got, in the order of their coming.
fn numbers(sink: &Sink) -> Vec<Value> {
    let body = |body: &Bytes| serde_json::from_slice::<Value>(body).expect("JSON");
    sink.received().iter().map(|request| body(&request.body)["data"]["n"].clone()).collect()
}

/// So many answers that the target tells later.
fn promises(times: usize) -> Vec<Reply> {
    vec![Reply::status(202).with("hookport-callback", "async"); times]
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    let error = &answer.1["error"];
    assert_eq!((answer.0.as_u16(), error["code"].as_str()), (status, Some(code)), "{}", answer.1);
}
