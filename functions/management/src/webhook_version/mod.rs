//! The versions of inbound webhooks: what held when, and what changed. They stay when their webhook is deleted.

mod diff;
mod list;
mod read;

use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::text::TenantSlug;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list)).routes(routes!(read::read)).routes(routes!(diff::diff))
}

/// Reads one version; says which of the two is missing when there is none.
async fn find(api: &Api, tenant: &TenantSlug, id: InboundWebhookId, version: u64) -> Result<InboundWebhook> {
    if let Some(found) = api.app.store.inbound_webhook_version(tenant, id, version).await? {
        return Ok(found);
    }
    known(api, tenant, id).await?;
    Err(Error::WebhookVersionNotFound)
}

/// Makes sure that there is or was such a webhook.
async fn known(api: &Api, tenant: &TenantSlug, id: InboundWebhookId) -> Result<()> {
    let first = api.app.store.inbound_webhook_version(tenant, id, 1).await?;
    if first.is_some() { Ok(()) } else { Err(Error::InboundWebhookNotFound) }
}
