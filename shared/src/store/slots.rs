//! The slots of a subscription: how many of its deliveries are in flight at a time, over all instances.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, keys};
use crate::aws::expression::{Test, Value};
use crate::aws::table::TableError;
use crate::domain::delivery::OwnerToken;
use crate::domain::id::SubscriptionId;
use crate::domain::text::TenantSlug;

/// How long a slot that nobody released outlives its lease, in seconds.
const AFTERLIFE_S: i64 = 3_600;

#[derive(Serialize, Deserialize)]
struct Record {
    /// Whose it is.
    o: String,
    /// The end of its lease.
    e: i64,
    ttl: i64,
}

impl Store {
    /// Claims the `n`-th slot of a subscription until `lease_until`, if it is free at `now`. One write.
    ///
    /// # Errors
    /// When the table cannot be reached or the item cannot be read.
    pub async fn claim_slot(
        &self,
        (tenant, subscription, n): (&TenantSlug, SubscriptionId, u8),
        owner: OwnerToken,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<bool, TableError> {
        let owner = owner.to_string();
        let ttl = lease_until.as_second() + AFTERLIFE_S;
        let record = Record { o: owner.clone(), e: lease_until.as_millisecond(), ttl };
        let free = Test::ItemAbsentOrAtMost("e", Value::of(now.as_millisecond()));
        match self.idempotency.put(&keys::slot(tenant, subscription, n), &record, &[free]).await {
            Ok(()) => Ok(true),
            // Our own write, seen again by a retry of it, is no loss.
            Err(TableError::ConditionFailed { old: Some(old) }) => Ok(old.read::<Record>()?.o == owner),
            Err(TableError::ConditionFailed { old: None }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Gives a slot back, if it is still `owner`'s. One write.
    ///
    /// # Errors
    /// When the table cannot be reached; the slot is free again when its lease is over.
    pub async fn release_slot(
        &self,
        (tenant, subscription, n): (&TenantSlug, SubscriptionId, u8),
        owner: OwnerToken,
    ) -> Result<(), TableError> {
        let ours = Test::Is("o", Value::of(owner.to_string()));
        match self.idempotency.delete(&keys::slot(tenant, subscription, n), &[ours]).await {
            // Its lease ran out and another has it, or an earlier try of the same call deleted it.
            Ok(()) | Err(TableError::ConditionFailed { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }
}
