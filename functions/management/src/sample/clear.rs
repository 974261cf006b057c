//! `DELETE /api/v1/inbound-webhooks/{id}/capture-sample`: disarms an inbound webhook and forgets its sample.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;

use super::{CaptureView, find, set};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookSample, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Disarms an inbound webhook and forgets its sample.
///
/// The delivery of the captured request stays what it is.
#[utoipa::path(
    delete,
    path = "/api/v1/inbound-webhooks/{id}/capture-sample",
    operation_id = "clearSample",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookSample::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    responses(
        (status = 200, description = "The webhook is not armed and has no sample.", body = One<CaptureView>),
        (status = 400, description = "`invalid_id`: not an id of an inbound webhook.", body = ErrorBody),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
        (status = 409, description = "`conflict`: someone changed the webhook at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn clear(
    State(api): State<Api>,
    caller: Caller<InboundWebhookSample>,
    Ids(id): Ids<InboundWebhookId>,
) -> Result<Json<One<CaptureView>>> {
    let webhook = find(&api, caller.tenant(), id).await?;
    if webhook.capture_until.is_some() {
        set(&api, &webhook, None).await?;
    }
    api.app.store.drop_sample(caller.tenant(), id).await?;
    Ok(Json(One { data: CaptureView::without_sample(None) }))
}
