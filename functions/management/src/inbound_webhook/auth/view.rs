//! What senders must prove, as the API shows it: everything but the secrets.

use std::collections::BTreeMap;

use hookport::domain::inbound_webhook::{
    Auth, HmacAlgorithm, HmacProof, JwtProof, Proof, Secrets, SettingValue, SignatureForm, TagEncoding,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{DEFAULT_KEY_HEADERS, SignatureFormat};

/// How senders prove who they are, without secrets.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum AuthConfigView {
    /// By HMAC-SHA256 over the raw body.
    HmacSha256(HmacView),
    /// By HMAC-SHA1 over the raw body.
    HmacSha1(HmacView),
    /// By HMAC-SHA512 over the raw body.
    HmacSha512(HmacView),
    /// By `Authorization: Bearer …`.
    Bearer {
        /// Until when the token before this one is taken as well.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
        previous_secret_until: Option<Timestamp>,
    },
    /// By `Authorization: Basic …`.
    Basic {
        /// The user's name.
        username: String,
        /// Until when the password before this one is taken as well.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
        previous_secret_until: Option<Timestamp>,
    },
    /// By a fixed text in a header.
    ApiKey {
        /// The header.
        header: String,
        /// Until when the key before this one is taken as well.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
        previous_secret_until: Option<Timestamp>,
    },
    /// By a fixed text in the query string.
    PathToken {
        /// The parameter.
        query_param: String,
        /// Until when the token before this one is taken as well.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
        previous_secret_until: Option<Timestamp>,
    },
    /// By a token that an issuer signed: `Authorization: Bearer <JWT>`.
    Jwt {
        /// Where the issuer publishes its keys.
        jwks_url: String,
        /// What `iss` must be; null: anything.
        issuer: Option<String>,
        /// What `aud` must contain; null: anything.
        audience: Option<String>,
        /// How far `exp` and `nbf` may be overstepped.
        leeway_seconds: u32,
    },
    /// As a row says.
    Scheme {
        /// The row, where it is not that of `preset`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Object>, nullable = false)]
        scheme: Option<Value>,
        /// The values beside the secret, without those that are never shown.
        settings: BTreeMap<String, String>,
        /// Whether nothing is taken before a handshake has brought the secret.
        waits_for_secret: bool,
        /// Until when the secret before this one is taken as well.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
        previous_secret_until: Option<Timestamp>,
    },
    /// By nothing but the network that a request comes from.
    IpAllowlist {
        /// The networks, a single address as the network of it alone.
        #[schema(example = json!(["192.0.2.0/24", "2001:db8::7/128"]))]
        ip_cidrs: Vec<String>,
    },
    /// By all of these together.
    All {
        /// The allow-list first, if there is one, then the proofs in their order.
        #[schema(no_recursion)]
        of: Vec<AuthConfigView>,
    },
    /// By nothing beyond knowing the URL.
    None,
}

/// How a signature is made and where it is found.
#[derive(Serialize, ToSchema)]
pub(crate) struct HmacView {
    /// The header that holds the signature; null: `X-Webhook-Signature`, or else `X-Hub-Signature-256`.
    signature_header: Option<String>,
    /// How the signature is written.
    encoding: TagEncoding,
    /// What is signed.
    format: SignatureFormat,
    /// How far the signed time may be from ours, with the format `timestamped`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tolerance_seconds: Option<u32>,
    /// Until when the secret before this one is taken as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    previous_secret_until: Option<Timestamp>,
}

impl AuthConfigView {
    /// The view of `auth` at `now`.
    pub(crate) fn new(auth: &Auth, now: Timestamp) -> Self {
        let networks = auth
            .allowed_ips
            .iter()
            .map(|networks| Self::IpAllowlist { ip_cidrs: networks.iter().map(ToString::to_string).collect() });
        let proofs = auth.proofs.iter().map(|proof| Self::of_proof(proof, now));
        let mut of: Vec<_> = networks.chain(proofs).collect();
        match (of.pop(), of.is_empty()) {
            (None, _) => Self::None,
            (Some(only), true) => only,
            (Some(last), false) => {
                of.push(last);
                Self::All { of }
            }
        }
    }

    fn of_proof(proof: &Proof, now: Timestamp) -> Self {
        match proof {
            Proof::Hmac(hmac) => {
                let view = HmacView::new(hmac, now);
                match hmac.algorithm {
                    HmacAlgorithm::Sha256 => Self::HmacSha256(view),
                    HmacAlgorithm::Sha1 => Self::HmacSha1(view),
                    HmacAlgorithm::Sha512 => Self::HmacSha512(view),
                }
            }
            Proof::Bearer { secret } => Self::Bearer { previous_secret_until: previous(secret, now) },
            Proof::Basic { username, secret } => {
                Self::Basic { username: username.clone(), previous_secret_until: previous(secret, now) }
            }
            Proof::HeaderKey { header, secret } => {
                Self::ApiKey { header: header.clone(), previous_secret_until: previous(secret, now) }
            }
            Proof::QueryKey { param, secret } => {
                Self::PathToken { query_param: param.clone(), previous_secret_until: previous(secret, now) }
            }
            Proof::Scheme(proof) => Self::Scheme {
                scheme: proof.preset.is_none().then(|| serde_json::to_value(&proof.scheme).unwrap_or_default()),
                settings: shown(&proof.settings),
                waits_for_secret: proof.waits_for_secret(),
                previous_secret_until: proof.secret.as_ref().and_then(|secret| previous(secret, now)),
            },
            Proof::Jwt(JwtProof { jwks_url, issuer, audience, leeway_s }) => Self::Jwt {
                jwks_url: jwks_url.clone(),
                issuer: issuer.clone(),
                audience: audience.clone(),
                leeway_seconds: *leeway_s,
            },
        }
    }
}

impl HmacView {
    fn new(hmac: &HmacProof, now: Timestamp) -> Self {
        let (format, tolerance_seconds) = match hmac.form {
            SignatureForm::Body => (SignatureFormat::Body, None),
            SignatureForm::Timestamped { tolerance_s } => (SignatureFormat::Timestamped, Some(tolerance_s)),
        };
        let is_default = hmac.headers == DEFAULT_KEY_HEADERS;
        Self {
            signature_header: if is_default { None } else { hmac.headers.first().cloned() },
            encoding: hmac.encoding,
            format,
            tolerance_seconds,
            previous_secret_until: previous(&hmac.secret, now),
        }
    }
}

/// The settings that may be shown.
fn shown(settings: &BTreeMap<String, SettingValue>) -> BTreeMap<String, String> {
    let plain = settings.iter().filter_map(|(name, value)| match value {
        SettingValue::Plain(value) => Some((name.clone(), value.clone())),
        SettingValue::Sealed(_) => None,
    });
    plain.collect()
}

/// Until when the secret before this one is taken, if it still is.
fn previous(secrets: &Secrets, now: Timestamp) -> Option<Timestamp> {
    secrets.previous.as_ref().map(|previous| previous.until).filter(|until| now < *until)
}
