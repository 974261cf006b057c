//! What is kept for a subscription was lost, or went where it must not any more.

use hookport::domain::delivery::{Delivery, DeliveryState};
use hookport::domain::event_type::EventType;
use hookport::domain::id::EventId;
use hookport::message::{Message, UpkeepMessage};
use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::Sink;
use hookport_tests::gateway::TestGateway;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    act, delete, deliveries, delivery, gateway, happens, id_of, later, now, numbers, replace, states, subscribed,
    tenant, while_held, work,
};

/// The delivery of an event that is kept for a subscription.
fn kept(gateway: &TestGateway, made: &Value, event: &str) -> Delivery {
    let event: EventId = event.parse().expect("the id of an event");
    let event_type = EventType::try_from("ticket.updated".to_owned()).expect("a type");
    Delivery::of_event(tenant(), event, event_type, id_of(made), DeliveryState::Held, gateway.clock.now())
}

/// A subscription that is paused with so many events kept for it, and then resumed. Nobody works the queues.
async fn resumed(gateway: &TestGateway, sink: &Sink, events: u64) -> Value {
    let made = subscribed(gateway, sink, json!({})).await;
    act(gateway, &made, "pause").await;
    for n in 1..=events {
        happens(gateway, n).await;
    }
    act(gateway, &made, "resume").await;
    made
}

/// B12: whoever drains meets the note of a delivery whose row is not written yet. It forgot the note although the row
/// came in between, so that nobody ever came back for it.
#[tokio::test]
async fn a_note_that_is_met_before_its_row_is_not_forgotten() {
    let gateway = gateway().await;
    let (sink, b) = (Sink::start().await, gateway.instance(1));
    let event = happens(&gateway, 1).await;
    let made = subscribed(&gateway, &sink, json!({})).await;
    // Nothing of it is news any more, so the first row that is put is that of the delivery.
    later(&gateway, SignedDuration::from_hours(25)).await;
    let store = &gateway.instance(0).management_app.store;
    let kept = kept(&gateway, &made, &event);
    store.note_held(&kept).await.expect("the table answers");
    store
        .ask_task(&tenant(), &hookport::domain::task::Task::Upkeep(id_of(&made)), gateway.clock.now())
        .await
        .expect("the table answers");

    gateway.cloud.faults().set(Fault::new(FaultKind::Pause { effect: false }).by("b").on("PutItem"));
    let message = Message::Upkeep(UpkeepMessage::new(tenant(), id_of(&made)));
    let row = async { assert!(store.put_delivery(&kept).await.expect("the table answers"), "the row comes first") };
    tokio::join!(work(b, &message), while_held(&gateway, row));
    gateway.drain(b).await;
    assert_eq!(numbers(&sink), [1]);
    assert_eq!(delivery(&gateway, &made).await["state"], "delivered");
    assert!(store.held(&tenant(), id_of(&made), 10).await.expect("the table answers").is_empty());
    gateway.settle(b).await;
    assert_eq!(sink.received().len(), 1);
}

/// B12: a URL that proves itself and is caught up with in one go left no look behind for what an instance with an older
/// view keeps after that.
#[tokio::test]
async fn what_an_instance_with_an_older_view_keeps_is_found_by_a_last_look() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let event = happens(&gateway, 1).await;
    let made = subscribed(&gateway, &sink, json!({})).await;
    later(&gateway, SignedDuration::from_hours(1)).await;
    let moved = replace(&gateway, &made, &sink.url("/new"), "ticket.updated").await;
    assert_eq!(moved["state"], "pending_verification");
    happens(&gateway, 2).await;
    let shown = now(&gateway, &made).await;
    assert_eq!((&shown["state"], &shown["is_draining"]), (&json!("active"), &json!(false)));
    assert_eq!(numbers(&sink), [2]);
    // What was asked for with the change is over.
    later(&gateway, SignedDuration::from_secs(61)).await;

    let (store, kept) = (&gateway.instance(0).management_app.store, kept(&gateway, &made, &event));
    store.note_held(&kept).await.expect("the table answers");
    assert!(store.put_delivery(&kept).await.expect("the table answers"));
    later(&gateway, SignedDuration::from_mins(3)).await;
    assert_eq!(numbers(&sink), [2, 1]);
    assert_eq!(states(&gateway, &made).await, ["delivered", "delivered"]);
}

