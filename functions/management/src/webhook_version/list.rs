//! `GET /api/v1/inbound-webhooks/{id}/versions`: lists the versions of an inbound webhook.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;

use super::known;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::{Ids, Params};
use crate::inbound_webhook::InboundWebhookView;
use crate::page::{Many, PageQuery};

/// Lists the versions of an inbound webhook, newest first, without secrets and keys.
///
/// The first in the list is the one that holds. Those of a deleted webhook stay.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/versions",
    operation_id = "listInboundWebhookVersions",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`."), PageQuery),
    responses(
        (status = 200, description = "The versions.", body = Many<InboundWebhookView>),
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
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<InboundWebhookView>>> {
    let page = query.page()?;
    let found = api.app.store.list_inbound_webhook_versions(caller.tenant(), id, &page).await?;
    if found.items.is_empty() {
        known(&api, caller.tenant(), id).await?;
    }
    Ok(Json(Many::new(&page, found.map(|version| InboundWebhookView::new(version, &api, None)))))
}
