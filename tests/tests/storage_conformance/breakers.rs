//! Circuit breakers, which all instances share and change by their versions.

use hookport::domain::breaker::{Breaker, FAILURES_TO_OPEN, HostPort};
use hookport::domain::target_url::{TargetUrl, UrlPolicy};
use hookport::store::{BreakerWritten, Store, StoredBreaker};
use jiff::{SignedDuration, Timestamp};

use super::values::{MILLISECOND, at, owner, target, tenant, tenant_named};
use super::world::{World, at_once};

/// For how long a breaker is remembered after its last change.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

pub async fn nothing_is_known_against_a_host_at_first(world: &World) {
    assert_eq!(read(world, at(5)).await.breaker, Breaker::clear(at(5)));
}

/// B6: every step, from the first failure to the probe and back, is what the next instance sees.
pub async fn a_breaker_reads_back_at_every_step(world: &World) {
    let mut known = read(world, at(0)).await;
    for n in 1..=i64::from(FAILURES_TO_OPEN) {
        known = changed(world, &known, known.breaker.after_failure(at(n)), at(n)).await;
        assert_eq!(read(world, at(n)).await, known);
    }
    assert!(known.breaker.open_until.is_some());
    known = changed(world, &known, known.breaker.probing(at(100) + MILLISECOND), at(80)).await;
    assert_eq!(read(world, at(80)).await, known);
    known = changed(world, &known, known.breaker.after_failure(at(90)), at(90)).await;
    assert_eq!((known.breaker.opened, known.breaker.probe_until), (2, None));
    assert_eq!(read(world, at(90)).await, known);
    known = changed(world, &known, known.breaker.after_success(at(500)), at(500)).await;
    assert_eq!(read(world, at(500)).await, known);
    assert!(known.breaker.is_clear());
}

pub async fn a_change_of_a_breaker_that_moved_gives_what_it_is_now(world: &World) {
    let nothing = read(world, at(0)).await;
    let first = changed(world, &nothing, nothing.breaker.after_failure(at(1)), at(1)).await;
    let late = change(&world.store, &nothing, nothing.breaker.after_failure(at(2)), 2, at(2)).await;
    assert_eq!(late, BreakerWritten::Overtaken(first));
    let second = changed(world, &first, first.breaker.after_failure(at(3)), at(3)).await;
    let late = change(&world.store, &first, first.breaker.after_success(at(4)), 2, at(4)).await;
    assert_eq!(late, BreakerWritten::Overtaken(second));
    assert_eq!(read(world, at(4)).await, second);
}

/// B6: of all instances that would send the probe, one does.
pub async fn one_of_many_changes_of_a_breaker_at_once_is_made(world: &World) {
    // The first time nothing is stored yet, the second time what the first one made.
    for _ in 0..2 {
        let before = read(world, at(2)).await;
        let outcomes = at_once((1..=8).map(|by| {
            let store = world.store.clone();
            async move { change(&store, &before, before.breaker.probing(at(60)), by, at(2)).await }
        }))
        .await;
        let won: Vec<_> = outcomes.iter().filter(|it| matches!(it, BreakerWritten::Yes(_))).collect();
        let [BreakerWritten::Yes(winner)] = won[..] else { panic!("{} changes were made", won.len()) };
        for outcome in &outcomes {
            assert!(matches!(outcome, BreakerWritten::Yes(now) | BreakerWritten::Overtaken(now) if now == winner));
        }
        assert_eq!(read(world, at(2)).await, *winner);
    }
}

pub async fn a_change_of_a_breaker_made_again_by_its_writer_is_made(world: &World) {
    let nothing = read(world, at(0)).await;
    let after = nothing.breaker.after_failure(at(1));
    let first = change(&world.store, &nothing, after, 1, at(1)).await;
    assert!(matches!(first, BreakerWritten::Yes(_)), "{first:?}");
    assert_eq!(change(&world.store, &nothing, after, 1, at(1)).await, first);
    let other = change(&world.store, &nothing, after, 2, at(1)).await;
    assert!(matches!(other, BreakerWritten::Overtaken(_)), "{other:?}");
}

/// The table deletes late: what has expired counts as nothing, and can be changed all the same.
pub async fn what_is_known_against_a_host_is_forgotten_after_a_day(world: &World) {
    let nothing = read(world, at(0)).await;
    let known = changed(world, &nothing, nothing.breaker.after_failure(at(0)), at(0)).await;
    let over = at(0) + LIFE;
    assert_eq!(read(world, over - MILLISECOND).await, known);
    let forgotten = read(world, over).await;
    assert_eq!(forgotten.breaker, Breaker::clear(over));
    let anew = changed(world, &forgotten, forgotten.breaker.after_failure(over), over).await;
    assert_eq!(anew.breaker.failures, 1);
    assert_eq!(read(world, over).await, anew);
}

/// B6: another port is another host, and no tenant opens a breaker for another.
pub async fn each_tenant_and_port_has_a_breaker_of_its_own(world: &World) {
    let nothing = read(world, at(0)).await;
    changed(world, &nothing, nothing.breaker.after_failure(at(1)), at(1)).await;
    let port = TargetUrl::parse("https://hooks.example.com:8443/", &UrlPolicy::default()).expect("a public URL");
    for (tenant, host) in [(tenant(), HostPort::of(&port)), (tenant_named("another"), host())] {
        let other = world.store.breaker(&tenant, &host, at(2)).await.expect("the table answers");
        assert!(other.breaker.is_clear(), "{tenant} {host}");
    }
}

fn host() -> HostPort {
    HostPort::of(&target())
}

async fn read(world: &World, now: Timestamp) -> StoredBreaker {
    world.store.breaker(&tenant(), &host(), now).await.expect("the table answers")
}

async fn change(store: &Store, before: &StoredBreaker, after: Breaker, by: u128, now: Timestamp) -> BreakerWritten {
    let (tenant, host) = (tenant(), host());
    store.change_breaker((&tenant, &host), before, after, owner(by), now).await.expect("the table answers")
}

/// Changes it, which nobody else does.
async fn changed(world: &World, before: &StoredBreaker, after: Breaker, now: Timestamp) -> StoredBreaker {
    match change(&world.store, before, after, 1, now).await {
        BreakerWritten::Yes(stored) => stored,
        BreakerWritten::Overtaken(other) => panic!("{other:?} stands in the way"),
    }
}
