//! `GET /api/v1/inbound-webhooks/{id}/deliveries/{delivery_id}`: shows a received request and what became of it.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::id::{InboundDeliveryId, InboundWebhookId};
use hookport::domain::inbound_delivery::RequestHead;
use serde::Serialize;
use utoipa::ToSchema;

use super::InboundDeliveryView;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// One received request, whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct InboundDeliveryWithRequest {
    #[serde(flatten)]
    delivery: InboundDeliveryView,
    /// The request; null once it is no longer kept.
    request: Option<RequestView>,
}

/// A request as it was received; headers that carry credentials or signatures are left out.
#[derive(Serialize, ToSchema)]
pub(crate) struct RequestView {
    /// The HTTP method.
    method: String,
    /// The path, without a key and without the query.
    path: String,
    /// Where it came from.
    source_ip: Option<String>,
    /// The headers, with names in lower case.
    headers: Vec<HeaderView>,
    /// The body, if it is text; else null.
    body: Option<String>,
    /// The body in base64, if it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    body_base64: Option<String>,
    /// The size of the body.
    body_bytes: usize,
}

/// One header of a request.
#[derive(Serialize, ToSchema)]
pub(crate) struct HeaderView {
    name: String,
    value: String,
}

impl RequestView {
    fn new(head: RequestHead, body: &[u8]) -> Self {
        let (text, base64) = match std::str::from_utf8(body) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(STANDARD.encode(body))),
        };
        Self {
            method: head.method,
            path: head.path,
            source_ip: head.source_ip,
            headers: head.headers.into_iter().map(|(name, value)| HeaderView { name, value }).collect(),
            body: text,
            body_base64: base64,
            body_bytes: body.len(),
        }
    }
}

/// Shows a received request and what became of it.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/deliveries/{delivery_id}",
    operation_id = "readInboundDelivery",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(
        ("id" = String, Path, description = "The webhook's id: `inw_…`."),
        ("delivery_id" = String, Path, description = "The delivery's id: `ind_…`."),
    ),
    responses(
        (status = 200, description = "The delivery and its request.", body = One<InboundDeliveryWithRequest>),
        (status = 400, description = "`invalid_id`: not ids of a webhook and a delivery.", body = ErrorBody),
        (
            status = 404,
            description = "`inbound_delivery_not_found`: the webhook has no delivery with this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Ids((webhook, id)): Ids<(InboundWebhookId, InboundDeliveryId)>,
) -> Result<Json<One<InboundDeliveryWithRequest>>> {
    let found = api.app.store.inbound_delivery_with_request(caller.tenant(), id).await?;
    let found = found.filter(|(delivery, _)| delivery.webhook_id == webhook);
    let (delivery, request) = found.ok_or(Error::InboundDeliveryNotFound)?;
    let request = match request {
        Some(kept) => {
            let (head, body) = kept.unpack()?;
            Some(RequestView::new(head, &body))
        }
        None => None,
    };
    Ok(Json(One { data: InboundDeliveryWithRequest { delivery: delivery.into(), request } }))
}
