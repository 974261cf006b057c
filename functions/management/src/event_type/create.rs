//! `POST /api/v1/event-types`: makes an event type.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_type::EventType;
use hookport::domain::event_type_definition::EventTypeDefinition;
use hookport::domain::id::EventTypeId;
use hookport::domain::own_event::is_own;
use hookport::domain::text::{Description, Name};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{EventTypeWithSchema, Shown, check_schema};
use crate::api::Api;
use crate::caller::{Caller, EventTypeCreate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Body;
use crate::page::One;
use crate::schedule::keep_fitting;

/// An event type to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateEventType {
    /// The type itself.
    #[serde(rename = "ref")]
    event_type: EventType,
    /// Its name for people.
    name: Option<Name>,
    /// What it means.
    description: Option<Description>,
    /// The JSON Schema of its payloads, of draft 2020-12 unless its `$schema` says otherwise, of at most 64 KiB.
    /// References lead to places within it. Null or absent: anything goes.
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
    /// Whether requests are taken for it.
    #[schema(default = true)]
    enabled: Option<bool>,
}

/// Makes an event type.
///
/// Webhooks are enabled for it by an operation of their own.
#[utoipa::path(
    post,
    path = "/api/v1/event-types",
    operation_id = "createEventType",
    tag = "event-types",
    security(("bearer" = [EventTypeCreate::PERMISSION])),
    request_body = CreateEventType,
    responses(
        (status = 201, description = "The event type.", body = One<EventTypeWithSchema>),
        (status = 400, description = "`invalid_request`: a field breaks its rule.", body = ErrorBody),
        (
            status = 409,
            description = "`event_type_exists`: the ref is taken. `schedule_unfit`: an active schedule publishes what the \
                schema would refuse; the message names it.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<EventTypeCreate>,
    Body(request): Body<CreateEventType>,
) -> Result<(StatusCode, Json<One<EventTypeWithSchema>>)> {
    check_schema(request.schema.as_ref())?;
    if is_own(&request.event_type) {
        return Err(Error::field("ref", format!("{} is told by the gateway alone", request.event_type)));
    }
    let now = api.app.clock.now();
    let id = EventTypeId::new(now, api.app.random.bits());
    let definition = EventTypeDefinition {
        name: request.name,
        description: request.description,
        schema: request.schema,
        is_enabled: request.enabled.unwrap_or(true),
        ..EventTypeDefinition::new(id, caller.tenant().clone(), request.event_type, now)
    };
    keep_fitting(&api, None, &definition).await?;
    let created = api.app.store.create_event_type(&definition).await;
    created.map_err(|error| Error::of_creation(error, Error::EventTypeExists))?;
    let data = EventTypeWithSchema::new(definition, Shown::default(), &api);
    Ok((StatusCode::CREATED, Json(One { data })))
}
