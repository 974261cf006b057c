//! Deliveries that are moved while nobody attempts them: held, let go, cancelled, told of by their target.

use hookport::domain::delivery::{Delivery, DeliveryState, Progress};
use hookport::domain::verdict::Verdict;
use hookport::store::{Claim, DueThing, Recorded};
use jiff::Timestamp;

use super::values::{
    LEASE, MILLISECOND, answered, at, begun, ended, event_id, judged, kept, owner, subscription_id, taken, tenant,
};
use super::world::{World, at_once};

pub async fn a_delivery_that_waits_is_cancelled(world: &World) {
    let waiting = world.waiting().await;
    let after = cancelled(&waiting, at(30));
    assert!(moved(world, &waiting, &after).await);
    assert_eq!(world.delivery(waiting.id).await, after);
    assert_eq!(world.due(waiting.id.to_bytes(), at(100_000)).await, []);
    let claim = world.store.claim_attempt(&tenant(), waiting.id, owner(2), at(60), at(60) + LEASE).await;
    assert_eq!(claim.expect("the table answers"), Claim::Nothing);
}

pub async fn a_delivery_that_is_kept_is_due_once_it_is_let_go(world: &World) {
    let kept = kept(event_id(at(0), 1), subscription_id(1));
    assert!(world.store.put_delivery(&kept).await.expect("the table answers"));
    assert_eq!(world.due(kept.id.to_bytes(), at(100_000)).await, []);
    let state = DeliveryState::Pending { next_attempt_at: at(600), reason: None };
    let after = kept.clone().in_state(state, at(600));
    assert!(moved(world, &kept, &after).await);
    assert_eq!(world.due(kept.id.to_bytes(), at(1_000)).await, [DueThing::Outbound(after.clone())]);
    assert!(moved(world, &after, &kept).await);
    assert_eq!(world.due(kept.id.to_bytes(), at(100_000)).await, [], "it is kept once more");
}

pub async fn a_move_made_again_is_made(world: &World) {
    let waiting = world.waiting().await;
    let after = cancelled(&waiting, at(30));
    assert!(moved(world, &waiting, &after).await);
    assert!(moved(world, &waiting, &after).await);
    assert_eq!(world.delivery(waiting.id).await, after);
}

/// B14: who cancels while the attempt begins is told so and changes nothing.
pub async fn a_move_after_a_claim_changes_nothing(world: &World) {
    let waiting = world.waiting().await;
    let claim = world.store.claim_attempt(&tenant(), waiting.id, owner(2), at(60), at(60) + LEASE).await;
    let Claim::Ours(claimed) = claim.expect("the table answers") else { panic!("it is due") };
    assert!(!moved(world, &waiting, &cancelled(&waiting, at(60))).await);
    assert_eq!(world.delivery(waiting.id).await, *claimed);
}

/// B14: a state that was left and come back to is another one, by its time or the number of attempts.
pub async fn a_move_after_another_changes_nothing(world: &World) {
    let waiting = world.waiting().await;
    let put_off = |until| {
        let state = DeliveryState::Pending { next_attempt_at: until, reason: None };
        waiting.clone().in_state(state, at(30))
    };
    assert!(moved(world, &waiting, &put_off(at(61))).await);
    assert!(!moved(world, &waiting, &put_off(at(62))).await);
    assert!(!moved(world, &waiting, &cancelled(&waiting, at(40))).await);
    assert_eq!(world.delivery(waiting.id).await, put_off(at(61)));
}

/// B14: of those who end a delivery at the same time, one does.
pub async fn one_of_many_moves_at_once_is_made(world: &World) {
    let waiting = world.waiting().await;
    let outcomes = at_once((1..=8).map(|n| {
        let (store, before) = (world.store.clone(), waiting.clone());
        async move {
            let after = cancelled(&before, at(n));
            let is_moved = store.move_delivery(&before, &after).await.expect("the table answers");
            is_moved.then_some(after)
        }
    }))
    .await;
    let won: Vec<_> = outcomes.into_iter().flatten().collect();
    let [winner] = &won[..] else { panic!("{} moves were made", won.len()) };
    assert_eq!(world.delivery(waiting.id).await, *winner);
}

