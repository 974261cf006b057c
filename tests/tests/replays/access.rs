//! Who sees a replay, and whose subscriptions it reaches.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{REPLAYS, counted, gateway, numbers, publish, refused, time, work};

/// The text of a token that is bound to an owner.
async fn token(gateway: &TestGateway, owner: &str) -> String {
    let permissions = ["replay:create", "replay:read", "subscription:read"];
    let body = json!({"name": "t", "owner": owner, "permissions": permissions});
    text(&gateway.create("/api/v1/api-tokens", body).await["token"])
}

async fn of(gateway: &TestGateway, sink: &Sink, owner: Value) -> Value {
    gateway.subscribe(sink, &["ticket.*"], json!({"owner": owner})).await
}

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let gateway = gateway().await;
    let made = gateway.create("/api/v1/tenants", json!({"slug": "rival", "name": "Rival"})).await;
    let rival = made["token"].as_str().or(made["data"]["token"].as_str()).expect("a token").to_owned();
    let path = crate::replay(&gateway, json!({"since": time(&gateway)})).await;
    for (method, path) in
        [(Method::GET, path.clone()), (Method::POST, format!("{path}/start")), (Method::POST, format!("{path}/cancel"))]
    {
        refused(&gateway.api(method, &path, &rival, None).await, StatusCode::NOT_FOUND, "replay_not_found");
    }
    let (status, page) = gateway.api(Method::GET, REPLAYS, &rival, None).await;
    assert_eq!((status, &page["data"]), (StatusCode::OK, &json!([])));
}

/// A token of an owner replays to that owner's subscriptions alone, and sees what was made for it.
#[tokio::test]
async fn a_token_of_an_owner_reaches_that_owners_subscriptions_alone() {
    let gateway = gateway().await;
    let (own, others) = (Sink::start().await, Sink::start().await);
    let ann = token(&gateway, "ann").await;
    of(&gateway, &own, json!("ann")).await;
    let other = of(&gateway, &others, json!("bob")).await;
    of(&gateway, &others, Value::Null).await;
    let since = time(&gateway);
    publish(&gateway, "ticket.updated", 0).await;
    assert_eq!((numbers(&own).len(), numbers(&others).len()), (1, 2));
    let everything = crate::replay(&gateway, json!({"since": since, "which": ["delivered"]})).await;

    let body = json!({"since": since, "which": ["delivered"], "start": true});
    let (status, answer) = gateway.api(Method::POST, REPLAYS, &ann, Some(body)).await;
    assert_eq!((status, &answer["data"]["owner"]), (StatusCode::ACCEPTED, &json!("ann")), "{answer}");
    work(&gateway).await;
    assert_eq!((numbers(&own).len(), numbers(&others).len()), (2, 2));
    let (_, page) = gateway.api(Method::GET, REPLAYS, &ann, None).await;
    let listed = page["data"].as_array().expect("a list");
    assert_eq!((listed.len(), &listed[0]["id"]), (1, &answer["data"]["id"]));
    assert_eq!(counted(&listed[0]), (1, 1, 1));
    refused(&gateway.api(Method::GET, &everything, &ann, None).await, StatusCode::NOT_FOUND, "replay_not_found");

    let path = format!("/api/v1/subscriptions/{}/recover", text(&other["data"]["id"]));
    let answer = gateway.api(Method::POST, &path, &ann, Some(json!({"since": since}))).await;
    refused(&answer, StatusCode::NOT_FOUND, "subscription_not_found");
    let named = json!({"since": since, "filter": {"subscription_ids": [other["data"]["id"]]}});
    let answer = gateway.api(Method::POST, REPLAYS, &ann, Some(named)).await;
    refused(&answer, StatusCode::NOT_FOUND, "subscription_not_found");
}

/// An event of one owner does not reach another by today's routing.
#[tokio::test]
async fn an_event_of_one_owner_is_replayed_to_no_other() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let since = time(&gateway);
    gateway.advance(jiff::SignedDuration::from_secs(1));
    for owner in [json!("bob"), Value::Null] {
        let event = json!({"type": "ticket.updated", "data": {"n": 1}, "owner": owner});
        let (status, answer) = crate::post(&gateway, crate::EVENTS, event).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    }
    gateway.drain(gateway.instance(0)).await;
    of(&gateway, &sink, json!("ann")).await;
    let body = json!({"since": since, "which": ["missing"], "routing": "current", "start": true});
    let path = crate::replay(&gateway, body).await;
    let replay = crate::shown(&gateway, &path).await;
    assert_eq!((counted(&replay), sink.received().len()), ((2, 1, 1), 1), "{replay}");
}
