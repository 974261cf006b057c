//! Subscriptions that listeners make themselves: how they begin, and what lets them in.

use jiff::Timestamp;

use super::{Cause, Challenge, Purpose, State, Status, Subscription, Verification};

/// How a subscription that registers itself begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It waits for an admin.
    Held,
    /// It was let in beforehand, and its target has to prove itself.
    Challenged,
    /// It was let in beforehand, and the operator trusts the host of its target.
    Trusted,
}

impl Subscription {
    /// The number of the version that a subscription begins with.
    pub const FIRST_VERSION: u64 = 1;

    /// A draft that nobody has seen, as it begins when it registers itself: at its first version.
    ///
    /// A held one keeps what its target will have to echo.
    #[must_use]
    pub fn registered(self, admission: Admission, challenge: Challenge, now: Timestamp) -> Self {
        let unborn = Self { version: Self::FIRST_VERSION - 1, ..self };
        match admission {
            Admission::Held => {
                let verification = Verification { challenge: Some(challenge), ..Verification::default() };
                Self { verification, ..unborn.put_into(State::AwaitingApproval, Cause::Registered, now) }
            }
            Admission::Challenged => unborn.challenged(Purpose::Activation, challenge, now),
            Admission::Trusted => unborn.trusted(now),
        }
    }

    /// Let in by an admin: its target has to echo what it kept, or `challenge` if it kept nothing.
    #[must_use]
    pub fn approved(&self, is_trusted: bool, challenge: Challenge, now: Timestamp) -> Self {
        if is_trusted {
            return self.trusted(now);
        }
        let challenge = self.verification.challenge.clone().unwrap_or(challenge);
        let next = self.challenged(Purpose::Activation, challenge, now);
        Self { status: Status { cause: Cause::Approved, ..next.status }, ..next }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::subscription::{Intake, VerificationStatus, pinned};
    use crate::domain::target_url::TargetUrl;
    use crate::domain::text::TenantSlug;
    use crate::random::Random;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + hours * 3_600).expect("a time in range")
    }

    fn own() -> Challenge {
        Challenge::supplied("a value of its listener".replace(' ', "-")).expect("a challenge")
    }

    fn made() -> Challenge {
        Challenge::new(&Random::seeded(3))
    }

    fn draft() -> Subscription {
        let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
        let url = TargetUrl::try_from("https://example.com/hook".to_owned()).expect("a URL");
        Subscription { version: 1, created_at: at(0), updated_at: at(0), ..pinned(tenant, url) }
    }

    fn held() -> Subscription {
        draft().registered(Admission::Held, own(), at(0))
    }

    #[test]
    fn a_held_one_gets_nothing_and_ends_after_seven_days() {
        let held = held();
        assert_eq!((held.status.state, held.status.cause), (State::AwaitingApproval, Cause::Registered));
        assert_eq!((held.version, held.intake()), (Subscription::FIRST_VERSION, Intake::Skip));
        assert_eq!(held.verification.status, VerificationStatus::NotStarted, "no challenge is under way");
        assert_eq!((held.warns_at(), held.expires_at()), (Some(at(4 * 24)), Some(at(7 * 24))));
        assert_eq!(held.next_upkeep(at(0)), Some(at(4 * 24)));
        assert_eq!(held.next_upkeep(at(4 * 24)), Some(at(7 * 24)));
    }

    #[test]
    fn it_ends_although_its_url_counted_as_proven_for_a_while() {
        let trusted = held().trusted(at(1)).verification;
        let held = Subscription { verification: trusted, ..held() };
        assert_eq!(held.expires_at(), Some(at(7 * 24)));
    }

    #[test]
    fn the_value_that_it_brought_is_sent_once_it_is_let_in() {
        let approved = held().approved(false, made(), at(5));
        assert_eq!((approved.status.state, approved.status.cause), (State::PendingVerification, Cause::Approved));
        assert_eq!(approved.verification.challenge, Some(own()));
        assert_eq!((approved.verification.started_at, approved.expires_at()), (Some(at(5)), None));
        assert_eq!(approved.proven(at(6)).status.state, State::Active);
        let kept_none = Subscription { verification: Verification::default(), ..held() };
        assert_eq!(kept_none.approved(false, made(), at(5)).verification.challenge, Some(made()));
    }

    #[test]
    fn a_trusted_target_is_active_as_soon_as_it_is_let_in() {
        assert_eq!(held().approved(true, made(), at(5)).status.state, State::Active);
        let at_once = draft().registered(Admission::Trusted, own(), at(0));
        assert_eq!((at_once.status.state, at_once.version), (State::Active, Subscription::FIRST_VERSION));
    }

    #[test]
    fn one_that_was_let_in_beforehand_is_challenged_at_once() {
        let challenged = draft().registered(Admission::Challenged, own(), at(0));
        assert_eq!((challenged.status.state, challenged.version), (State::PendingVerification, 1));
        assert_eq!(challenged.verification.challenge, Some(own()));
        let again = challenged.proven(at(0) + SignedDuration::from_secs(1));
        assert_eq!(again.status.state, State::Active);
    }

    #[test]
    fn a_listener_supplies_16_to_128_visible_characters() {
        for good in ["0123456789abcdef", "challenge-of_MINE-7", &"x".repeat(128)] {
            assert_eq!(Challenge::supplied(good.to_owned()).map(|c| c.as_str().to_owned()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "0123456789abcde",
            "0123456789 abcdef",
            "0123456789abcdé",
            "~!\"\\{}challenge-of-mine",
            "0123456789abcde\n",
            &"x".repeat(129),
        ] {
            assert!(Challenge::supplied(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
