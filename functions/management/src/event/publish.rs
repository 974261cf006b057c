//! `POST /api/v1/events`: publishes an event, or several at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::Json;
use axum::extract::State;
use hookport::domain::event_facts::{self, EventFacts, OwnerName, Scope};
use hookport::domain::event_type::EventType;
use hookport::domain::event_type_definition::EventTypeDefinition;
use hookport::domain::id::EventId;
use hookport::domain::idempotency::{IdempotencyKey, MAX_KEY_BYTES};
use hookport::domain::own_event::is_own;
use hookport::domain::owner::Quotas;
use hookport::domain::schema::Schema;
use hookport::domain::text::TenantSlug;
use hookport::publish::{NewEvent, Published, publish as keep};
use hookport::store::RateScope;
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tracing::warn;
use utoipa::ToSchema;

use super::publish_batch::{PublishEvents, PublishedEvents, publish_all};
use crate::api::Api;
use crate::caller::{Caller, EventPublish, Needs};
use crate::error::{Error, ErrorBody, Result, tell_quota};
use crate::extract::{Body, JsonObject, body_refused};
use crate::page::One;

/// How long an idempotency key is held, in seconds.
const WINDOW_S: u32 = 86_400;
/// How far from now an event may have happened, or be said to happen.
const MOST_OFF: SignedDuration = SignedDuration::from_hours(24);

/// An event to be published.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishEvent {
    /// What happened: an event type of the tenant.
    #[serde(rename = "type")]
    pub(super) event_type: EventType,
    /// Its payload, which the schema of the event type is held against.
    pub(super) data: Value,
    /// The type of the entity that it is about.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_.-]+$", example = "ticket")]
    pub(super) entity_type: Option<String>,
    /// The entity that it is about.
    #[schema(min_length = 1, max_length = 256, example = "42")]
    pub(super) entity_id: Option<String>,
    /// Where it happened.
    pub(super) scope: Option<Scope>,
    /// On whose behalf it is published. A token that is bound to an owner names that one or none.
    pub(super) owner: Option<OwnerName>,
    /// Who caused it.
    pub(super) initiator: Option<OwnerName>,
    /// Values that it has overwritten, which nobody can fetch later.
    pub(super) previous: Option<Value>,
    /// What it has changed.
    pub(super) changes: Option<Value>,
    /// What its receivers are asked to do.
    pub(super) instructions: Option<Value>,
    /// Another event with this key within 24 hours is the same one and is not kept. Of at most 512 bytes, without
    /// control characters; a blank one is none. A token that is bound to an owner has keys of its own.
    #[schema(max_length = 512)]
    pub(super) idempotency_key: Option<String>,
    /// When it happened, at most 24 hours off; absent or null: now.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) timestamp: Option<Timestamp>,
}

/// An event to be published, or several.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum Publication {
    /// One.
    One(Box<PublishEvent>),
    /// Several.
    Several(PublishEvents),
}

impl Publication {
    fn read(members: Map<String, Value>) -> Result<Self> {
        let is_several = members.contains_key("events");
        let whole = Value::Object(members);
        Ok(if is_several { Self::Several(parse(&whole)?) } else { Self::One(parse(&whole)?) })
    }
}

/// An event that was published.
#[derive(Serialize, ToSchema)]
pub(crate) struct PublishedEvent {
    /// Its id.
    #[schema(value_type = String, example = "evt_01m5w3rm008000000400000003")]
    id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    event_type: EventType,
    /// Whether it was published before with the same key; the id is that of the first one, which stays as it is.
    duplicate: bool,
}

/// What came of publishing.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum PublicationView {
    /// Of one event.
    One(One<PublishedEvent>),
    /// Of several.
    Several(PublishedEvents),
}

/// The answer to publishing. When the events count towards the quota of an owner, headers say what is left of it.
pub(super) type Accepted<T> = (StatusCode, HeaderMap, Json<T>);

/// Publishes an event, or up to 100 at once.
///
/// Once it is answered with 202, an event is kept and goes to every subscription that wants it. Several are judged each
/// by itself: what is wrong with one is said in its place, and the others are published. An event for an owner counts
/// towards the quota of that owner; `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset` say what is
/// left of it.
#[utoipa::path(
    post,
    path = "/api/v1/events",
    operation_id = "publishEvents",
    tag = "events",
    security(("bearer" = [EventPublish::PERMISSION])),
    params((
        "Idempotency-Key" = Option<String>,
        Header,
        description = "The key of a single event whose body names none."
    )),
    request_body = Publication,
    responses(
        (status = 202, description = "The event, or what came of each one, in their order.", body = PublicationView),
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule, the type is the gateway's own, or the owner is \
                not that of the token. `unknown_event_type`: the tenant has no such event type.",
            body = ErrorBody
        ),
        (status = 409, description = "`event_type_disabled`: nothing is taken for the event type.", body = ErrorBody),
        (status = 422, description = "`schema_mismatch`: `violations` says where and why.", body = ErrorBody),
        (
            status = 429,
            description = "`rate_limit_exceeded`: the owner has no event left until the seconds in `Retry-After` are \
                over.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn publish(
    State(api): State<Api>,
    caller: Caller<EventPublish>,
    headers: HeaderMap,
    Body(members): Body<Map<String, Value>>,
) -> Result<Accepted<PublicationView>> {
    let mut publisher = Publisher::new(&api, &caller);
    let answer = match Publication::read(members)? {
        Publication::One(mut event) => {
            event.idempotency_key = event.idempotency_key.or_else(|| header_key(&headers));
            PublicationView::One(publisher.publish(*event).await?)
        }
        Publication::Several(events) => PublicationView::Several(publish_all(&mut publisher, events).await?),
    };
    Ok(publisher.accepted(answer))
}

/// Reads a part of a body as a whole one is read, so that a refusal names the field and its rule.
pub(super) fn parse<T: DeserializeOwned>(part: &Value) -> Result<T> {
    let text = part.to_string();
    let Json(JsonObject(read)) = Json::<JsonObject<T>>::from_bytes(text.as_bytes()).map_err(body_refused)?;
    Ok(read)
}

/// The key in the header, if there is one.
pub(super) fn header_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("idempotency-key")?;
    IdempotencyKey::from_header(value.as_bytes()).map(|key| key.to_string())
}

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
        }
    }

    /// The answer of a request whose events are kept.
    pub(super) fn accepted<T>(self, answer: T) -> Accepted<T> {
        (StatusCode::ACCEPTED, self.headers, Json(answer))
    }

    /// Publishes one event.
    pub(super) async fn publish(&mut self, event: PublishEvent) -> Result<One<PublishedEvent>> {
        let new = self.prepare(event).await?;
        let event_type = new.event_type.clone();
        let published = self.keep(new).await?;
        Ok(One { data: PublishedEvent { id: published.id(), event_type, duplicate: published.is_duplicate() } })
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

#[cfg(test)]
mod tests;
