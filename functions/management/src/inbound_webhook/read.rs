//! `GET /api/v1/inbound-webhooks/{id}`: shows an inbound webhook.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::permission::Permission;

use super::{InboundWebhookView, find, key_of};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Shows an inbound webhook.
///
/// Its newest key is shown as well to holders of `inbound_webhook:update`; its secrets never are.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}",
    operation_id = "readInboundWebhook",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    responses(
        (status = 200, description = "The webhook.", body = One<InboundWebhookView>),
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
) -> Result<Json<One<InboundWebhookView>>> {
    let webhook = find(&api, caller.tenant(), id).await?;
    let key = if caller.may(Permission::InboundWebhookUpdate) { key_of(&api, &webhook).await? } else { None };
    Ok(Json(One { data: InboundWebhookView::new(webhook, &api, key.as_ref()) }))
}
