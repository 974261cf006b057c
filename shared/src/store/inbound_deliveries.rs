//! Inbound deliveries: the rows that a 2xx stands for.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::body::{KeptRequest, Parts};
use super::due::due_shard;
use super::{Store, keys, merge};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{Key, Stored, TableError, Wanted};
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::event_type::EventType;
use crate::domain::id::{InboundDeliveryId, InboundWebhookId, SubscriptionId};
use crate::domain::inbound_delivery::{DispatchStatus, InboundDelivery};
use crate::domain::text::TenantSlug;

/// Tells one writer of a row from another: 128 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer(u128);

impl Writer {
    /// A writer named by random bits.
    #[must_use]
    pub fn new(random: u128) -> Self {
        Self(random)
    }

    /// What the row keeps of it: enough to tell the few that compete for one id.
    fn short(self) -> u32 {
        self.0 as u32
    }

    /// The name of the parts that it writes.
    pub(super) fn part_name(self) -> String {
        format!("{:032x}", self.0)
    }
}

/// What came of keeping a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The row is new.
    New,
    /// A row with this id exists: someone kept it first.
    Exists,
}

/// The row, with names short enough that a kilobyte of body fits one write unit beside them.
#[derive(Serialize, Deserialize)]
struct Row {
    w: InboundWebhookId,
    v: u64,
    t: EventType,
    s: DispatchStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    k: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    d: Option<InboundDeliveryId>,
    r: u16,
    l: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    /// The subscriptions that the event went to, 16 bytes each.
    #[serde(skip_serializing_if = "Option::is_none")]
    f: Option<Bytes>,
    /// The packed request, when small.
    #[serde(skip_serializing_if = "Option::is_none")]
    z: Option<Bytes>,
    /// Where the packed request is, when large.
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<Parts>,
    /// Who wrote the row.
    o: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    ds: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    da: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<u32>,
    ttl: i64,
}

impl Row {
    fn new(delivery: &InboundDelivery, writer: Writer, expires_at: Timestamp) -> Self {
        Self {
            w: delivery.webhook_id,
            v: delivery.webhook_version,
            t: delivery.event_type.clone(),
            s: delivery.status,
            k: delivery.idempotency_key.clone(),
            d: delivery.duplicate_of,
            r: delivery.response_status,
            l: delivery.latency_ms,
            e: delivery.error.clone(),
            f: None,
            z: None,
            b: None,
            o: writer.short(),
            ds: delivery.due_at.map(|_| due_shard(delivery.id.to_bytes())),
            da: delivery.due_at.map(Timestamp::as_millisecond),
            c: None,
            ttl: expires_at.as_second(),
        }
    }

    fn into_delivery(self, tenant: &TenantSlug, id: InboundDeliveryId) -> Result<InboundDelivery, TableError> {
        let due_at = self.da.map(Timestamp::from_millisecond).transpose().map_err(|e| TableError::Corrupt(e.into()))?;
        let targets = self.f.unwrap_or_default();
        let (chunks, _) = targets.as_chunks::<16>();
        Ok(InboundDelivery {
            id,
            tenant: tenant.clone(),
            webhook_id: self.w,
            webhook_version: self.v,
            event_type: self.t,
            idempotency_key: self.k,
            status: self.s,
            duplicate_of: self.d,
            response_status: self.r,
            latency_ms: self.l,
            error: self.e,
            subscriptions: chunks.iter().map(|c| SubscriptionId::from_bytes(*c)).collect(),
            due_at,
            redrives: self.c.unwrap_or_default(),
        })
    }
}

fn id_of(stored: &Stored) -> Result<InboundDeliveryId, TableError> {
    let key = stored.key();
    InboundDeliveryId::from_suffix(key.sk.as_deref().unwrap_or_default()).map_err(|e| TableError::Corrupt(e.into()))
}

fn joined(subscriptions: &[SubscriptionId]) -> Bytes {
    subscriptions.iter().flat_map(|s| s.to_bytes()).collect()
}

impl Store {
    /// Keeps a request under the id of `delivery`, unless someone kept one there before.
    ///
    /// One write, or one for each part and one for the row when the request is large; the row comes last.
    ///
    /// # Errors
    /// When the table cannot be reached. The row may have been written then.
    pub async fn keep_inbound(
        &self,
        delivery: &InboundDelivery,
        request: Option<&KeptRequest>,
        writer: Writer,
        expires_at: Timestamp,
    ) -> Result<Kept, TableError> {
        let mut row = Row::new(delivery, writer, expires_at);
        match request {
            Some(request) if request.is_inline() => row.z = Some(request.0.clone()),
            Some(request) => {
                let parts = self.put_parts(&delivery.tenant, writer, request, delivery.received_at()).await?;
                row.b = Some(parts);
            }
            None => {}
        }
        let key = keys::inbound_delivery(&delivery.tenant, delivery.id);
        match self.deliveries.put(&key, &row, &[Test::ItemAbsent]).await {
            Ok(()) => Ok(Kept::New),
            Err(TableError::ConditionFailed { old: Some(old) }) => {
                // An earlier try of this very call may have written it.
                let ours = old.read::<Row>()?.o == writer.short();
                Ok(if ours { Kept::New } else { Kept::Exists })
            }
            Err(other) => Err(other),
        }
    }

