//! A3, A4 and the end of what never proved itself: a held subscription waits, is warned of and is deleted in the end.

use hookport_tests::gateway::text;
use hookport_tests::inbound::list;
use hookport_tests::sink::SinkRequest;
use hookport_tests::{Sink, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    BETWEEN_TRIES, SUBSCRIPTIONS, delivered, done, failing, gateway_of, held, json_of, later, numbers, path_of, shown,
    state, three_tries, trigger, types,
};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A target that is told of what is about to expire and of what has.
async fn watcher(gateway: &TestGateway) -> Sink {
    let watcher = Sink::start().await;
    gateway.subscribe(&watcher, &["subscription.expiring", "subscription.expired"], json!({})).await;
    watcher
}

/// The subscription that an event tells of, and when it is deleted.
fn told(event: &SinkRequest) -> (Value, Value) {
    let data = &json_of(event)["data"];
    (data["subscription_id"].clone(), data["expires_at"].clone())
}

async fn status(gateway: &TestGateway, path: &str) -> StatusCode {
    gateway.api(Method::GET, path, gateway.admin_token(), None).await.0
}

/// A3: false holds it: no challenge however often it is swept, no event, and no end after three tries' time.
#[tokio::test]
async fn a3_a_held_subscription_is_sent_nothing_however_long_it_waits() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = held(&gateway, &sink).await;
    let path = path_of(&made);
    assert_eq!(made["data"]["state"], "awaiting_challenge");
    assert_eq!(made["data"]["trigger_challenge"], false);
    assert_eq!(made["data"]["verification"]["status"], "not_started");
    let end = gateway.clock.now() + DAY * 30;
    assert_eq!(made["data"]["expires_at"], json!(end.to_string()), "its end is announced");
    for _ in 0..5 {
        later(&gateway, BETWEEN_TRIES).await;
    }
    delivered(&gateway, 1).await;
    for _ in 0..26 {
        later(&gateway, DAY).await;
    }
    assert!(sink.challenges().is_empty() && sink.received().is_empty());
    assert_eq!(shown(&gateway, &path).await, made["data"], "nothing of it has changed");
    assert_eq!(list(&gateway, "/api/v1/deliveries").await, [] as [Value; 0]);
}

/// A4: the challenge is sent promptly once it is asked for, and what came before stays undelivered.
#[tokio::test]
async fn a4_a_held_subscription_is_challenged_when_that_is_asked_for() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = held(&gateway, &sink).await;
    let path = path_of(&made);
    delivered(&gateway, 1).await;
    later(&gateway, DAY).await;

    let asked = done(&gateway, Method::PATCH, &path, trigger()).await["data"].clone();
    assert_eq!((&asked["id"], &asked["state"]), (&made["data"]["id"], &json!("pending_verification")));
    assert_eq!(asked["trigger_challenge"], true);
    assert_eq!(asked["expires_at"], Value::Null);
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sink.challenges().len(), 1, "without a sweep");
    assert_eq!(state(&gateway, &path).await, "active");
    delivered(&gateway, 2).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [2]);
}

/// Held for ever ends after 30 days, is told of three days before, and has nothing of the three tries.
#[tokio::test]
async fn a3_a_held_subscription_is_warned_of_after_27_days_and_deleted_after_30() {
    let gateway = gateway_of(&["a"]).await;
    let (sink, watcher) = (Sink::start().await, watcher(&gateway).await);
    let made = held(&gateway, &sink).await;
    let path = path_of(&made);
    let (id, end) = (made["data"]["id"].clone(), made["data"]["expires_at"].clone());
    later(&gateway, SignedDuration::from_mins(1)).await;
    for _ in 0..26 {
        later(&gateway, DAY).await;
    }
    assert!(watcher.received().is_empty());
    later(&gateway, DAY).await;
    assert_eq!(types(&watcher), ["subscription.expiring"]);
    assert_eq!(told(&watcher.received()[0]), (id.clone(), end.clone()));
    for _ in 0..2 {
        later(&gateway, DAY).await;
    }
    assert_eq!(types(&watcher).len(), 1, "it is told once");
    assert_eq!(state(&gateway, &path).await, "awaiting_challenge");

    later(&gateway, DAY).await;
    assert_eq!(types(&watcher), ["subscription.expiring", "subscription.expired"]);
    assert_eq!(told(&watcher.received()[1]), (id.clone(), end));
    assert_eq!(status(&gateway, &path).await, StatusCode::NOT_FOUND);
    assert!(list(&gateway, SUBSCRIPTIONS).await.iter().all(|other| other["id"] != id));
    assert!(sink.challenges().is_empty());
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(types(&watcher).len(), 2);
}

/// A target that failed its challenge and never passed one has 30 days from then; asking for another stops that.
#[tokio::test]
async fn a7_what_failed_and_never_passed_is_deleted_after_30_days_unless_it_is_asked_again() {
    let gateway = gateway_of(&["a"]).await;
    let (sink, saved, watcher) = (Sink::start().await, Sink::start().await, watcher(&gateway).await);
    sink.answers_challenges(failing(3));
    saved.answers_challenges(failing(3));
    let made = gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await;
    let other = gateway.ask_for_subscription(&saved, &["github.push"], json!({})).await;
    three_tries(&gateway).await;
    let end = shown(&gateway, &path_of(&made)).await["expires_at"].clone();
    assert_eq!(end, json!((gateway.clock.now() + DAY * 30).to_string()));
    for _ in 0..28 {
        later(&gateway, DAY).await;
    }
    assert_eq!(types(&watcher), ["subscription.expiring", "subscription.expiring"]);
    done(&gateway, Method::PATCH, &path_of(&other), trigger()).await;
    for _ in 0..3 {
        later(&gateway, DAY).await;
    }
    assert_eq!(types(&watcher)[2..], ["subscription.expired"]);
    assert_eq!(told(&watcher.received()[2]).0, made["data"]["id"]);
    assert_eq!(status(&gateway, &path_of(&made)).await, StatusCode::NOT_FOUND);
    assert_eq!(state(&gateway, &path_of(&other)).await, "active");
}

/// One that was ever proven is kept, whatever comes of later challenges.
#[tokio::test]
async fn a7_what_was_proven_once_is_never_deleted() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["github.push"], json!({})).await;
    let path = path_of(&made);
    sink.answers_challenges(failing(3));
    done(&gateway, Method::PATCH, &format!("{path}?reverify=true"), trigger()).await;
    three_tries(&gateway).await;
    let failed = shown(&gateway, &path).await;
    assert_eq!((&failed["state"], &failed["expires_at"]), (&json!("verification_failed"), &Value::Null));
    for _ in 0..40 {
        later(&gateway, DAY).await;
    }
    assert_eq!(text(&shown(&gateway, &path).await["state"]), "verification_failed");
}
