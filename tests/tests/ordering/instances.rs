//! Several workers: one sends what stands in a lane, and others send what stands in other lanes.

use hookport_tests::Sink;
use jiff::SignedDuration;
use serde_json::json;

use crate::{attempts, gateway, happens, ordered, publish, sent, states};

const EVENTS: u64 = 10;

#[tokio::test]
async fn two_instances_send_each_event_once_and_in_order() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    ordered(&gateway, &sink, json!({"ordering": {"by": "entity", "settle_seconds": 30}})).await;
    for n in 1..=EVENTS {
        for entity in ["x", "y", "z"] {
            publish(&gateway, entity, n).await;
        }
    }
    let (a, b) = (gateway.instance(0), gateway.instance(1));
    tokio::join!(gateway.drain(a), gateway.drain(b));
    assert!(sink.received().is_empty(), "all of them settle");
    sink.answers([200, 500, 200, 503, 500]);
    gateway.advance(SignedDuration::from_secs(31));
    tokio::join!(gateway.drain(a), gateway.drain(b));
    gateway.settle(b).await;

    let sent = sent(&sink);
    for entity in ["x", "y", "z"] {
        let mut of_lane: Vec<_> = sent.iter().filter(|name| name.starts_with(entity)).collect();
        of_lane.dedup();
        let expected: Vec<_> = (1..=EVENTS).map(|n| format!("{entity}{n}")).collect();
        assert_eq!(of_lane, expected.iter().collect::<Vec<_>>(), "in order, its attempts together");
    }
    let mut pairs: Vec<_> = sent.into_iter().zip(attempts(&sink)).collect();
    let requests = pairs.len();
    assert_eq!(requests, 33, "three attempts failed");
    pairs.sort();
    pairs.dedup();
    assert_eq!(pairs.len(), requests, "no attempt was sent twice");
    assert_eq!(states(&gateway).await, ["delivered"; 30]);
}

/// While one instance waits for the answer to the first of a lane, the other sends what stands in another.
#[tokio::test]
async fn a_target_that_does_not_answer_holds_back_one_lane() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    ordered(&gateway, &sink, json!({})).await;
    publish(&gateway, "x", 1).await;
    sink.hang(true);
    let meanwhile = async {
        sink.got(1).await;
        publish(&gateway, "x", 2).await;
        publish(&gateway, "y", 1).await;
        let others = async {
            sink.got(2).await;
            assert_eq!(sent(&sink), ["x1", "y1"]);
            sink.hang(false);
        };
        tokio::join!(gateway.drain(gateway.instance(1)), others);
    };
    tokio::join!(gateway.drain(gateway.instance(0)), meanwhile);
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sent(&sink), ["x1", "y1", "x2"]);
    happens(&gateway, "x", 3).await;
    assert_eq!(states(&gateway).await, ["delivered"; 4]);
}
