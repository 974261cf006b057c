//! Lanes: deliveries that keep an order. What stands in a lane is sent one after another by its task alone, retries
//! included; what fails holds back its own lane and no other.

use futures_util::stream::{self, StreamExt};
use hookport::aws::lambda::Deadline;
use hookport::domain::delivery::{Delivery, DeliveryState};
use hookport::domain::id::{EventId, SubscriptionId};
use hookport::domain::ordering::{LaneKey, Ordering};
use hookport::domain::subscription::{Intake, State};
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::lanes;
use hookport::store::InLane;
use jiff::{SignedDuration, Timestamp};

use crate::event::Event;
use crate::retry::WHILE_OFF;
use crate::subscriptions::{Found, Ready};
use crate::tasks::Next;
use crate::turn::{Turn, Waiting};
use crate::{Dispatcher, Trouble};

/// How many notes are read at a time when lanes are looked for.
const PAGE: usize = 100;
/// How many lanes are started at once.
const CONCURRENCY: usize = 16;

/// How long a lane waits for what was kept before its subscription had an order. Upkeep starts it when that is over.
const WHILE_DRAINING: SignedDuration = SignedDuration::from_secs(60);

/// What came of a look at the first of a lane.
enum Looked {
    /// It has ended: the next is first.
    Ended,
    /// It moved, and is to be looked at again.
    Moved,
    /// Nothing can be done before then.
    Until(Timestamp),
    /// Nothing is sent to its subscription now. Upkeep starts the lanes when that is over.
    Resting,
}

/// From when on an event's delivery may be sent: what is older than the event and late has had its time by then.
pub(crate) fn settled_at(ordering: Option<&Ordering>, event: EventId) -> Timestamp {
    let settle_s = ordering.map_or(0, |ordering| ordering.settle_s);
    later(event.created_at(), SignedDuration::from_secs(settle_s.into()))
}

impl Dispatcher {
    /// Sends what stands in a lane, one after another, each once the one before it has ended.
    pub(crate) async fn work_lane(
        &self,
        tenant: &TenantSlug,
        id: SubscriptionId,
        lane: LaneKey,
        deadline: Deadline,
    ) -> Result<Next, Trouble> {
        loop {
            let Some(first) = self.app.store.first_in_lane(tenant, id, lane).await? else { return Ok(None) };
            let now = self.app.clock.now();
            if now >= deadline.0 {
                return Ok(Some(now));
            }
            // It may have been paused, moved or deleted since the last one was sent.
            let found = self.subscriptions.one(&self.app, tenant, id, now).await?;
            match self.look_at_first(tenant, id, &first, &found, now).await? {
                Looked::Ended => self.app.store.forget_in_lane(tenant, id, &first).await?,
                Looked::Moved => {}
                Looked::Until(until) => return Ok(Some(until)),
                Looked::Resting => return Ok(None),
            }
        }
    }

    async fn look_at_first(
        &self,
        tenant: &TenantSlug,
        id: SubscriptionId,
        first: &InLane,
        found: &Found,
        now: Timestamp,
    ) -> Result<Looked, Trouble> {
        let waiting = match self.app.store.delivery(tenant, first.id).await? {
            Some(stored) => match stored.state {
                DeliveryState::Pending { .. } | DeliveryState::Held => Waiting { delivery: stored, is_stored: true },
                _ => return self.under_way(stored, found.ready.as_deref(), now).await,
            },
            None => {
                let (event_id, event_type) = (first.event_id, first.event_type.clone());
                let held = Delivery::of_event(tenant.clone(), event_id, event_type, id, DeliveryState::Held, now);
                Waiting { delivery: held.in_lane(first.lane), is_stored: false }
            }
        };
        let Some(ready) = found.ready.as_deref() else { return self.cancel(waiting, now).await };
        if !found.is_enabled {
            return Ok(Looked::Until(later(now, WHILE_OFF)));
        }
        let subscription = &ready.subscription;
        match (subscription.status.state, subscription.intake()) {
            (State::Active, Intake::Hold) if self.is_kept_elsewhere(tenant, id).await? => {
                return Ok(Looked::Until(later(now, WHILE_DRAINING)));
            }
            (State::Active, _) => {}
            (_, Intake::Skip) if !subscription.status.is_keeping => return self.cancel(waiting, now).await,
            (_, Intake::Skip | Intake::Hold | Intake::Deliver) => return Ok(Looked::Resting),
        }
        let may_go_at = match waiting.delivery.state {
            DeliveryState::Pending { next_attempt_at, .. } => next_attempt_at,
            _ => settled_at(subscription.settings.ordering.as_ref(), first.event_id),
        };
        if may_go_at > now {
            return Ok(Looked::Until(may_go_at));
        }
        Ok(match self.take_turn(waiting, ready, now).await? {
            Turn::Wait(until) => Looked::Until(until),
            // How it ended is read again: another may have recorded it.
            Turn::Taken | Turn::Moved => Looked::Moved,
        })
    }

