//! What an inbound webhook is to be like: as a caller writes it, and once it is found to make sense.

use std::ops::RangeInclusive;

use hookport::config::Config;
use hookport::domain::event_type::EventType;
use hookport::domain::inbound_delivery::may_keep_header;
use hookport::domain::inbound_webhook::{
    Auth, AuthType, DEFAULT_IDEMPOTENCY_WINDOW_S, DEFAULT_MAX_BODY_BYTES, IdempotencySource, MAX_IDEMPOTENCY_WINDOW_S,
    MAX_NETWORKS, OnDuplicate, Proof,
};
use hookport::domain::key_path::KeyPath;
use hookport::domain::own_event::is_own;
use hookport::domain::rate_limit::{MAX_REQUESTS, MAX_WINDOW_S, RateLimit};
use hookport::domain::source_address::network;
use hookport::domain::text::{Description, Name, Slug};
use hookport::scheme::handshake::Handshake;
use hookport::scheme::naming::{Dedupe, Named, Naming};
use hookport::scheme::preset::{Preset, check_handshakes};
use http::HeaderName;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::auth::{Asked, AuthConfig, Rules};
use crate::error::{Error, Result};
use crate::extract::JsonObject;

/// The longest silence that can be waited for, in hours: a year.
const MAX_SILENCE_H: u32 = 8_760;
/// The most failures that can be waited for.
const MAX_FAILURES: u32 = 100;
/// The most that all handshakes of a webhook take, in bytes as JSON: they are stored with each of its versions.
const MAX_HANDSHAKES_BYTES: usize = 16 * 1024;
/// The greatest limit of the short form, which counts by the minute.
const MAX_PER_MINUTE: u32 = 60_000;

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
    /// The provider whose webhooks these are: it says what senders must prove, how they ask whether the URL is ours, what
    /// events are called and what tells them apart. What is said beside it wins. See `/api/v1/presets`.
    #[schema(min_length = 1, max_length = 64, example = "stripe")]
    preset: Option<String>,
    /// How senders ask whether the URL is ours, as docs/presets.md describes `handshakes`; by default as the preset says.
    #[schema(value_type = Option<Vec<Object>>, max_items = 10)]
    handshakes: Option<Vec<Value>>,
    /// What senders must prove. By default `hmac_sha256` with a slug, and `none`, which a slug cannot have, without.
    auth_type: Option<AuthType>,
    /// How they prove it.
    #[schema(value_type = Option<AuthConfig>)]
    auth_config: Option<JsonObject<AuthConfig>>,
    /// Where the idempotency key of a request is found; null or absent: as the preset says, and without one requests are
    /// not deduplicated.
    #[schema(value_type = Option<IdempotencySetting>)]
    idempotency_source: Option<JsonObject<IdempotencySetting>>,
    /// For how long an equal key is a duplicate. At least as long as a preset takes old requests for fresh ones.
    #[schema(minimum = 1, maximum = 2592000, default = 86400)]
    idempotency_window_seconds: Option<u32>,
    /// What an equal key is answered with; `accept` by default.
    on_duplicate: Option<OnDuplicate>,
    /// The type of the events made from accepted requests; by default the slug or `webhook`, and `.received`. With a preset
    /// and without this, each request names its own, such as `github.push`, and those that do not are
    /// `<preset>.received`.
    event_type: Option<EventType>,
    /// What is done with accepted requests.
    handler_type: Option<HandlerType>,
    /// The largest body taken; the deployment's own limit holds as well.
    #[schema(minimum = 1, default = 1048576)]
    max_body_bytes: Option<u32>,
    /// How many requests are taken in which time; by default 600 in 60 seconds with a slug, and 100 without.
    #[schema(value_type = Option<RateLimitSetting>)]
    rate_limit: Option<JsonObject<RateLimitSetting>>,
    /// How many requests are taken in 60 seconds. Short for `rate_limit`, beside which it must be absent.
    #[schema(minimum = 1, maximum = 60000)]
    rate_limit_per_minute: Option<u32>,
    /// After how many hours without a request it counts as silent; null or absent: never.
    #[schema(minimum = 1, maximum = 8760)]
    silence_alarm_hours: Option<u32>,
    /// After how many proven requests in a row that all failed it is switched off; null or absent: never.
    #[schema(minimum = 1, maximum = 100)]
    disable_after_failures: Option<u32>,
    /// Whether requests are taken at all.
    #[schema(default = true)]
    is_active: Option<bool>,
}

