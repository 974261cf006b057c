//! Dialects on the wire: how every one looks and is signed, how targets prove themselves in it, the rows of tenants,
//! their keys, templates, and the answers that a publisher waits for.

#[path = "dialects/declared.rs"]
mod declared;
#[path = "dialects/documented.rs"]
mod documented;
#[path = "dialects/forwarded.rs"]
mod forwarded;
#[path = "dialects/keys.rs"]
mod keys;
#[path = "dialects/proofs.rs"]
mod proofs;
#[path = "dialects/secrets.rs"]
mod secrets;
#[path = "dialects/signature.rs"]
mod signature;
#[path = "dialects/target.rs"]
mod target;
#[path = "dialects/templates.rs"]
mod templates;
#[path = "dialects/waiting.rs"]
mod waiting;
#[path = "dialects/wire.rs"]
mod wire;

use std::sync::Arc;

use hookport::dialect::proof::ProofStyle;
use hookport::dialect::{Dialect, catalogue};
use hookport_tests::gateway::{TestGateway, merge, text};
use hookport_tests::inbound::list;
use hookport_tests::sink::SinkRequest;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::target::Target;

const EVENTS: &str = "/api/v1/events";
const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
const DIALECTS: &str = "/api/v1/dialects";
const SIGNING_KEYS: &str = "/api/v1/signing-keys";
const TOKENS: &str = "/api/v1/api-tokens";

/// A status and the JSON of an answer.
type Answer = (StatusCode, Value);

/// A gateway that knows `invoice.paid`.
async fn gateway() -> TestGateway {
    let gateway = TestGateway::new().await;
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    gateway
}

/// Calls as the operator, expecting nothing.
async fn call(gateway: &TestGateway, method: Method, path: &str, body: Option<Value>) -> Answer {
    gateway.api(method, path, gateway.admin_token(), body).await
}

/// Posts as the operator, expecting nothing.
async fn post(gateway: &TestGateway, path: &str, body: Value) -> Answer {
    call(gateway, Method::POST, path, Some(body)).await
}

/// What is asked of a subscription to `invoice.paid`; `more` changes members.
fn settings(target: &Target, more: Value) -> Value {
    let mut body = json!({"name": "target", "url": target.url("/hook"), "events": ["invoice.paid"]});
    merge(&mut body, more);
    body
}

/// Subscribes a target, which proves itself. Gives the whole answer, the secret included.
async fn subscribed(gateway: &TestGateway, target: &Target, more: Value) -> Value {
    let made = gateway.create(SUBSCRIPTIONS, settings(target, more)).await;
    gateway.drain(gateway.instance(0)).await;
    made
}

/// The path of a subscription that was made.
fn path(made: &Value) -> String {
    format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]))
}

/// The state of a subscription that was made.
async fn state(gateway: &TestGateway, made: &Value) -> String {
    text(&gateway.get(&path(made)).await["data"]["state"])
}

/// The deliveries of events to a subscription, newest first.
async fn deliveries(gateway: &TestGateway, made: &Value) -> Vec<Value> {
    let id = text(&made["data"]["id"]);
    list(gateway, &format!("/api/v1/deliveries?kind=event&limit=100&subscription_id={id}")).await
}

/// An event about an entity, with characters in it that have to be written in some way.
fn invoice() -> Value {
    json!({"type": "invoice.paid", "data": {"note": "<a> & é"}, "entity_type": "invoice", "entity_id": "42"})
}

/// Publishes an event and works the queues. Gives its id.
async fn published(gateway: &TestGateway, event: Value) -> String {
    let (status, answer) = post(gateway, EVENTS, event).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    gateway.drain(gateway.instance(0)).await;
    text(&answer["data"]["id"])
}

/// The newest request that a target got, challenges apart.
#[track_caller]
fn newest(target: &Target) -> SinkRequest {
    target.received().pop().expect("the target got something")
}

/// The public part of the key that signs for the tenant from now on.
async fn public_key(gateway: &TestGateway) -> String {
    text(&gateway.get(SIGNING_KEYS).await["data"][0]["public_key"])
}

/// Checks the status and the code of a refusal, and gives its message.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> String {
    let error = &answer.1["error"];
    assert_eq!((answer.0.as_u16(), error["code"].as_str()), (status, Some(code)), "{}", answer.1);
    text(&error["message"])
}

/// A dialect, and a target that is subscribed in it.
struct Spoken {
    dialect: Arc<Dialect>,
    target: Target,
    made: Value,
}

impl Spoken {
    fn name(&self) -> &str {
        self.dialect.name.as_str()
    }

    fn secret(&self) -> String {
        text(&self.made["secret"])
    }

    /// The one request that the target got, challenges apart.
    #[track_caller]
    fn only(&self) -> SinkRequest {
        let mut received = self.target.received();
        assert_eq!(received.len(), 1, "{}", self.name());
        received.remove(0)
    }
}

/// What a subscription says to speak a dialect. That of a chat has to say how its target proves itself, since no target
/// here is a chat.
fn speaking(dialect: &Dialect) -> Value {
    let mut more = json!({"dialect": dialect.name});
    if dialect.proof == ProofStyle::Message {
        more["proof"] = json!("challenge");
    }
    more
}

/// A target for every built-in dialect, each subscribed and proven.
async fn every_dialect(gateway: &TestGateway) -> Vec<Spoken> {
    let mut all = Vec::new();
    for dialect in catalogue::all() {
        let target = Target::start().await;
        let made = subscribed(gateway, &target, speaking(dialect)).await;
        all.push(Spoken { dialect: Arc::clone(dialect), target, made });
    }
    all
}
