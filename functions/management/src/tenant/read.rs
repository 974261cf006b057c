//! `GET /api/v1/tenants/{slug}`: shows a tenant.

use axum::Json;
use axum::extract::State;
use hookport::domain::text::TenantSlug;

use super::TenantView;
use crate::api::Api;
use crate::caller::{Caller, Needs, TenantRead};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Shows a tenant.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{slug}",
    operation_id = "readTenant",
    tag = "tenants",
    security(("bearer" = [TenantRead::PERMISSION])),
    params(("slug" = String, Path, description = "The tenant's slug.")),
    responses(
        (status = 200, description = "The tenant.", body = One<TenantView>),
        (status = 404, description = "`tenant_not_found`: no tenant has this slug.", body = ErrorBody),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    _: Caller<TenantRead>,
    Ids(slug): Ids<String>,
) -> Result<Json<One<TenantView>>> {
    // A text that cannot be a slug is the name of no tenant.
    let slug = TenantSlug::try_from(slug).map_err(|_| Error::TenantNotFound)?;
    let tenant = api.app.store.tenant(&slug).await?.ok_or(Error::TenantNotFound)?;
    Ok(Json(One { data: tenant.into() }))
}
