//! Subscriptions: who wants which events where, and whether the target has proven that it wants them.

mod registered;
mod settings;
mod status;
mod verification;

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::registered::Admission;
pub use self::settings::{
    AutoDisable, EventFilter, MAX_ENTITY_IDS, MAX_FORWARDED, MAX_IN_FLIGHT, MAX_METADATA, MAX_PATTERNS, MAX_TIMEOUT_S,
    Metadata, Settings,
};
pub use self::status::{Cause, Intake, State, Status};
pub use self::verification::{
    Challenge, ChallengeError, Purpose, SUPPLIED_CHALLENGE_CHARS, Verification, VerificationStatus,
};
use super::event_facts::{EventFacts, OwnerName};
use super::event_type::{EventPattern, EventType};
use super::id::SubscriptionId;
use super::own_event::OWN_EVENT_TYPES;
use super::payload_mode::PayloadMode;
use super::retry::{RetryOn, RetrySchedule};
use super::static_headers::StaticHeaders;
use super::target::Target;
use super::target_auth::StoredAuth;
use super::target_url::TargetUrl;
use super::text::{Name, TenantSlug};
use super::time::later;
use crate::dialect::DialectName;
use crate::vault::Sealed;

/// How long a subscription whose target never proved itself is kept, in days.
pub const UNVERIFIED_DAYS: i64 = 30;
/// How long a subscription that registered itself waits to be let in, in days.
pub const UNAPPROVED_DAYS: i64 = 7;
/// How long before its end such a subscription's owner is told, in days.
pub const WARNING_DAYS: i64 = 3;
/// Stands for what only the operator may know: where its own subscription leads, and what is there.
pub const OPERATOR_PINNED: &str = "(operator-pinned)";
/// How often upkeep looks after a challenge that is under way, or a queue that is being drained.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// A secret that still signs beside the current one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreviousSecret {
    /// The secret, sealed.
    pub secret: Sealed,
    /// From when on it signs no more.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub until: Timestamp,
}

/// Which declaration a subscription was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The name of the set of declarations.
    pub set: String,
    /// The SHA-256 of the declaration, in hex: all of its parameters are its identity.
    pub fingerprint: String,
}

/// Who wants which events where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose it is.
    pub tenant: TenantSlug,
    /// On whose behalf it was made; fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerName>,
    /// What its owner chose.
    pub settings: Settings,
    /// The signing secret, sealed.
    pub secret: Sealed,
    /// The secret before it, while both sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_secret: Option<PreviousSecret>,
    /// How its requests show who is asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<StoredAuth>,
    /// Whether it gets events, and why.
    pub status: Status,
    /// How its target proves itself.
    pub verification: Verification,
    /// The declaration that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Declared>,
    /// Raised by every change; changes are conditional on it.
    pub version: u64,
    /// When it was made; older events are not for it.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When it was changed last, by whomever.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub updated_at: Timestamp,
}

impl Subscription {
    /// Tells whether an event, accepted at this time, is for the subscription: all but its payload is looked at.
    #[must_use]
    pub fn wants(&self, event_type: &EventType, facts: Option<&EventFacts>, accepted_at: Timestamp) -> bool {
        let owner = facts.and_then(|facts| facts.owner.as_ref());
        self.created_at <= accepted_at
            // An event of one owner is for no other; what nobody owns, on either side, is for all.
            && owner.is_none_or(|of| self.owner.as_ref().is_none_or(|own| own == of))
            && self.settings.events.iter().any(|pattern| pattern.matches(event_type))
            && self.settings.filter.admits(event_type, facts)
    }

    /// Where it leads, as its owner may see it.
    #[must_use]
    pub fn place(&self) -> String {
        if self.id == SubscriptionId::PINNED {
            return OPERATOR_PINNED.to_owned();
        }
        self.settings.target.place().unwrap_or_else(|| self.settings.url.to_string())
    }

    /// What becomes of an event that it wants.
    #[must_use]
    pub fn intake(&self) -> Intake {
        match self.status.state {
            State::Active if self.status.is_draining => Intake::Hold,
            State::Active => Intake::Deliver,
            State::Paused => Intake::Hold,
            // It was proven before: what comes while a new URL or secret proves itself is kept for it.
            State::PendingVerification if self.verification.verified_at.is_some() => Intake::Hold,
            State::AwaitingApproval
            | State::PendingVerification
            | State::AwaitingChallenge
            | State::VerificationFailed
            | State::Disabled => Intake::Skip,
        }
    }

