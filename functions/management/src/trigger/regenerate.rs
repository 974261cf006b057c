//! `POST /api/v1/event-types/{id_or_ref}/webhook/regenerate`: gives the webhook of an event type another key.

use axum::Json;
use axum::extract::State;
use hookport::domain::inbound_webhook::{Address, InboundWebhook, MAX_KEYS};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Access, webhook_of};
use crate::api::Api;
use crate::caller::{Caller, EventTypeUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::event_type::{EventTypeName, find};
use crate::extract::{Ids, OptionalBody};
use crate::inbound_webhook::{MAX_OVERLAP_S, end, new_key, replace, within};
use crate::page::One;

/// How a key is to be replaced.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegenerateWebhookKey {
    /// For how long the present key opens the webhook as well. With 0 it is dead at once.
    #[schema(maximum = 2592000, default = 0)]
    grace_seconds: Option<u32>,
}

/// A new key.
#[derive(Serialize, ToSchema)]
pub(crate) struct RegeneratedWebhookKey {
    /// The key, if the caller has `inbound_webhook:update`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    webhook_key: Option<String>,
    /// Where senders post to from now on; shown where the key is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    webhook_url: Option<String>,
    /// Whether the key before it is dead.
    previous_key_revoked: bool,
    /// When the key before it will be dead, if it is given time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    previous_key_expires_at: Option<Timestamp>,
}

/// Gives the webhook of an event type another key.
///
/// Every key that it has is dead at once, unless they are given time. Its settings stay as they are.
#[utoipa::path(
    post,
    path = "/api/v1/event-types/{id_or_ref}/webhook/regenerate",
    operation_id = "regenerateEventTypeWebhook",
    tag = "event-types",
    security(("bearer" = [EventTypeUpdate::PERMISSION])),
    params(("id_or_ref" = String, Path, description = "The event type's id, `ety_…`, or its ref.")),
    request_body = Option<RegenerateWebhookKey>,
    responses(
        (status = 200, description = "The new key.", body = One<RegeneratedWebhookKey>),
        (
            status = 400,
            description = "`invalid_id`: neither an id nor a ref. `invalid_request`: a field breaks its rule. \
                `webhook_not_enabled`: webhooks are not enabled for the event type.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`event_type_not_found`: no event type of the tenant has this id or ref.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`too_many_keys`: 5 keys would be live besides. `conflict`: someone else changed the webhook \
                at the same time.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn regenerate(
    State(api): State<Api>,
    caller: Caller<EventTypeUpdate>,
    Ids(name): Ids<EventTypeName>,
    OptionalBody(request): OptionalBody<RegenerateWebhookKey>,
) -> Result<Json<One<RegeneratedWebhookKey>>> {
    let grace = within("grace_seconds", request.grace_seconds, 0..=MAX_OVERLAP_S)?.unwrap_or(0);
    let definition = find(&api, caller.tenant(), &name).await?;
    let before = webhook_of(&api, &definition).await?.filter(|webhook| webhook.is_active);
    let before = before.ok_or(Error::NotEnabled)?;
    let now = api.app.clock.now();
    let over = end(now, grace);
    let mut keys = before.keys().to_vec();
    for key in &mut keys {
        key.expires_at = Some(key.expires_at.map_or(over, |at| at.min(over)));
    }
    keys.retain(|key| key.is_live(now));
    if keys.len() >= MAX_KEYS {
        return Err(Error::TooManyKeys);
    }
    let expires_at = keys.first().and_then(|previous| previous.expires_at);
    let (key, _) = new_key(&api, &before.tenant).await?;
    keys.insert(0, key);
    let after = replace(&api, &before, InboundWebhook { address: Address::Key { keys }, ..before.clone() }).await?;
    let access = Access::new(&api, &caller, Some(after)).await?;
    let data = RegeneratedWebhookKey {
        webhook_key: access.shown().key(),
        webhook_url: access.shown().url(&api),
        previous_key_revoked: expires_at.is_none(),
        previous_key_expires_at: expires_at,
    };
    Ok(Json(One { data }))
}