    /// Tells whether something is kept for a subscription outside of its lanes. While it drains that is moved into them,
    /// and may be older than what stands there.
    async fn is_kept_elsewhere(&self, tenant: &TenantSlug, id: SubscriptionId) -> Result<bool, Trouble> {
        Ok(!self.app.store.held(tenant, id, 1).await?.is_empty())
    }

    /// Looks at one that does not wait for its turn: it ended, or is being attempted, or its target has it.
    async fn under_way(&self, first: Delivery, ready: Option<&Ready>, now: Timestamp) -> Result<Looked, Trouble> {
        match first.state {
            DeliveryState::Attempting { lease_until: until, .. } | DeliveryState::InProgress { silent_at: until }
                if until > now =>
            {
                Ok(Looked::Until(until))
            }
            DeliveryState::Attempting { .. } => {
                let kind = first.kind;
                let wait = |n| ready.and_then(|ready| ready.wait_after(kind, n, self.app.random.fraction()));
                self.record_lost_lease(first, wait).await?;
                Ok(Looked::Moved)
            }
            DeliveryState::InProgress { .. } => {
                self.end_silence(first, now).await?;
                Ok(Looked::Moved)
            }
            DeliveryState::Pending { .. } | DeliveryState::Held => Ok(Looked::Moved),
            DeliveryState::Delivered { .. } | DeliveryState::Exhausted { .. } | DeliveryState::Cancelled { .. } => {
                Ok(Looked::Ended)
            }
        }
    }

    /// Ends one that nothing is owed for any more. One that is not stored yet is stored as such, so that whoever noted it
    /// does not put it after its note is forgotten.
    async fn cancel(&self, waiting: Waiting, now: Timestamp) -> Result<Looked, Trouble> {
        let Waiting { delivery: before, is_stored } = waiting;
        let after = before.clone().in_state(DeliveryState::Cancelled { at: now }, now);
        let is_done = match is_stored {
            true => self.app.store.move_delivery(&before, &after).await?,
            false => self.app.store.put_delivery(&after).await?,
        };
        Ok(if is_done { Looked::Ended } else { Looked::Moved })
    }

    /// Moves a delivery that was kept elsewhere into its lane. Tells whether that was done; else it was moved by another
    /// since it was read.
    pub(crate) async fn move_into_lane(
        &self,
        waiting: Waiting,
        event: &Event,
        ordering: &Ordering,
    ) -> Result<bool, Trouble> {
        let Waiting { delivery: before, is_stored } = waiting;
        let after = before.clone().in_lane(event.lane(ordering));
        let due = settled_at(Some(ordering), event.id);
        lanes::line_up(&self.app, &after, due).await?;
        let is_done = match is_stored {
            true => self.app.store.move_delivery(&before, &after).await?,
            false => self.app.store.put_delivery(&after).await?,
        };
        lanes::hint(&self.app, &after, due).await;
        Ok(is_done)
    }

    /// Starts every lane of a subscription; gives when to go on, if that is not all of them.
    pub(crate) async fn start_lanes(
        &self,
        tenant: &TenantSlug,
        id: SubscriptionId,
        deadline: Deadline,
    ) -> Result<Next, Trouble> {
        let mut after = None;
        loop {
            let found = self.app.store.lanes(tenant, id, after, PAGE).await?;
            let Some(last) = found.last().copied() else { return Ok(None) };
            let now = self.app.clock.now();
            if now >= deadline.0 {
                return Ok(Some(now));
            }
            let starts = stream::iter(found).map(|lane| lanes::start(&self.app, tenant, id, lane));
            let started: Vec<_> = starts.buffer_unordered(CONCURRENCY).collect().await;
            for one in started {
                one?;
            }
            after = Some(last);
        }
    }
}
