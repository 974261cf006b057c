//! Owners of subscriptions: how many they have, how many they may have, and what is said of them.

use hookport::domain::event_facts::Scope;
use hookport::domain::owner::{Grants, OwnerRecord, PermissionName, Quotas};
use hookport::domain::subscription::Subscription;
use hookport::store::{Changed, Owner, SubscriptionCreateError};

use super::values::{owned, owner_name, parsed, subscription, tenant, tenant_named, turned_to};
use super::world::{World, at_once, walk};

const ANN: &str = "ann@example.com";
const BO: &str = "bo";

pub async fn an_owners_subscriptions_are_counted(world: &World) {
    world.found("acme").await;
    assert_eq!(count(world, ANN).await, 0);
    let first = owned(1, ANN);
    world.subscribe(&first).await;
    world.subscribe(&owned(2, ANN)).await;
    world.subscribe(&owned(3, BO)).await;
    world.subscribe(&subscription(4)).await;
    assert_eq!((count(world, ANN).await, count(world, BO).await), (2, 1));

    let changed = turned_to(&first, &["*"]);
    assert_eq!(world.change(&first, &changed).await, Changed::Yes);
    assert_eq!(count(world, ANN).await, 2, "a change makes none");
    assert_eq!(world.unsubscribe(&first).await, Changed::Conflict);
    assert_eq!(count(world, ANN).await, 2, "nor does what was not deleted end one");
    assert_eq!(world.unsubscribe(&changed).await, Changed::Yes);
    assert_eq!((count(world, ANN).await, count(world, BO).await), (1, 1));
}

pub async fn what_is_not_made_is_not_counted(world: &World) {
    world.found("acme").await;
    world.subscribe(&owned(1, ANN)).await;
    assert!(create(world, &owned(1, ANN), 10).await, "the same call again has made it");
    assert_eq!(count(world, ANN).await, 1);
    let taken = world.store.create_subscription(&owned(1, BO), Some(10)).await;
    assert!(matches!(taken, Err(SubscriptionCreateError::Exists)), "{taken:?}");
    assert_eq!((count(world, ANN).await, count(world, BO).await), (1, 0));
}

/// A18: the eleventh subscription of an owner that may have ten is refused, and nothing of it stays.
pub async fn the_eleventh_subscription_of_an_owner_is_refused(world: &World) {
    world.found("acme").await;
    for n in 1..=10 {
        assert!(create(world, &owned(n, ANN), 10).await, "{n}");
    }
    let eleventh = owned(11, ANN);
    assert!(!create(world, &eleventh, 10).await);
    assert_eq!(count(world, ANN).await, 10);
    assert_eq!(world.version(&tenant()).await, 10);
    assert_eq!(world.store.subscription(&tenant(), eleventh.id).await.expect("the table answers"), None);
    let wanting = world.store.subscribed(&tenant(), &parsed("invoice.paid")).await.expect("the table answers");
    assert_eq!(wanting.len(), 10, "it is in no index");
    assert_eq!(list(world, ANN, 100).await.len(), 10);

    assert!(create(world, &owned(10, ANN), 10).await, "the tenth was made, and its call may come again");
    assert!(create(world, &owned(12, BO), 10).await, "another owner has room");
    assert!(create(world, &subscription(13), 10).await, "what has no owner has no quota");
    assert_eq!(world.unsubscribe(&owned(3, ANN)).await, Changed::Yes);
    assert!(create(world, &eleventh, 10).await);
    assert_eq!(count(world, ANN).await, 10);
}

/// A18: however many ask at the same time, no more are made than the owner may have.
pub async fn ten_of_twelve_subscriptions_at_once_are_made(world: &World) {
    world.found("acme").await;
    let outcomes = at_once((1..=12).map(|n| {
        let (store, subscription) = (world.store.clone(), owned(n, ANN));
        async move { is_made(store.create_subscription(&subscription, Some(10)).await) }
    }))
    .await;
    assert_eq!(outcomes.iter().filter(|made| **made).count(), 10);
    assert_eq!(count(world, ANN).await, 10);
    assert_eq!(list(world, ANN, 100).await.len(), 10);
}

pub async fn a_quota_that_was_lowered_refuses_the_next(world: &World) {
    world.found("acme").await;
    for n in 1..=3 {
        assert!(create(world, &owned(n, ANN), 10).await, "{n}");
    }
    assert!(!create(world, &owned(4, ANN), 2).await);
    assert!(!create(world, &owned(4, ANN), 3).await);
    assert!(create(world, &owned(4, ANN), 4).await);
}

pub async fn an_owners_subscriptions_are_listed_newest_first_by_pages(world: &World) {
    world.found("acme").await;
    for n in [4, 2, 5, 1, 3] {
        world.subscribe(&owned(n, ANN)).await;
    }
    world.subscribe(&owned(6, BO)).await;
    world.subscribe(&subscription(7)).await;
    for size in 1..=6 {
        let wanted = [5, 4, 3, 2, 1].map(|n| owned(n, ANN));
        assert_eq!(list(world, ANN, size).await, wanted, "pages of {size}");
    }
    world.unsubscribe(&owned(3, ANN)).await;
    assert_eq!(list(world, ANN, 100).await, [5, 4, 2, 1].map(|n| owned(n, ANN)));
    assert_eq!(list(world, "nobody", 100).await, []);
}

