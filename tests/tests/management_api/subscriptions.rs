//! Subscriptions: making, showing and deleting them.

use hookport_tests::TestGateway;
use hookport_tests::gateway::{merge, text};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{SUBSCRIPTIONS, call, delete, get, ids, known, post, refused, refused_field, tenant};

/// A gateway on which there can be events of `invoice.paid`.
async fn with_invoices() -> TestGateway {
    let gateway = TestGateway::new().await;
    known(&gateway, &["invoice.paid"]).await;
    gateway
}

fn subscription(more: Value) -> Value {
    let mut body = json!({"name": "x", "url": "https://example.com/hook", "events": ["invoice.*"]});
    merge(&mut body, more);
    body
}

/// A gateway that lets nothing out but to public `https` targets, as a deployment does.
async fn strict() -> TestGateway {
    let settings = [("ALLOW_HTTP_TARGETS", "false"), ("ALLOW_LOOPBACK_TARGETS", "false")];
    let gateway = TestGateway::with_settings(&["a"], &settings).await;
    known(&gateway, &["invoice.paid"]).await;
    gateway
}

#[tokio::test]
async fn a_subscription_gets_a_secret_and_defaults() {
    let gateway = with_invoices().await;
    let made = gateway.create(SUBSCRIPTIONS, subscription(json!({"url": "HTTPS://Example.COM:443/a?b=c"}))).await;
    let now = gateway.clock.now().to_string();
    let expected = json!({
        "id": made["data"]["id"],
        "name": "x",
        "description": null,
        "owner": null,
        "url": "https://example.com/a?b=c",
        "events": ["invoice.*"],
        "object_type": null,
        "scope": null,
        "entity_ids": [],
        "filter": null,
        "payload": {"mode": "full"},
        "target": {"type": "https"},
        "auth": null,
        "dialect": "standard",
        "also_sign": [],
        "proof": null,
        "ordering": null,
        "forward_headers": [],
        "headers": {},
        "timeout_seconds": 15,
        "retry_schedule": "standard",
        "retry_on": ["3xx", "4xx", "5xx", "network"],
        "rate_limit": null,
        "max_in_flight": null,
        "auto_disable": {"after_hours": 24, "after_failures": 50},
        "response_rule": null,
        "kept_response_bytes": 1024,
        "permission": null,
        "reverify_days": null,
        "metadata": {},
        "state": "pending_verification",
        "state_since": now,
        "cause": "challenge_started",
        "status_message": "A challenge was sent; the target has to echo it.",
        "is_draining": false,
        "verification": {
            "status": "pending",
            "purpose": "activation",
            "started_at": now,
            "ended_at": null,
            "verified_at": null,
            "failure": null,
        },
        "trigger_challenge": true,
        "expires_at": null,
        "declared": null,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    });
    assert_eq!(made["data"], expected);
    let secret = text(&made["secret"]);
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
}

/// A12: a secret is in the answer that made it, and in no other.
#[tokio::test]
async fn a12_a_subscriptions_secret_is_shown_once() {
    let gateway = with_invoices().await;
    let made = gateway.create(SUBSCRIPTIONS, subscription(json!({}))).await;
    let own = gateway.create(SUBSCRIPTIONS, subscription(json!({"secret": "a secret of my own"}))).await;
    assert_eq!(own["secret"], json!("a secret of my own"));
    let one = format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]));
    let two = format!("{SUBSCRIPTIONS}/{}", text(&own["data"]["id"]));
    for path in [SUBSCRIPTIONS, one.as_str(), two.as_str()] {
        let (status, shown) = get(&gateway, path).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!shown.to_string().contains("secret") && !shown.to_string().contains("whsec"), "{shown}");
    }
    assert_eq!(get(&gateway, &one).await.1["data"], made["data"]);
}

/// A13: 15 and 129 characters are refused, 16 and 128 accepted.
#[tokio::test]
async fn a13_a_subscriptions_own_secret_has_16_to_128_characters() {
    let gateway = with_invoices().await;
    for (chars, status) in [(15, 400), (16, 201), (128, 201), (129, 400)] {
        let answer = post(&gateway, SUBSCRIPTIONS, subscription(json!({"secret": "s".repeat(chars)}))).await;
        assert_eq!(answer.0.as_u16(), status, "{chars}");
        if status == 400 {
            refused_field(&answer, "secret: must have 16 to 128 characters");
        }
    }
    let no_base64 = subscription(json!({"secret": format!("whsec_{}", "!".repeat(20))}));
    refused_field(&post(&gateway, SUBSCRIPTIONS, no_base64).await, "secret");
}

/// A14: no pattern, too many, one twice and unknown forms are refused; `*` is accepted.
#[tokio::test]
async fn a14_event_patterns_are_1_to_50_types_prefixes_or_everything() {
    let gateway = with_invoices().await;
    let many: Vec<String> = (0..51).map(|n| format!("a.b{n}")).collect();
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    known(&gateway, &names[..50]).await;
    known(&gateway, &["order.sent"]).await;
    let cases = [
        (json!([]), "events"),
        (json!(many), "events: must have 1 to 50 entries"),
        (json!(["a.b1", "invoice.*", "a.b1"]), "events[2]"),
        (json!(["a.b", "invoice"]), "events[1]"),
        (json!(["*.paid"]), "events[0]"),
        (json!(["Invoice.paid"]), "events[0]"),
        (json!("invoice.paid"), "events"),
        (json!([null]), "events[0]"),
    ];
    for (events, field) in cases {
        refused_field(&post(&gateway, SUBSCRIPTIONS, subscription(json!({"events": events}))).await, field);
    }
    for events in [json!(["*"]), json!(many[..50]), json!(["invoice.paid", "order.*"])] {
        let made = gateway.create(SUBSCRIPTIONS, subscription(json!({"events": events}))).await;
        assert_eq!(made["data"]["events"], events);
    }
}

