//! Statistics of inbound webhooks: the stored roll-ups, and the reading that brings them up to date.
//!
//! Nothing is counted on the way of a request: it would cost a write of its own. Whoever looks reads the rows that came
//! since somebody looked before, a quarter of a read unit for a kilobyte, once; what was added up is stored, and a
//! look at it costs one read and an empty query for each partition of rows.

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::inbound_deliveries::delivery_of;
use super::keys::ROW_SHARDS;
use super::{Store, keys};
use crate::aws::expression::{Test, Value};
use crate::aws::table::{Query, Stored, TableError};
use crate::domain::cursor::PageRequest;
use crate::domain::id::InboundWebhookId;
use crate::domain::inbound_delivery::{InboundDelivery, Period};
use crate::domain::inbound_webhook::InboundWebhook;
use crate::domain::stats::{Origin, RollUp};
use crate::domain::text::TenantSlug;

/// How many rows of one partition are read at a time.
const PAGE: usize = 500;
/// How many times that is at one look: 10,000 rows of all four partitions.
const PAGES: usize = 5;

/// The numbers of a webhook at a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The numbers.
    pub numbers: RollUp,
    /// Whether every row is in them. If not, the next look goes on where this one ended.
    pub complete: bool,
}

/// A roll-up beside the number of its changes, which writes are conditional on.
#[derive(Serialize, Deserialize)]
struct Versioned {
    v: RollUp,
    ver: u64,
}

impl Store {
    /// Counts what a webhook received, all that is stored up to `now`, and stores what can change no more.
    ///
    /// One read, a query for each of four partitions, and a write when something came; up to 50 reads more after an
    /// outage, for requests that had not ended at the last look. A request that was kept under the id of an earlier one,
    /// whose receiver had died, can be missing: its row may lie before what was counted.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn count_inbound(&self, webhook: &InboundWebhook, now: Timestamp) -> Result<Counted, TableError> {
        let key = keys::roll_up(&webhook.tenant, webhook.id);
        let (before, ver) = match self.configs.get::<Versioned>(&key).await? {
            Some(stored) => (stored.v, stored.ver),
            None => (RollUp::new(webhook, ROW_SHARDS, now), 0),
        };
        let mut roll_up = before.clone();
        self.settle(&webhook.tenant, &mut roll_up).await?;
        let reads = (0..ROW_SHARDS).map(|shard| self.rows_since(webhook, shard, &before));
        let mut complete = true;
        let mut outside = Vec::new();
        for (shard, (rows, is_all)) in (0..ROW_SHARDS).zip(try_join_all(reads).await?) {
            complete &= is_all;
            let mut is_inside = true;
            for row in rows {
                // Another webhook may share the handle, and so the partition.
                let own = (row.webhook_id == webhook.id).then_some(&row);
                is_inside = is_inside && roll_up.take(shard, row.id, own, now);
                if !is_inside && own.is_some() {
                    outside.push(row);
                }
            }
        }
        if roll_up != before {
            let test = if ver == 0 { Test::ItemAbsent } else { Test::Is("ver", Value::of(ver)) };
            let next = Versioned { v: roll_up, ver: ver + 1 };
            match self.configs.put(&key, &next, &[test]).await {
                // Somebody looked at the same time and has stored the same or more.
                Ok(()) | Err(TableError::ConditionFailed { .. }) => {}
                Err(other) => return Err(other),
            }
            roll_up = next.v;
        }
        outside.iter().for_each(|row| roll_up.add(row));
        Ok(Counted { numbers: roll_up, complete })
    }

    /// The rows of a partition that are not in the numbers, oldest first, and whether these are all.
    async fn rows_since(
        &self,
        webhook: &InboundWebhook,
        shard: u8,
        roll_up: &RollUp,
    ) -> Result<(Vec<InboundDelivery>, bool), TableError> {
        let pk = keys::inbound_deliveries(&webhook.tenant, webhook.id.handle(), shard);
        let mut beyond = roll_up.counted_to(shard).map(|id| id.suffix());
        let mut rows = Vec::new();
        for _ in 0..PAGES {
            let query = Query { pk: pk.clone(), beyond: beyond.clone(), limit: PAGE, newest_first: false };
            let page = self.deliveries.query(&query).await?;
            let is_last = page.len() < PAGE;
            for stored in page {
                rows.push(delivery_of(&webhook.tenant, stored)?);
            }
            if is_last {
                return Ok((rows, true));
            }
            beyond = rows.last().map(|row| row.id.suffix());
        }
        Ok((rows, false))
    }

    /// Looks how requests stand that had not ended when they were counted.
    async fn settle(&self, tenant: &TenantSlug, roll_up: &mut RollUp) -> Result<(), TableError> {
        if roll_up.unsettled.is_empty() {
            return Ok(());
        }
        let unsettled = roll_up.unsettled.clone();
        let rows: Vec<_> = unsettled.iter().map(|id| keys::inbound_delivery(tenant, *id)).collect();
        let read = |stored: Stored| delivery_of(tenant, stored);
        let found = self.deliveries.get_many(&rows).await?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        for id in unsettled {
            roll_up.settle(id, found.iter().find(|row| row.id == id).map(|row| row.status));
        }
        Ok(())
    }

    /// The newest kept requests of senders, newest first, of what arrived within `period`.
    ///
    /// Tests, replays and what the gateway tells of the webhook are passed over, up to a bound.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn newest_requests(
        &self,
        tenant: &TenantSlug,
        webhook: InboundWebhookId,
        most: usize,
        period: Period,
    ) -> Result<Vec<InboundDelivery>, TableError> {
        let page = PageRequest { limit: most, after: None };
        let is_senders = |row: &InboundDelivery| Origin::of(row) == Origin::Sender && row.handshake.is_none();
        Ok(self.find_inbound(tenant, &[webhook], &page, period, is_senders).await?.items)
    }
}
