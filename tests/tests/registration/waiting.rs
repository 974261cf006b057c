//! Subscriptions that wait for an admin: what can be done to them, and how that ends.

use bytes::Bytes;
use hookport_tests::gateway::{TestGateway, answer, text};
use hookport_tests::{Sink, sink::SinkRequest};
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    Answer, CHALLENGE, EVENT_TYPE, approve, asked, audit, call, done, gateway, issued, later, made, path_of, refused,
    registers, state, value_of,
};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A subscription that registered itself and waits.
async fn registered(gateway: &TestGateway, sink: &Sink) -> Value {
    let (token, _) = issued(gateway, json!({})).await;
    made(registers(gateway, &token, asked(sink, json!({}))).await)
}

async fn status(gateway: &TestGateway, path: &str) -> StatusCode {
    gateway.api(Method::GET, path, gateway.admin_token(), None).await.0
}

/// Calls as the operator about one version.
async fn call_for(gateway: &TestGateway, method: Method, path: &str, version: u64, body: &Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(AUTHORIZATION, format!("Bearer {}", gateway.admin_token()))
        .header(CONTENT_TYPE, "application/json")
        .header(IF_MATCH, format!("\"{version}\""))
        .body(Bytes::from(body.to_string()));
    let response = management::handle(&gateway.instance(0).management, request.expect("a request")).await;
    (response.status(), answer(&response))
}

/// Nothing but an approval lets it in.
#[tokio::test]
async fn there_is_no_way_past_the_admin() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let path = path_of(&registered(&gateway, &sink).await);
    for verb in ["pause", "resume", "disable", "enable", "test"] {
        let answer = call(&gateway, Method::POST, &format!("{path}/{verb}"), json!({})).await;
        let message = refused(&answer, 409, "subscription_state");
        assert!(message.contains("awaiting_approval"), "{verb}: {message}");
    }
    let trigger = call(&gateway, Method::PATCH, &path, json!({"trigger_challenge": true})).await;
    refused(&trigger, 409, "subscription_state");
    let body = json!({"name": "renamed", "url": sink.url("/other"), "events": [EVENT_TYPE]});
    let (changed, shown) = call_for(&gateway, Method::PUT, &path, 1, &body).await;
    assert_eq!((changed, &shown["data"]["state"]), (StatusCode::OK, &json!("awaiting_approval")));
    let rotated = done(&gateway, Method::POST, &format!("{path}/rotate-secret"), json!({})).await;
    assert_eq!(rotated["data"]["state"], "awaiting_approval");
    for by in [SignedDuration::ZERO, DAY] {
        later(&gateway, by).await;
    }
    assert!(sink.challenges().is_empty() && sink.received().is_empty());

    approve(&gateway, &path).await;
    gateway.drain(gateway.instance(0)).await;
    let challenges = sink.challenges();
    assert_eq!(challenges.iter().map(value_of).collect::<Vec<_>>(), [CHALLENGE], "the listener's value is kept");
    assert_eq!(challenges[0].path, "/other");
    assert_eq!(state(&gateway, &path).await, "active");
}

#[tokio::test]
async fn an_admin_lets_in_the_version_that_was_read() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let path = path_of(&registered(&gateway, &sink).await);
    let body = json!({"name": "renamed", "url": sink.url("/hook"), "events": [EVENT_TYPE]});
    assert_eq!(call_for(&gateway, Method::PUT, &path, 1, &body).await.0, StatusCode::OK);
    let verb = format!("{path}/approve");
    refused(&call_for(&gateway, Method::POST, &verb, 1, &json!({})).await, 412, "version_mismatch");
    let (status, approved) = call_for(&gateway, Method::POST, &verb, 2, &json!({})).await;
    assert_eq!((status, &approved["data"]["version"]), (StatusCode::OK, &json!(3)));
    assert_eq!(approve(&gateway, &path).await, approved["data"], "approving twice changes nothing");
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(approve(&gateway, &path).await["state"], "active");
    done(&gateway, Method::POST, &format!("{path}/pause"), json!({})).await;
    refused(&call(&gateway, Method::POST, &verb, json!({})).await, 409, "subscription_state");
}

