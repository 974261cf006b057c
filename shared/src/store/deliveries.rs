//! Deliveries with their attempts: each a row of its subscription.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::due::due_shard;
use super::{Store, keys, merge};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{Stored, TableError, Wanted};
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::delivery::{Attempt, Delivery, DeliveryState, Outcome, OwnerToken};
use crate::domain::event_type::EventType;
use crate::domain::id::{DeliveryId, EventId, SubscriptionId};
use crate::domain::text::TenantSlug;

/// What came of creating a delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    /// It is new, and its first attempt is the caller's.
    New,
    /// It existed; here it is.
    Exists(Box<Delivery>),
}

/// What came of claiming the next attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// The attempt is the caller's.
    Ours(Box<Delivery>),
    /// Its sender died: the lease of the attempt is over, and nobody has recorded it.
    LostLease(Box<Delivery>),
    /// There is nothing to attempt now: it ended, is being attempted, waits longer, or is gone.
    Nothing,
}

/// What came of recording an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded.
    Yes,
    /// Someone else had recorded its end: the lease ran out before.
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Pending,
    Attempting,
    Delivered,
    Exhausted,
}

#[derive(Serialize, Deserialize)]
struct Row {
    e: EventId,
    b: SubscriptionId,
    t: EventType,
    s: Status,
    /// The number of the newest attempt begun.
    n: u32,
    /// The owner of the attempt being made, and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    o: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    l: Option<i64>,
    /// When the next attempt may be made, or when the delivery ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<i64>,
    /// The finished attempts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    h: Vec<AttemptRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ds: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    da: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<u32>,
    ttl: i64,
}

#[derive(Serialize, Deserialize)]
struct AttemptRow {
    n: u32,
    a: i64,
    m: u32,
    #[serde(flatten)]
    o: OutcomeRow,
}

#[derive(Serialize, Deserialize)]
struct OutcomeRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    p: bool,
}

impl From<&Attempt> for AttemptRow {
    fn from(attempt: &Attempt) -> Self {
        let none = OutcomeRow { r: None, b: None, x: None, y: None, p: false };
        let o = match attempt.outcome.clone() {
            Outcome::Answered { status, body } => OutcomeRow { r: Some(status), b: body, ..none },
            Outcome::Failed { code, message, permanent } => {
                OutcomeRow { x: Some(code), y: Some(message), p: permanent, ..none }
            }
            Outcome::Unknown => none,
        };
        Self { n: attempt.n, a: attempt.started_at.as_millisecond(), m: attempt.duration_ms, o }
    }
}

impl AttemptRow {
    fn into_attempt(self) -> Result<Attempt, TableError> {
        let outcome = match self.o {
            OutcomeRow { r: Some(status), b: body, .. } => Outcome::Answered { status, body },
            OutcomeRow { x: Some(code), y, p: permanent, .. } => {
                Outcome::Failed { code, message: y.unwrap_or_default(), permanent }
            }
            OutcomeRow { .. } => Outcome::Unknown,
        };
        Ok(Attempt { n: self.n, started_at: time(Some(self.a))?, duration_ms: self.m, outcome })
    }
}

fn time(millis: Option<i64>) -> Result<Timestamp, TableError> {
    let millis = millis.ok_or_else(|| TableError::Corrupt("a time is missing".into()))?;
    Timestamp::from_millisecond(millis).map_err(|e| TableError::Corrupt(e.into()))
}

/// The attributes that a state has: status, attempt number, owner, lease, time.
type StateParts = (Status, Option<u32>, Option<String>, Option<i64>, Option<i64>);

fn parts(state: DeliveryState) -> StateParts {
    match state {
        DeliveryState::Pending { next_attempt_at } => {
            (Status::Pending, None, None, None, Some(next_attempt_at.as_millisecond()))
        }
        DeliveryState::Attempting { n, owner, lease_until } => {
            (Status::Attempting, Some(n), Some(owner.to_string()), Some(lease_until.as_millisecond()), None)
        }
        DeliveryState::Delivered { at } => (Status::Delivered, None, None, None, Some(at.as_millisecond())),
        DeliveryState::Exhausted { at } => (Status::Exhausted, None, None, None, Some(at.as_millisecond())),
    }
}

