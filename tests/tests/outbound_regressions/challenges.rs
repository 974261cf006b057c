//! Challenges that were lost, sent again, signed with a dead secret, or recalled.

use hookport::domain::subscription::{Challenge, Purpose};
use hookport::message::{Message, UpkeepMessage};
use hookport::random::Random;
use hookport::store::Changed;
use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::gateway::text;
use hookport_tests::sink::{Reply, SinkRequest};
use hookport_tests::{Sink, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::{
    DELIVERIES, act, call, deliveries, gateway, gateway_with, happens, id_of, later, now, numbers, path, refused,
    replace, subscribed, tenant, work,
};

const BETWEEN_TRIES: SignedDuration = SignedDuration::from_secs(30);
const TRUSTING: [(&str, &str); 1] = [("TRUSTED_TARGETS", "127.0.0.1")];

fn failing(times: usize) -> Vec<Reply> {
    vec![Reply::status(500); times]
}

/// What an independent implementation, holding this secret, signs a request with.
fn signature(secret: &Value, request: &SinkRequest) -> String {
    let holder = Webhook::new(&text(secret)).expect("a Standard Webhooks secret");
    let timestamp = request.header("webhook-timestamp").parse().expect("seconds");
    holder.sign(request.header("webhook-id"), timestamp, &request.body).expect("signed")
}

/// A6: upkeep that came between the request for it and the change took the request away with it. When the change's own
/// message was lost as well, the challenge was never sent.
#[tokio::test]
async fn a6_upkeep_before_a_change_leaves_what_follows_the_change() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = subscribed(&gateway, &sink, json!({"trigger_challenge": false})).await;
    // What was asked for with its creation is over.
    later(&gateway, SignedDuration::from_mins(2)).await;
    let (tenant, id) = (tenant(), id_of(&made));
    let store = &gateway.instance(0).management_app.store;
    let before = store.subscription(&tenant, id).await.expect("the table answers").expect("it is there");
    let now_at = gateway.clock.now();
    let after = before.challenged(Purpose::Activation, Challenge::new(&Random::seeded(9)), now_at);
    store
        .ask_task(&tenant, &hookport::domain::task::Task::Upkeep(id), now_at + SignedDuration::from_secs(60))
        .await
        .expect("the table answers");
    work(gateway.instance(1), &Message::Upkeep(UpkeepMessage::new(tenant.clone(), id))).await;
    assert_eq!(store.change_subscription(&before, &after).await.expect("the table answers"), Changed::Yes);
    gateway.drain(gateway.instance(0)).await;
    assert!(sink.challenges().is_empty(), "no message brings anybody");
    later(&gateway, SignedDuration::from_secs(61)).await;
    assert_eq!(now(&gateway, &made).await["state"], "active");
    assert_eq!(sink.challenges().len(), 1);
}

/// A7: the echo of a target was thrown away when the change that it brings about failed. After three of that the
/// subscription counted as failed.
#[tokio::test]
async fn a7_a_right_answer_stands_although_the_change_that_follows_fails() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.ask_for_subscription(&sink, &["ticket.updated"], json!({})).await;
    gateway.cloud.faults().set(Fault::new(FaultKind::Before).by("b").on("TransactWriteItems"));
    gateway.drain(gateway.instance(1)).await;
    assert_eq!(gateway.cloud.faults().hit(), 1);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(now(&gateway, &made).await["state"], "active");
    assert_eq!(sink.challenges().len(), 1);
    assert_eq!(deliveries(&gateway, &made, "challenge").await[0]["state"], "delivered");
}

/// A target at a host that is not trusted, which has failed so many tries.
async fn not_trusted(gateway: &TestGateway, sink: &Sink, tries: usize) -> Value {
    sink.answers_challenges(failing(tries));
    let url = sink.url("/hook").replace("127.0.0.1", "localhost");
    let made = subscribed(gateway, sink, json!({"url": url})).await;
    for _ in 1..tries {
        later(gateway, BETWEEN_TRIES).await;
    }
    made
}

