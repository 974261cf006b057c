//! `GET /api/v1/inbound-webhooks/{id}/deliveries`: lists what an inbound webhook received.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;

use super::InboundDeliveryView;
use super::filter::InboundDeliveryQuery;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::{Ids, Params};
use crate::inbound_webhook::has_or_had;
use crate::page::Many;

/// Lists what an inbound webhook received, newest first, without the requests themselves.
///
/// What a deleted webhook received is listed for as long as such rows are kept. A page can have fewer items than were
/// asked for, even none, and still have a next one: a rare thing is looked for in steps.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/deliveries",
    operation_id = "listInboundDeliveries",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`."), InboundDeliveryQuery),
    responses(
        (status = 200, description = "The deliveries.", body = Many<InboundDeliveryView>),
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
    Params(query): Params<InboundDeliveryQuery>,
) -> Result<Json<Many<InboundDeliveryView>>> {
    let filter = query.filter()?;
    has_or_had(&api, caller.tenant(), id).await?;
    let found = filter.find(&api, caller.tenant(), &[id]).await?;
    Ok(Json(Many::new(&filter.page, found.map(InboundDeliveryView::from))))
}
