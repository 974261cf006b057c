//! Deliveries: making them, and reading them with all that is in them.

use hookport::domain::delivery::{Attempt, Delivery, DeliveryState, Outcome};
use hookport::domain::id::SubscriptionId;
use hookport::store::{Created, Recorded};

use super::values::{LEASE, MILLISECOND, at, begun, event_id, owner, subscription_id, taken, tenant};
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
    let outcomes = [
        Outcome::Answered { status: 500, body: Some("Zoë is \"out\"\n".to_owned()) },
        Outcome::Answered { status: 404, body: None },
        Outcome::Answered { status: 429, body: Some(String::new()) },
        Outcome::Answered { status: 503, body: Some("🙂".repeat(256)) },
        failed("timeout", "no answer within 10 s", false),
        failed("address_refused", "the address is private", true),
        Outcome::Unknown,
        taken(),
    ];
    let attempt = |(n, outcome): (u32, Outcome)| {
        let started_at = at(n.into()) + MILLISECOND;
        Attempt { n, started_at, duration_ms: 1_000 + n, outcome }
    };
    let attempts = (1..).zip(outcomes).map(attempt).collect();

    let delivery = first();
    world.create(&delivery).await;
    let after = Delivery { state: DeliveryState::Delivered { at: at(60) }, attempts, ..delivery };
    let recorded = world.store.record_attempt(owner(1), &after).await;
    assert_eq!(recorded.expect("the table answers"), Recorded::Yes);
    assert_eq!(world.delivery(after.id).await, after);
}

pub async fn every_state_reads_back(world: &World) {
    let states = [
        (first().state, None),
        (DeliveryState::Pending { next_attempt_at: at(60) + MILLISECOND }, Some(at(120))),
        (DeliveryState::Delivered { at: at(60) + MILLISECOND }, None),
        (DeliveryState::Exhausted { at: at(60) + MILLISECOND }, None),
    ];
    for (n, (state, due_at)) in (0..).zip(states) {
        let delivery = Delivery { state, due_at, ..begun(event_id(at(0), n), subscription_id(1)) };
        assert_eq!(create(world, &delivery, 1).await, Created::New);
        assert_eq!(world.delivery(delivery.id).await, delivery);
    }
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

async fn of_event(world: &World, subscriptions: &[SubscriptionId]) -> Vec<Delivery> {
    let found = world.store.deliveries_of_event(&tenant(), event_id(at(0), 1), subscriptions).await;
    found.expect("the table answers")
}
