//! `POST /api/v1/inbound-webhooks`: makes an inbound webhook.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::{Address, Auth, InboundWebhook};
use hookport::domain::text::{Slug, TenantSlug};
use hookport::scheme::preset::Preset;
use hookport::vault::Owner;
use http::StatusCode;
use secrecy::SecretString;

use super::settings::{InboundWebhookSettings, fits, window};
use super::{InboundWebhookView, InboundWebhookWithSecret, new_key};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookCreate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Body;
use crate::preset;

/// Makes an inbound webhook.
///
/// With a slug, its URL is readable and senders must prove who they are. Without one, its URL ends in a key and is a
/// credential itself.
#[utoipa::path(
    post,
    path = "/api/v1/inbound-webhooks",
    operation_id = "createInboundWebhook",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookCreate::PERMISSION])),
    request_body = InboundWebhookSettings,
    responses(
        (status = 201, description = "The webhook with its key, and its secret.", body = InboundWebhookWithSecret),
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule. `proof_required`: with a slug, `auth_type` is \
                `none`. `invalid_target`: nothing may be fetched from `jwks_url`. `unsupported`: the idempotency key \
                is to be taken from an expression.",
            body = ErrorBody
        ),
        (status = 404, description = "`preset_not_found`: there is no such preset.", body = ErrorBody),
        (status = 409, description = "`slug_taken`: another webhook of the tenant has the slug.", body = ErrorBody),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<InboundWebhookCreate>,
    Body(request): Body<InboundWebhookSettings>,
) -> Result<(StatusCode, Json<InboundWebhookWithSecret>)> {
    let preset = preset_of(&api, caller.tenant(), &request).await?;
    let settings = request.checked(&api.app.config, preset.as_ref())?;
    let now = api.app.clock.now();
    let tenant = caller.tenant().clone();
    let id = InboundWebhookId::new(now, api.app.random.bits());
    let (auth, secrets) = settings.auth.sealed(&api, &Owner::new(&tenant, id), &Auth::default()).await?;
    fits(&auth, settings.slug.is_some(), settings.idempotency.as_ref())?;
    let idempotency_window_s = window(&auth, settings.idempotency_window_s)?;
    let (address, key) = address(&api, &tenant, settings.slug).await?;
    let webhook = InboundWebhook {
        id,
        tenant,
        version: 1,
        name: settings.name,
        description: settings.description,
        address,
        auth,
        idempotency: settings.idempotency,
        idempotency_window_s,
        on_duplicate: settings.on_duplicate,
        event_type: settings.event_type,
        naming: settings.naming,
        handshakes: settings.handshakes,
        max_body_bytes: settings.max_body_bytes,
        rate_limit: settings.rate_limit,
        silence_alarm_h: settings.silence_alarm_h,
        disable_after_failures: settings.disable_after_failures,
        auto_disabled_at: None,
        is_active: settings.is_active,
        capture_until: None,
        created_at: now,
        updated_at: now,
    };
    let created = api.app.store.create_inbound_webhook(&webhook).await;
    created.map_err(|error| Error::of_creation(error, taken(&webhook.address)))?;
    let view = InboundWebhookView::new(webhook, &api, key.as_ref());
    Ok((StatusCode::CREATED, Json(InboundWebhookWithSecret::new(view, secrets))))
}

/// The preset that is asked for, if one is.
pub(super) async fn preset_of(
    api: &Api,
    tenant: &TenantSlug,
    request: &InboundWebhookSettings,
) -> Result<Option<Preset>> {
    match request.preset() {
        Some(name) => preset::find(api, tenant, name).await.map(Some),
        None => Ok(None),
    }
}

/// The address of a new webhook: its slug, or a new key.
async fn address(api: &Api, tenant: &TenantSlug, slug: Option<Slug>) -> Result<(Address, Option<SecretString>)> {
    if let Some(slug) = slug {
        return Ok((Address::Slug { slug }, None));
    }
    let (key, text) = new_key(api, tenant).await?;
    Ok((Address::Key { keys: vec![key] }, Some(text)))
}

fn taken(address: &Address) -> Error {
    match address {
        Address::Slug { .. } => Error::SlugTaken,
        Address::Key { .. } => Error::Conflict,
    }
}
