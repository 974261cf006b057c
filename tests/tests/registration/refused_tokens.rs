//! Whoever shows no token that can be used learns nothing.

use std::collections::BTreeSet;

use bytes::Bytes;
use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::{SenderRequest, Sink};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Method, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{REGISTRATIONS, TOKENS, actions, asked, done, gateway, issued, made, refused, registers};

async fn shows(gateway: &TestGateway, authorization: &str, body: &str) -> Response<Bytes> {
    let mut request = SenderRequest::json(body.to_owned());
    if !authorization.is_empty() {
        request = request.with(AUTHORIZATION.as_str(), authorization);
    }
    management::handle(&gateway.instance(0).management, request.to(REGISTRATIONS)).await
}

#[tokio::test]
async fn tokens_that_cannot_be_used_are_answered_alike() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let ends = gateway.clock.now() + SignedDuration::from_hours(1);
    let (expired, _) = issued(&gateway, json!({"expires_at": ends.to_string()})).await;
    let (used, _) = issued(&gateway, json!({})).await;
    let (revoked, revoked_id) = issued(&gateway, json!({})).await;
    made(registers(&gateway, &used, asked(&sink, json!({"name": "first"}))).await);
    done(&gateway, Method::DELETE, &format!("{TOKENS}/{revoked_id}"), json!({})).await;
    gateway.advance(SignedDuration::from_hours(1));

    let unknown = format!("hpr_{}", "a".repeat(40));
    let good = asked(&sink, json!({})).to_string();
    let mut seen = BTreeSet::new();
    for authorization in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer hpr_short".to_owned(),
        format!("Basic {unknown}"),
        format!("Bearer {unknown}"),
        format!("Bearer {}", gateway.admin_token()),
        format!("Bearer {expired}"),
        format!("Bearer {used}"),
        format!("Bearer {revoked}"),
    ] {
        // Nor does it matter what is asked for.
        for body in [good.as_str(), "{", r#"{"events":["none.such"]}"#] {
            let response = shows(&gateway, &authorization, body).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{authorization} {body}");
            assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
            seen.insert(response.body().clone());
        }
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(actions(&gateway, "&action=registration.refused").await, [] as [String; 0], "nobody proved anything");
}

/// A registration token opens nothing else, and an API token registers nobody.
#[tokio::test]
async fn a_registration_token_is_no_api_token() {
    let gateway = gateway().await;
    let (text, _) = issued(&gateway, json!({})).await;
    for path in ["/api/v1/subscriptions", TOKENS, "/api/v1/audit"] {
        let answer = gateway.api(Method::GET, path, &text, None).await;
        refused(&answer, 401, "unauthorized");
    }
}

#[tokio::test]
async fn the_text_of_a_token_is_shown_once() {
    let gateway = gateway().await;
    let (token, id) = issued(&gateway, json!({})).await;
    assert!(token.starts_with("hpr_") && token.len() == 44, "{token}");
    for path in [TOKENS.to_owned(), format!("{TOKENS}/{id}")] {
        let shown = gateway.get(&path).await.to_string();
        assert!(shown.contains(&id) && !shown.contains(&token[4..]), "{shown}");
    }
    let revoke = format!("{TOKENS}/{id}");
    done(&gateway, Method::DELETE, &revoke, json!({})).await;
    let (status, answer) = gateway.api(Method::DELETE, &revoke, gateway.admin_token(), None).await;
    refused(&(status, answer), 404, "registration_token_not_found");
    assert_eq!(gateway.get(TOKENS).await["data"], json!([]));
}

#[tokio::test]
async fn a_tenant_that_is_switched_off_registers_nobody_and_says_so_to_the_holder() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (token, _) = issued(&gateway, json!({})).await;
    done(&gateway, Method::PUT, "/api/v1/tenants/default", json!({"outbound_enabled": false})).await;
    refused(&registers(&gateway, &token, asked(&sink, json!({}))).await, 403, "outbound_disabled");
    done(&gateway, Method::PUT, "/api/v1/tenants/default", json!({"outbound_enabled": true})).await;
    made(registers(&gateway, &token, asked(&sink, json!({}))).await);
}

/// Guessing is slow: by address, and by token wherever it is tried from.
#[tokio::test]
async fn tries_are_counted_by_address_and_by_token() {
    let gateway = gateway().await;
    let unknown = |n: usize| format!("Bearer hpr_{n:040}");
    let tries = async |authorization: &dyn Fn(usize) -> String, from: &dyn Fn(usize) -> String| {
        let mut statuses = Vec::new();
        for n in 0..70 {
            let request = SenderRequest::json("{}").with(AUTHORIZATION.as_str(), &authorization(n)).from(&from(n));
            let response = management::handle(&gateway.instance(0).management, request.to(REGISTRATIONS)).await;
            statuses.push(response.status().as_u16());
        }
        statuses.iter().filter(|status| **status == 429).count()
    };
    let one = |_: usize| "198.51.100.7".to_owned();
    let many = |n: usize| format!("203.0.113.{n}");
    assert_eq!(tries(&unknown, &one).await, 10, "of one address");
    assert_eq!(tries(&|_| unknown(1_000), &many).await, 10, "of one token");
    assert_eq!(tries(&|n| unknown(2_000 + n), &many).await, 0, "others are not held up");
    gateway.advance(SignedDuration::from_mins(1));
    assert_eq!(tries(&unknown, &one).await, 10);
}

#[tokio::test]
async fn what_is_too_large_or_no_json_is_refused_to_the_holder_alone() {
    let gateway = gateway().await;
    let (token, _) = issued(&gateway, json!({})).await;
    let authorization = format!("Bearer {token}");
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(300 * 1024));
    for (body, status, code) in [(large.as_str(), 413, "too_large"), ("{", 400, "invalid_request")] {
        let response = shows(&gateway, &authorization, body).await;
        let told: Value = serde_json::from_slice(response.body()).expect("JSON");
        assert_eq!((response.status().as_u16(), text(&told["error"]["code"]).as_str()), (status, code));
    }
}
