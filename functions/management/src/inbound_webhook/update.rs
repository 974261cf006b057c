//! `PUT /api/v1/inbound-webhooks/{id}`: replaces the settings of an inbound webhook.

use axum::Json;
use axum::extract::State;
use hookport::aws::table::TableError;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::{Address, IdempotencySource, InboundWebhook};
use hookport::domain::text::Slug;
use hookport::store::CreateError;
use hookport::vault::Owner;

use super::create::preset_of;
use super::settings::{InboundWebhookSettings, fits, window};
use super::{InboundWebhookView, InboundWebhookWithSecret, find, key_of};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};

/// Replaces the settings of an inbound webhook by its next version.
///
/// What is left out gets its default. The event type is kept when it is left out, and so is the proof, with all that a
/// preset brought, when `auth_type`, `auth_config` and `preset` are; a proof of the same type at the same place keeps its secret. A webhook with a slug
/// keeps having one, and one with keys keeps its keys. Being active ends an automatic disabling.
#[utoipa::path(
    put,
    path = "/api/v1/inbound-webhooks/{id}",
    operation_id = "updateInboundWebhook",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    request_body = InboundWebhookSettings,
    responses(
        (
            status = 200,
            description = "The new version, and the secret if this request set one.",
            body = InboundWebhookWithSecret
        ),
        (
            status = 400,
            description = "`invalid_id`: not an id of an inbound webhook. `invalid_request`: a field breaks its rule. \
                `proof_required`: with a slug, `auth_type` is `none`. `invalid_target`: nothing may be fetched from \
                `jwks_url`. `unsupported`: the idempotency key is to be taken from an expression.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id. \
                `preset_not_found`: there is no such preset.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`slug_taken`: another webhook of the tenant has the slug. `conflict`: someone else changed \
                the webhook at the same time.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller<InboundWebhookUpdate>,
    Ids(id): Ids<InboundWebhookId>,
    Body(request): Body<InboundWebhookSettings>,
) -> Result<Json<InboundWebhookWithSecret>> {
    let preset = preset_of(&api, caller.tenant(), &request).await?;
    let settings = request.checked(&api.app.config, preset.as_ref())?;
    let before = find(&api, caller.tenant(), id).await?;
    let address = address(&before.address, settings.slug)?;
    let owner = Owner::new(&before.tenant, before.id);
    // Nobody loses a protection, or its trigger, by not mentioning it.
    let (auth, secrets) = if settings.keeps_auth {
        (before.auth.clone(), Vec::new())
    } else {
        settings.auth.sealed(&api, &owner, &before.auth).await?
    };
    // What a row says of keys and names goes with its proof.
    let idempotency = match &before.idempotency {
        Some(IdempotencySource::Derived(_)) if settings.keeps_auth && settings.keeps_idempotency => {
            before.idempotency.clone()
        }
        _ => settings.idempotency,
    };
    let idempotency_window_s = window(&auth, settings.idempotency_window_s)?;
    let keeps_naming = settings.keeps_event_type && settings.keeps_auth;
    let naming = if keeps_naming { before.naming.clone() } else { settings.naming };
    let keeps_handshakes = settings.keeps_auth && settings.keeps_handshakes;
    let handshakes = if keeps_handshakes { before.handshakes.clone() } else { settings.handshakes };
    fits(&auth, matches!(address, Address::Slug { .. }), idempotency.as_ref())?;
    let after = InboundWebhook {
        name: settings.name,
        description: settings.description,
        address,
        auth,
        idempotency,
        naming,
        handshakes,
        idempotency_window_s,
        on_duplicate: settings.on_duplicate,
        event_type: if settings.keeps_event_type { before.event_type.clone() } else { settings.event_type },
        max_body_bytes: settings.max_body_bytes,
        rate_limit: settings.rate_limit,
        silence_alarm_h: settings.silence_alarm_h,
        disable_after_failures: settings.disable_after_failures,
        auto_disabled_at: before.auto_disabled_at.filter(|_| !settings.is_active),
        is_active: settings.is_active,
        ..before.clone()
    };
    let after = replace(&api, &before, after).await?;
    let key = key_of(&api, &after).await?;
    let view = InboundWebhookView::new(after, &api, key.as_ref());
    Ok(Json(InboundWebhookWithSecret::new(view, secrets)))
}

/// The address after the change: another slug at most.
fn address(before: &Address, slug: Option<Slug>) -> Result<Address> {
    match (before, slug) {
        (Address::Slug { .. }, Some(slug)) => Ok(Address::Slug { slug }),
        (Address::Key { .. }, None) => Ok(before.clone()),
        (Address::Slug { .. }, None) => Err(Error::field("slug", "must be given: the webhook has one and keeps one")),
        (Address::Key { .. }, Some(_)) => Err(Error::field("slug", "must be absent: the webhook is reached by a key")),
    }
}

/// Stores `after` as the version that follows `before`, without the keys that are dead by now, and gives what was
/// stored.
pub(crate) async fn replace(api: &Api, before: &InboundWebhook, mut after: InboundWebhook) -> Result<InboundWebhook> {
    let now = api.app.clock.now();
    after.version = before.version + 1;
    after.updated_at = now;
    if let Address::Key { keys } = &mut after.address {
        keys.retain(|key| key.is_live(now));
    }
    match api.app.store.update_inbound_webhook(before, &after).await {
        Ok(()) => Ok(after),
        Err(CreateError::Exists) => Err(in_the_way(api, &after).await?),
        Err(CreateError::Table(error)) => Err(error.into()),
    }
}

/// Finds out what stood in the way of `after`: another webhook with its slug, or a change in between.
async fn in_the_way(api: &Api, after: &InboundWebhook) -> std::result::Result<Error, TableError> {
    let Address::Slug { slug } = &after.address else { return Ok(Error::Conflict) };
    let holder = api.app.store.inbound_webhook_by_slug(&after.tenant, slug).await?;
    Ok(if holder.is_some_and(|holder| holder.id != after.id) { Error::SlugTaken } else { Error::Conflict })
}
