//! `GET /api/v1/event-types/{id_or_ref}`: shows an event type.

use axum::Json;
use axum::extract::State;

use super::{EventTypeName, EventTypeWithSchema, find};
use crate::api::Api;
use crate::caller::{Caller, EventTypeRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;
use crate::trigger::Access;

/// Shows an event type with its schema.
///
/// The key of its webhook is shown as well to holders of `inbound_webhook:update`.
#[utoipa::path(
    get,
    path = "/api/v1/event-types/{id_or_ref}",
    operation_id = "readEventType",
    tag = "event-types",
    security(("bearer" = [EventTypeRead::PERMISSION])),
    params(("id_or_ref" = String, Path, description = "The event type's id, `ety_…`, or its ref.")),
    responses(
        (status = 200, description = "The event type.", body = One<EventTypeWithSchema>),
        (status = 400, description = "`invalid_id`: neither an id nor a ref.", body = ErrorBody),
        (
            status = 404,
            description = "`event_type_not_found`: no event type of the tenant has this id or ref.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<EventTypeRead>,
    Ids(name): Ids<EventTypeName>,
) -> Result<Json<One<EventTypeWithSchema>>> {
    let definition = find(&api, caller.tenant(), &name).await?;
    let access = Access::of(&api, &caller, &definition).await?;
    Ok(Json(One { data: EventTypeWithSchema::new(definition, access.shown(), &api) }))
}
