//! A14, defect 40: which events a subscription may name.

use hookport_tests::{Sink, TestGateway};
use http::Method;
use serde_json::{Value, json};

use crate::{
    Answer, SUBSCRIPTIONS, call, delete, done, gateway_of, held, path_of, refused, replaced, settings, trigger,
};

async fn subscribe_to(gateway: &TestGateway, sink: &Sink, events: Value) -> Answer {
    call(gateway, Method::POST, SUBSCRIPTIONS, settings(sink, json!({"events": events}))).await
}

/// A14: no entry, 51 of them, one twice, and what is no pattern are refused with the place that is wrong.
#[tokio::test]
async fn a14_a_list_of_events_has_1_to_50_different_patterns() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let many = |n: usize| -> Vec<String> { (0..n).map(|n| format!("bulk.happened-{n}")).collect() };
    for name in many(50) {
        gateway.create("/api/v1/event-types", json!({"ref": name})).await;
    }
    let cases = [
        (json!([]), "1 to 50"),
        (json!(many(51)), "1 to 50"),
        (json!(["github.push", "github.*", "github.push"]), "events[2]"),
        (json!(["github.push", "github"]), "events[1]"),
        (json!(["*.push"]), "events[0]"),
        (json!(["git*"]), "events[0]"),
        (json!(["GitHub.push"]), "events[0]"),
        (json!([""]), "events[0]"),
        (json!([null]), "events[0]"),
        (json!("github.push"), "events"),
        (json!(null), "events"),
    ];
    for (events, place) in cases {
        let message = refused(&subscribe_to(&gateway, &sink, events.clone()).await, 400, "invalid_request");
        assert!(message.contains(place), "{events}: {message}");
    }
    let answer = subscribe_to(&gateway, &sink, json!(many(50))).await;
    assert_eq!((answer.0.as_u16(), &answer.1["data"]["events"]), (201, &json!(many(50))), "{}", answer.1);
}

/// A14, defect 40: a type or a prefix of which there are no events is refused by its name; `*` is always taken.
#[tokio::test]
async fn a14_defect_40_events_that_nobody_makes_cannot_be_subscribed_to() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.payment.failed"})).await;
    for events in [
        json!(["*"]),
        json!(["github.push", "github.*"]),
        json!(["invoice.payment.failed", "invoice.*", "invoice.payment.*"]),
        json!(["subscription.activated", "subscription.*", "delivery.exhausted", "inbound_webhook.*"]),
    ] {
        let answer = subscribe_to(&gateway, &sink, events.clone()).await;
        assert_eq!((answer.0.as_u16(), &answer.1["data"]["events"]), (201, &events), "{}", answer.1);
    }
    for unknown in [
        "invoice.paid",
        "invoice.payment.failed.late",
        "github.ping",
        "order.*",
        "git.*",
        "github.push.*",
        "subscription.paid",
        "webhook.challenge",
    ] {
        let answer = subscribe_to(&gateway, &sink, json!(["*", "github.push", unknown])).await;
        let message = refused(&answer, 400, "unknown_event_type");
        assert!(message.contains(unknown), "{message}");
    }
}

/// Defect 40: another tenant's event types are not one's own.
#[tokio::test]
async fn defect_40_the_event_types_of_another_tenant_are_unknown() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = gateway.create("/api/v1/tenants", json!({"slug": "acme", "name": "acme"})).await;
    let theirs = made["token"].as_str().expect("a token");
    for events in [json!(["github.push"]), json!(["github.*"])] {
        let body = settings(&sink, json!({"events": events}));
        refused(&gateway.api(Method::POST, SUBSCRIPTIONS, theirs, Some(body)).await, 400, "unknown_event_type");
    }
}

/// A14: what a subscription names already may stay when its event type is gone; nothing unknown may be added.
#[tokio::test]
async fn a14_a_replacement_may_keep_a_type_that_is_gone() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    let made = held(&gateway, &sink).await;
    let path = path_of(&made);
    let replace = async |version: u64, events: Value| {
        replaced(&gateway, &path, version, &settings(&sink, json!({"events": events}))).await
    };
    assert_eq!(replace(1, json!(["invoice.paid"])).await.0.as_u16(), 200);
    assert_eq!(delete(&gateway, "/api/v1/event-types/invoice.paid").await.as_u16(), 204);
    assert_eq!(replace(2, json!(["invoice.paid", "github.push"])).await.0.as_u16(), 200);
    refused(&replace(3, json!(["invoice.paid", "invoice.sent"])).await, 400, "unknown_event_type");
    let again = done(&gateway, Method::PATCH, &path, trigger()).await;
    assert_eq!(again["data"]["events"], json!(["invoice.paid", "github.push"]));
}
