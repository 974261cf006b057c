//! Circuit breakers, shared by all instances. Read and written only for hosts that failed lately.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, keys};
use crate::aws::expression::{Test, Value};
use crate::aws::table::TableError;
use crate::domain::breaker::{Breaker, HostPort};
use crate::domain::delivery::OwnerToken;
use crate::domain::text::TenantSlug;

/// How long a breaker is remembered after its last change, in seconds: one day.
const LIFE_S: i64 = 86_400;

/// A breaker as it was read, or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBreaker {
    /// The breaker.
    pub breaker: Breaker,
    /// Counts the changes; 0 when nothing is stored.
    version: u64,
}

/// What came of changing a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerWritten {
    /// It was changed.
    Yes(StoredBreaker),
    /// Someone else changed it first; this is what they made of it.
    Overtaken(StoredBreaker),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// Failures in a row.
    f: u32,
    /// Openings in a row.
    n: u32,
    /// The end of the open window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<i64>,
    /// The end of the probe's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<i64>,
    /// Since when.
    s: i64,
    /// Whose change it was. A retried write that meets its own token has won, not lost.
    o: String,
    ver: u64,
    ttl: i64,
}

fn at(millis: i64) -> Result<Timestamp, TableError> {
    Timestamp::from_millisecond(millis).map_err(|e| TableError::Corrupt(e.into()))
}

impl Record {
    fn into_stored(self, now: Timestamp) -> Result<StoredBreaker, TableError> {
        // The table deletes late.
        let breaker = if self.ttl <= now.as_second() {
            Breaker::clear(now)
        } else {
            Breaker {
                failures: self.f,
                opened: self.n,
                open_until: self.u.map(at).transpose()?,
                probe_until: self.p.map(at).transpose()?,
                since: at(self.s)?,
            }
        };
        Ok(StoredBreaker { breaker, version: self.ver })
    }
}

fn read(record: Option<Record>, now: Timestamp) -> Result<StoredBreaker, TableError> {
    let absent = StoredBreaker { breaker: Breaker::clear(now), version: 0 };
    record.map_or(Ok(absent), |record| record.into_stored(now))
}

impl Store {
    /// Reads what is known of a host. One read.
    ///
    /// # Errors
    /// When the table cannot be reached or the item cannot be read.
    pub async fn breaker(
        &self,
        tenant: &TenantSlug,
        host_port: &HostPort,
        now: Timestamp,
    ) -> Result<StoredBreaker, TableError> {
        read(self.idempotency.get(&keys::breaker(tenant, host_port)).await?, now)
    }

    /// Changes what is known of a host from `before`, as it was read, to `after`. One write; losing it gives what is
    /// stored back without a read.
    ///
    /// # Errors
    /// When the table cannot be reached or the item cannot be read.
    pub async fn change_breaker(
        &self,
        (tenant, host_port): (&TenantSlug, &HostPort),
        before: &StoredBreaker,
        after: Breaker,
        writer: OwnerToken,
        now: Timestamp,
    ) -> Result<BreakerWritten, TableError> {
        let version = before.version + 1;
        let record = Record {
            f: after.failures,
            n: after.opened,
            u: after.open_until.map(Timestamp::as_millisecond),
            p: after.probe_until.map(Timestamp::as_millisecond),
            s: after.since.as_millisecond(),
            o: writer.to_string(),
            ver: version,
            ttl: now.as_second() + LIFE_S,
        };
        let unchanged = match before.version {
            0 => Test::ItemAbsent,
            known => Test::Is("ver", Value::of(known)),
        };
        let ours = StoredBreaker { breaker: after, version };
        match self.idempotency.put(&keys::breaker(tenant, host_port), &record, &[unchanged]).await {
            Ok(()) => Ok(BreakerWritten::Yes(ours)),
            Err(TableError::ConditionFailed { old }) => {
                let old = old.map(|old| old.read::<Record>()).transpose()?;
                if old.as_ref().is_some_and(|old| *old == record) {
                    return Ok(BreakerWritten::Yes(ours));
                }
                Ok(BreakerWritten::Overtaken(read(old, now)?))
            }
            Err(other) => Err(other),
        }
    }
}
