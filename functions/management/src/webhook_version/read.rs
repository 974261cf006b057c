//! `GET /api/v1/inbound-webhooks/{id}/versions/{version}`: shows one version of an inbound webhook.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;

use super::find;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::inbound_webhook::InboundWebhookView;
use crate::page::One;

/// Shows one version of an inbound webhook, without secrets and keys.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/versions/{version}",
    operation_id = "readInboundWebhookVersion",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(
        ("id" = String, Path, description = "The webhook's id: `inw_…`."),
        ("version" = u64, Path, description = "The number of the version, from 1."),
    ),
    responses(
        (status = 200, description = "The version.", body = One<InboundWebhookView>),
        (status = 400, description = "`invalid_id`: not an id of an inbound webhook and a number.", body = ErrorBody),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id. \
                `webhook_version_not_found`: it has no such version.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Ids((id, version)): Ids<(InboundWebhookId, u64)>,
) -> Result<Json<One<InboundWebhookView>>> {
    let found = find(&api, caller.tenant(), id, version).await?;
    Ok(Json(One { data: InboundWebhookView::new(found, &api, None) }))
}
