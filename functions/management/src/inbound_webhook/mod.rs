//! Inbound webhooks: the configuration of public URLs, as the API shows it.

mod auth;
mod create;
mod delete;
mod diagnose;
mod keys;
mod learned;
mod list;
mod read;
mod rotate;
mod settings;
mod update;

use hookport::domain::event_type::EventType;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::{Address, AuthType, InboundWebhook, OnDuplicate};
use hookport::domain::text::{Description, Name, Slug, TenantSlug};
use hookport::scheme::preset::PresetName;
use hookport::vault::{Owner, Sealed};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use auth::{DEFAULT_KEY_HEADERS, made_row_secret};
pub(crate) use keys::new_key;
pub(crate) use rotate::{MAX_OVERLAP_S, end};
pub(crate) use settings::{RateLimitSetting, header_name, networks, within};
pub(crate) use update::replace;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::routes::routes;
use auth::{AuthConfigView, NewSecret};
use settings::{HandlerType, IdempotencySetting};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list::list, create::create))
        .routes(routes!(read::read, update::update, delete::delete))
        .routes(routes!(rotate::rotate))
        .routes(routes!(diagnose::diagnose))
        .routes(routes!(learned::read))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::delete))
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
    /// The preset that it was made with; its row was copied then.
    preset: Option<PresetName>,
    /// How senders ask whether the URL is ours.
    #[schema(value_type = Vec<Object>)]
    handshakes: Vec<Value>,
    /// Whether each request names its own event type, so that `event_type` is that of those that do not.
    names_events: bool,
    /// What senders must prove.
    auth_type: AuthType,
    /// How they prove it, without secrets.
    auth_config: AuthConfigView,
    /// Where the idempotency key of a request is found; null: requests are not deduplicated.
    idempotency_source: Option<IdempotencySetting>,
    /// For how long an equal key is a duplicate.
    idempotency_window_seconds: u32,
    /// What an equal key is answered with.
    on_duplicate: OnDuplicate,
    /// The type of the events made from accepted requests.
    event_type: EventType,
    /// What is done with accepted requests.
    handler_type: HandlerType,
    /// The largest body taken.
    max_body_bytes: u32,
    /// How many requests are taken in which time.
    rate_limit: RateLimitSetting,
    /// After how many hours without a request it counts as silent; null: never.
    silence_alarm_hours: Option<u16>,
    /// After how many proven requests in a row that all failed it is switched off; null: never.
    disable_after_failures: Option<u32>,
    /// When it was switched off by that rule; null: it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    auto_disabled_at: Option<Timestamp>,
    /// Whether requests are taken at all.
    is_active: bool,
    /// Counts the changes, from 1.
    version: u64,
    /// Where senders post to. Ends in the hint instead of the key where the key is not shown.
    #[schema(example = "https://hooks.example.com/api/inbound/acme/github")]
    url: String,
    /// The first characters of its newest key, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "wh_abc…")]
    webhook_key_hint: Option<String>,
    /// Its newest key, if it has any and the caller has `inbound_webhook:update`; never in lists.
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

impl InboundWebhookView {
    /// The view of a webhook, with its newest key if that may be shown.
    pub(crate) fn new(webhook: InboundWebhook, api: &Api, key: Option<&SecretString>) -> Self {
        let now = api.app.clock.now();
        let key = key.map(|key| key.expose_secret());
        let hint = webhook.keys().iter().find(|key| key.is_live(now)).map(|key| key.hint.clone());
        let path = webhook.path(key.or(hint.as_deref()));
        let preset = webhook.scheme().and_then(|proof| proof.preset.clone());
        Self {
            id: webhook.id,
            name: webhook.name,
            description: webhook.description,
            slug: match webhook.address {
                Address::Slug { slug } => Some(slug),
                Address::Key { .. } => None,
            },
            preset,
            handshakes: webhook.handshakes.iter().filter_map(|shake| serde_json::to_value(shake).ok()).collect(),
            names_events: webhook.naming.is_some(),
            auth_type: webhook.auth.kind(),
            auth_config: AuthConfigView::new(&webhook.auth, now),
            idempotency_source: webhook.idempotency.map(IdempotencySetting::from),
            idempotency_window_seconds: webhook.idempotency_window_s,
            on_duplicate: webhook.on_duplicate,
            event_type: webhook.event_type,
            handler_type: HandlerType::Event,
            max_body_bytes: webhook.max_body_bytes,
            rate_limit: webhook.rate_limit.into(),
            silence_alarm_hours: webhook.silence_alarm_h,
            disable_after_failures: webhook.disable_after_failures,
            auto_disabled_at: webhook.auto_disabled_at,
            is_active: webhook.is_active,
            version: webhook.version,
            url: format!("{}{path}", api.app.config.public_base_url),
            webhook_key_hint: hint,
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
    /// The secret that was set by this request, the first one if there are several; null when none was. It is shown
    /// here only.
    secret: Option<String>,
    /// The secrets that were set by this request, if there are several. They are shown here only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secrets: Option<Vec<ProofSecret>>,
}

/// The secret of one proof of several.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProofSecret {
    /// The number of the proof from 0, `ip_allowlist` not counted.
    proof: usize,
    /// Its secret.
    secret: String,
}

impl InboundWebhookWithSecret {
    fn new(data: InboundWebhookView, new: Vec<NewSecret>) -> Self {
        let shown = |new: NewSecret| ProofSecret { proof: new.proof, secret: new.secret.expose_secret().to_owned() };
        let secrets: Vec<_> = new.into_iter().map(shown).collect();
        let first = secrets.first().map(|first| first.secret.clone());
        Self { data, secret: first, secrets: (secrets.len() > 1).then_some(secrets) }
    }
}

/// Makes sure that the tenant has the webhook, or had it so lately that rows of it may be left.
pub(crate) async fn has_or_had(api: &Api, tenant: &TenantSlug, id: InboundWebhookId) -> Result<()> {
    let store = &api.app.store;
    let is_known =
        store.inbound_webhook(tenant, id).await?.is_some() || store.inbound_webhook_ids(tenant).await?.contains(&id);
    if is_known { Ok(()) } else { Err(Error::InboundWebhookNotFound) }
}

/// Reads a webhook of the tenant.
async fn find(api: &Api, tenant: &TenantSlug, id: InboundWebhookId) -> Result<InboundWebhook> {
    api.app.store.inbound_webhook(tenant, id).await?.ok_or(Error::InboundWebhookNotFound)
}

/// Opens the newest key of a webhook that has any.
pub(crate) async fn key_of(api: &Api, webhook: &InboundWebhook) -> Result<Option<SecretString>> {
    let now = api.app.clock.now();
    match webhook.keys().iter().find(|key| key.is_live(now)) {
        Some(key) => keys::open(api, webhook, key).await.map(Some),
        None => Ok(None),
    }
}

/// Seals a secret or a key.
pub(crate) async fn seal(api: &Api, secret: &SecretString, owner: &Owner) -> Result<Sealed> {
    Ok(api.app.vault.seal(secret, owner, api.app.clock.now()).await?)
}
