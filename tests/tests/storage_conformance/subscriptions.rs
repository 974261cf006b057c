//! Subscriptions, and the tenant's counter of their changes.

use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::{
    Cause, Challenge, Declared, PreviousSecret, Purpose, Settings, State, Status, Subscription,
};
use hookport::random::Random;
use hookport::store::{Changed, SubscriptionCreateError};
use serde_json::json;

use super::values::{at, owned, sealed, subscription, subscription_id, tenant, turned_to, wanting};
use super::world::{World, at_once, walk};

pub async fn a_subscription_reads_back_as_it_was(world: &World) {
    world.found("acme").await;
    for subscription in [subscription(1), with_everything(2)] {
        world.subscribe(&subscription).await;
        assert_eq!(read(world, subscription.id).await, Some(subscription));
    }
    assert_eq!(read(world, subscription_id(3)).await, None);
}

pub async fn each_change_of_the_subscriptions_raises_the_tenants_version(world: &World) {
    world.found("acme").await;
    let first = subscription(1);
    assert_eq!(world.version(&tenant()).await, 0);
    world.subscribe(&first).await;
    assert_eq!(world.version(&tenant()).await, 1);
    let changed = turned_to(&first, &["*"]);
    assert_eq!(world.change(&first, &changed).await, Changed::Yes);
    assert_eq!(world.version(&tenant()).await, 2);
    assert_eq!(world.unsubscribe(&changed).await, Changed::Yes);
    assert_eq!(world.version(&tenant()).await, 3);
}

pub async fn a_taken_id_raises_no_version(world: &World) {
    world.found("acme").await;
    let first = subscription(1);
    world.subscribe(&first).await;
    let second = world.store.create_subscription(&wanting(1, &["*"]), None).await;
    assert!(matches!(second, Err(SubscriptionCreateError::Exists)), "{second:?}");
    assert_eq!(world.version(&tenant()).await, 1);
    assert_eq!(all(world).await, [first]);
}

pub async fn a_subscription_made_again_by_the_same_call_is_made(world: &World) {
    world.found("acme").await;
    world.subscribe(&subscription(1)).await;
    world.subscribe(&subscription(1)).await;
    assert_eq!(world.version(&tenant()).await, 1);
    assert_eq!(all(world).await, [subscription(1)]);
}

pub async fn a_subscription_needs_its_tenant(world: &World) {
    let outcome = world.store.create_subscription(&subscription(1), None).await;
    assert!(outcome.is_err());
    assert_eq!(all(world).await, []);
    assert_eq!(world.store.tenant(&tenant()).await.expect("the table answers"), None);
}

pub async fn a_changed_subscription_reads_back(world: &World) {
    world.found("acme").await;
    let before = subscription(1);
    world.subscribe(&before).await;
    let paused = before.put_into(State::Paused, Cause::ByHand, at(60));
    assert_eq!(world.change(&before, &paused).await, Changed::Yes);
    assert_eq!(read(world, before.id).await, Some(paused.clone()));
    let again = paused.activated(Cause::ByHand, at(120));
    assert_eq!(world.change(&paused, &again).await, Changed::Yes);
    assert_eq!(read(world, before.id).await, Some(again));
}

pub async fn a_change_made_again_is_made(world: &World) {
    world.found("acme").await;
    let before = subscription(1);
    world.subscribe(&before).await;
    let after = turned_to(&before, &["*"]);
    assert_eq!(world.change(&before, &after).await, Changed::Yes);
    assert_eq!(world.change(&before, &after).await, Changed::Yes);
    assert_eq!(world.version(&tenant()).await, 2);
    assert_eq!(read(world, before.id).await, Some(after));
}

/// B14: a second writer of the same version loses and changes nothing.
pub async fn a_change_of_an_older_version_of_a_subscription_is_a_conflict(world: &World) {
    world.found("acme").await;
    let before = subscription(1);
    world.subscribe(&before).await;
    let faster = before.put_into(State::Disabled, Cause::EndpointGone, at(60));
    assert_eq!(world.change(&before, &faster).await, Changed::Yes);
    let slower = before.put_into(State::Paused, Cause::ByHand, at(60));
    assert_eq!(world.change(&before, &slower).await, Changed::Conflict);
    assert_eq!(world.version(&tenant()).await, 2);
    assert_eq!(read(world, before.id).await, Some(faster));
}

pub async fn one_of_many_changes_of_a_subscription_at_once_wins(world: &World) {
    world.found("acme").await;
    let before = subscription(1);
    world.subscribe(&before).await;
    let outcomes = at_once((1..=8).map(|timeout_s| {
        let (store, before) = (world.store.clone(), before.clone());
        async move {
            let settings = Settings { timeout_s, ..before.settings.clone() };
            let after = Subscription { settings, ..before.changed(at(60)) };
            let changed = store.change_subscription(&before, &after).await.expect("the table answers");
            (changed == Changed::Yes).then_some(after)
        }
    }))
    .await;
    let winners: Vec<_> = outcomes.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(all(world).await, winners);
    assert_eq!(world.version(&tenant()).await, 2);
}

