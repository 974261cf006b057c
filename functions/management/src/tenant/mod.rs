//! Tenants, for operators.

mod create;
mod list;
mod read;
mod update;

use hookport::domain::tenant::Tenant;
use hookport::domain::text::{Name, TenantSlug};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list, create::create)).routes(routes!(read::read, update::update))
}

/// A tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct TenantView {
    /// Its name in URLs; never changes.
    slug: TenantSlug,
    /// Its name for people.
    name: Name,
    /// Whether webhooks are taken in.
    inbound_enabled: bool,
    /// Whether events are sent out.
    outbound_enabled: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        Self {
            slug: tenant.slug,
            name: tenant.name,
            inbound_enabled: tenant.inbound_enabled,
            outbound_enabled: tenant.outbound_enabled,
            created_at: tenant.created_at,
        }
    }
}
