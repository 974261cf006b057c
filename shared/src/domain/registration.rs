//! Registration: listeners make their own subscriptions, with a token that an admin gave out or by asking.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::api_token::SecretHash;
use super::audit::{Principal, PrincipalKind};
use super::event_facts::OwnerName;
use super::event_type::EventPattern;
use super::host_pattern::HostPattern;
use super::id::{RegistrationTokenId, SubscriptionId};
use super::rate_limit::RateLimit;
use super::subscription::{Cause, State, Subscription};
use super::text::{Name, TenantSlug};
use super::time::later;
use crate::vault::Sealed;

#[cfg(test)]
mod tests;

/// How often one address, or the holder of one token, may try to register; so is one tenant asked without a token.
pub const TRIES: RateLimit = RateLimit { requests: 60, window_s: 60 };
/// For how long a registration whose answer was lost is answered again.
pub const REPEAT: SignedDuration = SignedDuration::from_mins(10);
/// How long a token for one use lasts when nothing else is said, in days.
pub const SINGLE_DAYS: i64 = 7;
/// The longest that a token for one use may last, in days.
pub const MAX_SINGLE_DAYS: i64 = 90;
/// The most uses that a token for many may be given.
pub const MAX_USES: u32 = 10_000;
/// The most patterns of hosts.
pub const MAX_HOSTS: usize = 20;
/// How many subscriptions may wait for an admin before nobody can ask any more, when nothing else is said.
pub const DEFAULT_MAX_WAITING: u32 = 20;
/// The most that may be set for it.
pub const MAX_WAITING: u32 = 1_000;
/// How long a token that is past its end is still listed, in days.
const LISTED_DAYS: i64 = 30;

/// How often a registration token can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationKind {
    /// Once, by the listener that it was made for.
    #[default]
    Single,
    /// Many times, by an automation.
    Automation,
}

/// What may be registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Every pattern that is asked for must lie within one of these.
    #[serde(default)]
    pub events: Vec<EventPattern>,
    /// The host of the URL must be like one of these; empty: any host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostPattern>,
}

impl Bounds {
    /// The first pattern that may not be asked for.
    #[must_use]
    pub fn first_beyond<'a>(&self, asked: &'a [EventPattern]) -> Option<&'a EventPattern> {
        asked.iter().find(|asked| !self.events.iter().any(|allowed| covers(allowed, asked)))
    }

    /// Tells whether deliveries may go to a host.
    #[must_use]
    pub fn admits_host(&self, host: &str) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|pattern| pattern.matches(host))
    }
}

/// Tells whether everything that `asked` takes in is taken in by `allowed` as well.
fn covers(allowed: &EventPattern, asked: &EventPattern) -> bool {
    match (allowed, asked) {
        (EventPattern::All, _) => true,
        (EventPattern::Below(allowed), EventPattern::Below(asked)) => asked.starts_with(allowed.as_str()),
        (allowed, EventPattern::Exactly(event_type)) => allowed.matches(event_type),
        (EventPattern::Below(_) | EventPattern::Exactly(_), EventPattern::All)
        | (EventPattern::Exactly(_), EventPattern::Below(_)) => false,
    }
}

/// A stored registration token: everything but the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationToken {
    /// Its id, safe to show and log.
    pub id: RegistrationTokenId,
    /// Whose subscriptions are made with it.
    pub tenant: TenantSlug,
    /// Whom it was made for, in its maker's words.
    pub name: Name,
    /// How often it can be used.
    pub kind: RegistrationKind,
    /// On whose behalf subscriptions are made with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerName>,
    /// What may be registered with it.
    pub bounds: Bounds,
    /// Whether what is registered with it need not be let in by an admin.
    pub approved: bool,
    /// The most uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// The SHA-256 of the token.
    pub hash: SecretHash,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// From when on it is refused, if ever.
    #[serde(
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<Timestamp>,
}

impl RegistrationToken {
    /// Tells whether the token is past its end at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Until when it is listed; for ever when it has no end.
    #[must_use]
    pub fn listed_until(&self) -> Option<Timestamp> {
        self.expires_at.map(|end| later(end, SignedDuration::from_hours(24 * LISTED_DAYS)))
    }

