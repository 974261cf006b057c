//! Subscriptions. Every change raises the tenant's counter, so that cached lists are checked by one small read.

use jiff::Timestamp;

use super::configs::{get, list, list_all, put};
use super::inbound_webhooks::retire;
use super::{CreateError, Store, exists_or, keys};
use crate::aws::expression::{Changes, Test};
use crate::aws::table::TableError;
use crate::aws::transaction::Write;
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::id::SubscriptionId;
use crate::domain::subscription::Subscription;
use crate::domain::text::TenantSlug;

/// The counter stands beside the tenant's value and is read as part of it.
fn raise_version(tenant: &TenantSlug) -> Write {
    Write::Update(keys::tenant(tenant), Changes::new().add("sv", 1), vec![Test::ItemPresent])
}

impl Store {
    /// Stores a new subscription.
    ///
    /// # Errors
    /// [`CreateError::Exists`] when its id is taken.
    pub async fn create_subscription(&self, subscription: &Subscription) -> Result<(), CreateError> {
        let key = keys::subscription(&subscription.tenant, subscription.id);
        let writes = vec![put(key, subscription, vec![Test::ItemAbsent])?, raise_version(&subscription.tenant)];
        self.configs.write_together(writes).await.map_err(exists_or)
    }

    /// Deletes a subscription; its deliveries stay. Tells whether it existed.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete_subscription(
        &self,
        tenant: &TenantSlug,
        id: SubscriptionId,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let writes = vec![
            Write::Delete(keys::subscription(tenant, id), vec![Test::ItemPresent]),
            raise_version(tenant),
            retire(keys::retired_subscription(tenant, id), id, now)?,
        ];
        match self.configs.write_together(writes).await {
            Ok(()) => Ok(true),
            Err(TableError::ConditionFailed { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Reads a subscription.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn subscription(
        &self,
        tenant: &TenantSlug,
        id: SubscriptionId,
    ) -> Result<Option<Subscription>, TableError> {
        get(&self.configs, &keys::subscription(tenant, id)).await
    }

    /// Lists a tenant's subscriptions, newest first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_subscriptions(
        &self,
        tenant: &TenantSlug,
        page: &PageRequest,
    ) -> Result<Page<Subscription>, TableError> {
        list(&self.configs, keys::subscriptions(tenant), page).await
    }

    /// All subscriptions of a tenant, oldest first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn subscriptions(&self, tenant: &TenantSlug) -> Result<Vec<Subscription>, TableError> {
        list_all(&self.configs, keys::subscriptions(tenant)).await
    }

    /// The ids of all subscriptions that may have rows: the live ones and those deleted within the last 91 days.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn subscription_ids(&self, tenant: &TenantSlug) -> Result<Vec<SubscriptionId>, TableError> {
        let live = self.subscriptions(tenant).await?;
        let retired = list_all::<SubscriptionId>(&self.configs, keys::retired_subscriptions(tenant)).await?;
        Ok(live.into_iter().map(|s| s.id).chain(retired).collect())
    }
}
