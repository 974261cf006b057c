//! `PUT /api/v1/tenants/{slug}`: changes a tenant, and switches its webhooks on and off.

use axum::Json;
use axum::extract::State;
use hookport::domain::tenant::Tenant;
use hookport::domain::text::{Name, TenantSlug};
use serde::Deserialize;
use utoipa::ToSchema;

use super::TenantView;
use crate::api::Api;
use crate::caller::{Caller, Needs, TenantUpdate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};
use crate::page::One;

/// What is to be different about a tenant. What is absent or null stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateTenant {
    /// Its name for people.
    name: Option<Name>,
    /// Whether webhooks are taken in. Off: their URLs answer as if they led nowhere, and what concerns them is refused.
    inbound_enabled: Option<bool>,
    /// Whether events are sent out. Off: no delivery is made, and what concerns subscriptions is refused.
    outbound_enabled: Option<bool>,
}

/// Changes a tenant.
///
/// A switch is turned everywhere within five seconds. What is switched off is kept as it is: webhooks, subscriptions
/// and all that they received.
#[utoipa::path(
    put,
    path = "/api/v1/tenants/{slug}",
    operation_id = "updateTenant",
    tag = "tenants",
    security(("bearer" = [TenantUpdate::PERMISSION])),
    params(("slug" = String, Path, description = "The tenant's slug.")),
    request_body = UpdateTenant,
    responses(
        (status = 200, description = "The tenant as it is now.", body = One<TenantView>),
        (status = 400, description = "`invalid_request`: a field breaks its rule.", body = ErrorBody),
        (status = 404, description = "`tenant_not_found`: no tenant has this slug.", body = ErrorBody),
        (status = 409, description = "`conflict`: somebody turned a switch at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn update(
    State(api): State<Api>,
    _: Caller<TenantUpdate>,
    Ids(slug): Ids<String>,
    Body(request): Body<UpdateTenant>,
) -> Result<Json<One<TenantView>>> {
    let slug = TenantSlug::try_from(slug).map_err(|_| Error::TenantNotFound)?;
    let before = api.app.store.tenant(&slug).await?.ok_or(Error::TenantNotFound)?;
    let after = Tenant {
        name: request.name.unwrap_or_else(|| before.name.clone()),
        inbound_enabled: request.inbound_enabled.unwrap_or(before.inbound_enabled),
        outbound_enabled: request.outbound_enabled.unwrap_or(before.outbound_enabled),
        ..before.clone()
    };
    if after != before && !api.app.store.update_tenant(&before, &after).await? {
        return Err(Error::Conflict);
    }
    api.remember_switches(&after);
    Ok(Json(One { data: after.into() }))
}
