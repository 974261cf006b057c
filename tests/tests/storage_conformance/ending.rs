//! The end of a request's own work, and the notes on the way there.

use hookport::domain::id::{InboundDeliveryId, SubscriptionId};
use hookport::domain::inbound_delivery::{DispatchStatus, InboundDelivery};
use hookport::store::{Due, DueThing};

use super::values::{at, inbound, inbound_id, subscription_id, tenant, webhook_id};
use super::world::World;

/// After the due time of everything here.
const LATER: i64 = 1_000;

pub async fn an_ended_request_is_not_due_any_more(world: &World) {
    let row = kept(world).await;
    assert_eq!(due(world).await.len(), 1);
    end(world, row.id, &[subscription_id(1)]).await;
    assert_eq!(due(world).await, []);
    let ended = world.inbound(row.id).await;
    assert_eq!((ended.status, ended.due_at), (DispatchStatus::Dispatched, None));
}

pub async fn an_end_keeps_the_subscriptions(world: &World) {
    let row = kept(world).await;
    let subscriptions: Vec<_> = (1..=50).map(subscription_id).collect();
    end(world, row.id, &subscriptions).await;
    let ended = InboundDelivery { status: DispatchStatus::Dispatched, subscriptions, due_at: None, ..row };
    assert_eq!(world.inbound(ended.id).await, ended);
}

pub async fn ending_again_changes_nothing(world: &World) {
    let row = kept(world).await;
    end(world, row.id, &[subscription_id(1)]).await;
    let ended = world.inbound(row.id).await;
    end(world, row.id, &[subscription_id(2), subscription_id(3)]).await;
    assert_eq!(world.inbound(row.id).await, ended);
}

pub async fn ending_what_was_never_kept_makes_nothing(world: &World) {
    let id = inbound_id(webhook_id(1), at(0), 1);
    end(world, id, &[subscription_id(1)]).await;
    assert_eq!(world.store.inbound_delivery(&tenant(), id).await.expect("an answer"), None);
}

pub async fn a_noted_fan_out_reads_back_and_stays_due(world: &World) {
    let row = kept(world).await;
    note(world, row.id, &[subscription_id(1)]).await;
    let done = vec![subscription_id(1), subscription_id(2)];
    note(world, row.id, &done).await;
    let noted = InboundDelivery { subscriptions: done, ..row };
    assert_eq!(world.inbound(noted.id).await, noted);

    let named = due(world).await;
    assert_eq!(named.len(), 1);
    let thing = world.store.due_thing(&named[0], at(LATER)).await.expect("the table answers");
    assert_eq!(thing, Some(DueThing::Inbound(noted)));
}

pub async fn an_end_without_subscriptions_keeps_the_noted_ones(world: &World) {
    let row = kept(world).await;
    note(world, row.id, &[subscription_id(1)]).await;
    end(world, row.id, &[]).await;
    let ended = world.inbound(row.id).await;
    assert_eq!((ended.status, ended.subscriptions), (DispatchStatus::Dispatched, vec![subscription_id(1)]));
}

pub async fn nothing_is_noted_after_the_end(world: &World) {
    let row = kept(world).await;
    end(world, row.id, &[subscription_id(1)]).await;
    let ended = world.inbound(row.id).await;
    note(world, row.id, &[subscription_id(2)]).await;
    assert_eq!(world.inbound(row.id).await, ended);
}

/// A request in the first shard of the index.
async fn kept(world: &World) -> InboundDelivery {
    let row = inbound(webhook_id(1), at(0), 0);
    world.keep(&row).await;
    row
}

async fn due(world: &World) -> Vec<Due> {
    world.store.due(0, at(LATER), 100).await.expect("the index answers")
}

async fn end(world: &World, id: InboundDeliveryId, subscriptions: &[SubscriptionId]) {
    world.store.end_inbound(&tenant(), id, subscriptions).await.expect("the table answers");
}

async fn note(world: &World, id: InboundDeliveryId, done: &[SubscriptionId]) {
    world.store.note_fan_out(&tenant(), id, done).await.expect("the table answers");
}
