//! `GET /api/v1/inbound-webhooks/{id}/health`: shows how an inbound webhook is doing.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;

use super::HealthView;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Shows how an inbound webhook is doing.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/health",
    operation_id = "readInboundWebhookHealth",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    responses(
        (status = 200, description = "How it is doing.", body = One<HealthView>),
        (status = 400, description = "`invalid_id`: not an id of an inbound webhook.", body = ErrorBody),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Ids(id): Ids<InboundWebhookId>,
) -> Result<Json<One<HealthView>>> {
    let found = api.app.store.inbound_webhook(caller.tenant(), id).await?;
    let webhook = found.ok_or(Error::InboundWebhookNotFound)?;
    Ok(Json(One { data: super::of(&api, webhook).await? }))
}
