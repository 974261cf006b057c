//! Who wants an event: the index by pattern, and how changes of subscriptions move what stands in it.

use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::{Cause, State, Subscription};
use hookport::store::Changed;

use super::values::{at, parsed, subscription_id, tenant, tenant_named, turned_to, wanting};
use super::world::World;

pub async fn those_that_want_an_event_are_found_oldest_first_and_nobody_else(world: &World) {
    world.found("acme").await;
    let all = [
        ["invoice.sent"],
        ["invoice.paid"],
        ["invoice.paid.late"],
        ["*"],
        ["invoice.paid.*"],
        ["invoice.*"],
        ["invoices.*"],
        ["paid.*"],
    ];
    for (n, events) in (1..).zip(all).collect::<Vec<_>>().into_iter().rev() {
        world.subscribe(&wanting(n, &events)).await;
    }
    let wanted = [wanting(2, &all[1]), wanting(4, &all[3]), wanting(6, &all[5])];
    assert_eq!(found(world, "invoice.paid").await, wanted);
    assert_eq!(ids(world, "invoice.paid.late").await, [3, 4, 5, 6].map(subscription_id));
    assert_eq!(ids(world, "ticket.opened").await, [4].map(subscription_id));
}

pub async fn every_prefix_of_a_long_type_finds(world: &World) {
    world.found("acme").await;
    let all = ["stripe.*", "stripe.payment_intent.*", "stripe.payment_intent.succeeded", "payment_intent.*"];
    for (n, events) in (1..).zip(all) {
        world.subscribe(&wanting(n, &[events])).await;
    }
    assert_eq!(ids(world, "stripe.payment_intent.succeeded").await, [1, 2, 3].map(subscription_id));
    assert_eq!(ids(world, "stripe.payment_intent").await, [1].map(subscription_id));
}

pub async fn one_that_wants_an_event_in_several_ways_is_found_once(world: &World) {
    world.found("acme").await;
    let subscription = wanting(1, &["*", "invoice.*", "invoice.paid", "invoice.paid"]);
    world.subscribe(&subscription).await;
    assert_eq!(found(world, "invoice.paid").await, [subscription]);
}

pub async fn subscriptions_of_another_tenant_are_never_found(world: &World) {
    world.found("acme").await;
    world.found("another").await;
    let theirs = Subscription { tenant: tenant_named("another"), ..wanting(1, &["invoice.paid"]) };
    world.subscribe(&theirs).await;
    assert_eq!(found(world, "invoice.paid").await, []);
    let found = world.store.subscribed(&theirs.tenant, &parsed("invoice.paid")).await;
    assert_eq!(found.expect("the table answers"), [theirs]);
}

pub async fn one_that_gets_no_events_is_found_all_the_same(world: &World) {
    world.found("acme").await;
    let before = wanting(1, &["invoice.paid"]);
    world.subscribe(&before).await;
    let after = before.put_into(State::Disabled, Cause::ByHand, at(60));
    world.change(&before, &after).await;
    assert_eq!(found(world, "invoice.paid").await, [after], "whether it gets them is for the domain to say");
}

pub async fn a_change_moves_a_subscription_to_its_new_patterns(world: &World) {
    world.found("acme").await;
    let before = wanting(1, &["invoice.*", "ticket.closed"]);
    world.subscribe(&before).await;
    let after = turned_to(&before, &["ticket.*", "invoice.paid"]);
    assert_eq!(world.change(&before, &after).await, Changed::Yes);
    for (event_type, is_found) in
        [("invoice.paid", true), ("ticket.opened", true), ("ticket.closed", true), ("invoice.sent", false)]
    {
        assert_eq!(!found(world, event_type).await.is_empty(), is_found, "{event_type}");
    }
    assert_eq!(found(world, "ticket.closed").await, [after]);
}

pub async fn a_change_that_loses_moves_nothing(world: &World) {
    world.found("acme").await;
    let before = wanting(1, &["invoice.*"]);
    world.subscribe(&before).await;
    let faster = turned_to(&before, &["ticket.*"]);
    assert_eq!(world.change(&before, &faster).await, Changed::Yes);
    assert_eq!(world.change(&before, &turned_to(&before, &["order.*"])).await, Changed::Conflict);
    assert_eq!(found(world, "order.made").await, []);
    assert_eq!(found(world, "invoice.paid").await, []);
    assert_eq!(found(world, "ticket.opened").await, [faster]);
}

/// More than fits one transaction: what does not is taken out of the index after it.
pub async fn fifty_patterns_are_replaced_by_fifty_others(world: &World) {
    world.found("acme").await;
    let types = |noun: &str| (0..50).map(|n| format!("{noun}.kind_{n}")).collect::<Vec<_>>();
    let (old, new) = (types("old"), types("new"));
    let before = wanting(1, &texts(&old));
    world.subscribe(&before).await;
    let after = turned_to(&before, &texts(&new));
    assert_eq!(world.change(&before, &after).await, Changed::Yes);
    for (old, new) in old.iter().zip(&new) {
        assert_eq!(ids(world, old).await, [], "{old}");
        assert_eq!(ids(world, new).await, [before.id], "{new}");
    }
    assert_eq!(world.unsubscribe(&after).await, Changed::Yes);
    for new in &new {
        assert_eq!(ids(world, new).await, [], "{new}");
    }
}

pub async fn a_deleted_subscription_is_found_no_more(world: &World) {
    world.found("acme").await;
    let (gone, left) = (wanting(1, &["*", "invoice.paid", "invoice.*"]), wanting(2, &["invoice.paid"]));
    world.subscribe(&gone).await;
    world.subscribe(&left).await;
    assert_eq!(world.unsubscribe(&gone).await, Changed::Yes);
    assert_eq!(found(world, "invoice.paid").await, [left]);
    assert_eq!(found(world, "ticket.opened").await, []);
}

async fn found(world: &World, event_type: &str) -> Vec<Subscription> {
    world.store.subscribed(&tenant(), &parsed(event_type)).await.expect("the table answers")
}

async fn ids(world: &World, event_type: &str) -> Vec<SubscriptionId> {
    found(world, event_type).await.into_iter().map(|subscription| subscription.id).collect()
}

fn texts(types: &[String]) -> Vec<&str> {
    types.iter().map(String::as_str).collect()
}
