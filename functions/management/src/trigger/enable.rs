//! `POST /api/v1/event-types/{id_or_ref}/webhook/enable`: gives an event type a webhook, or switches it on again.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_type_definition::EventTypeDefinition;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::{
    Address, Auth, DEFAULT_IDEMPOTENCY_WINDOW_S, DEFAULT_MAX_BODY_BYTES, InboundWebhook, OnDuplicate,
};
use hookport::domain::rate_limit::RateLimit;
use hookport::domain::text::Name;
use hookport::store::CreateError;

use super::{Access, webhook_of};
use crate::api::Api;
use crate::caller::{Caller, EventTypeUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::event_type::{EventTypeName, EventTypeView, find};
use crate::extract::Ids;
use crate::inbound_webhook::{new_key, replace};
use crate::page::One;

/// How often it is tried when others enable the same webhook at the same time.
const TRIES: u32 = 3;

/// Enables the webhook of an event type.
///
/// The first time, a webhook is made whose URL ends in a key. It asks for no proof beyond that. Enabled again, it has
/// the key and the settings that it had; doing it twice changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/event-types/{id_or_ref}/webhook/enable",
    operation_id = "enableEventTypeWebhook",
    tag = "event-types",
    security(("bearer" = [EventTypeUpdate::PERMISSION])),
    params(("id_or_ref" = String, Path, description = "The event type's id, `ety_…`, or its ref.")),
    responses(
        (status = 200, description = "The event type, its webhook being enabled.", body = One<EventTypeView>),
        (status = 400, description = "`invalid_id`: neither an id nor a ref.", body = ErrorBody),
        (
            status = 404,
            description = "`event_type_not_found`: no event type of the tenant has this id or ref.",
            body = ErrorBody
        ),
        (status = 409, description = "`conflict`: someone else changed it at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn enable(
    State(api): State<Api>,
    caller: Caller<EventTypeUpdate>,
    Ids(name): Ids<EventTypeName>,
) -> Result<Json<One<EventTypeView>>> {
    for _ in 0..TRIES {
        let definition = find(&api, caller.tenant(), &name).await?;
        let (definition, webhook) = match webhook_of(&api, &definition).await? {
            Some(webhook) if webhook.is_active => (definition, webhook),
            Some(webhook) => {
                let after = InboundWebhook { is_active: true, auto_disabled_at: None, ..webhook.clone() };
                (definition, replace(&api, &webhook, after).await?)
            }
            None => match made(&api, definition).await? {
                Some(made) => made,
                // Someone was faster, and the webhook is theirs.
                None => continue,
            },
        };
        let access = Access::new(&api, &caller, Some(webhook)).await?;
        return Ok(Json(One { data: EventTypeView::new(definition, access.shown(), &api) }));
    }
    Err(Error::Conflict)
}

/// Makes a webhook for an event type and notes there that it has one; `None` when someone changed it meanwhile.
async fn made(api: &Api, before: EventTypeDefinition) -> Result<Option<(EventTypeDefinition, InboundWebhook)>> {
    let now = api.app.clock.now();
    let (key, _) = new_key(api, &before.tenant).await?;
    let largest = u32::try_from(api.app.config.max_body_bytes).unwrap_or(u32::MAX);
    let webhook = InboundWebhook {
        id: InboundWebhookId::new(now, api.app.random.bits()),
        tenant: before.tenant.clone(),
        version: 1,
        name: Name::try_from(before.event_type.to_string()).map_err(|e| Error::Internal(e.into()))?,
        description: None,
        address: Address::Key { keys: vec![key] },
        auth: Auth::default(),
        idempotency: None,
        idempotency_window_s: DEFAULT_IDEMPOTENCY_WINDOW_S,
        on_duplicate: OnDuplicate::default(),
        event_type: before.event_type.clone(),
        naming: None,
        handshakes: Vec::new(),
        max_body_bytes: DEFAULT_MAX_BODY_BYTES.min(largest),
        rate_limit: RateLimit::OF_KEYS,
        silence_alarm_h: None,
        disable_after_failures: None,
        auto_disabled_at: None,
        is_active: true,
        capture_until: None,
        created_at: now,
        updated_at: now,
    };
    let after = EventTypeDefinition { webhook_id: Some(webhook.id), ..before.clone() }.next_version(now);
    match api.app.store.create_webhook_of_event_type(&before, &after, &webhook).await {
        Ok(()) => Ok(Some((after, webhook))),
        Err(CreateError::Exists) => Ok(None),
        Err(CreateError::Table(error)) => Err(error.into()),
    }
}
