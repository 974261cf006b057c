//! Calls as the suite makes them, and what it expects of every refusal.

use bytes::Bytes;
use hookport_tests::TestGateway;
use hookport_tests::gateway::text;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

pub const WEBHOOKS: &str = "/api/v1/inbound-webhooks";
pub const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
pub const TOKENS: &str = "/api/v1/api-tokens";
pub const TENANTS: &str = "/api/v1/tenants";

pub const EVENT_TYPES: &str = "/api/v1/event-types";

pub type Answer = (StatusCode, Value);

/// Calls with any token.
pub async fn call(gateway: &TestGateway, method: Method, path: &str, token: &str, body: Option<Value>) -> Answer {
    gateway.api(method, path, token, body).await
}

/// Posts as the operator, expecting nothing.
pub async fn post(gateway: &TestGateway, path: &str, body: Value) -> Answer {
    gateway.api(Method::POST, path, gateway.admin_token(), Some(body)).await
}

/// Puts as the operator, expecting nothing.
pub async fn put(gateway: &TestGateway, path: &str, body: Value) -> Answer {
    gateway.api(Method::PUT, path, gateway.admin_token(), Some(body)).await
}

/// Gets as the operator, expecting nothing.
pub async fn get(gateway: &TestGateway, path: &str) -> Answer {
    gateway.api(Method::GET, path, gateway.admin_token(), None).await
}

/// Deletes as the operator, expecting nothing.
pub async fn delete(gateway: &TestGateway, path: &str) -> Answer {
    gateway.api(Method::DELETE, path, gateway.admin_token(), None).await
}

/// Sends bytes as they are, with the operator's token and this content type.
pub async fn raw(
    gateway: &TestGateway,
    method: Method,
    path: &str,
    content_type: Option<&str>,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header(AUTHORIZATION, format!("Bearer {}", gateway.admin_token()));
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    send(gateway, request.body(body.into()).expect("a request")).await
}

/// Sends a request as it is.
pub async fn send(gateway: &TestGateway, request: Request<Bytes>) -> Response<Bytes> {
    management::handle(&gateway.instance(0).management, request).await
}

/// The status and the JSON of a raw answer.
pub fn read(response: &Response<Bytes>) -> Answer {
    let body = serde_json::from_slice(response.body()).expect("every answer with a body is JSON");
    (response.status(), body)
}

/// Checks a refusal's status, code and shape, and gives its message.
#[track_caller]
pub fn refused(answer: &Answer, status: StatusCode, code: &str) -> String {
    assert_eq!((answer.0, answer.1["error"]["code"].as_str()), (status, Some(code)), "{}", answer.1);
    let message = text(&answer.1["error"]["message"]);
    assert!(!message.is_empty());
    assert_eq!(answer.1, json!({"error": {"code": code, "message": message}}), "nothing else is in the body");
    message
}

/// Checks that a request was refused because of a field.
#[track_caller]
pub fn refused_field(answer: &Answer, field: &str) {
    let message = refused(answer, StatusCode::BAD_REQUEST, "invalid_request");
    assert!(message.contains(field), "the message names {field}: {message}");
}

/// A tenant of its own. Gives its administrator's token.
pub async fn tenant(gateway: &TestGateway, slug: &str) -> String {
    text(&gateway.create(TENANTS, json!({"slug": slug, "name": slug})).await["token"])
}

/// A token of the operator's tenant with just these permissions.
pub async fn token(gateway: &TestGateway, permissions: &[&str]) -> String {
    let body = json!({"name": "test", "permissions": permissions});
    text(&gateway.create(TOKENS, body).await["token"])
}

/// Makes event types: what is subscribed to must be known.
pub async fn known(gateway: &TestGateway, event_types: &[&str]) {
    for event_type in event_types {
        gateway.create(EVENT_TYPES, json!({"ref": event_type})).await;
    }
}

/// The ids of a page.
pub fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().expect("a list").iter().map(|item| text(&item["id"])).collect()
}
