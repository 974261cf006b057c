//! Event types: what tenants say of the types of their events. `/api/v1/triggers` is another name of the same things.

mod create;
mod delete;
mod list;
mod places;
mod read;
mod update;

use hookport::domain::event_type::EventType;
use hookport::domain::event_type_definition::EventTypeDefinition;
use hookport::domain::id::{EventTypeId, InboundWebhookId};
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::pack::PackName;
use hookport::domain::schema::Schema;
use hookport::domain::text::{Description, Name, TenantSlug};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use places::everywhere;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    everywhere([routes!(list::list, create::create), routes!(read::read, update::update, delete::delete)])
}

/// How a path names an event type: by its id or by its ref.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum EventTypeName {
    Id(EventTypeId),
    Ref(EventType),
}

/// A text that names no event type.
#[derive(Debug, thiserror::Error)]
#[error("must be an id such as ety_01m5w3rm008000000400000003, or a ref such as invoice.paid")]
pub(crate) struct NoEventTypeName;

impl TryFrom<String> for EventTypeName {
    type Error = NoEventTypeName;

    fn try_from(text: String) -> std::result::Result<Self, NoEventTypeName> {
        // A ref has a dot, which no id has.
        if text.contains('.') {
            EventType::try_from(text).map(Self::Ref).map_err(|_| NoEventTypeName)
        } else {
            text.parse().map(Self::Id).map_err(|_| NoEventTypeName)
        }
    }
}

/// Reads an event type of the tenant.
pub(crate) async fn find(api: &Api, tenant: &TenantSlug, name: &EventTypeName) -> Result<EventTypeDefinition> {
    let found = match name {
        EventTypeName::Id(id) => api.app.store.event_type_by_id(tenant, *id).await?,
        EventTypeName::Ref(event_type) => api.app.store.event_type(tenant, event_type).await?,
    };
    found.ok_or(Error::EventTypeNotFound)
}

/// Refuses a schema that cannot be used.
fn check_schema(schema: Option<&Value>) -> Result<()> {
    let checked = schema.map(Schema::compile).transpose();
    checked.map(|_| ()).map_err(|rule| Error::field("schema", rule))
}

/// An event type.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventTypeView {
    /// Its id.
    #[schema(value_type = String, example = "ety_01m5w3rm008000000400000003")]
    id: EventTypeId,
    /// The type itself; never changes.
    #[serde(rename = "ref")]
    event_type: EventType,
    /// Its name for people.
    name: Option<Name>,
    /// What it means.
    description: Option<Description>,
    /// Whether requests are taken for it.
    enabled: bool,
    /// The pack that it belongs to; null: it was made by itself.
    pack: Option<PackName>,
    /// Whether it has a webhook of its own that is switched on.
    webhook_enabled: bool,
    /// Its webhook among the inbound webhooks; null: webhooks were never enabled for it.
    #[schema(value_type = Option<String>)]
    webhook_id: Option<InboundWebhookId>,
    /// The key of its webhook, while that is switched on and the caller has `inbound_webhook:update`; never in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    webhook_key: Option<String>,
    /// Where senders post to; shown where the key is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        example = "https://hooks.example.com/api/v1/webhooks/wh_k7j2n9p4m8q1r5w3x6z0a2b5c8d1e4f7"
    )]
    webhook_url: Option<String>,
    /// Counts the changes, from 1.
    version: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// An event type with the schema of its payloads.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventTypeWithSchema {
    #[serde(flatten)]
    event_type: EventTypeView,
    /// The JSON Schema of its payloads; null: anything goes.
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
}

/// The webhook of an event type, and its key if that may be shown.
#[derive(Clone, Copy, Default)]
pub(crate) struct Shown<'a> {
    pub(crate) webhook: Option<&'a InboundWebhook>,
    pub(crate) key: Option<&'a SecretString>,
}

impl Shown<'_> {
    /// Where senders post to.
    pub(crate) fn url(self, api: &Api) -> Option<String> {
        let path = self.webhook?.path(Some(self.key?.expose_secret()));
        Some(format!("{}{path}", api.app.config.public_base_url))
    }

    /// The key as text.
    pub(crate) fn key(self) -> Option<String> {
        self.key.map(|key| key.expose_secret().to_owned())
    }
}

impl EventTypeView {
    /// The view of an event type, with what may be shown of its webhook.
    pub(crate) fn new(definition: EventTypeDefinition, shown: Shown<'_>, api: &Api) -> Self {
        Self {
            id: definition.id,
            event_type: definition.event_type,
            name: definition.name,
            description: definition.description,
            enabled: definition.is_enabled,
            pack: definition.pack,
            webhook_enabled: shown.webhook.is_some_and(|webhook| webhook.is_active),
            webhook_id: shown.webhook.map(|webhook| webhook.id),
            webhook_key: shown.key(),
            webhook_url: shown.url(api),
            version: definition.version,
            created_at: definition.created_at,
            updated_at: definition.updated_at,
        }
    }
}

impl EventTypeWithSchema {
    /// The whole view of an event type.
    pub(crate) fn new(mut definition: EventTypeDefinition, shown: Shown<'_>, api: &Api) -> Self {
        let schema = definition.schema.take();
        Self { event_type: EventTypeView::new(definition, shown, api), schema }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_an_event_type_by_id_or_by_ref() {
        let id = "ety_01m5w3rm008000000400000003";
        let named = |text: &str| EventTypeName::try_from(text.to_owned()).ok();
        assert_eq!(named(id), id.parse().ok().map(EventTypeName::Id));
        let event_type = EventType::try_from("ety_x.paid".to_owned()).ok();
        assert_eq!(named("ety_x.paid"), event_type.map(EventTypeName::Ref));
        for bad in ["", "invoice", "inw_01m5w3rm008000000400000003", "Invoice.paid", "a..b", "ety_"] {
            assert_eq!(named(bad), None, "{bad}");
        }
    }
}
