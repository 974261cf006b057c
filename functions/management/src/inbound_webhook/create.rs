//! `POST /api/v1/inbound-webhooks`: makes an inbound webhook.

use axum::Json;
use axum::extract::State;
use hookport::domain::api_token::SecretHash;
use hookport::domain::id::{InboundWebhookId, WebhookKeyId};
use hookport::domain::inbound_webhook::{Address, Auth, InboundWebhook};
use hookport::domain::text::{Slug, TenantSlug};
use hookport::vault::Owner;
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use super::settings::{InboundWebhookSettings, Proof};
use super::{InboundWebhookView, InboundWebhookWithSecret, seal};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookCreate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Body;
use crate::secret::hex_secret;

/// What keys start with, so that people and scanners recognise them.
const KEY_PREFIX: &str = "wh_";
/// How many letters and digits follow: 190 random bits.
const KEY_CHARS: usize = 32;
/// How many characters of a key may be shown to people.
const HINT_CHARS: usize = 6;

/// Makes an inbound webhook.
///
/// With a slug, its URL is readable and every request must be signed. Without one, its URL ends in a key and is a
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
                `none`. `unsupported`: the idempotency key is to be taken from an expression.",
            body = ErrorBody
        ),
        (status = 409, description = "`slug_taken`: another webhook of the tenant has the slug.", body = ErrorBody),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<InboundWebhookCreate>,
    Body(request): Body<InboundWebhookSettings>,
) -> Result<(StatusCode, Json<InboundWebhookWithSecret>)> {
    let settings = request.checked(&api.app.config)?;
    let now = api.app.clock.now();
    let tenant = caller.tenant().clone();
    let id = InboundWebhookId::new(now, api.app.random.bits());
    let (auth, secret) = auth(&api, settings.proof, &Owner::new(&tenant, id)).await?;
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
        idempotency_window_s: settings.idempotency_window_s,
        event_type: settings.event_type,
        max_body_bytes: settings.max_body_bytes,
        is_active: settings.is_active,
        created_at: now,
        updated_at: now,
    };
    let created = api.app.store.create_inbound_webhook(&webhook).await;
    created.map_err(|error| Error::of_creation(error, taken(&webhook.address)))?;
    let view = InboundWebhookView::new(webhook, &api, key.as_ref());
    Ok((StatusCode::CREATED, Json(InboundWebhookWithSecret::new(view, secret.as_ref()))))
}

/// Makes or takes the secret that senders are to prove, and seals it.
async fn auth(api: &Api, proof: Proof, owner: &Owner) -> Result<(Auth, Option<SecretString>)> {
    match proof {
        Proof::Hmac { signature_headers, secret } => {
            let plain = secret.unwrap_or_else(|| hex_secret(&api.app.random));
            let secret = seal(api, &plain, owner).await?;
            Ok((Auth::HmacSha256 { signature_headers, secret }, Some(plain)))
        }
        Proof::Nothing => Ok((Auth::None, None)),
    }
}

/// The address of a new webhook: its slug, or a new key.
async fn address(api: &Api, tenant: &TenantSlug, slug: Option<Slug>) -> Result<(Address, Option<SecretString>)> {
    if let Some(slug) = slug {
        return Ok((Address::Slug { slug }, None));
    }
    let key_id = WebhookKeyId::new(api.app.clock.now(), api.app.random.bits());
    let key = SecretString::from(format!("{KEY_PREFIX}{}", api.app.random.alphanumeric(KEY_CHARS)));
    let sealed = seal(api, &key, &Owner::new(tenant, key_id)).await?;
    let hint = format!("{}…", &key.expose_secret()[..HINT_CHARS]);
    Ok((Address::Key { key_id, hash: SecretHash::of(&key), sealed, hint }, Some(key)))
}

fn taken(address: &Address) -> Error {
    match address {
        Address::Slug { .. } => Error::SlugTaken,
        Address::Key { .. } => Error::Conflict,
    }
}
