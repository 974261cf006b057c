//! The index of what is due, and the changes of due times.

use hookport::domain::delivery::DeliveryState;
use hookport::domain::id::InboundDeliveryId;
use hookport::domain::inbound_delivery::{DispatchStatus, InboundDelivery};
use hookport::store::{DUE_SHARDS, Due, DueThing};
use jiff::Timestamp;

use super::values::{MILLISECOND, at, inbound, tenant, webhook_id};
use super::world::{World, at_once};

pub async fn only_what_is_due_is_named_the_oldest_first(world: &World) {
    let second = due_at(world, 3, at(20)).await;
    let first = due_at(world, 3 + 16, at(10)).await;
    due_at(world, 3 + 32, at(30) + MILLISECOND).await;
    let third = due_at(world, 3 + 48, at(30)).await;
    assert_eq!(requests(world, 3, at(30)).await, [first, second, third]);
}

pub async fn due_times_are_ordered_as_numbers(world: &World) {
    let time = |millis| Timestamp::from_millisecond(millis).expect("a time in range");
    let hundred = due_at(world, 0, time(100)).await;
    let nine = due_at(world, 16, time(9)).await;
    let ten = due_at(world, 32, time(10)).await;
    due_at(world, 48, time(1_000)).await;
    assert_eq!(requests(world, 0, time(100)).await, [nine, ten, hundred]);
}

pub async fn what_has_no_due_time_is_not_named(world: &World) {
    world.keep(&InboundDelivery { due_at: None, ..inbound(webhook_id(1), at(0), 0) }).await;
    let pending = due_at(world, 16, at(0)).await;
    assert_eq!(requests(world, 0, at(1_000)).await, [pending]);
}

pub async fn each_shard_names_its_own(world: &World) {
    let mut kept = Vec::new();
    for n in 0..DUE_SHARDS {
        kept.push(due_at(world, n.into(), at(0)).await);
    }
    for shard in 0..DUE_SHARDS {
        assert_eq!(requests(world, shard, at(0)).await, [kept[usize::from(shard)]], "shard {shard}");
    }
}

pub async fn no_more_is_named_than_was_asked_for(world: &World) {
    for n in [16_u32, 0, 32] {
        due_at(world, n, at(n.into())).await;
    }
    let all = named(world, 0, at(1_000)).await;
    assert_eq!(all.len(), 3);
    let two = world.store.due(0, at(1_000), 2).await.expect("the index answers");
    assert_eq!(two, all[..2]);
}

pub async fn a_delivery_that_waits_is_named_too(world: &World) {
    let waiting = world.waiting().await;
    let shard = waiting.id.to_bytes()[15] % DUE_SHARDS;
    assert_eq!(named(world, shard, at(120) - MILLISECOND).await, []);
    let named = named(world, shard, at(120)).await;
    assert_eq!(named.len(), 1);
    assert_eq!(read(world, &named[0], at(120)).await, Some(DueThing::Outbound(waiting)));
}

pub async fn what_the_index_named_is_read_from_its_row(world: &World) {
    let pushed = due_at(world, 0, at(0)).await;
    let ended = due_at(world, 16, at(1)).await;
    let named = named(world, 0, at(1)).await;
    assert_eq!(named.len(), 2);
    push(world, &thing(world, pushed).await, at(60)).await;
    world.store.end_inbound(&tenant(), ended, &[]).await.expect("the table answers");

    assert_eq!(read(world, &named[0], at(60) - MILLISECOND).await, None);
    assert_eq!(read(world, &named[0], at(60)).await, Some(thing(world, pushed).await));
    assert_eq!(read(world, &named[1], at(60)).await, None);
}

pub async fn pushed_by_many_at_once_it_moves_once(world: &World) {
    let id = due_at(world, 0, at(0)).await;
    let seen = thing(world, id).await;
    let outcomes = at_once((1..=8).map(|n| {
        let (store, seen) = (world.store.clone(), seen.clone());
        async move { (n, store.push_due(&seen, at(60 * n)).await.expect("the table answers")) }
    }))
    .await;
    let moved: Vec<i64> = outcomes.into_iter().filter(|(_, moved)| *moved).map(|(n, _)| n).collect();
    let [winner] = moved[..] else { panic!("{} pushes moved it", moved.len()) };
    let row = world.inbound(id).await;
    assert_eq!((row.due_at, row.redrives), (Some(at(60 * winner)), 1));
    assert_eq!(requests(world, 0, at(60 * winner) - MILLISECOND).await, []);
    assert_eq!(requests(world, 0, at(60 * winner)).await, [id]);
}

