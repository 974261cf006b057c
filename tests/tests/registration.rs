//! Registration: listeners make their own subscriptions, with a token or by asking, and every step is recorded.

#[path = "registration/asking.rs"]
mod asking;
#[path = "registration/audited.rs"]
mod audited;
#[path = "registration/by_token.rs"]
mod by_token;
#[path = "registration/once.rs"]
mod once;
#[path = "registration/refused_tokens.rs"]
mod refused_tokens;
#[path = "registration/waiting.rs"]
mod waiting;

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, merge, text};
use hookport_tests::sink::SinkRequest;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
const TOKENS: &str = "/api/v1/registration-tokens";
const REGISTRATIONS: &str = "/api/v1/registrations";
const ASK: &str = "/api/v1/tenants/default/registrations";
const SETTINGS: &str = "/api/v1/registration-settings";
const AUDIT: &str = "/api/v1/audit";
/// The one type of event.
const EVENT_TYPE: &str = "ticket.created";
/// What the listener wants to be sent.
const CHALLENGE: &str = "the-listener-alone-knows-this";

/// A status and the JSON of an answer.
type Answer = (StatusCode, Value);

/// A gateway that knows the type of event.
async fn gateway_of(instances: &[&str]) -> TestGateway {
    let gateway = TestGateway::with_instances(instances).await;
    gateway.create("/api/v1/event-types", json!({"ref": EVENT_TYPE})).await;
    gateway
}

async fn gateway() -> TestGateway {
    gateway_of(&["a"]).await
}

/// Calls as the operator, expecting nothing.
async fn call(gateway: &TestGateway, method: Method, path: &str, body: Value) -> Answer {
    gateway.api(method, path, gateway.admin_token(), Some(body)).await
}

/// Calls as the operator, and it is done.
async fn done(gateway: &TestGateway, method: Method, path: &str, body: Value) -> Value {
    let (status, answer) = call(gateway, method, path, body).await;
    assert!(status.is_success(), "{path}: {status} {answer}");
    answer
}

/// A registration token for `ticket.*`; `more` changes members. The text and the id.
async fn issued(gateway: &TestGateway, more: Value) -> (String, String) {
    let mut body = json!({"name": "build server", "events": ["ticket.*"]});
    merge(&mut body, more);
    let made = gateway.create(TOKENS, body).await;
    (text(&made["token"]), text(&made["data"]["id"]))
}

/// A registration token as it is shown.
async fn token(gateway: &TestGateway, id: &str) -> Value {
    gateway.get(&format!("{TOKENS}/{id}")).await["data"].clone()
}

/// What a listener asks for; `more` changes members.
fn asked(sink: &Sink, more: Value) -> Value {
    let mut body =
        json!({"name": "listener", "url": sink.url("/hook"), "events": [EVENT_TYPE], "challenge": CHALLENGE});
    merge(&mut body, more);
    body
}

/// Registers with a token, expecting nothing.
async fn registers(gateway: &TestGateway, token: &str, body: Value) -> Answer {
    gateway.api(Method::POST, REGISTRATIONS, token, Some(body)).await
}

/// Asks without a token, expecting nothing.
async fn asks(gateway: &TestGateway, body: Value) -> Answer {
    gateway.api(Method::POST, ASK, "", Some(body)).await
}

/// The answer, which is that something was made.
#[track_caller]
fn made(answer: Answer) -> Value {
    assert_eq!(answer.0, StatusCode::CREATED, "{}", answer.1);
    answer.1
}

/// Checks the status and the code of a refusal, and gives its message.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> String {
    let error = &answer.1["error"];
    assert_eq!((answer.0.as_u16(), error["code"].as_str()), (status, Some(code)), "{}", answer.1);
    text(&error["message"])
}

/// The path of what was made.
fn path_of(made: &Value) -> String {
    format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]))
}

/// The state of a subscription.
async fn state(gateway: &TestGateway, path: &str) -> String {
    text(&gateway.get(path).await["data"]["state"])
}

/// Lets a subscription in.
async fn approve(gateway: &TestGateway, path: &str) -> Value {
    done(gateway, Method::POST, &format!("{path}/approve"), json!({})).await["data"].clone()
}

/// Publishes an event a second after whatever was before, and works the queues.
async fn happens(gateway: &TestGateway, more: Value) {
    gateway.advance(SignedDuration::from_secs(1));
    let mut event = json!({"type": EVENT_TYPE, "data": {"ticket": 42}});
    merge(&mut event, more);
    done(gateway, Method::POST, "/api/v1/events", event).await;
    gateway.drain(gateway.instance(0)).await;
}

/// What a challenge asks to be echoed.
fn value_of(challenge: &SinkRequest) -> String {
    let body: Value = serde_json::from_slice(&challenge.body).expect("a JSON body");
    text(&body["challenge"])
}

/// Tells whether an independent implementation, holding this secret, signs a request as it was signed.
fn is_signed(secret: &Value, request: &SinkRequest) -> bool {
    let oracle = Webhook::new(&text(secret)).expect("a Standard Webhooks secret");
    let at = request.header("webhook-timestamp").parse().expect("seconds");
    let expected = oracle.sign(request.header("webhook-id"), at, &request.body).expect("a signature");
    request.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

/// The audit records that a query finds, newest first.
async fn audit(gateway: &TestGateway, query: &str) -> Vec<Value> {
    let found = gateway.get(&format!("{AUDIT}?limit=100{query}")).await;
    found["data"].as_array().expect("a list").clone()
}

/// The actions of the audit records that a query finds, oldest first.
async fn actions(gateway: &TestGateway, query: &str) -> Vec<String> {
    let mut actions: Vec<_> = audit(gateway, query).await.iter().map(|record| text(&record["action"])).collect();
    actions.reverse();
    actions
}

/// Lets time pass, then sweeps and works the queues.
async fn later(gateway: &TestGateway, by: SignedDuration) {
    gateway.advance(by);
    gateway.tick(gateway.instance(0)).await;
    gateway.drain(gateway.instance(0)).await;
}
