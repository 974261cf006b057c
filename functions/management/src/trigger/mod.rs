//! The webhook of an event type: switched on and off, given another key, looked at and protected, all in one place.
//!
//! It is an inbound webhook like any other and stays one: what is not here is under `/api/v1/inbound-webhooks`.

mod disable;
mod enable;
mod read;
mod regenerate;
mod settings;
mod update;

use hookport::domain::event_type_definition::EventTypeDefinition;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::permission::Permission;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::caller::Caller;
use crate::error::Result;
use crate::event_type::{Shown, everywhere};
use crate::inbound_webhook::{RateLimitSetting, key_of};
use crate::routes::routes;
use crate::stats::{self, WebhookStats};
use settings::{TriggerHmac, TriggerIpAllowlist};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    everywhere([
        routes!(read::read, update::update),
        routes!(enable::enable),
        routes!(disable::disable),
        routes!(regenerate::regenerate),
    ])
}

/// The webhook of an event type, and its key where the caller may see it.
pub(crate) struct Access {
    webhook: Option<InboundWebhook>,
    key: Option<SecretString>,
}

impl Access {
    /// Reads the webhook of an event type.
    pub(crate) async fn of<N>(api: &Api, caller: &Caller<N>, definition: &EventTypeDefinition) -> Result<Self> {
        let webhook = webhook_of(api, definition).await?;
        Self::new(api, caller, webhook).await
    }

    /// Opens the key of a webhook, unless that is switched off or the caller may not see it.
    async fn new<N>(api: &Api, caller: &Caller<N>, webhook: Option<InboundWebhook>) -> Result<Self> {
        let shown = webhook.as_ref().filter(|webhook| webhook.is_active);
        let key = match shown.filter(|_| caller.may(Permission::InboundWebhookUpdate)) {
            Some(webhook) => key_of(api, webhook).await?,
            None => None,
        };
        Ok(Self { webhook, key })
    }

    /// What may be shown of it.
    pub(crate) fn shown(&self) -> Shown<'_> {
        Shown { webhook: self.webhook.as_ref(), key: self.key.as_ref() }
    }
}

/// The webhook that was enabled for an event type; `None` also when it was deleted by itself.
pub(crate) async fn webhook_of(api: &Api, definition: &EventTypeDefinition) -> Result<Option<InboundWebhook>> {
    match definition.webhook_id {
        Some(id) => Ok(api.app.store.inbound_webhook(&definition.tenant, id).await?),
        None => Ok(None),
    }
}

/// The webhook of an event type, how it is used, and how it is protected.
#[derive(Serialize, ToSchema)]
pub(crate) struct TriggerWebhookView {
    /// Whether it is there and switched on.
    enabled: bool,
    /// Its id among the inbound webhooks; null: webhooks were never enabled.
    #[schema(value_type = Option<String>)]
    webhook_id: Option<InboundWebhookId>,
    /// Its key, while it is switched on and the caller has `inbound_webhook:update`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    webhook_key: Option<String>,
    /// Where senders post to; shown where the key is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    webhook_url: Option<String>,
    /// When it was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    /// When a request was taken last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// How many events were made from its requests.
    total_events: u64,
    /// The signature that it asks for; null: there is no webhook.
    hmac: Option<TriggerHmac>,
    /// The networks that it takes requests from; null: there is no webhook.
    ip_allowlist: Option<TriggerIpAllowlist>,
    /// How many requests it takes in which time; null: there is no webhook.
    rate_limit: Option<RateLimitSetting>,
    /// The largest body that it takes; null: there is no webhook.
    max_body_bytes: Option<u32>,
}

impl TriggerWebhookView {
    async fn new(api: &Api, access: &Access) -> Result<Self> {
        let shown = access.shown();
        let used = match shown.webhook {
            Some(webhook) => Some(stats::of(api, webhook).await?),
            None => None,
        };
        let (last_used_at, total_events) = match used {
            Some(WebhookStats { last_used_at, total_events, .. }) => (last_used_at, total_events),
            None => (None, 0),
        };
        Ok(Self {
            enabled: shown.webhook.is_some_and(|webhook| webhook.is_active),
            webhook_id: shown.webhook.map(|webhook| webhook.id),
            webhook_key: shown.key(),
            webhook_url: shown.url(api),
            created_at: shown.webhook.map(|webhook| webhook.created_at),
            last_used_at,
            total_events,
            hmac: shown.webhook.map(|webhook| TriggerHmac::of(&webhook.auth)),
            ip_allowlist: shown.webhook.map(|webhook| TriggerIpAllowlist::of(&webhook.auth)),
            rate_limit: shown.webhook.map(|webhook| webhook.rate_limit.into()),
            max_body_bytes: shown.webhook.map(|webhook| webhook.max_body_bytes),
        })
    }
}
