//! Claims on idempotency keys.

use hookport::domain::idempotency::{Claim, IdempotencyKey};
use hookport::store::{Claimed, Store};
use jiff::Timestamp;

use super::values::{MILLISECOND, at, inbound_id, tenant, tenant_named, webhook_id};
use super::world::{World, at_once};

const WINDOW_S: u32 = 60;

pub async fn a_free_key_is_taken(world: &World) {
    assert_eq!(take(&world.store, claim(1, at(0))).await, Claimed::Ours);
}

pub async fn the_loser_of_a_key_is_told_the_winner(world: &World) {
    let winner = claim(1, at(0));
    take(&world.store, winner).await;
    assert_eq!(take(&world.store, claim(2, at(0))).await, Claimed::Theirs(winner));
    assert_eq!(take(&world.store, claim(3, at(30))).await, Claimed::Theirs(winner));
}

pub async fn a_claim_made_again_by_its_own_request_is_still_ours(world: &World) {
    let first = claim(1, at(0));
    assert_eq!(take(&world.store, first).await, Claimed::Ours);
    assert_eq!(take(&world.store, first).await, Claimed::Ours);
    assert_eq!(take(&world.store, claim(2, at(0))).await, Claimed::Theirs(first));
}

pub async fn a_key_is_free_again_exactly_when_its_window_ends(world: &World) {
    let first = claim(1, at(0));
    take(&world.store, first).await;
    // Had this duplicate prolonged the window, the next request would still lose.
    assert_eq!(take(&world.store, claim(2, at(60) - MILLISECOND)).await, Claimed::Theirs(first));
    let next = claim(3, at(60));
    assert_eq!(take(&world.store, next).await, Claimed::Ours);
    assert_eq!(take(&world.store, claim(4, at(60))).await, Claimed::Theirs(next));
}

pub async fn keys_of_other_webhooks_and_tenants_are_others(world: &World) {
    let (here, mine) = (tenant(), webhook_id(1));
    let (there, another) = (tenant_named("another"), webhook_id(2));
    let cases = [
        (&here, mine, "order-1"),
        (&here, mine, "order-2"),
        (&here, mine, "ORDER-1"),
        (&here, another, "order-1"),
        (&there, mine, "order-1"),
    ];
    for (n, (tenant, webhook, text)) in (0..).zip(cases) {
        let claimed = world.store.claim_key(tenant, webhook, &key(text), &claim(n, at(0))).await;
        assert_eq!(claimed.expect("the table answers"), Claimed::Ours, "{tenant} {webhook} {text}");
    }
}

pub async fn one_of_thirty_two_claims_at_once_wins(world: &World) {
    let claims: Vec<_> = (0..32).map(|n| claim(n, at(0))).collect();
    assert_one_wins(world, &claims).await;
}

pub async fn one_of_thirty_two_claims_of_a_key_that_is_free_again_wins(world: &World) {
    take(&world.store, claim(100, at(0))).await;
    let claims: Vec<_> = (0..32).map(|n| claim(n, at(60))).collect();
    assert_one_wins(world, &claims).await;
}

/// Makes all claims at once: one gets the key, and all others are told which one that is.
async fn assert_one_wins(world: &World, claims: &[Claim]) {
    let outcomes = at_once(claims.iter().map(|claim| {
        let (store, claim) = (world.store.clone(), *claim);
        async move { (claim, take(&store, claim).await) }
    }))
    .await;
    let ours: Vec<Claim> = outcomes.iter().filter(|(_, it)| *it == Claimed::Ours).map(|(claim, _)| *claim).collect();
    let [winner] = ours[..] else { panic!("{} claims won", ours.len()) };
    for (claim, outcome) in outcomes {
        if claim != winner {
            assert_eq!(outcome, Claimed::Theirs(winner));
        }
    }
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::from_header(text.as_bytes()).expect("a key")
}

/// The claim of the `n`th request of an instant.
fn claim(n: u32, arrived_at: Timestamp) -> Claim {
    Claim::new(inbound_id(webhook_id(1), arrived_at, n), arrived_at, WINDOW_S)
}

async fn take(store: &Store, claim: Claim) -> Claimed {
    let claimed = store.claim_key(&tenant(), webhook_id(1), &key("order-1"), &claim).await;
    claimed.expect("the table answers")
}