pub async fn changing_a_subscription_that_does_not_exist_makes_nothing(world: &World) {
    world.found("acme").await;
    let missing = subscription(1);
    assert_eq!(world.change(&missing, &turned_to(&missing, &["*"])).await, Changed::Conflict);
    assert_eq!(world.version(&tenant()).await, 0);
    assert_eq!(all(world).await, []);
}

pub async fn deleting_a_subscription_that_does_not_exist_says_so(world: &World) {
    world.found("acme").await;
    let first = subscription(1);
    assert_eq!(world.unsubscribe(&first).await, Changed::Conflict);
    world.subscribe(&first).await;
    assert_eq!(world.unsubscribe(&first).await, Changed::Yes);
    assert_eq!(world.unsubscribe(&first).await, Changed::Conflict);
    assert_eq!(world.version(&tenant()).await, 2, "only what changed something is counted");
    assert_eq!(ids(world).await, [first.id], "what never existed is not remembered");
}

pub async fn deleting_an_older_version_of_a_subscription_is_a_conflict(world: &World) {
    world.found("acme").await;
    let before = subscription(1);
    world.subscribe(&before).await;
    let after = turned_to(&before, &["*"]);
    world.change(&before, &after).await;
    assert_eq!(world.unsubscribe(&before).await, Changed::Conflict);
    assert_eq!(all(world).await, [after]);
    assert_eq!(world.version(&tenant()).await, 2);
}

pub async fn a_deleted_subscriptions_id_is_remembered(world: &World) {
    world.found("acme").await;
    let (gone, left) = (subscription(1), subscription(2));
    world.subscribe(&gone).await;
    world.subscribe(&left).await;
    world.unsubscribe(&gone).await;
    assert_eq!(all(world).await, std::slice::from_ref(&left));
    assert_eq!(list(world, 100).await, std::slice::from_ref(&left));
    assert_eq!(ids(world).await, [gone.id, left.id]);
}

pub async fn all_subscriptions_are_read_oldest_first(world: &World) {
    world.found("acme").await;
    for n in [2, 3, 1] {
        world.subscribe(&subscription(n)).await;
    }
    assert_eq!(all(world).await, [1, 2, 3].map(subscription));
}

pub async fn subscriptions_are_read_by_their_ids_oldest_first(world: &World) {
    world.found("acme").await;
    for n in [1, 2, 3] {
        world.subscribe(&subscription(n)).await;
    }
    let wanted = [4, 3, 1].map(subscription_id);
    let found = world.store.subscriptions_by_id(&tenant(), &wanted).await.expect("the table answers");
    assert_eq!(found, [1, 3].map(subscription));
    assert_eq!(world.store.subscriptions_by_id(&tenant(), &[]).await.expect("the table answers"), []);
}

pub async fn subscriptions_are_listed_newest_first_by_pages(world: &World) {
    world.found("acme").await;
    for n in [4, 2, 5, 1, 3] {
        world.subscribe(&subscription(n)).await;
    }
    for size in 1..=6 {
        assert_eq!(list(world, size).await, [5, 4, 3, 2, 1].map(subscription), "pages of {size}");
    }
}

/// The `n`th subscription with everything that one can have.
fn with_everything(n: u32) -> Subscription {
    let settings = json!({
        "name": "Everything",
        "description": "Zoë's invoices\nand reminders",
        "url": "https://hooks.example.com/in",
        "events": ["invoice.*", "ticket.closed"],
        "filter": {
            "object_type": "invoice",
            "scope": "acme/berlin",
            "entity_ids": ["42", "4 2"],
            "payload": {"amount": {"$gte": 100, "$lt": 1.5}, "$or": [{"paid": true}, {"payer": null}, {"note": ""}]},
        },
        "payload": {"mode": "fields", "fields": {"invoice": ["amount"], "ticket": null}},
        "headers": {"x-team": "billing", "x-line": "3"},
        "timeout_s": 30,
        "retry_schedule": [5, 60, 604_800],
        "retry_on": ["5xx", "network", "409"],
        "rate_limit": {"requests": 10, "window_s": 60},
        "max_in_flight": 3,
        "auto_disable": {"after_hours": 24, "after_failures": 50},
        "response_rule": {"statuses": [200, 202], "assertion": {"path": "$.ok", "equals": true}},
        "kept_response_bytes": 8192,
        "permission": "invoices.view",
        "reverify_days": 7,
        "metadata": {"team": "billing", "note": ""},
    });
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    let made = Subscription {
        settings,
        previous_secret: Some(PreviousSecret { secret: sealed("k0.secret"), until: at(86_400) }),
        declared: Some(Declared { set: "billing".to_owned(), fingerprint: "0".repeat(8) }),
        ..owned(n, "ann@example.com")
    };
    let random = Random::seeded(1);
    let proven = made.challenged(Purpose::Renewal, Challenge::new(&random), at(60)).proven(at(61));
    let asked_again = proven.challenged(Purpose::Rotation, Challenge::new(&random), at(62));
    let failed = asked_again.unproven("the answer was not JSON".to_owned(), at(63));
    Subscription { status: Status { is_draining: true, ..failed.status }, ..failed }
}

async fn read(world: &World, id: SubscriptionId) -> Option<Subscription> {
    world.store.subscription(&tenant(), id).await.expect("the table answers")
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
