//! What is told of issues, and that it is told once.

use hookport_tests::{Sink, TestGateway};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{FIRST_LOOK, QUIET, act, gateway, happen, issue, issues, pass, subscribed, told};

async fn listener(gateway: &TestGateway) -> Sink {
    let listener = Sink::start().await;
    gateway.subscribe(&listener, &["delivery_issue.*"], json!({"retry_schedule": "none"})).await;
    listener
}

#[tokio::test]
async fn that_an_issue_opened_and_that_it_is_over_are_told_once_each() {
    let gateway = gateway().await;
    let (sink, listener) = (Sink::start().await, listener(&gateway).await);
    subscribed(&gateway, &sink).await;
    sink.answers([400; 3]);
    happen(&gateway, 2).await;
    let opened = issue(&gateway).await;
    assert!(listener.received().is_empty(), "not before the first look");
    pass(&gateway, FIRST_LOOK).await;
    happen(&gateway, 1).await;
    pass(&gateway, QUIET).await;
    let [told_open] = &told(&listener)[..] else { panic!("told once: {:?}", told(&listener)) };
    assert_eq!(told_open["type"], "delivery_issue.opened");
    let expected = json!({
        "issue_id": opened["id"],
        "subscription_id": opened["subscription_id"],
        "cause": "status_400",
        "count": 2,
        "opened": 1,
        "first_seen": opened["first_seen"],
        "last_seen": opened["last_seen"],
        "last_error": "the target answered 400",
        "by_itself": null,
    });
    assert_eq!(told_open["data"], expected);

    happen(&gateway, 1).await;
    for _ in 0..3 {
        pass(&gateway, QUIET).await;
    }
    let all = told(&listener);
    let types: Vec<&Value> = all.iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["delivery_issue.opened", "delivery_issue.closed"]);
    assert_eq!((&all[1]["data"]["count"], &all[1]["data"]["by_itself"]), (&json!(3), &json!(true)));
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(told(&listener).len(), 2);
}

#[tokio::test]
async fn what_heals_within_a_minute_is_not_told() {
    let gateway = gateway().await;
    let (sink, listener) = (Sink::start().await, listener(&gateway).await);
    subscribed(&gateway, &sink).await;
    sink.answers([400]);
    happen(&gateway, 1).await;
    gateway.advance(SignedDuration::from_secs(5));
    happen(&gateway, 1).await;
    pass(&gateway, FIRST_LOOK).await;
    pass(&gateway, QUIET).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(issue(&gateway).await["state"], "resolved");
    assert!(listener.received().is_empty());
}

#[tokio::test]
async fn an_issue_that_opens_again_is_told_again() {
    let gateway = gateway().await;
    let (sink, listener) = (Sink::start().await, listener(&gateway).await);
    subscribed(&gateway, &sink).await;
    for _ in 0..2 {
        sink.answers([400]);
        happen(&gateway, 1).await;
        pass(&gateway, FIRST_LOOK).await;
        happen(&gateway, 1).await;
        pass(&gateway, QUIET).await;
    }
    gateway.settle(gateway.instance(0)).await;
    let types: Vec<Value> = told(&listener).iter().map(|event| event["type"].clone()).collect();
    let expected = ["opened", "closed", "opened", "closed"].map(|word| format!("delivery_issue.{word}"));
    assert_eq!(types, expected);
}

/// Else what goes wrong with telling would be told, for ever.
#[tokio::test]
async fn failures_of_the_gateways_own_events_are_counted_and_not_told() {
    let gateway = gateway().await;
    let (sink, listener) = (Sink::start().await, listener(&gateway).await);
    subscribed(&gateway, &sink).await;
    sink.answers([400]);
    listener.answers([422; 9]);
    happen(&gateway, 1).await;
    pass(&gateway, FIRST_LOOK).await;
    gateway.settle(gateway.instance(0)).await;
    let [_, own] = &issues(&gateway).await[..] else { panic!("two issues: {:?}", issues(&gateway).await) };
    assert_eq!((&own["cause"], &own["count"]), (&json!("status_422"), &json!(1)));
    assert_eq!(own["last_event_type"], "delivery_issue.opened");
    assert_eq!(listener.received().len(), 1);
}

#[tokio::test]
async fn who_knows_already_is_not_told_and_who_ends_an_issue_is() {
    let gateway = gateway().await;
    let (sink, listener) = (Sink::start().await, listener(&gateway).await);
    subscribed(&gateway, &sink).await;
    sink.answers([400; 2]);
    happen(&gateway, 1).await;
    act(&gateway, &issue(&gateway).await, "acknowledge", None).await;
    pass(&gateway, FIRST_LOOK).await;
    gateway.settle(gateway.instance(0)).await;
    act(&gateway, &issue(&gateway).await, "resolve", None).await;
    gateway.settle(gateway.instance(0)).await;
    assert!(listener.received().is_empty());

    happen(&gateway, 1).await;
    pass(&gateway, FIRST_LOOK).await;
    assert_eq!(listener.received().len(), 1);
    act(&gateway, &issue(&gateway).await, "resolve", None).await;
    gateway.settle(gateway.instance(0)).await;
    let all = told(&listener);
    assert_eq!((all.len(), &all[1]["type"]), (2, &json!("delivery_issue.closed")));
    assert_eq!(all[1]["data"]["by_itself"], false);
}
