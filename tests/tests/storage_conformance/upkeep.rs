//! Upkeep of subscriptions: asking for it, claiming it, ending it, and what the sweeper finds of it.

use hookport::domain::id::SubscriptionId;
use hookport::domain::task::Task;
use hookport::store::{DueTask, DueThing, Store, TaskClaim};
use jiff::Timestamp;

use super::values::{LEASE, MILLISECOND, at, owner, subscription_id, tenant, tenant_named};
use super::world::{World, at_once};

pub async fn upkeep_that_was_asked_for_is_due(world: &World) {
    ask(world, at(60)).await;
    assert_eq!(due(world, at(60) - MILLISECOND).await, []);
    assert_eq!(due(world, at(60)).await, [upkeep(at(60), 0)]);
}

pub async fn upkeep_that_was_asked_for_again_is_due_once(world: &World) {
    ask(world, at(60)).await;
    ask(world, at(30)).await;
    assert_eq!(due(world, at(60)).await, [upkeep(at(30), 0)]);
}

pub async fn each_subscription_has_its_own_upkeep(world: &World) {
    let (mine, other) = (subscription_id(1), subscription_id(1 + 16));
    ask(world, at(60)).await;
    world.store.ask_task(&tenant(), &Task::Upkeep(other), at(30)).await.expect("the table answers");
    world.store.ask_task(&tenant_named("another"), &Task::Upkeep(mine), at(10)).await.expect("the table answers");
    let named: Vec<_> = due(world, at(60))
        .await
        .into_iter()
        .map(|thing| match thing {
            DueThing::Task(DueTask { tenant, task: Task::Upkeep(id), .. }) => (tenant, id),
            other => panic!("no upkeep: {other:?}"),
        })
        .collect();
    assert_eq!(named, [(tenant_named("another"), mine), (tenant(), other), (tenant(), mine)]);
}

pub async fn claimed_upkeep_is_due_again_when_its_lease_is_over(world: &World) {
    ask(world, at(60)).await;
    assert!(claim(&world.store, 1, at(0)).await.is_some());
    assert_eq!(due(world, at(0) + LEASE - MILLISECOND).await, []);
    assert_eq!(due(world, at(0) + LEASE).await, [upkeep(at(0) + LEASE, 0)]);
}

pub async fn one_of_many_claims_of_upkeep_at_once_wins(world: &World) {
    ask(world, at(0)).await;
    let outcomes = at_once((1..=8).map(|by| {
        let store = world.store.clone();
        async move { claim(&store, by, at(0)).await }
    }))
    .await;
    let won: Vec<_> = outcomes.into_iter().flatten().collect();
    let [winner] = won[..] else { panic!("{} claims won", won.len()) };
    assert!(!end(world, winner, None).await);
    assert_eq!(due(world, at(1_000)).await, []);
}

pub async fn a_claim_of_upkeep_made_again_by_its_owner_is_ours(world: &World) {
    ask(world, at(0)).await;
    let ours = claim(&world.store, 1, at(0)).await;
    assert!(ours.is_some());
    assert_eq!(claim(&world.store, 1, at(0)).await, ours);
    assert_eq!(claim(&world.store, 2, at(0)).await, None);
}

pub async fn upkeep_is_claimed_again_once_its_lease_is_over(world: &World) {
    ask(world, at(0)).await;
    let late = claimed(world, 1, at(0)).await;
    assert_eq!(claim(&world.store, 2, at(0) + LEASE - MILLISECOND).await, None);
    let second = claimed(world, 2, at(0) + LEASE).await;

    // Who was held up for so long ends nothing of what the other does.
    assert!(!end(world, late, None).await);
    assert!(!end(world, late, Some(at(5_000))).await);
    assert_eq!(due(world, at(0) + LEASE + LEASE).await, [upkeep(at(0) + LEASE + LEASE, 0)]);
    assert!(!end(world, second, Some(at(7_000))).await);
    assert_eq!(due(world, at(7_000)).await, [upkeep(at(7_000), 0)]);
}

pub async fn ended_upkeep_is_due_when_it_was_said_to_be(world: &World) {
    ask(world, at(0)).await;
    for n in 1..=3_u32 {
        let now = at(i64::from(n) * 1_000);
        let claim = claimed(world, n.into(), now).await;
        let next = now + LEASE + LEASE;
        assert!(!end(world, claim, Some(next)).await);
        assert_eq!(due(world, next - MILLISECOND).await, []);
        assert_eq!(due(world, next).await, [upkeep(next, 0)]);
    }
}

pub async fn upkeep_that_ended_for_good_is_due_no_more(world: &World) {
    ask(world, at(0)).await;
    let claim = claimed(world, 1, at(0)).await;
    assert!(!end(world, claim, None).await);
    assert_eq!(due(world, at(100_000)).await, []);
    ask(world, at(60)).await;
    assert_eq!(due(world, at(60)).await, [upkeep(at(60), 0)], "it can be asked for again");
}

