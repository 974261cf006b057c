//! A5, A6: what `PATCH` with `trigger_challenge` does in each situation.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, answer, text};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    BETWEEN_TRIES, SUBSCRIPTIONS, active, asked, call, delivered, done, failing, gateway_of, held, later, numbers,
    path_of, refused, request, shown, state, three_tries, trigger, value_of,
};

/// A token of the operator's tenant with just these permissions, bound to this owner unless it is null.
async fn token(gateway: &TestGateway, permissions: &[&str], owner: Value) -> String {
    let body = json!({"name": "test", "permissions": permissions, "owner": owner});
    text(&gateway.create("/api/v1/api-tokens", body).await["token"])
}

/// A5: only true can be said, and nothing beside it; what is refused changes nothing and sends nothing.
#[tokio::test]
async fn a5_anything_but_true_alone_is_refused() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = held(&gateway, &sink).await;
    let path = path_of(&made);
    let bodies = [
        json!({"trigger_challenge": true, "name": "another"}),
        json!({"trigger_challenge": true, "url": sink.url("/other")}),
        json!({"name": "another"}),
        json!({}),
        json!({"trigger_challenge": false}),
        json!({"trigger_challenge": null}),
        json!({"trigger_challenge": "true"}),
        json!({"trigger_challenge": "yes"}),
        json!({"trigger_challenge": 1}),
        json!({"trigger_challenge": [true]}),
        json!([true]),
        json!(true),
        Value::Null,
    ];
    for body in bodies {
        let answer = call(&gateway, Method::PATCH, &path, body).await;
        refused(&answer, 400, "invalid_request");
    }
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(shown(&gateway, &path).await, made["data"]);
    assert!(sink.challenges().is_empty());
}

/// A5: 404 for an unknown id and for whoever does not see the subscription, 403 without the right, 401 without a token.
#[tokio::test]
async fn a5_only_who_may_change_a_subscription_asks_for_its_challenge() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let of_ann = json!({"trigger_challenge": false, "owner": "ann"});
    let made = gateway.ask_for_subscription(&sink, &["github.push"], of_ann).await;
    let path = path_of(&made);
    let patch = async |path: &str, token: &str| gateway.api(Method::PATCH, path, token, Some(trigger())).await;

    let unknown = format!("{SUBSCRIPTIONS}/sub_01m5w3rm008000000400000003");
    refused(&patch(&unknown, gateway.admin_token()).await, 404, "subscription_not_found");
    let malformed = format!("{SUBSCRIPTIONS}/evt_01m5w3rm008000000400000003");
    refused(&patch(&malformed, gateway.admin_token()).await, 400, "invalid_id");
    refused(&patch(&path, "").await, 401, "unauthorized");
    refused(&patch(&path, "hp_nobody").await, 401, "unauthorized");
    let reader = token(&gateway, &["subscription:read", "subscription:create"], Value::Null).await;
    refused(&patch(&path, &reader).await, 403, "forbidden");
    let elsewhere = gateway.create("/api/v1/tenants", json!({"slug": "acme", "name": "acme"})).await;
    refused(&patch(&path, &text(&elsewhere["token"])).await, 404, "subscription_not_found");
    let bob = token(&gateway, &["subscription:update"], json!("bob")).await;
    refused(&patch(&path, &bob).await, 404, "subscription_not_found");
    assert_eq!(state(&gateway, &path).await, "awaiting_challenge");

    let ann = token(&gateway, &["subscription:update"], json!("ann")).await;
    assert_eq!(patch(&path, &ann).await.0, StatusCode::OK);
}

/// False and null cannot recall a challenge that was started.
#[tokio::test]
async fn a5_a_challenge_that_was_started_cannot_be_recalled() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(3));
    let made = gateway.subscribe(&sink, &["github.push"], json!({})).await;
    let path = path_of(&made);
    let recall = async |expected: &str| {
        for value in [json!(false), Value::Null] {
            let answer = call(&gateway, Method::PATCH, &path, json!({"trigger_challenge": value})).await;
            refused(&answer, 409, "challenge_started");
        }
        assert_eq!(state(&gateway, &path).await, expected);
    };
    recall("pending_verification").await;
    three_tries(&gateway).await;
    recall("verification_failed").await;
    done(&gateway, Method::PATCH, &path, trigger()).await;
    gateway.drain(gateway.instance(0)).await;
    recall("active").await;
}

