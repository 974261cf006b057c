//! Pausing, resuming, disabling and enabling: what is kept, in which order it goes out, and that nothing goes twice.

use hookport::domain::delivery::{DeliveryState, OwnerToken};
use hookport::domain::id::DeliveryId;
use hookport::domain::text::TenantSlug;
use hookport::store::Claim;
use hookport_tests::gateway::TENANT;
use hookport_tests::inbound::list;
use hookport_tests::{Sink, TestGateway};
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    active, delivered, done, failing, gateway_of, happens, held, json_of, later, numbers, path_of, shown, state,
    three_tries, trigger, types,
};

async fn by_hand(gateway: &TestGateway, path: &str, verb: &str) -> Value {
    done(gateway, Method::POST, &format!("{path}/{verb}"), json!({})).await["data"].clone()
}

/// The states of the deliveries, the oldest first, challenges apart.
async fn states(gateway: &TestGateway) -> Vec<Value> {
    let events = list(gateway, "/api/v1/deliveries?event_type=github.*&limit=100").await;
    events.iter().rev().map(|delivery| delivery["state"].clone()).collect()
}

#[tokio::test]
async fn what_comes_during_a_pause_is_delivered_in_order_and_once_when_it_ends() {
    let gateway = gateway_of(&["a", "b"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    delivered(&gateway, 1).await;
    let paused = by_hand(&gateway, &path, "pause").await;
    assert_eq!((&paused["state"], &paused["cause"]), (&json!("paused"), &json!("by_hand")));
    for n in 2..=6 {
        delivered(&gateway, n).await;
    }
    for _ in 0..3 {
        later(&gateway, SignedDuration::from_hours(7)).await;
    }
    assert_eq!(numbers(&sink), [1]);
    assert_eq!(states(&gateway).await, ["delivered", "held", "held", "held", "held", "held"]);

    let resumed = by_hand(&gateway, &path, "resume").await;
    assert_eq!((&resumed["state"], &resumed["is_draining"]), (&json!("active"), &json!(true)));
    happens(&gateway, 7).await;
    tokio::join!(gateway.drain(gateway.instance(0)), gateway.drain(gateway.instance(1)));
    gateway.drain(gateway.instance(0)).await;
    later(&gateway, SignedDuration::from_mins(5)).await;
    delivered(&gateway, 8).await;
    gateway.settle(gateway.instance(1)).await;
    assert_eq!(numbers(&sink), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(states(&gateway).await, ["delivered"; 8]);
    assert_eq!(shown(&gateway, &path).await["is_draining"], false);
}

#[tokio::test]
async fn what_comes_while_the_kept_is_delivered_lines_up_behind_it() {
    let gateway = gateway_of(&["a", "b"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    by_hand(&gateway, &path, "pause").await;
    delivered(&gateway, 1).await;
    delivered(&gateway, 2).await;
    by_hand(&gateway, &path, "resume").await;
    sink.hang(true);
    let meanwhile = async {
        sink.got(1).await;
        happens(&gateway, 3).await;
        gateway.drain(gateway.instance(1)).await;
        assert_eq!(numbers(&sink), [1], "the third waits for the first and the second");
        sink.hang(false);
    };
    tokio::join!(gateway.drain(gateway.instance(0)), meanwhile);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [1, 2, 3]);
}

/// An attempt that is due during a pause is kept as well, and goes on with its number.
#[tokio::test]
async fn a_retry_that_is_due_during_a_pause_waits_for_its_end() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers([500]);
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    delivered(&gateway, 1).await;
    by_hand(&gateway, &path, "pause").await;
    delivered(&gateway, 2).await;
    later(&gateway, SignedDuration::from_mins(10)).await;
    assert_eq!(numbers(&sink), [1]);
    assert_eq!(states(&gateway).await, ["held", "held"]);
    by_hand(&gateway, &path, "resume").await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [1, 1, 2]);
    let received = sink.received();
    let attempts: Vec<&str> = received.iter().map(|request| request.header("hookport-attempt")).collect();
    assert_eq!(attempts, ["1", "2", "1"]);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 3);
}

/// One of those that were kept fails: it goes on by its own schedule, and those behind it are not held up.
#[tokio::test]
async fn a_kept_delivery_that_fails_is_tried_again_later_and_holds_up_no_other() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    by_hand(&gateway, &path, "pause").await;
    for n in 1..=3 {
        delivered(&gateway, n).await;
    }
    sink.answers([500]);
    by_hand(&gateway, &path, "resume").await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [1, 2, 3]);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [1, 2, 3, 1]);
    assert_eq!(states(&gateway).await, ["delivered"; 3]);
}

/// What is to follow a resume is due from its birth: the sweeper takes it up when the message is lost.
#[tokio::test]
async fn a_resume_whose_message_is_lost_is_taken_up_by_the_sweeper() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    by_hand(&gateway, &path, "pause").await;
    delivered(&gateway, 1).await;
    by_hand(&gateway, &path, "resume").await;
    gateway.cloud.sqs().lose_everything();
    gateway.drain(gateway.instance(0)).await;
    assert!(sink.received().is_empty());
    later(&gateway, SignedDuration::from_secs(61)).await;
    assert_eq!(numbers(&sink), [1]);
}

