//! B16: what the owner of a subscription may not see it does not get, and nobody guesses.

use hookport_tests::Sink;
use hookport_tests::gateway::TestGateway;
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{EVENTS, SUBSCRIPTIONS, act, deliveries, gateway, now, path, post, put, refused, work};

async fn grant(gateway: &TestGateway, owner: &str, grants: Value) {
    put(gateway, &format!("/api/v1/owners/{owner}/permissions"), json!({"grants": grants})).await;
    gateway.advance(SignedDuration::from_secs(1));
}

/// A subscription of Ann's that needs `tickets.view`.
async fn of_ann(gateway: &TestGateway, sink: &Sink) -> Value {
    gateway.subscribe(sink, &["ticket.updated"], json!({"owner": "ann", "permission": "tickets.view"})).await
}

/// A change of a ticket at this scope, caused by this principal; null for none.
fn event((scope, initiator): (Value, Value)) -> Value {
    json!({"type": "ticket.updated", "data": {}, "scope": scope, "initiator": initiator})
}

/// Publishes events at these scopes, caused by these principals, and works them.
async fn happen(gateway: &TestGateway, facts: impl IntoIterator<Item = (Value, Value)>) {
    let events: Vec<Value> = facts.into_iter().map(event).collect();
    let (status, answer) = post(gateway, EVENTS, json!({"events": events})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    gateway.drain(gateway.instance(0)).await;
}

/// B16: owner and initiator must both hold the permission where it happened; else there is no delivery at all.
#[tokio::test]
async fn b16_an_owner_without_the_permission_gets_nothing() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    grant(&gateway, "ann", json!({"tickets.view": ["acme/berlin"], "projects.view": []})).await;
    grant(&gateway, "bob", json!({"tickets.view": []})).await;
    grant(&gateway, "carl", json!({"projects.view": []})).await;
    let made = of_ann(&gateway, &sink).await;
    let cases = [
        ("acme/berlin", Value::Null, true),
        ("acme/berlin/line-3", json!("bob"), true),
        ("acme", Value::Null, false),
        ("acme/bern", json!("bob"), false),
        ("acme/berlin", json!("carl"), false),
    ];
    let mut granted = 0;
    for (scope, initiator, is_granted) in cases {
        happen(&gateway, [(json!(scope), initiator.clone())]).await;
        granted += usize::from(is_granted);
        assert_eq!(sink.received().len(), granted, "{scope} {initiator}");
    }
    assert_eq!(deliveries(&gateway, &made).await.len(), 2, "what was denied leaves no trace");

    // Denials count towards nothing, and what is granted later holds from then on.
    grant(&gateway, "ann", json!({})).await;
    happen(&gateway, (0..60).map(|_| (json!("acme/berlin"), Value::Null))).await;
    assert_eq!((sink.received().len(), &now(&gateway, &made).await["state"]), (2, &json!("active")));
    grant(&gateway, "ann", json!({"tickets.view": ["acme"]})).await;
    happen(&gateway, [(json!("acme/bern"), Value::Null)]).await;
    assert_eq!(sink.received().len(), 3);
}

/// B16: what cannot be decided is not sent, and fifty of them switch the subscription off with a text of their own.
#[tokio::test]
async fn b16_fifty_undecidable_events_switch_a_subscription_off() {
    let gateway = gateway().await;
    let (sink, listener) = (Sink::start().await, Sink::start().await);
    grant(&gateway, "ann", json!({"tickets.view": ["acme"]})).await;
    let made = of_ann(&gateway, &sink).await;
    gateway.subscribe(&listener, &["subscription.deactivated"], json!({})).await;
    let without_scope = (0..25).map(|_| (Value::Null, Value::Null));
    let by_a_stranger = (0..24).map(|_| (json!("acme"), json!("stranger")));
    happen(&gateway, without_scope.chain(by_a_stranger)).await;
    assert_eq!(now(&gateway, &made).await["state"], "active");
    happen(&gateway, [(Value::Null, Value::Null)]).await;
    let off = now(&gateway, &made).await;
    assert_eq!((&off["state"], &off["cause"]), (&json!("disabled"), &json!("too_many_precondition_failures")));
    assert_eq!(off["status_message"], "Delivery suspended due to too many precondition failures.");
    assert!(sink.received().is_empty() && deliveries(&gateway, &made).await.is_empty());
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(listener.received().len(), 1);

    gateway.advance(SignedDuration::from_secs(1));
    let (status, _) = act(&gateway, &format!("{}/enable", path(&made))).await;
    assert_eq!(status, StatusCode::OK);
    work(&gateway).await;
    happen(&gateway, [(Value::Null, Value::Null), (json!("acme"), Value::Null)]).await;
    assert_eq!((sink.received().len(), &now(&gateway, &made).await["state"]), (1, &json!("active")));
}

/// B16: an owner of whom nobody has said anything holds nothing, and a permission needs an owner.
#[tokio::test]
async fn b16_an_unknown_owner_gets_nothing() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    of_ann(&gateway, &sink).await;
    happen(&gateway, [(json!("acme"), Value::Null)]).await;
    assert!(sink.received().is_empty());
    let body = json!({"name": "x", "url": sink.url("/"), "events": ["*"], "permission": "tickets.view"});
    refused(&post(&gateway, SUBSCRIPTIONS, body).await, StatusCode::BAD_REQUEST, "invalid_request");
}
