//! Makes a delivery that somebody asked for, due at once.

use hookport::app::App;
use hookport::domain::delivery::{Delivery, DeliveryKind, DeliveryState};
use hookport::domain::event_type::EventType;
use hookport::domain::id::{DeliveryId, EventId};
use hookport::domain::subscription::{State, Subscription};
use hookport::message::{Message, OutboundMessage};
use jiff::SignedDuration;
use tracing::{info, warn};

use crate::error::{Error, Result};

/// What is to be delivered.
pub(crate) struct Made {
    pub(crate) kind: DeliveryKind,
    pub(crate) event_id: EventId,
    pub(crate) event_type: EventType,
    /// The delivery that it repeats.
    pub(crate) repeats: Option<DeliveryId>,
    /// Its id, where that follows from what it is.
    pub(crate) id: Option<DeliveryId>,
}

/// Makes a delivery to an active subscription, and tells the dispatcher.
pub(crate) async fn make(app: &App, subscription: &Subscription, made: Made) -> Result<Delivery> {
    let state = subscription.status.state;
    if state != State::Active {
        return Err(Error::SubscriptionState(state.as_str()));
    }
    let now = app.clock.now();
    let new_id = || DeliveryId::new(now, subscription.id, app.random.bits());
    let due_now = DeliveryState::Pending { next_attempt_at: now, reason: None };
    let tenant = subscription.tenant.clone();
    let mut delivery = Delivery {
        id: made.id.unwrap_or_else(new_id),
        kind: made.kind,
        repeats: made.repeats,
        ..Delivery::of_event(tenant, made.event_id, made.event_type, subscription.id, due_now, now)
    };
    while !app.store.put_delivery(&delivery).await? {
        // Another delivery of this millisecond drew the same id.
        delivery.id = new_id();
    }
    hint(app, &delivery).await;
    info!(
        tenant = %delivery.tenant,
        event.id = %delivery.event_id,
        subscription.id = %delivery.subscription_id,
        delivery.id = %delivery.id,
        repeats = delivery.repeats.map(tracing::field::display),
        is_test = delivery.kind == DeliveryKind::Test,
        "delivery.made"
    );
    Ok(delivery)
}

/// Brings the dispatcher at once, if the queue takes the message in time; the sweeper comes a little later.
async fn hint(app: &App, delivery: &Delivery) {
    let body = Message::Outbound(OutboundMessage::new(delivery.tenant.clone(), delivery.id)).encode();
    if let Err(code) = app.outbound_queue.hint(body, SignedDuration::ZERO).await {
        warn!(delivery.id = %delivery.id, code, "delivery.hint_lost");
    }
}
