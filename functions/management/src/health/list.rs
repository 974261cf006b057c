//! `GET /api/v1/health/inbound-webhooks`: shows how the tenant's inbound webhooks are doing.

use axum::Json;
use axum::extract::State;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use hookport::domain::cursor::Page;

use super::HealthView;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// How many webhooks are looked at at once.
const CONCURRENCY: usize = 8;

/// Shows how the tenant's inbound webhooks are doing, the newest webhook first.
///
/// Each of them is looked at anew, so a page takes longer than other lists.
#[utoipa::path(
    get,
    path = "/api/v1/health/inbound-webhooks",
    operation_id = "listInboundWebhookHealth",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "How they are doing.", body = Many<HealthView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<HealthView>>> {
    let page = query.page()?;
    let found = api.app.store.list_inbound_webhooks(caller.tenant(), &page).await?;
    let judged = stream::iter(found.items).map(|webhook| super::of(&api, webhook)).buffered(CONCURRENCY);
    let items: Vec<HealthView> = judged.try_collect().await?;
    Ok(Json(Many::new(&page, Page { items, next: found.next })))
}
