//! How the webhook of an event type is protected: as the API shows it, and as a change writes it.

use hookport::domain::inbound_webhook::{
    Auth, DEFAULT_MAX_BODY_BYTES, HmacAlgorithm, HmacProof, IdempotencySource, InboundWebhook, MAX_PROOFS, Proof,
    Secrets,
};
use hookport::domain::rate_limit::{MAX_REQUESTS, MAX_WINDOW_S, RateLimit};
use hookport::vault::Owner;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::extract::JsonObject;
use crate::inbound_webhook::{DEFAULT_KEY_HEADERS, header_name, networks, seal, within};
use crate::secret::{SuppliedSecret, hex_secret};

/// The signature that a webhook asks for.
#[derive(Serialize, ToSchema)]
pub(crate) struct TriggerHmac {
    /// Whether it asks for one.
    enabled: bool,
    /// The hash; null: no signature is asked for.
    algorithm: Option<HmacAlgorithm>,
    /// The header that holds it; null: `X-Webhook-Signature`, or else `X-Hub-Signature-256`.
    signature_header: Option<String>,
}

/// The networks that a webhook takes requests from.
#[derive(Serialize, ToSchema)]
pub(crate) struct TriggerIpAllowlist {
    /// Whether only these are let in.
    enabled: bool,
    /// The networks.
    #[schema(example = json!(["192.30.252.0/22", "185.199.108.0/22"]))]
    cidrs: Vec<String>,
}

impl TriggerHmac {
    pub(super) fn of(auth: &Auth) -> Self {
        let hmac = hmac_of(auth);
        let header = hmac.filter(|hmac| hmac.headers != DEFAULT_KEY_HEADERS).and_then(|hmac| hmac.headers.first());
        Self { enabled: hmac.is_some(), algorithm: hmac.map(|hmac| hmac.algorithm), signature_header: header.cloned() }
    }
}

impl TriggerIpAllowlist {
    pub(super) fn of(auth: &Auth) -> Self {
        let networks = auth.allowed_ips.iter().flatten();
        Self { enabled: auth.allowed_ips.is_some(), cidrs: networks.map(ToString::to_string).collect() }
    }
}

/// What is to become of a setting: absent, it stays; null takes it away; anything else sets it.
#[derive(Default)]
pub(crate) enum Change<T> {
    #[default]
    Keep,
    Remove,
    Set(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Remove, Self::Set))
    }
}

/// How a webhook is to be protected from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TriggerWebhookChanges {
    /// The signature to ask for; null: none.
    #[serde(default)]
    #[schema(value_type = Option<TriggerHmacChange>)]
    hmac: Change<JsonObject<TriggerHmacChange>>,
    /// The networks to take requests from; null: any.
    #[serde(default)]
    #[schema(value_type = Option<TriggerIpAllowlistChange>)]
    ip_allowlist: Change<JsonObject<TriggerIpAllowlistChange>>,
    /// How many requests to take in which time; null: 100 in 60 seconds.
    #[serde(default)]
    #[schema(value_type = Option<TriggerRateLimitChange>)]
    rate_limit: Change<JsonObject<TriggerRateLimitChange>>,
    /// The largest body to take; null: 1 MiB. The deployment's own limit holds as well.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1)]
    max_body_bytes: Change<u32>,
    /// The same in units of 1,024 bytes; must be absent beside `max_body_bytes`.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1)]
    payload_size_limit_kb: Change<u32>,
}

/// The signature to ask for. What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TriggerHmacChange {
    /// Whether to ask for one; true when absent. Once it is not asked for, its secret is forgotten.
    enabled: Option<bool>,
    /// The hash; `sha256` at first.
    algorithm: Option<HmacAlgorithm>,
    /// The header that holds it; null: `X-Webhook-Signature`, or else `X-Hub-Signature-256`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    signature_header: Change<String>,
    /// The secret that signatures are made with; made by the gateway when there is none.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 128)]
    secret: Option<SuppliedSecret>,
}

/// The networks to take requests from. What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TriggerIpAllowlistChange {
    /// Whether to let only these in; true when absent. Once it is not, they are forgotten.
    enabled: Option<bool>,
    /// The networks, and single addresses.
    #[schema(min_items = 1, max_items = 200)]
    cidrs: Option<Vec<String>>,
}

/// How many requests to take in which time. What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TriggerRateLimitChange {
    /// The number of requests in one window.
    #[schema(minimum = 1, maximum = 1000000)]
    requests: Option<u32>,
    /// The length of a window.
    #[schema(minimum = 1, maximum = 3600)]
    window_seconds: Option<u32>,
}

