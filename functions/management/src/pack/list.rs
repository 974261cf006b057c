//! `GET /api/v1/packs`: lists the packs that were applied.

use axum::Json;
use axum::extract::State;

use super::PackView;
use crate::api::Api;
use crate::caller::{Caller, EventTypeRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Lists the packs that were applied, by their names.
#[utoipa::path(
    get,
    path = "/api/v1/packs",
    operation_id = "listPacks",
    tag = "packs",
    security(("bearer" = [EventTypeRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The packs.", body = Many<PackView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<EventTypeRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<PackView>>> {
    let page = query.page()?;
    let found = api.app.store.list_packs(caller.tenant(), &page).await?;
    Ok(Json(Many::new(&page, found.map(PackView::from))))
}
