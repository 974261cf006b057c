//! Inbound webhooks: the current version, every version, and the look-ups that URLs lead to.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::configs::{get, list, list_all, put};
use super::watch::watch_write;
use super::{CreateError, Store, exists_or, keys};
use crate::aws::expression::{Test, Value};
use crate::aws::table::{Key, TableError};
use crate::aws::transaction::Write;
use crate::domain::api_token::SecretHash;
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::id::InboundWebhookId;
use crate::domain::inbound_webhook::{Address, InboundWebhook};
use crate::domain::text::{Slug, TenantSlug};
use crate::domain::time::later;

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
    let until = later(now, REMEMBERED);
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
    let key = keys::inbound_webhook_version(&webhook.tenant, webhook.id, webhook.version);
    put(key, &webhook.without_secrets(), vec![])
}

/// The items that the URLs of a webhook lead to: a slug to a copy of the whole webhook, so that the receiver reads once;
/// a key to whose it is.
fn look_ups(webhook: &InboundWebhook) -> Vec<Key> {
    match &webhook.address {
        Address::Slug { slug } => vec![keys::webhook_by_slug(&webhook.tenant, slug)],
        Address::Key { keys } => keys.iter().map(|key| keys::webhook_by_key(&key.hash)).collect(),
    }
}

fn look_up(webhook: &InboundWebhook, key: Key, tests: Vec<Test>) -> Result<Write, TableError> {
    match &webhook.address {
        Address::Slug { .. } => put(key, webhook, tests),
        Address::Key { .. } => put(key, &KeyOwner { tenant: webhook.tenant.clone(), id: webhook.id }, tests),
    }
}

/// The writes that make a webhook.
pub(super) fn creation(webhook: &InboundWebhook) -> Result<Vec<Write>, TableError> {
    let mut writes = vec![current(webhook, vec![Test::ItemAbsent])?, version(webhook)?];
    for key in look_ups(webhook) {
        writes.push(look_up(webhook, key, vec![Test::ItemAbsent])?);
    }
    writes.extend(watch_write(None, Some(webhook))?);
    Ok(writes)
}

/// The writes that delete a webhook.
pub(super) fn deletion(webhook: &InboundWebhook, now: Timestamp) -> Result<Vec<Write>, TableError> {
    let current = keys::inbound_webhook(&webhook.tenant, webhook.id);
    let unchanged = Test::Is("ver", Value::of(webhook.version));
    let mut writes = vec![
        Write::Delete(current, vec![unchanged]),
        retire(keys::retired_webhook(&webhook.tenant, webhook.id), webhook.id, now)?,
    ];
    writes.extend(look_ups(webhook).into_iter().map(|key| Write::Delete(key, vec![])));
    writes.extend(watch_write(Some(webhook), None)?);
    Ok(writes)
}

impl Store {
    /// Stores a new webhook.
    ///
    /// # Errors
    /// [`CreateError::Exists`] when its slug is taken.
    pub async fn create_inbound_webhook(&self, webhook: &InboundWebhook) -> Result<(), CreateError> {
        self.configs.write_together(creation(webhook)?).await.map_err(exists_or)
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
        // Arming a capture makes no version, and must not be undone by a change that did not see it.
        let unarmed = match before.capture_until {
            Some(until) => Test::Is("v.capture_until", Value::of(until.as_millisecond())),
            None => Test::AttributeAbsent("v.capture_until"),
        };
        let unchanged = Test::Is("ver", Value::of(before.version));
        let mut writes = vec![current(after, vec![unchanged, unarmed])?, version(after)?];
        let (old, new) = (look_ups(before), look_ups(after));
        for key in &new {
            match (old.contains(key), &after.address) {
                (false, _) => writes.push(look_up(after, key.clone(), vec![Test::ItemAbsent])?),
                (true, Address::Slug { .. }) => writes.push(look_up(after, key.clone(), vec![])?),
                // It says whose it is, and that has not changed.
                (true, Address::Key { .. }) => {}
            }
        }
        for key in old {
            if !new.contains(&key) {
                writes.push(Write::Delete(key, vec![]));
            }
        }
        writes.extend(watch_write(Some(before), Some(after))?);
        self.configs.write_together(writes).await.map_err(exists_or)
    }

    /// Deletes a webhook; its deliveries stay. `Exists` when someone changed it since it was read.
    ///
    /// # Errors
    /// [`CreateError::Exists`] as said, or trouble with the table.
    pub async fn delete_inbound_webhook(&self, webhook: &InboundWebhook, now: Timestamp) -> Result<(), CreateError> {
        self.configs.write_together(deletion(webhook, now)?).await.map_err(exists_or)
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
