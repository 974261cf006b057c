//! `POST /api/v1/tenants`: makes a tenant and its administrator's token.

use axum::Json;
use axum::extract::State;
use hookport::domain::permission::Permission;
use hookport::domain::tenant::Tenant;
use hookport::domain::text::{Name, TenantSlug};
use http::StatusCode;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TenantView;
use crate::api::Api;
use crate::api_token::{NewToken, mint};
use crate::caller::{Caller, Needs, TenantCreate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Body;

/// A tenant to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTenant {
    /// Its name in URLs and keys; never changes.
    slug: TenantSlug,
    /// Its name for people.
    name: Name,
}

/// A tenant that was made, and its first token.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedTenant {
    data: TenantView,
    /// A token that may do everything within the tenant. It is shown here only.
    token: String,
}

/// Makes a tenant and its administrator's token.
#[utoipa::path(
    post,
    path = "/api/v1/tenants",
    operation_id = "createTenant",
    tag = "tenants",
    security(("bearer" = [TenantCreate::PERMISSION])),
    request_body = CreateTenant,
    responses(
        (status = 201, description = "The tenant and its token.", body = CreatedTenant),
        (status = 400, description = "`invalid_request`: a field breaks its rule.", body = ErrorBody),
        (status = 409, description = "`tenant_exists`: the slug is taken.", body = ErrorBody),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    _: Caller<TenantCreate>,
    Body(request): Body<CreateTenant>,
) -> Result<(StatusCode, Json<CreatedTenant>)> {
    let now = api.app.clock.now();
    let name = Name::try_from("admin".to_owned()).map_err(|e| Error::Internal(e.into()))?;
    let permissions = Permission::of_tenant_admin();
    let new = NewToken { tenant: request.slug.clone(), name, permissions, owner: None, expires_at: None };
    let (token, text) = mint(&api.app, new, now);
    let tenant = Tenant::new(request.slug, request.name, now);
    let created = api.app.store.create_tenant(&tenant, &token).await;
    created.map_err(|error| Error::of_creation(error, Error::TenantExists))?;
    let answer = CreatedTenant { data: tenant.into(), token: text.expose_secret().to_owned() };
    Ok((StatusCode::CREATED, Json(answer)))
}
