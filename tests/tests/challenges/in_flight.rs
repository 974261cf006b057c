//! A10: what happens while a target holds a challenge is stronger than its late answer.

use hookport_tests::Sink;
use hookport_tests::gateway::answer;
use hookport_tests::inbound::list;
use hookport_tests::sink::Reply;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    BETWEEN_TRIES, SUBSCRIPTIONS, asked, delete, delivered, done, echo, failing, gateway_of, held, numbers, path_of,
    replaced, replacement, request, settings, shown, signature, state, three_tries, trigger, value_of, while_in_flight,
};

/// A10: the right answer comes after the subscription was deleted, and brings nothing back.
#[tokio::test]
async fn a10_a_late_echo_does_not_bring_a_deleted_subscription_back() {
    let gateway = gateway_of(&["a", "b"]).await;
    let sink = Sink::start().await;
    let path = path_of(&gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await);
    while_in_flight(&gateway, &sink, 1, async {
        assert_eq!(delete(&gateway, &path).await, StatusCode::NO_CONTENT);
    })
    .await;
    gateway.settle(gateway.instance(1)).await;
    delivered(&gateway, 1).await;
    gateway.settle(gateway.instance(0)).await;
    let (status, _) = gateway.api(Method::GET, &path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(list(&gateway, SUBSCRIPTIONS).await, [] as [Value; 0]);
    assert_eq!((sink.challenges().len(), sink.received().len()), (1, 0));
}

/// A10: no try follows for a subscription that was deleted between two of them.
#[tokio::test]
async fn a10_the_tries_of_a_deleted_subscription_end() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(3));
    let path = path_of(&gateway.subscribe(&sink, &["github.push"], json!({})).await);
    assert_eq!(delete(&gateway, &path).await, StatusCode::NO_CONTENT);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.challenges().len(), 1);
}

/// A10: an answer with the value of a challenge before the present one proves nothing.
#[tokio::test]
async fn a10_the_echo_of_an_older_challenge_is_a_wrong_value() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(3));
    let path = path_of(&gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await);
    three_tries(&gateway).await;
    let old = value_of(&sink.challenges()[0]);
    sink.answers_challenges(vec![Reply::status(200).saying(json!({"challenge": old}).to_string()); 3]);
    done(&gateway, Method::PATCH, &path, trigger()).await;
    three_tries(&gateway).await;
    let failed = shown(&gateway, &path).await;
    assert_eq!(failed["state"], "verification_failed");
    assert!(failed["status_message"].to_string().contains("not the value that was sent"), "{failed}");
}

/// A10: the URL is changed while its challenge is in flight: the answer proves the old one, and the new one has to
/// answer for itself.
#[tokio::test]
async fn a10_the_late_echo_of_another_url_proves_nothing() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges([echo(), Reply::status(500), echo()]);
    let path = path_of(&gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await);
    while_in_flight(&gateway, &sink, 1, async {
        let moved = settings(&sink, json!({"url": sink.url("/new")}));
        assert_eq!(replaced(&gateway, &path, 1, &moved).await.0, StatusCode::OK);
    })
    .await;
    let paths: Vec<String> = sink.challenges().into_iter().map(|challenge| challenge.path).collect();
    assert_eq!(paths, ["/hook", "/new"]);
    assert_ne!(value_of(&sink.challenges()[0]), value_of(&sink.challenges()[1]));
    assert_eq!(state(&gateway, &path).await, "pending_verification");
    delivered(&gateway, 1).await;
    gateway.advance(BETWEEN_TRIES);
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(state(&gateway, &path).await, "active");
    delivered(&gateway, 2).await;
    assert_eq!(numbers(&sink), [2]);
    assert_eq!(sink.received()[0].path, "/new");
}

/// A10: the same for a secret that dies while a challenge that it signed is in flight.
#[tokio::test]
async fn a10_the_late_echo_to_a_dead_secret_proves_nothing() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges([echo(), Reply::status(500), echo()]);
    let made = gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await;
    let path = path_of(&made);
    let mut rotated = Value::Null;
    while_in_flight(&gateway, &sink, 1, async {
        let body = json!({"overlap_hours": 0});
        rotated = done(&gateway, Method::POST, &format!("{path}/rotate-secret"), body).await;
    })
    .await;
    assert_eq!(state(&gateway, &path).await, "pending_verification");
    let challenges = sink.challenges();
    let signatures: Vec<&str> = challenges.iter().map(|challenge| challenge.header("webhook-signature")).collect();
    let (old, new) = (&made["secret"], &rotated["secret"]);
    assert_eq!(signatures, [signature(old, &challenges[0]), signature(new, &challenges[1])]);
    gateway.advance(BETWEEN_TRIES);
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(state(&gateway, &path).await, "active");
}

