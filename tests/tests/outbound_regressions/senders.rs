//! First attempts whose senders died were left behind when their subscription did not want the event any more: they
//! stood as `attempting` until their rows expired, without an end that anybody was told of.

use hookport::domain::id::EventId;
use hookport::message::{InboundMessage, Message};
use hookport_tests::{Sink, TestGateway};
use serde_json::{Value, json};

use crate::{act, delete, delivery, gateway, now, replace, sender_dies, subscribed, tenant, work};

/// A subscription whose first delivery was left by a sender that died.
async fn left_behind(gateway: &TestGateway, sink: &Sink) -> Value {
    let made = subscribed(gateway, sink, json!({})).await;
    sender_dies(gateway, sink).await;
    assert_eq!(delivery(gateway, &made).await["state"], "attempting");
    made
}

/// The state of the delivery once everything is over, after the attempt that nobody knows the end of.
async fn end_of(gateway: &TestGateway, made: &Value) -> Value {
    gateway.settle(gateway.instance(0)).await;
    let ended = delivery(gateway, made).await;
    assert_eq!(ended["attempts"][0]["outcome"], "unknown", "{ended}");
    ended["state"].clone()
}

/// B12, promise 1: it is cancelled when the subscription was disabled meanwhile.
#[tokio::test]
async fn b12_an_attempt_whose_sender_died_ends_although_its_subscription_is_disabled() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = left_behind(&gateway, &sink).await;
    act(&gateway, &made, "disable").await;
    assert_eq!(end_of(&gateway, &made).await, "cancelled");
    assert_eq!(sink.received().len(), 1);
}

/// A20: it is given up when the subscription was deleted meanwhile.
#[tokio::test]
async fn a20_an_attempt_whose_sender_died_ends_although_its_subscription_is_deleted() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = left_behind(&gateway, &sink).await;
    delete(&gateway, &made).await;
    assert_eq!(end_of(&gateway, &made).await, "exhausted");
    assert_eq!(delivery(&gateway, &made).await["attempts"][1]["error_code"], "subscription_deleted");
    assert_eq!(sink.received().len(), 1);
}

/// B4: it goes on when the subscription was only told to want other events from now on.
#[tokio::test]
async fn b4_an_attempt_whose_sender_died_goes_on_although_its_subscription_wants_other_events() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = left_behind(&gateway, &sink).await;
    replace(&gateway, &made, &sink.url("/hook"), "ticket.closed").await;
    assert_eq!(end_of(&gateway, &made).await, "delivered");
    let received = sink.received();
    let attempts: Vec<&str> = received.iter().map(|request| request.header("hookport-attempt")).collect();
    assert_eq!(attempts, ["1", "2"]);
}

/// B12: the same for one that is paused: what was noted as kept was the row of the sender that died, so that a resume
/// found nothing to send.
#[tokio::test]
async fn b12_an_attempt_whose_sender_died_is_kept_by_a_pause_and_delivered_after_it() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = left_behind(&gateway, &sink).await;
    act(&gateway, &made, "pause").await;
    assert_eq!(end_of(&gateway, &made).await, "held");
    assert_eq!(sink.received().len(), 1);
    act(&gateway, &made, "resume").await;
    assert_eq!(end_of(&gateway, &made).await, "delivered");
    let received = sink.received();
    let attempts: Vec<&str> = received.iter().map(|request| request.header("hookport-attempt")).collect();
    assert_eq!(attempts, ["1", "2"]);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(received[0].body, received[1].body);
}

/// B16: one event that could not be decided counted anew each time that it was worked, because another subscription's
/// sender had died; fifty of that switched the subscription off.
#[tokio::test]
async fn b16_an_undecidable_event_counts_once_however_often_it_is_worked() {
    let gateway = gateway().await;
    let (sink, other) = (Sink::start().await, Sink::start().await);
    let needs = json!({"owner": "ann", "permission": "tickets.view"});
    let undecidable = subscribed(&gateway, &other, needs).await;
    subscribed(&gateway, &sink, json!({})).await;
    let event: EventId = sender_dies(&gateway, &sink).await.parse().expect("the id of an event");
    let again = Message::Inbound(InboundMessage::again(tenant(), event.into()));
    for _ in 0..60 {
        work(gateway.instance(0), &again).await;
    }
    assert_eq!(now(&gateway, &undecidable).await["state"], "active");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(now(&gateway, &undecidable).await["state"], "active");
    assert_eq!((sink.received().len(), other.received().len()), (2, 0));
}
