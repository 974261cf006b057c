//! A listener with a token: from its request to its first event.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    CHALLENGE, EVENT_TYPE, SUBSCRIPTIONS, TOKENS, approve, asked, call, done, gateway, happens, is_signed, issued,
    made, path_of, refused, registers, state, token, value_of,
};

/// The listener says what it wants to be sent, waits for an admin, proves itself, and gets what it asked for.
#[tokio::test]
async fn a_listener_registers_itself_is_let_in_and_gets_its_events() {
    let gateway = gateway().await;
    let (sink, watcher) = (Sink::start().await, Sink::start().await);
    gateway.subscribe(&watcher, &["subscription.registered"], json!({})).await;
    let (token, _) = issued(&gateway, json!({})).await;
    let answer = made(registers(&gateway, &token, asked(&sink, json!({}))).await);
    assert_eq!((&answer["state"], &answer["challenge"]), (&json!("awaiting_approval"), &json!(CHALLENGE)));
    let view = &answer["data"];
    assert_eq!((&view["state"], &view["cause"]), (&json!("awaiting_approval"), &json!("registered")));
    assert_eq!((&view["trigger_challenge"], &view["version"]), (&json!(false), &json!(1)));
    let path = path_of(&answer);
    let waiting = gateway.get(&format!("{SUBSCRIPTIONS}?state=awaiting_approval")).await;
    assert_eq!(waiting["data"], json!([view]), "admins find it by its state");

    gateway.drain(gateway.instance(0)).await;
    happens(&gateway, json!({})).await;
    assert!(sink.challenges().is_empty() && sink.received().is_empty(), "nothing is sent before it is let in");
    let told = watcher.received();
    assert_eq!(told.len(), 1, "admins are told");
    let told: Value = serde_json::from_slice(&told[0].body).expect("a JSON body");
    assert_eq!((&told["data"]["subscription_id"], &told["data"]["expires_at"]), (&view["id"], &view["expires_at"]));

    let approved = approve(&gateway, &path).await;
    assert_eq!((&approved["state"], &approved["cause"]), (&json!("pending_verification"), &json!("approved")));
    gateway.drain(gateway.instance(0)).await;
    let challenges = sink.challenges();
    assert_eq!(challenges.len(), 1);
    assert_eq!(value_of(&challenges[0]), CHALLENGE, "it is sent what it asked for");
    assert!(is_signed(&answer["secret"], &challenges[0]));
    assert_eq!(state(&gateway, &path).await, "active");

    happens(&gateway, json!({})).await;
    let received = sink.received();
    assert_eq!(received.len(), 1);
    assert!(is_signed(&answer["secret"], &received[0]));
}

#[tokio::test]
async fn the_gateway_makes_a_challenge_where_the_listener_brings_none() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (token, _) = issued(&gateway, json!({})).await;
    let answer = made(registers(&gateway, &token, asked(&sink, json!({"challenge": null}))).await);
    let challenge = text(&answer["challenge"]);
    assert_eq!(challenge.len(), 64);
    approve(&gateway, &path_of(&answer)).await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sink.challenges().iter().map(value_of).collect::<Vec<_>>(), [challenge]);
}

/// What an admin let in beforehand is challenged at once; where the operator trusts the target, not even that.
#[tokio::test]
async fn who_was_let_in_beforehand_waits_for_nobody() {
    let sink = Sink::start().await;
    for (trusted, expected) in [("", "pending_verification"), ("127.0.0.1", "active")] {
        let gateway = TestGateway::with_settings(&["a"], &[("TRUSTED_TARGETS", trusted)]).await;
        gateway.create("/api/v1/event-types", json!({"ref": EVENT_TYPE})).await;
        sink.forget();
        let (token, _) = issued(&gateway, json!({"approved": true})).await;
        let answer = made(registers(&gateway, &token, asked(&sink, json!({}))).await);
        assert_eq!(answer["state"], expected);
        assert_eq!(answer["challenge"], if trusted.is_empty() { json!(CHALLENGE) } else { Value::Null });
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(state(&gateway, &path_of(&answer)).await, "active");
        happens(&gateway, json!({})).await;
        let received = sink.received();
        assert_eq!(received.len(), 1, "{expected}");
        assert!(is_signed(&answer["secret"], &received[0]));
    }
    assert_eq!(sink.challenges().len(), 1);
}

