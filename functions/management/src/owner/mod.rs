//! Owners of subscriptions: on whose behalf they were made, how much that one may ask for, and what it may see.
//!
//! Nobody has to make an owner: each has the default quotas until something else is said.

mod clear_permissions;
mod delete;
mod list;
mod read;
mod reset_quotas;
mod set_permissions;
mod set_quotas;

use hookport::domain::event_facts::OwnerName;
use hookport::domain::owner::{Grants, OwnerRecord, Quotas};
use hookport::domain::text::TenantSlug;
use hookport::store::Owner;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::Result;
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list::list))
        .routes(routes!(read::read, delete::delete))
        .routes(routes!(set_quotas::set, reset_quotas::reset))
        .routes(routes!(set_permissions::set, clear_permissions::clear))
}

/// An owner of subscriptions.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnerView {
    /// Its name.
    name: OwnerName,
    /// How much it may ask for.
    quotas: Quotas,
    /// Whether these quotas are its own; else they are the defaults.
    has_own_quotas: bool,
    /// What it may see: permissions, each with the scopes that it holds it at and below; no scope is everywhere. Null:
    /// nobody has said, so subscriptions that need a permission get nothing on its behalf.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Vec<String>>>)]
    grants: Option<Grants>,
    /// How many subscriptions it has.
    subscriptions: u32,
}

impl From<Owner> for OwnerView {
    fn from(owner: Owner) -> Self {
        Self {
            quotas: owner.record.effective_quotas(),
            has_own_quotas: owner.record.quotas.is_some(),
            grants: owner.record.grants,
            subscriptions: owner.subscriptions,
            name: owner.name,
        }
    }
}

/// Changes what is said of an owner, and gives it as it is then.
async fn change(
    api: &Api,
    tenant: &TenantSlug,
    name: &OwnerName,
    change: impl FnOnce(OwnerRecord) -> OwnerRecord,
) -> Result<Owner> {
    let found = api.app.store.owner(tenant, name).await?;
    let owner = Owner { record: change(found.record), ..found };
    api.app.store.put_owner(tenant, name, &owner.record).await?;
    Ok(owner)
}
