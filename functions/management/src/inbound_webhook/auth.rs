//! What senders must prove: as a caller writes it, and as it is kept once its secrets are sealed.

mod view;

use hookport::domain::inbound_webhook::{
    Auth, AuthType, DEFAULT_TOLERANCE_S, HmacAlgorithm, HmacProof, JwtProof, MAX_PROOFS, Proof, Secrets, SignatureForm,
    TagEncoding,
};
use hookport::domain::target_url::{TargetUrl, UrlPolicy};
use hookport::vault::Owner;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) use view::AuthConfigView;

use super::seal;
use super::settings::{header_name, networks, within};
use crate::api::Api;
use crate::error::{Error, Result};
use crate::extract::JsonObject;
use crate::secret::{SuppliedSecret, hex_secret};

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
    /// `hmac_…`: the secret that signatures are made with. Every secret is made by the gateway when absent, or kept
    /// when a change leaves it out.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 128)]
    secret: Option<SuppliedSecret>,
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
    /// `ip_allowlist`: the networks that requests may come from, and single addresses; must be given.
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
    /// A proof that lacks its secret.
    Secret { kind: AuthType, supplied: Option<SecretString>, with: Box<dyn FnOnce(Secrets) -> Proof + Send> },
}

impl AskedProof {
    fn kind(&self) -> AuthType {
        match self {
            Self::Whole(proof) => proof.kind(),
            Self::Secret { kind, .. } => *kind,
        }
    }

    /// Tells whether it takes the header `Authorization`, of which a request has one.
    fn is_in_authorization(&self) -> bool {
        matches!(self.kind(), AuthType::Bearer | AuthType::Basic | AuthType::Jwt)
    }