pub async fn each_push_is_counted(world: &World) {
    let id = due_at(world, 0, at(0)).await;
    for n in 1..=3_u32 {
        let seen = thing(world, id).await;
        assert!(push(world, &seen, at(60 * i64::from(n))).await);
        assert_eq!(thing(world, id).await.redrives(), n);
    }
}

pub async fn a_push_after_the_end_changes_nothing(world: &World) {
    let id = due_at(world, 0, at(0)).await;
    let seen = thing(world, id).await;
    world.store.end_inbound(&tenant(), id, &[]).await.expect("the table answers");
    let ended = world.inbound(id).await;
    assert!(!push(world, &seen, at(60)).await);
    assert_eq!(world.inbound(id).await, ended);
    assert_eq!(named(world, 0, at(1_000)).await, []);
}

pub async fn what_is_not_pending_cannot_be_pushed(world: &World) {
    let row = InboundDelivery { due_at: None, ..inbound(webhook_id(1), at(0), 0) };
    world.keep(&row).await;
    assert!(!push(world, &thing(world, row.id).await, at(60)).await);
    assert_eq!(world.inbound(row.id).await, row);
}

pub async fn a_stuck_request_leaves_the_index(world: &World) {
    let id = due_at(world, 0, at(0)).await;
    let seen = thing(world, id).await;
    assert!(mark_stuck(world, &seen).await);
    let row = world.inbound(id).await;
    assert_eq!((row.status, row.due_at), (DispatchStatus::Stuck, None));
    assert_eq!(named(world, 0, at(1_000)).await, []);
    assert!(!mark_stuck(world, &seen).await, "it was marked before");
}

pub async fn a_stuck_delivery_is_exhausted_and_leaves_the_index(world: &World) {
    let waiting = world.waiting().await;
    let shard = waiting.id.to_bytes()[15] % DUE_SHARDS;
    let seen = DueThing::Outbound(waiting.clone());
    assert!(mark_stuck(world, &seen).await);
    let row = world.delivery(waiting.id).await;
    assert_eq!((row.state, row.due_at), (DeliveryState::Exhausted { at: at(500) }, None));
    assert_eq!(row.attempts, waiting.attempts);
    assert_eq!(named(world, shard, at(1_000)).await, []);
    assert!(!mark_stuck(world, &seen).await, "it was marked before");
}

pub async fn what_moved_meanwhile_is_not_marked_stuck(world: &World) {
    let id = due_at(world, 0, at(0)).await;
    let seen = thing(world, id).await;
    push(world, &seen, at(60)).await;
    assert!(!mark_stuck(world, &seen).await);
    assert_eq!(world.inbound(id).await.status, DispatchStatus::Pending);
    assert_eq!(requests(world, 0, at(60)).await, [id]);
}

/// Keeps a request that is due then. Its shard of the index is `n` modulo 16.
async fn due_at(world: &World, n: u32, due_at: Timestamp) -> InboundDeliveryId {
    let row = InboundDelivery { due_at: Some(due_at), ..inbound(webhook_id(1), at(0), n) };
    world.keep(&row).await;
    row.id
}

async fn named(world: &World, shard: u8, now: Timestamp) -> Vec<Due> {
    world.store.due(shard, now, 100).await.expect("the index answers")
}

/// Which requests the index names, in its order.
async fn requests(world: &World, shard: u8, now: Timestamp) -> Vec<InboundDeliveryId> {
    let mut ids = Vec::new();
    for due in named(world, shard, now).await {
        match read(world, &due, now).await {
            Some(DueThing::Inbound(row)) => ids.push(row.id),
            other => panic!("no request is due: {other:?}"),
        }
    }
    ids
}

async fn read(world: &World, due: &Due, now: Timestamp) -> Option<DueThing> {
    world.store.due_thing(due, now).await.expect("the table answers")
}

/// A request as the sweeper sees it now.
async fn thing(world: &World, id: InboundDeliveryId) -> DueThing {
    DueThing::Inbound(world.inbound(id).await)
}

async fn push(world: &World, thing: &DueThing, due_at: Timestamp) -> bool {
    world.store.push_due(thing, due_at).await.expect("the table answers")
}

async fn mark_stuck(world: &World, thing: &DueThing) -> bool {
    world.store.mark_stuck(thing, at(500)).await.expect("the table answers")
}
