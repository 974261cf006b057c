//! Publishes the events of one request: judges each, counts it, keeps it, and waits for answers where that is asked for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::Json;
use hookport::domain::cursor::PageRequest;
use hookport::domain::event_facts::{self, EventFacts, OwnerName};
use hookport::domain::event_type::EventType;
use hookport::domain::event_type_definition::EventTypeDefinition;
use hookport::domain::id::SubscriptionId;
use hookport::domain::idempotency::{IdempotencyKey, MAX_KEY_BYTES};
use hookport::domain::own_event::is_own;
use hookport::domain::owner::Quotas;
use hookport::domain::schema::Schema;
use hookport::domain::text::TenantSlug;
use hookport::publish::{NewEvent, Published, publish as keep};
use hookport::store::RateScope;
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tracing::warn;

use super::publish::{Accepted, PublishEvent, PublishedEvent};
use crate::api::Api;
use crate::caller::{Caller, EventPublish};
use crate::delivery::DeliveryView;
use crate::error::{Error, Result, tell_quota};
use crate::page::One;
use crate::wait;

#[cfg(test)]
mod tests;

/// How long an idempotency key is held, in seconds.
const WINDOW_S: u32 = 86_400;
/// How far from now an event may have happened, or be said to happen.
const MOST_OFF: SignedDuration = SignedDuration::from_hours(24);

/// What holds for the events of one type.
struct Definition {
    is_enabled: bool,
    schema: Option<Schema>,
}

impl From<EventTypeDefinition> for Definition {
    fn from(known: EventTypeDefinition) -> Self {
        // It was compiled when it was stored. If it no longer does, nothing can be held against it.
        let schema = known.schema.as_ref().and_then(|schema| Schema::compile(schema).ok());
        Self { is_enabled: known.is_enabled, schema }
    }
}

/// Publishes the events of one request; looks up once what several of them need.
pub(super) struct Publisher<'a> {
    api: &'a Api,
    tenant: &'a TenantSlug,
    /// The owner that the caller acts for.
    bound_to: Option<&'a OwnerName>,
    now: Timestamp,
    definitions: HashMap<EventType, Option<Definition>>,
    quotas: HashMap<OwnerName, Quotas>,
    /// What to say of the quota that was counted last.
    headers: HeaderMap,
    status: StatusCode,
}

impl<'a> Publisher<'a> {
    pub(super) fn new(api: &'a Api, caller: &'a Caller<EventPublish>) -> Self {
        Self {
            api,
            tenant: caller.tenant(),
            bound_to: caller.owner(),
            now: api.app.clock.now(),
            definitions: HashMap::new(),
            quotas: HashMap::new(),
            headers: HeaderMap::new(),
            status: StatusCode::ACCEPTED,
        }
    }

    /// Publishes one event, and waits for what its targets answer if that was asked for.
    pub(super) async fn publish_and_wait(
        &mut self,
        event: PublishEvent,
        until: Option<Timestamp>,
    ) -> Result<One<PublishedEvent>> {
        let mut answer = self.publish(event).await?;
        let Some(until) = until else { return Ok(answer) };
        let published = &mut answer.data;
        let waited = async {
            let visible = self.visible().await?;
            let (id, event_type) = (published.id, &published.event_type);
            wait::for_event(self.api, self.tenant, id, event_type, visible.as_deref(), until).await
        };
        let (deliveries, complete) = match waited.await {
            Ok(waited) => waited,
            // It is published, whatever became of looking after it.
            Err(error) => {
                warn!(tenant = %self.tenant, event.id = %published.id, %error, "publish.not_waited");
                (Vec::new(), false)
            }
        };
        published.complete = Some(complete);
        published.deliveries = Some(deliveries.into_iter().map(DeliveryView::from).collect());
        if complete {
            self.status = StatusCode::OK;
        }
        Ok(answer)
    }

    /// The subscriptions whose answers the caller may see; `None`: all.
    async fn visible(&self) -> Result<Option<Vec<SubscriptionId>>> {
        let Some(owner) = self.bound_to else { return Ok(None) };
        let page = PageRequest { limit: usize::from(u16::MAX), after: None };
        let own = self.api.app.store.list_subscriptions_of_owner(self.tenant, owner, &page).await?;
        Ok(Some(own.items.into_iter().map(|one| one.id).collect()))
    }

    /// The answer of a request whose events are kept.
    pub(super) fn accepted<T>(self, answer: T) -> Accepted<T> {
        (self.status, self.headers, Json(answer))
    }

    /// Publishes one event.
    pub(super) async fn publish(&mut self, event: PublishEvent) -> Result<One<PublishedEvent>> {
        let new = self.prepare(event).await?;
        let event_type = new.event_type.clone();
        let published = self.keep(new).await?;
        let (id, duplicate) = (published.id(), published.is_duplicate());
        Ok(One { data: PublishedEvent { id, event_type, duplicate, complete: None, deliveries: None } })
    }

