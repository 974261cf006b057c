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

use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::inbound::{FORGOTTEN, URL, WEBHOOKS, kept, keyed, list, rows, sent};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// Changes something as the operator.
async fn put(gateway: &TestGateway, path: &str, body: Value) -> Value {
    let (status, answer) = gateway.api(Method::PUT, path, gateway.admin_token(), Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer
}

/// One thing that a webhook received, with its request.
async fn row(gateway: &TestGateway, webhook: &str, delivery: &str) -> Value {
    gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries/{delivery}")).await["data"].clone()
}

/// Another tenant. Gives its administrator's token.
async fn tenant(gateway: &TestGateway, slug: &str) -> String {
    text(&gateway.create("/api/v1/tenants", json!({"slug": slug, "name": slug})).await["token"])
}
