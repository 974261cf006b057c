//! Subscriptions, and the tenant's counter of their changes.

use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::Subscription;

use super::values::{at, company, subscription, subscription_id, tenant, token};
use super::world::{World, assert_exists, walk};

pub async fn a_subscription_reads_back_as_it_was(world: &World) {
    found_tenant(world).await;
    let subscription = created(world, 1).await;
    let found = world.store.subscription(&tenant(), subscription.id).await;
    assert_eq!(found.expect("the table answers"), Some(subscription));
    let missing = world.store.subscription(&tenant(), subscription_id(2)).await;
    assert_eq!(missing.expect("the table answers"), None);
}

pub async fn each_change_of_the_subscriptions_raises_the_tenants_version(world: &World) {
    found_tenant(world).await;
    assert_eq!(version(world).await, 0);
    let first = created(world, 1).await;
    assert_eq!(version(world).await, 1);
    created(world, 2).await;
    assert_eq!(version(world).await, 2);
    assert!(delete(world, first.id).await);
    assert_eq!(version(world).await, 3);
}

pub async fn a_taken_id_raises_no_version(world: &World) {
    found_tenant(world).await;
    let first = created(world, 1).await;
    let second = Subscription { events: Vec::new(), ..first.clone() };
    assert_exists(&world.store.create_subscription(&second).await);
    assert_eq!(version(world).await, 1);
    assert_eq!(all(world).await, [first]);
}

pub async fn a_subscription_needs_its_tenant(world: &World) {
    let outcome = world.store.create_subscription(&subscription(1)).await;
    assert!(outcome.is_err());
    assert_eq!(all(world).await, []);
    assert_eq!(world.store.tenant(&tenant()).await.expect("the table answers"), None);
}

pub async fn deleting_a_subscription_that_does_not_exist_says_so(world: &World) {
    found_tenant(world).await;
    assert!(!delete(world, subscription_id(1)).await);
    let first = created(world, 1).await;
    assert!(delete(world, first.id).await);
    assert!(!delete(world, first.id).await);
    assert_eq!(version(world).await, 2, "only what changed something is counted");
    assert_eq!(ids(world).await, [first.id], "what never existed is not remembered");
}

pub async fn a_deleted_subscriptions_id_is_remembered(world: &World) {
    found_tenant(world).await;
    let gone = created(world, 1).await;
    let left = created(world, 2).await;
    delete(world, gone.id).await;
    assert_eq!(all(world).await, std::slice::from_ref(&left));
    assert_eq!(list(world, 100).await, std::slice::from_ref(&left));
    assert_eq!(ids(world).await, [gone.id, left.id]);
}

pub async fn all_subscriptions_are_read_oldest_first(world: &World) {
    found_tenant(world).await;
    for n in [2, 3, 1] {
        created(world, n).await;
    }
    assert_eq!(all(world).await, [1, 2, 3].map(subscription));
}

pub async fn subscriptions_are_listed_newest_first_by_pages(world: &World) {
    found_tenant(world).await;
    for n in [4, 2, 5, 1, 3] {
        created(world, n).await;
    }
    for size in 1..=6 {
        assert_eq!(list(world, size).await, [5, 4, 3, 2, 1].map(subscription), "pages of {size}");
    }
}

async fn found_tenant(world: &World) {
    world.store.create_tenant(&company("acme"), &token(tenant(), 1)).await.expect("it is new");
}

async fn created(world: &World, n: u32) -> Subscription {
    let subscription = subscription(n);
    world.store.create_subscription(&subscription).await.expect("it is new");
    subscription
}

async fn delete(world: &World, id: SubscriptionId) -> bool {
    world.store.delete_subscription(&tenant(), id, at(60)).await.expect("the table answers")
}

async fn version(world: &World) -> u64 {
    let found = world.store.tenant(&tenant()).await.expect("the table answers");
    found.expect("the tenant is there").subscriptions_version
}

async fn all(world: &World) -> Vec<Subscription> {
    world.store.subscriptions(&tenant()).await.expect("the table answers")
}

async fn list(world: &World, size: usize) -> Vec<Subscription> {
    walk(size, |page| async move { world.store.list_subscriptions(&tenant(), &page).await }).await
}

/// All ids that may have rows, sorted.
async fn ids(world: &World) -> Vec<SubscriptionId> {
    let mut ids = world.store.subscription_ids(&tenant()).await.expect("the table answers");
    ids.sort_unstable();
    ids
}
