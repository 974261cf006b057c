//! Pausing and resuming: lanes rest with their subscription and go on where they were.

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{act, attempts, deliveries, gateway, happens, later, order, ordered, sent, states};

#[tokio::test]
async fn a_pause_keeps_every_lane_as_it_is() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let path = ordered(&gateway, &sink, json!({})).await;
    sink.answers([500]);
    happens(&gateway, "x", 1).await;
    act(&gateway, Method::POST, &format!("{path}/pause"), None).await;
    for n in 2..=3 {
        happens(&gateway, "x", n).await;
    }
    happens(&gateway, "y", 1).await;
    for _ in 0..3 {
        later(&gateway, SignedDuration::from_hours(1)).await;
    }
    assert_eq!(sent(&sink), ["x1"], "neither the next attempt nor what came since");
    assert_eq!(states(&gateway).await, ["pending", "held", "held", "held"]);

    act(&gateway, Method::POST, &format!("{path}/resume"), None).await;
    gateway.drain(gateway.instance(0)).await;
    happens(&gateway, "x", 4).await;
    let of_x: Vec<_> = sent(&sink).into_iter().filter(|name| name.starts_with('x')).collect();
    assert_eq!(of_x, ["x1", "x1", "x2", "x3", "x4"]);
    assert_eq!(states(&gateway).await, ["delivered"; 5]);
    gateway.settle(gateway.instance(1)).await;
    assert_eq!(sink.received().len(), 6, "and nothing twice");
}

/// What a resume is followed by is due from its birth.
#[tokio::test]
async fn lanes_go_on_although_the_message_of_the_resume_is_lost() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let path = ordered(&gateway, &sink, json!({})).await;
    act(&gateway, Method::POST, &format!("{path}/pause"), None).await;
    gateway.drain(gateway.instance(0)).await;
    happens(&gateway, "x", 1).await;
    happens(&gateway, "x", 2).await;
    act(&gateway, Method::POST, &format!("{path}/resume"), None).await;
    gateway.cloud.sqs().lose_everything();
    gateway.drain(gateway.instance(0)).await;
    assert!(sink.received().is_empty());
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sent(&sink), ["x1", "x2"]);
}

#[tokio::test]
async fn what_was_kept_before_an_order_was_asked_for_goes_in_order_as_well() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let path = ordered(&gateway, &sink, json!({"ordering": null})).await;
    act(&gateway, Method::POST, &format!("{path}/pause"), None).await;
    happens(&gateway, "x", 1).await;
    happens(&gateway, "x", 2).await;
    order(&gateway, &path, json!({"by": "entity", "settle_seconds": 0})).await;
    happens(&gateway, "x", 3).await;
    sink.answers([500]);
    act(&gateway, Method::POST, &format!("{path}/resume"), None).await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sent(&sink), ["x1"]);
    later(&gateway, SignedDuration::from_secs(7)).await;
    assert_eq!(sent(&sink), ["x1", "x1", "x2", "x3"]);
    assert_eq!(attempts(&sink), ["1", "2", "1", "1"]);
    assert_eq!(states(&gateway).await, ["delivered"; 3]);
}

#[tokio::test]
async fn what_stands_in_lanes_is_sent_although_no_order_is_asked_for_any_more() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let path = ordered(&gateway, &sink, json!({})).await;
    act(&gateway, Method::POST, &format!("{path}/pause"), None).await;
    happens(&gateway, "x", 1).await;
    happens(&gateway, "x", 2).await;
    order(&gateway, &path, Value::Null).await;
    act(&gateway, Method::POST, &format!("{path}/resume"), None).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sent(&sink), ["x1", "x2"]);
}

/// What was kept before a subscription was disabled stays kept, whoever looks at its lanes meanwhile.
#[tokio::test]
async fn what_lanes_kept_during_a_pause_outlives_that_the_subscription_is_disabled() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let path = ordered(&gateway, &sink, json!({})).await;
    act(&gateway, Method::POST, &format!("{path}/pause"), None).await;
    for n in 1..=3 {
        happens(&gateway, "x", n).await;
    }
    act(&gateway, Method::POST, &format!("{path}/disable"), None).await;
    let first = text(&deliveries(&gateway).await[0]["id"]);
    act(&gateway, Method::POST, &format!("/api/v1/deliveries/{first}/cancel"), None).await;
    gateway.drain(gateway.instance(0)).await;
    happens(&gateway, "x", 4).await;
    for _ in 0..3 {
        later(&gateway, SignedDuration::from_hours(1)).await;
    }
    assert_eq!(states(&gateway).await, ["cancelled", "held", "held"], "what comes while it is disabled is not for it");
    act(&gateway, Method::POST, &format!("{path}/enable"), None).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sent(&sink), ["x2", "x3"]);
}

/// A lane waits until nothing is kept elsewhere: that may be older than what stands in it.
#[tokio::test]
async fn a_lane_does_not_run_ahead_of_what_was_kept_before_there_were_lanes() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let path = ordered(&gateway, &sink, json!({"ordering": null})).await;
    act(&gateway, Method::POST, &format!("{path}/pause"), None).await;
    happens(&gateway, "x", 1).await;
    order(&gateway, &path, json!({"by": "entity", "settle_seconds": 0})).await;
    happens(&gateway, "x", 2).await;
    act(&gateway, Method::POST, &format!("{path}/resume"), None).await;
    gateway.cloud.sqs().lose_everything();
    happens(&gateway, "x", 3).await;
    assert!(sent(&sink).is_empty(), "nobody has moved the first into its lane yet");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sent(&sink), ["x1", "x2", "x3"]);
}