/// Where the idempotency key of a request is found.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdempotencySetting {
    #[serde(rename = "type")]
    kind: IdempotencyKind,
    /// The name of the header, or the path, made of names and indexes only: `$.alert.id`. Absent with the other types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Idempotency-Key")]
    value: Option<String>,
}

/// Kinds of places that an idempotency key can be found in.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IdempotencyKind {
    /// A header.
    Header,
    /// A place in the JSON body.
    Jsonpath,
    /// The digest of the body.
    Body,
    /// As the preset says.
    Preset,
    /// Nowhere: requests are not deduplicated.
    None,
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

/// How many requests are taken in which time. Windows are aligned to the clock.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateLimitSetting {
    /// The number of requests in one window.
    #[schema(minimum = 1, maximum = 1000000)]
    pub(crate) requests: u32,
    /// The length of a window.
    #[schema(minimum = 1, maximum = 3600)]
    pub(crate) window_seconds: u32,
}

impl From<IdempotencySource> for IdempotencySetting {
    fn from(source: IdempotencySource) -> Self {
        match source {
            IdempotencySource::Header(value) => Self { kind: IdempotencyKind::Header, value: Some(value) },
            IdempotencySource::JsonPath(path) => Self { kind: IdempotencyKind::Jsonpath, value: Some(path.into()) },
            IdempotencySource::Derived(Dedupe::Named(Named::Body)) => Self { kind: IdempotencyKind::Body, value: None },
            IdempotencySource::Derived(_) => Self { kind: IdempotencyKind::Preset, value: None },
        }
    }
}

impl From<RateLimit> for RateLimitSetting {
    fn from(limit: RateLimit) -> Self {
        Self { requests: limit.requests, window_seconds: limit.window_s }
    }
}

/// Settings that make sense together, but for what [`fits`] holds against the proof.
pub(super) struct Checked {
    pub(super) name: Name,
    pub(super) slug: Option<Slug>,
    pub(super) description: Option<Description>,
    pub(super) auth: Asked,
    /// Whether nothing was said of the proof: a change then keeps it.
    pub(super) keeps_auth: bool,
    pub(super) idempotency: Option<IdempotencySource>,
    /// Whether nothing was said of the idempotency key.
    pub(super) keeps_idempotency: bool,
    pub(super) naming: Option<Naming>,
    pub(super) handshakes: Vec<Handshake>,
    /// Whether nothing was said of handshakes: a change that keeps the proof then keeps them.
    pub(super) keeps_handshakes: bool,
    /// `None`: as long as by default, and as the proof asks for.
    pub(super) idempotency_window_s: Option<u32>,
    pub(super) on_duplicate: OnDuplicate,
    pub(super) event_type: EventType,
    /// Whether nothing was said of the event type: a change then keeps it.
    pub(super) keeps_event_type: bool,
    pub(super) max_body_bytes: u32,
    pub(super) rate_limit: RateLimit,
    pub(super) silence_alarm_h: Option<u16>,
    pub(super) disable_after_failures: Option<u32>,
    pub(super) is_active: bool,
}

impl InboundWebhookSettings {
    /// The preset that is asked for.
    pub(super) fn preset(&self) -> Option<&str> {
        self.preset.as_deref()
    }

