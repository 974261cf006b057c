//! `GET /api/v1/inbound-webhooks/{id}/rejections/{rejection_id}`: shows a request that an inbound webhook refused.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::{InboundWebhookId, RejectionId};
use hookport::domain::rejection::RejectionLog;

use super::{RejectionView, one_of};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Shows a request that an inbound webhook refused.
///
/// It is there for three days, unless so many others of its hour were refused that one of them has its place.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/rejections/{rejection_id}",
    operation_id = "readRejection",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(
        ("id" = String, Path, description = "The webhook's id: `inw_…`."),
        ("rejection_id" = String, Path, description = "The refused request's id: `rej_…`."),
    ),
    responses(
        (status = 200, description = "The refused request.", body = One<RejectionView>),
        (status = 400, description = "`invalid_id`: not ids of a webhook and a refused request.", body = ErrorBody),
        (
            status = 404,
            description = "`rejection_not_found`: the webhook has no refused request with this id, or no longer.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Ids((webhook, id)): Ids<(InboundWebhookId, RejectionId)>,
) -> Result<Json<One<RejectionView>>> {
    let data = one_of(&api, &RejectionLog::Webhook(caller.tenant().clone(), webhook), id).await?;
    Ok(Json(One { data }))
}
