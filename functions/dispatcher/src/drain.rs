//! Delivers what was kept for a subscription while it was paused, in the order of its events.

use hookport::aws::lambda::Deadline;
use hookport::domain::delivery::{Delivery, DeliveryState, OwnerToken};
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::Subscription;
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::store::{Created, HeldDelivery};
use jiff::Timestamp;

use crate::attempt::gate_of;
use crate::gates::{Asked, Seen};
use crate::retry::WHILE_OFF;
use crate::subscriptions::Ready;
use crate::{Dispatcher, Trouble};

/// How many are read at a time.
const PAGE: usize = 50;

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
                self.app.store.forget_held(tenant, id, one.id).await?;
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
                self.app.store.forget_held(tenant, id, one.id).await?;
            }
        }
    }

    /// Makes the attempt of one that is kept; gives the time until which it, and all behind it, have to wait.
    async fn release(&self, held: &HeldDelivery, ready: &Ready, now: Timestamp) -> Result<Option<Timestamp>, Trouble> {
        let subscription = &ready.subscription;
        let tenant = &subscription.tenant;
        let owner = OwnerToken::new(self.app.random.bits());
        let lease_until = later(now, self.app.config.lease);
        let stored = self.app.store.delivery(tenant, held.id).await?;
        let n = stored.as_ref().and_then(|stored| stored.attempts.last()).map_or(1, |last| last.n + 1);
        let state = DeliveryState::Attempting { n, owner, lease_until };
        let delivery = match &stored {
            Some(stored) if stored.state == DeliveryState::Held => stored.clone().in_state(state, now),
            // It was released, cancelled or attempted before.
            Some(_) => return Ok(None),
            // Whoever kept it died before it wrote the delivery itself. As it is made here, no event's row stands behind
            // it.
            None => {
                let (event_id, event_type) = (held.event_id, held.event_type.clone());
                Delivery::of_event(tenant.clone(), event_id, event_type, subscription.id, state, now)
                    .in_state(state, now)
            }
        };
        let gate = gate_of(&delivery, subscription, lease_until);
        let pass = match self.gates.ask(&self.app, &gate, now).await {
            Asked::Go(pass) => pass,
            Asked::Wait { until, .. } => return Ok(Some(until)),
        };
        let event = self.event_of(&delivery).await;
        let claimed = match (&event, &stored) {
            (Err(_), _) => Ok(false),
            (Ok(_), Some(before)) => self.app.store.move_delivery(before, &delivery).await,
            (Ok(_), None) => {
                self.app.store.create_delivery(&delivery, owner).await.map(|created| created == Created::New)
            }
        };
        let is_ours = matches!(claimed, Ok(true));
        match event {
            Ok(Some(event)) if is_ours => {
                self.attempt(delivery, owner, Some(&event), ready, pass).await?;
            }
            Ok(event) => {
                self.gates.done(&self.app, &gate, pass, Seen::Unknown).await;
                if !claimed? {
                    // Its row was put, or it was cancelled, since it was read: the note stays and is looked at again.
                    return Ok(Some(now));
                }
                if event.is_none() {
                    self.give_up(delivery, owner, "payload_expired", "the event's payload is no longer stored").await?;
                }
            }
            Err(trouble) => {
                self.gates.done(&self.app, &gate, pass, Seen::Unknown).await;
                return Err(trouble);
            }
        }
        Ok(None)
    }
}
