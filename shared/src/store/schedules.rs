//! Schedules, and beside each how far it was worked off.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::configs::list;
use super::{Store, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::TableError;
use crate::aws::transaction::Write;
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::id::{EventId, ScheduleId};
use crate::domain::schedule::{Progress, Schedule};
use crate::domain::text::TenantSlug;
use crate::domain::time::later;

/// How long it is remembered how far a schedule was worked off: longer than any pause between two of its times that may
/// be made up for.
const PROGRESS_LIFE: SignedDuration = SignedDuration::from_hours(24 * 1_500);

/// A schedule as text, because its payload is any JSON and its members are nobody's to query.
#[derive(Serialize, Deserialize)]
struct Row {
    v: String,
    ver: u64,
}

impl Row {
    fn new(schedule: &Schedule) -> Result<Self, TableError> {
        let json = serde_json::to_string(schedule).map_err(|error| TableError::Corrupt(error.into()))?;
        Ok(Self { v: json, ver: schedule.version })
    }
}

fn schedule_of(json: &str) -> Result<Schedule, TableError> {
    serde_json::from_str(json).map_err(|error| TableError::Corrupt(error.into()))
}

/// How far it was worked off, in milliseconds.
#[derive(Serialize, Deserialize)]
struct ProgressRow {
    d: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    ttl: i64,
}

fn time(millis: i64) -> Result<Timestamp, TableError> {
    Timestamp::from_millisecond(millis).map_err(|error| TableError::Corrupt(error.into()))
}

impl Store {
    /// Stores a new schedule and counts it, unless there are `most` already; tells whether it did.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn create_schedule(&self, schedule: &Schedule, most: u32) -> Result<bool, TableError> {
        let tenant = &schedule.tenant;
        let key = keys::schedule(tenant, schedule.id);
        let room = Test::AttributeAbsentOrAtMost("n", Value::of(most.saturating_sub(1)));
        let writes = vec![
            Write::put(key.clone(), &Row::new(schedule)?, vec![Test::ItemAbsent])?,
            Write::Update(keys::number_of_schedules(tenant), Changes::new().add("n", 1), vec![room]),
        ];
        match self.configs.write_together(writes).await {
            Ok(()) => Ok(true),
            // An earlier try of this very call may have written it: nobody else has its id.
            Err(TableError::ConditionFailed { old }) => Ok(old.is_some_and(|old| old.key() == key)),
            Err(other) => Err(other),
        }
    }

    /// Reads a schedule.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn schedule(&self, tenant: &TenantSlug, id: ScheduleId) -> Result<Option<Schedule>, TableError> {
        let row: Option<Row> = self.configs.get(&keys::schedule(tenant, id)).await?;
        row.map(|row| schedule_of(&row.v)).transpose()
    }

    /// Lists a tenant's schedules, newest first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn schedules(&self, tenant: &TenantSlug, page: &PageRequest) -> Result<Page<Schedule>, TableError> {
        let found = list::<String>(&self.configs, keys::schedules(tenant), page).await?;
        let items = found.items.iter().map(|json| schedule_of(json)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: found.next })
    }

    /// Replaces `before` by `after`, its next version; `false` when someone was faster.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn change_schedule(&self, before: &Schedule, after: &Schedule) -> Result<bool, TableError> {
        let row = Row::new(after)?;
        let unchanged = Test::Is("ver", Value::of(before.version));
        match self.configs.put(&keys::schedule(&after.tenant, after.id), &row, &[unchanged]).await {
            Ok(()) => Ok(true),
            // An earlier try of this very call may have written it.
            Err(TableError::ConditionFailed { old: Some(old) }) => Ok(old.read::<Row>()?.v == row.v),
            Err(TableError::ConditionFailed { old: None }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Deletes a schedule and counts it off; `false` when there is none.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete_schedule(&self, tenant: &TenantSlug, id: ScheduleId) -> Result<bool, TableError> {
        let writes = vec![
            Write::Delete(keys::schedule(tenant, id), vec![Test::ItemPresent]),
            Write::Update(keys::number_of_schedules(tenant), Changes::new().subtract("n", 1), vec![]),
        ];
        match self.configs.write_together(writes).await {
            Ok(()) => Ok(true),
            Err(TableError::ConditionFailed { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Reads how far a schedule was worked off.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn schedule_progress(&self, tenant: &TenantSlug, id: ScheduleId) -> Result<Progress, TableError> {
        let row: Option<ProgressRow> = self.deliveries.get(&keys::schedule_progress(tenant, id)).await?;
        let Some(row) = row else { return Ok(Progress::default()) };
        Ok(Progress {
            done_to: Some(time(row.d)?),
            last_time: row.l.map(time).transpose()?,
            last_event: row.e,
            last_error: row.x,
        })
    }

    /// Notes that every time up to `done_to` is done with, unless it was worked off further by now. One write.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn note_schedule_progress(
        &self,
        tenant: &TenantSlug,
        id: ScheduleId,
        done_to: Timestamp,
        progress: &Progress,
    ) -> Result<(), TableError> {
        let done_to_ms = done_to.as_millisecond();
        let row = ProgressRow {
            d: done_to_ms,
            l: progress.last_time.map(Timestamp::as_millisecond),
            e: progress.last_event,
            x: progress.last_error.clone(),
            ttl: later(done_to, PROGRESS_LIFE).as_second(),
        };
        let not_further = Test::ItemAbsentOrAtMost("d", Value::of(done_to_ms));
        match self.deliveries.put(&keys::schedule_progress(tenant, id), &row, &[not_further]).await {
            Ok(()) | Err(TableError::ConditionFailed { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Forgets how far a schedule was worked off that is gone.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn forget_schedule_progress(&self, tenant: &TenantSlug, id: ScheduleId) -> Result<(), TableError> {
        self.deliveries.delete(&keys::schedule_progress(tenant, id), &[]).await
    }
}
