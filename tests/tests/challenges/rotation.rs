//! Changing a subscription's secret, with both signing for a while and without.

use hookport_tests::Sink;
use hookport_tests::sink::SinkRequest;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    active, call, delivered, done, failing, gateway_of, held, numbers, path_of, refused, shown, signature, state,
    three_tries, trigger, types,
};

/// What a request is signed with when these secrets sign side by side.
fn signatures(secrets: &[&Value], request: &SinkRequest) -> String {
    let signatures: Vec<String> = secrets.iter().map(|secret| signature(secret, request)).collect();
    signatures.join(" ")
}

#[track_caller]
fn is_signed_by(request: &SinkRequest, secrets: &[&Value]) {
    assert_eq!(request.header("webhook-signature"), signatures(secrets, request));
}

/// A11: with an overlap both secrets sign until its end, and the new one is proven by a challenge that it alone signs.
#[tokio::test]
async fn a11_both_secrets_sign_until_the_overlap_ends() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = active(&gateway, &sink, json!({})).await;
    let path = path_of(&made);
    let rotated = done(&gateway, Method::POST, &format!("{path}/rotate-secret"), json!({"overlap_hours": 2})).await;
    let (old, new) = (&made["secret"], &rotated["secret"]);
    assert_ne!(old, new);
    let end = gateway.clock.now() + SignedDuration::from_hours(2);
    assert_eq!(rotated["data"]["previous_secret_until"], json!(end.to_string()));
    assert_eq!(
        (&rotated["data"]["state"], &rotated["data"]["verification"]["purpose"]),
        (&json!("active"), &json!("rotation"))
    );
    delivered(&gateway, 1).await;
    let challenges = sink.challenges();
    assert_eq!(challenges.len(), 2);
    is_signed_by(&challenges[1], &[new]);
    is_signed_by(&sink.received()[0], &[new, old]);
    assert_eq!(shown(&gateway, &path).await["verification"]["status"], "passed");

    gateway.advance(end.duration_since(gateway.clock.now()) - SignedDuration::from_secs(2));
    delivered(&gateway, 2).await;
    is_signed_by(&sink.received()[1], &[new, old]);
    delivered(&gateway, 3).await;
    assert_eq!(gateway.clock.now(), end);
    is_signed_by(&sink.received()[2], &[new]);
    assert_eq!(numbers(&sink), [1, 2, 3]);
}

/// Without a word about it the overlap is a day; it is 168 hours at most.
#[tokio::test]
async fn an_overlap_is_a_day_unless_something_else_is_said() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    let rotate = format!("{path}/rotate-secret");
    for (body, hours) in [(json!({}), 24), (json!({"overlap_hours": 168}), 168), (json!({"overlap_hours": 1}), 1)] {
        let rotated = done(&gateway, Method::POST, &rotate, body).await;
        let end = gateway.clock.now() + SignedDuration::from_hours(hours);
        assert_eq!(rotated["data"]["previous_secret_until"], json!(end.to_string()));
    }
    for body in [json!({"overlap_hours": 169}), json!({"overlap_hours": -1}), json!({"overlap": 1})] {
        refused(&call(&gateway, Method::POST, &rotate, body).await, 400, "invalid_request");
    }
}

/// A11: without an overlap the old secret is dead at once; events are kept until the target has answered the new one.
#[tokio::test]
async fn a11_without_an_overlap_events_are_kept_until_the_new_secret_is_proven() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = active(&gateway, &sink, json!({})).await;
    let path = path_of(&made);
    sink.answers_challenges(failing(1));
    let rotated = done(&gateway, Method::POST, &format!("{path}/rotate-secret"), json!({"overlap_hours": 0})).await;
    let data = &rotated["data"];
    assert_eq!((&data["state"], &data["cause"]), (&json!("pending_verification"), &json!("secret_changed")));
    assert_eq!(data["previous_secret_until"], Value::Null);
    delivered(&gateway, 1).await;
    delivered(&gateway, 2).await;
    assert!(sink.received().is_empty());
    three_tries(&gateway).await;
    assert_eq!(state(&gateway, &path).await, "active");
    delivered(&gateway, 3).await;
    assert_eq!(numbers(&sink), [1, 2, 3]);
    for request in sink.received().iter().chain(&sink.challenges()[1..]) {
        is_signed_by(request, &[&rotated["secret"]]);
    }
}

