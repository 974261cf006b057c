//! From a kept request to its event, and from the event to one delivery for each subscription that wants it.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use hookport::aws::lambda::Deadline;
use hookport::aws::queue::Outgoing;
use hookport::domain::delivery::{Delivery, DeliveryState, OwnerToken};
use hookport::domain::event_type::EventType;
use hookport::domain::id::{EventId, InboundDeliveryId, SubscriptionId};
use hookport::domain::inbound_delivery::DispatchStatus;
use hookport::domain::text::TenantSlug;
use hookport::message::{InboundMessage, Message};
use hookport::store::{Created, KeptRequest};
use jiff::SignedDuration;
use tracing::{info, warn};

use crate::subscriptions::Ready;
use crate::{Dispatcher, Trouble};

/// How many deliveries of one event are under way at once, and after how many progress is noted.
const PAGE: usize = 100;

/// An event, as targets get it.
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) tenant: TenantSlug,
    pub(crate) event_type: EventType,
    pub(crate) content_type: Option<String>,
    pub(crate) payload: Bytes,
}

/// A kept request whose event has work left.
struct Work {
    event_type: EventType,
    request: Option<KeptRequest>,
    done: Vec<SubscriptionId>,
}

impl Event {
    pub(crate) fn new(
        tenant: TenantSlug,
        id: EventId,
        event_type: EventType,
        request: &KeptRequest,
    ) -> Result<Self, Trouble> {
        let (head, payload) = request.unpack()?;
        let content_type = head.header("content-type").map(ToOwned::to_owned);
        Ok(Self { id, tenant, event_type, content_type, payload })
    }
}

impl Dispatcher {
    /// Sends the event of a kept request to every subscription that wants it, and ends the request's own work when
    /// each of them is on its own: delivered, given up, or waiting with a due time.
    pub(crate) async fn publish(
        &self,
        message: InboundMessage,
        receive_count: u32,
        deadline: Deadline,
    ) -> Result<(), Trouble> {
        let (tenant, delivery_id) = (message.tenant.clone(), message.delivery_id);
        let Some(work) = self.work_of(message, receive_count).await? else { return Ok(()) };
        let accepted_at = delivery_id.created_at();
        let known = self.subscriptions.of(&self.app, &tenant, accepted_at).await?;
        let wanted = known.iter().filter(|r| r.subscription.wants(&work.event_type, accepted_at)).cloned();
        let (done_before, todo): (Vec<Arc<Ready>>, Vec<Arc<Ready>>) =
            wanted.partition(|r| work.done.contains(&r.subscription.id));
        let mut done: Vec<SubscriptionId> = done_before.iter().map(|r| r.subscription.id).collect();
        let mut all_on_their_own = true;
        if !todo.is_empty() {
            let Some(request) = &work.request else {
                warn!(%tenant, delivery.id = %delivery_id, "event.body_expired");
                return Ok(self.app.store.end_inbound(&tenant, delivery_id, &done).await?);
            };
            let event = Event::new(tenant.clone(), delivery_id.into(), work.event_type, request)?;
            for (page, ready) in todo.chunks(PAGE).enumerate() {
                if page > 0 && self.app.clock.now() >= deadline.0 {
                    return self.continue_later(tenant, delivery_id, &done).await;
                }
                let attempts = stream::iter(ready.to_vec()).map(|ready| self.deliver_first(&event, ready));
                let results: Vec<_> = attempts.buffer_unordered(PAGE).collect().await;
                for result in results {
                    all_on_their_own &= result?;
                }
                done.extend(ready.iter().map(|r| r.subscription.id));
            }
        }
        if all_on_their_own {
            self.app.store.end_inbound(&tenant, delivery_id, &done).await?;
        }
        info!(%tenant, delivery.id = %delivery_id, targets = done.len(), ended = all_on_their_own, "event.dispatched");
        Ok(())
    }

    /// What is to be done: from the message when it comes for the first time, else from the row, which knows whether
    /// the work was begun or ended before.
    async fn work_of(&self, message: InboundMessage, receive_count: u32) -> Result<Option<Work>, Trouble> {
        if receive_count <= 1
            && let Some(carried) = &message.carried
            && let Some(request) = carried.request()
        {
            let event_type = carried.event_type.clone();
            return Ok(Some(Work { event_type, request: Some(request), done: Vec::new() }));
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
        Ok(match delivery.status {
            DispatchStatus::Pending => {
                Some(Work { event_type: delivery.event_type, request, done: delivery.subscriptions })
            }
            DispatchStatus::Dispatched | DispatchStatus::Failed | DispatchStatus::Duplicate | DispatchStatus::Stuck => {
                None
            }
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
        if let Err(error) = self.app.inbound_queue.send(Outgoing { body, delay: SignedDuration::ZERO }).await {
            warn!(delivery.id = %id, code = error.code, "event.continuation_lost");
        }
        Ok(())
    }

    /// Makes the first attempt for one subscription, unless it was made before. Tells whether the delivery is on its
    /// own now.
    async fn deliver_first(&self, event: &Event, ready: Arc<Ready>) -> Result<bool, Trouble> {
        let now = self.app.clock.now();
        let owner = OwnerToken::new(self.app.random.bits());
        let lease_until = now.saturating_add(self.app.config.lease).unwrap_or(now);
        let delivery = Delivery::first_attempt(
            event.tenant.clone(),
            event.id,
            event.event_type.clone(),
            ready.subscription.id,
            owner,
            lease_until,
        );
        match self.app.store.create_delivery(&delivery, owner).await? {
            Created::New => Ok(self.attempt(delivery, owner, event, &ready).await?.is_on_its_own()),
            Created::Exists(old) => match old.state {
                DeliveryState::Attempting { .. } if !old.is_on_its_own() => {
                    let after = self.record_lost_lease(*old, ready.subscription.retry_schedule).await?;
                    Ok(after.is_some_and(|after| after.is_on_its_own()))
                }
                _ => Ok(old.is_on_its_own()),
            },
        }
    }
}
