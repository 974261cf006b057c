//! Replays: events of a stretch of time that are sent again, or for the first time.
//!
//! A replay is planned first: every event is looked at, and what is to be sent is written down. Then that is sent, item
//! by item. Each change is made together with the place up to which it counts, so that the numbers stay exact whoever
//! dies.

mod counts;
mod pace;
mod price;
mod selection;
mod stage;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::counts::{Counts, LeftOut, Skipped};
pub use self::pace::{MAX_RATE, Pace};
pub use self::price::{Price, WRITE_REQUESTS_PER_ITEM, price};
pub use self::selection::{ReplayFilter, ReplayOrder, Routing, Selection, Standing, Which};
pub use self::stage::{EventPlace, Stage, StageName};
use super::delivery::{Delivery, DeliveryKind, DeliveryState};
use super::event_facts::OwnerName;
use super::event_type::EventType;
use super::id::{DeliveryId, EventId, ReplayId, SubscriptionId};
use super::text::TenantSlug;
use super::time::later;
use crate::cache::CONFIG_LIFE;

/// How many replays of a tenant may be without an end at a time.
pub const MAX_UNFINISHED: u32 = 20;
/// How far back the events of a replay may lie, in days.
pub const MAX_DAYS_BACK: i64 = 91;
/// The most subscriptions that a replay may name.
pub const MAX_SUBSCRIPTIONS: usize = 100;
/// How long a replay is kept after its last change, and its items after they were planned, in days.
pub const REPLAY_DAYS: i64 = 90;
/// How many items of a plan are shown.
pub const SAMPLE: usize = 10;

/// Events that are sent again, or for the first time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// Its id.
    pub id: ReplayId,
    /// Whose it is.
    pub tenant: TenantSlug,
    /// The owner of subscriptions that it is bound to: nobody else's get anything by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerName>,
    /// What is sent where.
    pub selection: Selection,
    /// Whether it is sent as soon as it is planned.
    pub starts_by_itself: bool,
    /// How far it has come.
    pub stage: Stage,
    /// Its numbers, up to the place that the stage names.
    pub counts: Counts,
    /// Raised by every change; changes are conditional on it.
    pub version: u64,
    /// When it was asked for.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When its plan was complete.
    #[serde(
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub planned_at: Option<Timestamp>,
    /// When sending began.
    #[serde(
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub started_at: Option<Timestamp>,
    /// When all was sent, or it was cancelled.
    #[serde(
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub ended_at: Option<Timestamp>,
    /// When it was changed last.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub updated_at: Timestamp,
}

/// One event for one subscription, as it was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayItem {
    /// The event.
    pub event_id: EventId,
    /// Its type.
    pub event_type: EventType,
    /// To whom.
    pub subscription_id: SubscriptionId,
    /// Whether an attempt was made before, so that it is a delivery of its own that repeats the first one.
    pub is_again: bool,
}

impl ReplayItem {
    /// The id of the event's own delivery to the subscription, by which items are in the order of their events.
    #[must_use]
    pub fn first_id(&self) -> DeliveryId {
        DeliveryId::derive(self.event_id, self.subscription_id)
    }
}