/// B12: a pause had no effect on a drain that was under way: all that was kept went out all the same.
#[tokio::test]
async fn a_pause_stops_a_drain_that_is_under_way() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = resumed(&gateway, &sink, 4).await;
    sink.hang(true);
    let meanwhile = async {
        sink.got(1).await;
        act(&gateway, &made, "pause").await;
        sink.hang(false);
    };
    tokio::join!(gateway.drain(gateway.instance(0)), meanwhile);
    gateway.settle(gateway.instance(1)).await;
    assert_eq!(numbers(&sink), [1]);
    assert_eq!(states(&gateway, &made).await, ["delivered", "held", "held", "held"]);
    act(&gateway, &made, "resume").await;
    gateway.drain(gateway.instance(1)).await;
    assert_eq!(numbers(&sink), [1, 2, 3, 4]);
}

/// A20: nor had another URL: what was kept went on to the old one.
#[tokio::test]
async fn a20_a_change_of_the_url_stops_a_drain_to_the_old_one() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = resumed(&gateway, &sink, 3).await;
    sink.hang(true);
    let meanwhile = async {
        sink.got(1).await;
        replace(&gateway, &made, &sink.url("/new"), "ticket.updated").await;
        sink.hang(false);
    };
    tokio::join!(gateway.drain(gateway.instance(0)), meanwhile);
    gateway.settle(gateway.instance(0)).await;
    let paths: Vec<String> = sink.received().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/hook", "/new", "/new"]);
    assert_eq!(numbers(&sink), [1, 2, 3]);
    assert_eq!(sink.challenges().last().map(|challenge| challenge.path.as_str()), Some("/new"));
}

/// B12: a target that is gone got one request after another while a drain went by what it began with.
#[tokio::test]
async fn b12_a_drain_ends_with_the_first_410() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    sink.answers([410; 4]);
    let made = resumed(&gateway, &sink, 4).await;
    gateway.drain(gateway.instance(0)).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(numbers(&sink), [1]);
    let off = now(&gateway, &made).await;
    assert_eq!((&off["state"], &off["cause"]), (&json!("disabled"), &json!("endpoint_gone")));
}

/// A20: what was kept for a subscription that is deleted stayed so until its rows expired.
#[tokio::test]
async fn a20_what_was_kept_for_a_deleted_subscription_is_cancelled() {
    for message_is_lost in [false, true] {
        let gateway = gateway().await;
        let sink = Sink::start().await;
        let made = subscribed(&gateway, &sink, json!({})).await;
        act(&gateway, &made, "pause").await;
        for n in 1..=3 {
            happens(&gateway, n).await;
        }
        assert_eq!(states(&gateway, &made).await, ["held"; 3]);
        delete(&gateway, &made).await;
        if message_is_lost {
            gateway.cloud.sqs().lose_everything();
        }
        gateway.drain(gateway.instance(0)).await;
        later(&gateway, SignedDuration::from_secs(61)).await;
        for ended in deliveries(&gateway, &made, "event").await {
            assert_eq!((&ended["state"], ended["ended_at"].is_string()), (&json!("cancelled"), true), "{ended}");
        }
        let store = &gateway.instance(0).management_app.store;
        assert!(store.held(&tenant(), id_of(&made), 10).await.expect("the table answers").is_empty());
        gateway.settle(gateway.instance(0)).await;
        assert!(sink.received().is_empty(), "lost: {message_is_lost}");
    }
}
