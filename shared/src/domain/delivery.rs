//! Deliveries: one event for one subscription, its attempts, and what comes next.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::attempt::{Attempt, Outcome};
use super::event_type::EventType;
use super::id::{DeliveryId, EventId, ReplayId, SubscriptionId};
use super::ordering::LaneKey;
use super::text::TenantSlug;
use super::time::later;
use super::verdict::Verdict;
use super::wait_reason::WaitReason;

/// The longest wait that rides on a queue message's delay; longer ones are the sweeper's alone.
pub const LONGEST_QUEUE_DELAY: SignedDuration = SignedDuration::from_mins(15);
/// How long after a delayed message's time the sweeper takes the delivery up instead.
pub const QUEUE_GRACE: SignedDuration = SignedDuration::from_secs(60);
/// How long a delivery and its attempts are kept, in days.
pub const DELIVERY_DAYS: i64 = 90;
/// How long a target that answers later may say nothing before its delivery counts as failed.
pub const SILENCE: SignedDuration = SignedDuration::from_mins(15);

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

/// What a delivery carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryKind {
    /// An event that the subscription wants.
    #[default]
    Event,
    /// An event that somebody asked to be sent once more.
    Resend,
    /// A challenge that the target has to echo.
    Challenge,
    /// A try by hand: one attempt, counted nowhere.
    Test,
}

impl DeliveryKind {
    /// Tells whether an event is delivered, and not a try of the gateway's own.
    #[must_use]
    pub fn is_of_event(self) -> bool {
        match self {
            Self::Event | Self::Resend => true,
            Self::Challenge | Self::Test => false,
        }
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waiting for its next attempt.
    Pending {
        /// When it may be made.
        next_attempt_at: Timestamp,
        /// Why it waits, if not because the attempt before failed.
        reason: Option<WaitReason>,
    },
    /// Kept for a subscription that is paused or has to prove itself again, or until it is the first of its lane.
    Held,
    /// An attempt is being made, or its sender died.
    Attempting {
        /// The number of the attempt, from 1.
        n: u32,
        /// Who makes it.
        owner: OwnerToken,
        /// From when on its sender counts as dead.
        lease_until: Timestamp,
    },
    /// The target took it and tells later how it went.
    InProgress {
        /// From when on it counts as failed, unless the target tells something before.
        silent_at: Timestamp,
    },
    /// A target answered 2xx, or told later that it is done.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// No further attempt will be made.
    Exhausted {
        /// When that was decided.
        at: Timestamp,
    },
    /// Somebody put an end to it, or its subscription is gone.
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

impl DeliveryState {
    /// Tells whether nothing will happen any more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Delivered { .. } | Self::Exhausted { .. } | Self::Cancelled { .. })
    }
}

/// What a target that answers later has told last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How much is done, in percent.
    pub percent: u8,
    /// Its words.
    pub message: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// One event for one subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its id, derived from the event and the subscription.
    pub id: DeliveryId,
    /// Whose it is.
    pub tenant: TenantSlug,
    /// What it carries.
    pub kind: DeliveryKind,
    /// What is delivered.
    pub event_id: EventId,
    /// The type of the event.
    pub event_type: EventType,
    /// To whom.
    pub subscription_id: SubscriptionId,
    /// The delivery that it repeats.
    pub repeats: Option<DeliveryId>,
    /// The replay that made it.
    pub replay: Option<ReplayId>,
    /// The lane that it stands in, where deliveries keep an order. The lane's task stands behind all that happens to it.
    pub lane: Option<LaneKey>,
    /// Where it stands.
    pub state: DeliveryState,
    /// What the target told later.
    pub progress: Option<Progress>,
    /// The finished attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// When the sweeper takes it up. `None` while its first attempt is covered by the event's own row, while it is held,
    /// in a lane, and at the end.
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
    /// An event's delivery as it comes into being, in `state`. What waits or is sent to by more than the event's own
    /// dispatch has a due time from birth.
    #[must_use]
    pub fn of_event(
        tenant: TenantSlug,
        event_id: EventId,
        event_type: EventType,
        subscription_id: SubscriptionId,
        state: DeliveryState,
        now: Timestamp,
    ) -> Self {
        let id = DeliveryId::derive(event_id, subscription_id);
        let none = Self {
            id,
            tenant,
            kind: DeliveryKind::Event,
            event_id,
            event_type,
            subscription_id,
            repeats: None,
            replay: None,
            lane: None,
            state,
            progress: None,
            attempts: Vec::new(),
            due_at: None,
            redrives: 0,
        };
        match state {
            // The event's own row stands behind the first attempt.
            DeliveryState::Attempting { .. } => none,
            _ => none.in_state(state, now),
        }
    }

