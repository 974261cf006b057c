//! The slots of subscriptions that may have so many deliveries in flight.

use hookport::domain::id::SubscriptionId;
use hookport::store::Store;
use jiff::Timestamp;

use super::values::{LEASE, MILLISECOND, at, owner, subscription_id, tenant, tenant_named};
use super::world::{World, at_once};

pub async fn a_slot_that_is_taken_is_free_when_its_lease_is_over(world: &World) {
    assert!(claim(&world.store, 1, at(0)).await);
    assert!(!claim(&world.store, 2, at(0)).await);
    assert!(!claim(&world.store, 2, at(0) + LEASE - MILLISECOND).await);
    assert!(claim(&world.store, 2, at(0) + LEASE).await);
    assert!(!claim(&world.store, 1, at(0) + LEASE).await, "it is the other's now");
}

pub async fn a_claim_of_a_slot_made_again_by_its_owner_is_ours(world: &World) {
    assert!(claim(&world.store, 1, at(0)).await);
    assert!(claim(&world.store, 1, at(0)).await);
}

pub async fn one_of_many_claims_of_a_slot_at_once_wins(world: &World) {
    // The second time it is free because its lease is over.
    for now in [at(0), at(0) + LEASE] {
        let outcomes = at_once((1..=8).map(|by| {
            let store = world.store.clone();
            async move { claim(&store, by, now).await }
        }))
        .await;
        assert_eq!(outcomes.iter().filter(|won| **won).count(), 1);
    }
}

pub async fn a_slot_that_is_given_back_is_free(world: &World) {
    assert!(claim(&world.store, 1, at(0)).await);
    release(world, 1).await;
    assert!(claim(&world.store, 2, at(0)).await);
    release(world, 1).await;
    assert!(!claim(&world.store, 3, at(0)).await, "nobody gives back what is another's");
    release(world, 2).await;
    release(world, 2).await;
    assert!(claim(&world.store, 3, at(0)).await);
}

pub async fn each_slot_is_for_itself(world: &World) {
    assert!(claim(&world.store, 1, at(0)).await);
    let (mine, other) = (subscription_id(1), subscription_id(2));
    let elsewhere = [(tenant(), mine, 1), (tenant(), other, 0), (tenant_named("another"), mine, 0)];
    for (tenant, subscription, n) in elsewhere {
        let slot = (&tenant, subscription, n);
        let claimed = world.store.claim_slot(slot, owner(2), at(0), at(0) + LEASE).await;
        assert!(claimed.expect("the table answers"), "{slot:?}");
    }
}

/// The subscription whose first slot most checks are about.
fn id() -> SubscriptionId {
    subscription_id(1)
}

async fn claim(store: &Store, by: u128, now: Timestamp) -> bool {
    let tenant = tenant();
    store.claim_slot((&tenant, id(), 0), owner(by), now, now + LEASE).await.expect("the table answers")
}

async fn release(world: &World, by: u128) {
    let tenant = tenant();
    world.store.release_slot((&tenant, id(), 0), owner(by)).await.expect("the table answers");
}