    /// Its holder, as the audit log names it.
    #[must_use]
    pub fn principal(&self) -> Principal {
        let kind = match self.kind {
            RegistrationKind::Single => PrincipalKind::RegistrationToken,
            RegistrationKind::Automation => PrincipalKind::Automation,
        };
        Principal { kind, id: Some(self.id.to_string()), name: Some(self.name.to_string()) }
    }
}

/// A registration token, and how it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedToken {
    /// The token.
    pub token: RegistrationToken,
    /// How many subscriptions were made with it.
    pub uses: u32,
    /// When the last one was made.
    pub last_used_at: Option<Timestamp>,
}

/// Whether a registration token can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationTokenState {
    /// It can.
    Active,
    /// It was used as often as it could be.
    Used,
    /// It is past its end.
    Expired,
}

impl IssuedToken {
    /// Tells whether it was used as often as it can be.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.token.max_uses.is_some_and(|most| self.uses >= most)
    }

    /// Whether it can be used at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> RegistrationTokenState {
        if self.is_spent() {
            RegistrationTokenState::Used
        } else if self.token.is_expired(now) {
            RegistrationTokenState::Expired
        } else {
            RegistrationTokenState::Active
        }
    }
}

/// Tells registrations apart: the SHA-256 of all that was asked for, in hex.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestDigest(String);

impl RequestDigest {
    /// Digests what was asked for.
    #[must_use]
    pub fn of(asked: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(asked)))
    }

    /// The 64 hex characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RequestDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestDigest(…)")
    }
}

/// What a registration token was used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationUse {
    /// The subscription that was made.
    pub subscription: SubscriptionId,
    /// What tells its secret, sealed as it was then, from any other.
    pub secret: Sealed,
    /// Whether what the target has to echo came with the request.
    pub is_own_challenge: bool,
    /// Whether no admin had to let it in.
    pub is_approved: bool,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
}

impl RegistrationUse {
    /// Tells whether it was so short a time ago that its answer may still be missed.
    #[must_use]
    pub fn is_recent(&self, now: Timestamp) -> bool {
        now < later(self.at, REPEAT)
    }

    /// Tells whether the same request, made again, gets the same answer with the secret.
    ///
    /// Never once an admin did anything to the subscription. A target may prove itself within seconds, before its
    /// listener misses the answer: that ends it only where the listener supplied no challenge, which is more to know
    /// than the token.
    #[must_use]
    pub fn can_be_answered_again(&self, subscription: &Subscription, now: Timestamp) -> bool {
        if !self.is_recent(now) || subscription.secret.digest() != self.secret {
            return false;
        }
        let is_as_it_began = subscription.version == Subscription::FIRST_VERSION;
        match subscription.status.state {
            State::AwaitingApproval => is_as_it_began,
            State::PendingVerification | State::VerificationFailed | State::Active => {
                let is_unproven = subscription.verification.verified_at.is_none();
                // The end of its challenge is the one change that is no admin's.
                let is_ended = matches!(subscription.status.cause, Cause::ChallengePassed | Cause::ChallengeFailed);
                let is_only_ended = is_ended && subscription.version == Subscription::FIRST_VERSION + 1;
                self.is_approved
                    && (is_as_it_began || is_only_ended)
                    && (is_unproven || self.is_own_challenge || is_as_it_began)
            }
            State::AwaitingChallenge | State::Paused | State::Disabled => false,
        }
    }
}

/// Who may ask without a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationMode {
    /// Nobody.
    #[default]
    Closed,
    /// Everybody; an admin has to let each one in.
    Ask,
}

/// What a tenant lets listeners ask for who have no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationSettings {
    /// Who may ask.
    pub mode: RegistrationMode,
    /// What may be asked for.
    pub bounds: Bounds,
    /// How many subscriptions may wait for an admin before nobody can ask any more.
    pub max_waiting: u32,
}

impl Default for RegistrationSettings {
    fn default() -> Self {
        Self { mode: RegistrationMode::Closed, bounds: Bounds::default(), max_waiting: DEFAULT_MAX_WAITING }
    }
}
