//! A1, A2, A7, A9, A11: what a target is sent to prove itself, and when.

use hookport_tests::Sink;
use hookport_tests::inbound::list;
use hookport_tests::sink::Reply;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::{
    BETWEEN_TRIES, SUBSCRIPTIONS, active, delivered, failing, gateway_of, json_of, later, numbers, path_of, settings,
    shown, signature, signature_by, state, three_tries, value_of,
};

/// A1: without a word about it a target is challenged at once, and gets the events that come once it has answered.
#[tokio::test]
async fn a1_a_target_is_challenged_at_once_and_gets_events_when_it_has_answered() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await;
    assert_eq!(made["data"]["state"], "pending_verification");
    assert_eq!(made["data"]["trigger_challenge"], true);
    assert_eq!(made["data"]["verification"]["status"], "pending");

    gateway.drain(gateway.instance(0)).await;
    let [challenge] = &sink.challenges()[..] else { panic!("one challenge") };
    let value = value_of(challenge);
    assert!(value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()), "32 bytes in hex");
    assert_eq!(json_of(challenge), json!({"type": "webhook.challenge", "challenge": value}));
    assert_eq!((challenge.method.as_str(), challenge.path.as_str()), ("POST", "/hook"));
    let now = shown(&gateway, &path_of(&made)).await;
    assert_eq!((&now["state"], &now["cause"]), (&json!("active"), &json!("challenge_passed")));
    assert_eq!(now["verification"]["status"], "passed");
    assert_eq!(now["verification"]["verified_at"], json!(gateway.clock.now().to_string()));
    assert_eq!(now["expires_at"], json!(null));

    delivered(&gateway, 1).await;
    assert_eq!(numbers(&sink), [1]);
}

/// A1: what comes before the proof is not delivered, then or later.
#[tokio::test]
async fn a1_an_event_that_comes_before_the_proof_is_not_delivered() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(1));
    let made = gateway.subscribe(&sink, &["github.push"], json!({})).await;
    delivered(&gateway, 1).await;
    assert_eq!(state(&gateway, &path_of(&made)).await, "pending_verification");
    gateway.advance(BETWEEN_TRIES);
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(state(&gateway, &path_of(&made)).await, "active");
    delivered(&gateway, 2).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [2]);
}

/// A2: null and true are as if nothing was said.
#[tokio::test]
async fn a2_null_and_true_trigger_the_challenge_as_silence_does() {
    let gateway = gateway_of(&["a"]).await;
    for said in [Value::Null, json!(true)] {
        let sink = Sink::start().await;
        let mut body = settings(&sink, json!({}));
        body["trigger_challenge"] = said.clone();
        let made = gateway.create(SUBSCRIPTIONS, body).await;
        assert_eq!(made["data"]["state"], "pending_verification", "{said}");
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(sink.challenges().len(), 1, "{said}");
        assert_eq!(state(&gateway, &path_of(&made)).await, "active", "{said}");
    }
}

/// A7: three tries half a minute apart; with the third one unanswered it is over, and there is no fourth.
#[tokio::test]
async fn a7_three_unanswered_tries_end_the_challenge_and_no_fourth_follows() {
    let gateway = gateway_of(&["a"]).await;
    let (sink, watcher) = (Sink::start().await, Sink::start().await);
    gateway.subscribe(&watcher, &["subscription.challenge_failed"], json!({})).await;
    sink.answers_challenges(failing(20));
    let made = gateway.subscribe(&sink, &["github.push"], json!({})).await;
    let path = path_of(&made);
    for tries in [1, 2] {
        assert_eq!(sink.challenges().len(), tries);
        later(&gateway, BETWEEN_TRIES - SignedDuration::from_secs(1)).await;
        assert_eq!(sink.challenges().len(), tries, "not before its time");
        assert_eq!(state(&gateway, &path).await, "pending_verification");
        later(&gateway, SignedDuration::from_secs(1)).await;
    }
    let failed = shown(&gateway, &path).await;
    assert_eq!((&failed["state"], &failed["cause"]), (&json!("verification_failed"), &json!("challenge_failed")));
    assert_eq!(failed["state_since"], json!(gateway.clock.now().to_string()), "right after the third try");
    assert_eq!(failed["verification"]["status"], "failed");
    let end = gateway.clock.now() + SignedDuration::from_hours(24 * 30);
    assert_eq!(failed["expires_at"], json!(end.to_string()));

    let tries = sink.challenges();
    let numbers: Vec<&str> = tries.iter().map(|challenge| challenge.header("hookport-attempt")).collect();
    assert_eq!(numbers, ["1", "2", "3"]);
    for challenge in &tries {
        assert_eq!(value_of(challenge), value_of(&tries[0]), "one challenge");
        assert_eq!(challenge.header("webhook-id"), tries[0].header("webhook-id"));
        assert_eq!(challenge.header("webhook-signature"), signature(&made["secret"], challenge), "signed afresh");
    }
    for _ in 0..10 {
        later(&gateway, SignedDuration::from_mins(31)).await;
    }
    assert_eq!(sink.challenges().len(), 3);
    assert_eq!(state(&gateway, &path).await, "verification_failed");
    assert_eq!(watcher.received().len(), 1, "it is told once");
}