impl Replay {
    /// A replay that is to be planned.
    #[must_use]
    pub fn new(
        id: ReplayId,
        tenant: TenantSlug,
        owner: Option<OwnerName>,
        selection: Selection,
        starts_by_itself: bool,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            tenant,
            owner,
            selection,
            starts_by_itself,
            stage: Stage::Planning { place: None },
            counts: Counts::default(),
            version: 1,
            created_at: now,
            planned_at: None,
            started_at: None,
            ended_at: None,
            updated_at: now,
        }
    }

    /// From when on events are looked at.
    ///
    /// Whoever decides that a subscription takes no events may go by what it was like a moment ago. What was decided
    /// like this before a subscription was switched on is stored by then, so that no event falls between the two.
    #[must_use]
    pub fn begins_at(&self) -> Timestamp {
        let is_complete = !self.selection.which.contains(&Which::Missing);
        if is_complete { self.created_at } else { later(self.created_at, CONFIG_LIFE) }
    }

    /// From when on it may be deleted.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        later(self.updated_at, SignedDuration::from_hours(24 * REPLAY_DAYS))
    }

    /// The same at its next version.
    #[must_use]
    fn changed(&self, stage: Stage, now: Timestamp) -> Self {
        Self { stage, version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// The plan has come further: `found` is what was seen since, `place` where to go on; `None` when all is seen.
    #[must_use]
    pub fn planned_further(&self, found: Counts, place: Option<EventPlace>, now: Timestamp) -> Self {
        let counts = self.counts + found;
        match place {
            Some(place) => Self { counts, ..self.changed(Stage::Planning { place: Some(place) }, now) },
            None => {
                let planned = Self { counts, planned_at: Some(now), ..self.changed(Stage::Planned, now) };
                match self.starts_by_itself {
                    // One change, and one version.
                    true => Self { version: planned.version, ..planned.started(now) },
                    false => planned,
                }
            }
        }
    }

    /// Sending begins.
    #[must_use]
    pub fn started(&self, now: Timestamp) -> Self {
        let pace = self.selection.rate_per_second.map(|rate| Pace::begin(rate, now));
        let stage = Stage::Sending { after: None, pace, waiting_for: None };
        Self { started_at: Some(now), ..self.changed(stage, now) }
    }

    /// Everything up to `after` is settled; `settled` is what became of it.
    #[must_use]
    pub fn sent_further(&self, settled: Counts, after: Option<DeliveryId>, pace: Option<Pace>, now: Timestamp) -> Self {
        let stage = Stage::Sending { after, pace, waiting_for: None };
        Self { counts: self.counts + settled, ..self.changed(stage, now) }
    }

    /// The next item waits for its subscription.
    #[must_use]
    pub fn waiting_for(&self, subscription: SubscriptionId, now: Timestamp) -> Self {
        match &self.stage {
            Stage::Sending { after, pace, .. } => {
                let stage = Stage::Sending { after: *after, pace: *pace, waiting_for: Some(subscription) };
                self.changed(stage, now)
            }
            _ => self.clone(),
        }
    }

    /// Nothing is left to be sent.
    ///
    /// A page of the plan that was worked twice, because a worker died, may have found something at its first try that
    /// somebody else sent before the second one counted. It was settled like any other item, and is one.
    #[must_use]
    pub fn done(&self, now: Timestamp) -> Self {
        let counts = Counts { matched: self.counts.settled(), ..self.counts };
        Self { counts, ended_at: Some(now), ..self.changed(Stage::Done, now) }
    }

    /// Somebody puts an end to it. While it is sent, what is under way is counted first.
    ///
    /// `None` when it has ended, or somebody put an end to it before.
    #[must_use]
    pub fn cancelled(&self, now: Timestamp) -> Option<Self> {
        match &self.stage {
            Stage::Planning { .. } | Stage::Planned => Some(self.ended_early(now)),
            Stage::Sending { after, .. } => Some(self.changed(Stage::Cancelling { after: *after }, now)),
            Stage::Cancelling { .. } | Stage::Done | Stage::Cancelled => None,
        }
    }

    /// What was under way when it was cancelled is counted.
    #[must_use]
    pub fn stopped(&self, settled: Counts, now: Timestamp) -> Self {
        Self { counts: self.counts + settled, ..self.ended_early(now) }
    }

    fn ended_early(&self, now: Timestamp) -> Self {
        Self { ended_at: Some(now), ..self.changed(Stage::Cancelled, now) }
    }

    /// The delivery that sends an item, in `state`: the event's own where no attempt was made before, else one that
    /// repeats it. Its id follows from the item, so making it again changes nothing.
    #[must_use]
    pub fn delivery(&self, item: &ReplayItem, state: DeliveryState, now: Timestamp) -> Delivery {
        let (event, subscription) = (item.event_id, item.subscription_id);
        let first = Delivery::of_event(self.tenant.clone(), event, item.event_type.clone(), subscription, state, now);
        // No event's row stands behind it, so it has a due time also while its first attempt is made.
        let first = Delivery { replay: Some(self.id), ..first.in_state(state, now) };
        match item.is_again {
            false => first,
            true => Delivery {
                id: DeliveryId::replayed(self.id, event, subscription),
                kind: DeliveryKind::Resend,
                repeats: Some(first.id),
                ..first
            },
        }
    }

    /// The id of the delivery that sends an item.
    #[must_use]
    pub fn delivery_id(&self, item: &ReplayItem) -> DeliveryId {
        match item.is_again {
            false => item.first_id(),
            true => DeliveryId::replayed(self.id, item.event_id, item.subscription_id),
        }
    }
}
