//! What fails holds back its own lane, until it has ended, and no other.

use hookport_tests::Sink;
use hookport_tests::sink::Reply;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{act, attempts, deliveries, gateway, happens, later, ordered, publish, sent, states};

#[tokio::test]
async fn what_fails_holds_back_its_own_lane_and_no_other() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    ordered(&gateway, &sink, json!({})).await;
    sink.answers([500]);
    happens(&gateway, "x", 1).await;
    happens(&gateway, "x", 2).await;
    happens(&gateway, "x", 3).await;
    happens(&gateway, "y", 1).await;
    assert_eq!(sent(&sink), ["x1", "y1"]);
    assert_eq!(states(&gateway).await, ["pending", "held", "held", "delivered"]);

    later(&gateway, SignedDuration::from_secs(7)).await;
    assert_eq!(sent(&sink), ["x1", "y1", "x1", "x2", "x3"]);
    assert_eq!(attempts(&sink), ["1", "1", "2", "1", "1"]);
    assert_eq!(states(&gateway).await, ["delivered"; 4]);
    gateway.settle(gateway.instance(1)).await;
    assert_eq!(sink.received().len(), 5, "and nothing twice");
}

#[tokio::test]
async fn what_is_given_up_lets_the_next_go() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    ordered(&gateway, &sink, json!({"retry_schedule": "none"})).await;
    sink.answers([500]);
    publish(&gateway, "x", 1).await;
    gateway.drain(gateway.instance(0)).await;
    happens(&gateway, "x", 2).await;
    assert_eq!(sent(&sink), ["x1", "x2"]);
    assert_eq!(states(&gateway).await, ["exhausted", "delivered"]);
}

#[tokio::test]
async fn what_is_cancelled_by_hand_lets_the_next_go() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    ordered(&gateway, &sink, json!({"retry_schedule": "five-tries"})).await;
    sink.answers([500]);
    for n in 1..=3 {
        happens(&gateway, "x", n).await;
    }
    let waiting = deliveries(&gateway).await;
    for place in [1, 0] {
        let id = waiting[place]["id"].as_str().expect("an id");
        act(&gateway, Method::POST, &format!("/api/v1/deliveries/{id}/cancel"), None).await;
    }
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sent(&sink), ["x1", "x3"]);
    assert_eq!(states(&gateway).await, ["cancelled", "cancelled", "delivered"]);
}

/// B17: a target that promised to tell later has until its silence is over.
#[tokio::test]
async fn what_a_target_is_silent_about_lets_the_next_go_after_a_quarter_of_an_hour() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    ordered(&gateway, &sink, json!({})).await;
    sink.replies([Reply::status(202).with("hookport-callback", "async")]);
    happens(&gateway, "x", 1).await;
    happens(&gateway, "x", 2).await;
    later(&gateway, SignedDuration::from_mins(14)).await;
    assert_eq!(sent(&sink), ["x1"]);
    assert_eq!(states(&gateway).await, ["in_progress", "held"]);
    later(&gateway, SignedDuration::from_mins(2)).await;
    assert_eq!(sent(&sink), ["x1", "x2"]);
    assert_eq!(states(&gateway).await, ["exhausted", "delivered"]);
}

/// What events have in common that are sent in order is said by the subscription.
#[tokio::test]
async fn a_lane_is_what_has_the_same_entity_the_same_value_at_a_path_or_everything() {
    let lanes: [(Value, &[&str]); 4] = [
        (json!("entity"), &["x1", "y1"]),
        (json!({"path": "$.key"}), &["x1", "y1"]),
        (json!({"path": "$.missing"}), &["x1"]),
        (json!("subscription"), &["x1"]),
    ];
    for (by, at_once) in lanes {
        let gateway = gateway().await;
        let sink = Sink::start().await;
        ordered(&gateway, &sink, json!({"ordering": {"by": by, "settle_seconds": 0}})).await;
        sink.answers([500]);
        happens(&gateway, "x", 1).await;
        happens(&gateway, "y", 1).await;
        assert_eq!(sent(&sink), at_once, "{by}");
        gateway.settle(gateway.instance(0)).await;
        assert_eq!(states(&gateway).await, ["delivered", "delivered"], "{by}");
    }
}
