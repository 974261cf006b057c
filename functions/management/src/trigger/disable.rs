//! `POST /api/v1/event-types/{id_or_ref}/webhook/disable`: switches the webhook of an event type off.

use axum::Json;
use axum::extract::State;
use hookport::domain::inbound_webhook::InboundWebhook;

use super::{Access, webhook_of};
use crate::api::Api;
use crate::caller::{Caller, EventTypeUpdate, Needs};
use crate::error::{ErrorBody, Result};
use crate::event_type::{EventTypeName, EventTypeView, find};
use crate::extract::Ids;
use crate::inbound_webhook::replace;
use crate::page::One;

/// Disables the webhook of an event type.
///
/// Its URL answers 403. Its key and its settings are kept for when it is enabled again, and not shown until then.
#[utoipa::path(
    post,
    path = "/api/v1/event-types/{id_or_ref}/webhook/disable",
    operation_id = "disableEventTypeWebhook",
    tag = "event-types",
    security(("bearer" = [EventTypeUpdate::PERMISSION])),
    params(("id_or_ref" = String, Path, description = "The event type's id, `ety_…`, or its ref.")),
    responses(
        (status = 200, description = "The event type, its webhook being disabled.", body = One<EventTypeView>),
        (status = 400, description = "`invalid_id`: neither an id nor a ref.", body = ErrorBody),
        (
            status = 404,
            description = "`event_type_not_found`: no event type of the tenant has this id or ref.",
            body = ErrorBody
        ),
        (status = 409, description = "`conflict`: someone else changed the webhook at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn disable(
    State(api): State<Api>,
    caller: Caller<EventTypeUpdate>,
    Ids(name): Ids<EventTypeName>,
) -> Result<Json<One<EventTypeView>>> {
    let definition = find(&api, caller.tenant(), &name).await?;
    let webhook = match webhook_of(&api, &definition).await? {
        Some(webhook) if webhook.is_active => {
            let after = InboundWebhook { is_active: false, ..webhook.clone() };
            Some(replace(&api, &webhook, after).await?)
        }
        webhook => webhook,
    };
    let access = Access::new(&api, &caller, webhook).await?;
    Ok(Json(One { data: EventTypeView::new(definition, access.shown(), &api) }))
}
