//! A target that says nothing costs itself its delivery and nobody else anything.

use std::time::Duration;

use futures_util::future::join_all;
use hookport_tests::gateway::text;
use hookport_tests::{Sink, TestGateway};
use serde_json::json;

use super::publish;

/// How many healthy targets stand beside the one that hangs.
const HEALTHY: usize = 20;
/// The test has failed by then.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until each of the sinks has got so many events.
async fn all_got(sinks: &[Sink], events: usize) {
    join_all(sinks.iter().map(|sink| sink.got(events))).await;
}

/// How the deliveries to one subscription stand.
async fn states(gateway: &TestGateway, subscription: &str) -> Vec<String> {
    let list = gateway.get(&format!("/api/v1/deliveries?limit=100&kind=event&subscription_id={subscription}")).await;
    list["data"].as_array().expect("a list").iter().map(|delivery| text(&delivery["state"])).collect()
}

#[tokio::test]
async fn a_hanging_target_delays_nobody_else() {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    let hanging = Sink::start().await;
    let made = gateway.subscribe(&hanging, &["invoice.paid"], json!({"timeout_seconds": 30})).await;
    let hung = text(&made["data"]["id"]);
    let healthy = join_all((0..HEALTHY).map(|_| Sink::start())).await;
    for sink in &healthy {
        gateway.subscribe(sink, &["invoice.paid"], json!({})).await;
    }

    hanging.hang(true);
    publish(&gateway, "invoice.paid").await;
    let next = async {
        all_got(&healthy, 1).await;
        assert_eq!(states(&gateway, &hung).await, ["attempting"], "the others did not wait for it");
        publish(&gateway, "invoice.paid").await;
        let last = async {
            all_got(&healthy, 2).await;
            hanging.got(2).await;
            assert_eq!(states(&gateway, &hung).await, ["attempting", "attempting"], "it still says nothing");
            hanging.hang(false);
        };
        tokio::join!(gateway.drain(gateway.instance(1)), last);
    };
    let all = async { tokio::join!(gateway.drain(gateway.instance(0)), next) };
    tokio::time::timeout(PATIENCE, all).await.expect("nobody waits for the one that hangs");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(states(&gateway, &hung).await, ["delivered", "delivered"]);
    assert!(healthy.iter().all(|sink| sink.received().len() == 2), "each of the others got each event once");
}
