//! Subscriptions, and who wants which events. Every change raises the tenant's counter, so that what is remembered is
//! checked by one small read.

mod writes;

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

pub(super) use self::writes::Room;
use super::configs::{Holding, list, list_all};
use super::{Store, keys};
use crate::aws::expression::{Changes, Test};
use crate::aws::table::{Query, TableError};
use crate::aws::transaction::Write;
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::event_facts::OwnerName;
use crate::domain::event_type::{EventPattern, EventType};
use crate::domain::id::SubscriptionId;
use crate::domain::subscription::Subscription;
use crate::domain::text::TenantSlug;

/// The most writes that happen together.
const MOST_WRITES: usize = 100;
/// The most items that are read at once.
const BATCH: usize = 100;

/// A subscription, and beside it the version that changes are conditional on.
#[derive(Serialize, Deserialize)]
struct Stored {
    v: Subscription,
    ver: u64,
}

/// Why a subscription was not made.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionCreateError {
    /// Its id is taken, or its tenant does not exist.
    #[error("it exists already")]
    Exists,
    /// Its owner has as many as it may.
    #[error("the owner has as many subscriptions as it may")]
    QuotaReached,
    /// The table could not be used.
    #[error("storing it failed")]
    Table(#[from] TableError),
}

/// What came of changing a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is changed.
    Yes,
    /// Someone else changed or deleted it first.
    Conflict,
}

/// The counter stands beside the tenant's value and is read as part of it.
pub(super) fn raise_version(tenant: &TenantSlug) -> Write {
    Write::Update(keys::tenant(tenant), raised(), vec![Test::ItemPresent])
}

fn raised() -> Changes {
    Changes::new().add("sv", 1)
}

fn patterns(subscription: &Subscription) -> BTreeSet<String> {
    subscription.settings.events.iter().cloned().map(String::from).collect()
}

/// The texts of the patterns that take `event_type` in.
fn patterns_of(event_type: &EventType) -> Vec<String> {
    let text = event_type.as_str();
    let below = text.match_indices('.').map(|(dot, _)| format!("{}.*", &text[..dot]));
    let mut all: Vec<String> = below.collect();
    all.push(text.to_owned());
    all.push(String::from(EventPattern::All));
    all
}

impl Store {
    /// Reads a subscription.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn subscription(
        &self,
        tenant: &TenantSlug,
        id: SubscriptionId,
    ) -> Result<Option<Subscription>, TableError> {
        let found = self.configs.get::<Holding<Subscription>>(&keys::subscription(tenant, id)).await?;
        Ok(found.map(|holding| holding.v))
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

    /// Lists the subscriptions of an owner, newest first: one query, and one read for each.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_subscriptions_of_owner(
        &self,
        tenant: &TenantSlug,
        owner: &OwnerName,
        page: &PageRequest,
    ) -> Result<Page<Subscription>, TableError> {
        let ids: Page<SubscriptionId> = list(&self.configs, keys::owned(tenant, owner), page).await?;
        let mut items = self.subscriptions_by_id(tenant, &ids.items).await?;
        items.reverse();
        Ok(Page { items, next: ids.next })
    }

    /// All subscriptions of a tenant, oldest first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn subscriptions(&self, tenant: &TenantSlug) -> Result<Vec<Subscription>, TableError> {
        list_all(&self.configs, keys::subscriptions(tenant)).await
    }

    /// The subscriptions one of whose patterns takes `event_type` in, oldest first: a query for each pattern that could,
    /// and one read for each subscription that has it. Those that have none are not touched.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn subscribed(
        &self,
        tenant: &TenantSlug,
        event_type: &EventType,
    ) -> Result<Vec<Subscription>, TableError> {
        let patterns = patterns_of(event_type);
        let reads = patterns.iter().map(|pattern| async {
            let query =
                Query { pk: keys::subscribed(tenant, pattern), beyond: None, limit: usize::MAX, newest_first: false };
            self.configs.query(&query).await
        });
        let mut ids = BTreeSet::new();
        for found in try_join_all(reads).await?.into_iter().flatten() {
            ids.insert(found.read::<Holding<SubscriptionId>>()?.v);
        }
        self.subscriptions_by_id(tenant, &ids.into_iter().collect::<Vec<_>>()).await
    }

    /// The ids of at most `most` subscriptions one of whose patterns takes `event_type` in: no subscription is read.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn subscribed_ids(
        &self,
        tenant: &TenantSlug,
        event_type: &EventType,
        most: usize,
    ) -> Result<Vec<SubscriptionId>, TableError> {
        let mut ids = BTreeSet::new();
        for pattern in patterns_of(event_type) {
            let query =
                Query { pk: keys::subscribed(tenant, &pattern), beyond: None, limit: most, newest_first: false };
            for found in self.configs.query(&query).await? {
                ids.insert(found.read::<Holding<SubscriptionId>>()?.v);
            }
        }
        Ok(ids.into_iter().take(most).collect())
    }

    /// Reads subscriptions by id, oldest first; what is not there is left out.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn subscriptions_by_id(
        &self,
        tenant: &TenantSlug,
        ids: &[SubscriptionId],
    ) -> Result<Vec<Subscription>, TableError> {
        let keys: Vec<_> = ids.iter().map(|id| keys::subscription(tenant, *id)).collect();
        let mut found = Vec::with_capacity(ids.len());
        for stored in
            try_join_all(keys.chunks(BATCH).map(|keys| self.configs.get_many(keys))).await?.into_iter().flatten()
        {
            found.push(stored.read::<Stored>()?.v);
        }
        found.sort_by_key(|subscription: &Subscription| subscription.id);
        Ok(found)
    }

    /// The ids of the subscriptions that were deleted within the last 91 days.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn retired_subscription_ids(&self, tenant: &TenantSlug) -> Result<Vec<SubscriptionId>, TableError> {
        list_all(&self.configs, keys::retired_subscriptions(tenant)).await
    }

    /// The ids of all subscriptions that may have rows: the live ones and those deleted within the last 91 days.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn subscription_ids(&self, tenant: &TenantSlug) -> Result<Vec<SubscriptionId>, TableError> {
        let live = self.subscriptions(tenant).await?;
        let retired = self.retired_subscription_ids(tenant).await?;
        Ok(live.into_iter().map(|s| s.id).chain(retired).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_looked_for_under_every_pattern_that_takes_it_in_and_no_other() {
        let event_type = EventType::try_from("stripe.payment_intent.succeeded".to_owned()).expect("a type");
        let patterns = patterns_of(&event_type);
        assert_eq!(patterns, ["stripe.*", "stripe.payment_intent.*", "stripe.payment_intent.succeeded", "*"]);
        for pattern in patterns {
            assert!(EventPattern::try_from(pattern.clone()).expect("a pattern").matches(&event_type), "{pattern}");
        }
    }
}
