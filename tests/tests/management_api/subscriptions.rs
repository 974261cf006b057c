//! Subscriptions: making, showing and deleting them.

use hookport_tests::TestGateway;
use hookport_tests::gateway::{merge, text};
use http::StatusCode;
use serde_json::{Value, json};

use crate::client::{SUBSCRIPTIONS, delete, get, ids, post, refused, refused_field};

fn subscription(more: Value) -> Value {
    let mut body = json!({"name": "x", "url": "https://example.com/hook", "events": ["invoice.*"]});
    merge(&mut body, more);
    body
}

/// A gateway that lets nothing out but to public `https` targets, as a deployment does.
async fn strict() -> TestGateway {
    let settings = [("ALLOW_HTTP_TARGETS", "false"), ("ALLOW_LOOPBACK_TARGETS", "false")];
    TestGateway::with_settings(&["a"], &settings).await
}

#[tokio::test]
async fn a_subscription_gets_a_secret_and_defaults() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(SUBSCRIPTIONS, subscription(json!({"url": "HTTPS://Example.COM:443/a?b=c"}))).await;
    let expected = json!({
        "id": made["data"]["id"],
        "name": "x",
        "description": null,
        "url": "https://example.com/a?b=c",
        "events": ["invoice.*"],
        "retry_schedule": "standard",
        "created_at": gateway.clock.now().to_string(),
    });
    assert_eq!(made["data"], expected);
    let secret = text(&made["secret"]);
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
}

/// A12: a secret is in the answer that made it, and in no other.
#[tokio::test]
async fn a12_a_subscriptions_secret_is_shown_once() {
    let gateway = TestGateway::new().await;
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
    let gateway = TestGateway::new().await;
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

/// A14: no pattern, too many and unknown forms are refused; `*` is accepted.
#[tokio::test]
async fn a14_event_patterns_are_1_to_50_types_prefixes_or_everything() {
    let gateway = TestGateway::new().await;
    let cases = [
        (json!([]), "events"),
        (json!(vec!["a.b"; 51]), "events: must have 1 to 50 entries"),
        (json!(["a.b", "invoice"]), "events[1]"),
        (json!(["*.paid"]), "events[0]"),
        (json!(["Invoice.paid"]), "events[0]"),
        (json!("invoice.paid"), "events"),
        (json!([null]), "events[0]"),
    ];
    for (events, field) in cases {
        refused_field(&post(&gateway, SUBSCRIPTIONS, subscription(json!({"events": events}))).await, field);
    }
    for events in [json!(["*"]), json!(vec!["a.b"; 50]), json!(["invoice.paid", "order.*"])] {
        let made = gateway.create(SUBSCRIPTIONS, subscription(json!({"events": events}))).await;
        assert_eq!(made["data"]["events"], events);
    }
}

#[tokio::test]
async fn a_retry_schedule_is_one_of_the_four() {
    let gateway = TestGateway::new().await;
    for schedule in ["standard", "five-tries", "alga", "none"] {
        let made = gateway.create(SUBSCRIPTIONS, subscription(json!({"retry_schedule": schedule}))).await;
        assert_eq!(made["data"]["retry_schedule"], json!(schedule));
    }
    let answer = post(&gateway, SUBSCRIPTIONS, subscription(json!({"retry_schedule": "forever"}))).await;
    refused_field(&answer, "retry_schedule");
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
    gateway.create(SUBSCRIPTIONS, subscription(json!({"url": "http://example.com/"}))).await;
    for url in ["http://127.0.0.1/", "http://192.168.0.1/", "ftp://example.com/"] {
        let answer = post(&gateway, SUBSCRIPTIONS, subscription(json!({"url": url}))).await;
        refused(&answer, StatusCode::BAD_REQUEST, "invalid_target");
    }
}

#[tokio::test]
async fn a_deleted_subscription_is_gone() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(SUBSCRIPTIONS, subscription(json!({}))).await;
    let path = format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]));
    assert_eq!(delete(&gateway, &path).await, (StatusCode::NO_CONTENT, Value::Null));
    refused(&get(&gateway, &path).await, StatusCode::NOT_FOUND, "subscription_not_found");
    refused(&delete(&gateway, &path).await, StatusCode::NOT_FOUND, "subscription_not_found");
    assert!(ids(&get(&gateway, SUBSCRIPTIONS).await.1).is_empty());
}
