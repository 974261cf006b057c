//! Issues: failures with one cause at one subscription, from the first of them until they are over.
//!
//! An issue opens by itself and ends by itself. Whether it is over is decided from the attempts that are recorded; what
//! is kept of it is for people.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::attempt::{Answer, Outcome};
use super::delivery::{Delivery, DeliveryState};
use super::event_facts::OwnerName;
use super::event_type::EventType;
use super::id::{DeliveryId, IssueId, SubscriptionId};
use super::own_event::is_own;
use super::text::{Name, TenantSlug};
use super::time::later;

#[cfg(test)]
mod tests;

/// How long nothing of its cause must happen before an issue is over, and how soon it is looked at again.
pub const QUIET: SignedDuration = SignedDuration::from_mins(5);
/// How long after it opened an issue is looked at first. What healed by then is not told of.
pub const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(60);
/// How long an issue is kept after its last failure, in days.
pub const ISSUE_DAYS: i64 = 90;
/// What is noted of a target that promised to answer later and did not.
pub const SAID_NOTHING: &str = "the target has said nothing for 15 minutes";
/// The longest wait between two looks at an issue at which nothing happens.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);
/// The longest text of an error that is kept, in characters: an issue is to cost one write unit.
const MAX_ERROR_CHARS: usize = 200;
const MAX_CAUSE_CHARS: usize = 64;

/// A text that is no cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 64 characters of a-z, 0-9 and _")]
pub struct IssueCauseError;

/// What makes attempts fail: `status_500`, `response_rule`, `timed_out`, …
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[a-z0-9_]{1,64}$", example = "status_500")]
pub struct IssueCause(String);

impl IssueCause {
    /// The target answered with this status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self(format!("status_{status}"))
    }

    /// The target answered 2xx and not as the subscription's rule asks for.
    #[must_use]
    pub fn response_rule() -> Self {
        Self("response_rule".to_owned())
    }

    /// The sender died, so nobody knows what the target made of it.
    #[must_use]
    pub fn unknown() -> Self {
        Self("unknown".to_owned())
    }

    /// The target promised to answer later and said nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self("silent".to_owned())
    }

    /// The target told later that it failed.
    #[must_use]
    pub fn reported() -> Self {
        Self("reported_failure".to_owned())
    }

    /// No answer came, for the reason with this code.
    #[must_use]
    pub fn of_code(code: &str) -> Self {
        Self::try_from(code.to_owned()).unwrap_or_else(|_| Self("other".to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IssueCause {
    type Error = IssueCauseError;

    fn try_from(text: String) -> Result<Self, IssueCauseError> {
        let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let is_cause = (1..=MAX_CAUSE_CHARS).contains(&text.len()) && text.bytes().all(is_allowed);
        if is_cause { Ok(Self(text)) } else { Err(IssueCauseError) }
    }
}

impl From<IssueCause> for String {
    fn from(cause: IssueCause) -> Self {
        cause.0
    }
}

impl fmt::Display for IssueCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The cause of an attempt that failed; `None` for one that the target took.
#[must_use]
pub fn cause_of(outcome: &Outcome) -> Option<IssueCause> {
    match outcome {
        _ if outcome.is_success() => None,
        Outcome::Answered(Answer { status: 200..=299, .. }) => Some(IssueCause::response_rule()),
        Outcome::Answered(Answer { status, .. }) => Some(IssueCause::status(*status)),
        Outcome::Failed { code, .. } => Some(IssueCause::of_code(code)),
        Outcome::Unknown => Some(IssueCause::unknown()),
    }
}

/// The cause for which a delivery ended without success; `None` while it goes on, and for what ended otherwise.
#[must_use]
pub fn cause_of_end(delivery: &Delivery) -> Option<IssueCause> {
    if !matches!(delivery.state, DeliveryState::Exhausted { .. }) {
        return None;
    }
    let last = delivery.attempts.last()?;
    Some(cause_of(&last.outcome).unwrap_or_else(|| {
        // The target took it and did not do it.
        let told = delivery.progress.as_ref().and_then(|progress| progress.message.as_deref());
        if told == Some(SAID_NOTHING) { IssueCause::silent() } else { IssueCause::reported() }
    }))
}

/// Failures of one cause at one subscription, to be counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Failures {
    /// Whose they are.
    pub tenant: TenantSlug,
    /// Where.
    pub subscription_id: SubscriptionId,
    /// Why.
    pub cause: IssueCause,
    /// How many.
    pub count: u64,
    /// When the first of them began.
    pub first_at: Timestamp,
    /// When the last of them began.
    pub last_at: Timestamp,
    /// The delivery that failed last.
    pub last_delivery_id: DeliveryId,
    /// The type of its event.
    pub last_event_type: EventType,
    /// How it failed, for people.
    pub last_error: String,
    /// Whether there is more among them than what the gateway tells of itself.
    pub are_news: bool,
}

impl Failures {
    /// The failure that the newest attempt of a delivery is, if it is one that counts.
    #[must_use]
    pub fn of_attempt(delivery: &Delivery) -> Option<Self> {
        let attempt = delivery.attempts.last()?;
        let cause = cause_of(&attempt.outcome)?;
        Self::new(delivery, cause, &attempt.outcome.error(), attempt.started_at)
    }

    /// The failure that the end of a delivery is which the target had taken.
    #[must_use]
    pub fn of_end(delivery: &Delivery) -> Option<Self> {
        let DeliveryState::Exhausted { at } = delivery.state else { return None };
        let told = delivery.progress.as_ref().and_then(|progress| progress.message.as_deref());
        Self::new(delivery, cause_of_end(delivery)?, told.unwrap_or("the target told that it failed"), at)
    }

    fn new(delivery: &Delivery, cause: IssueCause, error: &str, at: Timestamp) -> Option<Self> {
        delivery.kind.is_of_event().then(|| Self {
            tenant: delivery.tenant.clone(),
            subscription_id: delivery.subscription_id,
            cause,
            count: 1,
            first_at: at,
            last_at: at,
            last_delivery_id: delivery.id,
            last_event_type: delivery.event_type.clone(),
            last_error: error.chars().take(MAX_ERROR_CHARS).collect(),
            are_news: !is_own(&delivery.event_type),
        })
    }

    /// The issue that they belong to.
    #[must_use]
    pub fn issue_id(&self) -> IssueId {
        IssueId::derive(self.subscription_id, self.cause.as_str())
    }

    /// These failures and others of the same issue.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (count, are_news) = (self.count + other.count, self.are_news || other.are_news);
        let first_at = self.first_at.min(other.first_at);
        let last = if other.last_at >= self.last_at { other } else { self };
        Self { count, first_at, are_news, ..last }
    }
}

/// That somebody knows of an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who, in the words of whoever did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Name>,
    /// When.
    pub at: Timestamp,
    /// From when on it is open again, if it is not over by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Where an issue stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssueState {
    /// It happens.
    Open,
    /// It happens, and somebody knows.
    Acknowledged(Acknowledgement),
    /// It is over.
    Resolved {
        /// When.
        at: Timestamp,
        /// Whether nobody said so.
        by_itself: bool,
    },
}

