//! From a kept request to its event, and from the event to one delivery for each subscription that wants it.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use hookport::aws::lambda::Deadline;
use hookport::domain::delivery::{Delivery, DeliveryKind, DeliveryState, OwnerToken};
use hookport::domain::event_type::EventType;
use hookport::domain::id::{EventId, InboundDeliveryId, SubscriptionId};
use hookport::domain::inbound_delivery::DispatchStatus;
use hookport::domain::subscription::Intake;
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::lanes;
use hookport::message::{InboundMessage, Message};
use hookport::store::{Created, KeptRequest};
use jiff::SignedDuration;
use tracing::{info, warn};

use crate::attempt::gate_of;
use crate::event::{Event, Json};
use crate::gates::{Asked, Seen};
use crate::lane::settled_at;
use crate::subscriptions::Ready;
use crate::{Dispatcher, Trouble};

/// How many deliveries of one event are under way at once, and after how many progress is noted.
const PAGE: usize = 100;

/// A kept request whose event has work left.
struct Work {
    event_type: EventType,
    request: Option<KeptRequest>,
    done: Vec<SubscriptionId>,
    /// Whether somebody may have worked at it before.
    is_repeated: bool,
}

impl Dispatcher {
    /// Sends the event of a kept request to every subscription that wants it, and ends the request's own work when
    /// each of them is on its own: delivered, given up, kept, or waiting with a due time.
    pub(crate) async fn publish(
        &self,
        message: InboundMessage,
        receive_count: u32,
        deadline: Deadline,
    ) -> Result<(), Trouble> {
        let (tenant, delivery_id) = (message.tenant.clone(), message.delivery_id);
        let Some(work) = self.work_of(message, receive_count).await? else { return Ok(()) };
        let accepted_at = delivery_id.created_at();
        let wanting = self.subscriptions.wanting(&self.app, &tenant, &work.event_type, accepted_at).await?;
        let candidates: Vec<_> = if wanting.is_enabled { wanting.list.iter().collect() } else { Vec::new() };
        let mut done = work.done.clone();
        let mut all_on_their_own = true;
        if let (false, Some(request)) = (candidates.is_empty(), &work.request) {
            let event = Event::new(tenant.clone(), delivery_id.into(), work.event_type.clone(), request)?;
            let todo = self.todo(&event, &candidates, &work).await?;
            for (page, ready) in todo.chunks(PAGE).enumerate() {
                if page > 0 && self.app.clock.now() >= deadline.0 {
                    return self.continue_later(tenant, delivery_id, &done).await;
                }
                let attempts = stream::iter(ready.to_vec()).map(|ready| async {
                    let id = ready.subscription.id;
                    self.deliver_first(&event, ready).await.map(|is_on_its_own| (id, is_on_its_own))
                });
                let results: Vec<_> = attempts.buffer_unordered(PAGE).collect().await;
                for result in results {
                    match result? {
                        (id, true) => done.push(id),
                        (_, false) => all_on_their_own = false,
                    }
                }
            }
        } else if !candidates.is_empty() {
            warn!(%tenant, delivery.id = %delivery_id, "event.body_expired");
        }
        if work.is_repeated {
            all_on_their_own &= self.adopt(&tenant, delivery_id.into(), &wanting.list, &done).await?;
        }
        if all_on_their_own {
            self.app.store.end_inbound(&tenant, delivery_id, &done).await?;
        }
        info!(%tenant, delivery.id = %delivery_id, targets = done.len(), ended = all_on_their_own, "event.dispatched");
        Ok(())
    }

    /// Gives a due time to first attempts whose senders died, also where the event is no longer wanted: what becomes of
    /// them is decided when they are due. Those that are `done` are on their own already. Tells whether none is left whose
    /// lease still runs.
    async fn adopt(
        &self,
        tenant: &TenantSlug,
        event: EventId,
        known: &[Arc<Ready>],
        done: &[SubscriptionId],
    ) -> Result<bool, Trouble> {
        let done: HashSet<_> = done.iter().collect();
        let mut ids: Vec<_> = known.iter().map(|ready| ready.subscription.id).collect();
        ids.extend(self.app.store.retired_subscription_ids(tenant).await?);
        ids.retain(|id| !done.contains(id));
        let mut all = true;
        for some in ids.chunks(PAGE) {
            for old in self.app.store.deliveries_of_event(tenant, event, some).await? {
                if !old.is_on_its_own() {
                    let ready = known.iter().find(|ready| ready.subscription.id == old.subscription_id);
                    let wait = |n| match ready {
                        Some(ready) => ready.wait_after(DeliveryKind::Event, n, self.app.random.fraction()),
                        None => Some(SignedDuration::ZERO),
                    };
                    all &= self.record_lost_lease(old, wait).await?.is_some();
                }
            }
        }
        Ok(all)
    }

    /// The candidates that want the event, may have it, and have not got it yet.
    async fn todo(&self, event: &Event, candidates: &[&Arc<Ready>], work: &Work) -> Result<Vec<Arc<Ready>>, Trouble> {
        let wanted: Vec<Arc<Ready>> = {
            let json = Json::of(event);
            let wants = |ready: &&&Arc<Ready>| {
                let subscription = &ready.subscription;
                subscription.intake() != Intake::Skip
                    && !work.done.contains(&subscription.id)
                    && subscription.wants(&event.event_type, event.facts.as_ref(), event.id.created_at())
                    && json.passes(subscription)
            };
            candidates.iter().filter(wants).map(|ready| Arc::clone(ready)).collect()
        };
        let mut todo = Vec::with_capacity(wanted.len());
        for ready in wanted {
            if self.may_see(event, &ready.subscription, work.is_repeated).await? {
                todo.push(ready);
            }
        }
        Ok(todo)
    }

