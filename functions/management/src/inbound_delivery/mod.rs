//! Inbound deliveries: what a webhook received, what became of it, and how it is handled once more.

mod filter;
mod keep;
mod list;
mod list_of_tenant;
mod read;
mod replay;
mod request;
mod synthetic;

use hookport::domain::event_type::EventType;
use hookport::domain::id::{EventId, InboundDeliveryId, InboundWebhookId, WebhookKeyId};
use hookport::domain::inbound_delivery::{DispatchStatus, InboundDelivery, Violation};
use hookport::domain::refusal::AuthStatus;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::routes::routes;

pub(crate) use request::RequestView;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list::list))
        .routes(routes!(list_of_tenant::list_of_tenant))
        .routes(routes!(read::read))
        .routes(routes!(replay::replay))
        .routes(routes!(synthetic::test))
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
    /// The id of the key in the URL, never the key; null when the URL has a slug.
    #[schema(value_type = Option<String>)]
    webhook_key_id: Option<WebhookKeyId>,
    /// When it arrived.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// What came of judging the sender's proof. Requests whose proof failed are not among deliveries; a handshake may need
    /// none.
    auth_status: AuthStatus,
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
    /// Whether it handles an earlier request again.
    is_replay: bool,
    /// The delivery that it replays.
    #[schema(value_type = Option<String>)]
    replayed_from: Option<InboundDeliveryId>,
    /// Whether it was made by a person to try the webhook out, or replays such a one.
    is_test: bool,
    /// The status that whoever sent it was answered with.
    response_status: u16,
    /// From its arrival until it was kept.
    latency_ms: u32,
    /// The stable code of the reason why it was refused.
    error: Option<String>,
    /// Where its body is not what the schema of the event type asks for, when it was refused for that.
    violations: Vec<Violation>,
    /// How often its handling was taken up again.
    redrives: u32,
    /// Which handshake it is, by the name in its row; null: none.
    handshake: Option<String>,
}

impl From<InboundDelivery> for InboundDeliveryView {
    fn from(delivery: InboundDelivery) -> Self {
        Self {
            id: delivery.id,
            webhook_id: delivery.webhook_id,
            webhook_version: delivery.webhook_version,
            webhook_key_id: delivery.key_id,
            received_at: delivery.received_at(),
            auth_status: AuthStatus::Verified,
            event_id: delivery.event_id(),
            event_type: delivery.event_type,
            idempotency_key: delivery.idempotency_key,
            status: delivery.status,
            duplicate_of: delivery.duplicate_of,
            is_replay: delivery.replay_of.is_some(),
            replayed_from: delivery.replay_of,
            is_test: delivery.is_test,
            response_status: delivery.response_status,
            latency_ms: delivery.latency_ms,
            error: delivery.error,
            violations: delivery.violations,
            redrives: delivery.redrives,
            handshake: delivery.handshake.map(|handshake| handshake.name),
        }
    }
}
