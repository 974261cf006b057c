//! Inbound webhooks: the configuration of public URLs, as the API shows it.

mod create;
mod delete;
mod list;
mod read;
mod settings;
mod update;

use hookport::domain::event_type::EventType;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::{Address, Auth, AuthType, InboundWebhook};
use hookport::domain::text::{Description, Name, Slug};
use hookport::vault::{Owner, Sealed};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::error::Result;
use settings::{DEFAULT_KEY_HEADERS, HandlerType, IdempotencySetting};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list, create::create)).routes(routes!(
        read::read,
        update::update,
        delete::delete
    ))
}

/// An inbound webhook.
#[derive(Serialize, ToSchema)]
pub(crate) struct InboundWebhookView {
    /// Its id.
    #[schema(value_type = String, example = "inw_01m5w3rm008000000400000003")]
    id: InboundWebhookId,
    /// Its name for people.
    name: Name,
    /// What it is for.
    description: Option<Description>,
    /// The last segment of its URL; null when a key is.
    slug: Option<Slug>,
    /// What senders must prove.
    auth_type: AuthType,
    /// How they prove it, without the secret.
    auth_config: AuthConfigView,
    /// Where the idempotency key of a request is found; null: requests are not deduplicated.
    idempotency_source: Option<IdempotencySetting>,
    /// For how long an equal key is a duplicate.
    idempotency_window_seconds: u32,
    /// The type of the events made from accepted requests.
    event_type: EventType,
    /// What is done with accepted requests.
    handler_type: HandlerType,
    /// The largest body taken.
    max_body_bytes: u32,
    /// Whether requests are taken at all.
    is_active: bool,
    /// Counts the changes, from 1.
    version: u64,
    /// Where senders post to. Ends in the hint instead of the key where the key is not shown.
    #[schema(example = "https://hooks.example.com/api/inbound/acme/github")]
    url: String,
    /// The first characters of the key, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "wh_abc…")]
    webhook_key_hint: Option<String>,
    /// The key, if it has one and the caller has `inbound_webhook:update`; never in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    webhook_key: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// How senders prove who they are, without the secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuthConfigView {
    /// Equal to `auth_type`.
    #[serde(rename = "type")]
    kind: AuthType,
    /// The header that holds the signature; null: `X-Webhook-Signature`, or else `X-Hub-Signature-256`.
    signature_header: Option<String>,
}

impl AuthConfigView {
    fn new(auth: &Auth) -> Self {
        let signature_header = match auth {
            Auth::HmacSha256 { signature_headers, .. } if *signature_headers == DEFAULT_KEY_HEADERS => None,
            Auth::HmacSha256 { signature_headers, .. } => signature_headers.first().cloned(),
            Auth::None => None,
        };
        Self { kind: auth.kind(), signature_header }
    }
}

impl InboundWebhookView {
    /// The view of a webhook, with its key if that may be shown.
    pub(crate) fn new(webhook: InboundWebhook, api: &Api, key: Option<&SecretString>) -> Self {
        let key = key.map(|key| key.expose_secret());
        let url = format!("{}{}", api.app.config.public_base_url, webhook.path(key));
        let (slug, webhook_key_hint) = match webhook.address {
            Address::Slug { slug } => (Some(slug), None),
            Address::Key { hint, .. } => (None, Some(hint)),
        };
        Self {
            id: webhook.id,
            name: webhook.name,
            description: webhook.description,
            slug,
            auth_type: webhook.auth.kind(),
            auth_config: AuthConfigView::new(&webhook.auth),
            idempotency_source: webhook.idempotency.map(IdempotencySetting::from),
            idempotency_window_seconds: webhook.idempotency_window_s,
            event_type: webhook.event_type,
            handler_type: HandlerType::Event,
            max_body_bytes: webhook.max_body_bytes,
            is_active: webhook.is_active,
            version: webhook.version,
            url,
            webhook_key_hint,
            webhook_key: key.map(str::to_owned),
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

/// A webhook that was made or changed, with what is shown only now.
#[derive(Serialize, ToSchema)]
pub(crate) struct InboundWebhookWithSecret {
    data: InboundWebhookView,
    /// The secret that was set by this request; null when none was. It is shown here only.
    secret: Option<String>,
}

impl InboundWebhookWithSecret {
    fn new(data: InboundWebhookView, secret: Option<&SecretString>) -> Self {
        Self { data, secret: secret.map(|secret| secret.expose_secret().to_owned()) }
    }
}

/// Opens the key of a webhook that has one.
async fn key_of(api: &Api, webhook: &InboundWebhook) -> Result<Option<SecretString>> {
    match &webhook.address {
        Address::Slug { .. } => Ok(None),
        Address::Key { key_id, sealed, .. } => {
            let owner = Owner::new(&webhook.tenant, key_id);
            Ok(Some(api.app.vault.open(sealed, &owner, api.app.clock.now()).await?))
        }
    }
}

/// Seals the secret of a webhook.
async fn seal(api: &Api, secret: &SecretString, owner: &Owner) -> Result<Sealed> {
    Ok(api.app.vault.seal(secret, owner, api.app.clock.now()).await?)
}
