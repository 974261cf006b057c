//! What an inbound webhook is to be like: as a caller writes it, and once it is found to make sense.

use hookport::config::Config;
use hookport::domain::event_type::EventType;
use hookport::domain::inbound_delivery::may_keep_header;
use hookport::domain::inbound_webhook::{
    AuthType, DEFAULT_IDEMPOTENCY_WINDOW_S, DEFAULT_MAX_BODY_BYTES, IdempotencySource, MAX_IDEMPOTENCY_WINDOW_S,
};
use hookport::domain::text::{Description, Name, Slug};
use http::HeaderName;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::extract::JsonObject;
use crate::secret::SuppliedSecret;

/// Where the signature of a webhook with a slug is looked for, unless it says otherwise.
const DEFAULT_SLUG_HEADER: &str = "X-Hub-Signature-256";
/// Where the signature of a webhook with a key is looked for, unless it says otherwise.
pub(super) const DEFAULT_KEY_HEADERS: [&str; 2] = ["X-Webhook-Signature", "X-Hub-Signature-256"];

/// What an inbound webhook is to be like.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InboundWebhookSettings {
    /// Ignored: the gateway gives ids, and the id in the path of a change wins.
    #[expect(dead_code, reason = "taken so that what was read can be edited and sent back")]
    id: Option<String>,
    /// Its name for people.
    name: Name,
    /// The last segment of a readable URL. Without it the URL ends in a key that is made for it.
    slug: Option<Slug>,
    /// What it is for.
    description: Option<Description>,
    /// What senders must prove: `hmac_sha256` with a slug, which can have no other; without one, `none` by default.
    auth_type: Option<AuthType>,
    /// How they prove it.
    #[schema(value_type = Option<AuthConfig>)]
    auth_config: Option<JsonObject<AuthConfig>>,
    /// Where the idempotency key of a request is found; null or absent: requests are not deduplicated.
    #[schema(value_type = Option<IdempotencySetting>)]
    idempotency_source: Option<JsonObject<IdempotencySetting>>,
    /// For how long an equal key is a duplicate.
    #[schema(minimum = 1, maximum = 2592000, default = 86400)]
    idempotency_window_seconds: Option<u32>,
    /// The type of the events made from accepted requests; by default the slug or `webhook`, and `.received`.
    event_type: Option<EventType>,
    /// What is done with accepted requests.
    handler_type: Option<HandlerType>,
    /// The largest body taken; the deployment's own limit holds as well.
    #[schema(minimum = 1, default = 1048576)]
    max_body_bytes: Option<u32>,
    /// Whether requests are taken at all.
    #[schema(default = true)]
    is_active: Option<bool>,
}

/// How senders prove who they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthConfig {
    /// Must equal `auth_type` where both are given.
    #[serde(rename = "type")]
    kind: AuthType,
    /// The header that holds the signature; by default `X-Hub-Signature-256` with a slug, and without one the first
    /// present of `X-Webhook-Signature` and `X-Hub-Signature-256`.
    signature_header: Option<String>,
    /// The secret that signatures are made with; made by the gateway when absent, or kept when a change leaves it out.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 128)]
    secret: Option<SuppliedSecret>,
}

/// Where the idempotency key of a request is found.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdempotencySetting {
    #[serde(rename = "type")]
    kind: IdempotencyKind,
    /// The name of the header.
    #[schema(example = "Idempotency-Key")]
    value: String,
}

/// Kinds of places that an idempotency key can be found in.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IdempotencyKind {
    /// A header.
    Header,
    /// An expression over the body. Known, and refused with `unsupported`.
    Jsonata,
}

/// What is done with accepted requests.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HandlerType {
    /// An event is published.
    Event,
}

impl From<IdempotencySource> for IdempotencySetting {
    fn from(source: IdempotencySource) -> Self {
        match source {
            IdempotencySource::Header(value) => Self { kind: IdempotencyKind::Header, value },
        }
    }
}

/// Settings that make sense together.
pub(super) struct Checked {
    pub(super) name: Name,
    pub(super) slug: Option<Slug>,
    pub(super) description: Option<Description>,
    pub(super) proof: Proof,
    pub(super) idempotency: Option<IdempotencySource>,
    pub(super) idempotency_window_s: u32,
    pub(super) event_type: EventType,
    pub(super) max_body_bytes: u32,
    pub(super) is_active: bool,
}

/// What senders must prove, before any secret is made or sealed.
pub(super) enum Proof {
    Hmac { signature_headers: Vec<String>, secret: Option<SecretString> },
    Nothing,
}

