//! What is due: a sparse index over everything pending, in shards. Its cost grows with what is due, not with what is
//! stored.

use jiff::Timestamp;

use super::delivery_row::Status;
use super::tasks::DueTask;
use super::{Store, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{IndexQuery, TableError, Wanted};
use crate::domain::delivery::Delivery;
use crate::domain::inbound_delivery::{DispatchStatus, InboundDelivery};

/// Over how many partitions the index is spread.
pub const DUE_SHARDS: u8 = 16;
const INDEX: &str = "due";

/// The shard of a row, by its id.
pub(super) fn due_shard(id: [u8; 16]) -> String {
    format!("{:x}", id[15] % DUE_SHARDS)
}

/// Something pending, as it is now.
#[derive(Clone, Debug, PartialEq)]
pub enum DueThing {
    /// A request whose event has not gone everywhere.
    Inbound(InboundDelivery),
    /// A delivery that waits, or whose sender died.
    Outbound(Delivery),
    /// A task.
    Task(DueTask),
}

impl DueThing {
    /// When it is due, if it still is pending.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Inbound(delivery) => delivery.due_at,
            Self::Outbound(delivery) => delivery.due_at,
            Self::Task(task) => task.due_at,
        }
    }

    /// How often it was taken up without coming further.
    #[must_use]
    pub fn redrives(&self) -> u32 {
        match self {
            Self::Inbound(delivery) => delivery.redrives,
            Self::Outbound(delivery) => delivery.redrives,
            Self::Task(task) => task.redrives,
        }
    }
}

/// The name of something due, as the index has it. The index is late: what it names may be over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due(keys::RowName);

impl Store {
    /// Names what is due by `now` in one shard, the oldest first.
    ///
    /// # Errors
    /// When the index cannot be reached.
    pub async fn due(&self, shard: u8, now: Timestamp, limit: usize) -> Result<Vec<Due>, TableError> {
        let query = IndexQuery { name: INDEX, partition: ("ds", format!("{shard:x}")), sort: "da" };
        let keys = self.deliveries.keys_in_index(&query, now.as_millisecond(), limit).await?;
        Ok(keys.iter().filter_map(keys::row_name).map(Due).collect())
    }

    /// Reads what the index named from its own row; `None` when it is over or not due after all.
    ///
    /// # Errors
    /// When the table cannot be reached or the row cannot be read.
    pub async fn due_thing(&self, due: &Due, now: Timestamp) -> Result<Option<DueThing>, TableError> {
        let thing = match &due.0 {
            keys::RowName::Inbound(tenant, id) => self.inbound_delivery(tenant, *id).await?.map(DueThing::Inbound),
            keys::RowName::Outbound(tenant, id) => self.delivery(tenant, *id).await?.map(DueThing::Outbound),
            keys::RowName::Task(tenant, task) => self.due_task(tenant, task).await?.map(DueThing::Task),
        };
        Ok(thing.filter(|thing| thing.due_at().is_some_and(|at| at <= now)))
    }

    /// Moves the due time of `thing` and counts it, unless someone was faster. Tells whether it was moved.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn push_due(&self, thing: &DueThing, due_at: Timestamp) -> Result<bool, TableError> {
        self.change_due(thing, Changes::new().set("da", due_at.as_millisecond()).add("c", 1)).await
    }

    /// Takes `thing` off the index because it came no further too often; a delivery ends there. Tells whether this call
    /// did it.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn mark_stuck(&self, thing: &DueThing, now: Timestamp) -> Result<bool, TableError> {
        let changes = Changes::new().remove("ds").remove("da");
        let changes = match thing {
            DueThing::Inbound(_) => changes.set("s", DispatchStatus::Stuck),
            DueThing::Outbound(_) => {
                changes.set("s", Status::Exhausted).set("x", now.as_millisecond()).remove("o").remove("l")
            }
            DueThing::Task(_) => changes,
        };
        self.change_due(thing, changes).await
    }

    async fn change_due(&self, thing: &DueThing, changes: Changes) -> Result<bool, TableError> {
        let Some(due_at) = thing.due_at() else { return Ok(false) };
        let key = match thing {
            DueThing::Inbound(delivery) => keys::inbound_delivery(&delivery.tenant, delivery.id),
            DueThing::Outbound(delivery) => keys::delivery(&delivery.tenant, delivery.id),
            DueThing::Task(due) => keys::task(&due.tenant, &due.task),
        };
        let unmoved = Test::Is("da", Value::of(due_at.as_millisecond()));
        match self.deliveries.update(&key, &changes, &[unmoved], Wanted::Nothing).await {
            Ok(_) => Ok(true),
            Err(TableError::ConditionFailed { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
