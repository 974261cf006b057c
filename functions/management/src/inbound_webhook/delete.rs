//! `DELETE /api/v1/inbound-webhooks/{id}`: deletes an inbound webhook.

use axum::extract::State;
use hookport::domain::id::InboundWebhookId;
use http::StatusCode;

use crate::api::Api;
use crate::caller::{Caller, InboundWebhookDelete, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;

/// Deletes an inbound webhook with its secret and its key.
///
/// What it received stays for as long as such rows are kept.
#[utoipa::path(
    delete,
    path = "/api/v1/inbound-webhooks/{id}",
    operation_id = "deleteInboundWebhook",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookDelete::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    responses(
        (status = 204, description = "The webhook is deleted."),
        (status = 400, description = "`invalid_id`: not an id of an inbound webhook.", body = ErrorBody),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<InboundWebhookDelete>,
    Ids(id): Ids<InboundWebhookId>,
) -> Result<StatusCode> {
    let found = api.app.store.inbound_webhook(caller.tenant(), id).await?;
    let webhook = found.ok_or(Error::InboundWebhookNotFound)?;
    api.app.store.delete_inbound_webhook(&webhook, api.app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
