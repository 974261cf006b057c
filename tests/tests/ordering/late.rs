//! Events that are late: those that an event waits for, and those that come after it was sent.

use hookport_tests::Sink;
use jiff::SignedDuration;
use serde_json::json;

use crate::{gateway, happens, is_forgotten, later, ordered, sent, states};

#[tokio::test]
async fn an_event_that_is_late_goes_first_as_long_as_the_others_settle() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    ordered(&gateway, &sink, json!({"ordering": {"by": "entity", "settle_seconds": 300}})).await;
    is_forgotten(&gateway, "x", 1).await;
    happens(&gateway, "x", 2).await;
    later(&gateway, SignedDuration::from_secs(130)).await;
    assert_eq!(states(&gateway).await, ["held", "held"], "the first has come");
    assert!(sink.received().is_empty(), "both settle");
    later(&gateway, SignedDuration::from_secs(171)).await;
    assert_eq!(sent(&sink), ["x1", "x2"]);
    assert_eq!(states(&gateway).await, ["delivered", "delivered"]);
}

#[tokio::test]
async fn an_event_is_sent_as_soon_as_it_has_settled() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    ordered(&gateway, &sink, json!({"ordering": {"by": "entity", "settle_seconds": 2}})).await;
    happens(&gateway, "x", 1).await;
    assert_eq!(states(&gateway).await, ["held"]);
    gateway.advance(SignedDuration::from_secs(2));
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sent(&sink), ["x1"], "a message brings it, not the sweeper");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
}

#[tokio::test]
async fn an_event_that_is_later_than_that_is_sent_when_it_comes() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    ordered(&gateway, &sink, json!({})).await;
    is_forgotten(&gateway, "x", 1).await;
    happens(&gateway, "x", 2).await;
    assert_eq!(sent(&sink), ["x2"]);
    later(&gateway, SignedDuration::from_secs(130)).await;
    assert_eq!(sent(&sink), ["x2", "x1"]);
    assert_eq!(states(&gateway).await, ["delivered", "delivered"]);
}

/// A newer one that waits for its next attempt is not made before the late one has ended.
#[tokio::test]
async fn an_event_that_is_later_than_that_goes_before_what_waits_for_its_next_attempt() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    ordered(&gateway, &sink, json!({"retry_schedule": "five-tries"})).await;
    is_forgotten(&gateway, "x", 1).await;
    sink.answers([500, 500, 500]);
    happens(&gateway, "x", 2).await;
    later(&gateway, SignedDuration::from_secs(75)).await;
    assert_eq!(sent(&sink), ["x2", "x2"]);
    later(&gateway, SignedDuration::from_secs(60)).await;
    assert_eq!(sent(&sink), ["x2", "x2", "x1"], "the late one comes, and fails");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sent(&sink), ["x2", "x2", "x1", "x1", "x2"]);
    assert_eq!(states(&gateway).await, ["delivered", "delivered"]);
}