impl Row {
    fn new(delivery: &Delivery) -> Self {
        let (s, n, o, l, x) = parts(delivery.state);
        Self {
            e: delivery.event_id,
            b: delivery.subscription_id,
            t: delivery.event_type.clone(),
            s,
            n: n.unwrap_or_else(|| delivery.attempts.last().map_or(0, |a| a.n)),
            o,
            l,
            x,
            h: delivery.attempts.iter().map(AttemptRow::from).collect(),
            ds: delivery.due_at.map(|_| due_shard(delivery.id.to_bytes())),
            da: delivery.due_at.map(Timestamp::as_millisecond),
            c: None,
            ttl: delivery.expires_at().as_second(),
        }
    }

    fn into_delivery(self, tenant: &TenantSlug, id: DeliveryId) -> Result<Delivery, TableError> {
        let state = match self.s {
            Status::Pending => DeliveryState::Pending { next_attempt_at: time(self.x)? },
            Status::Attempting => DeliveryState::Attempting {
                n: self.n,
                owner: self
                    .o
                    .as_deref()
                    .unwrap_or_default()
                    .parse()
                    .map_err(|_| TableError::Corrupt("the owner of an attempt is missing".into()))?,
                lease_until: time(self.l)?,
            },
            Status::Delivered => DeliveryState::Delivered { at: time(self.x)? },
            Status::Exhausted => DeliveryState::Exhausted { at: time(self.x)? },
        };
        Ok(Delivery {
            id,
            tenant: tenant.clone(),
            event_id: self.e,
            event_type: self.t,
            subscription_id: self.b,
            state,
            attempts: self.h.into_iter().map(AttemptRow::into_attempt).collect::<Result<_, _>>()?,
            due_at: self.da.map(|da| time(Some(da))).transpose()?,
            redrives: self.c.unwrap_or_default(),
        })
    }
}

fn id_of(stored: &Stored) -> Result<DeliveryId, TableError> {
    let key = stored.key();
    DeliveryId::from_suffix(key.sk.as_deref().unwrap_or_default()).map_err(|e| TableError::Corrupt(e.into()))
}

impl Store {
    /// Creates a delivery whose first attempt the caller is about to make. One write.
    ///
    /// # Errors
    /// When the table cannot be reached. The row may have been written then, and is found by its lease.
    pub async fn create_delivery(&self, delivery: &Delivery, owner: OwnerToken) -> Result<Created, TableError> {
        let key = keys::delivery(&delivery.tenant, delivery.id);
        match self.deliveries.put(&key, &Row::new(delivery), &[Test::ItemAbsent]).await {
            Ok(()) => Ok(Created::New),
            Err(TableError::ConditionFailed { old: Some(old) }) => {
                let old = old.read::<Row>()?.into_delivery(&delivery.tenant, delivery.id)?;
                match old.state {
                    // An earlier try of this very call had won.
                    DeliveryState::Attempting { owner: theirs, .. } if theirs == owner => Ok(Created::New),
                    _ => Ok(Created::Exists(Box::new(old))),
                }
            }
            Err(other) => Err(other),
        }
    }

