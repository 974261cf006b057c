//! One use is one subscription, and a lost answer locks nobody out.

use bytes::Bytes;
use hookport_tests::gateway::{TestGateway, answer};
use hookport_tests::{SenderRequest, Sink};
use http::header::AUTHORIZATION;
use http::{Method, Response};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    REGISTRATIONS, SUBSCRIPTIONS, actions, approve, asked, done, gateway, gateway_of, issued, made, path_of, refused,
    registers, state, token,
};

/// Registers at one of the instances.
async fn register_at(gateway: &TestGateway, instance: usize, token: &str, body: &Value) -> Response<Bytes> {
    let request = SenderRequest::json(body.to_string()).with(AUTHORIZATION.as_str(), &format!("Bearer {token}"));
    management::handle(&gateway.instance(instance).management, request.to(REGISTRATIONS)).await
}

async fn subscriptions(gateway: &TestGateway) -> usize {
    gateway.get(SUBSCRIPTIONS).await["data"].as_array().expect("a list").len()
}

#[tokio::test]
async fn two_who_use_one_token_at_the_same_instant_make_one_subscription() {
    let gateway = gateway_of(&["a", "b"]).await;
    let sink = Sink::start().await;
    let (text, id) = issued(&gateway, json!({})).await;
    let (one, other) = (asked(&sink, json!({"name": "one"})), asked(&sink, json!({"name": "other"})));
    let both = tokio::join!(register_at(&gateway, 0, &text, &one), register_at(&gateway, 1, &text, &other));
    let mut statuses = [both.0.status().as_u16(), both.1.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401]);
    assert_eq!((subscriptions(&gateway).await, &token(&gateway, &id).await["uses"]), (1, &json!(1)));
    assert_eq!(actions(&gateway, "&action=registration.used").await.len(), 1);
}

#[tokio::test]
async fn the_same_request_at_the_same_instant_gets_the_same_answer() {
    let gateway = gateway_of(&["a", "b"]).await;
    let sink = Sink::start().await;
    let (text, id) = issued(&gateway, json!({})).await;
    let body = asked(&sink, json!({}));
    let both = tokio::join!(register_at(&gateway, 0, &text, &body), register_at(&gateway, 1, &text, &body));
    assert_eq!((both.0.status().as_u16(), both.1.status().as_u16()), (201, 201));
    assert_eq!(answer(&both.0), answer(&both.1), "the secret included");
    assert_eq!((subscriptions(&gateway).await, &token(&gateway, &id).await["uses"]), (1, &json!(1)));
}

#[tokio::test]
async fn a_lost_answer_is_given_again_for_ten_minutes() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (text, _) = issued(&gateway, json!({})).await;
    gateway.advance(SignedDuration::from_secs(1));
    let body = asked(&sink, json!({"metadata": {"a": "1"}}));
    let first = made(registers(&gateway, &text, body.clone()).await);
    gateway.advance(SignedDuration::from_mins(9));
    assert_eq!(made(registers(&gateway, &text, body.clone()).await), first);
    let other = asked(&sink, json!({"metadata": {"a": "2"}}));
    refused(&registers(&gateway, &text, other).await, 401, "unauthorized");
    gateway.advance(SignedDuration::from_mins(1));
    refused(&registers(&gateway, &text, body).await, 401, "unauthorized");
    assert_eq!(subscriptions(&gateway).await, 1);
    let steps = ["registration_token.created", "registration.used", "registration.repeated"];
    assert_eq!(actions(&gateway, "").await, steps, "the secret was shown twice, and that is known");
}

#[tokio::test]
async fn an_answer_is_not_given_again_once_an_admin_has_done_something() {
    for verb in ["approve", "rotate-secret", "reject"] {
        let gateway = gateway().await;
        let sink = Sink::start().await;
        let (text, _) = issued(&gateway, json!({})).await;
        let first = made(registers(&gateway, &text, asked(&sink, json!({}))).await);
        done(&gateway, Method::POST, &format!("{}/{verb}", path_of(&first)), json!({})).await;
        refused(&registers(&gateway, &text, asked(&sink, json!({}))).await, 401, "unauthorized");
    }
}

/// A target may echo its challenge before its listener misses the answer. Who knows the listener's challenge is the
/// listener; who knows the token alone may be anybody.
#[tokio::test]
async fn an_answer_is_given_again_after_the_proof_to_whoever_knows_the_challenge() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    for (more, is_known) in [(json!({}), true), (json!({"challenge": null}), false)] {
        let (text, _) = issued(&gateway, json!({"approved": true})).await;
        let first = made(registers(&gateway, &text, asked(&sink, more.clone())).await);
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(state(&gateway, &path_of(&first)).await, "active");
        let again = registers(&gateway, &text, asked(&sink, more)).await;
        if is_known {
            let again = made(again);
            assert_eq!((&again["secret"], &again["state"]), (&first["secret"], &json!("active")));
        } else {
            refused(&again, 401, "unauthorized");
        }
    }
}

#[tokio::test]
async fn an_automation_that_repeats_itself_makes_one_subscription() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (text, id) = issued(&gateway, json!({"kind": "automation"})).await;
    let body = asked(&sink, json!({}));
    let first = made(registers(&gateway, &text, body.clone()).await);
    assert_eq!(made(registers(&gateway, &text, body.clone()).await), first);
    approve(&gateway, &path_of(&first)).await;
    refused(&registers(&gateway, &text, body.clone()).await, 409, "already_registered");
    assert_eq!(token(&gateway, &id).await["uses"], json!(1));
    gateway.advance(SignedDuration::from_mins(10));
    assert_ne!(made(registers(&gateway, &text, body).await)["data"]["id"], first["data"]["id"]);
    assert_eq!(token(&gateway, &id).await["uses"], json!(2));
}
