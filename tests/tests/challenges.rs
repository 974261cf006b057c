//! Challenges and subscriptions: how a target proves itself, and what a subscription's states do with events.

#[path = "challenges/changes.rs"]
mod changes;
#[path = "challenges/events.rs"]
mod events;
#[path = "challenges/failures.rs"]
mod failures;
#[path = "challenges/held.rs"]
mod held;
#[path = "challenges/in_flight.rs"]
mod in_flight;
#[path = "challenges/logs.rs"]
mod logs;
#[path = "challenges/patching.rs"]
mod patching;
#[path = "challenges/pausing.rs"]
mod pausing;
#[path = "challenges/proving.rs"]
mod proving;
#[path = "challenges/quotas.rs"]
mod quotas;
#[path = "challenges/renewal.rs"]
mod renewal;
#[path = "challenges/rotation.rs"]
mod rotation;
#[path = "challenges/secrets.rs"]
mod secrets;
#[path = "challenges/sending.rs"]
mod sending;
#[path = "challenges/states.rs"]
mod states;

use std::time::Duration;

use bytes::Bytes;
use hookport_tests::gateway::{SECRET, TestGateway, answer, merge, text};
use hookport_tests::inbound::{URL, kept};
use hookport_tests::sink::{Reply, SinkRequest};
use hookport_tests::{SenderRequest, Sink};
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

/// Where subscriptions are made and found.
const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
/// An answer that proves a target: `{challenge}` stands for what it was sent.
const ECHO: &str = r#"{"challenge":"{challenge}"}"#;
/// The pause between two tries of a challenge.
const BETWEEN_TRIES: SignedDuration = SignedDuration::from_secs(30);

/// A status and the JSON of an answer.
type Answer = (StatusCode, Value);

/// A gateway with these instances and a webhook that makes events of the type `github.push`.
async fn gateway_of(instances: &[&str]) -> TestGateway {
    let gateway = TestGateway::with_instances(instances).await;
    gateway.webhook("github", json!({})).await;
    gateway
}

/// What is asked of a subscription that is to be made or replaced; `more` changes members.
fn settings(sink: &Sink, more: Value) -> Value {
    let mut body = json!({"name": "sink", "url": sink.url("/hook"), "events": ["github.push"]});
    merge(&mut body, more);
    body
}

/// Makes a subscription to `github.push` that is held.
async fn held(gateway: &TestGateway, sink: &Sink) -> Value {
    gateway.ask_for_subscription(sink, &["github.push"], json!({"trigger_challenge": false})).await
}

/// Makes a subscription to `github.push` whose target has proven itself.
async fn active(gateway: &TestGateway, sink: &Sink, more: Value) -> Value {
    gateway.subscribe(sink, &["github.push"], more).await
}

/// The path of what was made.
fn path_of(made: &Value) -> String {
    format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]))
}

/// A subscription as it is shown now.
async fn shown(gateway: &TestGateway, path: &str) -> Value {
    gateway.get(path).await["data"].clone()
}

/// The state of a subscription.
async fn state(gateway: &TestGateway, path: &str) -> String {
    text(&shown(gateway, path).await["state"])
}

/// Calls as the operator, expecting nothing.
async fn call(gateway: &TestGateway, method: Method, path: &str, body: Value) -> Answer {
    gateway.api(method, path, gateway.admin_token(), Some(body)).await
}

/// Changes something as the operator and gives the whole answer.
async fn done(gateway: &TestGateway, method: Method, path: &str, body: Value) -> Value {
    let (status, answer) = call(gateway, method, path, body).await;
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer
}

/// Deletes something as the operator and gives the status.
async fn delete(gateway: &TestGateway, path: &str) -> StatusCode {
    gateway.api(Method::DELETE, path, gateway.admin_token(), None).await.0
}

/// What asks for a challenge.
fn trigger() -> Value {
    json!({"trigger_challenge": true})
}

/// A request of the operator's, whose answer's headers matter.
fn request(gateway: &TestGateway, method: Method, path: &str, body: &Value) -> Request<Bytes> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(AUTHORIZATION, format!("Bearer {}", gateway.admin_token()))
        .header(CONTENT_TYPE, "application/json");
    request.body(Bytes::from(body.to_string())).expect("a request")
}

