//! When issues open, what belongs to them, and what they count.

use hookport_tests::Sink;
use hookport_tests::inbound::list;
use hookport_tests::sink::Reply;
use jiff::SignedDuration;
use serde_json::json;

use crate::{SUBSCRIPTIONS, gateway, happen, happens_on, issue, issues, pass, subscribed};

#[tokio::test]
async fn the_first_failure_opens_an_issue_that_says_what_failed() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = subscribed(&gateway, &sink).await;
    happen(&gateway, 1).await;
    assert!(issues(&gateway).await.is_empty(), "a success opens nothing");
    sink.answers([500]);
    happen(&gateway, 1).await;
    let issue = issue(&gateway).await;
    let now = gateway.clock.now().to_string();
    assert_eq!((&issue["state"], &issue["cause"]), (&json!("open"), &json!("status_500")));
    assert_eq!((&issue["subscription_id"], &issue["count"]), (&made["data"]["id"], &json!(1)));
    assert_eq!((&issue["first_seen"], &issue["last_seen"]), (&json!(now), &json!(now)));
    assert_eq!((&issue["total"], &issue["opened"]), (&json!(1), &json!(1)));
    assert_eq!(issue["last_error"], "the target answered 500");
    assert_eq!(issue["last_event_type"], "ticket.updated");
    let failed = list(&gateway, "/api/v1/deliveries?state=exhausted").await;
    assert_eq!(issue["last_delivery_id"], failed[0]["id"]);
    assert_eq!(gateway.get(&format!("/api/v1/issues/{}", issue["id"].as_str().expect("an id"))).await["data"], issue);
}

#[tokio::test]
async fn failures_are_grouped_by_cause_and_subscription() {
    let gateway = gateway().await;
    let (one, other) = (Sink::start().await, Sink::start().await);
    let first = subscribed(&gateway, &one).await;
    let second = subscribed(&gateway, &other).await;
    one.answers([400, 422, 400]);
    other.answers([400]);
    happen(&gateway, 3).await;
    let mut found: Vec<_> = issues(&gateway)
        .await
        .iter()
        .map(|issue| {
            let place = if issue["subscription_id"] == first["data"]["id"] { "first" } else { "second" };
            (place, issue["cause"].as_str().expect("a cause").to_owned(), issue["count"].clone())
        })
        .collect();
    found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let expected = [("first", "status_400", 2), ("first", "status_422", 1), ("second", "status_400", 1)];
    assert_eq!(found, expected.map(|(place, cause, count)| (place, cause.to_owned(), json!(count))));

    let id = second["data"]["id"].as_str().expect("an id");
    let of_one = list(&gateway, &format!("/api/v1/issues?subscription_id={id}")).await;
    assert_eq!((of_one.len(), &of_one[0]["subscription_id"]), (1, &second["data"]["id"]));
    assert_eq!(list(&gateway, "/api/v1/issues?cause=status_422").await.len(), 1);
    assert_eq!(list(&gateway, "/api/v1/issues?state=resolved").await.len(), 0);
    assert_eq!(list(&gateway, "/api/v1/issues?state=open").await.len(), 3);
}

#[tokio::test]
async fn every_attempt_that_fails_is_counted_whoever_makes_it() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": [60]})).await;
    sink.answers([400; 4]);
    happens_on(&gateway, gateway.instance(0)).await;
    happens_on(&gateway, gateway.instance(1)).await;
    assert_eq!(issue(&gateway).await["count"], 2);
    pass(&gateway, SignedDuration::from_mins(2)).await;
    let counted = issue(&gateway).await;
    assert_eq!((sink.received().len(), &counted["count"]), (4, &json!(4)));
    assert_ne!(counted["first_seen"], counted["last_seen"]);
}

#[tokio::test]
async fn tests_and_challenges_open_nothing() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    sink.answers_challenges([Reply::status(400)]);
    let made = gateway.ask_for_subscription(&sink, &["ticket.updated"], json!({})).await;
    gateway.settle(gateway.instance(0)).await;
    let id = made["data"]["id"].as_str().expect("an id");
    sink.answers([400]);
    let path = format!("{SUBSCRIPTIONS}/{id}/test");
    gateway.api(http::Method::POST, &path, gateway.admin_token(), None).await;
    gateway.drain(gateway.instance(0)).await;
    assert!(issues(&gateway).await.is_empty());
}

#[tokio::test]
async fn a_target_that_promised_and_said_nothing_is_a_cause() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    subscribed(&gateway, &sink).await;
    sink.replies([Reply::status(202).with("hookport-callback", "async")]);
    happen(&gateway, 1).await;
    assert!(issues(&gateway).await.is_empty(), "it has not failed");
    pass(&gateway, SignedDuration::from_mins(15)).await;
    let issue = issue(&gateway).await;
    assert_eq!((&issue["cause"], &issue["count"]), (&json!("silent"), &json!(1)));
}

#[tokio::test]
async fn an_answer_that_breaks_the_rule_is_a_cause() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let rule = json!({"retry_schedule": "none", "response_rule": {"statuses": [201]}});
    gateway.subscribe(&sink, &["ticket.updated"], rule).await;
    happen(&gateway, 1).await;
    let issue = issue(&gateway).await;
    assert_eq!((&issue["cause"], &issue["count"]), (&json!("response_rule"), &json!(1)));
    assert_eq!(issue["last_error"], "the status should be 201 and is 200");
}

/// A success costs the same whether issues are open or not.
#[tokio::test]
async fn a_success_writes_nothing_for_issues() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    subscribed(&gateway, &sink).await;
    happen(&gateway, 1).await;
    gateway.cloud.meter().count();
    let written = async || {
        let before = gateway.cloud.meter().snapshot();
        happen(&gateway, 1).await;
        gateway.cloud.meter().snapshot().since(&before).write_units()
    };
    let healthy = written().await;
    sink.answers([400]);
    let failing = written().await;
    assert!(failing > healthy, "the failure is counted");
    // The first success after a failure is noted for its host.
    happen(&gateway, 1).await;
    assert_eq!(written().await, healthy);
    assert_eq!(issue(&gateway).await["state"], "open");
}
