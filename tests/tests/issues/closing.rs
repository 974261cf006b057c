//! When issues are over by themselves, and when they are not.

use hookport_tests::Sink;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::json;

use crate::{FIRST_LOOK, QUIET, SUBSCRIPTIONS, gateway, happen, issue, pass, subscribed};

#[tokio::test]
async fn an_issue_is_over_after_a_success_and_five_quiet_minutes() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    subscribed(&gateway, &sink).await;
    sink.answers([400]);
    happen(&gateway, 1).await;
    pass(&gateway, FIRST_LOOK).await;
    happen(&gateway, 1).await;
    assert_eq!(issue(&gateway).await["state"], "open", "five minutes are not over");
    pass(&gateway, QUIET).await;
    let over = issue(&gateway).await;
    assert_eq!((&over["state"], &over["resolved_by_itself"]), (&json!("resolved"), &json!(true)));
    assert_eq!(over["resolved_at"], gateway.clock.now().to_string());
    assert_eq!(over["count"], 1, "what it counted stays");
}

/// An instance that has seen the failures need not wait for the time at which the issue is looked at.
#[tokio::test]
async fn a_success_after_long_silence_ends_an_issue_at_once() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    subscribed(&gateway, &sink).await;
    sink.answers([400]);
    happen(&gateway, 1).await;
    for minutes in [5, 5, 10, 20, 40] {
        pass(&gateway, SignedDuration::from_mins(minutes)).await;
    }
    gateway.advance(SignedDuration::from_mins(2));
    assert_eq!(issue(&gateway).await["state"], "open");
    happen(&gateway, 1).await;
    assert_eq!(issue(&gateway).await["state"], "resolved");
}

#[tokio::test]
async fn an_issue_stays_open_while_it_fails_and_while_nothing_comes() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    subscribed(&gateway, &sink).await;
    sink.answers([400, 200, 400, 400]);
    happen(&gateway, 3).await;
    for _ in 0..3 {
        pass(&gateway, QUIET).await;
    }
    assert_eq!(issue(&gateway).await["state"], "open", "the success was before the last failure");
    happen(&gateway, 1).await;
    gateway.settle(gateway.instance(0)).await;
    let open = issue(&gateway).await;
    assert_eq!((&open["state"], &open["count"]), (&json!("open"), &json!(3)), "silence proves nothing");
}

#[tokio::test]
async fn a_failure_after_its_end_opens_an_issue_again() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    subscribed(&gateway, &sink).await;
    sink.answers([400, 400]);
    happen(&gateway, 3).await;
    pass(&gateway, FIRST_LOOK).await;
    happen(&gateway, 1).await;
    pass(&gateway, QUIET).await;
    let over = issue(&gateway).await;
    assert_eq!((&over["state"], &over["count"]), (&json!("resolved"), &json!(2)));
    sink.answers([400]);
    happen(&gateway, 1).await;
    let again = issue(&gateway).await;
    assert_eq!((&again["id"], &again["state"]), (&over["id"], &json!("open")));
    assert_eq!((&again["count"], &again["total"], &again["opened"]), (&json!(1), &json!(3), &json!(2)));
    assert_eq!(again["first_seen"], gateway.clock.now().to_string());
    assert_eq!((&again["resolved_at"], &again["resolved_by_itself"]), (&json!(null), &json!(null)));
    pass(&gateway, FIRST_LOOK).await;
    happen(&gateway, 1).await;
    pass(&gateway, QUIET).await;
    assert_eq!(issue(&gateway).await["state"], "resolved", "it is looked after as before");
}

#[tokio::test]
async fn the_issues_of_a_deleted_subscription_are_over() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = subscribed(&gateway, &sink).await;
    sink.answers([400]);
    happen(&gateway, 1).await;
    let path = format!("{SUBSCRIPTIONS}/{}", made["data"]["id"].as_str().expect("an id"));
    let (status, _) = gateway.api(Method::DELETE, &path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    pass(&gateway, FIRST_LOOK).await;
    let over = issue(&gateway).await;
    assert_eq!((&over["state"], &over["resolved_by_itself"]), (&json!("resolved"), &json!(true)));
}

/// What was not used for 90 days is no longer shown.
#[tokio::test]
async fn an_issue_is_kept_for_ninety_days_after_its_last_failure() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    subscribed(&gateway, &sink).await;
    sink.answers([400]);
    happen(&gateway, 1).await;
    let path = format!("/api/v1/issues/{}", issue(&gateway).await["id"].as_str().expect("an id"));
    gateway.advance(SignedDuration::from_hours(90 * 24));
    let (status, answer) = gateway.api(Method::GET, &path, gateway.admin_token(), None).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::NOT_FOUND, &json!("issue_not_found")));
    assert!(crate::issues(&gateway).await.is_empty());
}
