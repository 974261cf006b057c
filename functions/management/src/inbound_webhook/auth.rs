//! What senders must prove: as a caller writes it, and as it is kept once its secrets are sealed.

mod scheme;
mod take;
mod view;

use std::collections::BTreeMap;

use hookport::domain::inbound_webhook::{Auth, AuthType, Proof, Secrets, TagEncoding};
use hookport::domain::target_url::UrlPolicy;
use hookport::scheme::handshake::Handshake;
use hookport::scheme::preset::Preset;
use hookport::vault::Owner;
use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use scheme::AskedScheme;
pub(super) use scheme::check as check_row_secret;
pub(crate) use scheme::made as made_row_secret;
pub(super) use take::check_secret;
pub(super) use view::AuthConfigView;

use super::seal;
use crate::api::Api;
use crate::error::{Error, Result};
use crate::extract::JsonObject;
use crate::secret::{ProviderSecret, SuppliedSecret, hex_secret};

/// Where the signature of a webhook with a slug is looked for, unless it says otherwise.
const DEFAULT_SLUG_HEADER: &str = "X-Hub-Signature-256";
/// Where the signature of a webhook with a key is looked for, unless it says otherwise.
pub(crate) const DEFAULT_KEY_HEADERS: [&str; 2] = ["X-Webhook-Signature", "X-Hub-Signature-256"];
/// The query parameter of a path token, unless a webhook says otherwise.
const DEFAULT_QUERY_PARAM: &str = "token";
/// How far the times of a signed token may be overstepped, unless a webhook says otherwise, in seconds.
const DEFAULT_LEEWAY_S: u32 = 60;
/// The longest user name, parameter, issuer or audience, in characters.
const MAX_TEXT_CHARS: usize = 255;

/// How senders prove who they are. Each member belongs to the types that it names; elsewhere it is refused.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthConfig {
    /// Must equal `auth_type` where both are given. Within `all` it must be given.
    #[serde(rename = "type")]
    kind: Option<AuthType>,
    /// `hmac_…`: the header that holds the signature; by default `X-Hub-Signature-256` with a slug, and without one
    /// the first present of `X-Webhook-Signature` and `X-Hub-Signature-256`.
    signature_header: Option<String>,
    /// `hmac_…`: how the signature is written; `hex` by default.
    encoding: Option<TagEncoding>,
    /// `hmac_…`: what is signed; `body` by default.
    format: Option<SignatureFormat>,
    /// `hmac_…` with the format `timestamped`: how far the signed time may be from ours, either way.
    #[schema(minimum = 1, maximum = 3600, default = 300)]
    tolerance_seconds: Option<u32>,
    /// `hmac_…`: the secret that signatures are made with, of 16 to 128 characters. `scheme`: the secret, or public key,
    /// as the provider shows it. Every secret is made by the gateway when absent, but for those that a provider makes,
    /// or kept when a change leaves it out.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4096)]
    secret: Option<ProviderSecret>,
    /// `scheme` without `preset`: the row, as docs/presets.md describes `verify`; must be given then.
    #[schema(value_type = Option<Object>)]
    scheme: Option<Value>,
    /// `scheme`: the values beside the secret that the row reads. Those that are never shown are kept when a change
    /// leaves them out.
    settings: Option<BTreeMap<String, String>>,
    /// `bearer`, `path_token`: the token.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 128)]
    token: Option<SuppliedSecret>,
    /// `basic`: the user's name; must be given.
    #[schema(min_length = 1, max_length = 255)]
    username: Option<String>,
    /// `basic`: the password.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 128)]
    password: Option<SuppliedSecret>,
    /// `api_key`: the header that holds the key; must be given.
    #[schema(example = "X-Api-Key")]
    header: Option<String>,
    /// `api_key`: the key.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 128)]
    key: Option<SuppliedSecret>,
    /// `path_token`: the query parameter that holds the token.
    #[schema(min_length = 1, max_length = 255, default = "token")]
    query_param: Option<String>,
    /// `jwt`: where the issuer publishes its keys; must be given.
    #[schema(format = "uri", min_length = 8, max_length = 1024)]
    jwks_url: Option<String>,
    /// `jwt`: what `iss` must be; absent: anything.
    #[schema(min_length = 1, max_length = 255)]
    issuer: Option<String>,
    /// `jwt`: what `aud` must contain; must be given.
    #[schema(min_length = 1, max_length = 255)]
    audience: Option<String>,
    /// `jwt`: how far `exp` and `nbf` may be overstepped.
    #[schema(maximum = 600, default = 60)]
    leeway_seconds: Option<u32>,
    /// `ip_allowlist`: the networks that requests may come from, and single addresses; must be given. With `scheme`, it may
    /// stand beside the row.
    #[schema(min_items = 1, max_items = 200, example = json!(["192.0.2.0/24", "2001:db8::7"]))]
    ip_cidrs: Option<Vec<String>>,
    /// `all`: what must hold together, `ip_allowlist` at most once, and one of `bearer`, `basic` and `jwt` at most;
    /// must be given.
    #[schema(value_type = Option<Vec<AuthConfig>>, no_recursion, min_items = 2, max_items = 8)]
    of: Option<Vec<JsonObject<AuthConfig>>>,
}

/// What is signed, and how the header's value is built.
#[derive(Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignatureFormat {
    /// The body; the value is the signature, bare or after the algorithm's name and `=`.
    #[default]
    Body,
    /// The time, a dot and the body; the value is `t=<unix seconds>,v1=<signature>`.
    Timestamped,
}

