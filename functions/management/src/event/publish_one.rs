//! `POST /api/v1/events/{type}`: publishes an event whose payload is the whole body.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use hookport::domain::event_facts::{OwnerName, Scope};
use hookport::domain::event_type::EventType;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::publish::{Accepted, PublishEvent, PublishedEvent, header_key};
use super::publisher::Publisher;
use crate::api::Api;
use crate::caller::{Caller, EventPublish, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Ids, Params, body_refused};
use crate::page::One;
use crate::wait;

/// What an event says of itself beside its payload.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FactsQuery {
    /// The type of the entity that it is about.
    #[param(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_.-]+$")]
    entity_type: Option<String>,
    /// The entity that it is about.
    #[param(min_length = 1, max_length = 256)]
    entity_id: Option<String>,
    /// Where it happened.
    #[param(value_type = Option<String>, max_length = 512)]
    scope: Option<Scope>,
    /// On whose behalf it is published. A token that is bound to an owner names that one or none.
    #[param(value_type = Option<String>, min_length = 1, max_length = 128)]
    owner: Option<OwnerName>,
    /// Who caused it.
    #[param(value_type = Option<String>, min_length = 1, max_length = 128)]
    initiator: Option<OwnerName>,
    /// For how many seconds to wait for what the targets answer, 1 to 10; without it nobody waits. What is not done then
    /// goes on in the background.
    #[param(minimum = 1, maximum = 10)]
    wait: Option<u32>,
}

/// Publishes an event whose payload is the whole body.
///
/// Once it is answered with 202, the event is kept and goes to every subscription that wants it. An event for an owner
/// counts towards the quota of that owner; `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset` say
/// what is left of it.
#[utoipa::path(
    post,
    // One place has one name for what stands in it, whatever the method.
    path = "/api/v1/events/{id}",
    operation_id = "publishEvent",
    tag = "events",
    security(("bearer" = [EventPublish::PERMISSION])),
    params(
        ("id" = String, Path, description = "The event type, such as `invoice.paid`."),
        FactsQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "Another event with this key within 24 hours is \
            the same one and is not kept."),
    ),
    request_body(content = Value, description = "The payload: any JSON value.", content_type = "application/json"),
    responses(
        (
            status = 200,
            description = "With `wait`: the event, and what its targets answered.",
            body = One<PublishedEvent>
        ),
        (status = 202, description = "The event.", body = One<PublishedEvent>),
        (
            status = 400,
            description = "`invalid_request`: the path names no type, a parameter breaks its rule, the type is the \
                gateway's own, or the owner is not that of the token. `unknown_event_type`: the tenant has no such \
                event type.",
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
pub(crate) async fn publish_one(
    State(api): State<Api>,
    caller: Caller<EventPublish>,
    Ids(event_type): Ids<String>,
    Params(facts): Params<FactsQuery>,
    headers: HeaderMap,
    body: std::result::Result<Json<Value>, JsonRejection>,
) -> Result<Accepted<One<PublishedEvent>>> {
    let Json(data) = body.map_err(body_refused)?;
    let until = wait::until(&api, facts.wait)?;
    let event = PublishEvent {
        event_type: EventType::try_from(event_type).map_err(|rule| Error::field("type", rule))?,
        data,
        entity_type: facts.entity_type,
        entity_id: facts.entity_id,
        scope: facts.scope,
        owner: facts.owner,
        initiator: facts.initiator,
        previous: None,
        changes: None,
        instructions: None,
        idempotency_key: header_key(&headers),
        timestamp: None,
    };
    let mut publisher = Publisher::new(&api, &caller);
    let answer = publisher.publish_and_wait(event, until).await?;
    Ok(publisher.accepted(answer))
}