/// A10: a subscription that was disabled while its challenge was in flight stays disabled.
#[tokio::test]
async fn a10_a_late_echo_does_not_switch_a_disabled_subscription_on() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await);
    while_in_flight(&gateway, &sink, 1, async {
        done(&gateway, Method::POST, &format!("{path}/disable"), json!({})).await;
    })
    .await;
    gateway.settle(gateway.instance(0)).await;
    let now = shown(&gateway, &path).await;
    assert_eq!((&now["state"], &now["verification"]["verified_at"]), (&json!("disabled"), &Value::Null));
    assert_eq!(sink.challenges().len(), 1);
}

/// A6: asked again while the third try is in flight: it is that try which decides, whichever way it goes.
#[tokio::test]
async fn a6_a_patch_while_the_third_try_is_in_flight_leaves_the_decision_to_it() {
    for (last, expected) in [(echo(), "active"), (Reply::status(500), "verification_failed")] {
        let gateway = gateway_of(&["a", "b"]).await;
        let sink = Sink::start().await;
        sink.answers_challenges([Reply::status(500), Reply::status(500), last]);
        let path = path_of(&gateway.subscribe(&sink, &["github.push"], json!({})).await);
        gateway.advance(BETWEEN_TRIES);
        gateway.drain(gateway.instance(0)).await;
        gateway.advance(BETWEEN_TRIES);
        while_in_flight(&gateway, &sink, 3, async {
            let patch = request(&gateway, Method::PATCH, &path, &trigger());
            let response = asked(&gateway, 1, patch).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(answer(&response)["data"]["state"], "pending_verification");
            gateway.drain(gateway.instance(1)).await;
        })
        .await;
        assert_eq!(state(&gateway, &path).await, expected);
        gateway.settle(gateway.instance(1)).await;
        assert_eq!(sink.challenges().len(), 3, "{expected}: no fourth");
        done(&gateway, Method::PATCH, &path, trigger()).await;
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(state(&gateway, &path).await, "active");
        let fresh = usize::from(expected != "active");
        assert_eq!(sink.challenges().len(), 3 + fresh, "one that failed is challenged anew, one that passed is not");
    }
}

/// Asking for a challenge and deleting at once: whoever is first, nothing is left of the subscription.
#[tokio::test]
async fn a10_a_patch_beside_a_deletion_brings_nothing_back() {
    let gateway = gateway_of(&["a", "b"]).await;
    for round in 0..8 {
        let sink = Sink::start().await;
        let path = path_of(&held(&gateway, &sink).await);
        let patch = asked(&gateway, 1, request(&gateway, Method::PATCH, &path, &trigger()));
        let (deleted, patched) = tokio::join!(delete(&gateway, &path), patch);
        assert_eq!(deleted, StatusCode::NO_CONTENT, "{round}");
        assert!([StatusCode::OK, StatusCode::NOT_FOUND].contains(&patched.status()), "{round}: {patched:?}");
        gateway.settle(gateway.instance(1)).await;
        let (status, _) = gateway.api(Method::GET, &path, gateway.admin_token(), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{round}");
        assert!(sink.challenges().is_empty(), "{round}");
    }
}

/// Two replacements made for one version: one is taken, and the other is told.
#[tokio::test]
async fn a6_of_two_replacements_at_once_one_is_taken() {
    let gateway = gateway_of(&["a", "b"]).await;
    for round in 0..8 {
        let sink = Sink::start().await;
        let path = path_of(&held(&gateway, &sink).await);
        let (one, two) = (settings(&sink, json!({"name": "one"})), settings(&sink, json!({"name": "two"})));
        let put = |instance, body| asked(&gateway, instance, replacement(&gateway, &path, 1, body));
        let (first, second) = tokio::join!(put(0, &one), put(1, &two));
        let mut statuses = [first.status().as_u16(), second.status().as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{round}");
        let now = shown(&gateway, &path).await;
        let taken = if first.status() == StatusCode::OK { "one" } else { "two" };
        assert_eq!((&now["name"], &now["version"]), (&json!(taken), &json!(2)), "{round}");
    }
}
