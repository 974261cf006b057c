//! Deliveries: one event for one subscription, its attempts, and what comes next.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::event_type::EventType;
use super::id::{DeliveryId, EventId, SubscriptionId};
use super::retry::RetrySchedule;
use super::text::TenantSlug;

/// The longest wait that rides on a queue message's delay; longer ones are the sweeper's alone.
pub const LONGEST_QUEUE_DELAY: SignedDuration = SignedDuration::from_mins(15);
/// How long after a delayed message's time the sweeper takes the delivery up instead.
pub const QUEUE_GRACE: SignedDuration = SignedDuration::from_secs(60);
/// How long a delivery and its attempts are kept, in days.
pub const DELIVERY_DAYS: i64 = 90;
/// How much of a target's answer is kept with the attempt, in bytes.
pub const MAX_KEPT_RESPONSE_BYTES: usize = 1024;

/// Tells one claim of an attempt from another: 64 random bits.
///
/// Whoever sends an attempt wrote its token first; a retry of that write that meets its own token has won, not lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OwnerToken(u64);

impl OwnerToken {
    /// A token from random bits.
    #[must_use]
    pub fn new(random: u128) -> Self {
        Self(random as u64)
    }
}

impl fmt::Display for OwnerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl std::str::FromStr for OwnerToken {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waiting for its next attempt.
    Pending {
        /// When it may be made.
        next_attempt_at: Timestamp,
    },
    /// An attempt is being made, or its sender died.
    Attempting {
        /// The number of the attempt, from 1.
        n: u32,
        /// Who makes it.
        owner: OwnerToken,
        /// From when on its sender counts as dead.
        lease_until: Timestamp,
    },
    /// A target answered 2xx.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// No further attempt will be made.
    Exhausted {
        /// When that was decided.
        at: Timestamp,
    },
}

/// One HTTP try and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub n: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The first bytes of an answer that was no success.
        body: Option<String>,
    },
    /// No answer came.
    Failed {
        /// The stable code of the cause, such as `connect` or `timeout`.
        code: String,
        /// The cause for people.
        message: String,
        /// Whether trying again cannot help.
        permanent: bool,
    },
    /// Its sender died, so nobody knows whether the target saw it.
    Unknown,
}

impl Outcome {
    fn is_success(&self) -> bool {
        matches!(self, Self::Answered { status: 200..=299, .. })
    }

    /// Tells whether the target or the guard said that further attempts are pointless.
    fn is_final(&self) -> bool {
        match self {
            Self::Answered { status, .. } => *status == 410,
            Self::Failed { permanent, .. } => *permanent,
            Self::Unknown => false,
        }
    }
}

/// One event for one subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its id, derived from the event and the subscription.
    pub id: DeliveryId,
    /// Whose it is.
    pub tenant: TenantSlug,
    /// What is delivered.
    pub event_id: EventId,
    /// The type of the event.
    pub event_type: EventType,
    /// To whom.
    pub subscription_id: SubscriptionId,
    /// Where it stands.
    pub state: DeliveryState,
    /// The finished attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// When the sweeper takes it up. `None` while its first attempt is covered by the event's own row, and at the end.
    pub due_at: Option<Timestamp>,
    /// How often the sweeper took it up without an attempt being recorded.
    pub redrives: u32,
}

/// How a wait is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A queue message with this delay brings it back; the sweeper is the safety net.
    OnQueue(SignedDuration),
    /// The sweeper alone brings it back.
    OnSweeper,
}

impl Delivery {
    /// A delivery whose first attempt `owner` is about to make.
    #[must_use]
    pub fn first_attempt(
        tenant: TenantSlug,
        event_id: EventId,
        event_type: EventType,
        subscription_id: SubscriptionId,
        owner: OwnerToken,
        lease_until: Timestamp,
    ) -> Self {
        Self {
            id: DeliveryId::derive(event_id, subscription_id),
            tenant,
            event_id,
            event_type,
            subscription_id,
            state: DeliveryState::Attempting { n: 1, owner, lease_until },
            attempts: Vec::new(),
            due_at: None,
            redrives: 0,
        }
    }

    /// The delivery after one of its attempts ended; `jitter` in `0.0..1.0` varies the wait.
    #[must_use]
    pub fn after_attempt(mut self, attempt: Attempt, schedule: RetrySchedule, jitter: f64, now: Timestamp) -> Self {
        let wait = if attempt.outcome.is_final() { None } else { schedule.wait_after(attempt.n, jitter) };
        self.state = match (attempt.outcome.is_success(), wait) {
            (true, _) => DeliveryState::Delivered { at: now },
            (false, None) => DeliveryState::Exhausted { at: now },
            (false, Some(wait)) => DeliveryState::Pending { next_attempt_at: later(now, wait) },
        };
        self.due_at = match self.state {
            DeliveryState::Pending { next_attempt_at } if wait_is_short(next_attempt_at, now) => {
                Some(later(next_attempt_at, QUEUE_GRACE))
            }
            DeliveryState::Pending { next_attempt_at } => Some(next_attempt_at),
            _ => None,
        };
        self.attempts.push(attempt);
        self.redrives = 0;
        self
    }

    /// The delivery after its sender died: the attempt is recorded as unknown and another follows.
    ///
    /// `None` while the lease runs, or when no attempt is being made.
    #[must_use]
    pub fn after_lost_lease(self, schedule: RetrySchedule, jitter: f64, now: Timestamp) -> Option<Self> {
        match self.state {
            DeliveryState::Attempting { n, lease_until, .. } if lease_until <= now => {
                let attempt = Attempt { n, started_at: lease_until, duration_ms: 0, outcome: Outcome::Unknown };
                Some(self.after_attempt(attempt, schedule, jitter, now))
            }
            _ => None,
        }
    }

    /// How the wait for the next attempt is spent, if there is one.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<Wait> {
        match self.state {
            DeliveryState::Pending { next_attempt_at } if wait_is_short(next_attempt_at, now) => {
                Some(Wait::OnQueue(next_attempt_at.duration_since(now).max(SignedDuration::ZERO)))
            }
            DeliveryState::Pending { .. } => Some(Wait::OnSweeper),
            _ => None,
        }
    }

    /// Tells whether the delivery needs nothing from the event's own row any more: it ended, or has a due time.
    #[must_use]
    pub fn is_on_its_own(&self) -> bool {
        self.due_at.is_some() || matches!(self.state, DeliveryState::Delivered { .. } | DeliveryState::Exhausted { .. })
    }

    /// From when on the row may be deleted.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        later(self.id.created_at(), SignedDuration::from_hours(24 * DELIVERY_DAYS))
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn wait_is_short(until: Timestamp, now: Timestamp) -> bool {
    until.duration_since(now) <= LONGEST_QUEUE_DELAY
}

#[cfg(test)]
mod tests;
