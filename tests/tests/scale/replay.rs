//! A replay of many events whose workers are killed ten times: its numbers stay exact, and each event is sent once.

use std::collections::HashSet;
use std::sync::Arc;

use hookport::app::App;
use hookport::aws::lambda::{Deadline, Received};
use hookport::domain::event_facts::EventFacts;
use hookport::domain::event_type::EventType;
use hookport::domain::id::{EventId, InboundDeliveryId, InboundWebhookId, ReplayId};
use hookport::domain::inbound_delivery::{DispatchStatus, InboundDelivery};
use hookport::domain::replay::{Replay, Stage};
use hookport::domain::task::Task;
use hookport::message::Message;
use hookport::own_events;
use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::gateway::text;
use hookport_tests::{Sink, TestGateway};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::tenant;

/// How many workers die while it is planned, and how many while it is sent.
const KILLS: usize = 5;
/// At which write of its own each of them dies: among those of a page's items, and at the one that counts them. A page
/// has 100 items here, where each invocation has time for one.
const STRUCK: [usize; KILLS] = [1, 61, 101, 17, 100];
/// Longer than a dead worker's lease.
const LEASE_IS_OVER: SignedDuration = SignedDuration::from_secs(91);

/// Keeps events that have gone to nobody, a millisecond apart, and gives their ids.
async fn keep_events(app: &App, events: u32, since: Timestamp) -> HashSet<String> {
    let event_type = EventType::try_from("invoice.paid".to_owned()).expect("a type");
    let mut ids = HashSet::new();
    for n in 0..events {
        let at = since + SignedDuration::from_millis(i64::from(n));
        let webhook = InboundWebhookId::NONE;
        let id = InboundDeliveryId::new(at, webhook, u128::from(n));
        let row = InboundDelivery {
            status: DispatchStatus::Dispatched,
            due_at: None,
            ..InboundDelivery::without_request(id, tenant(), webhook, event_type.clone(), at)
        };
        let body = json!({"type": "invoice.paid", "data": {"n": n}});
        own_events::keep(app, &row, Some(EventFacts::default()), &body).await.expect("the table answers");
        ids.insert(EventId::from(id).to_string());
    }
    ids
}

async fn read(app: &App, id: ReplayId) -> Replay {
    app.store.replay(&tenant(), id).await.expect("the table answers").expect("it is there")
}

#[tokio::test]
async fn a_replay_of_two_thousand_events_survives_ten_kills_with_exact_numbers() {
    survives(2_000).await;
}

#[tokio::test]
#[ignore = "takes long, and differs from the one before it in nothing but the number"]
async fn a_replay_of_a_hundred_thousand_events_survives_ten_kills_with_exact_numbers() {
    survives(100_000).await;
}

/// Each invocation has time for one page. Of two, one dies, until enough have.
async fn survives(events: u32) {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    let made = gateway.subscribe(&sink, &["invoice.paid"], json!({})).await;
    let app = gateway.instance(0).management_app.clone();
    let since = gateway.clock.now() + SignedDuration::from_secs(1);
    let expected = keep_events(&app, events, since).await;
    gateway.advance(SignedDuration::from_hours(1));

    let path = format!("/api/v1/subscriptions/{}/recover", text(&made["data"]["id"]));
    let body = json!({"since": since.to_string()});
    let (status, answer) = gateway.api(Method::POST, &path, gateway.admin_token(), Some(body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let id: ReplayId = text(&answer["data"]["id"]).parse().expect("the id of a replay");
    gateway.advance(SignedDuration::from_secs(5));

    let message = Message::of_task(tenant(), Task::Replay(id)).encode();
    let (mut kills, mut rounds) = ([0; 2], 0);
    loop {
        let before = read(&app, id).await;
        if before.stage.is_final() {
            break;
        }
        assert!(rounds < 100 + events, "it comes to an end: {before:?}");
        let name = format!("worker-{rounds}");
        let worker = gateway.fresh(&name);
        let stage = usize::from(matches!(before.stage, Stage::Sending { .. }));
        if rounds % 2 == 1 && kills[stage] < KILLS {
            let kind = FaultKind::Crash { effect: kills[stage] % 2 == 0 };
            let nth = STRUCK[kills[stage]];
            gateway.cloud.faults().set(Fault::new(kind).on("PutItem").by(&name).nth(nth));
        }
        let received = Received { message_id: "m".to_owned(), body: message.clone(), receive_count: 1 };
        let over = Deadline(gateway.clock.now());
        Arc::clone(&worker.dispatcher).handle(vec![received], over).await;
        if gateway.cloud.faults().hit() > 0 {
            kills[stage] += 1;
            gateway.advance(LEASE_IS_OVER);
        }
        gateway.cloud.faults().clear();
        rounds += 1;
    }
    assert_eq!(kills, [KILLS; 2], "ten workers died");
    let done = read(&app, id).await;
    let all = u64::from(events);
    assert_eq!((done.stage, done.counts.events, done.counts.matched), (Stage::Done, all, all), "{:?}", done.counts);
    assert_eq!((done.counts.sent, done.counts.skipped.total()), (all, 0), "{:?}", done.counts);

    let last = gateway.fresh("last");
    gateway.drain(&last).await;
    gateway.settle(&last).await;
    let received = sink.received();
    let reached: HashSet<String> = received.iter().map(|request| request.header("webhook-id").to_owned()).collect();
    assert_eq!(received.len(), expected.len(), "each was sent once");
    assert_eq!(reached, expected);
    assert!(received.iter().all(|request| request.header("hookport-attempt") == "1"));
}