/// A7: the tries are kept with their times and ends, like the attempts of any delivery.
#[tokio::test]
async fn a7_the_tries_of_a_challenge_are_shown_as_attempts() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(1));
    let made = gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await;
    three_tries(&gateway).await;
    let [challenge] = &list(&gateway, "/api/v1/deliveries").await[..] else { panic!("one delivery") };
    assert_eq!((&challenge["kind"], &challenge["state"]), (&json!("challenge"), &json!("delivered")));
    assert_eq!(challenge["subscription_id"], made["data"]["id"]);
    let attempts = challenge["attempts"].as_array().expect("a list");
    let ends: Vec<_> = attempts.iter().map(|attempt| (&attempt["outcome"], &attempt["status"])).collect();
    assert_eq!(ends, [(&json!("failed"), &json!(500)), (&json!("succeeded"), &json!(200))]);
    let at = |n: usize| -> Timestamp {
        attempts[n]["started_at"].as_str().and_then(|text| text.parse().ok()).expect("a time")
    };
    assert_eq!(at(1).duration_since(at(0)), BETWEEN_TRIES);
}

/// A7: a lost message keeps no try back: the sweeper brings it a little later.
#[tokio::test]
async fn a7_a_try_whose_message_is_lost_is_brought_by_the_sweeper() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(1));
    let made = gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await;
    for tries in [1, 2] {
        gateway.cloud.sqs().lose_everything();
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(sink.challenges().len(), tries - 1);
        later(&gateway, BETWEEN_TRIES + SignedDuration::from_secs(61)).await;
        assert_eq!(sink.challenges().len(), tries);
    }
    assert_eq!(state(&gateway, &path_of(&made)).await, "active");
}

/// A9, defect 2: what stands beside the echo may be anything.
#[tokio::test]
async fn a9_defect_2_members_of_any_type_beside_the_echo_are_ignored() {
    let gateway = gateway_of(&["a"]).await;
    for more in [r#""ok":true"#, r#""n":1"#, r#""list":[{}],"object":{"a":[]}"#, r#""nothing":null"#, r#""text":"x""#] {
        let sink = Sink::start().await;
        let echo = format!(r#"{{{more},"challenge":"{{challenge}}"}}"#);
        sink.answers_challenges([Reply::status(200).saying(echo).with("content-type", "text/plain")]);
        let made = active(&gateway, &sink, json!({})).await;
        assert_eq!(state(&gateway, &path_of(&made)).await, "active", "{more}");
        assert_eq!(sink.challenges().len(), 1, "{more}");
    }
}

/// A11, defect 3: the challenge is signed like a delivery, by the secret that was made or supplied, so that a receiver
/// that insists on a signature proves itself as one does that ignores it.
#[tokio::test]
async fn a11_defect_3_the_challenge_is_signed_like_a_delivery() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = active(&gateway, &sink, json!({})).await;
    let other = active(&gateway, &Sink::start().await, json!({})).await;
    delivered(&gateway, 1).await;
    let (challenges, deliveries) = (sink.challenges(), sink.received());
    let [challenge] = &challenges[..] else { panic!("one challenge") };
    assert_eq!(challenge.header("webhook-signature"), signature(&made["secret"], challenge));
    assert_ne!(challenge.header("webhook-signature"), signature(&other["secret"], challenge));
    assert_eq!(challenge.header("content-type"), "application/json");
    assert_eq!(challenge.header("hookport-event-type"), "webhook.challenge");
    assert_eq!(challenge.header("hookport-subscription-id"), made["data"]["id"]);
    assert!(challenge.header("webhook-id").starts_with("evt_"));
    let delivery = &deliveries[0];
    assert_eq!(delivery.header("webhook-signature"), signature(&made["secret"], delivery));
    assert_ne!(delivery.header("webhook-id"), challenge.header("webhook-id"));
    for name in delivery.headers.keys() {
        assert!(challenge.headers.contains_key(name), "{name} is on a delivery and not on a challenge");
    }

    let own = Sink::start().await;
    active(&gateway, &own, json!({"secret": "a secret of my own"})).await;
    let holder = Webhook::from_bytes(b"a secret of my own".to_vec()).expect("a key");
    let [challenge] = &own.challenges()[..] else { panic!("one challenge") };
    assert_eq!(challenge.header("webhook-signature"), signature_by(&holder, challenge));
}

/// A1: two instances that work at the same time send one challenge.
#[tokio::test]
async fn a1_two_instances_send_one_challenge() {
    let gateway = gateway_of(&["a", "b"]).await;
    for _ in 0..5 {
        let sink = Sink::start().await;
        let made = gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await;
        gateway.advance(SignedDuration::from_secs(61));
        gateway.tick(gateway.instance(0)).await;
        tokio::join!(gateway.drain(gateway.instance(0)), gateway.drain(gateway.instance(1)));
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(sink.challenges().len(), 1);
        assert_eq!(state(&gateway, &path_of(&made)).await, "active");
    }
}
