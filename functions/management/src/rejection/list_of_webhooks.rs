//! `GET /api/v1/inbound-rejections`: lists the requests that all of the tenant's inbound webhooks refused.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::State;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use hookport::domain::cursor::{Cursor, Page};
use hookport::domain::rejection::{Rejection, RejectionLog};

use super::{RejectionQuery, RejectionView};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, page};

/// How many logs are read at once.
const CONCURRENCY: usize = 16;

/// Lists the requests that all inbound webhooks of the tenant refused in the last three days, newest first.
///
/// At most 256 of an hour and webhook are kept. Those to slugs that the tenant does not have are in
/// `/api/v1/unknown-requests`.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-rejections",
    operation_id = "listRejectionsOfTenant",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(RejectionQuery),
    responses(
        (status = 200, description = "The refused requests.", body = Many<RejectionView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list_of_webhooks(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Params(query): Params<RejectionQuery>,
) -> Result<Json<Many<RejectionView>>> {
    let page = page(query.limit, query.cursor.as_deref())?;
    let now = api.app.clock.now();
    let store = &api.app.store;
    let logs = store.inbound_webhook_ids(caller.tenant()).await?.into_iter();
    let reads: Vec<_> = logs
        .map(|id| {
            let log = RejectionLog::Webhook(caller.tenant().clone(), id);
            let (page, query) = (page.clone(), &query);
            async move {
                let wanted = |rejection: &Rejection| !rejection.is_expired(now) && query.wants(rejection);
                let found = store.list_rejections(&log, &page, wanted).await?;
                Ok::<_, crate::error::Error>((id, found))
            }
        })
        .collect();
    let found: Vec<_> = stream::iter(reads).buffered(CONCURRENCY).try_collect().await?;
    let mut more = found.iter().any(|(_, page)| page.next.is_some());
    let mut all: Vec<_> = found
        .into_iter()
        .flat_map(|(webhook, page)| page.items.into_iter().map(move |rejection| (webhook, rejection)))
        .collect();
    // Ids begin with the time, and every log continues after the same one.
    all.sort_unstable_by_key(|(_, rejection)| Reverse(rejection.id));
    more |= all.len() > page.limit;
    all.truncate(page.limit);
    let next = all.last().filter(|_| more).map(|(_, last)| Cursor::after(&last.id.suffix()));
    let items = all.into_iter().map(|(webhook, rejection)| RejectionView::new(rejection, Some(webhook))).collect();
    Ok(Json(Many::new(&page, Page { items, next })))
}
