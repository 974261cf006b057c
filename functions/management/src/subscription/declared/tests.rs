use hookport::domain::subscription::State::{Active, PendingVerification, VerificationFailed};
use hookport::domain::subscription::{Challenge, Purpose};
use hookport::domain::target_url::TargetUrlError;
use hookport::random::Random;

use super::*;
use crate::subscription::sample;

#[test]
fn a_refusal_names_the_declaration_and_its_field() {
    for (error, expected) in [
        (Error::field("timeout_seconds", "must be 1 to 30"), "subscriptions[3].timeout_seconds: must be 1 to 30"),
        (Error::field("payload.fields", "x: unknown"), "subscriptions[3].payload.fields: x: unknown"),
        (Error::InvalidRequest("missing field `url`".to_owned()), "subscriptions[3]: missing field `url`"),
        (
            Error::InvalidRequest("invalid type: null, expected an object".to_owned()),
            "subscriptions[3]: invalid type: null, expected an object",
        ),
        (
            Error::InvalidTarget(TargetUrlError::PlainHttp),
            "subscriptions[3].url: http is not allowed here: the URL must start with https://",
        ),
    ] {
        let refusal = of_entry(3, error);
        assert_eq!((refusal.code(), refusal.to_string().as_str()), ("invalid_request", expected));
    }
    let unknown = of_entry(0, Error::UnknownEventType("invoice.*".to_owned())).to_string();
    assert!(unknown.starts_with("subscriptions[0].events: invoice.*: "), "{unknown}");
    assert_eq!(of_entry(0, Error::Unavailable("down".into())).code(), "unavailable");
}

/// B22: whatever the state of what is no longer declared, it is off afterwards, once.
#[test]
fn b22_what_is_no_longer_declared_is_disabled_whatever_its_state() {
    for state in [Active, PendingVerification, VerificationFailed, Disabled] {
        let before = sample(state, true);
        let after = deactivated(&before, before.updated_at).unwrap();
        assert_eq!((after.status.state, after.status.cause), (Disabled, Cause::Undeclared), "{state:?}");
        assert_eq!((&after.settings, after.version), (&before.settings, before.version + 1));
        assert_eq!(deactivated(&after, after.updated_at), None);
    }
}

#[test]
fn deactivating_gives_up_the_challenge_that_is_under_way() {
    let before = sample(PendingVerification, false);
    let pending = before.challenged(Purpose::Activation, Challenge::new(&Random::seeded(8)), before.updated_at);
    let after = deactivated(&pending, pending.updated_at).unwrap();
    assert_eq!((after.verification.status, after.verification.challenge), (VerificationStatus::NotStarted, None));
}