/// A14, defect 40: what is subscribed to can happen: a type that is registered, one that a webhook makes, or the
/// gateway's own.
#[tokio::test]
async fn a14_defect_40_a_type_that_nobody_knows_is_refused_by_its_name() {
    let gateway = with_invoices().await;
    gateway.webhook("github", json!({})).await;
    for events in [json!(["invoice.sent"]), json!(["order.*"]), json!(["invoice.paid", "github.ping"])] {
        let answer = post(&gateway, SUBSCRIPTIONS, subscription(json!({"events": events}))).await;
        let message = refused(&answer, StatusCode::BAD_REQUEST, "unknown_event_type");
        let unknown = events.as_array().and_then(|events| events.last()).map(text).expect("a type");
        assert!(message.contains(&unknown), "{message}");
    }
    for known in ["invoice.paid", "invoice.*", "github.push", "github.*", "subscription.expired", "delivery.*", "*"] {
        gateway.create(SUBSCRIPTIONS, subscription(json!({"events": [known]}))).await;
    }
    let other = tenant(&gateway, "acme").await;
    let answer = call(&gateway, Method::POST, SUBSCRIPTIONS, &other, Some(subscription(json!({})))).await;
    refused(&answer, StatusCode::BAD_REQUEST, "unknown_event_type");
}

#[tokio::test]
async fn a_retry_schedule_is_one_of_the_four_or_a_list_of_waits() {
    let gateway = with_invoices().await;
    let presets = ["standard", "five-tries", "alga", "none"].map(Value::from);
    for schedule in presets.into_iter().chain([json!([1]), json!([60, 604_800])]) {
        let made = gateway.create(SUBSCRIPTIONS, subscription(json!({"retry_schedule": schedule}))).await;
        assert_eq!(made["data"]["retry_schedule"], schedule);
    }
    for schedule in [json!("forever"), json!([]), json!([0]), json!([604_801]), json!(vec![1; 16])] {
        let answer = post(&gateway, SUBSCRIPTIONS, subscription(json!({"retry_schedule": schedule}))).await;
        refused_field(&answer, "retry_schedule");
    }
}

/// A15: where nothing may be sent, nobody can subscribe, and the reason is told.
#[tokio::test]
async fn a15_a_target_that_is_no_public_https_url_is_refused_with_the_reason() {
    let gateway = strict().await;
    let cases = [
        ("http://example.com/", "https"),
        ("ftp://example.com/", "https"),
        ("https://localhost/", "this machine"),
        ("https://127.0.0.1/", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://[::ffff:127.0.0.1]/", "loopback"),
        ("https://2130706433/", "loopback"),
        ("https://0177.0.0.1/", "loopback"),
        ("https://0.0.0.0/", "unspecified"),
        ("https://10.1.2.3/", "private"),
        ("https://169.254.169.254/latest/meta-data/", "metadata"),
        ("https://metadata.google.internal/", "metadata"),
        ("https://[fd00::1]/", "unique local"),
        ("https://example.com@10.0.0.1/", "user name"),
        ("https://example.com./", "dot"),
        ("https://-a.example.com/", "hyphen"),
        ("https://", "host"),
        ("nonsense", "https"),
    ];
    for (url, reason) in cases {
        let answer = post(&gateway, SUBSCRIPTIONS, subscription(json!({"url": url}))).await;
        let message = refused(&answer, StatusCode::BAD_REQUEST, "invalid_target");
        assert!(message.contains(reason), "{url}: {message}");
    }
    let label = format!("https://{}.example.com/", "a".repeat(64));
    let answer = post(&gateway, SUBSCRIPTIONS, subscription(json!({"url": label}))).await;
    refused(&answer, StatusCode::BAD_REQUEST, "invalid_target");
    let made = gateway.create(SUBSCRIPTIONS, subscription(json!({"url": "https://bücher.example/"}))).await;
    assert_eq!(made["data"]["url"], json!("https://xn--bcher-kva.example/"));
}

#[tokio::test]
async fn a_deployment_may_allow_http_without_allowing_private_addresses() {
    let settings = [("ALLOW_HTTP_TARGETS", "true"), ("ALLOW_LOOPBACK_TARGETS", "false")];
    let gateway = TestGateway::with_settings(&["a"], &settings).await;
    known(&gateway, &["invoice.paid"]).await;
    gateway.create(SUBSCRIPTIONS, subscription(json!({"url": "http://example.com/"}))).await;
    for url in ["http://127.0.0.1/", "http://192.168.0.1/", "ftp://example.com/"] {
        let answer = post(&gateway, SUBSCRIPTIONS, subscription(json!({"url": url}))).await;
        refused(&answer, StatusCode::BAD_REQUEST, "invalid_target");
    }
}

#[tokio::test]
async fn a_deleted_subscription_is_gone() {
    let gateway = with_invoices().await;
    let made = gateway.create(SUBSCRIPTIONS, subscription(json!({}))).await;
    let path = format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]));
    assert_eq!(delete(&gateway, &path).await, (StatusCode::NO_CONTENT, Value::Null));
    refused(&get(&gateway, &path).await, StatusCode::NOT_FOUND, "subscription_not_found");
    refused(&delete(&gateway, &path).await, StatusCode::NOT_FOUND, "subscription_not_found");
    assert!(ids(&get(&gateway, SUBSCRIPTIONS).await.1).is_empty());
}
