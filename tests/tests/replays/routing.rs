//! Where a replay sends which events.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use serde_json::{Value, json};

use crate::{counted, deliveries, gateway, numbers, publish, replay, shown, sorted, time};

/// Makes a replay that starts by itself, works it, and gives it as it is then.
async fn replayed(gateway: &TestGateway, mut body: Value) -> Value {
    body["start"] = json!(true);
    let path = replay(gateway, body).await;
    let replay = shown(gateway, &path).await;
    assert_eq!(replay["state"], "done", "{replay}");
    replay
}

/// A new subscription gets what others got before it was made, and they get nothing again.
#[tokio::test]
async fn a_new_subscription_gets_what_was_before_it_through_todays_routing() {
    let gateway = gateway().await;
    let (old, new) = (Sink::start().await, Sink::start().await);
    gateway.subscribe(&old, &["ticket.*"], json!({})).await;
    let since = time(&gateway);
    for n in 0..3 {
        publish(&gateway, "ticket.updated", n).await;
    }
    gateway.subscribe(&new, &["ticket.*"], json!({})).await;
    let same = replayed(&gateway, json!({"since": since, "which": ["missing"]})).await;
    assert_eq!(counted(&same), (3, 0, 0), "it was not among the targets: {same}");
    let current = replayed(&gateway, json!({"since": since, "which": ["missing"], "routing": "current"})).await;
    assert_eq!(counted(&current), (3, 3, 3), "{current}");
    assert_eq!((sorted(&new), numbers(&old)), (vec![0, 1, 2], vec![0, 1, 2]));
}

/// Also one that would not get such events any more.
#[tokio::test]
async fn the_same_targets_get_what_they_got_once_more() {
    let gateway = gateway().await;
    let (sink, other) = (Sink::start().await, Sink::start().await);
    let made = gateway.subscribe(&sink, &["ticket.*"], json!({})).await;
    let since = time(&gateway);
    publish(&gateway, "ticket.updated", 0).await;
    gateway.subscribe(&other, &["ticket.*"], json!({})).await;
    gateway.advance(jiff::SignedDuration::from_secs(1));
    let again = replayed(&gateway, json!({"since": since, "which": ["delivered"]})).await;
    assert_eq!(counted(&again), (1, 1, 1), "{again}");
    assert_eq!((numbers(&sink), numbers(&other)), (vec![0, 0], vec![]));
    let received = sink.received();
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"), "it is the same event");
    let kinds: Vec<_> = deliveries(&gateway, &made).await.iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, ["resend", "event"]);
}

#[tokio::test]
async fn a_filter_narrows_a_replay_to_what_it_names() {
    let gateway = gateway().await;
    let (first, second) = (Sink::start().await, Sink::start().await);
    let made = gateway.subscribe(&first, &["ticket.*", "invoice.*"], json!({})).await;
    let other = gateway.subscribe(&second, &["ticket.*", "invoice.*"], json!({})).await;
    let since = time(&gateway);
    publish(&gateway, "ticket.updated", 0).await;
    publish(&gateway, "ticket.updated", 1).await;
    publish(&gateway, "invoice.paid", 2).await;
    let cases = [
        (json!({"event_types": ["ticket.*"]}), (2, 4)),
        (json!({"event_types": ["invoice.paid"]}), (1, 2)),
        (json!({"subscription_ids": [made["data"]["id"]]}), (3, 3)),
        (json!({"payload": {"n": {"$gte": 1}}}), (3, 4)),
        (json!({"object_type": "invoice"}), (3, 2)),
        (json!({"event_types": ["ticket.*"], "payload": {"n": 1}, "subscription_ids": [other["data"]["id"]]}), (2, 1)),
    ];
    for (filter, (events, matched)) in cases {
        let path = replay(&gateway, json!({"since": since, "which": ["delivered"], "filter": filter})).await;
        let planned = shown(&gateway, &path).await;
        assert_eq!(counted(&planned), (events, matched, 0), "{filter}: {planned}");
    }
    assert_eq!((first.received().len(), second.received().len()), (3, 3), "plans send nothing");
}

#[tokio::test]
async fn failures_of_one_cause_are_sent_again_and_others_are_not() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["ticket.*"], json!({"retry_schedule": "none"})).await;
    let since = time(&gateway);
    sink.answers([500, 404]);
    publish(&gateway, "ticket.updated", 0).await;
    publish(&gateway, "ticket.updated", 1).await;
    let body = json!({"since": since, "which": ["failed"], "filter": {"cause": "status_404"}});
    let replay = replayed(&gateway, body).await;
    assert_eq!((counted(&replay), &replay["counts"]["left_out"]["failed"]), ((2, 1, 1), &json!(1)), "{replay}");
    assert_eq!(numbers(&sink), [0, 1, 1]);
}

#[tokio::test]
async fn only_events_of_the_time_in_question_are_replayed() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["ticket.*"], json!({})).await;
    publish(&gateway, "ticket.updated", 0).await;
    gateway.advance(jiff::SignedDuration::from_secs(60));
    let since = time(&gateway);
    publish(&gateway, "ticket.updated", 1).await;
    let until = time(&gateway);
    gateway.advance(jiff::SignedDuration::from_secs(60));
    publish(&gateway, "ticket.updated", 2).await;
    let replay = replayed(&gateway, json!({"since": since, "until": until, "which": ["delivered"]})).await;
    assert_eq!(counted(&replay), (1, 1, 1), "{replay}");
    assert_eq!(numbers(&sink), [0, 1, 2, 1]);
}

/// What the gateway tells of itself is left out, unless it is asked for.
#[tokio::test]
async fn the_gateways_own_events_have_to_be_asked_for() {
    let gateway = gateway().await;
    let (sink, listener) = (Sink::start().await, Sink::start().await);
    gateway.subscribe(&listener, &["subscription.*"], json!({})).await;
    let since = time(&gateway);
    let made = gateway.subscribe(&sink, &["ticket.*"], json!({})).await;
    gateway.advance(jiff::SignedDuration::from_secs(1));
    crate::switch(&gateway, &made, "pause").await;
    gateway.settle(gateway.instance(0)).await;
    let told = listener.received().len();
    assert!(told >= 2, "activated and deactivated");
    let plan = |filter| json!({"since": since, "which": ["delivered"], "filter": filter});
    let none = shown(&gateway, &replay(&gateway, plan(json!({}))).await).await;
    assert_eq!(counted(&none), (0, 0, 0), "{none}");
    let own = shown(&gateway, &replay(&gateway, plan(json!({"event_types": ["subscription.*"]}))).await).await;
    assert_eq!(own["counts"]["matched"], told, "{own}");
}

#[tokio::test]
async fn only_what_one_webhook_received_is_replayed() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let webhook = gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["ticket.*", "github.*"], json!({})).await;
    let since = time(&gateway);
    publish(&gateway, "ticket.updated", 0).await;
    gateway.advance(jiff::SignedDuration::from_secs(1));
    let request = hookport_tests::SenderRequest::json(r#"{"n":1}"#).signed(hookport_tests::gateway::SECRET);
    gateway.send(gateway.instance(0), "/api/inbound/default/github", &request).await;
    gateway.drain(gateway.instance(0)).await;
    let body = json!({"since": since, "which": ["delivered"], "filter": {"webhook_id": webhook}});
    let replay = replayed(&gateway, body).await;
    assert_eq!((counted(&replay), text(&replay["filter"]["webhook_id"])), ((1, 1, 1), webhook), "{replay}");
    assert_eq!(numbers(&sink), [0, 1, 1]);
}
