//! `PATCH /api/v1/event-types/{id_or_ref}/webhook`: changes how the webhook of an event type is protected.

use axum::Json;
use axum::extract::State;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use super::settings::TriggerWebhookChanges;
use super::{Access, TriggerWebhookView, webhook_of};
use crate::api::Api;
use crate::caller::{Caller, EventTypeUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::event_type::{EventTypeName, find};
use crate::extract::{Body, Ids};
use crate::inbound_webhook::replace;

/// A webhook that was changed, with what is shown only now.
#[derive(Serialize, ToSchema)]
pub(crate) struct TriggerWebhookWithSecret {
    data: TriggerWebhookView,
    /// The secret that was set by this request; null when none was. It is shown here only.
    secret: Option<String>,
}

/// Changes how the webhook of an event type is protected.
///
/// What is left out stays as it is, also within the members; null takes a protection away or brings a default back. A
/// secret is made when signatures are asked for and none is given.
#[utoipa::path(
    patch,
    path = "/api/v1/event-types/{id_or_ref}/webhook",
    operation_id = "updateEventTypeWebhook",
    tag = "event-types",
    security(("bearer" = [EventTypeUpdate::PERMISSION])),
    params(("id_or_ref" = String, Path, description = "The event type's id, `ety_…`, or its ref.")),
    request_body = TriggerWebhookChanges,
    responses(
        (
            status = 200,
            description = "The webhook, and the secret if this request set one.",
            body = TriggerWebhookWithSecret
        ),
        (
            status = 400,
            description = "`invalid_id`: neither an id nor a ref. `invalid_request`: a field breaks its rule. \
                `webhook_not_enabled`: webhooks were never enabled for the event type.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`event_type_not_found`: no event type of the tenant has this id or ref.",
            body = ErrorBody
        ),
        (status = 409, description = "`conflict`: someone else changed the webhook at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller<EventTypeUpdate>,
    Ids(name): Ids<EventTypeName>,
    Body(request): Body<TriggerWebhookChanges>,
) -> Result<Json<TriggerWebhookWithSecret>> {
    let definition = find(&api, caller.tenant(), &name).await?;
    let before = webhook_of(&api, &definition).await?.ok_or(Error::NotEnabled)?;
    let (after, secret) = request.applied(&api, &before).await?;
    let after = if after == before { before } else { replace(&api, &before, after).await? };
    let access = Access::new(&api, &caller, Some(after)).await?;
    Ok(Json(TriggerWebhookWithSecret {
        data: TriggerWebhookView::new(&api, &access).await?,
        secret: secret.map(|secret| secret.expose_secret().to_owned()),
    }))
}
