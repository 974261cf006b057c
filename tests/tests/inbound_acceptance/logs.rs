//! C9 and C10: what is written down of each request, and what is in no line of the log.

use std::process::Command;
use std::sync::Arc;

use hookport_tests::gateway::{SECRET, TestGateway, text};
use hookport_tests::issuer::Issuer;
use hookport_tests::{SenderRequest, Sink, schemes};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{WEBHOOKS, keyed, list, rows, sent};

/// Reason, status and what was checked of a refused request.
fn told(rejection: &Value) -> Value {
    let told = ["reason", "response_status", "proof_held", "ip_allowed", "rate_limited"];
    Value::Array(told.map(|name| rejection[name].clone()).into())
}

/// What a webhook refused, newest first.
async fn rejections(gateway: &TestGateway, webhook: &str) -> Vec<Value> {
    list(gateway, &format!("{WEBHOOKS}/{webhook}/rejections?limit=100")).await
}

/// C9: each request to a known key is written down once, taken or not, with what was checked by then: yes, no, or not.
#[tokio::test]
async fn c9_every_outcome_of_a_key_is_written_down_once() {
    let gateway = TestGateway::new().await;
    let of = json!([
        {"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]},
        {"type": "hmac_sha256", "secret": SECRET},
    ]);
    let more = json!({
        "auth_config": {"type": "all", "of": of},
        "max_body_bytes": 50,
        "rate_limit": {"requests": 8, "window_seconds": 3600},
        "idempotency_source": {"type": "header", "value": "Idempotency-Key"},
    });
    let (webhook, url) = keyed(&gateway, more).await;
    let (off, off_url) = keyed(&gateway, json!({"is_active": false})).await;
    let from = |body: &'static str| SenderRequest::json(body).from("192.0.2.9");
    let first = from("{}").with("idempotency-key", "k1").signed(SECRET);
    let large = SenderRequest::json(vec![b' '; 51]).from("192.0.2.9").signed(SECRET);
    let steps = [
        (first.clone(), 200, json!(null)),
        (first.clone(), 200, json!(null)),
        (from("{").signed(SECRET), 400, json!(null)),
        (from("{}").signed(SECRET).from("203.0.113.7"), 403, json!(["ip_not_allowed", 403, null, false, false])),
        (SenderRequest::json("{}").signed(SECRET), 403, json!(["ip_unknown", 403, null, false, false])),
        (large, 413, json!(["too_large", 413, null, true, false])),
        (from("{}"), 401, json!(["signature_missing", 401, false, true, false])),
        (from("{}").signed("another secret"), 401, json!(["signature_mismatch", 401, false, true, false])),
        (
            from("{}").with("idempotency-key", &"k".repeat(513)).signed(SECRET),
            400,
            json!(["idempotency_key_too_long", 400, true, true, false]),
        ),
        (first.clone(), 200, json!(null)),
        (first, 429, json!(["rate_webhook", 429, null, true, true])),
    ];
    let mut refused = Vec::new();
    for (request, expected, written) in &steps {
        gateway.advance(SignedDuration::from_secs(1));
        assert_eq!(sent(&gateway, &url, request).await, *expected, "{written}");
        if !written.is_null() {
            refused.insert(0, written.clone());
        }
    }
    let log: Vec<Value> = rejections(&gateway, &webhook).await.iter().map(told).collect();
    assert_eq!(log, refused);
    let taken = rows(&gateway, &webhook).await;
    let states: Vec<Value> =
        taken.iter().map(|row| json!([row["status"], row["response_status"], row["auth_status"]])).collect();
    let expected = json!([
        ["duplicate", 200, "verified"],
        ["failed", 400, "verified"],
        ["duplicate", 200, "verified"],
        ["pending", 200, "verified"],
    ]);
    assert_eq!(json!(states), expected);
    assert_eq!(taken.len() + refused.len(), steps.len(), "each once");

    assert_eq!(sent(&gateway, &off_url, &SenderRequest::json("{}")).await, 403);
    let log: Vec<Value> = rejections(&gateway, &off).await.iter().map(told).collect();
    assert_eq!(log, [json!(["disabled", 403, null, null, false])]);
}

/// The headers of a request, and the longer pieces of them: what no line of a log may hold.
fn shown(request: &SenderRequest) -> Vec<String> {
    let values = request.headers.iter().filter(|(name, _)| name.as_str() != "content-type");
    let values = values.map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let pieces = |value: String| {
        let mut pieces: Vec<String> =
            value.split([' ', ',', '=']).filter(|piece| piece.len() >= 16).map(str::to_owned).collect();
        pieces.push(value);
        pieces
    };
    values.flat_map(pieces).collect()
}

/// The part of C10 that [`c10_no_credential_is_in_a_log`] runs as a process of its own: the log goes to standard
/// output, and all that must not be in it to standard error.
#[tokio::test]
#[ignore = "its output is the log that c10_no_credential_is_in_a_log reads"]
async fn a_gateway_that_logs_all_it_does() {
    hookport::log::init_json("debug");
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let subscription = gateway.subscribe(&sink, &["*"], json!({})).await;
    let (_, key_url) = keyed(&gateway, json!({})).await;
    let unknown = format!("wh_{}", "Zq7".repeat(11));
    let mut secrets = vec![
        schemes::SECRET.to_owned(),
        "secret+of%20the".to_owned(),
        "secret+of+someone".to_owned(),
        gateway.admin_token().to_owned(),
        text(&subscription["secret"]).replace("whsec_", ""),
        key_url.replace("/api/v1/webhooks/", "")[6..].to_owned(),
        unknown[6..].to_owned(),
        "the-body-of-a-sender".to_owned(),
    ];
    let body =
        || SenderRequest::json(r#"{"card":"the-body-of-a-sender"}"#).with("cookie", "session=the-cookie-of-a-sender");
    for scheme in schemes::all(&Arc::new(Issuer::start().await)) {
        let webhook = gateway.webhook(scheme.name, scheme.settings.clone()).await;
        let now = gateway.clock.now();
        for (request, query, expected) in
            [(scheme.prove(body(), now), scheme.query, 200), (scheme.spoil(body(), now), scheme.wrong_query, 401)]
        {
            let url = format!("/api/inbound/default/{}{query}", scheme.name);
            assert_eq!(sent(&gateway, &url, &request).await, expected, "{url}");
            secrets.extend(shown(&request));
        }
        let path = format!("{WEBHOOKS}/{webhook}/rotate-secret");
        let (status, rotated) = gateway.api(Method::POST, &path, gateway.admin_token(), None).await;
        if status == StatusCode::OK {
            secrets.push(text(&rotated["secret"]));
        }
    }
    assert_eq!(sent(&gateway, &key_url, &body()).await, 200);
    assert_eq!(sent(&gateway, &format!("/api/v1/webhooks/{unknown}"), &body()).await, 404);
    sink.answers([500]);
    gateway.drain(gateway.instance(0)).await;
    gateway.settle(gateway.instance(0)).await;
    for secret in secrets {
        eprintln!("secret: {secret}");
    }
}

/// C10: no key, secret, token, signature or body, right or wrong, is in a line of the log, however much is logged.
#[test]
fn c10_no_credential_is_in_a_log() {
    let program = std::env::current_exe().expect("a running program has a path");
    let arguments =
        ["--exact", "logs::a_gateway_that_logs_all_it_does", "--ignored", "--nocapture", "--test-threads=1"];
    let output = Command::new(program).args(arguments).output().expect("this program can be run");
    let (log, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    for line in ["inbound.kept", "inbound.refused", "request.answered", "event.dispatched", "delivery.attempted"] {
        assert!(log.contains(line), "the log can be searched: {line}");
    }
    let secrets: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("secret: ")).collect();
    assert!(secrets.len() > 40, "{} secrets", secrets.len());
    for line in log.lines() {
        let found = secrets.iter().find(|secret| line.contains(**secret));
        assert!(found.is_none(), "{found:?} is in {line}");
    }
}
