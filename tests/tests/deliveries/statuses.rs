//! What each answer of a target means: the table of Standard Webhooks row by row, Retry-After, and the rules that a
//! subscription sets itself.

use hookport_tests::gateway::text;
use hookport_tests::sink::Reply;
use hookport_tests::{Sink, TestGateway};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{deliveries, delivery, gateway, happens, now, register, work};

const DELIVERED: [u16; 5] = [200, 201, 202, 204, 299];
const RETRIED: [u16; 17] = [300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 409, 422, 429, 500, 501, 505];
const PATIENCE: [u16; 4] = [429, 502, 503, 504];

/// A subscription with a target of its own, which answers the first event with `reply`.
async fn answering(gateway: &TestGateway, reply: Reply, settings: Value) -> (Sink, Value) {
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], settings).await;
    sink.replies([reply]);
    (sink, made)
}

/// The same for each status.
async fn answering_each(gateway: &TestGateway, statuses: &[u16], settings: &Value) -> Vec<(u16, Sink, Value)> {
    let mut all = Vec::new();
    for status in statuses {
        let (sink, made) = answering(gateway, Reply::status(*status).saying(""), settings.clone()).await;
        all.push((*status, sink, made));
    }
    all
}

#[tokio::test]
async fn b3_every_2xx_delivers_and_everything_else_but_410_is_tried_again() {
    let gateway = gateway().await;
    let delivered = answering_each(&gateway, &DELIVERED, &json!({})).await;
    let retried = answering_each(&gateway, &RETRIED, &json!({})).await;
    let patient = answering_each(&gateway, &PATIENCE, &json!({})).await;
    happens(&gateway).await;
    for (status, _, made) in &delivered {
        let done = delivery(&gateway, made).await;
        assert_eq!((&done["state"], &done["attempts"][0]["status"]), (&json!("delivered"), &json!(status)));
    }
    for (status, _, made) in retried.iter().chain(&patient) {
        let failed = delivery(&gateway, made).await;
        assert_eq!((&failed["state"], &failed["attempts"][0]["status"]), (&json!("pending"), &json!(status)));
        assert_eq!(failed["attempts"][0]["outcome"], "failed", "{status}");
    }
    gateway.advance(SignedDuration::from_secs(7));
    work(&gateway).await;
    for (status, sink, made) in delivered.iter().chain(&retried).chain(&patient) {
        assert_eq!(delivery(&gateway, made).await["state"], "delivered", "{status}");
        assert_eq!(sink.received().len(), if *status < 300 { 1 } else { 2 }, "{status}");
        assert_eq!(now(&gateway, made).await["state"], "active", "{status}");
    }
}