/// To whom it was told that an issue opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The owner whose subscriptions alone heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerName>,
}

/// Failures with one cause at one subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Issue {
    /// Its id, derived from the subscription and the cause.
    pub id: IssueId,
    /// Whose it is.
    pub tenant: TenantSlug,
    /// Where attempts fail.
    pub subscription_id: SubscriptionId,
    /// Why.
    pub cause: IssueCause,
    /// Where it stands.
    pub state: IssueState,
    /// When its first attempt since it opened last began.
    pub first_seen: Timestamp,
    /// When its last attempt began.
    pub last_seen: Timestamp,
    /// How many attempts failed since it opened last.
    pub count: u64,
    /// How many attempts failed in all.
    pub total: u64,
    /// How often it opened.
    pub opened: u64,
    /// The delivery that failed last.
    pub last_delivery_id: DeliveryId,
    /// The type of its event.
    pub last_event_type: EventType,
    /// How it failed, for people.
    pub last_error: String,
    /// Whether it is more than what happens to the gateway's own events.
    pub is_news: bool,
    /// Whether it was told that it opened last.
    pub told: Option<Told>,
    /// Until when lists find it.
    pub listed_until: Timestamp,
}

/// What a look at an issue that is not over comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// It is over.
    Over,
    /// It has to be looked at again.
    Again(Timestamp),
}

impl Issue {
    /// Where it stands at `now`: an acknowledgement may have run out.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> &IssueState {
        match &self.state {
            IssueState::Acknowledged(Acknowledgement { until: Some(until), .. }) if *until <= now => &IssueState::Open,
            state => state,
        }
    }

    /// Tells whether an attempt that began after the last failure succeeded.
    #[must_use]
    pub fn is_healed(&self, last_success: Option<Timestamp>) -> bool {
        last_success.is_some_and(|at| at > self.last_seen)
    }

    /// Decides whether it is over, from when the newest attempt began that the subscription's target took.
    ///
    /// Silence proves nothing: the longer it lasts, the longer is the wait for the next look.
    #[must_use]
    pub fn review(&self, last_success: Option<Timestamp>, now: Timestamp) -> Review {
        let quiet_at = later(self.last_seen, QUIET);
        if !self.is_healed(last_success) {
            // Looking costs reads: an old one is looked at less often, and its first success brings a look by itself.
            let age = (now.duration_since(self.first_seen) / 8).min(SignedDuration::from_hours(1));
            let wait = now.duration_since(self.last_seen).max(age);
            return Review::Again(later(now, wait.clamp(QUIET, LONGEST_WAIT)));
        }
        if quiet_at <= now { Review::Over } else { Review::Again(quiet_at) }
    }

    /// The issue once it is over.
    #[must_use]
    pub fn resolved(self, at: Timestamp, by_itself: bool) -> Self {
        Self { state: IssueState::Resolved { at, by_itself }, ..self }
    }

    /// Until when it is kept.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        issue_expires_at(self.last_seen)
    }
}

/// Until when an issue is kept whose last failure was at `last_seen`.
#[must_use]
pub fn issue_expires_at(last_seen: Timestamp) -> Timestamp {
    later(last_seen, SignedDuration::from_hours(24 * ISSUE_DAYS))
}