pub async fn a_push_stands_in_the_way_of_no_move(world: &World) {
    let waiting = world.waiting().await;
    let pushed = world.store.push_due(&DueThing::Outbound(waiting.clone()), at(300)).await;
    assert!(pushed.expect("the table answers"));
    let after = cancelled(&waiting, at(130));
    assert!(moved(world, &waiting, &after).await);
    assert_eq!(world.delivery(waiting.id).await, after);
}

pub async fn moving_what_does_not_exist_makes_nothing(world: &World) {
    let missing = kept(event_id(at(0), 1), subscription_id(1));
    assert!(!moved(world, &missing, &cancelled(&missing, at(1))).await);
    assert_eq!(world.store.delivery(&tenant(), missing.id).await.expect("the table answers"), None);
}

/// B17: each word of a target moves the end of its patience, and what it says after the end is too late.
pub async fn what_a_target_tells_moves_its_delivery(world: &World) {
    let first = begun(event_id(at(0), 1), subscription_id(1));
    world.create(&first).await;
    let begun = judged(&first, answered(202), &Verdict::InProgress, at(1));
    let recorded = world.store.record_attempt(owner(1), &begun).await;
    assert_eq!(recorded.expect("the table answers"), Recorded::Yes);

    let half = Progress { percent: 50, message: Some("half".to_owned()), at: at(100) };
    let state = DeliveryState::InProgress { silent_at: at(1_000) };
    let told = Delivery { progress: Some(half), ..begun.clone().in_state(state, at(100)) };
    assert!(moved(world, &begun, &told).await);
    assert_eq!(world.delivery(first.id).await, told);
    assert_eq!(world.due(first.id.to_bytes(), at(1_000) - MILLISECOND).await, []);

    let done = told.clone().in_state(DeliveryState::Delivered { at: at(200) }, at(200));
    assert!(moved(world, &told, &done).await);
    assert!(!moved(world, &told, &cancelled(&told, at(201))).await, "it ended");
    assert!(!moved(world, &begun, &cancelled(&begun, at(201))).await, "it ended");
    assert_eq!(world.delivery(first.id).await, done);
}

pub async fn an_attempt_that_was_put_back_is_taken_once_more(world: &World) {
    let waiting = world.waiting().await;
    let claim = world.store.claim_attempt(&tenant(), waiting.id, owner(2), at(60), at(60) + LEASE).await;
    let Claim::Ours(claimed) = claim.expect("the table answers") else { panic!("it is due") };
    let kept = claimed.in_state(DeliveryState::Held, at(61));
    let recorded = world.store.record_attempt(owner(2), &kept).await;
    assert_eq!(recorded.expect("the table answers"), Recorded::Yes);
    assert_eq!(world.delivery(kept.id).await, kept);

    let state = DeliveryState::Pending { next_attempt_at: at(600), reason: None };
    assert!(moved(world, &kept, &kept.clone().in_state(state, at(600))).await);
    let claim = world.store.claim_attempt(&tenant(), kept.id, owner(3), at(600), at(600) + LEASE).await;
    let Claim::Ours(again) = claim.expect("the table answers") else { panic!("it is due") };
    let DeliveryState::Attempting { n, .. } = again.state else { panic!("{again:?}") };
    assert_eq!(n, 2, "what was put back spent no attempt");
    let after = ended(&again, taken(), at(601));
    let recorded = world.store.record_attempt(owner(3), &after).await;
    assert_eq!(recorded.expect("the table answers"), Recorded::Yes);
    assert_eq!(world.delivery(kept.id).await, after);
}

fn cancelled(delivery: &Delivery, at: Timestamp) -> Delivery {
    delivery.clone().in_state(DeliveryState::Cancelled { at }, at)
}

async fn moved(world: &World, before: &Delivery, after: &Delivery) -> bool {
    world.store.move_delivery(before, after).await.expect("the table answers")
}