    /// The same at its next version.
    #[must_use]
    pub fn changed(&self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// In another state from `now` on.
    #[must_use]
    pub fn put_into(&self, state: State, cause: Cause, now: Timestamp) -> Self {
        let status = Status { state, cause, since: now, is_draining: false, is_keeping: false };
        let next = Self { status, ..self.changed(now) };
        let was_keeping = self.intake() == Intake::Hold || self.status.is_keeping;
        let is_keeping = was_keeping && next.intake() == Intake::Skip;
        Self { status: Status { is_keeping, ..status }, ..next }
    }

    /// Taking events again after a pause or its like: what was kept goes first.
    #[must_use]
    pub fn activated(&self, cause: Cause, now: Timestamp) -> Self {
        let status = Status { state: State::Active, cause, since: now, is_draining: true, is_keeping: false };
        Self { status, ..self.changed(now) }
    }

    /// Nothing that was kept is left.
    #[must_use]
    pub fn drained(&self, now: Timestamp) -> Self {
        Self { status: Status { is_draining: false, ..self.status }, ..self.changed(now) }
    }

    /// With a fresh challenge under way. An active one stays active while it proves itself again.
    #[must_use]
    pub fn challenged(&self, purpose: Purpose, challenge: Challenge, now: Timestamp) -> Self {
        let verification = self.verification.started(purpose, challenge, now);
        let next = match purpose {
            Purpose::Activation => self.put_into(State::PendingVerification, Cause::ChallengeStarted, now),
            Purpose::Renewal | Purpose::Rotation => self.changed(now),
        };
        Self { verification, ..next }
    }

    /// Proven. One that waited for it takes events from now on; others go on as they are.
    #[must_use]
    pub fn proven(&self, now: Timestamp) -> Self {
        let was_proven = self.verification.verified_at.is_some();
        let next = match self.status.state {
            State::PendingVerification if was_proven => self.activated(Cause::ChallengePassed, now),
            State::PendingVerification => self.put_into(State::Active, Cause::ChallengePassed, now),
            _ => self.changed(now),
        };
        Self { verification: self.verification.passed(now), ..next }
    }

    /// Active because the operator trusts the host of its target, which counts as a proof.
    #[must_use]
    pub fn trusted(&self, now: Timestamp) -> Self {
        let verification = Verification::default().passed(now);
        let next = match self.verification.verified_at {
            // What was kept for it goes first.
            Some(_) => self.activated(Cause::TargetTrusted, now),
            None => self.put_into(State::Active, Cause::TargetTrusted, now),
        };
        Self { verification, ..next }
    }

    /// Not proven, for a reason that people can read. Only a rotation leaves an active one active: its old secret still
    /// signs.
    #[must_use]
    pub fn unproven(&self, reason: String, now: Timestamp) -> Self {
        let next = match (self.status.state, self.verification.purpose) {
            (State::PendingVerification, _) | (State::Active, Purpose::Activation | Purpose::Renewal) => {
                self.put_into(State::VerificationFailed, Cause::ChallengeFailed, now)
            }
            _ => self.changed(now),
        };
        Self { verification: self.verification.failed(reason, now), ..next }
    }

    /// When it is deleted if nobody lets it in, or its target does not prove itself, before; never once it did.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        if self.status.state == State::AwaitingApproval {
            return Some(later(self.status.since, SignedDuration::from_hours(24 * UNAPPROVED_DAYS)));
        }
        let waits = matches!(self.status.state, State::AwaitingChallenge | State::VerificationFailed);
        (waits && self.verification.verified_at.is_none())
            .then(|| later(self.status.since, SignedDuration::from_hours(24 * UNVERIFIED_DAYS)))
    }

    /// When its owner is told that it will be deleted.
    #[must_use]
    pub fn warns_at(&self) -> Option<Timestamp> {
        let end = self.expires_at()?;
        Some(end.saturating_sub(SignedDuration::from_hours(24 * WARNING_DAYS)).unwrap_or(end))
    }

    /// When an active one has to prove itself again, if that was asked for.
    #[must_use]
    pub fn reverify_at(&self) -> Option<Timestamp> {
        let days = self.settings.reverify_days.filter(|_| self.status.state == State::Active)?;
        let proven = self.verification.verified_at.unwrap_or(self.created_at);
        // One that has just failed is not asked again at once.
        let last = self.verification.ended_at.map_or(proven, |end| end.max(proven));
        Some(later(last, SignedDuration::from_hours(24 * i64::from(days))))
    }

    /// When upkeep has to look at it next, if ever.
    #[must_use]
    pub fn next_upkeep(&self, now: Timestamp) -> Option<Timestamp> {
        let again = later(now, LOOK_AGAIN);
        let looks = [
            (self.verification.status == VerificationStatus::Pending).then_some(again),
            self.status.is_draining.then_some(again),
            self.warns_at().filter(|at| *at > now),
            self.expires_at(),
            self.reverify_at().filter(|_| self.verification.status != VerificationStatus::Pending),
        ];
        looks.into_iter().flatten().min()
    }
}

/// The operator's own subscription as it stands in a tenant: active, never stored, and not to be switched off.
///
/// # Panics
/// Never: its texts are well formed.
#[must_use]
pub fn pinned(tenant: TenantSlug, url: TargetUrl) -> Subscription {
    let own = OWN_EVENT_TYPES.iter().map(|own| EventType::try_from(own.name.to_owned()));
    let events = own.map(|own| EventPattern::Exactly(own.expect("it is words joined by a dot"))).collect();
    let since = Timestamp::UNIX_EPOCH;
    Subscription {
        id: SubscriptionId::PINNED,
        tenant,
        owner: None,
        settings: Settings {
            name: Name::try_from("Operator's sink".to_owned()).expect("a name"),
            description: None,
            url,
            target: Target::default(),
            events,
            filter: EventFilter::default(),
            payload: PayloadMode::Full,
            dialect: DialectName::default(),
            also_sign: Vec::new(),
            proof: None,
            ordering: None,
            forward_headers: Vec::new(),
            headers: StaticHeaders::default(),
            timeout_s: Settings::DEFAULT_TIMEOUT_S,
            retry_schedule: RetrySchedule::Standard,
            retry_on: RetryOn::default(),
            rate_limit: None,
            max_in_flight: None,
            auto_disable: None,
            response_rule: None,
            kept_response_bytes: 0,
            permission: None,
            reverify_days: None,
            metadata: Metadata::new(),
        },
        secret: Sealed::default(),
        previous_secret: None,
        auth: None,
        status: Status { state: State::Active, cause: Cause::Created, since, is_draining: false, is_keeping: false },
        verification: Verification::default(),
        declared: None,
        version: 0,
        created_at: since,
        updated_at: since,
    }
}