    /// Tells whether it costs a tag over the body.
    fn is_signature(&self) -> bool {
        matches!(self.kind(), AuthType::HmacSha1 | AuthType::HmacSha256 | AuthType::HmacSha512)
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
        let kind = match (auth_type, config.kind) {
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
            return Err(Error::field("auth_config.of", "must have one hmac_… at most"));
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

impl AuthConfig {
    /// The parts of `all`.
    fn take_members(&mut self, rules: &Rules<'_>) -> Result<Vec<Part>> {
        let members = self.of.take().unwrap_or_default();
        if !(2..=MAX_PROOFS).contains(&members.len()) {
            return Err(Error::field("auth_config.of", format!("must have 2 to {MAX_PROOFS} entries")));
        }
        let members = members.into_iter().enumerate().map(|(index, JsonObject(mut member))| -> Result<Part> {
            let at = format!("auth_config.of[{index}]");
            let kind = member.kind.ok_or_else(|| Error::field(&format!("{at}.type"), "must be given"))?;
            let part = member.take_part(kind, &at, rules)?;
            member.refuse_rest(&at)?;
            Ok(part)
        });
        members.collect()
    }

    /// Takes the members that belong to `kind`; `at` is where the configuration stands in the request.
    fn take_part(&mut self, kind: AuthType, at: &str, rules: &Rules<'_>) -> Result<Part> {
        match kind {
            AuthType::HmacSha256 => self.take_hmac(kind, HmacAlgorithm::Sha256, at, rules),
            AuthType::HmacSha1 => self.take_hmac(kind, HmacAlgorithm::Sha1, at, rules),
            AuthType::HmacSha512 => self.take_hmac(kind, HmacAlgorithm::Sha512, at, rules),
            AuthType::Bearer => {
                secret(kind, &format!("{at}.token"), self.token.take(), |secret| Proof::Bearer { secret })
            }
            AuthType::Basic => {
                let field = format!("{at}.username");
                let username = text(&field, needed(&field, self.username.take())?)?;
                if username.contains(':') {
                    return Err(Error::field(&field, "must not contain a colon, which ends it on its way"));
                }
                let with = |secret| Proof::Basic { username, secret };
                secret(kind, &format!("{at}.password"), self.password.take(), with)
            }
            AuthType::ApiKey => {
                let field = format!("{at}.header");
                let header = header_name(&field, needed(&field, self.header.take())?)?;
                secret(kind, &format!("{at}.key"), self.key.take(), |secret| Proof::HeaderKey { header, secret })
            }
            AuthType::PathToken => {
                let param = self.query_param.take().unwrap_or_else(|| DEFAULT_QUERY_PARAM.to_owned());
                let param = text(&format!("{at}.query_param"), param)?;
                secret(kind, &format!("{at}.token"), self.token.take(), |secret| Proof::QueryKey { param, secret })
            }
            AuthType::Jwt => {
                let jwks_url = needed(&format!("{at}.jwks_url"), self.jwks_url.take())?;
                let jwks_url = TargetUrl::parse(&jwks_url, rules.urls)?.as_str().to_owned();
                let optional = |name: &str, given: Option<String>| -> Result<Option<String>> {
                    given.map(|given| text(&format!("{at}.{name}"), given)).transpose()
                };
                let leeway_s = within(&format!("{at}.leeway_seconds"), self.leeway_seconds.take(), 0..=600)?;
                Ok(Part::Proof(AskedProof::Whole(Proof::Jwt(JwtProof {
                    jwks_url,
                    issuer: optional("issuer", self.issuer.take())?,
                    // Many issuers sign for anybody: only this says that a token is meant for us.
                    audience: Some(needed(&format!("{at}.audience"), optional("audience", self.audience.take())?)?),
                    leeway_s: leeway_s.unwrap_or(DEFAULT_LEEWAY_S),
                }))))
            }
            AuthType::IpAllowlist => {
                let given = self.ip_cidrs.take().unwrap_or_default();
                networks(&format!("{at}.ip_cidrs"), &given).map(Part::Networks)
            }
            AuthType::All | AuthType::None => {
                Err(Error::field(&format!("{at}.type"), "must be a proof or ip_allowlist"))
            }
        }
    }

    fn take_hmac(&mut self, kind: AuthType, algorithm: HmacAlgorithm, at: &str, rules: &Rules<'_>) -> Result<Part> {
        let headers = match self.signature_header.take() {
            Some(header) => vec![header_name(&format!("{at}.signature_header"), header)?],
            None if rules.has_slug => vec![DEFAULT_SLUG_HEADER.to_owned()],
            None => DEFAULT_KEY_HEADERS.map(str::to_owned).into(),
        };
        let field = format!("{at}.tolerance_seconds");
        let tolerance = within(&field, self.tolerance_seconds.take(), 1..=3_600)?;
        let form = match self.format.take().unwrap_or_default() {
            SignatureFormat::Body if tolerance.is_some() => {
                return Err(Error::field(&field, "needs the format timestamped"));
            }
            SignatureFormat::Body => SignatureForm::Body,
            SignatureFormat::Timestamped => {
                SignatureForm::Timestamped { tolerance_s: tolerance.unwrap_or(DEFAULT_TOLERANCE_S) }
            }
        };
        let encoding = self.encoding.take().unwrap_or_default();
        secret(kind, &format!("{at}.secret"), self.secret.take(), move |secret| {
            Proof::Hmac(HmacProof { algorithm, headers, encoding, form, secret })
        })
    }

    /// Refuses what is left once the members that belong to the type were taken.
    fn refuse_rest(&self, at: &str) -> Result<()> {
        let rest = [
            ("signature_header", self.signature_header.is_some()),
            ("encoding", self.encoding.is_some()),
            ("format", self.format.is_some()),
            ("tolerance_seconds", self.tolerance_seconds.is_some()),
            ("secret", self.secret.is_some()),
            ("token", self.token.is_some()),
            ("username", self.username.is_some()),
            ("password", self.password.is_some()),
            ("header", self.header.is_some()),
            ("key", self.key.is_some()),
            ("query_param", self.query_param.is_some()),
            ("jwks_url", self.jwks_url.is_some()),
            ("issuer", self.issuer.is_some()),
            ("audience", self.audience.is_some()),
            ("leeway_seconds", self.leeway_seconds.is_some()),
            ("ip_cidrs", self.ip_cidrs.is_some()),
            ("of", self.of.is_some()),
        ];
        match rest.into_iter().find(|(_, is_left)| *is_left) {
            Some((name, _)) => Err(Error::field(&format!("{at}.{name}"), "does not belong to this type")),
            None => Ok(()),
        }
    }
}

fn secret(
    kind: AuthType,
    field: &str,
    supplied: Option<SuppliedSecret>,
    with: impl FnOnce(Secrets) -> Proof + Send + 'static,
) -> Result<Part> {
    let supplied = supplied.map(|SuppliedSecret(secret)| secret);
    if let Some(supplied) = &supplied {
        check_secret(kind, field, supplied)?;
    }
    Ok(Part::Proof(AskedProof::Secret { kind, supplied, with: Box::new(with) }))
}

/// Refuses a secret that a header cannot carry as it is, if that is where it travels.
pub(super) fn check_secret(kind: AuthType, field: &str, secret: &SecretString) -> Result<()> {
    let secret = secret.expose_secret();
    let in_header = matches!(kind, AuthType::Bearer | AuthType::ApiKey);
    if in_header && (secret.trim() != secret || secret.chars().any(char::is_control)) {
        return Err(Error::field(field, "must not begin or end with a space, or contain control characters"));
    }
    Ok(())
}

fn needed(field: &str, given: Option<String>) -> Result<String> {
    given.ok_or_else(|| Error::field(field, "must be given with this type"))
}

fn text(field: &str, given: String) -> Result<String> {
    if !(1..=MAX_TEXT_CHARS).contains(&given.chars().count()) {
        return Err(Error::field(field, format!("must have 1 to {MAX_TEXT_CHARS} characters")));
    }
    if given.chars().any(char::is_control) {
        return Err(Error::field(field, "must not contain control characters"));
    }
    Ok(given)
}
