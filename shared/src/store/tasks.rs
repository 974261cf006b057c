//! When tasks are due: a row for each, in the index of what is due.

use jiff::Timestamp;
use serde::Deserialize;

use super::due::due_shard;
use super::{Store, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{TableError, Wanted};
use crate::domain::delivery::OwnerToken;
use crate::domain::task::Task;
use crate::domain::text::TenantSlug;

/// A task that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct DueTask {
    /// Whose it is.
    pub tenant: TenantSlug,
    /// Which one.
    pub task: Task,
    /// When.
    pub due_at: Option<Timestamp>,
    /// How often the sweeper took it up without anybody doing it.
    pub redrives: u32,
}

/// A task that is the caller's to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskClaim {
    owner: OwnerToken,
    /// How often it had been asked for.
    asked: u64,
    /// By when it was asked for last.
    expected: Option<Timestamp>,
    /// When the message comes that was sent for it last.
    hinted: Option<Timestamp>,
}

impl TaskClaim {
    /// When the message comes that was sent for it last, if one was: nobody needs another before that.
    #[must_use]
    pub fn hinted(&self) -> Option<Timestamp> {
        self.hinted
    }
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    a: u64,
    #[serde(default)]
    q: Option<i64>,
    #[serde(default)]
    h: Option<i64>,
    #[serde(default)]
    o: Option<String>,
    #[serde(default)]
    da: Option<i64>,
    #[serde(default)]
    c: u32,
}

impl Store {
    /// Asks for a task to be done by `due_at`. One write. Asking again does no harm.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn ask_task(&self, tenant: &TenantSlug, task: &Task, due_at: Timestamp) -> Result<(), TableError> {
        let changes = Changes::new()
            .set("ds", due_shard(task.spread()))
            .set("da", due_at.as_millisecond())
            .set("q", due_at.as_millisecond())
            .add("a", 1)
            .remove("c");
        self.deliveries.update(&keys::task(tenant, task), &changes, &[], Wanted::Nothing).await?;
        Ok(())
    }

    /// Claims a task until `lease_until`; `None` while another does it.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn claim_task(
        &self,
        tenant: &TenantSlug,
        task: &Task,
        owner: OwnerToken,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<TaskClaim>, TableError> {
        let changes = Changes::new()
            .set("ds", due_shard(task.spread()))
            .set("da", lease_until.as_millisecond())
            .set("o", owner.to_string())
            .set("l", lease_until.as_millisecond());
        let tests = [Test::AttributeAbsentOrAtMost("l", Value::of(now.as_millisecond()))];
        let updated = self.deliveries.update(&keys::task(tenant, task), &changes, &tests, Wanted::New).await;
        let row = match updated {
            Ok(row) => row,
            Err(TableError::ConditionFailed { old }) => old,
            Err(other) => return Err(other),
        };
        let Some(row) = row else { return Ok(None) };
        let row = row.read::<Row>()?;
        // An earlier try of this very call may have won.
        let time = |millis: Option<i64>| millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
        let (expected, hinted) = (time(row.q), time(row.h));
        Ok((row.o == Some(owner.to_string())).then_some(TaskClaim { owner, asked: row.a, expected, hinted }))
    }

    /// Ends a task that is the caller's, who sends a message that comes at `hinted`, if at all; it is due again at `next`, or never. Tells whether it was asked for meanwhile:
    /// it is due at once then.
    ///
    /// # Errors
    /// When the table cannot be reached. It is then done again when the claim is over.
    pub async fn end_task(
        &self,
        tenant: &TenantSlug,
        task: &Task,
        claim: TaskClaim,
        next: Option<Timestamp>,
        hinted: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        // What was asked for may not be there yet, because asking comes before the change: whoever asked has until then.
        let next = match claim.expected.filter(|expected| *expected > now) {
            Some(expected) => Some(next.map_or(expected, |next| next.min(expected))),
            None => next,
        };
        let key = keys::task(tenant, task);
        let ours = Test::Is("o", Value::of(claim.owner.to_string()));
        let unasked = match claim.asked {
            0 => Test::AttributeAbsent("a"),
            asked => Test::Is("a", Value::of(asked)),
        };
        let ended = match next {
            Some(next) => {
                let changes = Changes::new().set("da", next.as_millisecond()).remove("o").remove("l").remove("c");
                let changes = match hinted {
                    Some(hinted) => changes.set("h", hinted.as_millisecond()),
                    None => changes.remove("h"),
                };
                self.deliveries.update(&key, &changes, &[ours.clone(), unasked], Wanted::Nothing).await.map(|_| ())
            }
            None => self.deliveries.delete(&key, &[ours.clone(), unasked]).await,
        };
        match ended {
            Ok(()) => return Ok(false),
            Err(TableError::ConditionFailed { .. }) => {}
            Err(other) => return Err(other),
        }
        let changes = Changes::new().set("da", now.as_millisecond()).remove("o").remove("l").remove("c");
        match self.deliveries.update(&key, &changes, &[ours], Wanted::Nothing).await {
            Ok(_) => Ok(true),
            // Somebody else does it by now, or it is gone.
            Err(TableError::ConditionFailed { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    pub(super) async fn due_task(&self, tenant: &TenantSlug, task: &Task) -> Result<Option<DueTask>, TableError> {
        let row: Option<Row> = self.deliveries.get(&keys::task(tenant, task)).await?;
        let Some(row) = row else { return Ok(None) };
        let due_at = row.da.map(Timestamp::from_millisecond).transpose().map_err(|e| TableError::Corrupt(e.into()))?;
        Ok(Some(DueTask { tenant: tenant.clone(), task: task.clone(), due_at, redrives: row.c }))
    }
}
