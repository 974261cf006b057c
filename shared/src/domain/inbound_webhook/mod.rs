//! Inbound webhooks: the configuration of a public URL.

mod auth;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use auth::{
    Auth, AuthType, DEFAULT_TOLERANCE_S, HmacAlgorithm, HmacProof, JwtProof, MAX_NETWORKS, MAX_PROOFS, PreviousSecret,
    Proof, SchemeProof, Secrets, SettingValue, SignatureForm, TagEncoding,
};

use super::api_token::SecretHash;
use super::event_type::EventType;
use super::id::{InboundWebhookId, WebhookKeyId};
use super::key_path::KeyPath;
use super::rate_limit::RateLimit;
use super::text::{Description, Name, Slug, TenantSlug};
use crate::scheme::handshake::Handshake;
use crate::scheme::naming::{Dedupe, Naming};
use crate::vault::Sealed;

/// The largest body that a webhook takes unless it says otherwise, in bytes.
pub const DEFAULT_MAX_BODY_BYTES: u32 = 1024 * 1024;
/// The default idempotency window, in seconds: one day.
pub const DEFAULT_IDEMPOTENCY_WINDOW_S: u32 = 86_400;
/// The most keys that one webhook has at a time.
pub const MAX_KEYS: usize = 5;
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
    /// What an equal key is answered with.
    #[serde(default)]
    pub on_duplicate: OnDuplicate,
    /// The type of the events made from accepted requests; with `naming`, of those that do not name theirs.
    pub event_type: EventType,
    /// How the type of an event is found in the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub naming: Option<Naming>,
    /// How senders ask whether the URL is ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handshakes: Vec<Handshake>,
    /// The largest body taken, in bytes; the deployment's own limit holds as well.
    pub max_body_bytes: u32,
    /// How many requests are taken in which time.
    pub rate_limit: RateLimit,
    /// After how many hours without a request it counts as silent, if ever (1 to 8,760).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence_alarm_h: Option<u16>,
    /// After how many proven requests in a row that all failed it is switched off, if ever (1 to 100). Refused proofs
    /// do not count: nobody can switch off a webhook that is not theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_after_failures: Option<u32>,
    /// When it was switched off by that rule; `None` when it was not.
    #[serde(
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub auto_disabled_at: Option<Timestamp>,
    /// Whether requests are taken at all.
    pub is_active: bool,
    /// Until when the first proven request is captured as a sample.
    #[serde(
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub capture_until: Option<Timestamp>,
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
        /// The keys that open it, newest first; at least one, at most [`MAX_KEYS`].
        keys: Vec<WebhookKey>,
    },
}

/// One key of a webhook: a URL that is its own credential.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookKey {
    /// Its id, for logs and events.
    pub id: WebhookKeyId,
    /// The hash it is looked up by.
    pub hash: SecretHash,
    /// The key itself, for those who may see it again.
    pub sealed: Sealed,
    /// Its first characters, for people: `wh_abc…`.
    pub hint: String,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// From when on it is dead, while it is on its way out.
    #[serde(
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<Timestamp>,
}

impl WebhookKey {
    /// Tells whether the key opens its webhook at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

/// What a repetition is answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// 200 with the first delivery's id and `duplicate: true`.
    #[default]
    Accept,
    /// 409 with the first delivery's id.
    Conflict,
}

/// Where the idempotency key of a request is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum IdempotencySource {
    /// In this header (any case); trimmed, empty or missing means the request is not deduplicated.
    Header(String),
    /// At this place of the JSON body (RFC 9535, one node at most); missing or null means the same.
    #[serde(rename = "jsonpath")]
    JsonPath(KeyPath),
    /// Derived from what is signed, as a row says.
    Derived(Dedupe),
}

impl InboundWebhook {
    /// The path that senders post to; `key` is needed for the key form only.
    #[must_use]
    pub fn path(&self, key: Option<&str>) -> String {
        match &self.address {
            Address::Slug { slug } => format!("/api/inbound/{}/{slug}", self.tenant),
            Address::Key { keys } => {
                let hint = keys.first().map(|key| key.hint.as_str()).unwrap_or_default();
                format!("/api/v1/webhooks/{}", key.unwrap_or(hint))
            }
        }
    }

    /// The same with nothing in it that opens to a secret, for the record of its versions: secrets and keys end with
    /// their use, and the key-encryption keys that sealed them may leave the ring.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let mut webhook = self.clone();
        for sealed in webhook.auth.proofs.iter_mut().flat_map(Proof::sealed_mut) {
            *sealed = sealed.digest();
        }
        if let Address::Key { keys } = &mut webhook.address {
            for key in keys {
                key.sealed = key.sealed.digest();
            }
        }
        webhook
    }

    /// Its proof by a row, if it has one.
    #[must_use]
    pub fn scheme(&self) -> Option<&SchemeProof> {
        self.auth.proofs.iter().find_map(|proof| match proof {
            Proof::Scheme(proof) => Some(&**proof),
            _ => None,
        })
    }

    /// The keys that open it; none when it has a slug.
    #[must_use]
    pub fn keys(&self) -> &[WebhookKey] {
        match &self.address {
            Address::Slug { .. } => &[],
            Address::Key { keys } => keys,
        }
    }
}
