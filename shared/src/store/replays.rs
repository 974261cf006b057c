//! Replays, what they send, and the events that they look at, in the order of their times.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::configs::{get, list, list_all};
use super::inbound_deliveries::delivery_of;
use super::{Changed, Store, keys};
use crate::aws::expression::{Test, Value};
use crate::aws::table::{Query, TableError};
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::event_type::EventType;
use crate::domain::id::{DeliveryId, EventId, InboundWebhookId, ReplayId, SubscriptionId};
use crate::domain::inbound_delivery::InboundDelivery;
use crate::domain::replay::{EventPlace, REPLAY_DAYS, Replay, ReplayItem};
use crate::domain::text::TenantSlug;
use crate::domain::time::later;

/// A replay, and beside it the version that changes are conditional on.
#[derive(Serialize, Deserialize)]
struct Row {
    v: Replay,
    ver: u64,
    ttl: i64,
}

impl Row {
    fn new(replay: &Replay) -> Self {
        Self { v: replay.clone(), ver: replay.version, ttl: replay.expires_at().as_second() }
    }
}

#[derive(Serialize, Deserialize)]
struct ItemRow {
    e: EventId,
    t: EventType,
    b: SubscriptionId,
    /// Whether it is sent again.
    a: bool,
    ttl: i64,
}

impl Store {
    /// Stores a new replay. One write.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn create_replay(&self, replay: &Replay) -> Result<(), TableError> {
        let key = keys::replay(&replay.tenant, replay.id);
        match self.deliveries.put(&key, &Row::new(replay), &[Test::ItemAbsent]).await {
            // An earlier try of this very call may have put it: nobody else draws this id.
            Ok(()) | Err(TableError::ConditionFailed { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Replaces `before` by `after`, its next version, unless someone was faster. One write.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn change_replay(&self, before: &Replay, after: &Replay) -> Result<Changed, TableError> {
        let unchanged = Test::Is("ver", Value::of(before.version));
        let key = keys::replay(&after.tenant, after.id);
        match self.deliveries.put(&key, &Row::new(after), &[unchanged]).await {
            Ok(()) => Ok(Changed::Yes),
            Err(TableError::ConditionFailed { old: Some(old) }) => {
                // An earlier try of this very call may have written it.
                Ok(if old.read::<Row>()?.v == *after { Changed::Yes } else { Changed::Conflict })
            }
            Err(TableError::ConditionFailed { old: None }) => Ok(Changed::Conflict),
            Err(other) => Err(other),
        }
    }

    /// Reads a replay.
    ///
    /// # Errors
    /// When the table cannot be reached or the row cannot be read.
    pub async fn replay(&self, tenant: &TenantSlug, id: ReplayId) -> Result<Option<Replay>, TableError> {
        get(&self.deliveries, &keys::replay(tenant, id)).await
    }

    /// Lists a tenant's replays, newest first.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn list_replays(&self, tenant: &TenantSlug, page: &PageRequest) -> Result<Page<Replay>, TableError> {
        list(&self.deliveries, keys::replays(tenant), page).await
    }

    /// The replays of a tenant that have no end yet at `now`, the oldest first.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn unfinished_replays(&self, tenant: &TenantSlug, now: Timestamp) -> Result<Vec<Replay>, TableError> {
        let mut all: Vec<Replay> = list_all(&self.deliveries, keys::replays(tenant)).await?;
        all.retain(|replay| !replay.stage.is_final() && now < replay.expires_at());
        Ok(all)
    }

    /// Writes down what a replay is to send. One write, and doing it again changes nothing.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_replay_item(&self, replay: &Replay, item: &ReplayItem) -> Result<(), TableError> {
        // Counted from the replay, so that it is the same whenever it is written. Planning and sending are long over.
        let expires = later(replay.created_at, SignedDuration::from_hours(24 * 2 * REPLAY_DAYS));
        let row = ItemRow {
            e: item.event_id,
            t: item.event_type.clone(),
            b: item.subscription_id,
            a: item.is_again,
            ttl: expires.as_second(),
        };
        self.deliveries.put(&keys::replay_item(&replay.tenant, replay.id, item.first_id()), &row, &[]).await
    }

    /// What a replay sends beyond `after`, in the order of its events.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn replay_items(
        &self,
        tenant: &TenantSlug,
        id: ReplayId,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<ReplayItem>, TableError> {
        let beyond = after.map(DeliveryId::suffix);
        let query = Query { pk: keys::replay_items(tenant, id), beyond, limit, newest_first: false };
        let mut items = Vec::new();
        for stored in self.deliveries.query(&query).await? {
            let row = stored.read::<ItemRow>()?;
            items.push(ReplayItem { event_id: row.e, event_type: row.t, subscription_id: row.b, is_again: row.a });
        }
        Ok(items)
    }

    /// The partitions of a tenant's events, in their order: those of one webhook, or of all that may have rows, and of
    /// what came from none.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn event_partitions(
        &self,
        tenant: &TenantSlug,
        webhook: Option<InboundWebhookId>,
    ) -> Result<Vec<String>, TableError> {
        let mut ids = match webhook {
            Some(webhook) => return Ok(partitions([webhook])),
            None => self.inbound_webhook_ids(tenant).await?,
        };
        ids.push(InboundWebhookId::NONE);
        Ok(partitions(ids))
    }

    /// The rows of a partition of events, the oldest first: beyond the one that the place names, or from `since` on.
    /// Bodies in parts are not read.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn events_at(
        &self,
        tenant: &TenantSlug,
        place: &EventPlace,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<InboundDelivery>, TableError> {
        let beyond = place.after.map_or_else(|| before(since), EventId::suffix);
        let pk = keys::events_at(tenant, &place.partition);
        let query = Query { pk, beyond: Some(beyond), limit, newest_first: false };
        self.deliveries.query(&query).await?.into_iter().map(|stored| delivery_of(tenant, stored)).collect()
    }
}

fn partitions(webhooks: impl IntoIterator<Item = InboundWebhookId>) -> Vec<String> {
    let handles = webhooks.into_iter().map(InboundWebhookId::handle);
    let all: BTreeSet<String> = handles.flat_map(keys::event_partitions).collect();
    all.into_iter().collect()
}

/// What the key of every event from `at` on is greater than.
fn before(at: Timestamp) -> String {
    let millis = u128::try_from(at.as_millisecond()).unwrap_or_default();
    // No id has this value: their versions stand behind the time.
    EventId::from_bytes((millis << 80).to_be_bytes()).suffix()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::InboundDeliveryId;

    #[test]
    fn the_partitions_of_webhooks_are_in_order_and_there_once() {
        let at = Timestamp::from_second(1_000).unwrap();
        let (one, other) = (InboundWebhookId::new(at, 7), InboundWebhookId::new(at, 3));
        let all = partitions([one, InboundWebhookId::NONE, other, one]);
        assert_eq!(all.len(), 3 * usize::from(keys::ROW_SHARDS));
        assert!(all.is_sorted());
        assert_eq!(all[0], "000000/0");
    }

    #[test]
    fn every_event_of_an_instant_is_beyond_the_key_before_it_and_none_of_the_instant_before() {
        let at = |millis: i64| Timestamp::from_millisecond(millis).unwrap();
        let key = before(at(5_000));
        for random in [0, 1, u128::MAX] {
            let id = |millis| InboundDeliveryId::new(at(millis), InboundWebhookId::NONE, random).suffix();
            assert!(id(5_000) > key && id(4_999) < key);
        }
    }
}
