//! Who may do what: tokens, their ends, their permissions, and the walls between tenants.

use hookport_tests::TestGateway;
use hookport_tests::gateway::text;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::json;

use crate::client::{
    SUBSCRIPTIONS, TENANTS, TOKENS, WEBHOOKS, call, delete, get, post, read, refused, refused_field, send, tenant,
    token,
};

#[tokio::test]
async fn a_request_without_a_valid_token_is_told_to_bring_one() {
    let gateway = TestGateway::new().await;
    let unknown = format!("Bearer hp_{}", "x".repeat(40));
    let basic = format!("Basic {}", gateway.admin_token());
    for authorization in [None, Some("Bearer"), Some("Bearer hp_short"), Some(&*unknown), Some(&*basic)] {
        let mut request = Request::get(WEBHOOKS);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let response = send(&gateway, request.body(bytes::Bytes::new()).expect("a request")).await;
        refused(&read(&response), StatusCode::UNAUTHORIZED, "unauthorized");
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer", "{authorization:?}");
    }
}

#[tokio::test]
async fn a_token_ends_when_it_was_said_to_end() {
    let gateway = TestGateway::new().await;
    let end = gateway.clock.now() + SignedDuration::from_secs(60);
    let body = json!({"name": "short", "permissions": ["event:read"], "expires_at": end.to_string()});
    let made = gateway.create(TOKENS, body).await;
    assert_eq!(made["data"]["expires_at"], json!(end.to_string()));
    let short = text(&made["token"]);
    gateway.advance(SignedDuration::from_millis(59_999));
    assert_eq!(call(&gateway, Method::GET, "/api/v1/events", &short, None).await.0, StatusCode::OK);
    gateway.advance(SignedDuration::from_millis(1));
    let answer = call(&gateway, Method::GET, "/api/v1/events", &short, None).await;
    refused(&answer, StatusCode::UNAUTHORIZED, "unauthorized");
}

#[tokio::test]
async fn a_revoked_token_is_refused_within_five_seconds() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(TOKENS, json!({"name": "gone", "permissions": ["event:read"]})).await;
    let gone = text(&made["token"]);
    assert_eq!(call(&gateway, Method::GET, "/api/v1/events", &gone, None).await.0, StatusCode::OK);
    let path = format!("{TOKENS}/{}", text(&made["data"]["id"]));
    assert_eq!(delete(&gateway, &path).await, (StatusCode::NO_CONTENT, serde_json::Value::Null));
    gateway.advance(SignedDuration::from_secs(5));
    let answer = call(&gateway, Method::GET, "/api/v1/events", &gone, None).await;
    refused(&answer, StatusCode::UNAUTHORIZED, "unauthorized");
    refused(&delete(&gateway, &path).await, StatusCode::NOT_FOUND, "api_token_not_found");
}

#[tokio::test]
async fn a_token_does_only_what_it_may_and_is_told_what_it_lacks() {
    let gateway = TestGateway::new().await;
    let reader = token(&gateway, &["inbound_webhook:read"]).await;
    assert_eq!(call(&gateway, Method::GET, WEBHOOKS, &reader, None).await.0, StatusCode::OK);
    let answer = call(&gateway, Method::POST, WEBHOOKS, &reader, Some(json!({"name": "x"}))).await;
    let message = refused(&answer, StatusCode::FORBIDDEN, "forbidden");
    assert!(message.contains("inbound_webhook:create"), "{message}");
}

#[tokio::test]
async fn a_token_cannot_give_away_what_it_does_not_have() {
    let gateway = TestGateway::new().await;
    let maker = token(&gateway, &["api_token:create", "event:read"]).await;
    let wanting = |permissions: &[&str]| Some(json!({"name": "x", "permissions": permissions}));
    let granted = call(&gateway, Method::POST, TOKENS, &maker, wanting(&["event:read"])).await;
    assert_eq!(granted.0, StatusCode::CREATED, "{}", granted.1);
    for more in ["delivery:read", "tenant:create"] {
        let answer = call(&gateway, Method::POST, TOKENS, &maker, wanting(&["event:read", more])).await;
        let message = refused(&answer, StatusCode::FORBIDDEN, "forbidden");
        assert!(message.contains(more), "{message}");
    }
}

