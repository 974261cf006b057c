//! `DELETE /api/v1/inbound-webhooks/{id}`: deletes an inbound webhook.

use axum::extract::State;
use hookport::domain::id::InboundWebhookId;
use http::StatusCode;

use super::find;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookDelete, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;

/// Deletes an inbound webhook with its secrets and its keys.
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
        (status = 409, description = "`conflict`: someone else changed the webhook at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<InboundWebhookDelete>,
    Ids(id): Ids<InboundWebhookId>,
) -> Result<StatusCode> {
    let webhook = find(&api, caller.tenant(), id).await?;
    let deleted = api.app.store.delete_inbound_webhook(&webhook, api.app.clock.now()).await;
    deleted.map_err(|error| Error::of_creation(error, Error::Conflict))?;
    Ok(StatusCode::NO_CONTENT)
}
