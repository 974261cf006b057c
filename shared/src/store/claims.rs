//! Claims on idempotency keys: which of several equal requests is kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, keys};
use crate::aws::expression::{Test, Value};
use crate::aws::table::TableError;
use crate::domain::id::{InboundDeliveryId, InboundWebhookId};
use crate::domain::idempotency::{Claim, IdempotencyKey};
use crate::domain::text::TenantSlug;

/// What came of claiming a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The key is ours, also when an earlier try of the same call had won it already.
    Ours,
    /// Another request has it.
    Theirs(Claim),
}

#[derive(Serialize, Deserialize)]
struct Record {
    d: InboundDeliveryId,
    f: i64,
    e: i64,
    ttl: i64,
}

fn at(millis: i64) -> Result<Timestamp, TableError> {
    Timestamp::from_millisecond(millis).map_err(|e| TableError::Corrupt(e.into()))
}

impl Store {
    /// Claims a key for `claim`'s delivery, if it is free at the claim's own time.
    ///
    /// One write; losing it gives the winner back without a read.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn claim_key(
        &self,
        tenant: &TenantSlug,
        webhook: InboundWebhookId,
        key: &IdempotencyKey,
        claim: &Claim,
    ) -> Result<Claimed, TableError> {
        let record = Record {
            d: claim.delivery_id,
            f: claim.first_at.as_millisecond(),
            e: claim.window_ends_at.as_millisecond(),
            // The table deletes a day late rather than a second early: the window is compared in code.
            ttl: claim.window_ends_at.as_second() + 86_400,
        };
        let free = Test::ItemAbsentOrAtMost("e", Value::of(claim.first_at.as_millisecond()));
        let put = self.idempotency.put(&keys::claim(tenant, webhook, &key.digest()), &record, &[free]).await;
        match put {
            Ok(()) => Ok(Claimed::Ours),
            Err(TableError::ConditionFailed { old: Some(old) }) => {
                let old: Record = old.read()?;
                if old.d == claim.delivery_id {
                    return Ok(Claimed::Ours);
                }
                Ok(Claimed::Theirs(Claim { delivery_id: old.d, first_at: at(old.f)?, window_ends_at: at(old.e)? }))
            }
            Err(other) => Err(other),
        }
    }
}
