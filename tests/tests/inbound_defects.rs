//! Regressions by number: defects that other gateways have on their way in, each held off by a test that names it.
//!
//! Defects 14, 16 to 19, 21 and 27 are held off in the suite of the management API, beside what they are about.

#[path = "inbound_defects/claims.rs"]
mod claims;
#[path = "inbound_defects/fail_open.rs"]
mod fail_open;
#[path = "inbound_defects/refused.rs"]
mod refused;
#[path = "inbound_defects/stored.rs"]
mod stored;
#[path = "inbound_defects/untrusted.rs"]
mod untrusted;

use bytes::Bytes;
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::text::TenantSlug;
use hookport_tests::SenderRequest;
use hookport_tests::gateway::{TENANT, TestGateway, answer, merge, text};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const WEBHOOKS: &str = "/api/v1/inbound-webhooks";
const URL: &str = "/api/inbound/default/github";
/// What a receiver remembers is older than this by now.
const FORGOTTEN: SignedDuration = SignedDuration::from_secs(5);

fn tenant() -> TenantSlug {
    TenantSlug::try_from(TENANT.to_owned()).expect("a slug")
}

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

/// Calls the management API as the operator.
async fn call(gateway: &TestGateway, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    gateway.api(method, path, gateway.admin_token(), Some(body)).await
}

/// The items of a list.
async fn list(gateway: &TestGateway, path: &str) -> Vec<Value> {
    gateway.get(path).await["data"].as_array().expect("a list").clone()
}

/// What a webhook received, newest first.
async fn rows(gateway: &TestGateway, webhook: &str) -> Vec<Value> {
    list(gateway, &format!("{WEBHOOKS}/{webhook}/deliveries?limit=100")).await
}

/// What a webhook refused, newest first.
async fn rejections(gateway: &TestGateway, webhook: &str) -> Vec<Value> {
    list(gateway, &format!("{WEBHOOKS}/{webhook}/rejections?limit=100")).await
}

/// A webhook as it is stored.
async fn stored_webhook(gateway: &TestGateway, webhook: &str) -> InboundWebhook {
    let store = &gateway.instance(0).management_app.store;
    let id = webhook.parse().expect("an id");
    store.inbound_webhook(&tenant(), id).await.expect("read").expect("a webhook")
}

/// Stores a webhook as no caller of the API could, in place of what it is.
async fn store_instead(gateway: &TestGateway, webhook: &str, change: impl FnOnce(&mut InboundWebhook)) {
    let before = stored_webhook(gateway, webhook).await;
    let mut after = InboundWebhook { version: before.version + 1, ..before.clone() };
    change(&mut after);
    let store = &gateway.instance(0).management_app.store;
    store.update_inbound_webhook(&before, &after).await.expect("stored");
    gateway.advance(FORGOTTEN);
}

/// Asks the services themselves.
async fn aws(gateway: &TestGateway, target: &str, body: Value) -> Value {
    let request = Request::post("http://aws.local/").header("x-amz-target", target);
    let request = request.header("content-type", "application/x-amz-json-1.0");
    let request = request.body(Bytes::from(body.to_string())).expect("a request");
    let answer = gateway.cloud.handle("test", request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{target}: {answer:?}");
    serde_json::from_slice(answer.body()).expect("JSON")
}

/// The items of a partition, as they are stored.
async fn items(gateway: &TestGateway, table: &str, partition: &str) -> Vec<Value> {
    let body = json!({
        "TableName": table,
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": partition}},
    });
    aws(gateway, "DynamoDB_20120810.Query", body).await["Items"].as_array().expect("a list").clone()
}
