//! Deliveries: making them, and reading them with all that is in them.

use hookport::domain::attempt::{Answer, Attempt, Outcome};
use hookport::domain::delivery::{DELIVERY_DAYS, Delivery, DeliveryKind, DeliveryState, Progress};
use hookport::domain::id::{DeliveryId, SubscriptionId};
use hookport::domain::wait_reason::WaitReason;
use hookport::store::{Created, Recorded};
use jiff::{SignedDuration, Timestamp};

use super::values::{
    LEASE, MILLISECOND, TARGET, answered, at, begun, event_id, kept, owner, subscription_id, taken, tenant,
    tenant_named,
};
use super::world::{World, at_once, refusal};

pub async fn a_new_delivery_is_its_makers(world: &World) {
    let delivery = first();
    assert_eq!(create(world, &delivery, 1).await, Created::New);
    assert_eq!(world.delivery(delivery.id).await, delivery);
}

pub async fn a_delivery_that_exists_comes_back(world: &World) {
    let theirs = first();
    world.create(&theirs).await;
    let lease_until = at(0) + LEASE + LEASE;
    let ours = Delivery { state: DeliveryState::Attempting { n: 1, owner: owner(2), lease_until }, ..theirs.clone() };
    assert_eq!(create(world, &ours, 2).await, Created::Exists(Box::new(theirs.clone())));
    assert_eq!(world.delivery(theirs.id).await, theirs);
}

pub async fn a_delivery_made_again_by_its_own_maker_is_still_new(world: &World) {
    let delivery = first();
    assert_eq!(create(world, &delivery, 1).await, Created::New);
    assert_eq!(create(world, &delivery, 1).await, Created::New);
}

pub async fn a_recorded_delivery_is_new_to_nobody(world: &World) {
    let waiting = world.waiting().await;
    let again = begun(waiting.event_id, waiting.subscription_id);
    assert_eq!(create(world, &again, 1).await, Created::Exists(Box::new(waiting)));
}

pub async fn one_of_many_makers_at_once_gets_a_delivery(world: &World) {
    let outcomes = at_once((1..=8).map(|n| {
        let store = world.store.clone();
        let state = DeliveryState::Attempting { n: 1, owner: owner(n), lease_until: at(0) + LEASE };
        let delivery = Delivery { state, ..first() };
        async move {
            let created = store.create_delivery(&delivery, owner(n)).await.expect("the table answers");
            (delivery, created)
        }
    }))
    .await;
    let made: Vec<_> = outcomes.iter().filter(|(_, created)| *created == Created::New).collect();
    let [(winner, _)] = made[..] else { panic!("{} made it", made.len()) };
    for (delivery, created) in &outcomes {
        if delivery != winner {
            assert_eq!(*created, Created::Exists(Box::new(winner.clone())));
        }
    }
}