#[tokio::test]
async fn a_tenants_administrator_cannot_reach_beyond_the_tenant() {
    let gateway = TestGateway::new().await;
    let admin = tenant(&gateway, "acme").await;
    let body = json!({"slug": "globex", "name": "Globex"});
    let answer = call(&gateway, Method::POST, TENANTS, &admin, Some(body)).await;
    refused(&answer, StatusCode::FORBIDDEN, "forbidden");
    refused(&call(&gateway, Method::GET, TENANTS, &admin, None).await, StatusCode::FORBIDDEN, "forbidden");
    let body = json!({"name": "x", "permissions": ["tenant:read"]});
    let answer = call(&gateway, Method::POST, TOKENS, &admin, Some(body)).await;
    refused(&answer, StatusCode::FORBIDDEN, "forbidden");
}

#[tokio::test]
async fn a_tokens_text_is_shown_once() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(TOKENS, json!({"name": "ci", "permissions": ["event:read", "event:read"]})).await;
    let secret = text(&made["token"]);
    assert!(secret.starts_with("hp_") && secret.len() == 43, "{secret}");
    assert!(secret[3..].bytes().all(|b| b.is_ascii_alphanumeric()));
    assert_eq!(made["data"]["permissions"], json!(["event:read"]), "each is there once");
    assert_eq!(made["data"]["expires_at"], json!(null));
    let (_, listed) = get(&gateway, TOKENS).await;
    assert!(listed["data"].as_array().expect("a list").contains(&made["data"]));
    assert!(!listed.to_string().contains(&secret[3..]));
    assert!(!listed.to_string().contains("hash"));
}

#[tokio::test]
async fn a_token_that_makes_no_sense_is_refused() {
    let gateway = TestGateway::new().await;
    let cases = [
        (json!({"permissions": ["event:read"]}), "name"),
        (json!({"name": "x", "permissions": []}), "permissions"),
        (json!({"name": "x", "permissions": ["event:fly"]}), "permissions[0]"),
        (json!({"name": "x", "permissions": "event:read"}), "permissions"),
        (json!({"name": "x", "permissions": ["event:read"], "expires_at": "2001-01-01T00:00:00Z"}), "expires_at"),
        (json!({"name": "x", "permissions": ["event:read"], "expires_at": "tomorrow"}), "expires_at"),
    ];
    for (body, field) in cases {
        refused_field(&post(&gateway, TOKENS, body).await, field);
    }
}

#[tokio::test]
async fn what_another_tenant_has_is_not_found() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let body = json!({"name": "x", "url": "https://example.com/", "events": ["*"]});
    let subscription = text(&gateway.create(SUBSCRIPTIONS, body).await["data"]["id"]);
    let made = gateway.create(TOKENS, json!({"name": "x", "permissions": ["event:read"]})).await;
    let token_id = text(&made["data"]["id"]);
    let other = tenant(&gateway, "acme").await;

    let settings = json!({"name": "x", "slug": "mine"});
    let cases = [
        (Method::GET, format!("{WEBHOOKS}/{webhook}"), None, "inbound_webhook_not_found"),
        (Method::PUT, format!("{WEBHOOKS}/{webhook}"), Some(settings), "inbound_webhook_not_found"),
        (Method::DELETE, format!("{WEBHOOKS}/{webhook}"), None, "inbound_webhook_not_found"),
        (Method::GET, format!("{WEBHOOKS}/{webhook}/deliveries"), None, "inbound_webhook_not_found"),
        (Method::GET, format!("{SUBSCRIPTIONS}/{subscription}"), None, "subscription_not_found"),
        (Method::DELETE, format!("{SUBSCRIPTIONS}/{subscription}"), None, "subscription_not_found"),
        (Method::GET, format!("{SUBSCRIPTIONS}/{subscription}/deliveries"), None, "subscription_not_found"),
        (Method::GET, format!("/api/v1/deliveries?subscription_id={subscription}"), None, "subscription_not_found"),
        (Method::DELETE, format!("{TOKENS}/{token_id}"), None, "api_token_not_found"),
    ];
    for (method, path, body, code) in cases {
        let answer = call(&gateway, method, &path, &other, body).await;
        refused(&answer, StatusCode::NOT_FOUND, code);
    }
    for list in [WEBHOOKS, SUBSCRIPTIONS, "/api/v1/events", "/api/v1/deliveries"] {
        let (status, page) = call(&gateway, Method::GET, list, &other, None).await;
        assert_eq!((status, &page["data"]), (StatusCode::OK, &json!([])), "{list}");
    }
    assert_eq!(get(&gateway, &format!("{WEBHOOKS}/{webhook}")).await.0, StatusCode::OK, "it is still there");
}
