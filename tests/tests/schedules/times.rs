//! When events come, and what they are.

use hookport::domain::task::Task;
use hookport::domain::text::TenantSlug;
use hookport::upkeep::hint_task;
use hookport_tests::Sink;
use hookport_tests::gateway::{TENANT, text};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{SCHEDULES, events, gateway, made, pass, times, turn, work};

#[tokio::test]
async fn an_event_comes_at_each_time_once_however_often_messages_come() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["report.*"], json!({})).await;
    let id = made(&gateway, json!({"entity_type": "report", "entity_id": "7", "scope": "acme"})).await;
    let tenant = TenantSlug::try_from(TENANT.to_owned()).expect("a slug");
    let task = Task::Schedule(id.parse().expect("an id"));
    for _ in 0..12 {
        for instance in 0..2 {
            let app = &gateway.instance(instance).management_app;
            hint_task(app, &tenant, &task, SignedDuration::ZERO).await;
            hint_task(app, &tenant, &task, SignedDuration::from_secs(1)).await;
        }
        tokio::join!(gateway.drain(gateway.instance(0)), gateway.drain(gateway.instance(1)));
        pass(&gateway, 10).await;
    }
    assert_eq!(times(&gateway).await, ["2026-09-21T15:00:00Z", "2026-09-21T16:00:00Z"]);
    let events = events(&gateway).await;
    assert_eq!(events[0]["source"]["kind"], "schedule");
    let shown = gateway.get(&format!("/api/v1/events/{}", text(&events[0]["id"]))).await["data"].clone();
    let envelope = json!({
        "id": events[0]["id"],
        "type": "report.due",
        "timestamp": "2026-09-21T15:00:00Z",
        "entity_type": "report",
        "entity_id": "7",
        "scope": "acme",
        "data": {"n": 1},
    });
    assert_eq!((&shown["payload"], &shown["metadata"]["schedule_id"]), (&envelope, &json!(id)));
    assert_eq!(shown["facts"], json!({"entity_type": "report", "entity_id": "7", "scope": "acme"}));
    let bodies: Vec<Value> =
        sink.received().iter().map(|request| serde_json::from_slice(&request.body).expect("JSON")).collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], envelope);
    let schedule = gateway.get(&format!("{SCHEDULES}/{id}")).await["data"].clone();
    assert_eq!(schedule["last_time"], "2026-09-21T16:00:00Z");
    assert_eq!((&schedule["last_event_id"], &schedule["last_error"]), (&events[1]["id"], &Value::Null));
}

#[tokio::test]
async fn a_message_brings_it_to_the_second() {
    let gateway = gateway().await;
    made(&gateway, json!({})).await;
    turn(&gateway, "2026-09-21T14:59:20Z");
    work(&gateway, gateway.instance(0)).await;
    assert!(times(&gateway).await.is_empty());
    gateway.advance(SignedDuration::from_secs(40));
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(times(&gateway).await, ["2026-09-21T15:00:00Z"]);
}

#[tokio::test]
async fn what_comes_every_minute_misses_none() {
    let gateway = gateway().await;
    made(&gateway, json!({"cron": "* * * * *", "catch_up": "none"})).await;
    pass(&gateway, 30).await;
    let times = times(&gateway).await;
    assert!((31..=33).contains(&times.len()), "{times:?}");
    let seconds = times.iter().map(|time| time.parse::<jiff::Timestamp>().expect("a time").as_second());
    let seconds: Vec<i64> = seconds.collect();
    assert!(seconds.windows(2).all(|pair| pair[1] - pair[0] == 60), "{times:?}");
}

#[tokio::test]
async fn missed_times_are_made_up_for_as_the_schedule_says() {
    let all = ["2026-09-21T15:00:00Z", "2026-09-21T16:00:00Z", "2026-09-21T17:00:00Z"];
    for (catch_up, expected) in [("one", &all[2..]), ("none", &all[..0]), ("all", &all[..])] {
        let gateway = gateway().await;
        made(&gateway, json!({"catch_up": catch_up})).await;
        turn(&gateway, "2026-09-21T17:30:00Z");
        gateway.cloud.sqs().lose_everything();
        pass(&gateway, 10).await;
        assert_eq!(times(&gateway).await, expected, "{catch_up}");
        pass(&gateway, 30).await;
        let times = times(&gateway).await;
        assert_eq!(times.last().map(String::as_str), Some("2026-09-21T18:00:00Z"), "{catch_up}: {times:?}");
        assert_eq!(times.len(), expected.len() + 1, "{catch_up}: {times:?}");
    }
}

/// Helsinki's clocks go from 04:00 to 03:00 on the 25th of October 2026, at 01:00 UTC.
#[tokio::test]
async fn an_hour_that_is_there_twice_has_one_event() {
    let gateway = gateway().await;
    turn(&gateway, "2026-10-24T12:00:00Z");
    let id = made(&gateway, json!({"cron": "30 3 * * *", "timezone": "Europe/Helsinki"})).await;
    let schedule = gateway.get(&format!("{SCHEDULES}/{id}")).await["data"].clone();
    let next = [
        "2026-10-25T00:30:00Z",
        "2026-10-26T01:30:00Z",
        "2026-10-27T01:30:00Z",
        "2026-10-28T01:30:00Z",
        "2026-10-29T01:30:00Z",
    ];
    assert_eq!(schedule["next_times"], json!(next));
    turn(&gateway, "2026-10-25T00:00:00Z");
    pass(&gateway, 150).await;
    assert_eq!(times(&gateway).await, [next[0]]);
}

/// Helsinki's clocks go from 03:00 to 04:00 on the 28th of March 2027, at 01:00 UTC.
#[tokio::test]
async fn an_hour_that_is_left_out_has_its_event_when_it_would_begin() {
    let gateway = gateway().await;
    turn(&gateway, "2027-03-27T12:00:00Z");
    made(&gateway, json!({"cron": "30 3 * * *", "timezone": "Europe/Helsinki"})).await;
    turn(&gateway, "2027-03-28T00:00:00Z");
    pass(&gateway, 150).await;
    assert_eq!(times(&gateway).await, ["2027-03-28T01:00:00Z"]);
}
