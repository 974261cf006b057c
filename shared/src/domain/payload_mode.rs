//! How much of an event a subscription is sent: everything, chosen fields, or its keys alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::event_facts::{EventFacts, Scope};
use super::event_type::EventType;
use super::id::EventId;

#[cfg(test)]
mod tests;

/// The most entities that fields may be chosen for.
pub const MAX_ENTITIES: usize = 20;
/// The most fields that may be chosen for one entity.
pub const MAX_FIELDS: usize = 64;
/// The most characters of the name of an entity or a field.
pub const MAX_FIELD_CHARS: usize = 64;

/// Why something is no payload mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadModeError {
    /// Fields were chosen in a mode that sends none or all.
    #[error("takes fields in mode fields only")]
    FieldsAlone,
    /// Too many entities.
    #[error("takes fields of at most 20 entities")]
    Entities,
    /// Too many fields.
    #[error("takes at most 64 fields of an entity")]
    Fields,
    /// A name that is empty or too long.
    #[error("must name each entity and field by 1 to 64 characters")]
    Name,
}

/// Fields by entity; `None`: all fields of the entity.
type Choice = BTreeMap<String, Option<Vec<String>>>;

/// How much of an event is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub enum PayloadMode {
    /// The body as it is.
    #[default]
    Full,
    /// What is needed to fetch the entity, and nothing of its content.
    Keys,
    /// The chosen fields by entity, which is the first word of the event's type, and the ids that are always there.
    ///
    /// No entity at all, an entity that is not named, and `None` all mean every field; an empty list means the ids.
    Fields(BTreeMap<String, Option<Vec<String>>>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    mode: Mode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fields: Option<Choice>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Full,
    Keys,
    Fields,
}

impl TryFrom<Wire> for PayloadMode {
    type Error = PayloadModeError;

    fn try_from(wire: Wire) -> Result<Self, PayloadModeError> {
        match (wire.mode, wire.fields) {
            (Mode::Full, None) => Ok(Self::Full),
            (Mode::Keys, None) => Ok(Self::Keys),
            (Mode::Full | Mode::Keys, Some(_)) => Err(PayloadModeError::FieldsAlone),
            (Mode::Fields, choice) => {
                let choice = choice.unwrap_or_default();
                check(&choice)?;
                Ok(Self::Fields(choice))
            }
        }
    }
}

impl From<PayloadMode> for Wire {
    fn from(mode: PayloadMode) -> Self {
        match mode {
            PayloadMode::Full => Self { mode: Mode::Full, fields: None },
            PayloadMode::Keys => Self { mode: Mode::Keys, fields: None },
            PayloadMode::Fields(choice) => Self { mode: Mode::Fields, fields: Some(choice) },
        }
    }
}

fn check(choice: &Choice) -> Result<(), PayloadModeError> {
    if choice.len() > MAX_ENTITIES {
        return Err(PayloadModeError::Entities);
    }
    let lists = || choice.values().flatten();
    if lists().any(|list| list.len() > MAX_FIELDS) {
        return Err(PayloadModeError::Fields);
    }
    let is_named = |name: &String| !name.is_empty() && name.chars().count() <= MAX_FIELD_CHARS;
    if choice.keys().all(is_named) && lists().flatten().all(is_named) { Ok(()) } else { Err(PayloadModeError::Name) }
}

impl PartialSchema for PayloadMode {
    fn schema() -> RefOr<Schema> {
        let closed = || AdditionalProperties::<Schema>::FreeForm(false);
        let mode = |names: &[&'static str]| {
            ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names.iter().copied()))
        };
        let name =
            || ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX_FIELD_CHARS));
        let list = ArrayBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
            .items(name())
            .max_items(Some(MAX_FIELDS));
        let choice = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
            .property_names(Some(name()))
            .additional_properties(Some(RefOr::T(Schema::Array(list.build()))))
            .max_properties(Some(MAX_ENTITIES))
            .description(Some("Fields by entity, the first word of the event's type; null: all fields of the entity"));
        let whole = ObjectBuilder::new()
            .property("mode", mode(&["full", "keys"]))
            .required("mode")
            .additional_properties(Some(closed()));
        let chosen = ObjectBuilder::new()
            .property("mode", mode(&["fields"]))
            .property("fields", choice)
            .required("mode")
            .additional_properties(Some(closed()));
        OneOfBuilder::new()
            .item(whole)
            .item(chosen)
            .description(Some("How much of an event is sent: all of it, its keys alone, or chosen fields"))
            .into()
    }
}

impl ToSchema for PayloadMode {}

/// What there is to send.
#[derive(Clone, Copy)]
pub struct Content<'a> {
    /// The event.
    pub id: EventId,
    /// Its type.
    pub event_type: &'a EventType,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What it says of itself, if it was published. Its body is an [`Envelope`] then.
    pub facts: Option<&'a EventFacts>,
    /// Its body.
    pub body: &'a Bytes,
    /// The content type of its body.
    pub content_type: Option<&'a str>,
}

