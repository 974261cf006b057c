//! What is no authentication.

use hookport_tests::Sink;
use http::Method;
use serde_json::{Value, json};

use crate::{SUBSCRIPTIONS, gateway, refused};

const CERTIFICATE: &str = include_str!("../../fixtures/mtls/client.pem");
const KEY: &str = include_str!("../../fixtures/mtls/client.key");

fn oauth2(more: &Value) -> Value {
    let mut credential = json!({
        "type": "oauth2", "token_url": "https://id.example.com/token", "client_id": "hookport",
        "client_secret": "sesame",
    });
    hookport_tests::gateway::merge(&mut credential, more.clone());
    json!({"credential": credential})
}

/// B11: neither the gateway's headers nor the subscription's own are written twice.
#[tokio::test]
async fn b11_an_authentication_is_refused_with_the_member_that_is_wrong() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let bearer = json!({"credential": {"type": "bearer", "token": "t"}});
    let key =
        |place: &str, name: &str| json!({"credential": {"type": "api_key", "in": place, "name": name, "value": "k"}});
    let mtls = |certificate: &str, key: &str| json!({"mtls": {"certificate": certificate, "private_key": key}});
    let cases = [
        (json!({}), "auth: must have a credential"),
        (json!([]), "auth: "),
        (json!({"credential": {"type": "magic"}}), "auth.credential"),
        (json!({"credential": {"type": "bearer", "token": "a\r\nx-evil: 1"}}), "auth.credential.token"),
        (json!({"credential": {"type": "bearer", "token": "(hidden)"}}), "auth.credential.token"),
        (json!({"credential": {"type": "basic", "username": "a:b", "password": ""}}), "auth.credential.username"),
        (key("header", "Webhook-Signature"), "auth.credential.name"),
        (key("header", "Content-Length"), "auth.credential.name"),
        (key("header", "X-Team"), "auth.credential: writes the header x-team"),
        (key("query", "a"), "auth.credential.name"),
        (oauth2(&json!({"token_url": "http://10.0.0.1/token"})), "auth.credential.token_url"),
        (oauth2(&json!({"token_url": "https://metadata.google.internal/"})), "auth.credential.token_url"),
        (oauth2(&json!({"token_url": "ftp://id.example.com/"})), "auth.credential"),
        (oauth2(&json!({"params": {"client_assertion": "x"}})), "auth.credential.params"),
        (mtls("x", KEY), "auth.mtls.certificate"),
        (mtls(CERTIFICATE, "x"), "auth.mtls.private_key"),
        (mtls(CERTIFICATE, KEY), "auth.mtls: needs a target whose URL starts with https"),
    ];
    let headers = json!({"x-team": "blue"});
    let url = sink.url("/?a=b");
    let body = |auth: Value, headers: &Value| {
        let mut body = json!({"name": "x", "url": url, "events": ["*"], "headers": headers});
        body["auth"] = auth;
        body
    };
    for (auth, says) in cases {
        let answer = gateway.api(Method::POST, SUBSCRIPTIONS, gateway.admin_token(), Some(body(auth, &headers))).await;
        refused(&answer, says);
    }
    let own = json!({"Authorization": "Bearer of-my-own"});
    let answer = gateway.api(Method::POST, SUBSCRIPTIONS, gateway.admin_token(), Some(body(bearer, &own))).await;
    refused(&answer, "auth.credential: writes the header authorization");
}

/// A host that the operator denies grants no tokens either.
#[tokio::test]
async fn a_token_endpoint_on_the_deny_list_is_refused() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let rule = json!({"pattern": "id.example.com", "description": "tests"});
    gateway.create("/api/v1/egress-rules", rule).await;
    let body = json!({"name": "x", "url": sink.url("/"), "events": ["*"], "auth": oauth2(&json!({}))});
    let answer = gateway.api(Method::POST, SUBSCRIPTIONS, gateway.admin_token(), Some(body)).await;
    refused(&answer, "auth.credential.token_url");
}