    /// Fills defaults in and holds the fields against each other and against the deployment's limits.
    pub(super) fn checked(self, config: &Config, preset: Option<&Preset>) -> Result<Checked> {
        // What was read can be sent back: the type of events that name none is no type for all.
        let event_type =
            self.event_type.filter(|given| preset.is_none_or(|preset| given.as_str() != preset.fallback_type()));
        let keeps_auth = self.auth_type.is_none() && self.auth_config.is_none() && preset.is_none();
        let keeps_handshakes = self.handshakes.is_none() && preset.is_none();
        let handshakes = match (self.handshakes, preset) {
            (Some(given), _) => handshakes(given)?,
            (None, Some(preset)) => preset.handshakes.clone(),
            (None, None) => Vec::new(),
        };
        let urls = &config.egress.urls();
        let has_slug = self.slug.is_some();
        let rules = Rules { has_slug, urls, preset, handshakes: &handshakes };
        let auth_config = self.auth_config.map(|JsonObject(config)| config);
        let auth = Asked::new(self.auth_type, auth_config, &rules)?;
        // The only handler there is needs no settings of its own.
        let HandlerType::Event = self.handler_type.unwrap_or(HandlerType::Event);
        let window =
            within("idempotency_window_seconds", self.idempotency_window_seconds, 1..=MAX_IDEMPOTENCY_WINDOW_S)?;
        let largest = u32::try_from(config.max_body_bytes).unwrap_or(u32::MAX);
        let silence = within("silence_alarm_hours", self.silence_alarm_hours, 1..=MAX_SILENCE_H)?;
        let keeps_event_type = event_type.is_none() && preset.is_none();
        Ok(Checked {
            auth,
            keeps_auth,
            keeps_event_type,
            naming: preset.filter(|_| event_type.is_none()).and_then(Preset::naming),
            keeps_handshakes,
            keeps_idempotency: self.idempotency_source.is_none() && preset.is_none(),
            idempotency: match (self.idempotency_source, preset) {
                (Some(JsonObject(source)), _) => idempotency(source, preset)?,
                (None, Some(preset)) => Some(IdempotencySource::Derived(preset.dedupe.clone())),
                (None, None) => None,
            },
            idempotency_window_s: window,
            handshakes,
            on_duplicate: self.on_duplicate.unwrap_or_default(),
            event_type: match event_type {
                Some(event_type) if is_own(&event_type) => {
                    return Err(Error::field("event_type", format!("{event_type} is told by the gateway alone")));
                }
                Some(event_type) => event_type,
                None => default_event_type(self.slug.as_ref(), preset)?,
            },
            max_body_bytes: within("max_body_bytes", self.max_body_bytes, 1..=largest)?
                .unwrap_or(DEFAULT_MAX_BODY_BYTES.min(largest)),
            rate_limit: rate_limit(self.rate_limit, self.rate_limit_per_minute, has_slug)?,
            silence_alarm_h: silence.and_then(|hours| u16::try_from(hours).ok()),
            disable_after_failures: within("disable_after_failures", self.disable_after_failures, 1..=MAX_FAILURES)?,
            is_active: self.is_active.unwrap_or(true),
            name: self.name,
            slug: self.slug,
            description: self.description,
        })
    }
}

/// For how long a key is taken, by what was said of it and by what is proved: a captured request would be taken again
/// once its key is free while its time is still fresh.
pub(super) fn window(auth: &Auth, given: Option<u32>) -> Result<u32> {
    let tolerances = auth.proofs.iter().filter_map(|proof| match proof {
        Proof::Scheme(proof) => proof.scheme.tolerance_s(),
        _ => None,
    });
    // Either way: what is signed for the future is fresh for twice as long.
    let least = tolerances.max().unwrap_or(0).saturating_mul(2).min(MAX_IDEMPOTENCY_WINDOW_S);
    match given {
        Some(given) if given < least => {
            let rule = format!("must be at least {least}: so long may a request count as fresh");
            Err(Error::field("idempotency_window_seconds", rule))
        }
        Some(given) => Ok(given),
        None => Ok(DEFAULT_IDEMPOTENCY_WINDOW_S.max(least)),
    }
}

/// Holds a proof against the settings that depend on it.
pub(super) fn fits(auth: &Auth, has_slug: bool, idempotency: Option<&IdempotencySource>) -> Result<()> {
    if has_slug && !auth.proves_something() {
        return Err(Error::ProofRequired);
    }
    match idempotency {
        // Keys are kept and shown in logs of deliveries, where no credential may stand.
        Some(IdempotencySource::Header(name)) if !may_keep_header(&name.to_ascii_lowercase(), auth) => {
            Err(Error::field("idempotency_source.value", "must not be a header that carries a credential"))
        }
        Some(IdempotencySource::Header(_) | IdempotencySource::JsonPath(_) | IdempotencySource::Derived(_)) | None => {
            Ok(())
        }
    }
}

/// Reads handshakes that came with the webhook.
fn handshakes(given: Vec<Value>) -> Result<Vec<Handshake>> {
    let parsed = serde_json::from_value::<Vec<Handshake>>(Value::Array(given));
    let parsed = parsed.map_err(|error| Error::field("handshakes", error.to_string()))?;
    check_handshakes(&parsed).map_err(|rule| Error::field("handshakes", rule))?;
    // Whoever writes handshakes could otherwise read what is never shown.
    if parsed.iter().any(|handshake| !handshake.told_settings().is_empty()) {
        return Err(Error::field("handshakes", "must not tell settings in their answers"));
    }
    if serde_json::to_vec(&parsed).map_or(usize::MAX, |json| json.len()) > MAX_HANDSHAKES_BYTES {
        return Err(Error::field("handshakes", format!("must have at most {MAX_HANDSHAKES_BYTES} bytes")));
    }
    Ok(parsed)
}

