//! `POST /api/v1/events`: publishes an event, or several at once.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_facts::{OwnerName, Scope};
use hookport::domain::event_type::EventType;
use hookport::domain::id::EventId;
use hookport::domain::idempotency::IdempotencyKey;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::publish_batch::{PublishEvents, PublishedEvents, publish_all};
use super::publisher::Publisher;
use crate::api::Api;
use crate::caller::{Caller, EventPublish, Needs};
use crate::delivery::DeliveryView;
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, JsonObject, Params, body_refused};
use crate::page::One;
use crate::wait::{self, WaitQuery};

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
    pub(super) fn read(members: Map<String, Value>) -> Result<Self> {
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
    pub(super) id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    pub(super) event_type: EventType,
    /// Whether it was published before with the same key; the id is that of the first one, which stays as it is.
    pub(super) duplicate: bool,
    /// With `wait`: whether every target was sent it, or need not be sent it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) complete: Option<bool>,
    /// With `wait`: its deliveries, at most 100, with what the targets answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) deliveries: Option<Vec<DeliveryView>>,
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
    params(
        WaitQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The key of a single event whose body names none."),
    ),
    request_body = Publication,
    responses(
        (
            status = 200,
            description = "With `wait`: the event, and what its targets answered.",
            body = One<PublishedEvent>
        ),
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
    Params(query): Params<WaitQuery>,
    headers: HeaderMap,
    Body(members): Body<Map<String, Value>>,
) -> Result<Accepted<PublicationView>> {
    let until = wait::until(&api, query.wait)?;
    let mut publisher = Publisher::new(&api, &caller);
    let answer = match Publication::read(members)? {
        Publication::One(mut event) => {
            event.idempotency_key = event.idempotency_key.or_else(|| header_key(&headers));
            PublicationView::One(publisher.publish_and_wait(*event, until).await?)
        }
        Publication::Several(_) if until.is_some() => {
            return Err(Error::field("wait", "takes a single event"));
        }
        Publication::Several(events) => PublicationView::Several(publish_all(&mut publisher, events).await?),
    };
    Ok(publisher.accepted(answer))
}

/// Reads a part of a body as a whole one is read, so that a refusal names the field and its rule.
pub(crate) fn parse<T: DeserializeOwned>(part: &Value) -> Result<T> {
    let text = part.to_string();
    let Json(JsonObject(read)) = Json::<JsonObject<T>>::from_bytes(text.as_bytes()).map_err(body_refused)?;
    Ok(read)
}

/// The key in the header, if there is one.
pub(super) fn header_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("idempotency-key")?;
    IdempotencyKey::from_header(value.as_bytes()).map(|key| key.to_string())
}
