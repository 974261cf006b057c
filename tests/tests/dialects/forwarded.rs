//! Headers of received requests that are passed on to targets.

use hookport_tests::gateway::{SECRET, merge};
use hookport_tests::inbound::{URL, kept, keyed};
use hookport_tests::sink::SinkRequest;
use hookport_tests::{SenderRequest, Sink, TestGateway};
use serde_json::{Value, json};

use crate::{SUBSCRIPTIONS, gateway, invoice, post, published, refused};

/// Says whether the original request had proven where it came from.
const VERIFIED: &str = "hookport-source-verified";

/// A push as GitHub sends it, with much in it that is nobody else's business.
fn push() -> SenderRequest {
    let with = [
        ("authorization", "Bearer sesame"),
        ("cookie", "a=b"),
        ("x-api-key", "sesame"),
        ("x-other-signature", "sesame"),
        ("x-forwarded-for", "203.0.113.7"),
        ("hookport-delivery-id", "dlv_evil"),
        ("webhook-id", "evil"),
    ];
    let request = with
        .into_iter()
        .fold(SenderRequest::fixture("github-push"), |request, (name, value)| request.with(name, value));
    request.signed(SECRET)
}

/// Subscribes a target to pushes; `more` changes members.
async fn subscribed(gateway: &TestGateway, more: Value) -> Sink {
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["github.push"], more).await;
    sink
}

#[track_caller]
fn only(sink: &Sink) -> SinkRequest {
    let mut received = sink.received();
    assert_eq!(received.len(), 1);
    received.remove(0)
}

/// B11: whatever a sender says, it says nothing in the gateway's name, and no secret of its goes on.
#[tokio::test]
async fn b11_what_is_asked_for_is_passed_on_and_no_credential_with_it() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let some = subscribed(&gateway, json!({"forward_headers": ["X-GitHub-Event"]})).await;
    let all = subscribed(&gateway, json!({"forward_headers": ["*"]})).await;
    let none = subscribed(&gateway, json!({})).await;
    let own = json!({"forward_headers": ["*"], "headers": {"x-github-event": "mine", "user-agent": "acme/1"}});
    let own = subscribed(&gateway, own).await;
    kept(&gateway, URL, &push()).await;
    gateway.drain(gateway.instance(0)).await;

    let request = only(&some);
    assert_eq!((request.header("x-github-event"), request.header(VERIFIED)), ("push", "true"));
    assert_eq!(request.header("x-github-delivery"), "", "nobody asked for it");

    let request = only(&all);
    assert_eq!((request.header("x-github-event"), request.header(VERIFIED)), ("push", "true"));
    assert_eq!(request.header("x-github-hook-id"), "508117342");
    assert!(request.header("user-agent").starts_with("Hookport/"));
    assert!(request.header("webhook-id").starts_with("evt_"));
    assert_ne!(request.header("hookport-delivery-id"), "dlv_evil");
    for name in ["authorization", "cookie", "x-api-key", "x-other-signature", "x-hub-signature-256", "x-forwarded-for"]
    {
        assert_eq!(request.header(name), "", "{name}");
    }
    assert!(!request.headers.values().any(|value| value == "Bearer sesame" || value == "sesame"));

    let request = only(&none);
    assert_eq!((request.header("x-github-event"), request.header(VERIFIED)), ("", ""));

    let request = only(&own);
    assert_eq!((request.header("x-github-event"), request.header("user-agent")), ("mine", "acme/1"));
}

/// A URL with a key in it is a credential, and no proof of who sent the request.
#[tokio::test]
async fn it_is_said_when_nothing_proves_where_a_request_came_from() {
    let gateway = TestGateway::new().await;
    let (_, url) = keyed(&gateway, json!({"auth_type": "none"})).await;
    let sink = subscribed(&gateway, json!({"forward_headers": ["*"]})).await;
    let request = SenderRequest::json("{}").with("x-github-event", "push").with(VERIFIED, "true");
    kept(&gateway, &url, &request).await;
    gateway.drain(gateway.instance(0)).await;
    let request = only(&sink);
    assert_eq!((request.header("x-github-event"), request.header(VERIFIED)), ("push", "false"));
}

/// What was published came with no request.
#[tokio::test]
async fn a_published_event_has_no_headers_to_pass_on() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["invoice.paid"], json!({"forward_headers": ["*"]})).await;
    published(&gateway, invoice()).await;
    let request = only(&sink);
    assert!(!request.headers.contains_key(VERIFIED));
    assert_eq!(request.header("authorization"), "", "the publisher's token is nobody's");
}

#[tokio::test]
async fn names_that_can_be_passed_on_have_rules() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let body = |names: Value| {
        let mut body = json!({"name": "x", "url": sink.url("/"), "events": ["invoice.paid"]});
        merge(&mut body, json!({"forward_headers": names}));
        body
    };
    let many: Vec<String> = (0..51).map(|n| format!("x-{n}")).collect();
    let cases = [
        json!(["webhook-id"]),
        json!(["Hookport-Event-Type"]),
        json!(["cookie"]),
        json!(["x-forwarded-for"]),
        json!(["host"]),
        json!(["no name"]),
        json!(["x-*"]),
        json!([""]),
        json!(many),
    ];
    for names in cases {
        let answer = post(&gateway, SUBSCRIPTIONS, body(names.clone())).await;
        if names == json!(["x-*"]) {
            // `*` is a character of names as well, so this is a header that nobody sends.
            assert_eq!(answer.1["data"]["forward_headers"], names);
            continue;
        }
        assert!(refused(&answer, 400, "invalid_request").starts_with("forward_headers"), "{names}");
    }
    let made = gateway.create(SUBSCRIPTIONS, body(json!(["X-GitHub-Event", "*"]))).await;
    assert_eq!(made["data"]["forward_headers"], json!(["x-github-event", "*"]));
}