pub async fn an_owner_that_nothing_is_known_of_has_nothing_of_its_own(world: &World) {
    let owner = read(world, ANN).await;
    assert_eq!(owner, Owner { name: owner_name(ANN), record: OwnerRecord::default(), subscriptions: 0 });
}

pub async fn what_is_said_of_an_owner_stands_beside_its_count(world: &World) {
    world.found("acme").await;
    say(world, ANN, &record()).await;
    assert_eq!(read(world, ANN).await.record, record());
    assert_eq!(world.version(&tenant()).await, 1, "permissions decide who gets events");
    world.subscribe(&owned(1, ANN)).await;
    world.subscribe(&owned(2, ANN)).await;
    assert_eq!(read(world, ANN).await, Owner { name: owner_name(ANN), record: record(), subscriptions: 2 });
    let less = OwnerRecord { grants: None, ..record() };
    say(world, ANN, &less).await;
    assert_eq!(read(world, ANN).await, Owner { name: owner_name(ANN), record: less, subscriptions: 2 });
}

pub async fn an_owner_of_another_tenant_is_another(world: &World) {
    world.found("acme").await;
    world.found("another").await;
    say(world, ANN, &record()).await;
    world.subscribe(&owned(1, ANN)).await;
    let theirs = world.store.owner(&tenant_named("another"), &owner_name(ANN)).await.expect("the table answers");
    assert_eq!((theirs.record, theirs.subscriptions), (OwnerRecord::default(), 0));
    let other = tenant_named("another");
    let listed = walk(100, |page| {
        let other = other.clone();
        async move { world.store.list_owners(&other, &page).await }
    });
    assert_eq!(listed.await, []);
}

pub async fn owners_are_listed_by_their_names_by_pages(world: &World) {
    world.found("acme").await;
    for (n, name) in (1..).zip(["dee", "bo", "ann@example.com"]) {
        world.subscribe(&owned(n, name)).await;
    }
    say(world, "cy", &record()).await;
    for size in 1..=5 {
        let owners = walk(size, |page| async move { world.store.list_owners(&tenant(), &page).await }).await;
        let listed: Vec<_> = owners.iter().map(|owner| (owner.name.as_str(), owner.subscriptions)).collect();
        assert_eq!(listed, [("ann@example.com", 1), ("bo", 1), ("cy", 0), ("dee", 1)], "pages of {size}");
        assert_eq!(owners[2].record, record());
    }
}

pub async fn only_an_owner_without_subscriptions_is_forgotten(world: &World) {
    world.found("acme").await;
    forget(world, ANN).await;
    say(world, ANN, &record()).await;
    world.subscribe(&owned(1, ANN)).await;
    forget(world, ANN).await;
    assert_eq!(read(world, ANN).await, Owner { name: owner_name(ANN), record: record(), subscriptions: 1 });
    world.unsubscribe(&owned(1, ANN)).await;
    forget(world, ANN).await;
    assert_eq!(read(world, ANN).await.record, OwnerRecord::default());

    say(world, BO, &record()).await;
    forget(world, BO).await;
    assert_eq!(read(world, BO).await.record, OwnerRecord::default(), "it never had any");
}

fn record() -> OwnerRecord {
    let quotas = Quotas { max_subscriptions: 20, ..Quotas::default() };
    let everywhere: Vec<Scope> = Vec::new();
    let somewhere: Vec<Scope> = vec![parsed("acme/berlin"), parsed("acme/bern")];
    let named = |text: &str| parsed::<PermissionName>(text);
    let grants = Grants::from([(named("invoices.view"), everywhere), (named("tickets:view"), somewhere)]);
    OwnerRecord { quotas: Some(quotas), grants: Some(grants) }
}

/// Tells whether a subscription was made, and not refused because its owner has enough.
fn is_made(outcome: Result<(), SubscriptionCreateError>) -> bool {
    match outcome {
        Ok(()) => true,
        Err(SubscriptionCreateError::QuotaReached) => false,
        Err(other) => panic!("{other:?}"),
    }
}

async fn create(world: &World, subscription: &Subscription, most: u32) -> bool {
    is_made(world.store.create_subscription(subscription, Some(most)).await)
}

async fn read(world: &World, name: &str) -> Owner {
    world.store.owner(&tenant(), &owner_name(name)).await.expect("the table answers")
}

async fn count(world: &World, name: &str) -> u32 {
    read(world, name).await.subscriptions
}

async fn say(world: &World, name: &str, record: &OwnerRecord) {
    world.store.put_owner(&tenant(), &owner_name(name), record).await.expect("the table answers");
}

async fn forget(world: &World, name: &str) {
    world.store.forget_owner(&tenant(), &owner_name(name)).await.expect("the table answers");
}

async fn list(world: &World, name: &str, size: usize) -> Vec<Subscription> {
    let name = owner_name(name);
    let name = &name;
    walk(size, |page| async move { world.store.list_subscriptions_of_owner(&tenant(), name, &page).await }).await
}