fn idempotency(source: IdempotencySetting, preset: Option<&Preset>) -> Result<Option<IdempotencySource>> {
    let field = "idempotency_source.value";
    let needs_value = matches!(source.kind, IdempotencyKind::Header | IdempotencyKind::Jsonpath);
    let value = match (source.value, needs_value) {
        (None, true) => return Err(Error::field(field, "must be given with this type")),
        (Some(_), false) if !matches!(source.kind, IdempotencyKind::Jsonata) => {
            return Err(Error::field(field, "must be absent with this type"));
        }
        (value, _) => value.unwrap_or_default(),
    };
    let source = match source.kind {
        IdempotencyKind::None => return Ok(None),
        IdempotencyKind::Body => Ok(IdempotencySource::Derived(Dedupe::Named(Named::Body))),
        IdempotencyKind::Preset => match preset {
            Some(preset) => Ok(IdempotencySource::Derived(preset.dedupe.clone())),
            None => Err(Error::field("idempotency_source.type", "needs preset")),
        },
        IdempotencyKind::Jsonata => Err(Error::Unsupported(
            "idempotency_source: keys can be taken from a header or a JSONPath, not from an expression",
        )),
        IdempotencyKind::Header => header_name(field, value).map(IdempotencySource::Header),
        IdempotencyKind::Jsonpath => {
            let path = KeyPath::try_from(value).map_err(|rule| Error::field(field, rule))?;
            Ok(IdempotencySource::JsonPath(path))
        }
    };
    source.map(Some)
}

fn rate_limit(
    given: Option<JsonObject<RateLimitSetting>>,
    per_minute: Option<u32>,
    has_slug: bool,
) -> Result<RateLimit> {
    let per_minute = within("rate_limit_per_minute", per_minute, 1..=MAX_PER_MINUTE)?;
    match (given, per_minute) {
        (Some(_), Some(_)) => Err(Error::field("rate_limit_per_minute", "must be absent beside rate_limit")),
        (Some(JsonObject(given)), None) => {
            within("rate_limit.requests", Some(given.requests), 1..=MAX_REQUESTS)?;
            within("rate_limit.window_seconds", Some(given.window_seconds), 1..=MAX_WINDOW_S)?;
            Ok(RateLimit { requests: given.requests, window_s: given.window_seconds })
        }
        (None, Some(requests)) => Ok(RateLimit { requests, window_s: 60 }),
        (None, None) if has_slug => Ok(RateLimit::OF_SLUGS),
        (None, None) => Ok(RateLimit::OF_KEYS),
    }
}

/// Reads an allow-list.
pub(crate) fn networks(field: &str, given: &[String]) -> Result<Vec<IpNet>> {
    if !(1..=MAX_NETWORKS).contains(&given.len()) {
        return Err(Error::field(field, format!("must have 1 to {MAX_NETWORKS} entries")));
    }
    let networks = given.iter().enumerate().map(|(index, entry)| {
        network(entry).ok_or_else(|| {
            Error::field(&format!("{field}[{index}]"), "must be an address or a network such as 192.0.2.0/24")
        })
    });
    networks.collect()
}

pub(crate) fn header_name(field: &str, name: String) -> Result<String> {
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(name),
        Err(_) => Err(Error::field(field, "must be the name of an HTTP header")),
    }
}

/// Refuses a number outside of its range.
pub(crate) fn within(field: &str, given: Option<u32>, range: RangeInclusive<u32>) -> Result<Option<u32>> {
    match given {
        Some(value) if !range.contains(&value) => {
            Err(Error::field(field, format!("must be from {} to {}", range.start(), range.end())))
        }
        given => Ok(given),
    }
}

fn default_event_type(slug: Option<&Slug>, preset: Option<&Preset>) -> Result<EventType> {
    if let Some(preset) = preset {
        return EventType::try_from(preset.fallback_type()).map_err(|rule| Error::field("event_type", rule));
    }
    let noun = slug.map_or("webhook", Slug::as_str).replace('-', "_");
    EventType::try_from(format!("{noun}.received")).map_err(|rule| Error::field("event_type", rule))
}