impl PayloadMode {
    /// The body to send, and its content type.
    #[must_use]
    pub fn render(&self, content: &Content<'_>) -> (Bytes, Option<String>) {
        let body = match self {
            Self::Full => None,
            Self::Keys => return (content.keys(), Some("application/json".to_owned())),
            Self::Fields(choice) => content.projected(choice),
        };
        (body.unwrap_or_else(|| content.body.clone()), content.content_type.map(str::to_owned))
    }
}

impl Content<'_> {
    /// The noun (all words but the last) and the verb of its type.
    fn words(&self) -> (&str, &str) {
        self.event_type.as_str().rsplit_once('.').unwrap_or(("", self.event_type.as_str()))
    }

    /// The keys, in the very bytes that receivers of this form know.
    fn keys(&self) -> Bytes {
        let (noun, verb) = self.words();
        let said = |fact: fn(&EventFacts) -> Option<&String>| self.facts.and_then(fact).cloned();
        let id = said(|facts| facts.entity_id.as_ref()).unwrap_or_else(|| self.id.to_string());
        let entity_type = said(|facts| facts.entity_type.as_ref()).unwrap_or_else(|| noun.replace('.', "_"));
        let text = format!(
            r#"{{ "id":{}, "entityType":{}, "eventType":{}, "timestamp":"{}" }}"#,
            quoted(&id),
            quoted(&entity_type.to_ascii_uppercase()),
            quoted(&imperative(verb)),
            self.occurred_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        );
        Bytes::from(text)
    }

    /// The body with the chosen fields alone; `None` when it stays as it is.
    fn projected(&self, choice: &Choice) -> Option<Bytes> {
        let (noun, _) = self.words();
        let entity = noun.split('.').next()?;
        let list = choice.get(entity)?.as_ref()?;
        let mut wanted: BTreeSet<String> = list.iter().cloned().collect();
        wanted.insert("id".to_owned());
        wanted.extend(noun.split('.').map(|word| format!("{word}_id")));

        let whole: Members<'_> = serde_json::from_slice(self.body).ok()?;
        if self.facts.is_none() {
            return Some(Bytes::from(whole.only(&wanted)));
        }
        let data = whole.0.iter().find(|(name, _)| name == "data").map(|(_, value)| value.get())?;
        let data = serde_json::from_str::<Members<'_>>(data).ok()?.only(&wanted);
        let members = whole.0.iter().map(|(name, value)| {
            let value = if name == "data" { data.as_str() } else { value.get() };
            (name.as_str(), value)
        });
        Some(Bytes::from(object(members)))
    }
}

/// What a verb of the past tense is called in the keys.
fn imperative(verb: &str) -> String {
    let known = match verb {
        "created" => "CREATE",
        "updated" => "UPDATE",
        "deleted" => "DELETE",
        "added" => "ADD",
        "removed" => "REMOVE",
        "closed" => "CLOSE",
        "assigned" => "ASSIGN",
        "completed" => "COMPLETE",
        other => return other.to_ascii_uppercase(),
    };
    known.to_owned()
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The members of an object in their order, each value as it was written: numbers keep all of their digits.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl Members<'_> {
    fn only(&self, wanted: &BTreeSet<String>) -> String {
        let chosen = self.0.iter().filter(|(name, _)| wanted.contains(name));
        object(chosen.map(|(name, value)| (name.as_str(), value.get())))
    }
}

fn object<'m>(members: impl Iterator<Item = (&'m str, &'m str)>) -> String {
    let members: Vec<_> = members.map(|(name, value)| quoted(name) + ":" + value).collect();
    format!("{{{}}}", members.join(","))
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// The part of a body that filters read: the data of a published event, and all of any other.
#[must_use]
pub fn filterable<'v>(facts: Option<&EventFacts>, whole: &'v Value) -> &'v Value {
    match facts {
        Some(_) => whole.get("data").unwrap_or(whole),
        None => whole,
    }
}

/// The body of a published event, as it is stored and sent.
#[derive(Clone, Copy)]
pub struct Envelope<'a> {
    /// The event.
    pub id: EventId,
    /// Its type.
    pub event_type: &'a EventType,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What it says of itself; the principals stay out of the body.
    pub facts: &'a EventFacts,
    /// Its payload, as it was written: member for member and digit for digit.
    pub data: &'a RawValue,
    /// Values that it has overwritten, which nobody can fetch later.
    pub previous: Option<&'a RawValue>,
    /// What it has changed.
    pub changes: Option<&'a RawValue>,
    /// What the receiver is asked to do.
    pub instructions: Option<&'a RawValue>,
}

/// The members of an envelope in the order in which they are written.
#[derive(Serialize)]
struct Written<'a> {
    id: EventId,
    #[serde(rename = "type")]
    event_type: &'a EventType,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a Scope>,
    data: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a RawValue>,
}

impl Envelope<'_> {
    /// The body, as JSON.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let written = Written {
            id: self.id,
            event_type: self.event_type,
            timestamp: self.timestamp,
            entity_type: self.facts.entity_type.as_deref(),
            entity_id: self.facts.entity_id.as_deref(),
            scope: self.facts.scope.as_ref(),
            data: self.data,
            previous: self.previous,
            changes: self.changes,
            instructions: self.instructions,
        };
        Bytes::from(serde_json::to_vec(&written).expect("texts and JSON values are always written"))
    }
}