    /// Keeps an event that was prepared.
    pub(super) async fn keep(&self, new: NewEvent) -> Result<Published> {
        Ok(keep(&self.api.app, new, WINDOW_S).await?)
    }

    /// Judges an event and counts it.
    pub(super) async fn prepare(&mut self, event: PublishEvent) -> Result<NewEvent> {
        if event.timestamp.is_some_and(|at| at.duration_since(self.now).abs() > MOST_OFF) {
            return Err(Error::field("timestamp", "must be at most 24 hours off"));
        }
        let idempotency_key = event.idempotency_key.as_deref().map(|text| key(self.bound_to, text)).transpose()?;
        let facts = EventFacts {
            entity_type: text("entity_type", event.entity_type, event_facts::entity_type)?,
            entity_id: text("entity_id", event.entity_id, event_facts::entity_id)?,
            scope: event.scope,
            owner: owner(self.bound_to, event.owner)?,
            initiator: event.initiator,
        };
        if serde_json::from_str::<Value>(&format!("[[{}]]", event.data)).is_err() {
            // It is sent in an envelope, which nobody could read.
            return Err(Error::field("data", "must not be nested that deep"));
        }
        self.judge(&event.event_type, &event.data).await?;
        if let Some(owner) = &facts.owner {
            self.count(owner).await?;
        }
        Ok(NewEvent {
            tenant: self.tenant.clone(),
            event_type: event.event_type,
            facts,
            data: event.data,
            previous: event.previous,
            changes: event.changes,
            instructions: event.instructions,
            occurred_at: event.timestamp,
            idempotency_key: idempotency_key.flatten(),
        })
    }

    /// Holds a payload against its event type.
    async fn judge(&mut self, event_type: &EventType, data: &Value) -> Result<()> {
        if is_own(event_type) {
            return Err(Error::field("type", format!("{event_type} is told by the gateway alone")));
        }
        let definition = match self.definitions.entry(event_type.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let known = self.api.app.store.event_type(self.tenant, event_type).await?;
                place.insert(known.map(Definition::from))
            }
        };
        let Some(definition) = definition else {
            return Err(Error::UnknownEventType(event_type.to_string()));
        };
        if !definition.is_enabled {
            return Err(Error::EventTypeDisabled);
        }
        definition.schema.as_ref().map_or(Ok(()), |schema| schema.validate(data)).map_err(Error::SchemaMismatch)
    }

    /// Counts an event towards the quota of its owner.
    async fn count(&mut self, owner: &OwnerName) -> Result<()> {
        let limit = self.quotas(owner).await.events();
        let scope = RateScope::OwnerEvents(self.tenant.clone(), owner.to_string());
        let (passes, left) = self.api.counters.count(&self.api.app, scope, limit, self.now).await?;
        tell_quota(&mut self.headers, left);
        if passes { Ok(()) } else { Err(Error::RateLimited(left)) }
    }

    async fn quotas(&mut self, owner: &OwnerName) -> Quotas {
        if let Some(quotas) = self.quotas.get(owner) {
            return *quotas;
        }
        let quotas = match self.api.app.store.owner(self.tenant, owner).await {
            Ok(found) => found.record.effective_quotas(),
            // To publish matters more than to be strict.
            Err(error) => {
                warn!(tenant = %self.tenant, %error, "owner.quotas_unknown");
                Quotas::default()
            }
        };
        self.quotas.insert(owner.clone(), quotas);
        quotas
    }
}

fn text<E: std::fmt::Display>(
    name: &str,
    value: Option<String>,
    rule: fn(String) -> std::result::Result<String, E>,
) -> Result<Option<String>> {
    value.map(rule).transpose().map_err(|broken| Error::field(name, broken))
}

/// Whose event it is: that of the owner whom the caller acts for, if it acts for one.
fn owner(bound_to: Option<&OwnerName>, named: Option<OwnerName>) -> Result<Option<OwnerName>> {
    match (bound_to, named) {
        (Some(bound), Some(named)) if *bound != named => {
            Err(Error::field("owner", "must be the owner that the token is bound to, or absent"))
        }
        (Some(bound), _) => Ok(Some(bound.clone())),
        (None, named) => Ok(named),
    }
}

/// The key that is claimed; `None` for a blank one.
///
/// Callers that are bound to an owner have keys of their own, so that none can take a key that another one will use. A
/// line break stands in no key, so these keys are nobody else's.
fn key(bound_to: Option<&OwnerName>, text: &str) -> Result<Option<IdempotencyKey>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > MAX_KEY_BYTES || text.contains(char::is_control) {
        return Err(Error::field("idempotency_key", "must have at most 512 bytes and no control characters"));
    }
    Ok(match bound_to {
        Some(owner) => IdempotencyKey::from_header(format!("{owner}\n{text}").as_bytes()),
        None => IdempotencyKey::from_header(text.as_bytes()),
    })
}
