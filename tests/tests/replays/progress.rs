//! A plan is shown before anything is sent, and what is sent is counted.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use hookport_tests::inbound::list;

use crate::{REPLAYS, act, counted, gateway, numbers, post, publish, refused, replay, shown, sorted, time};

/// A subscription that got so many events, and since when.
async fn delivered(gateway: &TestGateway, sink: &Sink, events: u64) -> (Value, String) {
    let made = gateway.subscribe(sink, &["ticket.*"], json!({})).await;
    let since = time(gateway);
    for n in 0..events {
        publish(gateway, "ticket.updated", n).await;
    }
    (made, since)
}

fn again(since: &str) -> Value {
    json!({"since": since, "which": ["delivered"]})
}

#[tokio::test]
async fn a_plan_says_how_much_it_is_the_first_of_it_and_what_it_costs() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (made, since) = delivered(&gateway, &sink, 12).await;
    let path = replay(&gateway, again(&since)).await;
    let planned = shown(&gateway, &path).await;
    assert_eq!((&planned["state"], counted(&planned)), (&json!("planned"), (12, 12, 0)), "{planned}");
    assert_eq!((&planned["percent"], &planned["started_at"]), (&json!(0), &Value::Null));
    let sample = planned["sample"].as_array().expect("a sample");
    assert_eq!(sample.len(), 10);
    assert_eq!((&sample[0]["subscription_id"], &sample[0]["is_again"]), (&made["data"]["id"], &json!(true)));
    let times: Vec<String> = sample.iter().map(|item| text(&item["occurred_at"])).collect();
    assert!(times.is_sorted(), "the oldest first: {times:?}");
    assert_eq!(planned["price"]["write_requests"], 48);
    assert!(planned["price"]["estimated_cost_usd"].as_f64().is_some_and(|usd| usd > 0.0), "{planned}");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 12, "nothing was sent");

    let started = act(&gateway, &format!("{path}/start")).await;
    assert_eq!(started["state"], "sending");
    gateway.drain(gateway.instance(0)).await;
    let done = shown(&gateway, &path).await;
    assert_eq!((&done["state"], &done["percent"], counted(&done)), (&json!("done"), &json!(100), (12, 12, 12)));
    assert_eq!(sink.received().len(), 24);
    let listed = list(&gateway, REPLAYS).await;
    assert_eq!((&listed[0]["id"], &listed[0]["sample"]), (&done["id"], &json!([])));
}

#[tokio::test]
async fn a_replay_is_started_and_cancelled_in_its_time_only() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (_, since) = delivered(&gateway, &sink, 1).await;
    let missing = json!({"since": since, "which": ["missing"]});
    let (_, answer) = post(&gateway, REPLAYS, missing).await;
    let path = format!("{REPLAYS}/{}", text(&answer["data"]["id"]));
    let start = format!("{path}/start");
    refused(&post(&gateway, &start, json!({})).await, StatusCode::CONFLICT, "replay_state");
    let cancelled = act(&gateway, &format!("{path}/cancel")).await;
    assert_eq!(cancelled["state"], "cancelled");
    assert!(cancelled["ended_at"].is_string());
    assert_eq!(act(&gateway, &format!("{path}/cancel")).await["state"], "cancelled", "asking again changes nothing");
    refused(&post(&gateway, &start, json!({})).await, StatusCode::CONFLICT, "replay_state");

    let path = replay(&gateway, again(&since)).await;
    act(&gateway, &format!("{path}/start")).await;
    assert_eq!(act(&gateway, &format!("{path}/start")).await["state"], "sending", "once is enough");
    gateway.drain(gateway.instance(0)).await;
    for operation in ["start", "cancel"] {
        let answer = post(&gateway, &format!("{path}/{operation}"), json!({})).await;
        refused(&answer, StatusCode::CONFLICT, "replay_state");
    }
    assert_eq!(numbers(&sink), [0, 0]);
}

#[tokio::test]
async fn a_rate_is_kept_by_the_clock() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (_, since) = delivered(&gateway, &sink, 7).await;
    sink.forget();
    let body = json!({"since": since, "which": ["delivered"], "rate_per_second": 2, "start": true});
    let path = replay(&gateway, body).await;
    assert_eq!(sink.received().len(), 2, "a second's worth");
    for (sent, percent) in [(4, 57), (6, 85), (7, 100)] {
        gateway.advance(SignedDuration::from_secs(1));
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(sink.received().len(), sent);
        assert_eq!(shown(&gateway, &path).await["percent"], percent);
    }
    gateway.advance(SignedDuration::from_secs(1));
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(shown(&gateway, &path).await["state"], "done");
}

/// The numbers of a replay that was cancelled are those of what was sent.
#[tokio::test]
async fn a_replay_that_is_cancelled_sends_no_more_and_says_what_it_sent() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (_, since) = delivered(&gateway, &sink, 5).await;
    sink.forget();
    let body = json!({"since": since, "which": ["delivered"], "rate_per_second": 1, "start": true});
    let path = replay(&gateway, body).await;
    assert_eq!(sink.received().len(), 1);
    assert_eq!(act(&gateway, &format!("{path}/cancel")).await["state"], "cancelling");
    gateway.settle(gateway.instance(0)).await;
    let cancelled = shown(&gateway, &path).await;
    assert_eq!((&cancelled["state"], counted(&cancelled)), (&json!("cancelled"), (5, 5, 1)), "{cancelled}");
    assert_eq!(sink.received().len(), 1);
}

/// More than a page, in every partition.
#[tokio::test]
async fn several_pages_are_planned_and_sent_one_after_another() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.*"], json!({})).await;
    let since = time(&gateway);
    crate::switch(&gateway, &made, "disable").await;
    for n in 0..130 {
        publish(&gateway, "ticket.updated", n).await;
    }
    crate::switch(&gateway, &made, "enable").await;
    let replay = crate::recover(&gateway, &made, json!({"since": since})).await;
    assert_eq!((&replay["state"], counted(&replay)), (&json!("done"), (130, 130, 130)), "{replay}");
    assert_eq!(sorted(&sink), (0..130).collect::<Vec<_>>());
}
