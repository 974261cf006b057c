//! Deliveries with their attempts: each a row of its subscription.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::delivery_row::{Row, Status};
use super::due::due_shard;
use super::inbound_deliveries::MOST_PASSED_OVER;
use super::{Store, keys, merge};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{Stored, TableError, Wanted};
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::delivery::{DELIVERY_DAYS, Delivery, DeliveryState, OwnerToken};
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
    /// The target took it and has said nothing for too long.
    Silent(Box<Delivery>),
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

/// Where a published id leads.
#[derive(Serialize, Deserialize)]
struct Place {
    t: TenantSlug,
    ttl: i64,
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

    /// Puts a delivery where nothing is yet: one that waits, is held, or was made by hand. One write. Tells whether it is
    /// new.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_delivery(&self, delivery: &Delivery) -> Result<bool, TableError> {
        let key = keys::delivery(&delivery.tenant, delivery.id);
        match self.deliveries.put(&key, &Row::new(delivery), &[Test::ItemAbsent]).await {
            Ok(()) => Ok(true),
            // An earlier try of this very call may have put it.
            Err(TableError::ConditionFailed { old: Some(old) }) => {
                Ok(old.read::<Row>()?.into_delivery(&delivery.tenant, delivery.id)? == *delivery)
            }
            Err(TableError::ConditionFailed { old: None }) => Ok(false),
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
            .remove("w")
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
            DeliveryState::InProgress { silent_at } if silent_at <= now => Ok(Claim::Silent(Box::new(delivery))),
            _ => Ok(Claim::Nothing),
        }
    }

    /// Replaces a delivery that nobody is attempting by `after`, unless its state moved since `before` was read. One
    /// write. Tells whether it was done.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn move_delivery(&self, before: &Delivery, after: &Delivery) -> Result<bool, TableError> {
        let key = keys::delivery(&after.tenant, after.id);
        let (was, is) = (Row::new(before), Row::new(after));
        match self.deliveries.put(&key, &is, &was.unmoved()).await {
            Ok(()) => Ok(true),
            Err(TableError::ConditionFailed { old: Some(old) }) => {
                // An earlier try of this very call may have done it.
                Ok(old.read::<Row>()?.into_delivery(&after.tenant, after.id)? == *after)
            }
            Err(TableError::ConditionFailed { old: None }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Lets a delivery be found by its id alone, for a target that tells of it later. One write.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn publish_delivery_id(&self, delivery: &Delivery) -> Result<(), TableError> {
        let expires = delivery.expires_at().as_second();
        let place = Place { t: delivery.tenant.clone(), ttl: expires };
        self.deliveries.put(&keys::delivery_by_id(delivery.id), &place, &[]).await
    }

    /// Finds a delivery whose id was published.
    ///
    /// # Errors
    /// When the table cannot be reached or the row cannot be read.
    pub async fn published_delivery(&self, id: DeliveryId, now: Timestamp) -> Result<Option<Delivery>, TableError> {
        let end = id.created_at().saturating_add(SignedDuration::from_hours(24 * DELIVERY_DAYS));
        if end.is_ok_and(|end| end <= now) {
            return Ok(None);
        }
        match self.deliveries.get::<Place>(&keys::delivery_by_id(id)).await? {
            Some(place) => self.delivery(&place.t, id).await,
            None => Ok(None),
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
                let is_there = match after.attempts.as_slice() {
                    // It was put back, with nothing to record.
                    [] => old == *after,
                    attempts => old.attempts.starts_with(attempts),
                };
                Ok(if is_there { Recorded::Yes } else { Recorded::Lost })
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

    /// Lists the deliveries of these subscriptions together, newest first, leaving out what `wanted` does not take.
    ///
    /// A page may have fewer items than were asked for, even none, and still have a next one: that is where the search
    /// for rare things goes on.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn list_deliveries(
        &self,
        tenant: &TenantSlug,
        subscriptions: &[SubscriptionId],
        page: &PageRequest,
        wanted: impl Fn(&Delivery) -> bool,
    ) -> Result<Page<Delivery>, TableError> {
        let handles = subscriptions.iter().map(|id| id.handle());
        let partitions = merge::partitions(handles, |handle, shard| keys::deliveries(tenant, handle, shard));
        let passed_over = AtomicUsize::new(0);
        // `None` takes a place on the page, so that reading ends soon.
        let read = |stored: Stored| {
            let id = id_of(&stored)?;
            let delivery = stored.read::<Row>()?.into_delivery(tenant, id)?;
            if subscriptions.contains(&delivery.subscription_id) && wanted(&delivery) {
                return Ok(Some(Some(delivery)));
            }
            let enough = passed_over.fetch_add(1, Ordering::Relaxed) >= MOST_PASSED_OVER;
            Ok(enough.then_some(None))
        };
        let found = merge::newest_first(&self.deliveries, partitions, page, read).await?;
        Ok(Page { items: found.items.into_iter().flatten().collect(), next: found.next })
    }
}