pub async fn upkeep_that_was_asked_for_meanwhile_is_due_at_once(world: &World) {
    for (now, next) in [(at(1_000), Some(at(9_000))), (at(2_000), None)] {
        ask(world, now).await;
        let claim = claimed(world, 1, now).await;
        ask(world, now + LEASE + LEASE).await;
        let is_asked = world.store.end_task(&tenant(), &task(), claim, next, None, now + MILLISECOND).await;
        assert!(is_asked.expect("the table answers"), "{next:?}");
        assert_eq!(due(world, now).await, []);
        assert_eq!(due(world, now + MILLISECOND).await, [upkeep(now + MILLISECOND, 0)]);
    }
}

/// A message that comes twice leads to a claim of upkeep that is over.
pub async fn upkeep_that_nobody_asked_for_ends_like_any(world: &World) {
    let claim = claimed(world, 1, at(0)).await;
    assert!(!end(world, claim, Some(at(9_000))).await, "nobody asked for it meanwhile");
    assert_eq!(due(world, at(9_000)).await, [upkeep(at(9_000), 0)]);
    let claim = claimed(world, 2, at(10_000)).await;
    assert!(!end(world, claim, None).await);
    assert_eq!(due(world, at(100_000)).await, []);
}

pub async fn what_is_asked_for_during_upkeep_that_nobody_asked_for_is_not_lost(world: &World) {
    for (n, next) in (1..).zip([Some(at(9_000)), None]) {
        let subscription = subscription_id(n);
        let (store, tenant, task) = (&world.store, tenant(), Task::Upkeep(subscription));
        let claim = store.claim_task(&tenant, &task, owner(1), at(0), at(0) + LEASE).await;
        let claim = claim.expect("the table answers").expect("nobody does it");
        store.ask_task(&tenant, &task, at(500)).await.expect("the table answers");
        let is_asked = store.end_task(&tenant, &task, claim, next, None, at(1)).await;
        assert!(is_asked.expect("the table answers"), "{next:?}");
        let due = world.due(subscription.to_bytes(), at(1)).await;
        assert_eq!(due.iter().map(DueThing::due_at).collect::<Vec<_>>(), [Some(at(1))], "{next:?}");
    }
}

pub async fn pushes_of_upkeep_are_counted_until_somebody_asks_anew(world: &World) {
    ask(world, at(0)).await;
    for n in 1..=2_u32 {
        let seen = DueThing::Task(upkeep_of(at(i64::from(n - 1) * 60), n - 1));
        let next = at(i64::from(n) * 60);
        assert!(world.store.push_due(&seen, next).await.expect("the table answers"));
        assert!(!world.store.push_due(&seen, next).await.expect("the table answers"), "it moved");
        assert_eq!(due(world, next).await, [upkeep(next, n)]);
    }
    claimed(world, 1, at(120)).await;
    // Taking it up is not doing it: one that always fails has to be seen to fail.
    assert_eq!(due(world, at(120) + LEASE).await, [upkeep(at(120) + LEASE, 2)]);
    let seen = DueThing::Task(upkeep_of(at(120) + LEASE, 2));
    assert!(world.store.push_due(&seen, at(900)).await.expect("the table answers"));
    ask(world, at(1_000)).await;
    assert_eq!(due(world, at(1_000)).await, [upkeep(at(1_000), 0)], "whoever asks counts anew");
}

pub async fn stuck_upkeep_leaves_the_index_until_it_is_asked_for(world: &World) {
    ask(world, at(0)).await;
    let seen = DueThing::Task(upkeep_of(at(0), 0));
    assert!(world.store.mark_stuck(&seen, at(500)).await.expect("the table answers"));
    assert_eq!(due(world, at(100_000)).await, []);
    assert!(!world.store.mark_stuck(&seen, at(500)).await.expect("the table answers"), "it was marked before");
    ask(world, at(600)).await;
    assert_eq!(due(world, at(600)).await, [upkeep(at(600), 0)]);
}

/// The subscription that most checks are about.
fn id() -> SubscriptionId {
    subscription_id(1)
}

fn task() -> Task {
    Task::Upkeep(id())
}

fn upkeep_of(due_at: Timestamp, redrives: u32) -> DueTask {
    DueTask { tenant: tenant(), task: task(), due_at: Some(due_at), redrives }
}

/// Its upkeep, as the sweeper finds it.
fn upkeep(due_at: Timestamp, redrives: u32) -> DueThing {
    DueThing::Task(upkeep_of(due_at, redrives))
}

async fn ask(world: &World, due_at: Timestamp) {
    world.store.ask_task(&tenant(), &task(), due_at).await.expect("the table answers");
}

async fn claim(store: &Store, by: u128, now: Timestamp) -> Option<TaskClaim> {
    store.claim_task(&tenant(), &task(), owner(by), now, now + LEASE).await.expect("the table answers")
}

async fn claimed(world: &World, by: u128, now: Timestamp) -> TaskClaim {
    claim(&world.store, by, now).await.expect("nobody does it")
}

/// Ends a claim at a time when nothing that is asked for here is due. Tells whether it was asked for meanwhile.
async fn end(world: &World, claim: TaskClaim, next: Option<Timestamp>) -> bool {
    world.store.end_task(&tenant(), &task(), claim, next, None, at(50_000)).await.expect("the table answers")
}

async fn due(world: &World, now: Timestamp) -> Vec<DueThing> {
    world.due(id().to_bytes(), now).await
}
