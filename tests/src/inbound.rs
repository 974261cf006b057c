//! What suites of the inbound side do over and over: make a webhook, send to it, look at what it received.

use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::SenderRequest;
use crate::gateway::{TestGateway, answer, merge, text};

/// Where inbound webhooks are made and found.
pub const WEBHOOKS: &str = "/api/v1/inbound-webhooks";
/// The URL of the webhook that most tests make.
pub const URL: &str = "/api/inbound/default/github";
/// What a receiver remembers is older than this by now.
pub const FORGOTTEN: SignedDuration = SignedDuration::from_secs(5);

/// A webhook that is reached by a key; `more` changes members. Gives its id and its URL.
pub async fn keyed(gateway: &TestGateway, more: Value) -> (String, String) {
    let mut body = json!({"name": "Key", "event_type": "github.push"});
    merge(&mut body, more);
    let made = gateway.create(WEBHOOKS, body).await;
    (text(&made["data"]["id"]), format!("/api/v1/webhooks/{}", text(&made["data"]["webhook_key"])))
}

/// The status that a request is answered with.
pub async fn sent(gateway: &TestGateway, url: &str, request: &SenderRequest) -> u16 {
    gateway.send(gateway.instance(0), url, request).await.status().as_u16()
}

/// Sends a request that is kept, and gives the whole answer.
///
/// # Panics
/// When it is not kept.
pub async fn kept(gateway: &TestGateway, url: &str, request: &SenderRequest) -> Value {
    let response = gateway.send(gateway.instance(0), url, request).await;
    assert_eq!(response.status(), StatusCode::OK, "{url}: {:?}", response.body());
    answer(&response)
}

/// The items of a list.
///
/// # Panics
/// When it is none.
pub async fn list(gateway: &TestGateway, path: &str) -> Vec<Value> {
    gateway.get(path).await["data"].as_array().expect("a list").clone()
}

/// What a webhook received, newest first.
pub async fn rows(gateway: &TestGateway, webhook: &str) -> Vec<Value> {
    list(gateway, &format!("{WEBHOOKS}/{webhook}/deliveries?limit=100")).await
}
