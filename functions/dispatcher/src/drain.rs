//! Delivers what was kept for a subscription while it was paused, in the order of its events.

use hookport::aws::lambda::Deadline;
use hookport::domain::delivery::{Delivery, DeliveryKind, DeliveryState};
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::Subscription;
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::store::HeldDelivery;
use jiff::{SignedDuration, Timestamp};

use crate::retry::WHILE_OFF;
use crate::subscriptions::Ready;
use crate::turn::{Turn, Waiting};
use crate::{Dispatcher, Trouble};

/// How many are read at a time.
const PAGE: usize = 50;

/// How long one is waited for that somebody else seems to attempt.
const WHILE_ATTEMPTED: SignedDuration = SignedDuration::from_secs(2);

/// How far it came.
pub(crate) enum Drained {
    /// Nothing is kept any more.
    Empty,
    /// It goes on then.
    Until(Timestamp),
}

impl Dispatcher {
    /// Delivers what is kept, one after another: each is attempted once before the next, and goes on by its own schedule
    /// if that failed.
    pub(crate) async fn drain(&self, subscription: &Subscription, deadline: Deadline) -> Result<Drained, Trouble> {
        let (tenant, id) = (&subscription.tenant, subscription.id);
        loop {
            let held = self.app.store.held(tenant, id, PAGE).await?;
            if held.is_empty() {
                return Ok(Drained::Empty);
            }
            for one in held {
                let now = self.app.clock.now();
                if now >= deadline.0 {
                    return Ok(Drained::Until(now));
                }
                // It may have been paused, moved or deleted since the last one left.
                let found = self.subscriptions.one(&self.app, tenant, id, now).await?;
                if !found.is_enabled {
                    return Ok(Drained::Until(later(now, WHILE_OFF)));
                }
                let Some(ready) = found.ready.filter(|ready| ready.subscription.version == subscription.version) else {
                    return Ok(Drained::Until(now));
                };
                if let Some(until) = self.release(&one, &ready, now).await? {
                    return Ok(Drained::Until(until));
                }
                self.app.store.forget_held(tenant, id, &one).await?;
            }
        }
    }

    /// Ends what was kept for a subscription that is gone; gives when to go on, if that is not all of it.
    pub(crate) async fn cancel_held(
        &self,
        tenant: &TenantSlug,
        id: SubscriptionId,
        deadline: Deadline,
    ) -> Result<Option<Timestamp>, Trouble> {
        loop {
            let held = self.app.store.held(tenant, id, PAGE).await?;
            if held.is_empty() {
                return Ok(None);
            }
            for one in held {
                let now = self.app.clock.now();
                if now >= deadline.0 {
                    return Ok(Some(now));
                }
                if let Some(before) = self.app.store.delivery(tenant, one.id).await?
                    && before.state == DeliveryState::Held
                {
                    let after = before.clone().in_state(DeliveryState::Cancelled { at: now }, now);
                    self.app.store.move_delivery(&before, &after).await?;
                }
                self.app.store.forget_held(tenant, id, &one).await?;
            }
        }
    }

    /// Makes the attempt of one that is kept, or moves it into its lane; gives the time until which it, and all behind it,
    /// have to wait.
    async fn release(&self, held: &HeldDelivery, ready: &Ready, now: Timestamp) -> Result<Option<Timestamp>, Trouble> {
        let subscription = &ready.subscription;
        let tenant = &subscription.tenant;
        let waiting = match self.app.store.delivery(tenant, held.id).await? {
            Some(stored) if stored.state == DeliveryState::Held && stored.lane.is_none() => {
                Waiting { delivery: stored, is_stored: true }
            }
            // It may be about to be kept: whoever was to attempt it notes that before the delivery says so.
            Some(stored)
                if let DeliveryState::Attempting { lease_until, .. } = stored.state
                    && lease_until > now =>
            {
                return Ok(Some(lease_until.min(later(now, WHILE_ATTEMPTED))));
            }
            // It was released, cancelled or attempted before, or stands in its lane.
            Some(_) => return Ok(None),
            // Whoever kept it died before it wrote the delivery itself.
            None => {
                let (event_id, event_type) = (held.event_id, held.event_type.clone());
                let state = DeliveryState::Held;
                let delivery = Delivery::of_event(tenant.clone(), event_id, event_type, subscription.id, state, now);
                Waiting { delivery, is_stored: false }
            }
        };
        if let Some(ordering) = &subscription.settings.ordering
            && waiting.delivery.kind == DeliveryKind::Event
            && let Some(event) = self.event_of(&waiting.delivery).await?
        {
            let is_done = self.move_into_lane(waiting, &event, ordering).await?;
            return Ok((!is_done).then_some(now));
        }
        Ok(match self.take_turn(waiting, ready, now).await? {
            Turn::Taken => None,
            Turn::Wait(until) => Some(until),
            // The note stays and is looked at again.
            Turn::Moved => Some(now),
        })
    }
}
