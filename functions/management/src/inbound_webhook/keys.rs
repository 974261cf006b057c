//! The keys of an inbound webhook that is reached by them: several may be live, so that one can follow another.

use axum::Json;
use axum::extract::State;
use hookport::domain::api_token::SecretHash;
use hookport::domain::id::{InboundWebhookId, WebhookKeyId};
use hookport::domain::inbound_webhook::{Address, InboundWebhook, MAX_KEYS, WebhookKey};
use hookport::domain::permission::Permission;
use hookport::domain::text::TenantSlug;
use hookport::vault::Owner;
use http::StatusCode;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rotate::{MAX_OVERLAP_S, end};
use super::settings::within;
use super::{find, replace, seal};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, InboundWebhookUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Ids, OptionalBody};
use crate::page::One;

/// What keys start with, so that people and scanners recognise them.
const KEY_PREFIX: &str = "wh_";
/// How many letters and digits follow: 190 random bits.
const KEY_CHARS: usize = 32;
/// How many characters of a key may be shown to people.
const HINT_CHARS: usize = 6;

/// One key of an inbound webhook.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookKeyView {
    /// Its id, for logs and events.
    #[schema(value_type = String, example = "key_01m5w3rm008000000400000003")]
    id: WebhookKeyId,
    /// Its first characters.
    #[schema(example = "wh_abc…")]
    hint: String,
    /// The key, if the caller has `inbound_webhook:update`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<String>,
    /// Where senders post to. Ends in the hint where the key is not shown.
    url: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it is dead; null: it stays.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// The keys of an inbound webhook.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookKeys {
    /// The newest first, dead ones left out; at most 5.
    data: Vec<WebhookKeyView>,
}

/// A key to be made.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateWebhookKey {
    /// For how long the keys that there are stay alive, 0 being not at all; without it they stay as they are.
    #[schema(maximum = 2592000)]
    grace_seconds: Option<u32>,
}

/// Makes a key and seals it.
pub(crate) async fn new_key(api: &Api, tenant: &TenantSlug) -> Result<(WebhookKey, SecretString)> {
    let created_at = api.app.clock.now();
    let id = WebhookKeyId::new(created_at, api.app.random.bits());
    let text = SecretString::from(format!("{KEY_PREFIX}{}", api.app.random.alphanumeric(KEY_CHARS)));
    let sealed = seal(api, &text, &Owner::new(tenant, id)).await?;
    let hint = format!("{}…", &text.expose_secret()[..HINT_CHARS]);
    let key = WebhookKey { id, hash: SecretHash::of(&text), sealed, hint, created_at, expires_at: None };
    Ok((key, text))
}

/// The text of a key of `webhook`.
pub(super) async fn open(api: &Api, webhook: &InboundWebhook, key: &WebhookKey) -> Result<SecretString> {
    let owner = Owner::new(&webhook.tenant, key.id);
    Ok(api.app.vault.open(&key.sealed, &owner, api.app.clock.now()).await?)
}

