//! `PUT /api/v1/inbound-webhooks/{id}`: replaces the settings of an inbound webhook.

use axum::Json;
use axum::extract::State;
use hookport::aws::table::TableError;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::{Address, Auth, InboundWebhook};
use hookport::domain::text::Slug;
use hookport::store::CreateError;
use hookport::vault::Owner;
use secrecy::SecretString;

use super::settings::{InboundWebhookSettings, Proof};
use super::{InboundWebhookView, InboundWebhookWithSecret, key_of, seal};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};
use crate::secret::hex_secret;

/// Replaces the settings of an inbound webhook by its next version.
///
/// What is left out gets its default, but for the secret, which is kept. A webhook with a slug keeps having one, and
/// one with a key keeps its key.
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
                `proof_required`: with a slug, `auth_type` is `none`. `unsupported`: the idempotency key is to be \
                taken from an expression.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
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
    let settings = request.checked(&api.app.config)?;
    let found = api.app.store.inbound_webhook(caller.tenant(), id).await?;
    let before = found.ok_or(Error::InboundWebhookNotFound)?;
    let address = address(&before.address, settings.slug)?;
    let (auth, secret) = auth(&api, &before, settings.proof).await?;
    let after = InboundWebhook {
        id,
        tenant: before.tenant.clone(),
        version: before.version + 1,
        name: settings.name,
        description: settings.description,
        address,
        auth,
        idempotency: settings.idempotency,
        idempotency_window_s: settings.idempotency_window_s,
        event_type: settings.event_type,
        max_body_bytes: settings.max_body_bytes,
        is_active: settings.is_active,
        created_at: before.created_at,
        updated_at: api.app.clock.now(),
    };
    match api.app.store.update_inbound_webhook(&before, &after).await {
        Ok(()) => {}
        Err(CreateError::Exists) => return Err(in_the_way(&api, &after).await?),
        Err(CreateError::Table(error)) => return Err(error.into()),
    }
    let key = key_of(&api, &after).await?;
    let view = InboundWebhookView::new(after, &api, key.as_ref());
    Ok(Json(InboundWebhookWithSecret::new(view, secret.as_ref())))
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

/// The proof after the change, and the secret if it is a new one.
async fn auth(api: &Api, before: &InboundWebhook, proof: Proof) -> Result<(Auth, Option<SecretString>)> {
    let (signature_headers, supplied) = match proof {
        Proof::Hmac { signature_headers, secret } => (signature_headers, secret),
        Proof::Nothing => return Ok((Auth::None, None)),
    };
    let new = match (supplied, &before.auth) {
        (Some(supplied), _) => supplied,
        (None, Auth::HmacSha256 { secret, .. }) => {
            return Ok((Auth::HmacSha256 { signature_headers, secret: secret.clone() }, None));
        }
        (None, Auth::None) => hex_secret(&api.app.random),
    };
    let secret = seal(api, &new, &Owner::new(&before.tenant, before.id)).await?;
    Ok((Auth::HmacSha256 { signature_headers, secret }, Some(new)))
}

/// Finds out what stood in the way of `after`: another webhook with its slug, or a change in between.
async fn in_the_way(api: &Api, after: &InboundWebhook) -> std::result::Result<Error, TableError> {
    let Address::Slug { slug } = &after.address else { return Ok(Error::Conflict) };
    let holder = api.app.store.inbound_webhook_by_slug(&after.tenant, slug).await?;
    Ok(if holder.is_some_and(|holder| holder.id != after.id) { Error::SlugTaken } else { Error::Conflict })
}
