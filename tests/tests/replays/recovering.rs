//! A subscription gets what it missed while it was disabled, each event once.

use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::gateway::{SECRET, TestGateway};
use hookport_tests::{SenderRequest, Sink};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{counted, deliveries, gateway, numbers, path, post, publish, recover, refused, sorted, switch, time, work};

/// A webhook receives a numbered event.
async fn receive(gateway: &TestGateway, slug: &str, n: u64) {
    gateway.advance(SignedDuration::from_secs(1));
    let request = SenderRequest::json(json!({"n": n}).to_string()).signed(SECRET);
    let kept = gateway.send(gateway.instance(0), &format!("/api/inbound/default/{slug}"), &request).await;
    assert_eq!(kept.status(), StatusCode::OK);
    gateway.drain(gateway.instance(0)).await;
}

/// A week of events from two webhooks and from publishers, while their one subscription is disabled.
async fn missed_week(sink: &Sink) -> (TestGateway, Value, String) {
    let gateway = gateway().await;
    for slug in ["github", "other"] {
        gateway.webhook(slug, json!({})).await;
    }
    let made = gateway.subscribe(sink, &["ticket.*", "github.*"], json!({})).await;
    let since = time(&gateway);
    switch(&gateway, &made, "disable").await;
    for n in 0..9 {
        gateway.advance(SignedDuration::from_hours(18));
        match n % 3 {
            0 => receive(&gateway, "github", n).await,
            1 => receive(&gateway, "other", n).await,
            _ => {
                publish(&gateway, "ticket.updated", n).await;
            }
        }
        // Not for it.
        publish(&gateway, "invoice.paid", 100).await;
    }
    switch(&gateway, &made, "enable").await;
    assert!(sink.received().is_empty() && deliveries(&gateway, &made).await.is_empty());
    (gateway, made, since)
}

#[tokio::test]
async fn a_subscription_that_was_disabled_for_a_week_gets_each_event_once_and_in_order() {
    let sink = Sink::start().await;
    let (gateway, made, since) = missed_week(&sink).await;
    let replay = recover(&gateway, &made, json!({"since": since, "order": "by_time"})).await;
    assert_eq!((&replay["state"], counted(&replay)), (&json!("done"), (9, 9, 9)), "{replay}");
    assert_eq!(numbers(&sink), (0..9).collect::<Vec<_>>());
    let received = sink.received();
    assert!(received.iter().all(|request| request.header("hookport-attempt") == "1"));
    let all = deliveries(&gateway, &made).await;
    assert!(all.iter().all(|delivery| delivery["kind"] == "event" && delivery["state"] == "delivered"), "{all:?}");

    // Whoever asks again gets nothing again.
    let again = recover(&gateway, &made, json!({"since": since})).await;
    assert_eq!((counted(&again), &again["counts"]["left_out"]["delivered"]), ((9, 0, 0), &json!(9)), "{again}");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 9);
}

#[tokio::test]
async fn a_subscription_that_was_disabled_for_a_week_gets_each_event_once_and_in_any_order() {
    let sink = Sink::start().await;
    let (gateway, made, since) = missed_week(&sink).await;
    let replay = recover(&gateway, &made, json!({"since": since})).await;
    assert_eq!((&replay["state"], counted(&replay)), (&json!("done"), (9, 9, 9)), "{replay}");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sorted(&sink), (0..9).collect::<Vec<_>>());
    assert_eq!(deliveries(&gateway, &made).await.len(), 9);
}

/// What fails does not hold the next one up, and is tried again by its own schedule.
#[tokio::test]
async fn in_order_means_that_each_is_attempted_before_the_next() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.*"], json!({})).await;
    let since = time(&gateway);
    switch(&gateway, &made, "disable").await;
    for n in 0..4 {
        publish(&gateway, "ticket.updated", n).await;
    }
    switch(&gateway, &made, "enable").await;
    sink.answers([200, 500]);
    let replay = recover(&gateway, &made, json!({"since": since, "order": "by_time"})).await;
    assert_eq!((&replay["state"], counted(&replay)), (&json!("done"), (4, 4, 4)), "{replay}");
    assert_eq!(numbers(&sink), [0, 1, 2, 3]);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [0, 1, 2, 3, 1]);
}

#[tokio::test]
async fn what_an_ordered_subscription_missed_goes_through_its_lanes() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let ordering = json!({"ordering": {"by": "subscription", "settle_seconds": 0}});
    let made = gateway.subscribe(&sink, &["ticket.*"], ordering).await;
    let since = time(&gateway);
    switch(&gateway, &made, "disable").await;
    for n in 0..4 {
        publish(&gateway, "ticket.updated", n).await;
    }
    switch(&gateway, &made, "enable").await;
    let replay = recover(&gateway, &made, json!({"since": since})).await;
    assert_eq!((&replay["state"], counted(&replay)), (&json!("done"), (4, 4, 4)), "{replay}");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [0, 1, 2, 3]);
}