    /// Claims the next attempt of a delivery that is due by `now`. One write, and the delivery comes back with it.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn claim_attempt(
        &self,
        tenant: &TenantSlug,
        id: DeliveryId,
        owner: OwnerToken,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Claim, TableError> {
        let changes = Changes::new()
            .set("s", Status::Attempting)
            .set("o", owner.to_string())
            .set("l", lease_until.as_millisecond())
            .set("ds", due_shard(id.to_bytes()))
            .set("da", lease_until.as_millisecond())
            .add("n", 1)
            .remove("x")
            .remove("c");
        let tests = [Test::Is("s", Value::of(Status::Pending)), Test::AtMost("x", Value::of(now.as_millisecond()))];
        let updated = self.deliveries.update(&keys::delivery(tenant, id), &changes, &tests, Wanted::New).await;
        let row = match updated {
            Ok(new) => new,
            Err(TableError::ConditionFailed { old }) => old,
            Err(other) => return Err(other),
        };
        let Some(row) = row else { return Ok(Claim::Nothing) };
        let delivery = row.read::<Row>()?.into_delivery(tenant, id)?;
        match delivery.state {
            DeliveryState::Attempting { owner: o, .. } if o == owner => Ok(Claim::Ours(Box::new(delivery))),
            DeliveryState::Attempting { lease_until, .. } if lease_until <= now => {
                Ok(Claim::LostLease(Box::new(delivery)))
            }
            _ => Ok(Claim::Nothing),
        }
    }

    /// Records how the attempt that `owner` holds ended: `after` is the delivery as it is from now on. One write.
    ///
    /// # Errors
    /// When the table cannot be reached. The attempt is then found by its lease.
    pub async fn record_attempt(&self, owner: OwnerToken, after: &Delivery) -> Result<Recorded, TableError> {
        // The whole row is known here, and putting it is cheaper than changing six attributes of it.
        let tests = [Test::Is("o", Value::of(owner.to_string()))];
        let key = keys::delivery(&after.tenant, after.id);
        match self.deliveries.put(&key, &Row::new(after), &tests).await {
            Ok(()) => Ok(Recorded::Yes),
            Err(TableError::ConditionFailed { old: Some(old) }) => {
                // An earlier try of this very call may have recorded it.
                let old = old.read::<Row>()?.into_delivery(&after.tenant, after.id)?;
                let same = old.attempts.iter().zip(&after.attempts).filter(|(a, b)| a == b).count();
                Ok(if same == after.attempts.len() { Recorded::Yes } else { Recorded::Lost })
            }
            Err(TableError::ConditionFailed { old: None }) => Ok(Recorded::Lost),
            Err(other) => Err(other),
        }
    }

    /// Reads one delivery.
    ///
    /// # Errors
    /// When the table cannot be reached or the row cannot be read.
    pub async fn delivery(&self, tenant: &TenantSlug, id: DeliveryId) -> Result<Option<Delivery>, TableError> {
        let row: Option<Row> = self.deliveries.get(&keys::delivery(tenant, id)).await?;
        row.map(|row| row.into_delivery(tenant, id)).transpose()
    }

    /// Reads the deliveries of one event to these subscriptions; at most 100.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn deliveries_of_event(
        &self,
        tenant: &TenantSlug,
        event: EventId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<Delivery>, TableError> {
        let keys: Vec<_> =
            subscriptions.iter().map(|s| keys::delivery(tenant, DeliveryId::derive(event, *s))).collect();
        let mut found = Vec::with_capacity(keys.len());
        for stored in self.deliveries.get_many(&keys).await? {
            let id = id_of(&stored)?;
            found.push(stored.read::<Row>()?.into_delivery(tenant, id)?);
        }
        found.sort_by_key(|d: &Delivery| d.id);
        Ok(found)
    }

    /// Lists the deliveries of these subscriptions together, newest first.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn list_deliveries(
        &self,
        tenant: &TenantSlug,
        subscriptions: &[SubscriptionId],
        page: &PageRequest,
    ) -> Result<Page<Delivery>, TableError> {
        let handles = subscriptions.iter().map(|id| id.handle());
        let partitions = merge::partitions(handles, |handle, shard| keys::deliveries(tenant, handle, shard));
        let read = |stored: Stored| {
            let id = id_of(&stored)?;
            let delivery = stored.read::<Row>()?.into_delivery(tenant, id)?;
            Ok(subscriptions.contains(&delivery.subscription_id).then_some(delivery))
        };
        merge::newest_first(&self.deliveries, partitions, page, read).await
    }
}
