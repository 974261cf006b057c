//! Attempts: claiming the next one, and recording how it ended.

use hookport::domain::attempt::Outcome;
use hookport::domain::delivery::{Delivery, DeliveryState, SILENCE};
use hookport::domain::id::DeliveryId;
use hookport::domain::verdict::Verdict;
use hookport::domain::wait_reason::WaitReason;
use hookport::store::{Claim, Created, DUE_SHARDS, DueThing, Recorded, Store};
use jiff::Timestamp;

use super::values::{
    LEASE, MILLISECOND, answered, at, begun, ended, event_id, judged, kept, owner, refused, subscription_id, taken,
    tenant, wait_after,
};
use super::world::{World, at_once};

pub async fn a_delivery_that_is_not_due_cannot_be_claimed(world: &World) {
    let waiting = world.waiting().await;
    assert_eq!(claim(&world.store, waiting.id, 2, at(60) - MILLISECOND).await, Claim::Nothing);
    assert_eq!(world.delivery(waiting.id).await, waiting);
}

pub async fn a_due_delivery_is_claimed_and_comes_back(world: &World) {
    let waiting = world.waiting().await;
    let claimed = claimed(&waiting, 2, at(60));
    assert_eq!(claim(&world.store, waiting.id, 2, at(60)).await, Claim::Ours(Box::new(claimed.clone())));
    assert_eq!(world.delivery(waiting.id).await, claimed);
}

pub async fn one_of_many_claims_at_once_wins(world: &World) {
    let waiting = world.waiting().await;
    let outcomes = at_once((1..=8).map(|by| {
        let (store, id) = (world.store.clone(), waiting.id);
        async move { (by, claim(&store, id, by, at(60)).await) }
    }))
    .await;
    let won: Vec<_> = outcomes.iter().filter(|(_, it)| *it != Claim::Nothing).collect();
    let [(winner, outcome)] = won[..] else { panic!("{} claims won", won.len()) };
    assert_eq!(*outcome, Claim::Ours(Box::new(claimed(&waiting, *winner, at(60)))));
    assert_eq!(world.delivery(waiting.id).await, claimed(&waiting, *winner, at(60)));
}

pub async fn a_claim_made_again_by_its_owner_is_ours_and_counts_once(world: &World) {
    let waiting = world.waiting().await;
    let ours = Claim::Ours(Box::new(claimed(&waiting, 2, at(60))));
    assert_eq!(claim(&world.store, waiting.id, 2, at(60)).await, ours);
    assert_eq!(claim(&world.store, waiting.id, 2, at(60)).await, ours);
}

pub async fn a_claim_counts_the_redrives_anew(world: &World) {
    let waiting = world.waiting().await;
    let pushed = world.store.push_due(&DueThing::Outbound(waiting.clone()), at(300)).await;
    assert!(pushed.expect("the table answers"));
    assert_eq!(world.delivery(waiting.id).await.redrives, 1);
    claim(&world.store, waiting.id, 2, at(300)).await;
    assert_eq!(world.delivery(waiting.id).await.redrives, 0);
}

pub async fn a_lease_that_ran_out_comes_back_as_lost(world: &World) {
    let waiting = world.waiting().await;
    let held = claimed(&waiting, 2, at(60));
    claim(&world.store, waiting.id, 2, at(60)).await;
    let over = at(60) + LEASE;
    assert_eq!(claim(&world.store, waiting.id, 3, over - MILLISECOND).await, Claim::Nothing);
    assert_eq!(claim(&world.store, waiting.id, 3, over).await, Claim::LostLease(Box::new(held.clone())));
    assert_eq!(world.delivery(waiting.id).await, held);
}

pub async fn the_first_attempts_lease_can_be_lost_too(world: &World) {
    let first = begun(event_id(at(0), 1), subscription_id(1));
    world.create(&first).await;
    let over = at(0) + LEASE;
    assert_eq!(claim(&world.store, first.id, 2, over - MILLISECOND).await, Claim::Nothing);
    assert_eq!(claim(&world.store, first.id, 2, over).await, Claim::LostLease(Box::new(first)));
}

