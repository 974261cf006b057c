//! Targets that answer later: their silence was not counted, and ends were told that were none.

use bytes::Bytes;
use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::senders::hmac_sha256;
use http::{Request, StatusCode};
use jiff::SignedDuration;
use serde_json::json;

use crate::{DELIVERIES, act, delivery, gateway, happens, later, now, promises, states, subscribed, while_held};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const QUARTER: SignedDuration = SignedDuration::from_mins(15);

/// A sink to which ends of deliveries are told.
async fn listener(gateway: &TestGateway) -> Sink {
    let listener = Sink::start().await;
    gateway.subscribe(&listener, &["delivery.exhausted"], json!({})).await;
    listener
}

/// The target tells that it is done.
async fn completes(gateway: &TestGateway, id: &str) -> StatusCode {
    let body = r#"{"status":"completed"}"#;
    let signature = format!("sha256={}", hex::encode(hmac_sha256(SECRET, body.as_bytes())));
    let request = Request::post(format!("/webhook-deliveries/{id}/status")).header("x-webhook-signature", signature);
    let request = request.body(Bytes::from_static(body.as_bytes())).expect("a request");
    management::handle(&gateway.instance(0).management, request).await.status()
}

/// B12, B17: each promise counted as a success, so that a target that kept none was never switched off.
#[tokio::test]
async fn b12_a_target_that_stays_silent_is_switched_off() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let rule = json!({"auto_disable": {"after_hours": 24, "after_failures": 2}, "retry_schedule": "none"});
    let made = subscribed(&gateway, &sink, rule).await;
    sink.replies(promises(2));
    happens(&gateway, 1).await;
    later(&gateway, QUARTER).await;
    assert_eq!(states(&gateway, &made).await, ["exhausted"]);
    assert_eq!(now(&gateway, &made).await["state"], "active", "one silence is no reason");
    happens(&gateway, 2).await;
    assert_eq!(states(&gateway, &made).await, ["exhausted", "in_progress"]);
    later(&gateway, QUARTER).await;
    let off = now(&gateway, &made).await;
    assert_eq!((&off["state"], &off["cause"]), (&json!("disabled"), &json!("too_many_failures")));
}

/// B12, B17: one that keeps its promises is not.
#[tokio::test]
async fn b12_a_target_that_completes_what_it_promised_stays_active() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let rule = json!({
        "auto_disable": {"after_hours": 24, "after_failures": 2}, "retry_schedule": "none", "secret": SECRET,
    });
    let made = subscribed(&gateway, &sink, rule).await;
    sink.replies(promises(3));
    for n in 1..=3 {
        happens(&gateway, n).await;
        let newest = sink.received().pop().expect("a request");
        if n == 2 {
            assert_eq!(completes(&gateway, newest.header("hookport-delivery-id")).await, StatusCode::OK);
        }
        later(&gateway, QUARTER).await;
    }
    assert_eq!(states(&gateway, &made).await, ["exhausted", "delivered", "exhausted"]);
    assert_eq!(now(&gateway, &made).await["state"], "active");
}

/// B8, B17: the end of a test that its target promised to answer was told as that of a delivery.
#[tokio::test]
async fn b8_the_silence_after_a_test_is_told_to_nobody() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let listener = listener(&gateway).await;
    let made = subscribed(&gateway, &sink, json!({})).await;
    sink.replies(promises(1));
    let sent = act(&gateway, &made, "test").await;
    gateway.drain(gateway.instance(0)).await;
    let path = format!("{DELIVERIES}/{}", text(&sent["delivery_id"]));
    assert_eq!(gateway.get(&path).await["data"]["state"], "in_progress");
    later(&gateway, QUARTER).await;
    assert_eq!(gateway.get(&path).await["data"]["state"], "exhausted");
    gateway.settle(gateway.instance(0)).await;
    assert!(listener.received().is_empty());
}

/// B17: the end of a delivery was told before it was written: a target that was heard in between had completed it.
#[tokio::test]
async fn b17_a_target_that_completes_as_its_time_runs_out_is_not_told_as_exhausted() {
    let gateway = gateway().await;
    let (sink, b) = (Sink::start().await, gateway.instance(1));
    let listener = listener(&gateway).await;
    let made = subscribed(&gateway, &sink, json!({"secret": SECRET})).await;
    sink.replies(promises(1));
    happens(&gateway, 1).await;
    let id = text(&delivery(&gateway, &made).await["id"]);
    gateway.advance(QUARTER);
    gateway.tick(gateway.instance(0)).await;
    gateway.cloud.faults().set(Fault::new(FaultKind::Pause { effect: false }).by("b").on("PutItem"));
    let heard = async { assert_eq!(completes(&gateway, &id).await, StatusCode::OK) };
    tokio::join!(gateway.drain(b), while_held(&gateway, heard));
    gateway.settle(b).await;
    assert_eq!(delivery(&gateway, &made).await["state"], "delivered");
    assert!(listener.received().is_empty());
}

/// B4, B17: a silence that is one is told, once.
#[tokio::test]
async fn b17_a_silence_is_told_once() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let listener = listener(&gateway).await;
    subscribed(&gateway, &sink, json!({})).await;
    sink.replies(promises(1));
    happens(&gateway, 1).await;
    gateway.advance(QUARTER);
    for _ in 0..2 {
        gateway.tick(gateway.instance(0)).await;
        gateway.advance(SignedDuration::from_mins(5));
    }
    tokio::join!(gateway.drain(gateway.instance(0)), gateway.drain(gateway.instance(1)));
    gateway.settle(gateway.instance(0)).await;
    assert_eq!((sink.received().len(), listener.received().len()), (1, 1));
}