/// What a configuration is judged by.
pub(super) struct Rules<'a> {
    /// Whether the webhook has a slug.
    pub(super) has_slug: bool,
    /// Which URLs the deployment accepts.
    pub(super) urls: &'a UrlPolicy,
    /// The preset whose row is to be the proof.
    pub(super) preset: Option<&'a Preset>,
    /// The handshakes that came with the webhook.
    pub(super) handshakes: &'a [Handshake],
}

/// What senders are to prove, before any secret is made or sealed.
pub(super) struct Asked {
    allowed_ips: Option<Vec<IpNet>>,
    proofs: Vec<AskedProof>,
}

enum Part {
    Networks(Vec<IpNet>),
    Proof(AskedProof),
}

enum AskedProof {
    /// A proof that has no secret.
    Whole(Proof),
    /// A proof by a row.
    Scheme(Box<AskedScheme>),
    /// A proof that lacks its secret.
    Secret { kind: AuthType, supplied: Option<SecretString>, with: Box<dyn FnOnce(Secrets) -> Proof + Send> },
}

impl AskedProof {
    fn kind(&self) -> AuthType {
        match self {
            Self::Whole(proof) => proof.kind(),
            Self::Scheme(_) => AuthType::Scheme,
            Self::Secret { kind, .. } => *kind,
        }
    }

    /// Tells whether it takes the header `Authorization`, of which a request has one.
    fn is_in_authorization(&self) -> bool {
        matches!(self.kind(), AuthType::Bearer | AuthType::Basic | AuthType::Jwt)
    }

    /// Tells whether it costs a tag over the body.
    fn is_signature(&self) -> bool {
        let kinds = [AuthType::HmacSha1, AuthType::HmacSha256, AuthType::HmacSha512, AuthType::Scheme];
        kinds.contains(&self.kind())
    }
}

/// A secret that a request set, and the number of its proof.
pub(super) struct NewSecret {
    pub(super) proof: usize,
    pub(super) secret: SecretString,
}

impl Asked {
    /// Holds the members of a configuration against its type, and fills defaults in.
    pub(super) fn new(auth_type: Option<AuthType>, config: Option<AuthConfig>, rules: &Rules<'_>) -> Result<Self> {
        let is_given = config.is_some();
        let mut config = config.unwrap_or_default();
        let preset = rules.preset.map(|_| AuthType::Scheme);
        let kind = match (auth_type, config.kind) {
            (Some(kind), _) | (None, Some(kind)) if preset.is_some_and(|preset| preset != kind) => {
                return Err(Error::field("auth_type", "must be absent or scheme: the preset says how it is proved"));
            }
            _ if preset.is_some() => AuthType::Scheme,
            (Some(one), Some(other)) if one != other => {
                return Err(Error::field("auth_config.type", "must equal auth_type"));
            }
            (Some(kind), _) | (None, Some(kind)) => kind,
            (None, None) if is_given => {
                return Err(Error::field("auth_config.type", "must be given, or else auth_type"));
            }
            (None, None) if rules.has_slug => AuthType::HmacSha256,
            (None, None) => AuthType::None,
        };
        let parts = match kind {
            AuthType::None => Vec::new(),
            AuthType::All => config.take_members(rules)?,
            AuthType::Scheme => config.take_scheme(rules)?,
            kind => vec![config.take_part(kind, "auth_config", rules)?],
        };
        config.refuse_rest("auth_config")?;
        let mut asked = Self { allowed_ips: None, proofs: Vec::new() };
        for part in parts {
            match part {
                Part::Networks(networks) if asked.allowed_ips.is_none() => asked.allowed_ips = Some(networks),
                Part::Networks(_) => return Err(Error::field("auth_config.of", "must have ip_allowlist at most once")),
                Part::Proof(proof) => asked.proofs.push(proof),
            }
        }
        if asked.proofs.iter().filter(|proof| proof.is_in_authorization()).count() > 1 {
            return Err(Error::field(
                "auth_config.of",
                "must have one of bearer, basic and jwt at most: they share a header",
            ));
        }
        // Each would be computed over the whole body for every stranger, and tell the webhook from one that is not there.
        if asked.proofs.iter().filter(|proof| proof.is_signature()).count() > 1 {
            return Err(Error::field("auth_config.of", "must have one of hmac_… and scheme at most"));
        }
        Ok(asked)
    }

    /// Makes or takes the secrets, and seals them. What was not supplied is kept from the proof of the same kind at
    /// the same place of `before`.
    pub(super) async fn sealed(self, api: &Api, owner: &Owner, before: &Auth) -> Result<(Auth, Vec<NewSecret>)> {
        let mut auth = Auth { allowed_ips: self.allowed_ips, proofs: Vec::with_capacity(self.proofs.len()) };
        let mut new = Vec::new();
        for (index, asked) in self.proofs.into_iter().enumerate() {
            let proof = match asked {
                AskedProof::Whole(proof) => proof,
                AskedProof::Scheme(asked) => {
                    let (proof, secret) = asked.sealed(api, owner, before, index).await?;
                    new.extend(secret.map(|secret| NewSecret { proof: index, secret }));
                    proof
                }
                AskedProof::Secret { kind, supplied, with } => {
                    let kept = before.proofs.get(index).filter(|proof| proof.kind() == kind).and_then(Proof::secret);
                    with(match (supplied, kept) {
                        (None, Some(kept)) => kept.clone(),
                        (supplied, _) => {
                            let secret = supplied.unwrap_or_else(|| hex_secret::<32>(&api.app.random));
                            let sealed = seal(api, &secret, owner).await?;
                            new.push(NewSecret { proof: index, secret });
                            Secrets::new(sealed)
                        }
                    })
                }
            };
            auth.proofs.push(proof);
        }
        Ok((auth, new))
    }
}