/// A target that does not answer to its new secret keeps getting events, signed with both, and its owner is told.
#[tokio::test]
async fn a7_a_new_secret_that_is_not_answered_to_does_not_stop_the_old_one() {
    let gateway = gateway_of(&["a"]).await;
    let (sink, watcher) = (Sink::start().await, Sink::start().await);
    gateway.subscribe(&watcher, &["subscription.challenge_failed"], json!({})).await;
    let made = active(&gateway, &sink, json!({})).await;
    let path = path_of(&made);
    sink.answers_challenges(failing(3));
    let rotated = done(&gateway, Method::POST, &format!("{path}/rotate-secret"), json!({})).await;
    three_tries(&gateway).await;
    assert_eq!(sink.challenges().len(), 4);
    let now = shown(&gateway, &path).await;
    assert_eq!((&now["state"], &now["verification"]["status"]), (&json!("active"), &json!("failed")));
    assert!(now["verification"]["failure"].is_string());
    delivered(&gateway, 1).await;
    is_signed_by(&sink.received()[0], &[&rotated["secret"], &made["secret"]]);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(types(&watcher), ["subscription.challenge_failed"]);
    assert_eq!(sink.challenges().len(), 4, "no fourth try");
}

/// A change during an overlap ends that of the secret before.
#[tokio::test]
async fn a_second_change_ends_the_overlap_of_the_first() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = active(&gateway, &sink, json!({})).await;
    let rotate = format!("{}/rotate-secret", path_of(&made));
    let second = done(&gateway, Method::POST, &rotate, json!({})).await;
    let third = done(&gateway, Method::POST, &rotate, json!({})).await;
    delivered(&gateway, 1).await;
    is_signed_by(&sink.received()[0], &[&third["secret"], &second["secret"]]);
    let fourth = done(&gateway, Method::POST, &rotate, json!({"overlap_hours": 0})).await;
    delivered(&gateway, 2).await;
    is_signed_by(&sink.received()[1], &[&fourth["secret"]]);
}

/// A4: what is held, or has failed, gets its secret and nothing else; the next challenge is signed with it.
#[tokio::test]
async fn a4_a_held_subscription_gets_another_secret_and_no_challenge() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(3));
    let path = path_of(&held(&gateway, &sink).await);
    for (expected, challenges) in [("awaiting_challenge", 0), ("verification_failed", 3)] {
        let rotated = done(&gateway, Method::POST, &format!("{path}/rotate-secret"), json!({})).await;
        assert_eq!(rotated["data"]["state"], expected);
        assert_eq!(rotated["data"]["previous_secret_until"], Value::Null, "nothing is signed with it any more");
        gateway.settle(gateway.instance(0)).await;
        assert_eq!(sink.challenges().len(), challenges);
        done(&gateway, Method::PATCH, &path, trigger()).await;
        three_tries(&gateway).await;
        for challenge in &sink.challenges()[challenges..] {
            is_signed_by(challenge, &[&rotated["secret"]]);
        }
    }
    assert_eq!(state(&gateway, &path).await, "active");
}

/// A secret that dies while its subscription is paused has to be answered to when that is resumed.
#[tokio::test]
async fn a_paused_subscription_whose_secret_died_is_challenged_when_it_is_resumed() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    done(&gateway, Method::POST, &format!("{path}/pause"), json!({})).await;
    delivered(&gateway, 1).await;
    let rotated = done(&gateway, Method::POST, &format!("{path}/rotate-secret"), json!({"overlap_hours": 0})).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!((state(&gateway, &path).await.as_str(), sink.challenges().len()), ("paused", 1));
    done(&gateway, Method::POST, &format!("{path}/resume"), json!({})).await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!((sink.challenges().len(), numbers(&sink)), (2, vec![1]));
    is_signed_by(&sink.challenges()[1], &[&rotated["secret"]]);
    is_signed_by(&sink.received()[0], &[&rotated["secret"]]);
}