    /// The delivery in another state, with the due time that belongs to it.
    #[must_use]
    pub fn in_state(mut self, state: DeliveryState, now: Timestamp) -> Self {
        self.state = state;
        self.due_at = match state {
            DeliveryState::Pending { next_attempt_at, .. } if wait_is_short(next_attempt_at, now) => {
                Some(later(next_attempt_at, QUEUE_GRACE))
            }
            DeliveryState::Pending { next_attempt_at, .. } => Some(next_attempt_at),
            DeliveryState::Attempting { lease_until, .. } => Some(lease_until),
            DeliveryState::InProgress { silent_at } => Some(silent_at),
            DeliveryState::Held
            | DeliveryState::Delivered { .. }
            | DeliveryState::Exhausted { .. }
            | DeliveryState::Cancelled { .. } => None,
        };
        if self.lane.is_some() {
            self.due_at = None;
        }
        self.redrives = 0;
        self
    }

    /// The delivery in a lane, whose task stands behind it from now on.
    #[must_use]
    pub fn in_lane(self, lane: LaneKey) -> Self {
        Self { lane: Some(lane), due_at: None, ..self }
    }

    /// The delivery after one of its attempts ended; `wait` is what its schedule says comes next, `None` that nothing
    /// does.
    #[must_use]
    pub fn after_attempt(
        mut self,
        attempt: Attempt,
        verdict: &Verdict,
        wait: Option<SignedDuration>,
        now: Timestamp,
    ) -> Self {
        let state = match *verdict {
            Verdict::Delivered => DeliveryState::Delivered { at: now },
            Verdict::InProgress => DeliveryState::InProgress { silent_at: later(now, SILENCE) },
            Verdict::Gone | Verdict::Failed { retry: false, .. } => DeliveryState::Exhausted { at: now },
            Verdict::Failed { retry: true, not_before, .. } => match wait {
                Some(wait) => {
                    let wait = not_before.map_or(wait, |asked| asked.max(wait));
                    DeliveryState::Pending { next_attempt_at: later(now, wait), reason: None }
                }
                None => DeliveryState::Exhausted { at: now },
            },
        };
        self.attempts.push(attempt);
        self.in_state(state, now)
    }

    /// The delivery after its sender died: the attempt is recorded as unknown and another follows after `wait`.
    ///
    /// `None` while the lease runs, or when no attempt is being made.
    #[must_use]
    pub fn after_lost_lease(self, wait: Option<SignedDuration>, now: Timestamp) -> Option<Self> {
        match self.state {
            DeliveryState::Attempting { n, lease_until, .. } if lease_until <= now => {
                let outcome = Outcome::Unknown;
                let attempt = Attempt { n, started_at: lease_until, duration_ms: 0, url: None, outcome };
                let verdict = Verdict::Failed { retry: true, not_before: None, slow_down: false };
                Some(self.after_attempt(attempt, &verdict, wait, now))
            }
            _ => None,
        }
    }

    /// How the wait for the next attempt is spent, if there is one.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<Wait> {
        match self.state {
            DeliveryState::Pending { next_attempt_at, .. } if wait_is_short(next_attempt_at, now) => {
                Some(Wait::OnQueue(next_attempt_at.duration_since(now).max(SignedDuration::ZERO)))
            }
            DeliveryState::Pending { .. } => Some(Wait::OnSweeper),
            _ => None,
        }
    }

    /// Tells whether the delivery needs nothing from the event's own row any more: it ended, is kept, stands in a lane, or
    /// has a due time.
    #[must_use]
    pub fn is_on_its_own(&self) -> bool {
        let is_kept = self.state == DeliveryState::Held || self.lane.is_some();
        is_kept || self.due_at.is_some() || self.state.is_final()
    }

    /// From when on the row may be deleted.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        later(self.id.created_at(), SignedDuration::from_hours(24 * DELIVERY_DAYS))
    }
}

fn wait_is_short(until: Timestamp, now: Timestamp) -> bool {
    until.duration_since(now) <= LONGEST_QUEUE_DELAY
}

#[cfg(test)]
mod tests;
