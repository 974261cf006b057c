//! `GET /api/v1/tenants`: names the tenants.

use axum::Json;
use axum::extract::State;
use hookport::domain::text::TenantSlug;

use crate::api::Api;
use crate::caller::{Caller, Needs, TenantRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Names the tenants of the deployment, the last in the alphabet first.
#[utoipa::path(
    get,
    path = "/api/v1/tenants",
    operation_id = "listTenants",
    tag = "tenants",
    security(("bearer" = [TenantRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The slugs.", body = Many<TenantSlug>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    _: Caller<TenantRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<TenantSlug>>> {
    let page = query.page()?;
    let found = api.app.store.list_tenants(&page).await?;
    Ok(Json(Many::new(&page, found)))
}
