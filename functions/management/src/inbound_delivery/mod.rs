//! Inbound deliveries: what a webhook received, and what became of it.

mod list;
mod read;

use hookport::domain::event_type::EventType;
use hookport::domain::id::{EventId, InboundDeliveryId, InboundWebhookId};
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

/// One received request and what became of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct InboundDeliveryView {
    /// Its id.
    #[schema(value_type = String, example = "ind_01m5w3rm008000000400000003")]
    id: InboundDeliveryId,
    /// The webhook that it came to.
    #[schema(value_type = String)]
    webhook_id: InboundWebhookId,
    /// The version of the webhook that judged it.
    webhook_version: u64,
    /// When it arrived.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// The event made from it; null when it was refused or repeats an earlier one.
    #[schema(value_type = Option<String>)]
    event_id: Option<EventId>,
    /// The type of that event.
    event_type: EventType,
    /// The sender's idempotency key.
    idempotency_key: Option<String>,
    /// How far its handling has come.
    status: DispatchStatus,
    /// The first delivery with the same key, when this one repeats it.
    #[schema(value_type = Option<String>)]
    duplicate_of: Option<InboundDeliveryId>,
    /// The status that the sender was answered with.
    response_status: u16,
    /// From its arrival until it was kept.
    latency_ms: u32,
    /// The stable code of the reason why it was refused.
    error: Option<String>,
    /// How often its handling was taken up again.
    redrives: u32,
}

impl From<InboundDelivery> for InboundDeliveryView {
    fn from(delivery: InboundDelivery) -> Self {
        Self {
            id: delivery.id,
            webhook_id: delivery.webhook_id,
            webhook_version: delivery.webhook_version,
            received_at: delivery.received_at(),
            event_id: delivery.event_id(),
            event_type: delivery.event_type,
            idempotency_key: delivery.idempotency_key,
            status: delivery.status,
            duplicate_of: delivery.duplicate_of,
            response_status: delivery.response_status,
            latency_ms: delivery.latency_ms,
            error: delivery.error,
            redrives: delivery.redrives,
        }
    }
}