    /// Reads one inbound delivery.
    ///
    /// # Errors
    /// When the table cannot be reached or the row cannot be read.
    pub async fn inbound_delivery(
        &self,
        tenant: &TenantSlug,
        id: InboundDeliveryId,
    ) -> Result<Option<InboundDelivery>, TableError> {
        let row: Option<Row> = self.deliveries.get(&keys::inbound_delivery(tenant, id)).await?;
        row.map(|row| row.into_delivery(tenant, id)).transpose()
    }

    /// Reads one inbound delivery with its request; the request is `None` once its body has expired.
    ///
    /// # Errors
    /// When the table cannot be reached or the row cannot be read.
    pub async fn inbound_delivery_with_request(
        &self,
        tenant: &TenantSlug,
        id: InboundDeliveryId,
    ) -> Result<Option<(InboundDelivery, Option<KeptRequest>)>, TableError> {
        let Some(mut row) = self.deliveries.get::<Row>(&keys::inbound_delivery(tenant, id)).await? else {
            return Ok(None);
        };
        let request = match (row.z.take(), &row.b) {
            (Some(inline), _) => Some(KeptRequest(inline)),
            (None, Some(parts)) => self.get_parts(tenant, parts).await?,
            (None, None) => None,
        };
        Ok(Some((row.into_delivery(tenant, id)?, request)))
    }

    /// Ends a request's own work: its event went to these subscriptions, each of which is on its own now.
    ///
    /// Ending it again changes nothing.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn end_inbound(
        &self,
        tenant: &TenantSlug,
        id: InboundDeliveryId,
        subscriptions: &[SubscriptionId],
    ) -> Result<(), TableError> {
        let mut changes = Changes::new().set("s", DispatchStatus::Dispatched).remove("ds").remove("da").remove("c");
        if !subscriptions.is_empty() {
            changes = changes.set("f", joined(subscriptions));
        }
        self.change_pending(&keys::inbound_delivery(tenant, id), changes).await
    }

    /// Notes how far a long fan-out has come, so that its continuation starts there.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn note_fan_out(
        &self,
        tenant: &TenantSlug,
        id: InboundDeliveryId,
        done: &[SubscriptionId],
    ) -> Result<(), TableError> {
        self.change_pending(&keys::inbound_delivery(tenant, id), Changes::new().set("f", joined(done))).await
    }

    async fn change_pending(&self, key: &Key, changes: Changes) -> Result<(), TableError> {
        let pending = Test::Is("s", Value::of(DispatchStatus::Pending));
        match self.deliveries.update(key, &changes, &[pending], Wanted::Nothing).await {
            // Ended already, by another invocation or by an earlier try of this call.
            Ok(_) | Err(TableError::ConditionFailed { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Lists a webhook's deliveries, newest first. Bodies of large requests are not touched.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn list_inbound_deliveries(
        &self,
        tenant: &TenantSlug,
        webhook: InboundWebhookId,
        page: &PageRequest,
    ) -> Result<Page<InboundDelivery>, TableError> {
        self.list_inbound_of(tenant, &[webhook], page, |_| true).await
    }

    /// Lists the deliveries of several webhooks together, newest first, leaving out those that `wanted` does not take.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn list_inbound_of(
        &self,
        tenant: &TenantSlug,
        webhooks: &[InboundWebhookId],
        page: &PageRequest,
        wanted: impl Fn(&InboundDelivery) -> bool,
    ) -> Result<Page<InboundDelivery>, TableError> {
        let handles = webhooks.iter().map(|id| id.handle());
        let partitions = merge::partitions(handles, |handle, shard| keys::inbound_deliveries(tenant, handle, shard));
        let read = |stored: Stored| {
            let id = id_of(&stored)?;
            let delivery = stored.read::<Row>()?.into_delivery(tenant, id)?;
            Ok((webhooks.contains(&delivery.webhook_id) && wanted(&delivery)).then_some(delivery))
        };
        merge::newest_first(&self.deliveries, partitions, page, read).await
    }
}
