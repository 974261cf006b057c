//! Inbound webhooks: the current version, every version, and the look-ups that URLs lead to.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::configs::{get, list, list_all, put};
use super::{CreateError, Store, exists_or, keys};
use crate::aws::expression::{Test, Value};
use crate::aws::table::{Key, TableError};
use crate::aws::transaction::Write;
use crate::domain::api_token::SecretHash;
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::id::InboundWebhookId;
use crate::domain::inbound_webhook::{Address, InboundWebhook};
use crate::domain::text::{Slug, TenantSlug};

/// Whose webhook a key opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyOwner {
    /// The tenant.
    pub tenant: TenantSlug,
    /// The webhook.
    pub id: InboundWebhookId,
}

/// A webhook beside its version, which writes are conditional on. Read back without the version.
#[derive(Serialize)]
struct Versioned<'a> {
    v: &'a InboundWebhook,
    ver: u64,
}

/// The memory of a deleted thing, so that lists still find its rows.
#[derive(Serialize)]
struct Retired<T> {
    v: T,
    ttl: i64,
}

/// Rows outlive their configuration by at most this long.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 91);

pub(super) fn retire<T: Serialize>(key: Key, id: T, now: Timestamp) -> Result<Write, TableError> {
    let until = now.saturating_add(REMEMBERED).unwrap_or(Timestamp::MAX);
    Write::put(key, &Retired { v: id, ttl: until.as_second() }, vec![])
}

fn current(webhook: &InboundWebhook, tests: Vec<Test>) -> Result<Write, TableError> {
    Write::put(
        keys::inbound_webhook(&webhook.tenant, webhook.id),
        &Versioned { v: webhook, ver: webhook.version },
        tests,
    )
}

fn version(webhook: &InboundWebhook) -> Result<Write, TableError> {
    put(keys::inbound_webhook_version(&webhook.tenant, webhook.id, webhook.version), webhook, vec![])
}

/// What the URL of a webhook leads to. A slug leads to a copy of the whole webhook: one read for the receiver.
fn look_up(webhook: &InboundWebhook, tests: Vec<Test>) -> Result<Write, TableError> {
    match &webhook.address {
        Address::Slug { slug } => put(keys::webhook_by_slug(&webhook.tenant, slug), webhook, tests),
        Address::Key { hash, .. } => {
            let owner = KeyOwner { tenant: webhook.tenant.clone(), id: webhook.id };
            put(keys::webhook_by_key(hash), &owner, tests)
        }
    }
}

fn look_up_key(webhook: &InboundWebhook) -> Key {
    match &webhook.address {
        Address::Slug { slug } => keys::webhook_by_slug(&webhook.tenant, slug),
        Address::Key { hash, .. } => keys::webhook_by_key(hash),
    }
}

impl Store {
    /// Stores a new webhook.
    ///
    /// # Errors
    /// [`CreateError::Exists`] when its slug is taken.
    pub async fn create_inbound_webhook(&self, webhook: &InboundWebhook) -> Result<(), CreateError> {
        let writes = vec![
            look_up(webhook, vec![Test::ItemAbsent])?,
            current(webhook, vec![Test::ItemAbsent])?,
            version(webhook)?,
        ];
        self.configs.write_together(writes).await.map_err(exists_or)
    }

    /// Replaces `before` by `after`, its next version. `Exists` when a new slug is taken or someone was faster.
    ///
    /// # Errors
    /// [`CreateError::Exists`] as said, or trouble with the table.
    pub async fn update_inbound_webhook(
        &self,
        before: &InboundWebhook,
        after: &InboundWebhook,
    ) -> Result<(), CreateError> {
        let unchanged = Test::Is("ver", Value::of(before.version));
        let mut writes = vec![current(after, vec![unchanged])?, version(after)?];
        if look_up_key(before) == look_up_key(after) {
            writes.push(look_up(after, vec![])?);
        } else {
            writes.push(look_up(after, vec![Test::ItemAbsent])?);
            writes.push(Write::Delete(look_up_key(before), vec![]));
        }
        self.configs.write_together(writes).await.map_err(exists_or)
    }

    /// Deletes a webhook; its deliveries stay.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete_inbound_webhook(&self, webhook: &InboundWebhook, now: Timestamp) -> Result<(), TableError> {
        let writes = vec![
            Write::Delete(keys::inbound_webhook(&webhook.tenant, webhook.id), vec![]),
            Write::Delete(look_up_key(webhook), vec![]),
            retire(keys::retired_webhook(&webhook.tenant, webhook.id), webhook.id, now)?,
        ];
        self.configs.write_together(writes).await
    }

    /// Reads a webhook.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn inbound_webhook(
        &self,
        tenant: &TenantSlug,
        id: InboundWebhookId,
    ) -> Result<Option<InboundWebhook>, TableError> {
        get(&self.configs, &keys::inbound_webhook(tenant, id)).await
    }

    /// Finds the webhook behind a slug. One read, whether it exists or not.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn inbound_webhook_by_slug(
        &self,
        tenant: &TenantSlug,
        slug: &Slug,
    ) -> Result<Option<InboundWebhook>, TableError> {
        get(&self.configs, &keys::webhook_by_slug(tenant, slug)).await
    }

    /// Finds whose webhook a key opens, by the key's hash.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn inbound_webhook_by_key(&self, hash: &SecretHash) -> Result<Option<KeyOwner>, TableError> {
        get(&self.configs, &keys::webhook_by_key(hash)).await
    }

    /// Lists a tenant's webhooks, newest first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_inbound_webhooks(
        &self,
        tenant: &TenantSlug,
        page: &PageRequest,
    ) -> Result<Page<InboundWebhook>, TableError> {
        list(&self.configs, keys::inbound_webhooks(tenant), page).await
    }

    /// The ids of all webhooks that may have rows: the live ones and those deleted within the last 91 days.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn inbound_webhook_ids(&self, tenant: &TenantSlug) -> Result<Vec<InboundWebhookId>, TableError> {
        #[derive(Deserialize)]
        struct Named {
            id: InboundWebhookId,
        }
        let live = list_all::<Named>(&self.configs, keys::inbound_webhooks(tenant)).await?;
        let retired = list_all::<InboundWebhookId>(&self.configs, keys::retired_webhooks(tenant)).await?;
        Ok(live.into_iter().map(|n| n.id).chain(retired).collect())
    }
}
