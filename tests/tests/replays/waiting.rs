//! What a replay waits for, and what it leaves out because nothing is to be sent any more.

use hookport_tests::Sink;
use hookport_tests::gateway::TestGateway;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{act, counted, gateway, path, publish, replay, shown, switch, time};

/// A replay of what was delivered that is planned: its path, and the subscription.
async fn planned(gateway: &TestGateway, sink: &Sink, events: u64) -> (String, Value) {
    let made = gateway.subscribe(sink, &["ticket.*"], json!({})).await;
    let since = time(gateway);
    for n in 0..events {
        publish(gateway, "ticket.updated", n).await;
    }
    sink.forget();
    let path = replay(gateway, json!({"since": since, "which": ["delivered"]})).await;
    assert_eq!(shown(gateway, &path).await["state"], "planned");
    (path, made)
}

/// Lets time pass, then sweeps and works the queues.
async fn later(gateway: &TestGateway, by: SignedDuration) {
    gateway.advance(by);
    gateway.tick(gateway.instance(0)).await;
    gateway.drain(gateway.instance(0)).await;
}

#[tokio::test]
async fn a_replay_waits_for_a_subscription_that_takes_nothing() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (replay, made) = planned(&gateway, &sink, 2).await;
    switch(&gateway, &made, "pause").await;
    act(&gateway, &format!("{replay}/start")).await;
    gateway.drain(gateway.instance(0)).await;
    let waiting = shown(&gateway, &replay).await;
    assert_eq!((&waiting["state"], &waiting["waiting_for"]), (&json!("sending"), &made["data"]["id"]), "{waiting}");
    later(&gateway, SignedDuration::from_mins(6)).await;
    assert!(sink.received().is_empty());
    switch(&gateway, &made, "resume").await;
    later(&gateway, SignedDuration::from_mins(6)).await;
    gateway.drain(gateway.instance(0)).await;
    let done = shown(&gateway, &replay).await;
    assert_eq!((&done["state"], &done["waiting_for"]), (&json!("done"), &Value::Null), "{done}");
    assert_eq!((counted(&done), sink.received().len()), ((2, 2, 2), 2));
}

#[tokio::test]
async fn a_replay_that_waits_can_be_cancelled() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (replay, made) = planned(&gateway, &sink, 2).await;
    switch(&gateway, &made, "pause").await;
    act(&gateway, &format!("{replay}/start")).await;
    gateway.drain(gateway.instance(0)).await;
    act(&gateway, &format!("{replay}/cancel")).await;
    gateway.drain(gateway.instance(0)).await;
    let cancelled = shown(&gateway, &replay).await;
    assert_eq!((&cancelled["state"], counted(&cancelled)), (&json!("cancelled"), (2, 2, 0)), "{cancelled}");
    switch(&gateway, &made, "resume").await;
    gateway.settle(gateway.instance(0)).await;
    assert!(sink.received().is_empty());
}

#[tokio::test]
async fn an_event_whose_payload_is_gone_is_left_out_and_counted() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.*"], json!({})).await;
    let since = time(&gateway);
    switch(&gateway, &made, "disable").await;
    publish(&gateway, "ticket.updated", 0).await;
    gateway.advance(SignedDuration::from_hours(24 * 20));
    publish(&gateway, "ticket.updated", 1).await;
    gateway.advance(SignedDuration::from_hours(24 * 11));
    switch(&gateway, &made, "enable").await;
    let done = crate::recover(&gateway, &made, json!({"since": since})).await;
    assert_eq!((counted(&done), &done["counts"]["left_out"]["body_expired"]), ((2, 1, 1), &json!(1)), "{done}");
    assert_eq!(crate::numbers(&sink), [1]);
}

#[tokio::test]
async fn an_event_whose_payload_goes_while_the_plan_waits_is_skipped_and_counted() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (replay, _) = planned(&gateway, &sink, 2).await;
    gateway.advance(SignedDuration::from_hours(24 * 31));
    act(&gateway, &format!("{replay}/start")).await;
    gateway.drain(gateway.instance(0)).await;
    let done = shown(&gateway, &replay).await;
    assert_eq!((&done["state"], counted(&done)), (&json!("done"), (2, 2, 0)), "{done}");
    assert_eq!((&done["counts"]["skipped"]["body_expired"], &done["percent"]), (&json!(2), &json!(100)));
    assert!(sink.received().is_empty());
}

#[tokio::test]
async fn what_is_for_a_subscription_that_was_deleted_is_skipped_and_counted() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (replay, made) = planned(&gateway, &sink, 2).await;
    let (status, _) = gateway.api(Method::DELETE, &path(&made), gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    act(&gateway, &format!("{replay}/start")).await;
    gateway.drain(gateway.instance(0)).await;
    let done = shown(&gateway, &replay).await;
    assert_eq!((&done["state"], counted(&done)), (&json!("done"), (2, 2, 0)), "{done}");
    assert_eq!(done["counts"]["skipped"]["subscription_deleted"], 2);
    assert!(sink.received().is_empty());
}

/// Another replay was faster: what it sent is skipped.
#[tokio::test]
async fn of_two_replays_of_the_same_one_sends() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.*"], json!({})).await;
    let since = time(&gateway);
    switch(&gateway, &made, "disable").await;
    publish(&gateway, "ticket.updated", 0).await;
    switch(&gateway, &made, "enable").await;
    let missing = json!({"since": since, "which": ["missing"], "filter": {"subscription_ids": [made["data"]["id"]]}});
    let paths = [replay(&gateway, missing.clone()).await, replay(&gateway, missing).await];
    for path in &paths {
        act(&gateway, &format!("{path}/start")).await;
        gateway.drain(gateway.instance(0)).await;
    }
    let [first, second] = [shown(&gateway, &paths[0]).await, shown(&gateway, &paths[1]).await];
    assert_eq!((counted(&first), counted(&second)), ((1, 1, 1), (1, 1, 0)));
    assert_eq!(second["counts"]["skipped"]["delivered"], 1);
    assert_eq!(crate::numbers(&sink), [0]);
}
