use proptest::prelude::*;

use super::*;
use crate::domain::attempt::{Answer, Attempt, Outcome};
use crate::domain::event_type::EventPattern;
use crate::domain::id::{InboundDeliveryId, InboundWebhookId};
use crate::domain::inbound_delivery::InboundDelivery;
use crate::domain::issue::IssueCause;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn tenant() -> TenantSlug {
    TenantSlug::try_from("acme".to_owned()).unwrap()
}

fn event_type(text: &str) -> EventType {
    EventType::try_from(text.to_owned()).unwrap()
}

fn selection(which: &[Which]) -> Selection {
    Selection {
        since: at(0),
        until: at(100),
        routing: Routing::SameTargets,
        which: which.iter().copied().collect(),
        filter: ReplayFilter::default(),
        order: ReplayOrder::None,
        rate_per_second: None,
    }
}

fn replay(starts_by_itself: bool) -> Replay {
    let id = ReplayId::new(at(100), 5);
    Replay::new(id, tenant(), None, selection(&[Which::Missing]), starts_by_itself, at(100))
}

fn item(is_again: bool) -> ReplayItem {
    ReplayItem {
        event_id: InboundDeliveryId::new(at(7), InboundWebhookId::NONE, 1).into(),
        event_type: event_type("invoice.paid"),
        subscription_id: SubscriptionId::new(at(0), 3),
        is_again,
    }
}

fn sent(sent: u64) -> Counts {
    Counts { sent, ..Counts::default() }
}

#[test]
fn a_plan_waits_to_be_started_unless_it_was_said_that_it_starts_by_itself() {
    let found = Counts { events: 3, matched: 2, ..Counts::default() };
    let planned = replay(false).planned_further(found, None, at(101));
    assert_eq!((&planned.stage, planned.planned_at, planned.version), (&Stage::Planned, Some(at(101)), 2));
    let started = replay(true).planned_further(found, None, at(101));
    assert_eq!((started.stage.name(), started.started_at, started.version), (StageName::Sending, Some(at(101)), 2));
    let place = EventPlace { partition: "000000/1".to_owned(), after: None };
    let further = replay(true).planned_further(found, Some(place.clone()), at(101));
    assert_eq!((further.stage, further.counts), (Stage::Planning { place: Some(place) }, found));
}

#[test]
fn what_is_being_sent_is_counted_before_it_is_cancelled() {
    let planned = replay(false).planned_further(sent(0), None, at(101));
    assert_eq!(planned.cancelled(at(102)).map(|after| after.stage), Some(Stage::Cancelled));
    let sending = planned.started(at(102)).sent_further(sent(3), Some(item(false).first_id()), None, at(103));
    let cancelling = sending.cancelled(at(104)).expect("it is being sent");
    assert_eq!((cancelling.stage.name(), cancelling.ended_at), (StageName::Cancelling, None));
    assert_eq!(cancelling.cancelled(at(105)), None, "once is enough");
    let stopped = cancelling.stopped(sent(2), at(105));
    assert_eq!((stopped.stage.clone(), stopped.counts.sent, stopped.ended_at), (Stage::Cancelled, 5, Some(at(105))));
    assert_eq!(stopped.cancelled(at(106)), None);
    assert_eq!(sending.done(at(104)).cancelled(at(105)), None);
}

#[test]
fn at_the_end_everything_that_matched_is_settled() {
    let found = Counts { matched: 5, ..Counts::default() };
    let sending = replay(true).planned_further(found, None, at(101));
    let skipped = Skipped { delivered: 1, body_expired: 1, ..Skipped::default() };
    let some = sending.sent_further(Counts { sent: 2, skipped, ..Counts::default() }, None, None, at(102));
    assert_eq!((some.counts.settled(), some.counts.percent()), (4, 80));
    let done = some.sent_further(sent(1), None, None, at(103)).done(at(104));
    assert_eq!((done.counts.settled(), done.counts.matched, done.counts.percent()), (5, 5, 100));
    assert_eq!(Counts::default().percent(), 100, "all of nothing");
}

#[test]
fn what_was_decided_a_moment_ago_is_stored_before_events_are_looked_at() {
    assert_eq!(replay(false).begins_at(), at(105));
    let failed = Replay { selection: selection(&[Which::Failed]), ..replay(false) };
    assert_eq!(failed.begins_at(), at(100), "what failed is stored");
}

#[test]
fn an_item_has_the_events_own_delivery_and_a_repetition_one_of_its_own() {
    let replay = replay(false);
    let state = DeliveryState::Pending { next_attempt_at: at(110), reason: None };
    let (first, again) = (replay.delivery(&item(false), state, at(110)), replay.delivery(&item(true), state, at(110)));
    assert_eq!((first.id, first.kind, first.repeats), (item(false).first_id(), DeliveryKind::Event, None));
    assert_eq!((again.kind, again.repeats), (DeliveryKind::Resend, Some(first.id)));
    assert_ne!(again.id, first.id);
    for (delivery, item) in [(first, item(false)), (again, item(true))] {
        assert_eq!(delivery.id, replay.delivery_id(&item), "always the same");
        assert_eq!((delivery.replay, delivery.state), (Some(replay.id), state));
        assert!(delivery.due_at.is_some(), "nobody else stands behind it");
    }
}

fn ended(state: DeliveryState, outcome: Option<Outcome>) -> Delivery {
    let attempt = |outcome| Attempt { n: 1, started_at: at(1), duration_ms: 1, url: None, outcome };
    let item = item(false);
    let delivery = Delivery::of_event(tenant(), item.event_id, item.event_type, item.subscription_id, state, at(1));
    Delivery { attempts: outcome.map(attempt).into_iter().collect(), ..delivery }
}

