//! `DELETE /api/v1/event-types/{id_or_ref}`: deletes an event type.

use axum::extract::State;
use http::StatusCode;

use super::{EventTypeName, find};
use crate::api::Api;
use crate::caller::{Caller, EventTypeDelete, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::trigger::webhook_of;

/// Deletes an event type together with the webhook that was enabled for it.
///
/// The webhook's URL leads nowhere from then on. Its events stay for as long as such rows are kept, and other webhooks
/// can go on making events of the type: of any shape, now that nothing is said of it.
#[utoipa::path(
    delete,
    path = "/api/v1/event-types/{id_or_ref}",
    operation_id = "deleteEventType",
    tag = "event-types",
    security(("bearer" = [EventTypeDelete::PERMISSION])),
    params(("id_or_ref" = String, Path, description = "The event type's id, `ety_…`, or its ref.")),
    responses(
        (status = 204, description = "The event type is deleted."),
        (status = 400, description = "`invalid_id`: neither an id nor a ref.", body = ErrorBody),
        (
            status = 404,
            description = "`event_type_not_found`: no event type of the tenant has this id or ref.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`conflict`: someone else changed it or its webhook at the same time.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<EventTypeDelete>,
    Ids(name): Ids<EventTypeName>,
) -> Result<StatusCode> {
    let definition = find(&api, caller.tenant(), &name).await?;
    let webhook = webhook_of(&api, &definition).await?;
    let deleted = api.app.store.delete_event_type(&definition, webhook.as_ref(), api.app.clock.now()).await;
    deleted.map_err(|error| Error::of_creation(error, Error::Conflict))?;
    Ok(StatusCode::NO_CONTENT)
}