pub async fn every_kind_of_outcome_reads_back(world: &World) {
    let failed = |code: &str, message: &str, permanent| Outcome::Failed {
        code: code.to_owned(),
        message: message.to_owned(),
        permanent,
    };
    let said = |status, body: &str| Answer { status, body: Some(body.to_owned()), ..Answer::default() };
    let headers = [("retry-after", "120"), ("server", ""), ("x-request-id", "Zoë")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let outcomes = [
        Outcome::Answered(said(500, "Zoë is \"out\"\n")),
        answered(404),
        Outcome::Answered(said(429, "")),
        Outcome::Answered(Answer { is_cut: true, ..said(503, &"🙂".repeat(256)) }),
        Outcome::Answered(Answer { headers, ..said(307, "moved") }),
        Outcome::Answered(Answer { fault: Some("$.ok should be true".to_owned()), ..said(200, "{}") }),
        failed("timeout", "no answer within 10 s", false),
        failed("address_refused", "the address is private", true),
        failed("connect_failed", "", false),
        Outcome::Unknown,
        taken(),
    ];
    let attempt = |(n, outcome): (u32, Outcome)| {
        let url = (outcome != Outcome::Unknown).then(|| TARGET.to_owned());
        Attempt { n, started_at: at(n.into()) + MILLISECOND, duration_ms: 1_000 + n, url, outcome }
    };
    recorded(world, (1..).zip(outcomes).map(attempt).collect()).await;
}

pub async fn where_each_attempt_went_reads_back(world: &World) {
    let (old, new) = ("https://old.example.com/", "https://new.example.com/");
    let urls = [Some(old), Some(old), None, Some(old), Some(new), Some(new), Some(old)];
    let attempt = |(n, url): (u32, Option<&str>)| {
        let outcome = if url.is_some() { answered(500) } else { Outcome::Unknown };
        Attempt { n, started_at: at(n.into()), duration_ms: 1, url: url.map(str::to_owned), outcome }
    };
    recorded(world, (1..).zip(urls).map(attempt).collect()).await;
}

pub async fn an_attempt_that_went_nowhere_has_no_url_whatever_the_one_before_had(world: &World) {
    let expired = Outcome::Failed {
        code: "nothing_to_send".to_owned(),
        message: "what was to be sent is no longer there".to_owned(),
        permanent: true,
    };
    let attempts = [(None, expired.clone()), (Some(TARGET), answered(500)), (None, expired)];
    let attempt = |(n, (url, outcome)): (u32, (Option<&str>, Outcome))| Attempt {
        n,
        started_at: at(n.into()),
        duration_ms: 0,
        url: url.map(str::to_owned),
        outcome,
    };
    recorded(world, (1..).zip(attempts).map(attempt).collect()).await;
}

pub async fn every_state_reads_back(world: &World) {
    use WaitReason::{CircuitOpen, ConcurrencyLimited, OutboundDisabled, RateLimited, SlowedDown};
    let time = at(60) + MILLISECOND;
    let mut states = vec![
        (first().state, None),
        (DeliveryState::Attempting { n: 7, owner: owner(u128::MAX), lease_until: time }, Some(time)),
        (DeliveryState::Pending { next_attempt_at: time, reason: None }, Some(at(120))),
        (DeliveryState::Held, None),
        (DeliveryState::InProgress { silent_at: time }, Some(time)),
        (DeliveryState::Delivered { at: time }, None),
        (DeliveryState::Exhausted { at: time }, None),
        (DeliveryState::Cancelled { at: time }, None),
    ];
    for reason in [CircuitOpen, ConcurrencyLimited, OutboundDisabled, RateLimited, SlowedDown] {
        states.push((DeliveryState::Pending { next_attempt_at: time, reason: Some(reason) }, Some(time)));
    }
    for (n, (state, due_at)) in (0..).zip(states) {
        let delivery = Delivery { state, due_at, ..begun(event_id(at(0), n), subscription_id(1)) };
        assert!(put(world, &delivery).await);
        assert_eq!(world.delivery(delivery.id).await, delivery);
    }
}

pub async fn every_kind_of_delivery_reads_back(world: &World) {
    let kinds = [DeliveryKind::Event, DeliveryKind::Resend, DeliveryKind::Challenge, DeliveryKind::Test];
    for (n, kind) in (0..).zip(kinds) {
        let id = DeliveryId::new(at(0), subscription_id(1), u128::from(n));
        let repeats = (kind == DeliveryKind::Resend).then(|| first().id);
        let delivery = Delivery { id, kind, repeats, ..kept(event_id(at(0), n), subscription_id(1)) };
        assert!(put(world, &delivery).await);
        assert_eq!(world.delivery(id).await, delivery);
    }
}

/// B17: what a target told of its work stays, with its words or without.
pub async fn what_a_target_told_reads_back(world: &World) {
    let told = |percent, message: Option<&str>| Progress {
        percent,
        message: message.map(str::to_owned),
        at: at(30) + MILLISECOND,
    };
    let all = [told(0, None), told(50, Some("half of Zoë's invoices")), told(100, Some(""))];
    for (n, progress) in (0..).zip(all) {
        let state = DeliveryState::InProgress { silent_at: at(900) };
        let delivery = begun(event_id(at(0), n), subscription_id(1)).in_state(state, at(0));
        let delivery = Delivery { progress: Some(progress), ..delivery };
        assert!(put(world, &delivery).await);
        assert_eq!(world.delivery(delivery.id).await, delivery);
    }
}

pub async fn a_delivery_is_put_only_where_nothing_is(world: &World) {
    let theirs = first();
    world.create(&theirs).await;
    let ours = kept(theirs.event_id, theirs.subscription_id);
    assert_eq!(ours.id, theirs.id);
    assert!(!put(world, &ours).await);
    assert_eq!(world.delivery(theirs.id).await, theirs);

    let other = kept(event_id(at(0), 2), subscription_id(1));
    assert!(put(world, &other).await);
    assert!(put(world, &other).await, "a retry of the same call meets its own row");
    let another = Delivery { repeats: Some(theirs.id), ..other.clone() };
    assert!(!put(world, &another).await, "another one finds it taken");
    assert_eq!(world.delivery(other.id).await, other);
}

pub async fn a_delivery_whose_id_was_published_is_found_by_it_alone(world: &World) {
    let delivery = Delivery { tenant: tenant_named("another"), ..first() };
    world.create(&delivery).await;
    assert_eq!(published(world, delivery.id, at(1)).await, None, "nobody was told of it");
    for _ in 0..2 {
        world.store.publish_delivery_id(&delivery).await.expect("the table answers");
    }
    let end = delivery.id.created_at() + SignedDuration::from_hours(24 * DELIVERY_DAYS);
    assert_eq!(published(world, delivery.id, at(1)).await.as_ref(), Some(&delivery));
    assert_eq!(published(world, delivery.id, end - MILLISECOND).await.as_ref(), Some(&delivery));
    assert_eq!(published(world, delivery.id, end).await, None, "the table deletes late");

    let missing = kept(event_id(at(0), 2), subscription_id(1));
    world.store.publish_delivery_id(&missing).await.expect("the table answers");
    assert_eq!(published(world, missing.id, at(1)).await, None, "its row is gone");
}

pub async fn a_hundred_deliveries_of_an_event_are_read_together(world: &World) {
    let subscriptions: Vec<_> = (0..100).map(subscription_id).collect();
    let mut made = Vec::new();
    for subscription in &subscriptions {
        let delivery = begun(event_id(at(0), 1), *subscription);
        world.create(&delivery).await;
        made.push(delivery);
    }
    made.sort_by_key(|delivery| delivery.id);
    assert_eq!(of_event(world, &subscriptions).await, made);
}

pub async fn only_the_deliveries_that_exist_are_read(world: &World) {
    let made = first();
    world.create(&made).await;
    world.create(&begun(event_id(at(0), 2), subscription_id(2))).await;
    assert_eq!(of_event(world, &[subscription_id(1), subscription_id(2)]).await, [made]);
    assert_eq!(of_event(world, &[]).await, []);
}

pub async fn more_than_a_hundred_deliveries_are_not_read_together(world: &World) {
    let subscriptions: Vec<_> = (0..101).map(subscription_id).collect();
    let read = world.store.deliveries_of_event(&tenant(), event_id(at(0), 1), &subscriptions).await;
    assert_eq!(refusal(read), "ValidationException");
}

/// The delivery of the first event to the first subscription, whose first attempt the first owner makes.
fn first() -> Delivery {
    begun(event_id(at(0), 1), subscription_id(1))
}

async fn create(world: &World, delivery: &Delivery, by: u128) -> Created {
    world.store.create_delivery(delivery, owner(by)).await.expect("the table answers")
}

/// Puts a delivery. Tells whether it is new.
async fn put(world: &World, delivery: &Delivery) -> bool {
    world.store.put_delivery(delivery).await.expect("the table answers")
}

async fn published(world: &World, id: DeliveryId, now: Timestamp) -> Option<Delivery> {
    world.store.published_delivery(id, now).await.expect("the table answers")
}

/// Records a delivery that ended after these attempts, and reads it back as it was.
async fn recorded(world: &World, attempts: Vec<Attempt>) {
    let delivery = first();
    world.create(&delivery).await;
    let after = Delivery { state: DeliveryState::Delivered { at: at(60) }, attempts, ..delivery };
    let recorded = world.store.record_attempt(owner(1), &after).await;
    assert_eq!(recorded.expect("the table answers"), Recorded::Yes);
    assert_eq!(world.delivery(after.id).await, after);
}

async fn of_event(world: &World, subscriptions: &[SubscriptionId]) -> Vec<Delivery> {
    let found = world.store.deliveries_of_event(&tenant(), event_id(at(0), 1), subscriptions).await;
    found.expect("the table answers")
}
