use secrecy::SecretString;

use super::*;
use crate::domain::subscription::{Admission, Cause, Challenge, pinned};
use crate::domain::target_url::TargetUrl;
use crate::random::Random;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + minutes * 60).expect("a time in range")
}

fn pattern(text: &str) -> EventPattern {
    EventPattern::try_from(text.to_owned()).expect("a pattern")
}

fn tenant() -> TenantSlug {
    TenantSlug::try_from("acme".to_owned()).expect("a slug")
}

fn sealed(text: &str) -> Sealed {
    serde_json::from_value(text.into()).expect("a text")
}

fn token() -> RegistrationToken {
    RegistrationToken {
        id: RegistrationTokenId::new(at(0), 3),
        tenant: tenant(),
        name: Name::try_from("build server".to_owned()).expect("a name"),
        kind: RegistrationKind::Single,
        owner: None,
        bounds: Bounds::default(),
        approved: false,
        max_uses: Some(1),
        hash: SecretHash::of(&SecretString::from("hpr_x")),
        created_at: at(0),
        expires_at: Some(at(60)),
    }
}

/// A subscription that registered itself at minute 0.
fn registered(admission: Admission) -> Subscription {
    let url = TargetUrl::try_from("https://example.com/hook".to_owned()).expect("a URL");
    let draft = Subscription { secret: sealed("k1.first"), ..pinned(tenant(), url) };
    draft.registered(admission, Challenge::new(&Random::seeded(1)), at(0))
}

fn usage(is_approved: bool, is_own_challenge: bool) -> RegistrationUse {
    let secret = sealed("k1.first").digest();
    RegistrationUse { subscription: SubscriptionId::new(at(0), 1), secret, is_own_challenge, is_approved, at: at(0) }
}

#[test]
fn a_pattern_lies_within_another_when_that_takes_in_all_of_it() {
    let cases = [
        ("*", "*", true),
        ("*", "invoice.*", true),
        ("*", "invoice.paid", true),
        ("invoice.*", "invoice.*", true),
        ("invoice.*", "invoice.paid", true),
        ("invoice.*", "invoice.line.*", true),
        ("invoice.*", "invoice.line.added", true),
        ("invoice.*", "invoices.*", false),
        ("invoice.*", "*", false),
        ("invoice.line.*", "invoice.*", false),
        ("invoice.paid", "invoice.paid", true),
        ("invoice.paid", "invoice.paid.late", false),
        ("invoice.paid", "invoice.*", false),
        ("invoice.paid", "*", false),
    ];
    for (allowed, asked, expected) in cases {
        assert_eq!(covers(&pattern(allowed), &pattern(asked)), expected, "{asked} within {allowed}");
    }
}

#[test]
fn all_that_is_asked_for_has_to_lie_within_the_bounds() {
    let bounds = Bounds { events: vec![pattern("invoice.*"), pattern("ticket.closed")], hosts: Vec::new() };
    let beyond = |asked: &[&str]| {
        let asked: Vec<_> = asked.iter().map(|text| pattern(text)).collect();
        bounds.first_beyond(&asked).cloned().map(String::from)
    };
    assert_eq!(beyond(&["invoice.paid", "ticket.closed"]), None);
    assert_eq!(beyond(&["invoice.paid", "ticket.*", "*"]).as_deref(), Some("ticket.*"));
    assert_eq!(Bounds::default().first_beyond(&[pattern("invoice.paid")]), Some(&pattern("invoice.paid")));
}

#[test]
fn no_pattern_of_hosts_is_any_host() {
    let hosts = vec![HostPattern::try_from("*.example.com".to_owned()).expect("a pattern")];
    let bounds = Bounds { events: Vec::new(), hosts };
    assert!(bounds.admits_host("hooks.example.com") && !bounds.admits_host("example.org"));
    assert!(Bounds::default().admits_host("example.org"));
}

#[test]
fn a_token_is_spent_or_past_its_end() {
    let issued =
        |uses, max_uses| IssuedToken { token: RegistrationToken { max_uses, ..token() }, uses, last_used_at: None };
    assert_eq!(issued(0, Some(1)).state(at(59)), RegistrationTokenState::Active);
    assert_eq!(issued(0, Some(1)).state(at(60)), RegistrationTokenState::Expired);
    assert_eq!(issued(1, Some(1)).state(at(0)), RegistrationTokenState::Used);
    assert_eq!(issued(9_999_999, None).state(at(0)), RegistrationTokenState::Active);
    assert_eq!(token().listed_until(), Some(at(60 + 30 * 24 * 60)));
}

#[test]
fn what_waits_for_an_admin_is_answered_again_for_ten_minutes() {
    let held = registered(Admission::Held);
    let again =
        |subscription: &Subscription, minutes| usage(false, true).can_be_answered_again(subscription, at(minutes));
    assert!(again(&held, 0) && again(&held, 9));
    assert!(!again(&held, 10), "the window ends");
    let approved = held.approved(false, Challenge::new(&Random::seeded(2)), at(1));
    assert!(!again(&approved, 2), "an admin let it in");
    assert!(!again(&approved.proven(at(2)), 3));
    let rotated = Subscription { secret: sealed("k1.second"), ..held };
    assert!(!again(&rotated, 1), "another secret was given to somebody else");
}

#[test]
fn what_was_let_in_beforehand_is_answered_again_until_it_is_proven_or_by_who_knows_its_challenge() {
    let pending = registered(Admission::Challenged);
    let failed = pending.unproven("no answer".to_owned(), at(1));
    let proven = pending.proven(at(1));
    let again = |own, subscription: &Subscription| usage(true, own).can_be_answered_again(subscription, at(2));
    for own in [false, true] {
        assert!(again(own, &pending) && again(own, &failed), "{own}");
    }
    assert!(!again(false, &proven) && again(true, &proven));
    let paused = proven.put_into(State::Paused, Cause::ByHand, at(1));
    assert!(!again(true, &paused), "somebody has touched it");
    let trusted = registered(Admission::Trusted);
    assert!(again(false, &trusted), "nothing was done to it since");
    for own in [false, true] {
        for changed in [&pending, &trusted] {
            assert!(!again(own, &changed.changed(at(1))), "an admin gave it other settings");
        }
    }
}
