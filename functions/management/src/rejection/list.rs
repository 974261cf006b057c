//! `GET /api/v1/inbound-webhooks/{id}/rejections`: lists the requests that an inbound webhook refused.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::rejection::RejectionLog;

use super::{RejectionQuery, RejectionView, page_of};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::{Ids, Params};
use crate::inbound_webhook::has_or_had;
use crate::page::Many;

/// Lists the requests that an inbound webhook refused in the last three days, newest first.
///
/// At most 256 of an hour are kept. Those to a deleted webhook are listed as well.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/rejections",
    operation_id = "listRejections",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`."), RejectionQuery),
    responses(
        (status = 200, description = "The refused requests.", body = Many<RejectionView>),
        (
            status = 400,
            description = "`invalid_id`: not an id of an inbound webhook. `invalid_request` or `invalid_cursor`: a \
                parameter is wrong.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Ids(id): Ids<InboundWebhookId>,
    Params(query): Params<RejectionQuery>,
) -> Result<Json<Many<RejectionView>>> {
    has_or_had(&api, caller.tenant(), id).await?;
    page_of(&api, &RejectionLog::Webhook(caller.tenant().clone(), id), &query).await
}