/// A6: two at once, on two instances, start one challenge, and both are answered with the subscription as it is.
#[tokio::test]
async fn a6_two_patches_at_once_start_one_challenge() {
    let gateway = gateway_of(&["a", "b"]).await;
    for round in 0..8 {
        let sink = Sink::start().await;
        let path = path_of(&held(&gateway, &sink).await);
        let patch = |instance| asked(&gateway, instance, request(&gateway, Method::PATCH, &path, &trigger()));
        let (first, second) = tokio::join!(patch(0), patch(1));
        for response in [&first, &second] {
            assert_eq!(response.status(), StatusCode::OK, "{round}: {response:?}");
            let data = &answer(response)["data"];
            assert_eq!((&data["state"], &data["version"]), (&json!("pending_verification"), &json!(2)), "{round}");
        }
        tokio::join!(gateway.drain(gateway.instance(0)), gateway.drain(gateway.instance(1)));
        later(&gateway, SignedDuration::from_mins(10)).await;
        assert_eq!(sink.challenges().len(), 1, "{round}");
        assert_eq!(state(&gateway, &path).await, "active", "{round}");
    }
}

/// While a challenge is under way, asking again is a 200 that changes nothing, not even the tries.
#[tokio::test]
async fn a6_asking_again_while_a_challenge_is_under_way_changes_nothing() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(3));
    let path = path_of(&gateway.subscribe(&sink, &["github.push"], json!({})).await);
    for tries in [1, 2] {
        let before = shown(&gateway, &path).await;
        for query in ["", "?reverify=true"] {
            let asked = done(&gateway, Method::PATCH, &format!("{path}{query}"), trigger()).await;
            assert_eq!(asked["data"], before);
        }
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(sink.challenges().len(), tries, "no try is brought forward");
        gateway.advance(BETWEEN_TRIES);
        gateway.drain(gateway.instance(0)).await;
    }
    assert_eq!(sink.challenges().len(), 3);
    assert_eq!(state(&gateway, &path).await, "verification_failed");
}

/// What failed gets a fresh challenge with three tries of its own; nothing has to be made anew.
#[tokio::test]
async fn a4_what_failed_is_challenged_anew_with_another_value_and_three_tries() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(8));
    let path = path_of(&gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await);
    three_tries(&gateway).await;
    delivered(&gateway, 1).await;
    for _ in 0..2 {
        let asked = done(&gateway, Method::PATCH, &path, trigger()).await["data"].clone();
        assert_eq!(asked["state"], "pending_verification");
        assert_eq!(asked["verification"]["failure"], Value::Null, "the old reason is gone");
        three_tries(&gateway).await;
    }
    let challenges = sink.challenges();
    assert_eq!(challenges.len(), 9);
    assert_eq!(state(&gateway, &path).await, "active", "the ninth was answered");
    for (first, other) in [(0, 3), (3, 6), (0, 6)] {
        assert_ne!(value_of(&challenges[first]), value_of(&challenges[other]));
        assert_ne!(challenges[first].header("webhook-id"), challenges[other].header("webhook-id"));
        assert_eq!(challenges[other].header("hookport-attempt"), "1", "the tries are counted anew");
    }
    delivered(&gateway, 2).await;
    assert_eq!(numbers(&sink), [2], "what came while it was not proven is not delivered");
}

/// An active one is left alone, unless it is to prove itself again; it takes events all the while.
#[tokio::test]
async fn a4_an_active_subscription_is_challenged_only_with_reverify_and_stays_active() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    let before = shown(&gateway, &path).await;
    for query in ["", "?reverify=false"] {
        assert_eq!(done(&gateway, Method::PATCH, &format!("{path}{query}"), trigger()).await["data"], before);
    }
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sink.challenges().len(), 1);

    sink.answers_challenges(failing(1));
    let again = done(&gateway, Method::PATCH, &format!("{path}?reverify=true"), trigger()).await["data"].clone();
    assert_eq!((&again["state"], &again["verification"]["purpose"]), (&json!("active"), &json!("renewal")));
    delivered(&gateway, 1).await;
    assert_eq!((sink.challenges().len(), numbers(&sink)), (2, vec![1]), "delivered although a try has failed");
    gateway.advance(BETWEEN_TRIES);
    gateway.drain(gateway.instance(0)).await;
    let proven = shown(&gateway, &path).await;
    assert_eq!((&proven["state"], &proven["verification"]["status"]), (&json!("active"), &json!("passed")));
    assert_eq!(proven["state_since"], before["state_since"]);
}

/// What is paused or disabled is not challenged: it is resumed or enabled.
#[tokio::test]
async fn a5_a_paused_or_disabled_subscription_is_not_challenged() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    for (verb, expected) in [("pause", "paused"), ("disable", "disabled")] {
        done(&gateway, Method::POST, &format!("{path}/{verb}"), json!({})).await;
        for query in ["", "?reverify=true"] {
            let answer = call(&gateway, Method::PATCH, &format!("{path}{query}"), trigger()).await;
            let message = refused(&answer, 409, "subscription_state");
            assert!(message.contains(expected), "{message}");
        }
    }
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.challenges().len(), 1);
}