/// The answer of one instance's API.
async fn asked(gateway: &TestGateway, instance: usize, request: Request<Bytes>) -> Response<Bytes> {
    management::handle(&gateway.instance(instance).management, request).await
}

/// A request that replaces the settings of a subscription whose version is known.
fn replacement(gateway: &TestGateway, path: &str, version: u64, body: &Value) -> Request<Bytes> {
    let mut put = request(gateway, Method::PUT, path, body);
    let tag = HeaderValue::try_from(format!("\"{version}\"")).expect("a header's value");
    put.headers_mut().insert(IF_MATCH, tag);
    put
}

/// Replaces the settings of a subscription whose version is known, expecting nothing.
async fn replaced(gateway: &TestGateway, path: &str, version: u64, body: &Value) -> Answer {
    let response = asked(gateway, 0, replacement(gateway, path, version, body)).await;
    (response.status(), answer(&response))
}

/// A header of an answer; empty when it is missing.
fn header(response: &Response<Bytes>, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// Checks the status and the code of a refusal, and gives its message.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> String {
    let error = &answer.1["error"];
    assert_eq!((answer.0.as_u16(), error["code"].as_str()), (status, Some(code)), "{}", answer.1);
    text(&error["message"])
}

/// An event whose body is a number, a second after whatever was before. It waits in the queue.
async fn happens(gateway: &TestGateway, n: u64) {
    gateway.advance(SignedDuration::from_secs(1));
    kept(gateway, URL, &SenderRequest::json(format!(r#"{{"n":{n}}}"#)).signed(SECRET)).await;
}

/// The same, and the queues are worked.
async fn delivered(gateway: &TestGateway, n: u64) {
    happens(gateway, n).await;
    gateway.drain(gateway.instance(0)).await;
}

/// The numbers of the events that a target got, in the order of their coming.
fn numbers(sink: &Sink) -> Vec<u64> {
    let number = |request: &SinkRequest| json_of(request)["n"].as_u64().unwrap_or_default();
    sink.received().iter().map(number).collect()
}

/// The body of a request.
fn json_of(request: &SinkRequest) -> Value {
    serde_json::from_slice(&request.body).expect("a JSON body")
}

/// What a challenge asks to be echoed.
fn value_of(challenge: &SinkRequest) -> String {
    text(&json_of(challenge)["challenge"])
}

/// The answer that proves a target.
fn echo() -> Reply {
    Reply::status(200).saying(ECHO)
}

/// So many answers of 500.
fn failing(times: usize) -> Vec<Reply> {
    vec![Reply::status(500); times]
}

/// What an independent implementation, holding this secret, signs a request with. It is not asked to verify, because
/// it compares with the time of day, which is not that of a test.
fn signature(secret: &Value, request: &SinkRequest) -> String {
    signature_by(&Webhook::new(&text(secret)).expect("a Standard Webhooks secret"), request)
}

fn signature_by(holder: &Webhook, request: &SinkRequest) -> String {
    let timestamp = request.header("webhook-timestamp").parse().expect("seconds");
    holder.sign(request.header("webhook-id"), timestamp, &request.body).expect("signed")
}

/// Lets time pass, then sweeps and works the queues.
async fn later(gateway: &TestGateway, by: SignedDuration) {
    gateway.advance(by);
    gateway.tick(gateway.instance(0)).await;
    gateway.drain(gateway.instance(0)).await;
}

/// The three tries of a challenge, brought by the queue alone.
async fn three_tries(gateway: &TestGateway) {
    gateway.drain(gateway.instance(0)).await;
    for _ in 0..2 {
        gateway.advance(BETWEEN_TRIES);
        gateway.drain(gateway.instance(0)).await;
    }
}

/// Works the queues; when the target has got `challenges` in all and holds the last one, `meanwhile` happens before it
/// answers.
async fn while_in_flight(gateway: &TestGateway, sink: &Sink, challenges: usize, meanwhile: impl Future<Output = ()>) {
    let other = async {
        let got = async {
            while sink.challenges().len() < challenges {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), got).await.expect("the target is challenged");
        meanwhile.await;
        sink.hang(false);
    };
    sink.hang(true);
    tokio::join!(gateway.drain(gateway.instance(0)), other);
}

/// The types of the events that a target got, in the order of their coming.
fn types(sink: &Sink) -> Vec<String> {
    sink.received().iter().map(|request| request.header("hookport-event-type").to_owned()).collect()
}
