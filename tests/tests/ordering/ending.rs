//! The end of a subscription ends what stands in its lanes.

use hookport_tests::Sink;
use http::Method;
use jiff::SignedDuration;
use serde_json::json;

use crate::{act, gateway, happens, later, ordered, sent, states};

/// A20: nothing is owed any more, whether its lanes rested or not.
#[tokio::test]
async fn a20_what_stands_in_the_lanes_of_a_deleted_subscription_is_cancelled() {
    for is_paused in [false, true] {
        let gateway = gateway().await;
        let sink = Sink::start().await;
        let path = ordered(&gateway, &sink, json!({})).await;
        sink.answers([500, 500]);
        for (entity, n) in [("x", 1), ("y", 1), ("x", 2), ("y", 2)] {
            happens(&gateway, entity, n).await;
        }
        if is_paused {
            act(&gateway, Method::POST, &format!("{path}/pause"), None).await;
            later(&gateway, SignedDuration::from_hours(1)).await;
        }
        act(&gateway, Method::DELETE, &path, None).await;
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(states(&gateway).await, ["cancelled"; 4], "paused: {is_paused}");
        gateway.settle(gateway.instance(1)).await;
        assert_eq!(sent(&sink), ["x1", "y1"], "paused: {is_paused}");
    }
}

/// B12: a target that is gone gets nothing more, and what waited for it ends.
#[tokio::test]
async fn b12_a_410_ends_what_stands_behind_it() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let path = ordered(&gateway, &sink, json!({"ordering": {"by": "entity", "settle_seconds": 1}})).await;
    sink.answers([410; 3]);
    for n in 1..=3 {
        happens(&gateway, "x", n).await;
    }
    gateway.advance(SignedDuration::from_secs(2));
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sent(&sink), ["x1"]);
    assert_eq!(states(&gateway).await, ["exhausted", "cancelled", "cancelled"]);
    assert_eq!(gateway.get(&path).await["data"]["state"], "disabled");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
}
