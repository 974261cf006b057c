//! What senders are refused with, and what strangers learn from it: nothing.

use hookport_tests::gateway::{SECRET, TestGateway, answer, text};
use hookport_tests::{SenderRequest, Sink, senders};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::json;

const URL: &str = "/api/inbound/default/github";

/// D5: unknown tenant, unknown slug, disabled and bad proof get the same bodyless 401, by the same calls.
#[tokio::test]
async fn d5_strangers_cannot_tell_an_unknown_slug_from_a_bad_signature() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    gateway.webhook("off", json!({"is_active": false})).await;
    let body = SenderRequest::json(r#"{"a":1}"#);
    let refused = [
        ("/api/inbound/nobody/github", body.clone().signed(SECRET)),
        ("/api/inbound/default/nothing", body.clone().signed(SECRET)),
        ("/api/inbound/default/off", body.clone().signed(SECRET)),
        ("/api/inbound/default/Not%20A%20Slug", body.clone().signed(SECRET)),
        (URL, body.clone().signed("another secret")),
        (URL, body.clone()),
    ];
    gateway.cloud.meter().record();
    for (path, request) in refused {
        let response = gateway.send(gateway.instance(0), path, &request).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(response.headers(), &HeaderMap::new(), "{path}");
        assert!(response.body().is_empty(), "{path}");
    }
}

/// D5: a known and an unknown slug make the same AWS calls.
#[tokio::test]
async fn d5_a_known_and_an_unknown_slug_cost_the_same_calls() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let bad = SenderRequest::json("{}").signed("another secret");
    // Once for the keyring, which is fetched once for all webhooks.
    gateway.webhook("first", json!({})).await;
    gateway.send(gateway.instance(0), "/api/inbound/default/first", &bad).await;
    let mut journals = Vec::new();
    for path in [URL, "/api/inbound/default/nothing"] {
        gateway.advance(jiff::SignedDuration::from_secs(60));
        gateway.cloud.meter().record();
        gateway.send(gateway.instance(0), path, &bad).await;
        journals.push(gateway.cloud.meter().take_journal());
    }
    assert!(!journals[0].is_empty());
    let operations = |n: usize| journals[n].iter().map(|c| format!("{c:?}")).collect::<Vec<_>>();
    let sorted = |mut calls: Vec<String>| {
        calls.sort();
        calls
    };
    assert_eq!(sorted(operations(0)), sorted(operations(1)));
}

/// C7: the size limit is exact, for the webhook's own and for the deployment's.
#[tokio::test]
async fn c7_the_size_limit_is_exact() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({"max_body_bytes": 1000})).await;
    let made = json!({"name": "Key", "auth_type": "none", "max_body_bytes": 1000});
    let made = gateway.create("/api/v1/inbound-webhooks", made).await;
    let key_url = format!("/api/v1/webhooks/{}", text(&made["data"]["webhook_key"]));
    for url in [URL, &key_url] {
        for (bytes, status) in [(1000, StatusCode::OK), (1001, StatusCode::PAYLOAD_TOO_LARGE)] {
            let request = SenderRequest::json(vec![b' '; bytes]).signed(SECRET);
            assert_eq!(gateway.send(gateway.instance(0), url, &request).await.status(), status, "{url} {bytes}");
        }
    }
    gateway.webhook("large", json!({"max_body_bytes": 4 * 1024 * 1024})).await;
    let cap = 4 * 1024 * 1024;
    for (bytes, status) in [(cap, StatusCode::OK), (cap + 1, StatusCode::PAYLOAD_TOO_LARGE)] {
        let request = SenderRequest::json(vec![b' '; bytes]).signed(SECRET);
        let response = gateway.send(gateway.instance(0), "/api/inbound/default/large", &request).await;
        assert_eq!(response.status(), status, "{bytes}");
    }
}

/// C4 (sha256): through the front: upper case, bare, prefixed; and each way to be wrong.
#[tokio::test]
async fn c4_signatures_in_every_spelling_and_every_way_to_be_wrong() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let body = br#"{"event":"test"}"#;
    let tag = hex::encode(senders::hmac_sha256(SECRET, body));
    let cases = [
        (format!("sha256={tag}"), StatusCode::OK),
        (tag.clone(), StatusCode::OK),
        (tag.to_uppercase(), StatusCode::OK),
        (format!("sha256={}", tag.to_uppercase()), StatusCode::OK),
        (format!("sha1={tag}"), StatusCode::UNAUTHORIZED),
        (tag[1..].to_owned(), StatusCode::UNAUTHORIZED),
        (format!("sha256={}", "z".repeat(64)), StatusCode::UNAUTHORIZED),
        (String::new(), StatusCode::UNAUTHORIZED),
    ];
    for (value, status) in cases {
        let request = SenderRequest::json(body.to_vec()).with("x-hub-signature-256", &value);
        assert_eq!(gateway.send(gateway.instance(0), URL, &request).await.status(), status, "{value}");
    }
    let elsewhere = SenderRequest::json(body.to_vec()).with("x-signature", &tag);
    assert_eq!(gateway.send(gateway.instance(0), URL, &elsewhere).await.status(), StatusCode::UNAUTHORIZED);
}

