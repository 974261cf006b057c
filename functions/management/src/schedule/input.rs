//! The settings of a schedule as callers give them.

use hookport::domain::event_facts::{self, EventFacts, OwnerName, Scope};
use hookport::domain::event_type::EventType;
use hookport::domain::schedule::{CatchUp, Cron, MAX_DATA_BYTES, Settings, ZoneName};
use hookport::domain::text::{Description, Name};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::{Error, Result};

/// What a schedule publishes, and when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleInput {
    /// Its name for people.
    name: Name,
    /// What it is for.
    description: Option<Description>,
    /// When it comes: minute, hour, day of the month, month and day of the week, as cron has them; or `@hourly`,
    /// `@daily`, `@weekly`, `@monthly`, `@yearly`.
    cron: Cron,
    /// By whose clocks: the name of a time zone; UTC when absent.
    timezone: Option<ZoneName>,
    /// The type of its events: an event type of the tenant.
    event_type: EventType,
    /// Their payload, which the schema of the event type is held against: any JSON value of at most 64 KiB; null when
    /// absent.
    #[serde(default)]
    data: Value,
    /// The type of the entity that its events are about.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_.-]+$", example = "report")]
    entity_type: Option<String>,
    /// The entity that its events are about.
    #[schema(min_length = 1, max_length = 256, example = "42")]
    entity_id: Option<String>,
    /// Where its events happen.
    scope: Option<Scope>,
    /// On whose behalf its events are published. They do not count towards the quota of that owner.
    owner: Option<OwnerName>,
    /// What becomes of times that were missed by more than five minutes: the newest is made up for (`one`), none is, or
    /// `all` are, the newest 100 of the last 14 days at most; `one` when absent.
    catch_up: Option<CatchUp>,
    /// Whether it publishes anything; true when absent.
    is_active: Option<bool>,
}

impl ScheduleInput {
    pub(super) fn into_settings(self) -> Result<Settings> {
        if self.data.to_string().len() > MAX_DATA_BYTES {
            return Err(Error::field("data", format!("must have at most {MAX_DATA_BYTES} bytes as JSON")));
        }
        if serde_json::from_str::<serde_json::Value>(&format!("[[{}]]", self.data)).is_err() {
            // It is stored and sent in two more levels.
            return Err(Error::field("data", "must not be nested that deep"));
        }
        let entity_type = self.entity_type.map(event_facts::entity_type).transpose();
        let entity_id = self.entity_id.map(event_facts::entity_id).transpose();
        Ok(Settings {
            name: self.name,
            description: self.description,
            cron: self.cron,
            timezone: self.timezone.unwrap_or_default(),
            event_type: self.event_type,
            data: self.data,
            facts: EventFacts {
                entity_type: entity_type.map_err(|rule| Error::field("entity_type", rule))?,
                entity_id: entity_id.map_err(|rule| Error::field("entity_id", rule))?,
                scope: self.scope,
                owner: self.owner,
                initiator: None,
            },
            catch_up: self.catch_up.unwrap_or_default(),
            is_active: self.is_active.unwrap_or(true),
        })
    }
}
