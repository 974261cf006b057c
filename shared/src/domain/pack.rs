//! Packs: sets of triggers that are kept in files and applied as a whole.
//!
//! A pack is the truth about the event types that it names. What it no longer names is switched off and kept, with its
//! webhook and its history; put back, it is switched on again.

use std::collections::HashSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::event_type::EventType;
use super::event_type_definition::EventTypeDefinition;
use super::schema::{Schema, SchemaError};
use super::text::{Description, Name};

#[cfg(test)]
mod tests;

/// The most triggers that one pack may have.
pub const MAX_TRIGGERS: usize = 100;

/// A text that cannot be the name of a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 64 characters of a-z, 0-9, _ and -")]
pub struct PackNameError;

/// The name of a pack: the first word of every ref in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[a-z0-9_-]+$", max_length = 64, example = "github")]
pub struct PackName(String);

impl TryFrom<String> for PackName {
    type Error = PackNameError;

    fn try_from(text: String) -> Result<Self, PackNameError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) { Ok(Self(text)) } else { Err(PackNameError) }
    }
}

impl PackName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What every ref in the pack begins with.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{}.", self.0)
    }
}

impl fmt::Display for PackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What makes a trigger fire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// A webhook of its own.
    #[default]
    Webhook,
}

/// One trigger, as a file of a pack says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackTrigger {
    /// The type of its events; begins with the name of the pack and a dot.
    #[serde(rename = "ref")]
    pub event_type: EventType,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// What makes it fire.
    #[serde(rename = "type", default)]
    pub kind: TriggerKind,
    /// The JSON Schema of its payloads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub payload_schema: Option<Value>,
    /// Whether requests are taken for it; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Why triggers are no pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// There are too many of them.
    #[error("triggers: must have at most {} entries", MAX_TRIGGERS)]
    TooMany,
    /// One of them breaks a rule.
    #[error("triggers[{index}].{field}: {rule}")]
    Trigger {
        /// Which one.
        index: usize,
        /// Its member.
        field: &'static str,
        /// The rule.
        rule: TriggerRule,
    },
}

/// What a trigger of a pack must be like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TriggerRule {
    /// Its ref belongs to the pack.
    #[error("must begin with {0}")]
    Prefix(String),
    /// Its ref is there once.
    #[error("must not be that of another trigger of the pack")]
    Repeated,
    /// Its schema is one.
    #[error(transparent)]
    Schema(SchemaError),
}

/// A set of triggers that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Pack {
    name: PackName,
    triggers: Vec<PackTrigger>,
}

impl Pack {
    /// The pack of these triggers.
    ///
    /// # Errors
    /// Names the first trigger that breaks a rule.
    pub fn new(name: PackName, triggers: Vec<PackTrigger>) -> Result<Self, PackError> {
        if triggers.len() > MAX_TRIGGERS {
            return Err(PackError::TooMany);
        }
        check(&name.prefix(), &triggers)?;
        Ok(Self { name, triggers })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &PackName {
        &self.name
    }

    /// What `definition` becomes once it says what `trigger` says.
    #[must_use]
    pub fn define(&self, trigger: &PackTrigger, definition: EventTypeDefinition) -> EventTypeDefinition {
        EventTypeDefinition {
            name: trigger.name.clone(),
            description: trigger.description.clone(),
            schema: trigger.payload_schema.clone(),
            is_enabled: trigger.enabled.unwrap_or(true),
            pack: Some(self.name.clone()),
            ..definition
        }
    }
}

fn check(prefix: &str, triggers: &[PackTrigger]) -> Result<(), PackError> {
    let mut seen = HashSet::new();
    for (index, trigger) in triggers.iter().enumerate() {
        let broken = |field, rule| PackError::Trigger { index, field, rule };
        if !trigger.event_type.as_str().starts_with(prefix) {
            return Err(broken("ref", TriggerRule::Prefix(prefix.to_owned())));
        }
        if !seen.insert(&trigger.event_type) {
            return Err(broken("ref", TriggerRule::Repeated));
        }
        if let Some(schema) = &trigger.payload_schema {
            Schema::compile(schema).map_err(|error| broken("payload_schema", TriggerRule::Schema(error)))?;
        }
    }
    Ok(())
}

/// A definition that is to be another.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// As it is.
    pub before: EventTypeDefinition,
    /// As it is to be, still with its present version.
    pub after: EventTypeDefinition,
}

/// What has to be done so that the event types are as a pack says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// To be made.
    pub create: Vec<PackTrigger>,
    /// To be changed; one that was made by hand becomes the pack's.
    pub update: Vec<Change>,
    /// As they should be.
    pub unchanged: Vec<EventType>,
    /// To be switched off, because the pack no longer names them.
    pub disable: Vec<Change>,
}

/// Compares what there is with what a pack says. `current` holds at least every definition whose ref is the pack's.
#[must_use]
pub fn plan(current: &[EventTypeDefinition], desired: &Pack) -> Plan {
    let mut plan = Plan::default();
    for trigger in &desired.triggers {
        let Some(before) = current.iter().find(|definition| definition.event_type == trigger.event_type) else {
            plan.create.push(trigger.clone());
            continue;
        };
        let after = desired.define(trigger, before.clone());
        if after == *before {
            plan.unchanged.push(after.event_type);
        } else {
            plan.update.push(Change { before: before.clone(), after });
        }
    }
    let named: HashSet<&EventType> = desired.triggers.iter().map(|trigger| &trigger.event_type).collect();
    let of_pack = current.iter().filter(|definition| definition.pack.as_ref() == Some(&desired.name));
    let gone = of_pack.filter(|definition| definition.is_enabled && !named.contains(&definition.event_type));
    plan.disable = gone
        .map(|before| Change {
            before: before.clone(),
            after: EventTypeDefinition { is_enabled: false, ..before.clone() },
        })
        .collect();
    plan
}

/// The note that a pack was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedPack {
    /// Its name.
    pub name: PackName,
    /// When it was applied last.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub applied_at: Timestamp,
}
