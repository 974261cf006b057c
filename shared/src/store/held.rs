//! What is kept for subscriptions that are paused, in the order of its events.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{Store, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{Query, TableError, Wanted};
use crate::domain::delivery::{DELIVERY_DAYS, Delivery};
use crate::domain::event_type::EventType;
use crate::domain::id::{DeliveryId, EventId, SubscriptionId};
use crate::domain::text::TenantSlug;
use crate::domain::time::later;

/// One delivery that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldDelivery {
    /// The delivery.
    pub id: DeliveryId,
    /// Its event.
    pub event_id: EventId,
    /// The type of the event.
    pub event_type: EventType,
    /// How often it was noted: a note that was made anew is another one.
    pub noted: u64,
}

#[derive(Deserialize)]
struct Row {
    e: EventId,
    t: EventType,
    #[serde(default)]
    r: u64,
}

/// What writes a note down, or writes it anew.
pub(super) fn noted(delivery: &Delivery) -> Changes {
    Changes::new()
        .set("e", delivery.event_id)
        .set("t", &delivery.event_type)
        .set("ttl", delivery.expires_at().as_second())
        .add("r", 1)
}

/// What holds as long as a note was not made anew.
pub(super) fn same_note(noted: u64) -> Test {
    match noted {
        0 => Test::AttributeAbsent("r"),
        noted => Test::Is("r", Value::of(noted)),
    }
}

/// A note that was made anew stays, and is looked at again.
pub(super) fn forgotten(deleted: Result<(), TableError>) -> Result<(), TableError> {
    match deleted {
        Err(TableError::ConditionFailed { .. }) => Ok(()),
        other => other,
    }
}

#[derive(Deserialize)]
struct Number {
    n: u32,
}

impl Store {
    /// Notes that a delivery is kept for its subscription. One write, before the delivery itself is put into that state:
    /// a note without such a delivery does no harm.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn note_held(&self, delivery: &Delivery) -> Result<(), TableError> {
        let key = keys::held_delivery(&delivery.tenant, delivery.subscription_id, delivery.id);
        self.deliveries.update(&key, &noted(delivery), &[], Wanted::Nothing).await.map(drop)
    }

    /// The deliveries kept for a subscription, those of the oldest events first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn held(
        &self,
        tenant: &TenantSlug,
        subscription: SubscriptionId,
        limit: usize,
    ) -> Result<Vec<HeldDelivery>, TableError> {
        let query = Query { pk: keys::held(tenant, subscription), beyond: None, limit, newest_first: false };
        let mut held = Vec::new();
        for stored in self.deliveries.query(&query).await? {
            let id = DeliveryId::from_suffix(stored.key().sk.as_deref().unwrap_or_default());
            let id = id.map_err(|e| TableError::Corrupt(e.into()))?;
            let row = stored.read::<Row>()?;
            held.push(HeldDelivery { id, event_id: row.e, event_type: row.t, noted: row.r });
        }
        Ok(held)
    }

    /// Forgets that a delivery is kept, unless that was noted anew since the note was read.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn forget_held(
        &self,
        tenant: &TenantSlug,
        subscription: SubscriptionId,
        note: &HeldDelivery,
    ) -> Result<(), TableError> {
        let key = keys::held_delivery(tenant, subscription, note.id);
        forgotten(self.deliveries.delete(&key, &[same_note(note.noted)]).await)
    }

    /// Counts that it could not be decided whether the owner of a subscription may see an event, and gives how often that
    /// was so since it is in its state. One write.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn count_undecided(
        &self,
        tenant: &TenantSlug,
        subscription: SubscriptionId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<u32, TableError> {
        let expires = later(now, SignedDuration::from_hours(24 * DELIVERY_DAYS));
        let changes = Changes::new().add("n", 1).set("ttl", expires.as_second());
        let key = keys::undecided(tenant, subscription, since);
        let new = self.deliveries.update(&key, &changes, &[], Wanted::New).await?;
        new.ok_or_else(|| TableError::Corrupt("the table gave no item".into()))?.read::<Number>().map(|row| row.n)
    }
}
