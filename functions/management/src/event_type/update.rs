//! `PUT /api/v1/event-types/{id_or_ref}`: replaces what is said of an event type.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_type::EventType;
use hookport::domain::event_type_definition::EventTypeDefinition;
use hookport::domain::text::{Description, Name};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{EventTypeName, EventTypeWithSchema, check_schema, find};
use crate::api::Api;
use crate::caller::{Caller, EventTypeUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};
use crate::page::One;
use crate::schedule::keep_fitting;
use crate::trigger::Access;

/// What is to be said of an event type.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateEventType {
    /// The type itself: must be absent or the same, because it never changes.
    #[serde(rename = "ref")]
    event_type: Option<EventType>,
    /// Its name for people.
    name: Option<Name>,
    /// What it means.
    description: Option<Description>,
    /// The JSON Schema of its payloads; null or absent: anything goes.
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
    /// Whether requests are taken for it.
    #[schema(default = true)]
    enabled: Option<bool>,
}

/// Replaces what is said of an event type by its next version.
///
/// What is left out gets its default. Its webhook stays as it is; while the event type is switched off, the webhook
/// answers as if it were switched off too. Event types of a pack are as the pack says once it is applied again.
#[utoipa::path(
    put,
    path = "/api/v1/event-types/{id_or_ref}",
    operation_id = "updateEventType",
    tag = "event-types",
    security(("bearer" = [EventTypeUpdate::PERMISSION])),
    params(("id_or_ref" = String, Path, description = "The event type's id, `ety_…`, or its ref.")),
    request_body = UpdateEventType,
    responses(
        (status = 200, description = "The new version.", body = One<EventTypeWithSchema>),
        (
            status = 400,
            description = "`invalid_id`: neither an id nor a ref. `invalid_request`: a field breaks its rule.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`event_type_not_found`: no event type of the tenant has this id or ref.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`conflict`: someone else changed it at the same time. `schedule_unfit`: an active schedule \
                publishes what the new schema would refuse; the message names it.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller<EventTypeUpdate>,
    Ids(name): Ids<EventTypeName>,
    Body(request): Body<UpdateEventType>,
) -> Result<Json<One<EventTypeWithSchema>>> {
    check_schema(request.schema.as_ref())?;
    let before = find(&api, caller.tenant(), &name).await?;
    if request.event_type.is_some_and(|event_type| event_type != before.event_type) {
        return Err(Error::field("ref", "must stay the same: make another event type instead"));
    }
    let after = EventTypeDefinition {
        name: request.name,
        description: request.description,
        schema: request.schema,
        is_enabled: request.enabled.unwrap_or(true),
        ..before.clone()
    };
    let after = after.next_version(api.app.clock.now());
    keep_fitting(&api, Some(&before), &after).await?;
    let updated = api.app.store.update_event_type(&before, &after).await;
    updated.map_err(|error| Error::of_creation(error, Error::Conflict))?;
    let access = Access::of(&api, &caller, &after).await?;
    Ok(Json(One { data: EventTypeWithSchema::new(after, access.shown(), &api) }))
}