#[test]
fn what_no_attempt_was_made_of_is_missing_and_what_is_kept_is_not() {
    let refused = || Some(Outcome::Answered(Answer { status: 500, ..Answer::default() }));
    let now = at(2);
    let cases = [
        (None, Standing::Missing),
        (Some(ended(DeliveryState::Cancelled { at: now }, None)), Standing::Missing),
        (Some(ended(DeliveryState::Cancelled { at: now }, refused())), Standing::Failed),
        (Some(ended(DeliveryState::Exhausted { at: now }, refused())), Standing::Failed),
        (Some(ended(DeliveryState::Delivered { at: now }, None)), Standing::Delivered),
        (Some(ended(DeliveryState::Held, None)), Standing::Underway),
        (Some(ended(DeliveryState::Pending { next_attempt_at: now, reason: None }, None)), Standing::Underway),
    ];
    for (delivery, standing) in cases {
        assert_eq!(Standing::of(delivery.as_ref()), standing, "{delivery:?}");
        let all = selection(&[Which::Missing, Which::Failed, Which::Delivered]);
        assert_eq!(all.takes(standing, delivery.as_ref()), standing != Standing::Underway);
    }
}

#[test]
fn failures_of_one_cause_are_told_from_others() {
    let exhausted = |status| {
        let outcome = Outcome::Answered(Answer { status, ..Answer::default() });
        ended(DeliveryState::Exhausted { at: at(2) }, Some(outcome))
    };
    let mut of_cause = selection(&[Which::Failed]);
    of_cause.filter.cause = Some(IssueCause::status(500));
    assert!(of_cause.takes(Standing::Failed, Some(&exhausted(500))));
    assert!(!of_cause.takes(Standing::Failed, Some(&exhausted(404))));
}

#[test]
fn the_gateways_own_events_have_to_be_asked_for() {
    let own = event_type("delivery.exhausted");
    let pattern = |text: &str| EventPattern::try_from(text.to_owned()).unwrap();
    let takes = |patterns: &[&str], named: bool| {
        let filter = ReplayFilter {
            event_types: patterns.iter().map(|text| pattern(text)).collect(),
            subscription_ids: named.then(|| SubscriptionId::new(at(0), 3)).into_iter().collect(),
            ..ReplayFilter::default()
        };
        (filter.takes_type(&own), filter.takes_type(&event_type("invoice.paid")))
    };
    assert_eq!(takes(&[], false), (false, true));
    assert_eq!(takes(&["*"], false), (false, true));
    assert_eq!(takes(&["delivery.*"], false), (true, false));
    assert_eq!(takes(&[], true), (true, true), "a subscription that is named says what it wants");
}

#[test]
fn only_events_of_the_time_in_question_are_looked_at() {
    let row = |second| {
        let id = InboundDeliveryId::new(at(second), InboundWebhookId::NONE, 1);
        let none = InboundWebhookId::NONE;
        InboundDelivery::without_request(id, tenant(), none, event_type("invoice.paid"), at(second))
    };
    let taken = [-1, 0, 100, 101].map(|second| selection(&[Which::Missing]).takes_event(&row(second)));
    assert_eq!(taken, [false, true, true, false], "both ends are included");
}

#[test]
fn a_replay_reads_back_as_it_was_stored() {
    let mut stored = replay(true).planned_further(sent(0), None, at(101));
    stored.selection.rate_per_second = Some(7);
    let stages = [
        Stage::Planning { place: Some(EventPlace { partition: "000000/1".into(), after: Some(item(false).event_id) }) },
        Stage::Planned,
        stored.started(at(102)).stage,
        stored.started(at(102)).waiting_for(item(false).subscription_id, at(103)).stage,
        Stage::Cancelling { after: Some(item(false).first_id()) },
        Stage::Done,
        Stage::Cancelled,
    ];
    for stage in stages {
        let before = Replay { stage, ..stored.clone() };
        let text = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<Replay>(&text).unwrap(), before, "{text}");
    }
}

#[test]
fn what_was_saved_up_in_a_long_wait_is_not_sent_at_once() {
    let pace = Pace::begin(10, at(0));
    assert_eq!(pace.allowance(10, 100, at(0)), Ok(10));
    let spent = pace.spent(10, 10, at(0));
    assert_eq!(spent.allowance(10, 100, at(0)), Err(at(1)));
    assert_eq!(spent.allowance(10, 100, at(1)), Ok(10));
    assert_eq!(spent.allowance(10, 100, at(3_600)), Ok(20), "two seconds' worth");
}

#[test]
fn a_thousand_items_have_a_price() {
    let price = price(1_000);
    assert_eq!(price.write_requests, 4_000);
    assert!((0.005..0.007).contains(&price.estimated_cost_usd), "{}", price.estimated_cost_usd);
}

proptest! {
    /// However it is asked: over any time no more than that time's worth, and two seconds' more, is sent.
    #[test]
    fn a_rate_is_kept(rate in 1u16..=MAX_RATE, waits_ms in proptest::collection::vec(0i64..5_000, 1..60)) {
        let mut now = at(0);
        let mut pace = Pace::begin(rate, now);
        let mut sent = 0;
        for wait in waits_ms {
            now = later(now, SignedDuration::from_millis(wait));
            while let Ok(allowed) = pace.allowance(rate, 100, now) {
                prop_assert!((1..=100).contains(&allowed));
                sent += allowed as u64;
                pace = pace.spent(rate, allowed as u64, now);
            }
            let elapsed_ms = u64::try_from(now.duration_since(at(0)).as_millis()).unwrap();
            prop_assert!(sent * 1_000 <= u64::from(rate) * (elapsed_ms + 2_000));
        }
    }
}