#[tokio::test]
async fn b3_a_410_ends_the_delivery_and_switches_the_subscription_off() {
    let gateway = gateway().await;
    let (sink, made) = answering(&gateway, Reply::status(410), json!({})).await;
    happens(&gateway).await;
    assert_eq!(delivery(&gateway, &made).await["state"], "exhausted");
    let off = now(&gateway, &made).await;
    assert_eq!((&off["state"], &off["cause"]), (&json!("disabled"), &json!("endpoint_gone")));
    assert_eq!(off["status_message"], "The target answered 410 Gone.");
    gateway.advance(SignedDuration::from_secs(1));
    happens(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
    assert_eq!(deliveries(&gateway, &made).await.len(), 1, "what comes later makes no attempts");
}

/// 429, 502, 503 and 504 are tried again whatever `retry_on` says; the rest is what it says.
#[tokio::test]
async fn b3_retry_on_decides_what_is_tried_again_but_for_those_that_ask_for_patience() {
    let gateway = gateway().await;
    let never = answering_each(&gateway, &[302, 400, 404, 500], &json!({"retry_on": []})).await;
    let always = answering_each(&gateway, &PATIENCE, &json!({"retry_on": []})).await;
    let some = json!({"retry_on": ["5xx", "404"]});
    let listed = answering_each(&gateway, &[404, 500, 501], &some).await;
    let unlisted = answering_each(&gateway, &[302, 400, 409], &some).await;
    happens(&gateway).await;
    for (status, _, made) in never.iter().chain(&unlisted) {
        assert_eq!(delivery(&gateway, made).await["state"], "exhausted", "{status}");
    }
    for (status, _, made) in always.iter().chain(&listed) {
        assert_eq!(delivery(&gateway, made).await["state"], "pending", "{status}");
    }
}

#[tokio::test]
async fn b3_retry_on_decides_whether_no_answer_at_all_is_tried_again() {
    let gateway = TestGateway::with_settings(&["a"], &[("TRUSTED_TARGETS", "127.0.0.1")]).await;
    register(&gateway, &["ticket.updated"]).await;
    for (retry_on, state) in [(json!(["5xx"]), "exhausted"), (json!(["network"]), "pending")] {
        let gone = Sink::start().await.url("/hook");
        let any = Sink::start().await;
        let made = gateway.subscribe(&any, &["ticket.updated"], json!({"url": gone, "retry_on": retry_on})).await;
        happens(&gateway).await;
        let failed = delivery(&gateway, &made).await;
        assert_eq!((&failed["state"], &failed["attempts"][0]["error_code"]), (&json!(state), &json!("connect_failed")));
    }
}

#[tokio::test]
async fn b3_retry_after_in_seconds_puts_off_the_retry_and_all_that_comes_meanwhile() {
    let gateway = gateway().await;
    let (sink, made) = answering(&gateway, Reply::status(503).with("retry-after", "120"), json!({})).await;
    happens(&gateway).await;
    let until = gateway.clock.now() + SignedDuration::from_secs(120);
    assert_eq!(delivery(&gateway, &made).await["next_attempt_at"], until.to_string());
    gateway.advance(SignedDuration::from_secs(1));
    happens(&gateway).await;
    let newest = &deliveries(&gateway, &made).await[0];
    assert_eq!((&newest["state"], &newest["waiting_for"]), (&json!("pending"), &json!("slowed_down")));
    assert_eq!((&newest["next_attempt_at"], &newest["attempts"]), (&json!(until.to_string()), &json!([])));
    gateway.advance(SignedDuration::from_secs(118));
    work(&gateway).await;
    assert_eq!(sink.received().len(), 1, "not before its time");
    gateway.advance(SignedDuration::from_secs(1));
    work(&gateway).await;
    assert_eq!(sink.received().len(), 3);
    assert!(deliveries(&gateway, &made).await.iter().all(|d| d["state"] == "delivered"));
}

#[tokio::test]
async fn b3_retry_after_can_be_a_date_and_is_a_day_at_most() {
    let gateway = gateway().await;
    let at = gateway.clock.now();
    let in_ten_minutes = at + SignedDuration::from_mins(10);
    let date = in_ten_minutes.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let tomorrow = at + SignedDuration::from_hours(24);
    let mut all = Vec::new();
    for (status, value, expected) in [(429, date.as_str(), in_ten_minutes), (500, "9999999", tomorrow)] {
        let (sink, made) = answering(&gateway, Reply::status(status).with("retry-after", value), json!({})).await;
        all.push((sink, made, expected));
    }
    let (_sink, unclear) = answering(&gateway, Reply::status(429).with("retry-after", "soon"), json!({})).await;
    happens(&gateway).await;
    for (_sink, made, expected) in &all {
        assert_eq!(delivery(&gateway, made).await["next_attempt_at"], expected.to_string());
    }
    let next: Timestamp = text(&delivery(&gateway, &unclear).await["next_attempt_at"]).parse().expect("a time");
    assert!(next <= at + SignedDuration::from_secs(6), "what says no time says nothing");
}

/// Defect 24: a redirect is a failure that says where it led, and nobody goes there.
#[tokio::test]
async fn defect_24_a_redirect_is_never_followed() {
    let gateway = gateway().await;
    let elsewhere = Sink::start().await;
    let mut all = Vec::new();
    for status in [301, 302, 303, 307, 308] {
        let reply = Reply::status(status).with("location", elsewhere.url("/other"));
        all.push(answering(&gateway, reply, json!({"retry_schedule": "none"})).await);
    }
    happens(&gateway).await;
    for (sink, made) in &all {
        let failed = delivery(&gateway, made).await;
        assert_eq!(failed["state"], "exhausted");
        assert_eq!(failed["attempts"][0]["response_headers"]["location"], elsewhere.url("/other"));
        assert_eq!(sink.received().len(), 1);
    }
    assert!(elsewhere.received().is_empty() && elsewhere.challenges().is_empty());
}

/// A 2xx that is not what the subscription asks for is a failure, and says why.
#[tokio::test]
async fn b3_a_response_rule_makes_a_success_a_failure() {
    let gateway = gateway().await;
    let rule = json!({"response_rule": {"assertion": {"path": "$.ok", "equals": true}}});
    let (sink, made) = answering(&gateway, Reply::status(200).saying(r#"{"ok":false}"#), rule).await;
    sink.replies([Reply::status(200).saying(r#"{"ok":true}"#)]);
    let statuses = json!({"response_rule": {"statuses": [201]}, "retry_schedule": "none"});
    let (_sink, strict) = answering(&gateway, Reply::status(204).saying(""), statuses).await;
    happens(&gateway).await;
    let failed = delivery(&gateway, &made).await;
    assert_eq!((&failed["state"], &failed["attempts"][0]["outcome"]), (&json!("pending"), &json!("failed")));
    assert_eq!(failed["attempts"][0]["fault"], "$.ok should be true and is false");
    let ended = delivery(&gateway, &strict).await;
    assert_eq!(ended["state"], "exhausted");
    assert_eq!(ended["attempts"][0]["fault"], "the status should be 201 and is 204");

    gateway.advance(SignedDuration::from_secs(7));
    work(&gateway).await;
    assert_eq!(delivery(&gateway, &made).await["state"], "delivered");
}
