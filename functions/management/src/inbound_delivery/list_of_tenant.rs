//! `GET /api/v1/inbound-deliveries`: lists what all inbound webhooks of the tenant received.

use axum::Json;
use axum::extract::State;

use super::InboundDeliveryView;
use super::filter::TenantDeliveryQuery;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Params;
use crate::page::Many;

/// Lists what all inbound webhooks of the tenant received, newest first, without the requests themselves.
///
/// What deleted webhooks received is listed for as long as such rows are kept. A page can have fewer items than were
/// asked for, even none, and still have a next one: a rare thing is looked for in steps.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-deliveries",
    operation_id = "listInboundDeliveriesOfTenant",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(TenantDeliveryQuery),
    responses(
        (status = 200, description = "The deliveries.", body = Many<InboundDeliveryView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has the id in `webhook`.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn list_of_tenant(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Params(query): Params<TenantDeliveryQuery>,
) -> Result<Json<Many<InboundDeliveryView>>> {
    let wanted = query.webhook;
    let filter = query.filter()?;
    let mut webhooks = api.app.store.inbound_webhook_ids(caller.tenant()).await?;
    if let Some(wanted) = wanted {
        webhooks.retain(|id| *id == wanted);
        if webhooks.is_empty() {
            return Err(Error::InboundWebhookNotFound);
        }
    }
    let found = filter.find(&api, caller.tenant(), &webhooks).await?;
    Ok(Json(Many::new(&filter.page, found.map(InboundDeliveryView::from))))
}
