//! Inbound deliveries: the rows that a 2xx stands for.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::body::{KeptRequest, Parts};
use super::due::due_shard;
use super::{Store, keys, merge};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{Key, Stored, TableError, Wanted};
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::event_type::EventType;
use crate::domain::id::{InboundDeliveryId, InboundWebhookId, SubscriptionId, WebhookKeyId};
use crate::domain::inbound_delivery::{
    DispatchStatus, HandshakeNote, InboundDelivery, MAX_VIOLATIONS, Period, Violation, body_expires_at,
};
use crate::domain::text::TenantSlug;
use crate::vault::Sealed;

/// After how many rows that are not wanted a page ends before it is full, so that a rare thing is looked for in steps.
pub(super) const MOST_PASSED_OVER: usize = 1_000;

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
    /// Where the body broke its schema.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    y: Vec<Violation>,
    /// The delivery that it replays.
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<InboundDeliveryId>,
    /// Whether it is a test.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    x: bool,
    /// The key that it came in by, 16 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    i: Option<Bytes>,
    /// The subscriptions that the event went to, 16 bytes each.
    #[serde(skip_serializing_if = "Option::is_none")]
    f: Option<Bytes>,
    /// The packed request, when small.
    #[serde(skip_serializing_if = "Option::is_none")]
    z: Option<Bytes>,
    /// Where the packed request is, when large.
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<Parts>,
    /// The packed beginning of a large request, when the row outlives its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    h: Option<Bytes>,
    /// The name of the handshake that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    /// The secret that it brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    g: Option<Sealed>,
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
            y: delivery.violations.iter().take(MAX_VIOLATIONS).cloned().collect(),
            p: delivery.replay_of,
            x: delivery.is_test,
            i: delivery.key_id.map(|key| Bytes::copy_from_slice(&key.to_bytes())),
            f: (!delivery.subscriptions.is_empty()).then(|| joined(&delivery.subscriptions)),
            z: None,
            b: None,
            h: None,
            n: delivery.handshake.as_ref().map(|handshake| handshake.name.clone()),
            g: delivery.handshake.as_ref().and_then(|handshake| handshake.learned.clone()),
            o: writer.short(),
            ds: delivery.due_at.map(|_| due_shard(delivery.id.to_bytes())),
            da: delivery.due_at.map(Timestamp::as_millisecond),
            c: None,
            ttl: expires_at.as_second(),
        }
    }

    fn into_delivery(self, tenant: &TenantSlug, id: InboundDeliveryId) -> Result<InboundDelivery, TableError> {
        let due_at = self.da.map(Timestamp::from_millisecond).transpose().map_err(|e| TableError::Corrupt(e.into()))?;
        let key_id = self.i.map(|bytes| <[u8; 16]>::try_from(&bytes[..])).transpose();
        let key_id = key_id.map_err(|e| TableError::Corrupt(e.into()))?.map(WebhookKeyId::from_bytes);
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
            violations: self.y,
            replay_of: self.p,
            is_test: self.x,
            key_id,
            subscriptions: chunks.iter().map(|c| SubscriptionId::from_bytes(*c)).collect(),
            due_at,
            redrives: self.c.unwrap_or_default(),
            handshake: self.n.map(|name| HandshakeNote { name, learned: self.g }),
        })
    }
}

fn id_of(stored: &Stored) -> Result<InboundDeliveryId, TableError> {
    let key = stored.key();
    InboundDeliveryId::from_suffix(key.sk.as_deref().unwrap_or_default()).map_err(|e| TableError::Corrupt(e.into()))
}

/// What the key of every request that arrived at or before `at` is less than.
fn key_after(at: Timestamp) -> String {
    let millis = u64::try_from(at.as_millisecond().saturating_add(1)).unwrap_or_default();
    InboundDeliveryId::from_bytes((u128::from(millis) << 80).to_be_bytes()).suffix()
}

