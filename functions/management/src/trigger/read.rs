//! `GET /api/v1/event-types/{id_or_ref}/webhook`: shows the webhook of an event type.

use axum::Json;
use axum::extract::State;

use super::{Access, TriggerWebhookView};
use crate::api::Api;
use crate::caller::{Caller, EventTypeRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::event_type::{EventTypeName, find};
use crate::extract::Ids;
use crate::page::One;

/// Shows the webhook of an event type: whether it is enabled, how much it is used, and how it is protected.
///
/// Its key is shown as well to holders of `inbound_webhook:update`; secrets never are.
#[utoipa::path(
    get,
    path = "/api/v1/event-types/{id_or_ref}/webhook",
    operation_id = "readEventTypeWebhook",
    tag = "event-types",
    security(("bearer" = [EventTypeRead::PERMISSION])),
    params(("id_or_ref" = String, Path, description = "The event type's id, `ety_…`, or its ref.")),
    responses(
        (status = 200, description = "The webhook, also where there is none yet.", body = One<TriggerWebhookView>),
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
) -> Result<Json<One<TriggerWebhookView>>> {
    let definition = find(&api, caller.tenant(), &name).await?;
    let access = Access::of(&api, &caller, &definition).await?;
    Ok(Json(One { data: TriggerWebhookView::new(&api, &access).await? }))
}
