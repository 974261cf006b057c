use super::*;
use crate::random::Random;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + hours * 3_600).expect("a time in range")
}

fn url() -> TargetUrl {
    TargetUrl::try_from("https://example.com/hook".to_owned()).expect("a URL")
}

/// A subscription that was made at hour 0.
fn made(state: State) -> Subscription {
    let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
    let operators = pinned(tenant, url());
    let id = SubscriptionId::new(at(0), 7);
    let status = Status { state, cause: Cause::Created, since: at(0), is_draining: false, is_keeping: false };
    Subscription { id, status, version: 1, created_at: at(0), updated_at: at(0), ..operators }
}

fn challenge() -> Challenge {
    Challenge::new(&Random::seeded(1))
}

fn proven() -> Subscription {
    made(State::PendingVerification).challenged(Purpose::Activation, challenge(), at(0)).proven(at(1))
}

/// A1: an answered challenge makes a subscription active, and nothing is kept for one that never was before.
#[test]
fn a1_the_first_proof_makes_it_active_with_nothing_to_drain() {
    let before = made(State::PendingVerification).challenged(Purpose::Activation, challenge(), at(0));
    assert_eq!(before.intake(), Intake::Skip, "what comes before it is proven is not for it");
    let after = before.proven(at(1));
    assert_eq!((after.status.state, after.status.is_draining), (State::Active, false));
    assert_eq!((after.intake(), after.version), (Intake::Deliver, before.version + 1));
    assert_eq!(after.verification.verified_at, Some(at(1)));
}

#[test]
fn a_new_url_is_proven_before_it_gets_what_came_meanwhile() {
    let moved = proven().challenged(Purpose::Activation, challenge(), at(2));
    assert_eq!((moved.status.state, moved.intake()), (State::PendingVerification, Intake::Hold));
    let after = moved.proven(at(3));
    assert_eq!((after.status.state, after.status.is_draining, after.intake()), (State::Active, true, Intake::Hold));
    assert_eq!(after.drained(at(3)).intake(), Intake::Deliver);
}

#[test]
fn a_rotation_that_is_not_proven_leaves_it_active_and_a_renewal_does_not() {
    let after = |purpose| proven().challenged(purpose, challenge(), at(2)).unproven("no".to_owned(), at(3));
    assert_eq!(after(Purpose::Rotation).status.state, State::Active);
    assert_eq!(after(Purpose::Renewal).status.state, State::VerificationFailed);
    assert_eq!(after(Purpose::Renewal).verification.failure.as_deref(), Some("no"));
}

/// A3: a held subscription expires after a long, announced time, and one that was ever proven never does.
#[test]
fn a3_only_what_never_proved_itself_expires_and_it_says_when() {
    let held = made(State::AwaitingChallenge);
    assert_eq!((held.warns_at(), held.expires_at()), (Some(at(27 * 24)), Some(at(30 * 24))));
    assert_eq!(held.next_upkeep(at(0)), Some(at(27 * 24)));
    assert_eq!(held.next_upkeep(at(27 * 24)), Some(at(30 * 24)));
    let failed = proven().challenged(Purpose::Renewal, challenge(), at(2)).unproven("no".to_owned(), at(3));
    assert_eq!(failed.expires_at(), None);
    assert_eq!(proven().expires_at(), None);
}

/// A10: each challenge has an id of its own, so that an answer to an older one is told from one to the newest.
#[test]
fn a10_another_challenge_is_delivered_under_another_id() {
    let id = |subscription: &Subscription| subscription.verification.event_id(subscription.id);
    let first = made(State::PendingVerification).challenged(Purpose::Activation, challenge(), at(0));
    let again = first.challenged(Purpose::Activation, Challenge::new(&Random::seeded(2)), at(0));
    assert_eq!(id(&first), id(&first.clone()));
    assert_ne!(id(&first), id(&again));
    assert_eq!(id(&made(State::AwaitingChallenge)), None);
}

#[test]
fn an_active_one_is_asked_again_when_its_settings_say_so() {
    let mut asked = proven();
    asked.settings.reverify_days = Some(7);
    assert_eq!(asked.reverify_at(), Some(at(1 + 7 * 24)));
    assert_eq!(asked.next_upkeep(at(2)), Some(at(1 + 7 * 24)));
    let pending = asked.challenged(Purpose::Renewal, challenge(), at(200));
    assert!(pending.next_upkeep(at(200)).is_some_and(|next| next < at(201)), "a challenge under way is looked after");
    assert_eq!(asked.put_into(State::Paused, Cause::ByHand, at(3)).reverify_at(), None);
}

/// A12, defect 8: neither the challenge nor anything of it is in what a log could show.
#[test]
fn defect_8_a_challenge_is_not_shown_by_debug() {
    let subscription = proven();
    let value = subscription.verification.challenge.as_ref().expect("one was started").as_str().to_owned();
    assert_eq!(value.len(), 64);
    assert!(!format!("{subscription:?}").contains(&value));
}

/// Whoever is disabled while events are kept for it keeps them; whoever took events then has nothing that is kept.
#[test]
fn what_was_kept_stays_kept_until_it_takes_events_again() {
    let disabled = |before: &Subscription| before.put_into(State::Disabled, Cause::ByHand, at(3));
    let active = proven();
    assert!(!disabled(&active).status.is_keeping);
    let paused = active.put_into(State::Paused, Cause::ByHand, at(2));
    assert!(!paused.status.is_keeping && disabled(&paused).status.is_keeping);
    let moved = active.challenged(Purpose::Activation, challenge(), at(2));
    let failed = moved.unproven("no".to_owned(), at(3));
    assert!(failed.status.is_keeping, "{:?}", failed.status);
    let again = disabled(&failed);
    assert!(again.status.is_keeping && again.changed(at(4)).status.is_keeping);
    let draining = again.activated(Cause::ByHand, at(4));
    assert!(!draining.status.is_keeping && disabled(&draining).status.is_keeping);
    assert!(!disabled(&draining.drained(at(5))).status.is_keeping);
    let first = made(State::PendingVerification).challenged(Purpose::Activation, challenge(), at(0));
    assert!(!first.unproven("no".to_owned(), at(1)).status.is_keeping, "nothing is kept for one that was never proven");
}
