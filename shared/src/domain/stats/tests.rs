use serde_json::json;

use super::*;
use crate::domain::id::InboundWebhookId;

/// The time so many seconds after everything in these tests begins, at the begin of a clock hour.
pub(in crate::domain) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_789_999_200 + seconds).expect("a time in range")
}

/// A webhook that was made at that time.
pub(in crate::domain) fn webhook() -> InboundWebhook {
    let stored = json!({
        "id": InboundWebhookId::new(at(0), 5), "tenant": "acme", "version": 1, "name": "Billing",
        "address": {"form": "slug", "slug": "billing"}, "auth": {}, "idempotency_window_s": 86_400,
        "event_type": "invoice.paid", "max_body_bytes": 1_048_576,
        "rate_limit": {"requests": 600, "window_s": 60}, "is_active": true,
        "created_at": at(0).as_millisecond(), "updated_at": at(0).as_millisecond(),
    });
    serde_json::from_value(stored).expect("a webhook")
}

/// A request that arrived so many seconds later.
pub(in crate::domain) fn row(seconds: i64, status: DispatchStatus) -> InboundDelivery {
    let webhook = webhook();
    InboundDelivery {
        id: InboundDeliveryId::new(at(seconds), webhook.id, u128::try_from(seconds).expect("a later time")),
        tenant: webhook.tenant,
        webhook_id: webhook.id,
        webhook_version: webhook.version,
        event_type: webhook.event_type,
        idempotency_key: None,
        status,
        duplicate_of: None,
        response_status: if status == DispatchStatus::Failed { 400 } else { 200 },
        latency_ms: 3,
        error: None,
        violations: Vec::new(),
        replay_of: None,
        is_test: false,
        key_id: None,
        subscriptions: Vec::new(),
        due_at: None,
        redrives: 0,
        handshake: None,
    }
}

fn empty() -> RollUp {
    RollUp::new(&webhook(), 1, at(0))
}

#[test]
fn requests_of_senders_are_counted_and_others_are_set_apart() {
    let mut roll_up = empty();
    for (seconds, status) in
        [(1, DispatchStatus::Dispatched), (2, DispatchStatus::Failed), (3, DispatchStatus::Duplicate)]
    {
        roll_up.add(&row(seconds, status));
    }
    let late = |seconds| row(seconds, DispatchStatus::Failed);
    roll_up.add(&InboundDelivery { is_test: true, ..late(4) });
    roll_up.add(&InboundDelivery { replay_of: Some(row(1, DispatchStatus::Dispatched).id), ..late(5) });
    roll_up.add(&InboundDelivery { webhook_version: GATEWAY_VERSION, ..late(6) });
    let expected = Outcomes { dispatched: 1, failed: 1, duplicate: 1, test: 1, replay: 1, ..Outcomes::default() };
    assert_eq!((roll_up.outcomes, roll_up.last_used_at), (expected, Some(at(3))));
    assert_eq!((expected.requests(), expected.events()), (3, 1));
    let statuses = [StatusCount { status: 200, requests: 2 }, StatusCount { status: 400, requests: 1 }];
    assert_eq!(roll_up.statuses, statuses);
}

#[test]
fn a_row_goes_in_when_it_is_a_minute_old() {
    let mut roll_up = empty();
    let row = row(10, DispatchStatus::Dispatched);
    assert!(!roll_up.take(0, row.id, Some(&row), at(69)));
    assert_eq!((roll_up.counted_to(0), roll_up.outcomes.requests()), (None, 0));
    assert!(roll_up.take(0, row.id, Some(&row), at(70)));
    assert_eq!((roll_up.counted_to(0), roll_up.outcomes.requests()), (Some(row.id), 1));
    assert!(!roll_up.take(1, row.id, Some(&row), at(70)), "there is no such partition");
}

#[test]
fn a_pending_request_is_remembered_until_it_has_ended() {
    let mut roll_up = empty();
    let rows: Vec<_> = (1..=3).map(|seconds| row(seconds, DispatchStatus::Pending)).collect();
    for row in &rows {
        assert!(roll_up.take(0, row.id, Some(row), at(100)));
    }
    roll_up.settle(rows[0].id, Some(DispatchStatus::Dispatched));
    roll_up.settle(rows[0].id, Some(DispatchStatus::Dispatched));
    roll_up.settle(rows[1].id, Some(DispatchStatus::Pending));
    roll_up.settle(rows[2].id, None);
    let expected = Outcomes { dispatched: 1, pending: 1, unknown: 1, ..Outcomes::default() };
    assert_eq!((roll_up.outcomes, roll_up.unsettled), (expected, vec![rows[1].id]));
}

#[test]
fn what_is_pending_waits_outside_when_there_is_no_room() {
    let mut roll_up = empty();
    for seconds in 0..50 {
        let row = row(seconds, DispatchStatus::Pending);
        assert!(roll_up.take(0, row.id, Some(&row), at(200)));
    }
    let (pending, ended) = (row(60, DispatchStatus::Pending), row(60, DispatchStatus::Dispatched));
    assert!(!roll_up.take(0, pending.id, Some(&pending), at(200)));
    assert!(roll_up.take(0, ended.id, Some(&ended), at(200)));
    assert!(roll_up.take(0, row(61, DispatchStatus::Pending).id, None, at(200)), "another webhook's is passed over");
}

#[test]
fn latencies_are_told_by_the_bound_of_their_bucket() {
    let mut roll_up = empty();
    assert_eq!(roll_up.latency_ms(50), None);
    for (seconds, latency_ms) in (0..100).zip((0..98).map(|_| 4).chain([101, 40_000])) {
        roll_up.add(&InboundDelivery { latency_ms, ..row(seconds, DispatchStatus::Dispatched) });
    }
    let shown = [50, 98, 99, 100].map(|percent| roll_up.latency_ms(percent));
    assert_eq!(shown, [Some(5), Some(5), Some(200), Some(30_000)]);
}

#[test]
fn the_newest_twenty_four_clock_hours_are_counted_by_the_hour() {
    let mut roll_up = empty();
    for hour in 0..48 {
        roll_up.add(&row(hour * 3_600, DispatchStatus::Dispatched));
    }
    // Partitions are added one after the other, so older rows may follow newer ones.
    roll_up.add(&row(0, DispatchStatus::Dispatched));
    let now = at(47 * 3_600 + 59);
    assert_eq!((roll_up.requests_of_newest_hours(now), first_hour(now)), (24, at(24 * 3_600)));
    assert_eq!(roll_up.requests_of_newest_hours(at(57 * 3_600)), 14);
    assert_eq!(roll_up.requests_of_newest_hours(at(100 * 3_600)), 0);
}

#[test]
fn what_expired_before_the_first_look_is_said_to_be_missing() {
    let month = at(40 * 86_400);
    assert_eq!(RollUp::new(&webhook(), 4, at(60)).since, at(0));
    assert_eq!(RollUp::new(&webhook(), 4, month).since, at(10 * 86_400));
}
