//! `GET /api/v1/inbound-webhooks/{id}/deliveries/{delivery_id}`: shows a received request and what became of it.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::{InboundDeliveryId, InboundWebhookId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{InboundDeliveryView, RequestView};
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
    /// The request; null once nothing of it is kept. After 30 days it is cut to the beginning of its body.
    request: Option<RequestView>,
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
    let found = api.app.store.inbound_delivery_with_request(caller.tenant(), id, api.app.clock.now()).await?;
    let found = found.filter(|(delivery, _)| delivery.webhook_id == webhook);
    let (delivery, request) = found.ok_or(Error::InboundDeliveryNotFound)?;
    let request = match request {
        Some(request) => Some(RequestView::of(&request)?),
        None => {
            let beginning = api.app.store.beginning_of_request(caller.tenant(), id).await?;
            beginning.as_ref().map(RequestView::of_beginning).transpose()?
        }
    };
    Ok(Json(One { data: InboundDeliveryWithRequest { delivery: delivery.into(), request } }))
}
