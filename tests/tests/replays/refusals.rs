//! Replays that make no sense are refused by the name of what is wrong.

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use http::{Method, StatusCode};
use serde_json::json;

use crate::{REPLAYS, act, gateway, path, post, refused, time};

#[tokio::test]
async fn a_replay_that_breaks_a_rule_is_refused() {
    let gateway = gateway().await;
    let since = time(&gateway);
    let invalid = [
        json!({}),
        json!({"since": "yesterday"}),
        json!({"since": "2020-01-01T00:00:00Z"}),
        json!({"since": "2096-01-01T00:00:00Z"}),
        json!({"since": since, "until": "2096-01-01T00:00:00Z"}),
        json!({"since": since, "which": []}),
        json!({"since": since, "which": ["everything"]}),
        json!({"since": since, "routing": "elsewhere"}),
        json!({"since": since, "order": "backwards"}),
        json!({"since": since, "rate_per_second": 0}),
        json!({"since": since, "filter": []}),
        json!({"since": since, "filter": {"payload": {"$nope": 1}}}),
        json!({"since": since, "filter": {"event_types": ["Not A Type"]}}),
        json!({"since": since, "filter": {"cause": "status_500"}}),
        json!({"since": since, "more": true}),
    ];
    for body in invalid {
        refused(&post(&gateway, REPLAYS, body).await, StatusCode::BAD_REQUEST, "invalid_request");
    }
    let unknown = json!({"subscription_ids": ["sub_01m5w3rm008000000400000003"]});
    let answer = post(&gateway, REPLAYS, json!({"since": since, "filter": unknown})).await;
    refused(&answer, StatusCode::NOT_FOUND, "subscription_not_found");
    let unknown = json!({"webhook_id": "inw_01m5w3rm008000000400000003"});
    let answer = post(&gateway, REPLAYS, json!({"since": since, "filter": unknown})).await;
    refused(&answer, StatusCode::NOT_FOUND, "inbound_webhook_not_found");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let gateway = gateway().await;
    let unknown = format!("{REPLAYS}/rpl_01m5w3rm008000000400000003");
    for (method, path) in [
        (Method::GET, unknown.clone()),
        (Method::POST, format!("{unknown}/start")),
        (Method::POST, format!("{unknown}/cancel")),
    ] {
        let answer = gateway.api(method, &path, gateway.admin_token(), None).await;
        refused(&answer, StatusCode::NOT_FOUND, "replay_not_found");
    }
    let answer = gateway.api(Method::GET, &format!("{REPLAYS}/sub_x"), gateway.admin_token(), None).await;
    refused(&answer, StatusCode::BAD_REQUEST, "invalid_id");
    let nobody = "/api/v1/subscriptions/sub_01m5w3rm008000000400000003/recover";
    let answer = post(&gateway, nobody, json!({"since": time(&gateway)})).await;
    refused(&answer, StatusCode::NOT_FOUND, "subscription_not_found");
}

#[tokio::test]
async fn twenty_replays_may_be_without_an_end() {
    let gateway = gateway().await;
    let body = json!({"since": time(&gateway)});
    let mut last = String::new();
    for _ in 0..20 {
        let (status, answer) = post(&gateway, REPLAYS, body.clone()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        last = text(&answer["data"]["id"]);
    }
    refused(&post(&gateway, REPLAYS, body.clone()).await, StatusCode::CONFLICT, "too_many");
    act(&gateway, &format!("{REPLAYS}/{last}/cancel")).await;
    assert_eq!(post(&gateway, REPLAYS, body).await.0, StatusCode::ACCEPTED);
}

/// One that is recovered is named in its path, and nothing else can be.
#[tokio::test]
async fn a_recovery_takes_no_filter() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.*"], json!({})).await;
    let since = time(&gateway);
    for (operation, more) in [("recover", "routing"), ("recover", "filter"), ("replay-missing", "which")] {
        let mut body = json!({"since": since});
        body[more] = json!("x");
        let answer = post(&gateway, &format!("{}/{operation}", path(&made)), body).await;
        refused(&answer, StatusCode::BAD_REQUEST, "invalid_request");
    }
}
