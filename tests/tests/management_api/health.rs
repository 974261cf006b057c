//! Health of inbound webhooks: one word for each, by what came lately.

use hookport_tests::gateway::{SECRET, text};
use hookport_tests::{SenderRequest, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{WEBHOOKS, call, get, put, refused, tenant};

const URL: &str = "/api/inbound/default/github";
const LIST: &str = "/api/v1/health/inbound-webhooks";

async fn send(gateway: &TestGateway, body: &'static str, secret: &str, expected: u16) {
    let request = SenderRequest::json(body).signed(secret);
    let response = gateway.send(gateway.instance(0), URL, &request).await;
    assert_eq!(response.status().as_u16(), expected);
}

/// The state of a webhook, after its reason was found to be given.
async fn state(gateway: &TestGateway, webhook: &str) -> String {
    let (status, shown) = get(gateway, &format!("{WEBHOOKS}/{webhook}/health")).await;
    assert_eq!((status, &shown["data"]["webhook_id"]), (StatusCode::OK, &json!(webhook)), "{shown}");
    assert!(!text(&shown["data"]["why"]).is_empty());
    text(&shown["data"]["state"])
}

#[tokio::test]
async fn a_webhook_is_idle_until_it_is_used_and_when_it_is_not_for_a_day() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    assert_eq!(state(&gateway, &webhook).await, "idle");
    send(&gateway, "{}", SECRET, 200).await;
    assert_eq!(state(&gateway, &webhook).await, "healthy");
    gateway.advance(SignedDuration::from_hours(23));
    assert_eq!(state(&gateway, &webhook).await, "healthy");
    gateway.advance(SignedDuration::from_hours(1));
    assert_eq!(state(&gateway, &webhook).await, "idle");
}

#[tokio::test]
async fn a_webhook_with_a_silence_alarm_is_silent_before_the_alarm_is_raised() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({"silence_alarm_hours": 2})).await;
    send(&gateway, "{}", SECRET, 200).await;
    gateway.advance(SignedDuration::from_secs(2 * 3_600 - 1));
    assert_eq!(state(&gateway, &webhook).await, "healthy");
    gateway.advance(SignedDuration::from_secs(1));
    assert_eq!(state(&gateway, &webhook).await, "silent");
}

#[tokio::test]
async fn five_requests_in_a_row_that_cannot_be_used_are_failing() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    send(&gateway, "{}", SECRET, 200).await;
    for failed in 1..=5 {
        assert_eq!(state(&gateway, &webhook).await, "healthy", "after {} failures", failed - 1);
        gateway.advance(SignedDuration::from_secs(1));
        send(&gateway, "{", SECRET, 400).await;
    }
    assert_eq!(state(&gateway, &webhook).await, "failing");
    gateway.advance(SignedDuration::from_secs(1));
    send(&gateway, "{}", SECRET, 200).await;
    assert_eq!(state(&gateway, &webhook).await, "healthy");
}

#[tokio::test]
async fn a_webhook_that_most_senders_cannot_prove_themselves_to_is_rejecting_for_an_hour() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    for _ in 0..5 {
        send(&gateway, "{}", SECRET, 200).await;
    }
    for _ in 0..5 {
        send(&gateway, "{}", "a secret of nobody's", 401).await;
    }
    assert_eq!(state(&gateway, &webhook).await, "healthy", "half is not more than half");
    send(&gateway, "{}", "a secret of nobody's", 401).await;
    assert_eq!(state(&gateway, &webhook).await, "rejecting");
    gateway.advance(SignedDuration::from_secs(3_601));
    assert_eq!(state(&gateway, &webhook).await, "healthy");
}

#[tokio::test]
async fn a_webhook_that_is_off_says_who_switched_it_off() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({"disable_after_failures": 2})).await;
    for _ in 0..2 {
        send(&gateway, "{", SECRET, 400).await;
    }
    gateway.tick(gateway.instance(0)).await;
    assert_eq!(state(&gateway, &webhook).await, "auto_disabled");
    let other = gateway.webhook("other", json!({"is_active": false})).await;
    assert_eq!(state(&gateway, &other).await, "disabled");
    let on = json!({"name": "github", "slug": "github", "event_type": "github.push"});
    assert_eq!(put(&gateway, &format!("{WEBHOOKS}/{webhook}"), on).await.0, StatusCode::OK);
    assert_eq!(state(&gateway, &webhook).await, "healthy");
}

#[tokio::test]
async fn all_webhooks_of_a_tenant_are_listed_with_their_health() {
    let gateway = TestGateway::new().await;
    let used = gateway.webhook("github", json!({})).await;
    send(&gateway, "{}", SECRET, 200).await;
    let mut made = vec![json!([used, "healthy"])];
    for slug in ["b", "c", "d"] {
        gateway.advance(SignedDuration::from_secs(1));
        made.insert(0, json!([gateway.webhook(slug, json!({})).await, "idle"]));
    }
    let mut listed: Vec<Value> = Vec::new();
    let mut path = format!("{LIST}?limit=3");
    loop {
        let (status, page) = get(&gateway, &path).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let items = page["data"].as_array().expect("a list");
        listed.extend(items.iter().map(|item| json!([item["webhook_id"], item["state"]])));
        match page["meta"]["next_cursor"].as_str() {
            Some(cursor) => path = format!("{LIST}?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(listed, made);
    let other = tenant(&gateway, "acme").await;
    let (_, page) = call(&gateway, Method::GET, LIST, &other, None).await;
    assert_eq!(page["data"], json!([]));
    refused(&get(&gateway, &format!("{LIST}?cursor=!")).await, StatusCode::BAD_REQUEST, "invalid_cursor");
}