/// C4, defect 31: an empty body and bytes that are no text are fine when the signature is right.
#[tokio::test]
async fn an_empty_body_and_invalid_utf_8_are_taken_as_they_are() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let mut in_a_string = br#"{"name":"caf"#.to_vec();
    in_a_string.extend_from_slice(&[0xe9, b'"', b'}']);
    for (body, content_type) in [
        (Vec::new(), "application/json"),
        (in_a_string, "application/json"),
        (vec![0xff, 0xfe, 0x00], "application/octet-stream"),
        (vec![0xff, 0xfe, 0x00], "text/plain"),
    ] {
        let request = SenderRequest::json(body.clone()).with("content-type", content_type).signed(SECRET);
        assert_eq!(gateway.send(gateway.instance(0), URL, &request).await.status(), StatusCode::OK, "{body:?}");
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(sink.received().last().map(|r| r.body.to_vec()), Some(body));
    }
}

/// Defect 31: JSON that does not parse is answered with 400, kept for its owner to see, and makes no event.
#[tokio::test]
async fn json_that_does_not_parse_is_refused_after_proof_and_kept() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let webhook = gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    for junk in ["{", "{\"a\":}", "nul", "{} {}", "\u{feff}{}"] {
        let unproven = gateway.send(gateway.instance(0), URL, &SenderRequest::json(junk)).await;
        assert_eq!(unproven.status(), StatusCode::UNAUTHORIZED, "{junk}");
        let response = gateway.send(gateway.instance(0), URL, &SenderRequest::json(junk).signed(SECRET)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{junk}");
        assert_eq!(answer(&response)["error"], "invalid_json");
        let id = text(&answer(&response)["delivery_id"]);
        let row = gateway.get(&format!("/api/v1/inbound-webhooks/{webhook}/deliveries/{id}")).await;
        assert_eq!((&row["data"]["status"], &row["data"]["error"]), (&json!("failed"), &json!("invalid_json")));
        assert_eq!(row["data"]["event_id"], json!(null));
    }
    gateway.settle(gateway.instance(0)).await;
    assert!(sink.received().is_empty());
    assert_eq!(gateway.get("/api/v1/events?type=github.*").await["data"], json!([]));
}

/// D20: POST, PUT and PATCH are the same; others are not allowed.
#[tokio::test]
async fn d20_post_put_and_patch_are_taken_and_nothing_else() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    for (method, status) in [
        (Method::POST, StatusCode::OK),
        (Method::PUT, StatusCode::OK),
        (Method::PATCH, StatusCode::OK),
        (Method::GET, StatusCode::METHOD_NOT_ALLOWED),
        (Method::HEAD, StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let mut request: Request<_> = SenderRequest::json("{}").signed(SECRET).to(URL);
        *request.method_mut() = method.clone();
        let response = gateway.instance(0).receiver.handle(request).await;
        assert_eq!(response.status(), status, "{method}");
    }
}

#[tokio::test]
async fn a_key_longer_than_a_row_can_hold_is_refused_and_not_cut() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({"idempotency_source": {"type": "header", "value": "Idempotency-Key"}})).await;
    for (length, status) in [(512, StatusCode::OK), (513, StatusCode::BAD_REQUEST)] {
        let request = SenderRequest::json("{}").with("idempotency-key", &"k".repeat(length)).signed(SECRET);
        assert_eq!(gateway.send(gateway.instance(0), URL, &request).await.status(), status, "{length}");
    }
}

/// C1 in part: switched off, a key URL says so and stays; switched on, it works with the same key.
#[tokio::test]
async fn a_disabled_key_url_is_forbidden_and_works_again_when_enabled() {
    let gateway = TestGateway::new().await;
    let off = json!({"name": "Key", "auth_type": "none", "is_active": false});
    let made = gateway.create("/api/v1/inbound-webhooks", off.clone()).await;
    let (id, key) = (text(&made["data"]["id"]), text(&made["data"]["webhook_key"]));
    let url = format!("/api/v1/webhooks/{key}");
    let send = async || gateway.send(gateway.instance(0), &url, &SenderRequest::json("{}")).await;
    let refused = send().await;
    assert_eq!((refused.status(), answer(&refused)), (StatusCode::FORBIDDEN, json!({"error": "disabled"})));
    let on = json!({"name": "Key", "auth_type": "none", "is_active": true});
    let path = format!("/api/v1/inbound-webhooks/{id}");
    let (status, _) = gateway.api(Method::PUT, &path, gateway.admin_token(), Some(on)).await;
    assert_eq!(status, StatusCode::OK);
    gateway.advance(jiff::SignedDuration::from_secs(5));
    assert_eq!(send().await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_deleted_webhook_is_unknown_within_five_seconds_and_its_deliveries_stay() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let request = SenderRequest::json("{}").signed(SECRET);
    assert_eq!(gateway.send(gateway.instance(0), URL, &request).await.status(), StatusCode::OK);
    let path = format!("/api/v1/inbound-webhooks/{webhook}");
    let (status, _) = gateway.api(Method::DELETE, &path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    gateway.advance(jiff::SignedDuration::from_secs(5));
    assert_eq!(gateway.send(gateway.instance(0), URL, &request).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(gateway.get("/api/v1/events").await["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_table_that_cannot_be_reached_is_a_503_with_retry_after() {
    use hookport_local::cloud::{Fault, FaultKind};
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let request = SenderRequest::json("{}").signed(SECRET);
    assert_eq!(gateway.send(gateway.instance(0), URL, &request).await.status(), StatusCode::OK);
    gateway.cloud.faults().set(Fault::new(FaultKind::Throttle));
    let response = gateway.send(gateway.instance(0), URL, &request).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    gateway.cloud.faults().clear();
    assert_eq!(gateway.send(gateway.instance(0), URL, &request).await.status(), StatusCode::OK);
}