impl InboundWebhookSettings {
    /// Fills defaults in and holds the fields against each other and against the deployment's limits.
    pub(super) fn checked(self, config: &Config) -> Result<Checked> {
        let proof = proof(self.slug.as_ref(), self.auth_type, self.auth_config.map(|JsonObject(config)| config))?;
        let source = self.idempotency_source.map(|JsonObject(source)| idempotency(source, &proof)).transpose()?;
        // The only handler there is needs no settings of its own.
        let HandlerType::Event = self.handler_type.unwrap_or(HandlerType::Event);
        let largest = u32::try_from(config.max_body_bytes).unwrap_or(u32::MAX);
        Ok(Checked {
            proof,
            idempotency: source,
            idempotency_window_s: within(
                "idempotency_window_seconds",
                self.idempotency_window_seconds,
                DEFAULT_IDEMPOTENCY_WINDOW_S,
                MAX_IDEMPOTENCY_WINDOW_S,
            )?,
            event_type: match self.event_type {
                Some(event_type) => event_type,
                None => default_event_type(self.slug.as_ref())?,
            },
            max_body_bytes: within(
                "max_body_bytes",
                self.max_body_bytes,
                DEFAULT_MAX_BODY_BYTES.min(largest),
                largest,
            )?,
            is_active: self.is_active.unwrap_or(true),
            name: self.name,
            slug: self.slug,
            description: self.description,
        })
    }
}

fn proof(slug: Option<&Slug>, auth_type: Option<AuthType>, config: Option<AuthConfig>) -> Result<Proof> {
    let default = if slug.is_some() { AuthType::HmacSha256 } else { AuthType::None };
    let kind = auth_type.or(config.as_ref().map(|config| config.kind)).unwrap_or(default);
    if config.as_ref().is_some_and(|config| config.kind != kind) {
        return Err(Error::field("auth_config.type", "must equal auth_type"));
    }
    let (header, secret) = match config {
        Some(config) => (config.signature_header, config.secret),
        None => (None, None),
    };
    match kind {
        AuthType::HmacSha256 => {
            let signature_headers = match (header, slug) {
                (Some(header), _) => vec![header_name("auth_config.signature_header", header)?],
                (None, Some(_)) => vec![DEFAULT_SLUG_HEADER.to_owned()],
                (None, None) => DEFAULT_KEY_HEADERS.map(str::to_owned).into(),
            };
            Ok(Proof::Hmac { signature_headers, secret: secret.map(|SuppliedSecret(secret)| secret) })
        }
        AuthType::None if slug.is_some() => Err(Error::ProofRequired),
        AuthType::None if header.is_some() => Err(Error::field("auth_config.signature_header", NEEDS_PROOF)),
        AuthType::None if secret.is_some() => Err(Error::field("auth_config.secret", NEEDS_PROOF)),
        AuthType::None => Ok(Proof::Nothing),
    }
}

const NEEDS_PROOF: &str = "must be absent with auth_type none";

fn idempotency(source: IdempotencySetting, proof: &Proof) -> Result<IdempotencySource> {
    match source.kind {
        IdempotencyKind::Jsonata => {
            Err(Error::Unsupported("idempotency_source: keys can be taken from a header only, not from an expression"))
        }
        IdempotencyKind::Header => {
            let name = header_name("idempotency_source.value", source.value)?;
            let signature_headers = match proof {
                Proof::Hmac { signature_headers, .. } => signature_headers.as_slice(),
                Proof::Nothing => &[],
            };
            // Keys are kept and shown in logs of deliveries, where no credential may stand.
            if may_keep_header(&name.to_ascii_lowercase(), signature_headers) {
                Ok(IdempotencySource::Header(name))
            } else {
                Err(Error::field("idempotency_source.value", "must not be a header that carries a credential"))
            }
        }
    }
}

fn header_name(field: &str, name: String) -> Result<String> {
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(name),
        Err(_) => Err(Error::field(field, "must be the name of an HTTP header")),
    }
}

fn within(field: &str, given: Option<u32>, default: u32, most: u32) -> Result<u32> {
    let value = given.unwrap_or(default);
    if (1..=most).contains(&value) { Ok(value) } else { Err(Error::field(field, format!("must be from 1 to {most}"))) }
}

fn default_event_type(slug: Option<&Slug>) -> Result<EventType> {
    let noun = slug.map_or("webhook", Slug::as_str).replace('-', "_");
    EventType::try_from(format!("{noun}.received")).map_err(|rule| Error::field("event_type", rule))
}
