//! What is kept for subscriptions that are paused, and the count of events that nobody could decide on.

use hookport::domain::delivery::Delivery;
use hookport::domain::id::{DeliveryId, SubscriptionId};
use hookport::store::HeldDelivery;
use jiff::Timestamp;

use super::values::{
    MILLISECOND, at, event_id, kept, subscription_id, subscription_sharing_the_handle_of, tenant, tenant_named,
};
use super::world::{World, at_once};

pub async fn what_is_kept_comes_in_the_order_of_its_events(world: &World) {
    for second in [3, 1, 5, 2, 4] {
        note(world, &of_second(second)).await;
    }
    assert_eq!(held(world, id(), 100).await, [1, 2, 3, 4, 5].map(|second| line(&of_second(second))));
    assert_eq!(held(world, id(), 2).await, [1, 2].map(|second| line(&of_second(second))), "no more than asked for");
}

pub async fn what_is_noted_again_is_kept_once(world: &World) {
    let delivery = of_second(1);
    note(world, &delivery).await;
    let once = held(world, id(), 100).await.remove(0);
    note(world, &delivery).await;
    assert_eq!(held(world, id(), 100).await, [HeldDelivery { noted: 2, ..line(&delivery) }]);
    world.store.forget_held(&tenant(), id(), &once).await.expect("the table answers");
    assert_eq!(held(world, id(), 100).await.len(), 1, "it was noted anew since that note was read");
}

pub async fn what_is_forgotten_is_kept_no_more(world: &World) {
    for second in [1, 2, 3] {
        note(world, &of_second(second)).await;
    }
    forget(world, of_second(2).id).await;
    forget(world, of_second(2).id).await;
    assert_eq!(held(world, id(), 100).await, [1, 3].map(|second| line(&of_second(second))));
}

pub async fn each_subscription_has_its_own_that_is_kept(world: &World) {
    let twin = subscription_sharing_the_handle_of(id());
    let mine = of_second(1);
    let theirs = kept(event_id(at(1), 1), twin);
    note(world, &mine).await;
    note(world, &theirs).await;
    note(world, &Delivery { tenant: tenant_named("another"), ..of_second(2) }).await;
    assert_eq!(held(world, id(), 100).await, [line(&mine)]);
    assert_eq!(held(world, twin, 100).await, [line(&theirs)]);
    assert_eq!(held(world, subscription_id(9), 100).await, []);
}

/// B16: what nobody could decide is counted for as long as the subscription is in its state, and from one after that.
pub async fn undecided_events_are_counted_since_the_state_began(world: &World) {
    for n in 1..=3 {
        assert_eq!(count(world, id(), at(0)).await, n);
    }
    assert_eq!(count(world, id(), at(0) + MILLISECOND).await, 1, "another state");
    assert_eq!(count(world, subscription_id(2), at(0)).await, 1, "another subscription");
    assert_eq!(count(world, id(), at(0)).await, 4);
}

pub async fn undecided_events_at_once_are_each_counted(world: &World) {
    let mut counts = at_once((0..8).map(|_| {
        let store = world.store.clone();
        async move { store.count_undecided(&tenant(), id(), at(0), at(60)).await.expect("the table answers") }
    }))
    .await;
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8]);
}

/// The subscription that most checks are about.
fn id() -> SubscriptionId {
    subscription_id(1)
}

/// The delivery to it of the event of that second.
fn of_second(second: i64) -> Delivery {
    kept(event_id(at(second), 1), id())
}

fn line(delivery: &Delivery) -> HeldDelivery {
    HeldDelivery { id: delivery.id, event_id: delivery.event_id, event_type: delivery.event_type.clone(), noted: 1 }
}

async fn note(world: &World, delivery: &Delivery) {
    world.store.note_held(delivery).await.expect("the table answers");
}

async fn forget(world: &World, delivery: DeliveryId) {
    let known = held(world, id(), 100).await;
    let Some(note) = known.iter().find(|note| note.id == delivery) else { return };
    world.store.forget_held(&tenant(), id(), note).await.expect("the table answers");
}

async fn held(world: &World, subscription: SubscriptionId, limit: usize) -> Vec<HeldDelivery> {
    world.store.held(&tenant(), subscription, limit).await.expect("the table answers")
}

async fn count(world: &World, subscription: SubscriptionId, since: Timestamp) -> u32 {
    let now = since + MILLISECOND;
    world.store.count_undecided(&tenant(), subscription, since, now).await.expect("the table answers")
}