#[tokio::test]
async fn an_automation_registers_as_many_as_it_may() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (text, id) = issued(&gateway, json!({"kind": "automation", "max_uses": 3})).await;
    assert_eq!(token(&gateway, &id).await["expires_at"], Value::Null);
    for n in 0..3 {
        made(registers(&gateway, &text, asked(&sink, json!({"name": format!("listener {n}")}))).await);
        assert_eq!(token(&gateway, &id).await["uses"], json!(n + 1));
    }
    let answer = registers(&gateway, &text, asked(&sink, json!({"name": "listener 3"}))).await;
    refused(&answer, 401, "unauthorized");
    let shown = token(&gateway, &id).await;
    assert_eq!((&shown["state"], &shown["uses"]), (&json!("used"), &json!(3)));
    assert!(shown["last_used_at"].is_string());
}

#[tokio::test]
async fn only_what_the_token_is_for_can_be_registered_and_refusals_do_not_use_it() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    let (text, id) = issued(&gateway, json!({"hosts": ["127.0.0.1"]})).await;
    let cases = [
        (json!({"events": ["invoice.paid"]}), 403, "registration_not_allowed"),
        (json!({"events": ["*"]}), 403, "registration_not_allowed"),
        (json!({"events": [EVENT_TYPE, "invoice.*"]}), 403, "registration_not_allowed"),
        (json!({"url": "https://example.com/hook"}), 403, "registration_not_allowed"),
        (json!({"url": "ftp://127.0.0.1/hook"}), 400, "invalid_target"),
        (json!({"events": ["ticket.nothing"]}), 400, "unknown_event_type"),
        (json!({"events": []}), 400, "invalid_request"),
        (json!({"name": ""}), 400, "invalid_request"),
        (json!({"challenge": "fifteen-letters"}), 400, "invalid_request"),
        (json!({"challenge": "white space is not visible"}), 400, "invalid_request"),
        (json!({"challenge": "x".repeat(129)}), 400, "invalid_request"),
        (json!({"timeout_seconds": 31}), 400, "invalid_request"),
        (json!({"owner": "ann"}), 400, "invalid_request"),
        (json!({"headers": {"x-a": "b"}}), 400, "invalid_request"),
        (json!({"secret": "a secret of its own"}), 400, "invalid_request"),
    ];
    for (more, status, code) in cases {
        let answer = registers(&gateway, &text, asked(&sink, more.clone())).await;
        refused(&answer, status, code);
    }
    assert_eq!(token(&gateway, &id).await["uses"], json!(0));
    made(registers(&gateway, &text, asked(&sink, json!({}))).await);
}

/// The subscription is its owner's: it counts towards its quotas and gets no other owner's events.
#[tokio::test]
async fn a_token_for_an_owner_makes_subscriptions_of_that_owner() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let quotas = json!({
        "max_subscriptions": 1,
        "max_events_per_minute": 100,
        "max_subscription_requests_per_minute": 100,
        "max_subscription_requests_per_day": 100,
    });
    done(&gateway, Method::PUT, "/api/v1/owners/ann/quotas", quotas).await;
    let more = json!({"kind": "automation", "owner": "ann", "approved": true});
    let (text, id) = issued(&gateway, more).await;
    let answer = made(registers(&gateway, &text, asked(&sink, json!({}))).await);
    assert_eq!(answer["data"]["owner"], "ann");
    let another = registers(&gateway, &text, asked(&sink, json!({"name": "another"}))).await;
    refused(&another, 429, "quota_reached");
    assert_eq!(token(&gateway, &id).await["uses"], json!(1), "what was refused is no use");

    gateway.drain(gateway.instance(0)).await;
    for owner in ["bob", "ann"] {
        happens(&gateway, json!({"owner": owner})).await;
    }
    assert_eq!(sink.received().len(), 1);
}

/// Whoever may make tokens cannot let subscriptions in by them, unless that is theirs as well.
#[tokio::test]
async fn nobody_lets_in_by_a_token_whom_they_could_not_let_in_by_hand() {
    let gateway = gateway().await;
    let body = json!({"name": "t", "permissions": ["registration_token:create"]});
    let maker = text(&gateway.create("/api/v1/api-tokens", body).await["token"]);
    for (approved, expected) in [(true, StatusCode::FORBIDDEN), (false, StatusCode::CREATED)] {
        let body = json!({"name": "x", "events": ["ticket.*"], "approved": approved});
        let (status, answer) = gateway.api(Method::POST, TOKENS, &maker, Some(body)).await;
        assert_eq!(status, expected, "{answer}");
    }
    for wrong in [
        json!({"name": "x", "events": []}),
        json!({"name": "x", "events": ["ticket.*"], "max_uses": 2}),
        json!({"name": "x", "events": ["ticket.*"], "expires_at": "2036-01-01T00:00:00Z"}),
    ] {
        refused(&call(&gateway, Method::POST, TOKENS, wrong).await, 400, "invalid_request");
    }
}
