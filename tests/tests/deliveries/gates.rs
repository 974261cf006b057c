//! B6 and B7: what keeps an attempt back without spending it.

use std::collections::HashSet;
use std::time::Duration;

use hookport_tests::gateway::text;
use hookport_tests::{Sink, TestGateway};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{EVENTS, deliveries, delivery, gateway, happens, now, post, publish, register, work};

fn seconds(s: i64) -> SignedDuration {
    SignedDuration::from_secs(s)
}

/// B6: five failures in a row and the host is left alone for 1, 5, 15, 30 and again 30 minutes, with one probe after
/// each; a success ends it. Waiting spends no attempt.
#[tokio::test]
async fn b6_a_host_that_keeps_failing_gets_one_probe_after_each_window() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": vec![1; 10]})).await;
    sink.answers([500; 9]);
    publish(&gateway, json!({"type": "ticket.updated", "data": {}})).await;
    for n in 1..=5 {
        work(&gateway).await;
        assert_eq!(sink.received().len(), n);
        gateway.advance(seconds(2));
    }
    for (n, window_s) in [(6, 60), (7, 300), (8, 900), (9, 1_800), (10, 1_800)] {
        // The breaker opened two seconds ago.
        work(&gateway).await;
        let waiting = delivery(&gateway, &made).await;
        assert_eq!((&waiting["state"], &waiting["waiting_for"]), (&json!("pending"), &json!("circuit_open")));
        let end = gateway.clock.now() + seconds(window_s - 2);
        assert_eq!(waiting["next_attempt_at"], end.to_string());
        gateway.advance(seconds(window_s - 3));
        work(&gateway).await;
        assert_eq!(sink.received().len(), n - 1, "the window of {window_s} s");
        gateway.advance(seconds(1));
        work(&gateway).await;
        assert_eq!(sink.received().len(), n, "one probe after {window_s} s");
        gateway.advance(seconds(2));
    }
    let done = delivery(&gateway, &made).await;
    assert_eq!((&done["state"], &done["waiting_for"]), (&json!("delivered"), &Value::Null));
    let numbers: Vec<u32> =
        sink.received().iter().map(|r| r.header("hookport-attempt").parse().expect("a number")).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    happens(&gateway).await;
    assert_eq!(sink.received().len(), 11, "the success closed it");
}

/// B6: while a host is left alone, one of those that wait is the probe and the others go on waiting.
#[tokio::test]
async fn b6_of_many_that_wait_one_is_the_probe() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": "none"})).await;
    sink.answers([500; 6]);
    for _ in 0..5 {
        happens(&gateway).await;
        gateway.advance(SignedDuration::from_millis(1));
    }
    for _ in 0..4 {
        happens(&gateway).await;
    }
    assert_eq!(sink.received().len(), 5);
    gateway.advance(seconds(60));
    work(&gateway).await;
    assert_eq!(sink.received().len(), 6);
    gateway.advance(seconds(299));
    work(&gateway).await;
    assert_eq!(sink.received().len(), 6);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 9, "none is lost");
    let states = deliveries(&gateway, &made).await;
    assert_eq!(states.iter().filter(|d| d["state"] == "delivered").count(), 3);
}

/// B6: the breaker is that of host and port. Defect 9: however the host is spelt.
#[tokio::test]
async fn b6_defect_9_a_breaker_is_that_of_the_host_in_any_case_and_of_its_port() {
    let gateway = TestGateway::with_settings(&["a"], &[("TRUSTED_TARGETS", "localhost")]).await;
    register(&gateway, &["ticket.updated", "ticket.closed"]).await;
    let (sink, other) = (Sink::start().await, Sink::start().await);
    let at = |sink: &Sink, host: &str| {
        let url = sink.url("/hook").replace("127.0.0.1", host);
        json!({"url": url, "retry_schedule": "none"})
    };
    gateway.subscribe(&sink, &["ticket.updated"], at(&sink, "localhost")).await;
    let upper = gateway.subscribe(&sink, &["ticket.closed"], at(&sink, "LOCALHOST")).await;
    let beside = gateway.subscribe(&other, &["ticket.closed"], at(&other, "localhost")).await;
    assert!(text(&now(&gateway, &upper).await["url"]).starts_with("http://localhost:"));
    sink.answers([500; 5]);
    for _ in 0..5 {
        happens(&gateway).await;
    }
    publish(&gateway, json!({"type": "ticket.closed", "data": {}})).await;
    gateway.drain(gateway.instance(0)).await;
    let waiting = delivery(&gateway, &upper).await;
    assert_eq!((&waiting["waiting_for"], &waiting["attempts"]), (&json!("circuit_open"), &json!([])));
    assert_eq!(delivery(&gateway, &beside).await["state"], "delivered", "another port is another host");
}

