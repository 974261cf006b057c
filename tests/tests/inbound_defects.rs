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
use hookport_tests::gateway::{TENANT, TestGateway};
use hookport_tests::inbound::{FORGOTTEN, URL, WEBHOOKS, kept, keyed, list, rows, sent};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

fn tenant() -> TenantSlug {
    TenantSlug::try_from(TENANT.to_owned()).expect("a slug")
}

/// Calls the management API as the operator.
async fn call(gateway: &TestGateway, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    gateway.api(method, path, gateway.admin_token(), Some(body)).await
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