/// The delivery that a row of `tenant` stands for.
pub(super) fn delivery_of(tenant: &TenantSlug, stored: Stored) -> Result<InboundDelivery, TableError> {
    let id = id_of(&stored)?;
    stored.read::<Row>()?.into_delivery(tenant, id)
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
                if expires_at > body_expires_at(delivery.id) {
                    row.h = Some(request.beginning()?.0);
                }
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

    /// Reads one inbound delivery with its request; the request is `None` once its body has expired at `now`.
    ///
    /// # Errors
    /// When the table cannot be reached or the row cannot be read.
    pub async fn inbound_delivery_with_request(
        &self,
        tenant: &TenantSlug,
        id: InboundDeliveryId,
        now: Timestamp,
    ) -> Result<Option<(InboundDelivery, Option<KeptRequest>)>, TableError> {
        let Some(mut row) = self.deliveries.get::<Row>(&keys::inbound_delivery(tenant, id)).await? else {
            return Ok(None);
        };
        let request = match (row.z.take(), &row.b) {
            // A row may outlive its body, and the table deletes late.
            _ if body_expires_at(id) <= now => None,
            (Some(inline), _) => Some(KeptRequest(inline)),
            (None, Some(parts)) => self.get_parts(tenant, parts).await?,
            (None, None) => None,
        };
        Ok(Some((row.into_delivery(tenant, id)?, request)))
    }

    /// What is left of a request once its body is gone: its head, and its body's beginning. `None` when nothing is.
    ///
    /// # Errors
    /// When the table cannot be reached or the row cannot be read.
    pub async fn beginning_of_request(
        &self,
        tenant: &TenantSlug,
        id: InboundDeliveryId,
    ) -> Result<Option<KeptRequest>, TableError> {
        let row = self.deliveries.get::<Row>(&keys::inbound_delivery(tenant, id)).await?;
        match row.map(|row| (row.z, row.h)) {
            Some((Some(inline), _)) => KeptRequest(inline).beginning().map(Some),
            Some((None, beginning)) => Ok(beginning.map(KeptRequest)),
            None => Ok(None),
        }
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

    /// Ends the row of a handshake whose secret the webhook has, or does not want; the secret goes with it.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn end_handshake(&self, tenant: &TenantSlug, id: InboundDeliveryId) -> Result<(), TableError> {
        let changes =
            Changes::new().set("s", DispatchStatus::Handshake).remove("g").remove("ds").remove("da").remove("c");
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

    /// Lists what webhooks received together within `period`, newest first, leaving out what `wanted` does not take.
    ///
    /// Rows outside of the period are not read, but for the first few before it, and bodies in parts never.
    ///
    /// A page may have fewer items than were asked for, even none, and still have a next one: that is where the search
    /// for rare things goes on.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn find_inbound(
        &self,
        tenant: &TenantSlug,
        webhooks: &[InboundWebhookId],
        page: &PageRequest,
        period: Period,
        wanted: impl Fn(&InboundDelivery) -> bool,
    ) -> Result<Page<InboundDelivery>, TableError> {
        let handles = webhooks.iter().map(|id| id.handle());
        let partitions = merge::partitions(handles, |handle, shard| keys::inbound_deliveries(tenant, handle, shard));
        let end = period.to.map(|to| Cursor::after(&key_after(to)));
        let starts = page.after.clone().into_iter().chain(end);
        let after = starts.min_by(|a, b| a.sort_key().cmp(b.sort_key()));
        let (passed_over, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        // `None` takes a place on the page, so that reading ends soon.
        let read = |stored: Stored| {
            let id = id_of(&stored)?;
            if period.is_after(id.created_at()) {
                is_over.store(true, Ordering::Relaxed);
                return Ok(Some(None));
            }
            let delivery = stored.read::<Row>()?.into_delivery(tenant, id)?;
            if webhooks.contains(&delivery.webhook_id) && wanted(&delivery) {
                return Ok(Some(Some(delivery)));
            }
            let enough = passed_over.fetch_add(1, Ordering::Relaxed) >= MOST_PASSED_OVER;
            Ok(enough.then_some(None))
        };
        let page = PageRequest { limit: page.limit, after };
        let found = merge::newest_first(&self.deliveries, partitions, &page, read).await?;
        let next = found.next.filter(|_| !is_over.load(Ordering::Relaxed));
        Ok(Page { items: found.items.into_iter().flatten().collect(), next })
    }
}
