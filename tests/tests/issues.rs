//! Issues: what fails for one cause at one subscription, from its first failure until it is over, and its repair.

#[path = "issues/by_hand.rs"]
mod by_hand;
#[path = "issues/closing.rs"]
mod closing;
#[path = "issues/opening.rs"]
mod opening;
#[path = "issues/seeing.rs"]
mod seeing;
#[path = "issues/telling.rs"]
mod telling;

use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::inbound::list;
use hookport_tests::{Instance, Sink};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const EVENTS: &str = "/api/v1/events";
const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
const ISSUES: &str = "/api/v1/issues";
/// Just after the first look at an issue.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(61);
const QUIET: SignedDuration = SignedDuration::from_mins(5);

/// A gateway that knows `ticket.updated`.
async fn gateway() -> TestGateway {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    gateway.create("/api/v1/event-types", json!({"ref": "ticket.updated"})).await;
    gateway
}

/// A subscription that makes one attempt of each delivery.
async fn subscribed(gateway: &TestGateway, sink: &Sink) -> Value {
    gateway.subscribe(sink, &["ticket.updated"], json!({"retry_schedule": "none"})).await
}

/// Publishes a `ticket.updated` and works the queues on one instance.
async fn happens_on(gateway: &TestGateway, instance: &Instance) {
    let event = json!({"type": "ticket.updated", "data": {}});
    let (status, answer) = gateway.api(Method::POST, EVENTS, gateway.admin_token(), Some(event)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    gateway.drain(instance).await;
}

/// So many events, one after another.
async fn happen(gateway: &TestGateway, times: usize) {
    for _ in 0..times {
        happens_on(gateway, gateway.instance(0)).await;
    }
}

/// Lets time pass, and does all that is due then.
async fn pass(gateway: &TestGateway, time: SignedDuration) {
    let instance = gateway.instance(0);
    gateway.advance(time);
    gateway.drain(instance).await;
    gateway.tick(instance).await;
    gateway.drain(instance).await;
}

/// The issues of the tenant, by their causes.
async fn issues(gateway: &TestGateway) -> Vec<Value> {
    let mut found = list(gateway, ISSUES).await;
    found.sort_by_key(|issue| text(&issue["cause"]));
    found
}

/// The only issue.
async fn issue(gateway: &TestGateway) -> Value {
    let found = issues(gateway).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// Does something with an issue, expecting nothing.
async fn act(gateway: &TestGateway, issue: &Value, verb: &str, body: Option<Value>) -> (StatusCode, Value) {
    let path = format!("{ISSUES}/{}/{verb}", text(&issue["id"]));
    gateway.api(Method::POST, &path, gateway.admin_token(), body).await
}

/// The bodies of what a listener was told.
fn told(listener: &Sink) -> Vec<Value> {
    listener.received().iter().map(|request| serde_json::from_slice(&request.body).expect("JSON")).collect()
}
