//! A target that has to prove itself again now and then.

use hookport_tests::Sink;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    BETWEEN_TRIES, SUBSCRIPTIONS, active, call, delivered, done, failing, gateway_of, later, numbers, path_of, refused,
    settings, shown, state, three_tries, trigger,
};

const DAY: SignedDuration = SignedDuration::from_hours(24);

#[tokio::test]
async fn a_target_proves_itself_again_after_so_many_days_and_gets_events_meanwhile() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({"reverify_days": 7})).await);
    let verified_at = async || -> Timestamp {
        let shown = shown(&gateway, &path).await;
        shown["verification"]["verified_at"].as_str().and_then(|text| text.parse().ok()).expect("a time")
    };
    let since = shown(&gateway, &path).await["state_since"].clone();
    for n in 1..=2 {
        let (before, tries) = (verified_at().await, sink.challenges().len());
        for _ in 0..6 {
            later(&gateway, DAY).await;
        }
        assert_eq!(sink.challenges().len(), tries, "not before its time");
        sink.answers_challenges(failing(1));
        later(&gateway, DAY + SignedDuration::from_mins(1)).await;
        assert_eq!(sink.challenges().len(), tries + 1);
        let asked = shown(&gateway, &path).await;
        assert_eq!((&asked["state"], &asked["verification"]["purpose"]), (&json!("active"), &json!("renewal")));
        delivered(&gateway, n).await;
        assert_eq!(numbers(&sink).last(), Some(&n), "delivered although a try has failed");
        gateway.advance(BETWEEN_TRIES);
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(sink.challenges().len(), tries + 2);
        assert!(verified_at().await.duration_since(before) >= DAY * 7);
    }
    assert_eq!(shown(&gateway, &path).await["state_since"], since, "it was active all the while");
}

/// A target that fails then gets nothing more until it proves itself, and is kept.
#[tokio::test]
async fn a7_a_target_that_fails_to_prove_itself_again_gets_nothing_more() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({"reverify_days": 1})).await);
    sink.answers_challenges(failing(3));
    later(&gateway, DAY + SignedDuration::from_mins(1)).await;
    three_tries(&gateway).await;
    assert_eq!(sink.challenges().len(), 4);
    let failed = shown(&gateway, &path).await;
    assert_eq!((&failed["state"], &failed["cause"]), (&json!("verification_failed"), &json!("challenge_failed")));
    assert_eq!(failed["expires_at"], Value::Null);
    delivered(&gateway, 1).await;
    for _ in 0..5 {
        later(&gateway, DAY).await;
    }
    assert_eq!((sink.challenges().len(), sink.received().len()), (4, 0), "it is not asked again by itself");
    done(&gateway, Method::PATCH, &path, trigger()).await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(state(&gateway, &path).await, "active");
    delivered(&gateway, 2).await;
    assert_eq!(numbers(&sink), [2]);
    later(&gateway, DAY + SignedDuration::from_mins(1)).await;
    assert_eq!(sink.challenges().len(), 6, "and a day later again");
}

/// Nothing is asked of one that is paused or held, nor of one that did not ask for it.
#[tokio::test]
async fn only_an_active_subscription_proves_itself_again() {
    let gateway = gateway_of(&["a"]).await;
    let (paused, plain, held) = (Sink::start().await, Sink::start().await, Sink::start().await);
    let path = path_of(&active(&gateway, &paused, json!({"reverify_days": 1})).await);
    done(&gateway, Method::POST, &format!("{path}/pause"), json!({})).await;
    active(&gateway, &plain, json!({})).await;
    let more = json!({"reverify_days": 1, "trigger_challenge": false});
    gateway.ask_for_subscription(&held, &["github.push"], more).await;
    for _ in 0..5 {
        later(&gateway, DAY).await;
    }
    let asked = [&paused, &plain, &held].map(|sink| sink.challenges().len());
    assert_eq!(asked, [1, 1, 0]);
    done(&gateway, Method::POST, &format!("{path}/resume"), json!({})).await;
    later(&gateway, SignedDuration::from_mins(6)).await;
    assert_eq!(paused.challenges().len(), 2, "its time had come meanwhile");
    assert_eq!(state(&gateway, &path).await, "active");
}

#[tokio::test]
async fn a_renewal_comes_after_1_to_365_days() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    for days in [0, 366] {
        let body = settings(&sink, json!({"reverify_days": days}));
        refused(&call(&gateway, Method::POST, SUBSCRIPTIONS, body).await, 400, "invalid_request");
    }
    for days in [1, 365] {
        let made = gateway.create(SUBSCRIPTIONS, settings(&sink, json!({"reverify_days": days}))).await;
        assert_eq!(made["data"]["reverify_days"], days);
    }
}