pub async fn what_ended_cannot_be_claimed(world: &World) {
    for (n, outcome) in (1..).zip([taken(), answered(410)]) {
        let first = begun(event_id(at(0), n), subscription_id(1));
        world.create(&first).await;
        let after = ended(&first, outcome, at(1));
        assert_eq!(record(world, 1, &after).await, Recorded::Yes);
        assert_eq!(claim(&world.store, first.id, 2, at(1_000)).await, Claim::Nothing);
        assert_eq!(world.delivery(first.id).await, after);
    }
}

pub async fn a_delivery_that_waited_for_another_reason_is_claimed_like_any(world: &World) {
    let event = event_id(at(0), 1);
    let state = DeliveryState::Pending { next_attempt_at: at(60), reason: Some(WaitReason::CircuitOpen) };
    let waiting = begun(event, subscription_id(1)).in_state(state, at(0));
    assert!(world.store.put_delivery(&waiting).await.expect("the table answers"));
    assert_eq!(claim(&world.store, waiting.id, 2, at(60) - MILLISECOND).await, Claim::Nothing);
    let first = claimed(&waiting, 2, at(60));
    assert_eq!(claim(&world.store, waiting.id, 2, at(60)).await, Claim::Ours(Box::new(first.clone())));
    assert_eq!(world.delivery(waiting.id).await, first);
}

pub async fn a_delivery_that_is_kept_cannot_be_claimed(world: &World) {
    let kept = kept(event_id(at(0), 1), subscription_id(1));
    assert!(world.store.put_delivery(&kept).await.expect("the table answers"));
    assert_eq!(claim(&world.store, kept.id, 2, at(1_000)).await, Claim::Nothing);
    assert_eq!(world.delivery(kept.id).await, kept);
}

/// B17: a target that answers later has a quarter of an hour for its next word.
pub async fn a_target_that_answers_later_is_silent_once_its_time_is_over(world: &World) {
    let first = begun(event_id(at(0), 1), subscription_id(1));
    world.create(&first).await;
    let in_progress = judged(&first, answered(202), &Verdict::InProgress, at(1));
    assert_eq!(record(world, 1, &in_progress).await, Recorded::Yes);
    let over = at(1) + SILENCE;
    assert_eq!(due(world, first.id, over - MILLISECOND).await, 0);
    assert_eq!(claim(&world.store, first.id, 2, over - MILLISECOND).await, Claim::Nothing);
    assert_eq!(due(world, first.id, over).await, 1);
    assert_eq!(claim(&world.store, first.id, 2, over).await, Claim::Silent(Box::new(in_progress.clone())));
    assert_eq!(world.delivery(first.id).await, in_progress);
}

pub async fn claiming_what_does_not_exist_makes_nothing(world: &World) {
    let id = begun(event_id(at(0), 1), subscription_id(1)).id;
    assert_eq!(claim(&world.store, id, 1, at(60)).await, Claim::Nothing);
    assert_eq!(world.store.delivery(&tenant(), id).await.expect("the table answers"), None);
}

pub async fn a_delivery_keeps_every_attempt_of_its_life(world: &World) {
    let mut delivery = world.waiting().await;
    for (by, outcome) in (2..).zip([refused(), Outcome::Unknown, taken()]) {
        let DeliveryState::Pending { next_attempt_at: now, .. } = delivery.state else { panic!("{delivery:?}") };
        let Claim::Ours(claimed) = claim(&world.store, delivery.id, by, now).await else {
            panic!("owner {by} gets nothing");
        };
        delivery = ended(&claimed, outcome, now + MILLISECOND);
        assert_eq!(record(world, by, &delivery).await, Recorded::Yes);
        assert_eq!(world.delivery(delivery.id).await, delivery);
    }
    let numbers: Vec<_> = delivery.attempts.iter().map(|attempt| attempt.n).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert!(matches!(delivery.state, DeliveryState::Delivered { .. }), "{delivery:?}");
}

