//! `GET /api/v1/replays`: lists the tenant's replays.

use axum::Json;
use axum::extract::State;

use super::view::ReplayView;
use crate::api::Api;
use crate::caller::{Caller, Needs, ReplayRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Lists the tenant's replays, newest first, each for 90 days after its last change.
///
/// A token that acts for an owner sees those that were made for it; its pages may have fewer than were asked for.
#[utoipa::path(
    get,
    path = "/api/v1/replays",
    operation_id = "listReplays",
    tag = "replays",
    security(("bearer" = [ReplayRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The replays.", body = Many<ReplayView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<ReplayRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<ReplayView>>> {
    let page = query.page()?;
    let mut found = api.app.store.list_replays(caller.tenant(), &page).await?;
    let now = api.app.clock.now();
    found.items.retain(|replay| caller.sees(replay.owner.as_ref()) && now < replay.expires_at());
    Ok(Json(Many::new(&page, found.map(ReplayView::from))))
}