/// Lists the keys of an inbound webhook.
///
/// The keys themselves are shown to holders of `inbound_webhook:update`, their hints to all.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/keys",
    operation_id = "listInboundWebhookKeys",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    responses(
        (status = 200, description = "Its keys.", body = WebhookKeys),
        (
            status = 400,
            description = "`invalid_id`: not an id of an inbound webhook. `invalid_request`: it is reached by a slug.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Ids(id): Ids<InboundWebhookId>,
) -> Result<Json<WebhookKeys>> {
    let webhook = find(&api, caller.tenant(), id).await?;
    let mut data = Vec::new();
    for key in live(&webhook, api.app.clock.now())? {
        let text =
            if caller.may(Permission::InboundWebhookUpdate) { Some(open(&api, &webhook, &key).await?) } else { None };
        data.push(WebhookKeyView::new(key, text.as_ref(), &webhook, &api));
    }
    Ok(Json(WebhookKeys { data }))
}

/// Makes another key for an inbound webhook.
///
/// The keys that there are stay, or die after a time of grace.
#[utoipa::path(
    post,
    path = "/api/v1/inbound-webhooks/{id}/keys",
    operation_id = "createInboundWebhookKey",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    request_body = Option<CreateWebhookKey>,
    responses(
        (status = 201, description = "The new key.", body = One<WebhookKeyView>),
        (
            status = 400,
            description = "`invalid_id`: not an id of an inbound webhook. `invalid_request`: a field breaks its rule, \
                or the webhook is reached by a slug.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`too_many_keys`: 5 keys are live. `conflict`: someone else changed the webhook at the same \
                time.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<InboundWebhookUpdate>,
    Ids(id): Ids<InboundWebhookId>,
    OptionalBody(request): OptionalBody<CreateWebhookKey>,
) -> Result<(StatusCode, Json<One<WebhookKeyView>>)> {
    let grace = within("grace_seconds", request.grace_seconds, 0..=MAX_OVERLAP_S)?;
    let before = find(&api, caller.tenant(), id).await?;
    let now = api.app.clock.now();
    let mut keys = live(&before, now)?;
    if let Some(grace) = grace {
        let over = end(now, grace);
        for key in &mut keys {
            key.expires_at = Some(key.expires_at.map_or(over, |at| at.min(over)));
        }
        keys.retain(|key| key.is_live(now));
    }
    if keys.len() >= MAX_KEYS {
        return Err(Error::TooManyKeys);
    }
    let (key, text) = new_key(&api, &before.tenant).await?;
    keys.insert(0, key.clone());
    let after = replace(&api, &before, InboundWebhook { address: Address::Key { keys }, ..before.clone() }).await?;
    let data = WebhookKeyView::new(key, Some(&text), &after, &api);
    Ok((StatusCode::CREATED, Json(One { data })))
}

/// Revokes a key of an inbound webhook. It is dead at once.
#[utoipa::path(
    delete,
    path = "/api/v1/inbound-webhooks/{id}/keys/{key_id}",
    operation_id = "deleteInboundWebhookKey",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookUpdate::PERMISSION])),
    params(
        ("id" = String, Path, description = "The webhook's id: `inw_…`."),
        ("key_id" = String, Path, description = "The key's id: `key_…`."),
    ),
    responses(
        (status = 204, description = "The key is revoked."),
        (
            status = 400,
            description = "`invalid_id`: not ids of a webhook and a key. `invalid_request`: the webhook is reached by \
                a slug.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id. \
                `webhook_key_not_found`: it has no live key with this id.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`last_key`: no key would be left but such as die by themselves. `conflict`: someone else \
                changed the webhook at the same time.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<InboundWebhookUpdate>,
    Ids((id, key_id)): Ids<(InboundWebhookId, WebhookKeyId)>,
) -> Result<StatusCode> {
    let before = find(&api, caller.tenant(), id).await?;
    let mut keys = live(&before, api.app.clock.now())?;
    let index = keys.iter().position(|key| key.id == key_id).ok_or(Error::WebhookKeyNotFound)?;
    keys.remove(index);
    // A webhook that loses its last key for good would be left without any URL.
    if keys.iter().all(|key| key.expires_at.is_some()) {
        return Err(Error::LastKey);
    }
    replace(&api, &before, InboundWebhook { address: Address::Key { keys }, ..before.clone() }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The keys that open `webhook` at `now`.
fn live(webhook: &InboundWebhook, now: Timestamp) -> Result<Vec<WebhookKey>> {
    match &webhook.address {
        Address::Slug { .. } => {
            Err(Error::InvalidRequest("the inbound webhook is reached by a slug and has no keys".to_owned()))
        }
        Address::Key { keys } => Ok(keys.iter().filter(|key| key.is_live(now)).cloned().collect()),
    }
}

impl WebhookKeyView {
    fn new(key: WebhookKey, text: Option<&SecretString>, webhook: &InboundWebhook, api: &Api) -> Self {
        let text = text.map(|text| text.expose_secret());
        let path = webhook.path(Some(text.unwrap_or(&key.hint)));
        Self {
            id: key.id,
            key: text.map(str::to_owned),
            url: format!("{}{path}", api.app.config.public_base_url),
            hint: key.hint,
            created_at: key.created_at,
            expires_at: key.expires_at,
        }
    }
}
