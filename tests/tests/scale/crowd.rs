//! An event costs what its subscribers cost, however many others there are.

use hookport::domain::target_url::TargetUrl;
use hookport_local::cloud::Usage;
use hookport_tests::{Sink, TestGateway};
use serde_json::json;

use super::{publish, subscription};

/// How many others there are: a debug build makes them in some seconds.
const OTHERS: u32 = 10_000;
/// The most that the reads of an event for three may come to, with empty caches: the tenant's counter, the list of
/// denied hosts, one query for each of three patterns, one batch of three subscriptions.
const MOST_READ_UNITS: f64 = 10.0;

/// What a dispatcher with empty caches uses for one event that three want, beside `others` who want other things.
async fn usage_of_an_event_for_three(others: u32) -> Usage {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    for pattern in ["invoice.paid", "invoice.*", "invoice.paid"] {
        gateway.subscribe(&sink, &[pattern], json!({})).await;
    }
    let store = &gateway.instance(0).management_app.store;
    let url = TargetUrl::try_from("https://elsewhere.example.com/hook".to_owned()).expect("a URL");
    for n in 0..others {
        let pattern = ["order.created", "order.*", "invoice.sent", "invoice.paid.late"][n as usize % 4];
        let other = subscription(n, &url, pattern, gateway.clock.now());
        store.create_subscription(&other, None).await.expect("it is new");
    }
    publish(&gateway, "invoice.paid").await;

    gateway.cloud.meter().count();
    let before = gateway.cloud.meter().snapshot();
    gateway.drain(&gateway.fresh("cold")).await;
    let used = gateway.cloud.meter().snapshot().since(&before).only(|call| call.instance == "cold");
    assert_eq!(sink.received().len(), 3, "each of the three got it");
    println!("beside {others} others:\n{used}");
    used
}

#[tokio::test]
async fn ten_thousand_subscriptions_and_an_event_for_three_cost_the_reads_of_a_handful() {
    let alone = usage_of_an_event_for_three(0).await;
    let in_a_crowd = usage_of_an_event_for_three(OTHERS).await;
    assert_eq!(in_a_crowd.calls(), alone.calls());
    assert_eq!(in_a_crowd.read_units(), alone.read_units());
    assert_eq!(in_a_crowd.write_units(), alone.write_units());
    assert!(in_a_crowd.read_units() <= MOST_READ_UNITS, "{} read units", in_a_crowd.read_units());
}
