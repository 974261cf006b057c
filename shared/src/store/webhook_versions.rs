//! The versions of inbound webhooks. They are written with each change, kept for ever, and never changed.

use super::configs::{get, list};
use super::{Store, keys};
use crate::aws::table::TableError;
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::id::InboundWebhookId;
use crate::domain::inbound_webhook::InboundWebhook;
use crate::domain::text::TenantSlug;

impl Store {
    /// Reads one version of a webhook. Every webhook that ever was has a version 1.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn inbound_webhook_version(
        &self,
        tenant: &TenantSlug,
        id: InboundWebhookId,
        version: u64,
    ) -> Result<Option<InboundWebhook>, TableError> {
        get(&self.configs, &keys::inbound_webhook_version(tenant, id, version)).await
    }

    /// Lists the versions of a webhook, newest first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_inbound_webhook_versions(
        &self,
        tenant: &TenantSlug,
        id: InboundWebhookId,
        page: &PageRequest,
    ) -> Result<Page<InboundWebhook>, TableError> {
        list(&self.configs, keys::inbound_webhook_versions(tenant, id), page).await
    }
}
