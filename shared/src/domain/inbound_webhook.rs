//! Inbound webhooks: the configuration of a public URL.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::api_token::SecretHash;
use super::event_type::EventType;
use super::id::{InboundWebhookId, WebhookKeyId};
use super::text::{Description, Name, Slug, TenantSlug};
use crate::vault::Sealed;

/// The largest body that a webhook takes unless it says otherwise, in bytes.
pub const DEFAULT_MAX_BODY_BYTES: u32 = 1024 * 1024;
/// The default idempotency window, in seconds: one day.
pub const DEFAULT_IDEMPOTENCY_WINDOW_S: u32 = 86_400;
/// The longest idempotency window, in seconds: 30 days.
pub const MAX_IDEMPOTENCY_WINDOW_S: u32 = 2_592_000;

/// One version of the configuration of a public URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboundWebhook {
    /// Its id.
    pub id: InboundWebhookId,
    /// Whose it is.
    pub tenant: TenantSlug,
    /// Counts the changes, from 1.
    pub version: u64,
    /// Its name for people.
    pub name: Name,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Where senders post to.
    pub address: Address,
    /// What senders must prove.
    pub auth: Auth,
    /// Where the idempotency key of a request is found, if requests are deduplicated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<IdempotencySource>,
    /// For how long an equal key is a duplicate, in seconds (1 to 2,592,000).
    pub idempotency_window_s: u32,
    /// The type of the events made from accepted requests.
    pub event_type: EventType,
    /// The largest body taken, in bytes; the deployment's own limit holds as well.
    pub max_body_bytes: u32,
    /// Whether requests are taken at all.
    pub is_active: bool,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When this version was made.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub updated_at: Timestamp,
}

/// Where senders post to: a readable path, or a key that is its own credential.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum Address {
    /// `/api/inbound/{tenant}/{slug}`.
    Slug {
        /// The last segment.
        slug: Slug,
    },
    /// `/api/v1/webhooks/{key}`.
    Key {
        /// The id of the key, for logs and events.
        key_id: WebhookKeyId,
        /// The hash it is looked up by.
        hash: SecretHash,
        /// The key itself, for those who may see it again.
        sealed: Sealed,
        /// Its first characters, for people: `wh_abc…`.
        hint: String,
    },
}

/// What a sender must prove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Auth {
    /// HMAC-SHA256 of the raw body, in a header.
    HmacSha256 {
        /// The headers to look in, in this order; the first one present is judged.
        signature_headers: Vec<String>,
        /// The shared secret, sealed.
        secret: Sealed,
    },
    /// Nothing beyond knowing the URL; key URLs only.
    None,
}

/// The kinds of [`Auth`], as the API names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthType {
    /// HMAC-SHA256 of the raw body, in a header.
    HmacSha256,
    /// Nothing beyond knowing the URL; key URLs only.
    None,
}

impl Auth {
    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> AuthType {
        match self {
            Self::HmacSha256 { .. } => AuthType::HmacSha256,
            Self::None => AuthType::None,
        }
    }
}

/// Where the idempotency key of a request is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum IdempotencySource {
    /// In this header (any case); trimmed, empty or missing means the request is not deduplicated.
    Header(String),
}

impl InboundWebhook {
    /// The path that senders post to; `key` is needed for the key form only.
    #[must_use]
    pub fn path(&self, key: Option<&str>) -> String {
        match &self.address {
            Address::Slug { slug } => format!("/api/inbound/{}/{slug}", self.tenant),
            Address::Key { hint, .. } => format!("/api/v1/webhooks/{}", key.unwrap_or(hint)),
        }
    }
}
