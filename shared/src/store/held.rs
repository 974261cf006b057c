//! What is kept for subscriptions that are paused, in the order of its events.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Store, keys};
use crate::aws::expression::Changes;
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
}

#[derive(Serialize, Deserialize)]
struct Row {
    e: EventId,
    t: EventType,
    ttl: i64,
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
        let row = Row { e: delivery.event_id, t: delivery.event_type.clone(), ttl: delivery.expires_at().as_second() };
        self.deliveries.put(&key, &row, &[]).await
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
            held.push(HeldDelivery { id, event_id: row.e, event_type: row.t });
        }
        Ok(held)
    }

    /// Forgets that a delivery is kept.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn forget_held(
        &self,
        tenant: &TenantSlug,
        subscription: SubscriptionId,
        id: DeliveryId,
    ) -> Result<(), TableError> {
        self.deliveries.delete(&keys::held_delivery(tenant, subscription, id), &[]).await
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
