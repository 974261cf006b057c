//! Events: the facts made from accepted requests, published by callers, or told by the gateway of itself.

mod list;
mod publish;
mod publish_batch;
mod publish_one;
mod publisher;
mod read;

use hookport::domain::event_type::EventType;
use hookport::domain::id::{EventId, InboundDeliveryId, InboundWebhookId, WebhookKeyId};
use hookport::domain::inbound_delivery::{DispatchStatus, InboundDelivery};
use hookport::domain::stats::GATEWAY_VERSION;
use hookport::publish::SCHEDULED_VERSION;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use publish::parse;

use crate::api::Api;
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list::list, publish::publish))
        .routes(routes!(read::read, publish_one::publish_one))
}

/// A fact: made from an accepted request, published, or told by the gateway of itself.
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
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// Whether it has gone to every subscription that wants it.
    status: DispatchStatus,
}

/// Where an event came from.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventSource {
    /// How it came about.
    kind: SourceKind,
    /// The webhook that received the request, or that the gateway tells of; null when there is none.
    #[schema(value_type = Option<String>)]
    inbound_webhook_id: Option<InboundWebhookId>,
    /// The request, among the deliveries of that webhook; null when there is no webhook.
    #[schema(value_type = Option<String>)]
    inbound_delivery_id: Option<InboundDeliveryId>,
    /// The id of the key in its URL; null when the URL has a slug, or there is none.
    #[schema(value_type = Option<String>)]
    webhook_key_id: Option<WebhookKeyId>,
}

/// How an event came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceKind {
    /// A webhook received it.
    Webhook,
    /// It was published through this API.
    Published,
    /// A schedule published it.
    Schedule,
    /// The gateway tells it of itself.
    Hookport,
}

impl SourceKind {
    fn of(delivery: &InboundDelivery) -> Self {
        if delivery.webhook_version == GATEWAY_VERSION {
            Self::Hookport
        } else if delivery.webhook_id == InboundWebhookId::NONE {
            if delivery.webhook_version == SCHEDULED_VERSION { Self::Schedule } else { Self::Published }
        } else {
            Self::Webhook
        }
    }
}

impl EventView {
    /// The view of the event that was made from `delivery`, if one was.
    fn of(delivery: InboundDelivery) -> Option<Self> {
        let webhook = Some(delivery.webhook_id).filter(|id| *id != InboundWebhookId::NONE);
        Some(Self {
            id: delivery.event_id()?,
            source: EventSource {
                kind: SourceKind::of(&delivery),
                inbound_webhook_id: webhook,
                inbound_delivery_id: webhook.map(|_| delivery.id),
                webhook_key_id: delivery.key_id,
            },
            occurred_at: delivery.received_at(),
            status: delivery.status,
            event_type: delivery.event_type,
        })
    }
}
