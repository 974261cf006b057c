//! The promise under faults: whatever call fails, in whatever way, each time has one event.

use std::collections::HashSet;

use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::gateway::text;
use hookport_tests::{Sink, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{SCHEDULES, call, events, gateway, hourly, made, turn, work};

const KINDS: [FaultKind; 9] = [
    FaultKind::Before,
    FaultKind::After,
    FaultKind::TimeOut { effect: false },
    FaultKind::TimeOut { effect: true },
    FaultKind::Throttle,
    FaultKind::Pause { effect: false },
    FaultKind::Pause { effect: true },
    FaultKind::Crash { effect: false },
    FaultKind::Crash { effect: true },
];

/// A gateway whose schedule is due at 15:00, with the message that brings instance `a` to it.
async fn set() -> (TestGateway, Sink, String) {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["report.due"], json!({})).await;
    let id = made(&gateway, json!({})).await;
    turn(&gateway, "2026-09-21T15:00:05Z");
    gateway.tick(gateway.instance(0)).await;
    (gateway, sink, id)
}

/// Forgets the fault, and lets another instance do what is due for a while.
async fn recover(gateway: &TestGateway, steps: usize) {
    gateway.cloud.faults().clear();
    let restarted = gateway.fresh("c");
    for _ in 0..steps {
        work(gateway, &restarted).await;
        gateway.advance(SignedDuration::from_mins(5));
    }
}

async fn check(gateway: &TestGateway, sink: &Sink, id: &str, what: &str) {
    let events = events(gateway).await;
    assert_eq!(events.len(), 1, "{what}: {events:?}");
    let told = [&events[0]["occurred_at"], &events[0]["status"]];
    assert_eq!(told, [&json!("2026-09-21T15:00:00Z"), &json!("dispatched")], "{what}");
    let ids: HashSet<String> = sink.received().iter().map(|r| r.header("webhook-id").to_owned()).collect();
    assert_eq!(ids, HashSet::from([text(&events[0]["id"])]), "{what}");
    let schedule = gateway.get(&format!("{SCHEDULES}/{id}")).await["data"].clone();
    let told = [&schedule["last_time"], &schedule["last_event_id"]];
    assert_eq!(told, [&json!("2026-09-21T15:00:00Z"), &events[0]["id"]], "{what}");
}

#[tokio::test]
async fn a_time_has_one_event_whatever_call_fails() {
    let (gateway, sink, id) = set().await;
    gateway.cloud.meter().record();
    gateway.drain(gateway.instance(0)).await;
    let calls = gateway.cloud.meter().take_journal();
    recover(&gateway, 8).await;
    check(&gateway, &sink, &id, "no fault").await;
    assert!(calls.iter().filter(|call| call.instance == "a").count() >= 8, "the whole way: {calls:#?}");
    for (index, call) in calls.iter().enumerate() {
        for kind in KINDS {
            let what = format!("call {} {call:?}, {kind:?}", index + 1);
            let (gateway, sink, id) = set().await;
            gateway.cloud.faults().set(Fault::new(kind).nth(index + 1));
            let elsewhere = async {
                if matches!(kind, FaultKind::Pause { .. }) {
                    gateway.cloud.faults().paused().await;
                    gateway.advance(SignedDuration::from_mins(10));
                    for _ in 0..3 {
                        work(&gateway, gateway.instance(1)).await;
                        gateway.advance(SignedDuration::from_secs(10));
                    }
                    gateway.cloud.faults().release();
                }
            };
            tokio::join!(gateway.drain(gateway.instance(0)), elsewhere);
            assert!(gateway.cloud.faults().hit() > 0, "{what}: the fault struck");
            recover(&gateway, 8).await;
            check(&gateway, &sink, &id, &what).await;
        }
    }
}

/// Whoever dies while it is made, changed or deleted leaves a schedule that is there, or none.
#[tokio::test]
async fn a_schedule_that_is_there_publishes_whatever_call_of_its_making_failed() {
    let kinds = KINDS.iter().filter(|kind| !matches!(kind, FaultKind::Pause { .. }));
    let first = gateway().await;
    first.cloud.meter().record();
    first.create(SCHEDULES, hourly(json!({}))).await;
    let calls = first.cloud.meter().take_journal().len();
    for (n, kind) in (1..=calls).flat_map(|n| kinds.clone().map(move |kind| (n, *kind))) {
        let what = format!("call {n}, {kind:?}");
        let gateway = gateway().await;
        gateway.cloud.faults().set(Fault::new(kind).nth(n));
        let (status, _) = call(&gateway, Method::POST, SCHEDULES, Some(hourly(json!({})))).await;
        assert!(gateway.cloud.faults().hit() > 0, "{what}: the fault struck");
        gateway.cloud.sqs().lose_everything();
        recover(&gateway, 12).await;
        let kept: Vec<Value> = gateway.get(SCHEDULES).await["data"].as_array().cloned().unwrap_or_default();
        if status == StatusCode::CREATED {
            assert_eq!(kept.len(), 1, "{what}");
        }
        assert_eq!(events(&gateway).await.len(), kept.len(), "{what}");
    }
}