/// B12: events that come while it is disabled make no attempts, then or later; what was to be tried again is given up.
#[tokio::test]
async fn b12_events_make_no_attempts_while_a_subscription_is_disabled() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers([500]);
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    delivered(&gateway, 1).await;
    let disabled = by_hand(&gateway, &path, "disable").await;
    assert_eq!((&disabled["state"], &disabled["cause"]), (&json!("disabled"), &json!("by_hand")));
    delivered(&gateway, 2).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [1]);
    assert_eq!(states(&gateway).await, ["cancelled"]);
    let enabled = by_hand(&gateway, &path, "enable").await;
    assert_eq!((&enabled["state"], &enabled["cause"]), (&json!("active"), &json!("by_hand")));
    delivered(&gateway, 3).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [1, 3]);
    assert_eq!(sink.challenges().len(), 1, "it has proven itself before");
}

/// A1: what was never proven is challenged when it is enabled.
#[tokio::test]
async fn a1_a_subscription_that_was_never_proven_is_challenged_when_it_is_enabled() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&held(&gateway, &sink).await);
    let disabled = by_hand(&gateway, &path, "disable").await;
    assert_eq!((&disabled["state"], &disabled["expires_at"]), (&json!("disabled"), &Value::Null));
    gateway.settle(gateway.instance(0)).await;
    assert!(sink.challenges().is_empty());
    assert_eq!(by_hand(&gateway, &path, "enable").await["state"], "pending_verification");
    gateway.drain(gateway.instance(0)).await;
    assert_eq!((state(&gateway, &path).await.as_str(), sink.challenges().len()), ("active", 1));
}

/// A7: disabling ends the tries of a challenge.
#[tokio::test]
async fn a7_no_try_follows_once_a_subscription_is_disabled() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(3));
    let path = path_of(&gateway.subscribe(&sink, &["github.push"], json!({})).await);
    by_hand(&gateway, &path, "disable").await;
    three_tries(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.challenges().len(), 1);
    assert_eq!(by_hand(&gateway, &path, "enable").await["state"], "pending_verification");
    three_tries(&gateway).await;
    assert_eq!(state(&gateway, &path).await, "active");
}

/// Each change is told once, to whoever wants to know, with its cause.
#[tokio::test]
async fn b12_each_change_is_told_once() {
    let gateway = gateway_of(&["a"]).await;
    let (sink, watcher) = (Sink::start().await, Sink::start().await);
    let told = ["subscription.activated", "subscription.deactivated"];
    gateway.subscribe(&watcher, &told, json!({})).await;
    gateway.advance(SignedDuration::from_secs(1));
    let made = held(&gateway, &sink).await;
    let path = path_of(&made);
    gateway.drain(gateway.instance(0)).await;
    watcher.forget();
    done(&gateway, Method::PATCH, &path, trigger()).await;
    for verb in ["", "pause", "resume", "disable", "enable"] {
        if !verb.is_empty() {
            gateway.advance(SignedDuration::from_secs(1));
            by_hand(&gateway, &path, verb).await;
        }
        gateway.drain(gateway.instance(0)).await;
    }
    gateway.settle(gateway.instance(0)).await;
    let (on, off) = (told[0], told[1]);
    assert_eq!(types(&watcher), [on, off, on, off, on]);
    for event in watcher.received() {
        assert_eq!(json_of(&event)["data"]["subscription_id"], made["data"]["id"]);
    }
    let causes: Vec<Value> = watcher.received().iter().map(|event| json_of(event)["data"]["cause"].clone()).collect();
    assert_eq!(causes, ["challenge_passed", "by_hand", "by_hand", "by_hand", "by_hand"]);
}

/// Whoever keeps what was to be attempted notes it first. A resume that falls in between finds the note, and not yet what
/// it is about.
#[tokio::test]
async fn what_is_kept_at_the_moment_of_the_resume_is_delivered() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    sink.answers([500]);
    delivered(&gateway, 1).await;
    by_hand(&gateway, &path, "pause").await;
    gateway.advance(SignedDuration::from_mins(1));

    let store = &gateway.instance(0).management_app.store;
    let tenant = TenantSlug::try_from(TENANT.to_owned()).expect("a slug");
    let shown = list(&gateway, "/api/v1/deliveries?event_type=github.*").await.remove(0);
    let id: DeliveryId = shown["id"].as_str().expect("an id").parse().expect("an id");
    let (owner, now) = (OwnerToken::new(7), gateway.clock.now());
    let claim = store.claim_attempt(&tenant, id, owner, now, now + SignedDuration::from_secs(90)).await;
    let Ok(Claim::Ours(delivery)) = claim else { panic!("it is due") };
    store.note_held(&delivery).await.expect("it is noted");
    by_hand(&gateway, &path, "resume").await;
    gateway.drain(gateway.instance(0)).await;
    store.record_attempt(owner, &delivery.in_state(DeliveryState::Held, now)).await.expect("it is kept");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!((numbers(&sink), states(&gateway).await), (vec![1, 1], vec![json!("delivered")]));
}
