//! Event types as tenants define them: what they mean, and what their payloads must look like.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event_type::EventType;
use super::id::{EventTypeId, InboundWebhookId};
use super::pack::PackName;
use super::text::{Description, Name, TenantSlug};

/// What a tenant says of one type of event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventTypeDefinition {
    /// Its id.
    pub id: EventTypeId,
    /// Whose it is.
    pub tenant: TenantSlug,
    /// The type itself, which is its ref; never changes.
    pub event_type: EventType,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// The JSON Schema of its payloads, which [`Schema::compile`](super::schema::Schema::compile) has taken.
    #[serde(with = "as_text", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// Whether requests are taken for it.
    pub is_enabled: bool,
    /// Its own webhook, once webhooks were enabled for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<InboundWebhookId>,
    /// The pack that it belongs to, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackName>,
    /// Counts the changes, from 1.
    pub version: u64,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When it was changed last.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub updated_at: Timestamp,
}

impl EventTypeDefinition {
    /// A new definition that says nothing yet but that there is such a type.
    #[must_use]
    pub fn new(id: EventTypeId, tenant: TenantSlug, event_type: EventType, now: Timestamp) -> Self {
        Self {
            id,
            tenant,
            event_type,
            name: None,
            description: None,
            schema: None,
            is_enabled: true,
            webhook_id: None,
            pack: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The same as its next version, made at `now`.
    #[must_use]
    pub fn next_version(self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self }
    }
}

/// A schema is stored as text: a table nests values 32 deep at most, and its numbers are not those of JSON.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use serde_json::Value;

    pub(super) fn serialize<S: Serializer>(schema: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        match schema {
            Some(schema) => serializer.collect_str(schema),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| serde_json::from_str(&text).map_err(de::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_kept_as_text_and_reads_back_number_for_number() {
        let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
        let event_type = EventType::try_from("invoice.paid".to_owned()).expect("a type");
        let id = EventTypeId::new(Timestamp::UNIX_EPOCH, 7);
        let plain = EventTypeDefinition::new(id, tenant, event_type, Timestamp::UNIX_EPOCH);
        let schema = json!({"maximum": 1e300, "minimum": -0.1, "multipleOf": 1.0, "const": 18446744073709551615_u64});
        for definition in [plain.clone(), EventTypeDefinition { schema: Some(schema), ..plain }] {
            let stored = serde_json::to_value(&definition).expect("plain data");
            assert!(stored.get("schema").is_none_or(Value::is_string), "{stored}");
            assert_eq!(serde_json::from_value::<EventTypeDefinition>(stored).expect("its own form"), definition);
        }
    }
}
