//! Event types and packs. An event type is stored whole under its ref, which the receiver reads, and without its schema
//! in the list of the tenant; both are written together.

use jiff::Timestamp;
use serde::Serialize;

use super::configs::{Holding, get, list, put};
use super::inbound_webhooks::{creation, deletion};
use super::{CreateError, Store, exists_or, keys};
use crate::aws::expression::{Test, Value};
use crate::aws::table::{Query, TableError};
use crate::aws::transaction::Write;
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::event_type::EventType;
use crate::domain::event_type_definition::EventTypeDefinition;
use crate::domain::id::{EventTypeId, InboundWebhookId};
use crate::domain::inbound_webhook::InboundWebhook;
use crate::domain::pack::{AppliedPack, PackName};
use crate::domain::text::TenantSlug;

/// How many event types of a pack are read at once.
const READ_AT_ONCE: usize = 100;

/// A definition beside its version, which writes are conditional on. Read back without the version.
#[derive(Serialize)]
struct Versioned<'a> {
    v: &'a EventTypeDefinition,
    ver: u64,
}

fn unchanged(definition: &EventTypeDefinition) -> Test {
    Test::Is("ver", Value::of(definition.version))
}

fn writes(definition: &EventTypeDefinition, test: Test) -> Result<Vec<Write>, TableError> {
    let whole = Versioned { v: definition, ver: definition.version };
    let listed = EventTypeDefinition { schema: None, ..definition.clone() };
    Ok(vec![
        Write::put(keys::event_type(&definition.tenant, &definition.event_type), &whole, vec![test])?,
        put(keys::event_type_in_list(&definition.tenant, definition.id), &listed, vec![])?,
    ])
}

impl Store {
    /// Stores a new event type.
    ///
    /// # Errors
    /// [`CreateError::Exists`] when its ref is taken.
    pub async fn create_event_type(&self, definition: &EventTypeDefinition) -> Result<(), CreateError> {
        self.configs.write_together(writes(definition, Test::ItemAbsent)?).await.map_err(exists_or)
    }

    /// Replaces `before` by `after`, its next version. `Exists` when someone was faster.
    ///
    /// # Errors
    /// [`CreateError::Exists`] as said, or trouble with the table.
    pub async fn update_event_type(
        &self,
        before: &EventTypeDefinition,
        after: &EventTypeDefinition,
    ) -> Result<(), CreateError> {
        self.configs.write_together(writes(after, unchanged(before))?).await.map_err(exists_or)
    }

    /// Gives an event type a new webhook of its own: replaces `before` by `after`, which names it, and makes it, both
    /// or neither. `Exists` when someone was faster.
    ///
    /// # Errors
    /// [`CreateError::Exists`] as said, or trouble with the table.
    pub async fn create_webhook_of_event_type(
        &self,
        before: &EventTypeDefinition,
        after: &EventTypeDefinition,
        webhook: &InboundWebhook,
    ) -> Result<(), CreateError> {
        let mut writes = writes(after, unchanged(before))?;
        writes.extend(creation(webhook)?);
        self.configs.write_together(writes).await.map_err(exists_or)
    }

    /// Deletes an event type and its webhook, both or neither; its events stay. `Exists` when someone changed one of
    /// them since they were read.
    ///
    /// # Errors
    /// [`CreateError::Exists`] as said, or trouble with the table.
    pub async fn delete_event_type(
        &self,
        definition: &EventTypeDefinition,
        webhook: Option<&InboundWebhook>,
        now: Timestamp,
    ) -> Result<(), CreateError> {
        let EventTypeDefinition { tenant, id, event_type, .. } = definition;
        let mut writes = vec![
            Write::Delete(keys::event_type(tenant, event_type), vec![unchanged(definition)]),
            Write::Delete(keys::event_type_in_list(tenant, *id), vec![]),
        ];
        if let Some(webhook) = webhook {
            writes.extend(deletion(webhook, now)?);
        }
        self.configs.write_together(writes).await.map_err(exists_or)
    }