impl TriggerWebhookChanges {
    /// What `before` becomes, and the secret if this sets one.
    pub(super) async fn applied(
        self,
        api: &Api,
        before: &InboundWebhook,
    ) -> Result<(InboundWebhook, Option<SecretString>)> {
        let mut after = before.clone();
        after.rate_limit = match self.rate_limit {
            Change::Keep => before.rate_limit,
            Change::Remove => RateLimit::OF_KEYS,
            Change::Set(JsonObject(change)) => change.applied(before.rate_limit)?,
        };
        let largest = u32::try_from(api.app.config.max_body_bytes).unwrap_or(u32::MAX);
        after.max_body_bytes = match max_body_bytes(self.max_body_bytes, self.payload_size_limit_kb, largest)? {
            Change::Keep => before.max_body_bytes,
            Change::Remove => DEFAULT_MAX_BODY_BYTES.min(largest),
            Change::Set(bytes) => bytes,
        };
        match self.ip_allowlist {
            Change::Keep => {}
            Change::Remove => after.auth.allowed_ips = None,
            Change::Set(JsonObject(change)) => change.apply(&mut after.auth)?,
        }
        let secret = match self.hmac {
            Change::Keep => None,
            Change::Remove => {
                forget_hmac(&mut after.auth);
                None
            }
            Change::Set(JsonObject(change)) => change.apply(api, &mut after).await?,
        };
        if let Some(IdempotencySource::Header(name)) = &after.idempotency
            && after.auth.is_credential_header(name)
        {
            return Err(Error::field("hmac.signature_header", "must not be the header of the idempotency key"));
        }
        Ok((after, secret))
    }
}

impl TriggerHmacChange {
    async fn apply(self, api: &Api, webhook: &mut InboundWebhook) -> Result<Option<SecretString>> {
        if self.enabled == Some(false) {
            if self.secret.is_some() {
                return Err(Error::field("hmac.secret", "must be absent when no signature is to be asked for"));
            }
            forget_hmac(&mut webhook.auth);
            return Ok(None);
        }
        let present = hmac_of(&webhook.auth).cloned();
        let (secret, new) = match (self.secret, &present) {
            (None, Some(present)) => (present.secret.clone(), None),
            (supplied, _) => {
                let plain = supplied.map_or_else(|| hex_secret::<64>(&api.app.random), |SuppliedSecret(secret)| secret);
                let owner = Owner::new(&webhook.tenant, webhook.id);
                (Secrets::new(seal(api, &plain, &owner).await?), Some(plain))
            }
        };
        let (encoding, form) = present.as_ref().map(|hmac| (hmac.encoding, hmac.form)).unwrap_or_default();
        let headers = match self.signature_header {
            Change::Keep => present.as_ref().map_or_else(default_headers, |hmac| hmac.headers.clone()),
            Change::Remove => default_headers(),
            Change::Set(header) => vec![header_name("hmac.signature_header", header)?],
        };
        let algorithm = self.algorithm.or(present.map(|hmac| hmac.algorithm)).unwrap_or(HmacAlgorithm::Sha256);
        let proof = Proof::Hmac(HmacProof { algorithm, headers, encoding, form, secret });
        let is_full = webhook.auth.proofs.len() >= MAX_PROOFS;
        match webhook.auth.proofs.iter_mut().find(|proof| matches!(proof, Proof::Hmac(_))) {
            Some(place) => *place = proof,
            None if is_full => {
                return Err(Error::field("hmac", format!("the webhook asks for {MAX_PROOFS} proofs already")));
            }
            None => webhook.auth.proofs.push(proof),
        }
        Ok(new)
    }
}

impl TriggerIpAllowlistChange {
    fn apply(self, auth: &mut Auth) -> Result<()> {
        if self.enabled == Some(false) {
            auth.allowed_ips = None;
            return Ok(());
        }
        let field = "ip_allowlist.cidrs";
        let Some(given) = self.cidrs else {
            // A list that is not there must not let everybody in.
            return if auth.allowed_ips.is_some() { Ok(()) } else { Err(Error::field(field, "must be given")) };
        };
        auth.allowed_ips = Some(networks(field, &given)?);
        Ok(())
    }
}

impl TriggerRateLimitChange {
    fn applied(self, before: RateLimit) -> Result<RateLimit> {
        let requests = within("rate_limit.requests", self.requests, 1..=MAX_REQUESTS)?;
        let window = within("rate_limit.window_seconds", self.window_seconds, 1..=MAX_WINDOW_S)?;
        Ok(RateLimit { requests: requests.unwrap_or(before.requests), window_s: window.unwrap_or(before.window_s) })
    }
}

/// One size out of its two spellings.
fn max_body_bytes(bytes: Change<u32>, kb: Change<u32>, largest: u32) -> Result<Change<u32>> {
    match (bytes, kb) {
        (Change::Set(bytes), Change::Keep) => {
            within("max_body_bytes", Some(bytes), 1..=largest)?;
            Ok(Change::Set(bytes))
        }
        (Change::Keep, Change::Set(kb)) => {
            within("payload_size_limit_kb", Some(kb), 1..=largest / 1_024)?;
            Ok(Change::Set(kb * 1_024))
        }
        (bytes, Change::Keep) => Ok(bytes),
        (Change::Keep, kb) => Ok(kb),
        (Change::Remove | Change::Set(_), Change::Remove | Change::Set(_)) => {
            Err(Error::field("payload_size_limit_kb", "must be absent beside max_body_bytes"))
        }
    }
}

fn default_headers() -> Vec<String> {
    DEFAULT_KEY_HEADERS.map(str::to_owned).into()
}

fn hmac_of(auth: &Auth) -> Option<&HmacProof> {
    auth.proofs.iter().find_map(|proof| match proof {
        Proof::Hmac(hmac) => Some(hmac),
        Proof::Bearer { .. }
        | Proof::Basic { .. }
        | Proof::HeaderKey { .. }
        | Proof::QueryKey { .. }
        | Proof::Jwt(_)
        | Proof::Scheme(_) => None,
    })
}

fn forget_hmac(auth: &mut Auth) {
    auth.proofs.retain(|proof| !matches!(proof, Proof::Hmac(_)));
}