/// A1: nothing has to be proven at a trusted host, but a subscription that moved there went on waiting for the old
/// challenge, and failed with it.
#[tokio::test]
async fn a1_moving_to_a_trusted_host_activates_at_once() {
    for (tries, state) in [(1, "pending_verification"), (3, "verification_failed")] {
        let gateway = gateway_with(&TRUSTING).await;
        let sink = Sink::start().await;
        let made = not_trusted(&gateway, &sink, tries).await;
        assert_eq!(now(&gateway, &made).await["state"], state);
        let moved = replace(&gateway, &made, &sink.url("/trusted"), "ticket.updated").await;
        assert_eq!((&moved["state"], &moved["cause"]), (&json!("active"), &json!("target_trusted")), "{state}");
        assert_eq!(moved["verification"]["status"], "passed");
        happens(&gateway, 1).await;
        gateway.settle(gateway.instance(0)).await;
        assert_eq!(numbers(&sink), [1]);
        assert_eq!(sink.received()[0].path, "/trusted");
        assert_eq!(sink.challenges().len(), tries, "no try follows");
        let shown = now(&gateway, &made).await;
        assert_eq!((&shown["state"], &shown["expires_at"]), (&json!("active"), &Value::Null));
    }
}

/// A1: one that is paused stays so, and needs no challenge when it is resumed.
#[tokio::test]
async fn a1_a_paused_subscription_that_moved_to_a_trusted_host_is_resumed_at_once() {
    let gateway = gateway_with(&TRUSTING).await;
    let sink = Sink::start().await;
    let made = not_trusted(&gateway, &sink, 0).await;
    act(&gateway, &made, "pause").await;
    happens(&gateway, 1).await;
    let moved = replace(&gateway, &made, &sink.url("/trusted"), "ticket.updated").await;
    assert_eq!(moved["state"], "paused");
    assert_eq!(act(&gateway, &made, "resume").await["state"], "active");
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [1]);
    assert_eq!((sink.received()[0].path.as_str(), sink.challenges().len()), ("/trusted", 1));
}

/// A11: a rotation with an overlap during the first verification let the old secret sign the new challenge, so that
/// whoever had only that one could answer.
#[tokio::test]
async fn a11_the_old_secret_does_not_sign_the_challenge_of_what_was_never_proven() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(1));
    let made = subscribed(&gateway, &sink, json!({})).await;
    let rotate = format!("{}/rotate-secret", path(&made));
    let (status, rotated) = call(&gateway, Method::POST, &rotate, Some(json!({"overlap_hours": 24}))).await;
    assert_eq!(status, StatusCode::OK, "{rotated}");
    let data = &rotated["data"];
    assert_eq!((&data["state"], &data["previous_secret_until"]), (&json!("pending_verification"), &Value::Null));
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(now(&gateway, &made).await["state"], "active");
    happens(&gateway, 1).await;
    let challenges = sink.challenges();
    assert_eq!(challenges.len(), 2);
    assert_eq!(challenges[0].header("webhook-signature"), signature(&made["secret"], &challenges[0]));
    for request in [&challenges[1], &sink.received()[0]] {
        assert_eq!(request.header("webhook-signature"), signature(&rotated["secret"], request));
    }
}

/// A7: a challenge could be cancelled like a delivery, and its subscription stood there with nothing under way.
#[tokio::test]
async fn a7_a_challenge_cannot_be_cancelled_by_hand() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(1));
    let made = subscribed(&gateway, &sink, json!({})).await;
    let all = deliveries(&gateway, &made, "challenge").await;
    let [challenge] = &all[..] else { panic!("one challenge: {all:?}") };
    assert_eq!(challenge["state"], "pending");
    let cancel = format!("{DELIVERIES}/{}/cancel", text(&challenge["id"]));
    refused(&call(&gateway, Method::POST, &cancel, None).await, 409, "challenge_started");
    assert_eq!(act(&gateway, &made, "cancel-retries").await, json!({"cancelled": 0, "more": false}));
    assert_eq!(deliveries(&gateway, &made, "challenge").await, all);
    later(&gateway, BETWEEN_TRIES).await;
    assert_eq!(now(&gateway, &made).await["state"], "active");
    refused(&call(&gateway, Method::POST, &cancel, None).await, 409, "challenge_started");
}