    /// What is to be done: from the message when it comes for the first time, else from the row, which knows whether
    /// the work was begun or ended before.
    async fn work_of(&self, message: InboundMessage, receive_count: u32) -> Result<Option<Work>, Trouble> {
        if receive_count <= 1
            && let Some(carried) = &message.carried
            && let Some(request) = carried.request()
        {
            let event_type = carried.event_type.clone();
            return Ok(Some(Work { event_type, request: Some(request), done: Vec::new(), is_repeated: false }));
        }
        let row = self
            .app
            .store
            .inbound_delivery_with_request(&message.tenant, message.delivery_id, self.app.clock.now())
            .await?;
        let Some((delivery, request)) = row else {
            warn!(tenant = %message.tenant, delivery.id = %message.delivery_id, "event.unknown");
            return Ok(None);
        };
        if let (DispatchStatus::Pending, Some(handshake)) = (delivery.status, &delivery.handshake) {
            if let Some(learned) = &handshake.learned {
                self.adopt_secret(&delivery, learned).await?;
            }
            return Ok(None);
        }
        Ok(match delivery.status {
            DispatchStatus::Pending => {
                // A request that is too large for its message comes like this for the first time, too.
                let is_repeated = receive_count > 1 || delivery.redrives > 0 || !delivery.subscriptions.is_empty();
                Some(Work { event_type: delivery.event_type, request, done: delivery.subscriptions, is_repeated })
            }
            DispatchStatus::Dispatched
            | DispatchStatus::Failed
            | DispatchStatus::Duplicate
            | DispatchStatus::Stuck
            | DispatchStatus::Handshake => None,
        })
    }

    /// Notes how far the fan-out has come and asks for another invocation. The row's due time stands behind the message.
    async fn continue_later(
        &self,
        tenant: TenantSlug,
        id: InboundDeliveryId,
        done: &[SubscriptionId],
    ) -> Result<(), Trouble> {
        self.app.store.note_fan_out(&tenant, id, done).await?;
        let body = Message::Inbound(InboundMessage::again(tenant, id)).encode();
        if let Err(code) = self.app.inbound_queue.hint(body, SignedDuration::ZERO).await {
            warn!(delivery.id = %id, code, "event.continuation_lost");
        }
        Ok(())
    }

    /// Makes the first attempt for one subscription, unless it was made before, has to wait, or is kept for later. Tells
    /// whether the delivery is on its own now.
    async fn deliver_first(&self, event: &Event, ready: Arc<Ready>) -> Result<bool, Trouble> {
        let now = self.app.clock.now();
        let subscription = &ready.subscription;
        let of_event = |state| {
            let (tenant, kind) = (event.tenant.clone(), event.event_type.clone());
            Delivery::of_event(tenant, event.id, kind, subscription.id, state, now)
        };
        if let Some(ordering) = &subscription.settings.ordering {
            // Also what is kept stands in its lane: it is paused with its subscription.
            let waiting = of_event(DeliveryState::Held).in_lane(event.lane(ordering));
            let due = settled_at(Some(ordering), event.id);
            lanes::line_up(&self.app, &waiting, due).await?;
            let is_new = self.app.store.put_delivery(&waiting).await?;
            lanes::hint(&self.app, &waiting, due).await;
            return match is_new {
                true => Ok(true),
                false => self.leaves_the_event(self.app.store.delivery(&event.tenant, waiting.id).await?, &ready).await,
            };
        }
        if subscription.intake() == Intake::Hold {
            let held = of_event(DeliveryState::Held);
            self.app.store.note_held(&held).await?;
            return match self.app.store.put_delivery(&held).await? {
                true => Ok(true),
                false => self.leaves_the_event(self.app.store.delivery(&event.tenant, held.id).await?, &ready).await,
            };
        }
        let owner = OwnerToken::new(self.app.random.bits());
        let lease_until = later(now, self.app.config.lease);
        let delivery = of_event(DeliveryState::Attempting { n: 1, owner, lease_until });
        let gate = gate_of(&delivery, subscription, lease_until);
        let pass = match self.gates.ask(&self.app, &gate, now).await {
            Asked::Go(pass) => pass,
            Asked::Wait { until, reason } => {
                let waiting = of_event(DeliveryState::Pending { next_attempt_at: until, reason: Some(reason) });
                if self.app.store.put_delivery(&waiting).await? {
                    self.hint(&waiting, now).await;
                    return Ok(true);
                }
                let existing = self.app.store.delivery(&event.tenant, waiting.id).await?;
                return self.leaves_the_event(existing, &ready).await;
            }
        };
        match self.app.store.create_delivery(&delivery, owner).await {
            Ok(Created::New) => Ok(self.attempt(delivery, owner, Some(event), &ready, pass).await?.is_on_its_own()),
            Ok(Created::Exists(old)) => {
                self.gates.done(&self.app, &gate, pass, Seen::Unknown).await;
                self.leaves_the_event(Some(*old), &ready).await
            }
            Err(error) => {
                self.gates.done(&self.app, &gate, pass, Seen::Unknown).await;
                Err(error.into())
            }
        }
    }

    /// Tells whether a delivery that is there already needs nothing from the event's row any more. One whose sender died
    /// is recorded and goes on by itself.
    async fn leaves_the_event(&self, existing: Option<Delivery>, ready: &Ready) -> Result<bool, Trouble> {
        let Some(old) = existing.filter(|old| !old.is_on_its_own()) else { return Ok(true) };
        let kind = old.kind;
        let after = self.record_lost_lease(old, |n| ready.wait_after(kind, n, self.app.random.fraction())).await?;
        Ok(after.is_some_and(|after| after.is_on_its_own()))
    }
}
