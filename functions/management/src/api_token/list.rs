//! `GET /api/v1/api-tokens`: lists the tenant's API tokens.

use axum::Json;
use axum::extract::State;

use super::ApiTokenView;
use crate::api::Api;
use crate::caller::{ApiTokenRead, Caller, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Lists the tenant's API tokens, newest first, without their texts.
#[utoipa::path(
    get,
    path = "/api/v1/api-tokens",
    operation_id = "listApiTokens",
    tag = "api-tokens",
    security(("bearer" = [ApiTokenRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The tokens.", body = Many<ApiTokenView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<ApiTokenRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<ApiTokenView>>> {
    let page = query.page()?;
    let found = api.app.store.list_tokens(caller.tenant(), &page).await?;
    Ok(Json(Many::new(&page, found.map(ApiTokenView::from))))
}
