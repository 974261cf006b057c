//! Schedules: events that are published at times that recur.
//!
//! Which times are due follows from the schedule, from how far it was worked off, and from the time. The id of each
//! event follows from the schedule and its time, so that publishing it again changes nothing.

mod cron;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use self::cron::{Cron, CronError, Timetable, ZoneName};
use super::event_facts::EventFacts;
use super::event_type::EventType;
use super::event_type_definition::EventTypeDefinition;
use super::id::{EventId, ScheduleId};
use super::inbound_delivery::Violation;
use super::schema::Schema;
use super::text::{Description, Name, TenantSlug};

/// The most schedules of a tenant.
pub const MAX_SCHEDULES: u32 = 100;
/// The largest payload, in bytes as JSON.
pub const MAX_DATA_BYTES: usize = 64 * 1024;
/// The most missed times that are made up for at once.
pub const MAX_CATCH_UP: usize = 100;
/// Up to how late a time is not missed but merely late.
pub const LATE: SignedDuration = SignedDuration::from_mins(5);
/// What was missed by more than this is not made up for: its event would be nearly forgotten when it came.
const TOO_LATE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What becomes of times at which nobody was there to publish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// The newest of them is made up for.
    #[default]
    One,
    /// They are left out.
    None,
    /// All are made up for: the newest 100 of the last 14 days.
    All,
}

/// What a schedule publishes, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Its name for people.
    pub name: Name,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// When.
    pub cron: Cron,
    /// By whose clocks.
    pub timezone: ZoneName,
    /// The type of its events.
    pub event_type: EventType,
    /// Their payload.
    pub data: Value,
    /// What they say of themselves.
    pub facts: EventFacts,
    /// What becomes of missed times.
    pub catch_up: CatchUp,
    /// Whether it publishes anything.
    pub is_active: bool,
}

/// Events that are published at times that recur.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Whose it is.
    pub tenant: TenantSlug,
    /// What it publishes, and when.
    pub settings: Settings,
    /// Counts the changes, from 1.
    pub version: u64,
    /// No time up to this one is its: the last change of its times, or when it was switched on.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub counts_from: Timestamp,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When it was changed last.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub updated_at: Timestamp,
}

/// How far a schedule was worked off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Every time up to this one is done with.
    pub done_to: Option<Timestamp>,
    /// The newest time at which an event was due.
    pub last_time: Option<Timestamp>,
    /// The event of that time, if it was published.
    pub last_event: Option<EventId>,
    /// The stable code of why it was not.
    pub last_error: Option<String>,
}

/// Why nothing of this type with this payload is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The tenant has no such event type.
    Unknown,
    /// The event type is switched off.
    Disabled,
    /// The payload is not what its schema asks for.
    Mismatch(Vec<Violation>),
}

impl Unfit {
    /// The stable code, as publishing has it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_event_type",
            Self::Disabled => "event_type_disabled",
            Self::Mismatch(_) => "schema_mismatch",
        }
    }
}

/// Tells whether events of this type are taken at all, as publishing does. What compiles schemas stays apart, because it
/// is a tenth of the program that publishes what is scheduled.
///
/// # Errors
/// When there is no such event type, or it is switched off.
pub fn takes_any(definition: Option<&EventTypeDefinition>) -> Result<&EventTypeDefinition, Unfit> {
    let definition = definition.ok_or(Unfit::Unknown)?;
    if definition.is_enabled { Ok(definition) } else { Err(Unfit::Disabled) }
}

/// Holds a payload against its event type, as publishing does.
///
/// # Errors
/// When there is no such event type, it is switched off, or its schema asks for something else.
pub fn fits(definition: Option<&EventTypeDefinition>, data: &Value) -> Result<(), Unfit> {
    let definition = takes_any(definition)?;
    // It was compiled when it was stored. If it no longer does, nothing can be held against it.
    let schema = definition.schema.as_ref().and_then(|schema| Schema::compile(schema).ok());
    schema.map_or(Ok(()), |schema| schema.validate(data)).map_err(Unfit::Mismatch)
}

impl Schedule {
    /// A new schedule.
    #[must_use]
    pub fn new(id: ScheduleId, tenant: TenantSlug, settings: Settings, now: Timestamp) -> Self {
        Self { id, tenant, settings, version: 1, counts_from: now, created_at: now, updated_at: now }
    }

    /// The schedule with other settings. Other times count from now on, and so do those of one that is switched on.
    #[must_use]
    pub fn changed(&self, settings: Settings, now: Timestamp) -> Self {
        let before = &self.settings;
        let has_its_times = before.cron == settings.cron
            && before.timezone == settings.timezone
            && (before.is_active || !settings.is_active);
        let counts_from = if has_its_times { self.counts_from } else { now };
        Self { settings, version: self.version + 1, counts_from, updated_at: now, ..self.clone() }
    }

    /// The times at which it comes.
    ///
    /// # Errors
    /// As [`Timetable::new`].
    pub fn timetable(&self) -> Result<Timetable, CronError> {
        Timetable::new(&self.settings.cron, &self.settings.timezone)
    }

    /// The times that an event is to be published for, oldest first.
    #[must_use]
    pub fn due(&self, times: &Timetable, done_to: Option<Timestamp>, now: Timestamp) -> Vec<Timestamp> {
        let ago = |by| now.saturating_sub(by).unwrap_or(Timestamp::MIN);
        let from = self.counts_from.max(ago(TOO_LATE)).max(done_to.unwrap_or(Timestamp::MIN));
        let missed_until = ago(LATE);
        match self.settings.catch_up {
            CatchUp::All => times.newest(from, now, MAX_CATCH_UP),
            CatchUp::None => times.newest(from.max(missed_until), now, MAX_CATCH_UP),
            // What is merely late makes up for what was missed before it.
            CatchUp::One => match times.newest(from.max(missed_until), now, MAX_CATCH_UP) {
                late if late.is_empty() => times.newest(from, now, 1),
                late => late,
            },
        }
    }
}

#[cfg(test)]
mod tests;