#[tokio::test]
async fn who_is_turned_away_is_gone_and_only_who_waits_can_be() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let path = path_of(&registered(&gateway, &sink).await);
    let verb = format!("{path}/reject");
    let long = json!({"reason": "x".repeat(256)});
    refused(&call(&gateway, Method::POST, &verb, long).await, 400, "invalid_request");
    let (rejected, _) = call(&gateway, Method::POST, &verb, json!({"reason": "nobody knows them"})).await;
    assert_eq!((rejected, status(&gateway, &path).await), (StatusCode::NO_CONTENT, StatusCode::NOT_FOUND));
    refused(&call(&gateway, Method::POST, &verb, json!({})).await, 404, "subscription_not_found");
    later(&gateway, DAY).await;
    assert!(sink.challenges().is_empty());
    let record = &audit(&gateway, "&action=subscription.rejected").await[0];
    assert_eq!(record["details"]["reason"], "nobody knows them");

    let active = gateway.subscribe(&sink, &[EVENT_TYPE], json!({})).await;
    let answer = call(&gateway, Method::POST, &format!("{}/reject", path_of(&active)), json!({})).await;
    refused(&answer, 409, "subscription_state");
}

#[tokio::test]
async fn a_target_that_fails_after_it_was_let_in_is_like_any_other() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    sink.answers_challenges(vec![hookport_tests::sink::Reply::status(500); 3]);
    let path = path_of(&registered(&gateway, &sink).await);
    approve(&gateway, &path).await;
    gateway.drain(gateway.instance(0)).await;
    for _ in 0..2 {
        gateway.advance(SignedDuration::from_secs(30));
        gateway.drain(gateway.instance(0)).await;
    }
    assert_eq!(state(&gateway, &path).await, "verification_failed");
    done(&gateway, Method::PATCH, &path, json!({"trigger_challenge": true})).await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(state(&gateway, &path).await, "active", "an admin lets in once");
}

fn types(sink: &Sink) -> Vec<String> {
    let of = |request: &SinkRequest| request.header("hookport-event-type").to_owned();
    sink.received().iter().map(of).collect()
}

/// Nobody looks: it is warned of after four days and deleted after seven.
#[tokio::test]
async fn nobody_waits_for_longer_than_seven_days() {
    let gateway = gateway().await;
    let (sink, watcher) = (Sink::start().await, Sink::start().await);
    gateway.subscribe(&watcher, &["subscription.*"], json!({})).await;
    watcher.forget();
    let made = registered(&gateway, &sink).await;
    let path = path_of(&made);
    let end = gateway.clock.now() + DAY * 7;
    assert_eq!(made["data"]["expires_at"], json!(end.to_string()));
    gateway.drain(gateway.instance(0)).await;
    assert!(types(&watcher).contains(&"subscription.registered".to_owned()));
    for _ in 0..6 {
        later(&gateway, DAY).await;
    }
    assert_eq!(state(&gateway, &path).await, "awaiting_approval");
    assert!(types(&watcher).contains(&"subscription.expiring".to_owned()));
    for _ in 0..2 {
        later(&gateway, DAY).await;
    }
    assert_eq!(status(&gateway, &path).await, StatusCode::NOT_FOUND);
    assert!(types(&watcher).contains(&"subscription.expired".to_owned()));
    assert!(sink.challenges().is_empty());
    let expired = audit(&gateway, "&action=registration.expired").await;
    assert_eq!(expired.len(), 1);
    assert_eq!((&expired[0]["principal"]["kind"], &expired[0]["subject"]), (&json!("gateway"), &made["data"]["id"]));
    assert_eq!(gateway.get(crate::SETTINGS).await["data"]["waiting"], json!(0));
    assert!(text(&expired[0]["at"]) >= end.to_string());
}
