//! Every way in which a sender can prove itself, through the front: taken when right, and otherwise a bare 401.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use hookport_tests::gateway::{TestGateway, answer, merge, text};
use hookport_tests::issuer::{ISSUER, Issuer};
use hookport_tests::schemes::{self, SECRET, Scheme};
use hookport_tests::{SenderRequest, Sink};
use http::{HeaderMap, Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

async fn webhook(gateway: &TestGateway, scheme: &Scheme, more: Value) -> String {
    let mut settings = scheme.settings.clone();
    merge(&mut settings, more);
    gateway.webhook(scheme.name, settings).await
}

fn url(scheme: &Scheme, query: &str) -> String {
    format!("/api/inbound/default/{}{query}", scheme.name)
}

fn body() -> SenderRequest {
    SenderRequest::json(r#"{"id":"first","a":1}"#)
}

/// D1 to D4: the right proof is taken; a wrong one, none, and a body changed on the way are refused.
#[tokio::test]
async fn d1_d2_d3_d4_each_scheme_takes_what_is_right_and_nothing_else() {
    let gateway = TestGateway::new().await;
    let instance = gateway.instance(0);
    let issuer = Arc::new(Issuer::start().await);
    for scheme in schemes::all(&issuer) {
        webhook(&gateway, &scheme, json!({})).await;
        let now = gateway.clock.now();
        let right = gateway.send(instance, &url(&scheme, scheme.query), &scheme.prove(body(), now)).await;
        assert_eq!(right.status(), StatusCode::OK, "{}", scheme.name);
        let wrong = scheme.spoil(body(), now);
        let refused = [
            gateway.send(instance, &url(&scheme, scheme.wrong_query), &wrong).await,
            gateway.send(instance, &url(&scheme, ""), &body()).await,
        ];
        for response in refused {
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{}", scheme.name);
            assert!(response.body().is_empty() && response.headers().is_empty(), "{}", scheme.name);
        }
    }
    assert_eq!(issuer.fetches(), 1, "the issuer's keys are fetched once and remembered");
}

/// D1: a signature under another header's name is none; D13: it is the raw bytes that are signed.
#[tokio::test]
async fn d1_a_changed_body_and_a_wrong_header_are_refused_under_every_signature() {
    let gateway = TestGateway::new().await;
    let instance = gateway.instance(0);
    for scheme in schemes::all(&Arc::new(Issuer::start().await)).into_iter().take(4) {
        webhook(&gateway, &scheme, json!({})).await;
        let mut changed = scheme.prove(body(), gateway.clock.now());
        changed.body = r#"{"id":"first","a":2}"#.into();
        assert_eq!(gateway.send(instance, &url(&scheme, ""), &changed).await.status(), StatusCode::UNAUTHORIZED);
        let mut renamed = scheme.prove(body(), gateway.clock.now());
        let value = renamed.headers.remove("x-signature").expect("a signature");
        renamed.headers.insert("x-other", value);
        assert_eq!(gateway.send(instance, &url(&scheme, ""), &renamed).await.status(), StatusCode::UNAUTHORIZED);
    }
}

/// D5, defect 30: unknown tenant, unknown slug, disabled, and every kind of bad proof: the same bytes, and the same
/// number of tags over the body, whatever the scheme; also while two secrets are taken.
#[tokio::test]
async fn d5_every_bare_401_has_the_same_bytes_and_costs_the_same_tags() {
    let gateway = TestGateway::new().await;
    let instance = gateway.instance(0);
    let schemes = schemes::all(&Arc::new(Issuer::start().await));
    let mut urls = vec![
        ("/api/inbound/nobody/github".to_owned(), body()),
        ("/api/inbound/default/nothing".to_owned(), body()),
        ("/api/inbound/default/Not%20A%20Slug".to_owned(), body()),
    ];
    for scheme in &schemes {
        let id = webhook(&gateway, scheme, json!({})).await;
        let now = gateway.clock.now();
        urls.push((url(scheme, scheme.wrong_query), scheme.spoil(body(), now)));
        urls.push((url(scheme, ""), body()));
        urls.push((url(scheme, ""), body().with("x-signature", "sha256=zz").with("authorization", "Bearer")));
        if scheme.name == "hmac-sha256" {
            let path = format!("/api/v1/inbound-webhooks/{id}/rotate-secret");
            let overlap = Some(json!({"overlap_seconds": 3600}));
            let (status, _) = gateway.api(Method::POST, &path, gateway.admin_token(), overlap).await;
            assert_eq!(status, StatusCode::OK);
        }
    }
    gateway.webhook("off", json!({"is_active": false})).await;
    urls.push(("/api/inbound/default/off".to_owned(), body()));
    for (url, request) in urls {
        let before = instance.receiver.tags_computed();
        let response = gateway.send(instance, &url, &request).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{url}");
        assert_eq!(response.headers(), &HeaderMap::new(), "{url}");
        assert!(response.body().is_empty(), "{url}");
        assert_eq!(instance.receiver.tags_computed() - before, 2, "{url}");
    }
}

/// D7: equal keys at one instant are dispatched once under every scheme, with every limit on.
#[tokio::test]
async fn d7_equal_keys_at_one_instant_are_dispatched_once_under_every_scheme() {
    const TASKS: usize = 64;
    let limits = [("RATE_PER_SOURCE", "64"), ("RATE_PER_TENANT", "64"), ("RATE_GLOBAL", "64")];
    for (place, scheme) in schemes::all(&Arc::new(Issuer::start().await)).into_iter().enumerate() {
        let gateway = TestGateway::with_settings(&["a", "b"], &limits).await;
        let sink = Sink::start().await;
        // Half of them take the key from a header, half from the body.
        let source = if place % 2 == 0 {
            json!({"type": "header", "value": "Idempotency-Key"})
        } else {
            json!({"type": "jsonpath", "value": "$.id"})
        };
        let more = json!({"idempotency_source": source, "rate_limit": {"requests": TASKS, "window_seconds": 60}});
        webhook(&gateway, &scheme, more).await;
        gateway.subscribe(&sink, &["github.*"], json!({})).await;
        let request = scheme.prove(body().with("idempotency-key", "first"), gateway.clock.now());
        let url = url(&scheme, scheme.query);
        let sent = (0..TASKS).map(|n| gateway.send(gateway.instance(n % 2), &url, &request));
        let responses = join_all(sent).await;
        for response in &responses {
            assert_eq!(response.status(), StatusCode::OK, "{}: {:?}", scheme.name, response.body());
        }
        let answers: Vec<Value> = responses.iter().map(answer).collect();
        let ids: HashSet<String> = answers.iter().map(|a| text(&a["delivery_id"])).collect();
        assert_eq!(ids.len(), 1, "{}: {answers:?}", scheme.name);
        assert_eq!(answers.iter().filter(|a| a["duplicate"] == true).count(), TASKS - 1, "{}", scheme.name);
        gateway.settle(gateway.instance(0)).await;
        assert_eq!(sink.received().len(), 1, "{}", scheme.name);
    }
}

/// D13: after a rotation both secrets are taken until the overlap ends, and the old one never again.
#[tokio::test]
async fn d13_the_old_secret_is_taken_until_the_overlap_ends() {
    let gateway = TestGateway::new().await;
    let instance = gateway.instance(0);
    for scheme in schemes::all(&Arc::new(Issuer::start().await)) {
        if ["ip-allowlist", "jwt", "all"].contains(&scheme.name) {
            continue;
        }
        let id = webhook(&gateway, &scheme, json!({})).await;
        let path = format!("/api/v1/inbound-webhooks/{id}/rotate-secret");
        let rotation = Some(json!({"secret": "the next secret of the scheme", "overlap_seconds": 60}));
        let (status, answer) = gateway.api(Method::POST, &path, gateway.admin_token(), rotation).await;
        assert_eq!((status, &answer["secret"]), (StatusCode::OK, &json!("the next secret of the scheme")));
        let send = async || {
            let request = scheme.prove(body(), gateway.clock.now());
            gateway.send(instance, &url(&scheme, scheme.query), &request).await.status()
        };
        assert_eq!(send().await, StatusCode::OK, "{}", scheme.name);
        gateway.advance(SignedDuration::from_secs(59));
        assert_eq!(send().await, StatusCode::OK, "{}", scheme.name);
        gateway.advance(SignedDuration::from_secs(1));
        assert_eq!(send().await, StatusCode::UNAUTHORIZED, "{}: {SECRET} is dead", scheme.name);
    }
}

/// A signed time outside the tolerance is refused, and so is a token past its end or for someone else.
#[tokio::test]
async fn a_stale_signature_and_an_expired_token_are_refused() {
    let gateway = TestGateway::new().await;
    let instance = gateway.instance(0);
    let issuer = Arc::new(Issuer::start().await);
    let all = schemes::all(&issuer);
    let timestamped = all.iter().find(|s| s.name == "timestamped").expect("the scheme");
    webhook(&gateway, timestamped, json!({})).await;
    for (away_s, status) in [
        (-300, StatusCode::OK),
        (-301, StatusCode::UNAUTHORIZED),
        (300, StatusCode::OK),
        (301, StatusCode::UNAUTHORIZED),
    ] {
        let signed_at = gateway.clock.now().saturating_add(SignedDuration::from_secs(away_s)).expect("a time");
        let request = timestamped.prove(body(), signed_at);
        assert_eq!(gateway.send(instance, &url(timestamped, ""), &request).await.status(), status, "{away_s} s");
    }

    let jwt = all.iter().find(|s| s.name == "jwt").expect("the scheme");
    webhook(&gateway, jwt, json!({})).await;
    let now = gateway.clock.now().as_second();
    for (claims, status) in [
        (json!({"iss": ISSUER, "aud": "hookport", "exp": now + 10}), StatusCode::OK),
        (json!({"iss": ISSUER, "aud": ["x", "hookport"], "exp": now + 10}), StatusCode::OK),
        (json!({"iss": ISSUER, "aud": "hookport", "exp": now - 61}), StatusCode::UNAUTHORIZED),
        (json!({"iss": ISSUER, "aud": "hookport"}), StatusCode::UNAUTHORIZED),
        (json!({"iss": ISSUER, "aud": "hookport", "exp": now + 10, "nbf": now + 120}), StatusCode::UNAUTHORIZED),
        (json!({"iss": "https://other.example", "aud": "hookport", "exp": now + 10}), StatusCode::UNAUTHORIZED),
        (json!({"iss": ISSUER, "exp": now + 10}), StatusCode::UNAUTHORIZED),
    ] {
        let request = body().with("authorization", &format!("Bearer {}", issuer.sign(&claims)));
        assert_eq!(gateway.send(instance, &url(jwt, ""), &request).await.status(), status, "{claims}");
    }
}

/// An accepted request costs the same calls whatever proof it uses: its claim, its row and the hint, and no read.
#[tokio::test]
async fn an_accepted_request_costs_the_same_calls_under_every_scheme() {
    let gateway = TestGateway::new().await;
    let instance = gateway.instance(0);
    for scheme in schemes::all(&Arc::new(Issuer::start().await)) {
        let more = json!({"idempotency_source": {"type": "header", "value": "Idempotency-Key"}});
        webhook(&gateway, &scheme, more).await;
        let url = url(&scheme, scheme.query);
        for key in ["warm", "counted"] {
            gateway.cloud.meter().record();
            let request = scheme.prove(body().with("idempotency-key", key), gateway.clock.now());
            assert_eq!(gateway.send(instance, &url, &request).await.status(), StatusCode::OK, "{}", scheme.name);
        }
        let calls: Vec<String> = gateway.cloud.meter().take_journal().into_iter().map(|call| call.operation).collect();
        assert_eq!(calls, ["PutItem", "PutItem", "SendMessage"], "{}", scheme.name);
    }
}
