//! `GET /api/v1/inbound-webhooks`: lists the tenant's inbound webhooks.

use axum::Json;
use axum::extract::State;

use super::InboundWebhookView;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Lists the tenant's inbound webhooks, newest first, without their keys.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks",
    operation_id = "listInboundWebhooks",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The webhooks.", body = Many<InboundWebhookView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<InboundWebhookView>>> {
    let page = query.page()?;
    let found = api.app.store.list_inbound_webhooks(caller.tenant(), &page).await?;
    Ok(Json(Many::new(&page, found.map(|webhook| InboundWebhookView::new(webhook, &api, None)))))
}
