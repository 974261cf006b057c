//! The acceptance cases of the inbound side, by their numbers, as far as no other suite holds them whole.

#[path = "inbound_acceptance/addresses.rs"]
mod addresses;
#[path = "inbound_acceptance/keys.rs"]
mod keys;
#[path = "inbound_acceptance/logs.rs"]
mod logs;
#[path = "inbound_acceptance/names.rs"]
mod names;
#[path = "inbound_acceptance/order.rs"]
mod order;
#[path = "inbound_acceptance/proofs.rs"]
mod proofs;
#[path = "inbound_acceptance/repeats.rs"]
mod repeats;
#[path = "inbound_acceptance/retention.rs"]
mod retention;
#[path = "inbound_acceptance/subscribers.rs"]
mod subscribers;

use hookport_tests::SenderRequest;
use hookport_tests::gateway::{TestGateway, answer, merge, text};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const WEBHOOKS: &str = "/api/v1/inbound-webhooks";
const URL: &str = "/api/inbound/default/github";
/// What a receiver remembers is older than this by now.
const FORGOTTEN: SignedDuration = SignedDuration::from_secs(5);

/// A webhook that is reached by a key; `more` changes members. Gives its id and its URL.
async fn keyed(gateway: &TestGateway, more: Value) -> (String, String) {
    let mut body = json!({"name": "Key", "event_type": "github.push"});
    merge(&mut body, more);
    let made = gateway.create(WEBHOOKS, body).await;
    (text(&made["data"]["id"]), format!("/api/v1/webhooks/{}", text(&made["data"]["webhook_key"])))
}

/// The status that a request is answered with.
async fn sent(gateway: &TestGateway, url: &str, request: &SenderRequest) -> u16 {
    gateway.send(gateway.instance(0), url, request).await.status().as_u16()
}

/// Sends a request that is kept, and gives the whole answer.
async fn kept(gateway: &TestGateway, url: &str, request: &SenderRequest) -> Value {
    let response = gateway.send(gateway.instance(0), url, request).await;
    assert_eq!(response.status(), StatusCode::OK, "{url}: {:?}", response.body());
    answer(&response)
}

/// Changes something as the operator.
async fn put(gateway: &TestGateway, path: &str, body: Value) -> Value {
    let (status, answer) = gateway.api(Method::PUT, path, gateway.admin_token(), Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer
}

/// The items of a list.
async fn list(gateway: &TestGateway, path: &str) -> Vec<Value> {
    gateway.get(path).await["data"].as_array().expect("a list").clone()
}

/// What a webhook received, newest first.
async fn rows(gateway: &TestGateway, webhook: &str) -> Vec<Value> {
    list(gateway, &format!("{WEBHOOKS}/{webhook}/deliveries?limit=100")).await
}

/// One thing that a webhook received, with its request.
async fn row(gateway: &TestGateway, webhook: &str, delivery: &str) -> Value {
    gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries/{delivery}")).await["data"].clone()
}

/// Another tenant. Gives its administrator's token.
async fn tenant(gateway: &TestGateway, slug: &str) -> String {
    text(&gateway.create("/api/v1/tenants", json!({"slug": slug, "name": slug})).await["token"])
}
