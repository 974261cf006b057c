//! `GET /api/v1/owners`: lists the owners of subscriptions.

use axum::Json;
use axum::extract::State;

use super::OwnerView;
use crate::api::Api;
use crate::caller::{Caller, Needs, OwnerRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Lists the owners of subscriptions that anything is known of, by their names.
#[utoipa::path(
    get,
    path = "/api/v1/owners",
    operation_id = "listOwners",
    tag = "owners",
    security(("bearer" = [OwnerRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The owners.", body = Many<OwnerView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<OwnerRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<OwnerView>>> {
    let page = query.page()?;
    let found = api.app.store.list_owners(caller.tenant(), &page).await?;
    Ok(Json(Many::new(&page, found.map(OwnerView::from))))
}
