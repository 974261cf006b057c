//! How targets prove themselves: the styles, in any dialect, and answers that do not pass.

use hookport_tests::Sink;
use hookport_tests::gateway::{merge, text};
use http::Method;
use jiff::SignedDuration;
use serde_json::json;

use crate::signature::{Known, holds};
use crate::target::Target;
use crate::{SUBSCRIPTIONS, gateway, invoice, newest, path, post, published, refused, settings, state, subscribed};

/// The styles that can be asked for, with their methods.
const STYLES: [(&str, Method); 4] = [
    ("challenge", Method::POST),
    ("cloud_events", Method::OPTIONS),
    ("web_sub", Method::GET),
    ("validation_token", Method::POST),
];

/// A1: a listener that was built for another gateway's question answers it unchanged, and gets what the dialect writes.
#[tokio::test]
async fn a1_a_target_is_asked_in_the_style_that_its_subscription_says() {
    let gateway = gateway().await;
    for (style, method) in STYLES {
        for dialect in ["standard", "hub", "rfc9421", "bare"] {
            let target = Target::start().await;
            let more = json!({"url": target.url("/hook?x=1"), "dialect": dialect, "proof": style});
            let made = subscribed(&gateway, &target, more).await;
            assert_eq!(state(&gateway, &made).await, "active", "{style} in {dialect}");
            assert_eq!(made["data"]["proof"], style);
            let asked = target.asked();
            let [question] = &asked[..] else { panic!("{style} in {dialect}: one question") };
            assert_eq!(question.method, method, "{style} in {dialect}");
            assert!(question.path.starts_with("/hook?x=1"), "{style}: its own query stays");
            let url = target.url(&question.path);
            let known = Known { secret: &text(&made["secret"]), public: "", url: &url };
            assert_ne!(holds(dialect, question, known), Some(false), "{style} in {dialect}: the question is signed");

            published(&gateway, invoice()).await;
            let delivery = newest(&target);
            assert_eq!((&delivery.method, delivery.path.as_str()), (&Method::POST, "/hook?x=1"), "{style}");
        }
    }
}

#[tokio::test]
async fn websub_says_what_it_asks_for() {
    let gateway = gateway().await;
    let target = Target::start().await;
    let made = subscribed(&gateway, &target, json!({"proof": "web_sub"})).await;
    let [question] = &target.asked()[..] else { panic!("one question") };
    let topic = format!("hub.topic=urn%3Ahookport%3Adefault%3A{}", text(&made["data"]["id"]));
    for field in ["hub.mode=subscribe", topic.as_str(), "hub.challenge=", "hub.lease_seconds="] {
        assert!(question.path.contains(field), "{field}: {}", question.path);
    }
    assert!(question.body.is_empty());
}

/// A7, A8: an answer that passes one style passes no other; three of them are the end.
#[tokio::test]
async fn a8_an_answer_that_does_not_pass_is_told_by_its_style() {
    let gateway = gateway().await;
    let cases = [
        ("cloud_events", "WebHook-Allowed-Origin"),
        ("web_sub", "is not the value that was sent"),
        ("validation_token", "is not the value that was sent"),
    ];
    for (style, words) in cases {
        // It echoes the gateway's own challenge, and knows no other.
        let sink = Sink::start().await;
        let made = gateway.subscribe(&sink, &["invoice.paid"], json!({"proof": style})).await;
        for _ in 0..2 {
            gateway.advance(SignedDuration::from_secs(30));
            gateway.drain(gateway.instance(0)).await;
        }
        let shown = gateway.get(&path(&made)).await["data"].clone();
        assert_eq!((&shown["state"], sink.challenges().len()), (&json!("verification_failed"), 3), "{style}");
        let failure = text(&shown["verification"]["failure"]);
        assert!(failure.contains(words), "{style}: {failure}");
        published(&gateway, invoice()).await;
        assert!(sink.received().is_empty(), "{style}");
    }
}

/// A message proves nothing but at the hosts that hand out URLs which nobody can guess.
#[tokio::test]
async fn saying_hello_is_no_proof_at_another_host() {
    let gateway = gateway().await;
    let target = Target::start().await;
    let cases = [
        json!({"proof": "message"}),
        json!({"dialect": "slack"}),
        json!({"dialect": "slack", "proof": "message"}),
        json!({"dialect": "slack", "url": "https://hooks.slack.com.example.com/services/T0/B0/x"}),
        json!({"dialect": "discord", "url": "https://hooks.slack.com/services/T0/B0/x"}),
    ];
    for more in cases {
        let answer = post(&gateway, SUBSCRIPTIONS, settings(&target, more.clone())).await;
        let message = refused(&answer, 400, "invalid_request");
        assert!(message.starts_with("proof"), "{more}: {message}");
    }
    let answer = post(&gateway, SUBSCRIPTIONS, settings(&target, json!({"proof": "hello"}))).await;
    assert!(refused(&answer, 400, "invalid_request").starts_with("proof"));
}

/// What a subscription says of the proof is changed like any setting, and another URL is asked in the new style.
#[tokio::test]
async fn another_url_is_asked_in_the_style_of_now() {
    let gateway = gateway().await;
    let (target, other) = (Target::start().await, Target::start().await);
    let made = subscribed(&gateway, &target, json!({})).await;
    let mut body = settings(&other, json!({"proof": "validation_token", "dialect": "hub"}));
    merge(&mut body, json!({"name": "moved"}));
    let request = http::Request::put(path(&made))
        .header("authorization", format!("Bearer {}", gateway.admin_token()))
        .header("content-type", "application/json")
        .header("if-match", format!("\"{}\"", gateway.get(&path(&made)).await["data"]["version"]))
        .body(body.to_string().into());
    let response = management::handle(&gateway.instance(0).management, request.expect("a request")).await;
    assert_eq!(response.status(), 200, "{:?}", response.body());
    gateway.drain(gateway.instance(0)).await;
    let [question] = &other.asked()[..] else { panic!("one question") };
    assert!(question.path.starts_with("/hook?validationToken="), "{}", question.path);
    assert!(question.header("x-hub-signature-256").starts_with("sha256="));
    assert_eq!(state(&gateway, &made).await, "active");
    published(&gateway, invoice()).await;
    assert_eq!((target.received().len(), other.received().len()), (0, 1));
}
