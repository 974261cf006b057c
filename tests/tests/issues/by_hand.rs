//! What people do with issues: acknowledge, resolve, send again what failed.

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{act, gateway, happen, issue, issues, subscribed};

#[tokio::test]
async fn an_acknowledged_issue_counts_on_until_the_time_that_was_said() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    subscribed(&gateway, &sink).await;
    sink.answers([400; 2]);
    happen(&gateway, 1).await;
    let until = gateway.clock.now() + SignedDuration::from_hours(1);
    let body = json!({"by": "ann", "until": until.to_string()});
    let (status, answer) = act(&gateway, &issue(&gateway).await, "acknowledge", Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    happen(&gateway, 1).await;
    let known = issue(&gateway).await;
    assert_eq!((&known["state"], &known["count"]), (&json!("acknowledged"), &json!(2)));
    assert_eq!((&known["acknowledged_by"], &known["acknowledged_until"]), (&json!("ann"), &json!(until.to_string())));
    assert_eq!(known["acknowledged_at"], gateway.clock.now().to_string());
    gateway.advance(SignedDuration::from_hours(1));
    let open = issue(&gateway).await;
    assert_eq!((&open["state"], &open["acknowledged_by"]), (&json!("open"), &Value::Null));

    let late = json!({"until": gateway.clock.now().to_string()});
    let (status, answer) = act(&gateway, &open, "acknowledge", Some(late)).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
}

#[tokio::test]
async fn an_issue_that_somebody_ended_opens_again_with_the_next_failure() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    subscribed(&gateway, &sink).await;
    sink.answers([400; 2]);
    happen(&gateway, 1).await;
    let before = issue(&gateway).await;
    for _ in 0..2 {
        let (status, answer) = act(&gateway, &before, "resolve", None).await;
        assert_eq!((status, &answer["data"]["state"]), (StatusCode::OK, &json!("resolved")), "{answer}");
        assert_eq!(answer["data"]["resolved_by_itself"], false);
    }
    let (status, answer) = act(&gateway, &before, "acknowledge", None).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::CONFLICT, &json!("issue_resolved")));
    gateway.advance(SignedDuration::from_mins(1));
    happen(&gateway, 1).await;
    let again = issue(&gateway).await;
    assert_eq!((&again["state"], &again["count"], &again["opened"]), (&json!("open"), &json!(1), &json!(2)));
    assert_ne!(again["first_seen"], before["first_seen"]);
}

#[tokio::test]
async fn what_failed_for_a_cause_is_sent_again_once_and_nothing_else() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    subscribed(&gateway, &sink).await;
    sink.answers([400, 422, 400, 200]);
    happen(&gateway, 4).await;
    let all = issues(&gateway).await;
    let of_400 = all.iter().find(|issue| issue["cause"] == "status_400").expect("an issue");
    gateway.advance(SignedDuration::from_mins(1));
    let (status, answer) = act(&gateway, of_400, "retry", None).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    gateway.settle(gateway.instance(0)).await;
    let ids: Vec<String> = sink.received().iter().map(|request| request.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 6, "four, and two again");
    let mut again = ids[4..].to_vec();
    let mut failed = vec![ids[0].clone(), ids[2].clone()];
    again.sort();
    failed.sort();
    assert_eq!(again, failed);
}

/// A plan that waits for somebody, or that was stopped, sends nothing; one that is under way is the answer.
#[tokio::test]
async fn asking_again_gives_what_is_under_way_and_nothing_that_is_not() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    subscribed(&gateway, &sink).await;
    sink.answers([400]);
    happen(&gateway, 1).await;
    let issue = issues(&gateway).await.remove(0);
    let since = (gateway.clock.now() - SignedDuration::from_hours(1)).to_string();
    let filter = json!({"subscription_ids": [issue["subscription_id"]], "cause": issue["cause"]});
    let plan = json!({"since": since, "which": ["failed"], "filter": filter});
    let (status, planned) = gateway.api(Method::POST, "/api/v1/replays", gateway.admin_token(), Some(plan)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{planned}");
    gateway.settle(gateway.instance(0)).await;

    let first = act(&gateway, &issue, "retry", None).await.1["data"]["id"].clone();
    assert_ne!(first, planned["data"]["id"], "nobody starts that one");
    assert_eq!(act(&gateway, &issue, "retry", None).await.1["data"]["id"], first);
    let path = format!("/api/v1/replays/{}/cancel", text(&first));
    let (status, answer) = gateway.api(Method::POST, &path, gateway.admin_token(), None).await;
    assert!(status.is_success(), "{answer}");
    let second = act(&gateway, &issue, "retry", None).await.1["data"]["id"].clone();
    assert_ne!(second, first);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 2, "once, and once again");
}