/// B6: a host that refuses what it is sent is alive.
#[tokio::test]
async fn b6_refusals_open_no_breaker() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": "none"})).await;
    sink.answers([404; 8]);
    for n in 1..=8 {
        happens(&gateway).await;
        assert_eq!(sink.received().len(), n);
    }
}

/// B7: ten of thirty now, the others in the next windows, and none is lost. Defect 22: waiting spends no attempt.
#[tokio::test]
async fn b7_defect_22_a_rate_puts_off_what_is_too_much_and_spends_no_attempt() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let rate = json!({"rate_limit": {"requests": 10, "window_seconds": 60}, "retry_schedule": "none"});
    let made = gateway.subscribe(&sink, &["ticket.updated"], rate).await;
    let events: Vec<Value> = (0..30).map(|n| json!({"type": "ticket.updated", "data": {"n": n}})).collect();
    let (status, _) = post(&gateway, EVENTS, json!({"events": events})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    work(&gateway).await;
    assert_eq!(sink.received().len(), 10);
    let all = deliveries(&gateway, &made).await;
    let waiting: Vec<_> = all.iter().filter(|d| d["state"] == "pending").collect();
    assert_eq!((all.len(), waiting.len()), (30, 20));
    let at = gateway.clock.now().to_string();
    for one in waiting {
        assert_eq!((&one["waiting_for"], &one["attempts"]), (&json!("rate_limited"), &json!([])));
        assert!(text(&one["next_attempt_at"]) > at);
    }
    // The clock begins 20 s into a window, and what waits is spread over a tenth of the next one.
    gateway.advance(seconds(47));
    work(&gateway).await;
    assert_eq!(sink.received().len(), 20);
    gateway.advance(seconds(60));
    work(&gateway).await;
    let received = sink.received();
    assert_eq!(received.len(), 30);
    assert!(received.iter().all(|r| r.header("hookport-attempt") == "1"));
    let ids: HashSet<_> = received.iter().map(|r| r.header("webhook-id")).collect();
    assert_eq!(ids.len(), 30);
    assert!(deliveries(&gateway, &made).await.iter().all(|d| d["state"] == "delivered"));
}

/// As many attempts are under way at a time as the subscription allows.
#[tokio::test]
async fn b7_one_at_a_time_means_one_at_a_time() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"max_in_flight": 1})).await;
    sink.hang(true);
    for n in 0..2 {
        publish(&gateway, json!({"type": "ticket.updated", "data": {"n": n}})).await;
    }
    let elsewhere = async {
        sink.got(1).await;
        let waiting = tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                let all = deliveries(&gateway, &made).await;
                if let Some(waiting) = all.into_iter().find(|d| d["state"] == "pending") {
                    return waiting;
                }
                tokio::task::yield_now().await;
            }
        });
        let waiting = waiting.await.expect("the other waits");
        sink.hang(false);
        waiting
    };
    let ((), waiting) = tokio::join!(gateway.drain(gateway.instance(0)), elsewhere);
    assert_eq!((&waiting["waiting_for"], &waiting["attempts"]), (&json!("concurrency_limited"), &json!([])));
    assert_eq!(sink.received().len(), 1);
    gateway.advance(seconds(4));
    work(&gateway).await;
    assert_eq!(sink.received().len(), 2);
    assert!(deliveries(&gateway, &made).await.iter().all(|d| d["state"] == "delivered"));
}
