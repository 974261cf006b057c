//! Events: the facts made from accepted requests.

mod list;
mod read;

use hookport::domain::event_type::EventType;
use hookport::domain::id::{EventId, InboundDeliveryId, InboundWebhookId, WebhookKeyId};
use hookport::domain::inbound_delivery::{DispatchStatus, InboundDelivery};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list)).routes(routes!(read::read))
}

/// A fact, made from an accepted request.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Its id.
    #[schema(value_type = String, example = "evt_01m5w3rm008000000400000003")]
    id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    event_type: EventType,
    /// Where it came from.
    source: EventSource,
    /// When the request arrived.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// Whether it has gone to every subscription that wants it.
    status: DispatchStatus,
}

/// Where an event came from.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventSource {
    /// The webhook that received the request.
    #[schema(value_type = String)]
    inbound_webhook_id: InboundWebhookId,
    /// The request.
    #[schema(value_type = String)]
    inbound_delivery_id: InboundDeliveryId,
    /// The id of the key in its URL; null when the URL has a slug.
    #[schema(value_type = Option<String>)]
    webhook_key_id: Option<WebhookKeyId>,
}

impl EventView {
    /// The view of the event that was made from `delivery`, if one was.
    fn of(delivery: InboundDelivery) -> Option<Self> {
        Some(Self {
            id: delivery.event_id()?,
            source: EventSource {
                inbound_webhook_id: delivery.webhook_id,
                inbound_delivery_id: delivery.id,
                webhook_key_id: delivery.key_id,
            },
            occurred_at: delivery.received_at(),
            status: delivery.status,
            event_type: delivery.event_type,
        })
    }
}