    /// Reads an event type by its ref. One read, whether it exists or not.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn event_type(
        &self,
        tenant: &TenantSlug,
        event_type: &EventType,
    ) -> Result<Option<EventTypeDefinition>, TableError> {
        get(&self.configs, &keys::event_type(tenant, event_type)).await
    }

    /// Reads an event type by its id. Two reads.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn event_type_by_id(
        &self,
        tenant: &TenantSlug,
        id: EventTypeId,
    ) -> Result<Option<EventTypeDefinition>, TableError> {
        let listed = get::<EventTypeDefinition>(&self.configs, &keys::event_type_in_list(tenant, id)).await?;
        let Some(EventTypeDefinition { event_type, .. }) = listed else { return Ok(None) };
        // Another one has the ref by now if this one was deleted in between.
        Ok(self.event_type(tenant, &event_type).await?.filter(|definition| definition.id == id))
    }

    /// Lists a tenant's event types, newest first, without their schemas.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_event_types(
        &self,
        tenant: &TenantSlug,
        page: &PageRequest,
    ) -> Result<Page<EventTypeDefinition>, TableError> {
        list(&self.configs, keys::event_types(tenant), page).await
    }

    /// All event types that can be of a pack, whether they are or not, in the order of their refs.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn event_types_of_pack(
        &self,
        tenant: &TenantSlug,
        pack: &PackName,
    ) -> Result<Vec<EventTypeDefinition>, TableError> {
        let prefix = pack.prefix();
        let mut beyond = prefix.clone();
        let mut found = Vec::new();
        loop {
            let pk = keys::event_types_by_ref(tenant);
            let query = Query { pk, beyond: Some(beyond.clone()), limit: READ_AT_ONCE, newest_first: false };
            let read = self.configs.query(&query).await?;
            let is_last = read.len() < READ_AT_ONCE;
            for stored in read {
                beyond = stored.key().sk.unwrap_or_default();
                if !beyond.starts_with(&prefix) {
                    return Ok(found);
                }
                found.push(stored.read::<Holding<EventTypeDefinition>>()?.v);
            }
            if is_last {
                return Ok(found);
            }
        }
    }

    /// Reads up to 100 webhooks by their ids, in any order; those that are gone are left out.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn inbound_webhooks(
        &self,
        tenant: &TenantSlug,
        ids: &[InboundWebhookId],
    ) -> Result<Vec<InboundWebhook>, TableError> {
        let keys: Vec<_> = ids.iter().map(|id| keys::inbound_webhook(tenant, *id)).collect();
        let found = self.configs.get_many(&keys).await?;
        found.into_iter().map(|stored| stored.read::<Holding<InboundWebhook>>().map(|holding| holding.v)).collect()
    }

    /// Notes that a pack was applied.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn note_pack(&self, tenant: &TenantSlug, pack: &AppliedPack) -> Result<(), TableError> {
        self.configs.put(&keys::pack(tenant, &pack.name), &Holding { v: pack }, &[]).await
    }

    /// Reads the note that a pack was applied.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn pack(&self, tenant: &TenantSlug, name: &PackName) -> Result<Option<AppliedPack>, TableError> {
        get(&self.configs, &keys::pack(tenant, name)).await
    }

    /// Lists a tenant's packs by their names.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_packs(&self, tenant: &TenantSlug, page: &PageRequest) -> Result<Page<AppliedPack>, TableError> {
        let beyond = page.after.as_ref().map(|cursor| cursor.sort_key().to_owned());
        let query = Query { pk: keys::packs(tenant), beyond, limit: page.limit + 1, newest_first: false };
        let read = self.configs.query(&query).await?;
        let found = read.into_iter().map(|stored| stored.read::<Holding<AppliedPack>>().map(|holding| holding.v));
        let mut items = found.collect::<Result<Vec<_>, _>>()?;
        let more = items.len() > page.limit;
        items.truncate(page.limit);
        let next = items.last().filter(|_| more).map(|last| Cursor::after(last.name.as_str()));
        Ok(Page { items, next })
    }
}