pub async fn an_attempt_recorded_again_is_recorded_once(world: &World) {
    let first = begun(event_id(at(0), 1), subscription_id(1));
    world.create(&first).await;
    let after = ended(&first, refused(), at(1));
    assert_eq!(record(world, 1, &after).await, Recorded::Yes);
    assert_eq!(record(world, 1, &after).await, Recorded::Yes);
    assert_eq!(world.delivery(first.id).await, after);
}

pub async fn an_attempt_is_recorded_by_its_owner_alone(world: &World) {
    let first = begun(event_id(at(0), 1), subscription_id(1));
    world.create(&first).await;
    assert_eq!(record(world, 2, &ended(&first, taken(), at(1))).await, Recorded::Lost);
    assert_eq!(world.delivery(first.id).await, first);
}

pub async fn a_sender_that_lost_its_lease_records_nothing(world: &World) {
    let waiting = world.waiting().await;
    let held = claimed(&waiting, 2, at(60));
    claim(&world.store, waiting.id, 2, at(60)).await;
    let lost = held.clone().after_lost_lease(wait_after(2), at(60) + LEASE).expect("the lease is over");
    // The sweeper that found it counted, and what is recorded counts from nothing again.
    let pushed = world.store.push_due(&DueThing::Outbound(held.clone()), at(60) + LEASE + LEASE).await;
    assert!(pushed.expect("the table answers"));
    assert_eq!(record(world, 2, &lost).await, Recorded::Yes);

    let late = ended(&held, taken(), at(60) + LEASE + MILLISECOND);
    assert_eq!(record(world, 2, &late).await, Recorded::Lost);
    assert_eq!(world.delivery(waiting.id).await, lost);
}

pub async fn recording_an_attempt_of_nothing_makes_nothing(world: &World) {
    let after = ended(&begun(event_id(at(0), 1), subscription_id(1)), taken(), at(1));
    assert_eq!(record(world, 1, &after).await, Recorded::Lost);
    assert_eq!(world.store.delivery(&tenant(), after.id).await.expect("the table answers"), None);
}

pub async fn a_delivered_delivery_leaves_the_index(world: &World) {
    let waiting = world.waiting().await;
    claim(&world.store, waiting.id, 2, at(60)).await;
    assert_eq!(due(world, waiting.id, at(60) + LEASE).await, 1, "its lease may be lost");
    record(world, 2, &ended(&claimed(&waiting, 2, at(60)), taken(), at(61))).await;
    assert_eq!(due(world, waiting.id, at(10_000)).await, 0);
    let again = world.store.create_delivery(&begun(waiting.event_id, waiting.subscription_id), owner(9)).await;
    assert!(matches!(again.expect("the table answers"), Created::Exists(_)), "its row stays");
}

/// The delivery that a claim makes of one that waited.
fn claimed(waiting: &Delivery, by: u128, now: Timestamp) -> Delivery {
    let lease_until = now + LEASE;
    let n = u32::try_from(waiting.attempts.len()).expect("few attempts") + 1;
    Delivery {
        state: DeliveryState::Attempting { n, owner: owner(by), lease_until },
        due_at: Some(lease_until),
        ..waiting.clone()
    }
}

async fn claim(store: &Store, id: DeliveryId, by: u128, now: Timestamp) -> Claim {
    store.claim_attempt(&tenant(), id, owner(by), now, now + LEASE).await.expect("the table answers")
}

async fn record(world: &World, by: u128, after: &Delivery) -> Recorded {
    world.store.record_attempt(owner(by), after).await.expect("the table answers")
}

/// How many things are due in the shard of a delivery, which is the only one here.
async fn due(world: &World, id: DeliveryId, now: Timestamp) -> usize {
    let shard = id.to_bytes()[15] % DUE_SHARDS;
    world.store.due(shard, now, 100).await.expect("the index answers").len()
}