/// An event that cannot be read at once does not let those behind it into its lane before it.
#[tokio::test]
async fn a_lane_keeps_its_order_whatever_is_not_read_at_once() {
    let ordering = json!({"ordering": {"by": "subscription", "settle_seconds": 0}});
    let mut hits = 0;
    for nth in 1..=15 {
        let gateway = gateway().await;
        let sink = Sink::start().await;
        let made = gateway.subscribe(&sink, &["ticket.*"], ordering.clone()).await;
        let since = time(&gateway);
        switch(&gateway, &made, "disable").await;
        for n in 0..4 {
            publish(&gateway, "ticket.updated", n).await;
        }
        switch(&gateway, &made, "enable").await;
        let wanted = json!({"since": since, "order": "by_time"});
        let (status, answer) = post(&gateway, &format!("{}/recover", path(&made)), wanted).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        gateway.cloud.faults().set(Fault::new(FaultKind::Before).on("GetItem").nth(nth));
        work(&gateway).await;
        hits += gateway.cloud.faults().hit();
        gateway.cloud.faults().clear();
        gateway.settle(gateway.instance(0)).await;
        assert_eq!(numbers(&sink), [0, 1, 2, 3], "call {nth} failed");
    }
    assert!(hits > 5, "calls failed, those for the events among them: {hits}");
}

#[tokio::test]
async fn what_was_never_attempted_is_told_from_what_failed() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.*"], json!({"retry_schedule": "none"})).await;
    let since = time(&gateway);
    sink.answers([200, 500]);
    publish(&gateway, "ticket.updated", 0).await;
    publish(&gateway, "ticket.updated", 1).await;
    switch(&gateway, &made, "disable").await;
    publish(&gateway, "ticket.updated", 2).await;
    switch(&gateway, &made, "enable").await;

    let (status, answer) = post(&gateway, &format!("{}/replay-missing", path(&made)), json!({"since": since})).await;
    assert_eq!((status, &answer["data"]["which"]), (StatusCode::ACCEPTED, &json!(["missing"])), "{answer}");
    work(&gateway).await;
    assert_eq!(numbers(&sink), [0, 1, 2]);
    let replay = recover(&gateway, &made, json!({"since": since})).await;
    assert_eq!((counted(&replay), &replay["counts"]["left_out"]["delivered"]), ((3, 1, 1), &json!(2)), "{replay}");
    assert_eq!(numbers(&sink), [0, 1, 2, 1]);
    let all = deliveries(&gateway, &made).await;
    let resent: Vec<_> = all.iter().filter(|delivery| delivery["kind"] == "resend").collect();
    let [resent] = resent[..] else { panic!("one was sent again: {all:?}") };
    let failed = all.iter().find(|delivery| delivery["state"] == "exhausted").expect("it stays as it was");
    assert_eq!((&resent["repeats"], &resent["event_id"]), (&failed["id"], &failed["event_id"]));
    assert_eq!(resent["state"], "delivered");
}

/// What is kept for a paused subscription goes out by itself when it is resumed.
#[tokio::test]
async fn what_is_kept_is_not_missing() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.*"], json!({})).await;
    let since = time(&gateway);
    switch(&gateway, &made, "pause").await;
    publish(&gateway, "ticket.updated", 0).await;
    let (_, answer) = post(&gateway, &format!("{}/recover", path(&made)), json!({"since": since})).await;
    assert_eq!(answer["error"]["code"], "subscription_state");
    let body = json!({"since": since, "filter": {"subscription_ids": [made["data"]["id"]]}});
    let planned = crate::replay(&gateway, body).await;
    let planned = crate::shown(&gateway, &planned).await;
    assert_eq!((counted(&planned), &planned["counts"]["left_out"]["in_progress"]), ((1, 0, 0), &json!(1)));
    switch(&gateway, &made, "resume").await;
    assert_eq!(numbers(&sink), [0]);
}

/// It waited for the rate when the subscription was disabled, and no attempt was made.
#[tokio::test]
async fn what_was_cancelled_before_any_attempt_is_missing() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let rate = json!({"rate_limit": {"requests": 1, "window_seconds": 600}});
    let made = gateway.subscribe(&sink, &["ticket.*"], rate).await;
    let since = time(&gateway);
    publish(&gateway, "ticket.updated", 0).await;
    publish(&gateway, "ticket.updated", 1).await;
    switch(&gateway, &made, "disable").await;
    gateway.settle(gateway.instance(0)).await;
    let states = deliveries(&gateway, &made).await.iter().map(|one| one["state"].clone()).collect::<Vec<_>>();
    assert_eq!(states, ["cancelled", "delivered"]);

    switch(&gateway, &made, "enable").await;
    let replay = recover(&gateway, &made, json!({"since": since})).await;
    assert_eq!(counted(&replay), (2, 1, 1), "{replay}");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [0, 1]);
    let all = deliveries(&gateway, &made).await;
    assert!(all.iter().all(|one| one["kind"] == "event" && one["state"] == "delivered"), "its own: {all:?}");
}

#[tokio::test]
async fn only_an_active_subscription_is_recovered() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.*"], json!({})).await;
    switch(&gateway, &made, "disable").await;
    for operation in ["recover", "replay-missing"] {
        let answer = post(&gateway, &format!("{}/{operation}", path(&made)), json!({"since": time(&gateway)})).await;
        refused(&answer, StatusCode::CONFLICT, "subscription_state");
    }
}
