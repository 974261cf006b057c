//! What a sender must prove: a value that says it, never a branch per provider.

use std::collections::BTreeMap;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::scheme::Scheme;
use crate::scheme::preset::PresetName;
use crate::vault::Sealed;

/// How far a signed time may be from ours unless a webhook says otherwise, in seconds.
pub const DEFAULT_TOLERANCE_S: u32 = 300;
/// The most proofs that one webhook can ask for together.
pub const MAX_PROOFS: usize = 8;
/// The most networks in one allow-list.
pub const MAX_NETWORKS: usize = 200;

/// What a sender must prove; all of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Auth {
    /// The networks that requests may come from; `None`: any. An empty list lets nobody in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_ips: Option<Vec<IpNet>>,
    /// What each request must show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<Proof>,
}

/// One thing that each request must show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Proof {
    /// A tag over the raw body, in a header.
    Hmac(HmacProof),
    /// `Authorization: Bearer …`.
    Bearer {
        /// The token.
        secret: Secrets,
    },
    /// `Authorization: Basic …`.
    Basic {
        /// The user's name.
        username: String,
        /// The password.
        secret: Secrets,
    },
    /// A fixed text in a header of the sender's choice.
    HeaderKey {
        /// The header.
        header: String,
        /// The text.
        secret: Secrets,
    },
    /// A fixed text in the query string.
    QueryKey {
        /// The parameter.
        param: String,
        /// The text.
        secret: Secrets,
    },
    /// A token signed by an issuer whose keys are published: `Authorization: Bearer <JWT>`.
    Jwt(JwtProof),
    /// What a row says, that of a preset or one of the admin's own.
    Scheme(Box<SchemeProof>),
}

/// A proof as a row describes it. The row is copied into the webhook, so that a version of it means one thing for ever
/// and nothing has to be looked up to judge a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SchemeProof {
    /// The preset that the row was copied from, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<PresetName>,
    /// The row.
    pub scheme: Scheme,
    /// The values beside the secret that the row reads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, SettingValue>,
    /// The secret, or public key; absent where the row has none, and until a handshake has brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secrets>,
    /// When a handshake brought the secret, if one did.
    #[serde(
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub learned_at: Option<Timestamp>,
}

impl SchemeProof {
    /// Tells whether nothing can prove itself before a handshake has brought the secret.
    #[must_use]
    pub fn waits_for_secret(&self) -> bool {
        self.scheme.has_secret() && self.secret.is_none()
    }
}

/// A value beside the secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingValue {
    /// As it is.
    Plain(String),
    /// Sealed, because it is never shown again.
    Sealed(Sealed),
}

/// How a tag over the raw body is made and where it is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HmacProof {
    /// The hash.
    pub algorithm: HmacAlgorithm,
    /// The headers to look in, in this order; the first one present is judged.
    pub headers: Vec<String>,
    /// How the tag is written.
    #[serde(default)]
    pub encoding: TagEncoding,
    /// What is signed, and how the header's value is built.
    #[serde(default)]
    pub form: SignatureForm,
    /// The shared secret.
    pub secret: Secrets,
}

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HmacAlgorithm {
    /// SHA-1, for senders that know nothing better.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl HmacAlgorithm {
    /// Its name as it stands before a tag, such as `sha256`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

/// How a tag is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TagEncoding {
    /// Hex in any case.
    #[default]
    Hex,
    /// Base64, standard alphabet, padded or not.
    Base64,
}

/// What is signed, and how the header's value is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum SignatureForm {
    /// The body; the value is the tag, bare or after the algorithm's name and `=`.
    #[default]
    Body,
    /// `{t}.{body}`; the value is `t=<unix seconds>,v1=<tag>`, parts in any order, several `v1` allowed.
    Timestamped {
        /// How far `t` may be from our clock, in seconds, either way.
        tolerance_s: u32,
    },
}

/// A token by a published key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JwtProof {
    /// Where the issuer publishes its keys (JWKS).
    pub jwks_url: String,
    /// What `iss` must be, if anything in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What `aud` must contain, if anything in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// How far `exp` and `nbf` may be overstepped, in seconds.
    pub leeway_s: u32,
}

/// A secret, and the one before it while both are taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Secrets {
    /// The secret.
    pub current: Sealed,
    /// The one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousSecret>,
}

/// A secret that is on its way out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreviousSecret {
    /// The secret.
    pub sealed: Sealed,
    /// Until when it is taken.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub until: Timestamp,
}

impl Secrets {
    /// A secret without a predecessor.
    #[must_use]
    pub fn new(current: Sealed) -> Self {
        Self { current, previous: None }
    }

    /// The secrets after a rotation to `next` at `now`; the present one is taken until `until`, if that is to come.
    #[must_use]
    pub fn rotated(self, next: Sealed, now: Timestamp, until: Timestamp) -> Self {
        let previous = (until > now).then_some(PreviousSecret { sealed: self.current, until });
        Self { current: next, previous }
    }
}

/// The kinds of proof, as the API names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthType {
    /// HMAC-SHA256 over the raw body, in a header.
    HmacSha256,
    /// HMAC-SHA1 over the raw body, in a header.
    HmacSha1,
    /// HMAC-SHA512 over the raw body, in a header.
    HmacSha512,
    /// `Authorization: Bearer …`.
    Bearer,
    /// `Authorization: Basic …`.
    Basic,
    /// A fixed text in a header.
    ApiKey,
    /// A fixed text in the query string.
    PathToken,
    /// A token signed by a published key.
    Jwt,
    /// As a preset says, or a row given with the webhook.
    Scheme,
    /// Nothing but the network that a request comes from.
    IpAllowlist,
    /// Several of the others; all must hold.
    All,
    /// Nothing beyond knowing the URL; key URLs only.
    None,
}

impl Proof {
    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> AuthType {
        match self {
            Self::Hmac(hmac) => match hmac.algorithm {
                HmacAlgorithm::Sha1 => AuthType::HmacSha1,
                HmacAlgorithm::Sha256 => AuthType::HmacSha256,
                HmacAlgorithm::Sha512 => AuthType::HmacSha512,
            },
            Self::Bearer { .. } => AuthType::Bearer,
            Self::Basic { .. } => AuthType::Basic,
            Self::HeaderKey { .. } => AuthType::ApiKey,
            Self::QueryKey { .. } => AuthType::PathToken,
            Self::Jwt(_) => AuthType::Jwt,
            Self::Scheme(_) => AuthType::Scheme,
        }
    }

    /// Its secret, if it has one.
    #[must_use]
    pub fn secret(&self) -> Option<&Secrets> {
        match self {
            Self::Hmac(hmac) => Some(&hmac.secret),
            Self::Bearer { secret }
            | Self::Basic { secret, .. }
            | Self::HeaderKey { secret, .. }
            | Self::QueryKey { secret, .. } => Some(secret),
            Self::Scheme(proof) => proof.secret.as_ref(),
            Self::Jwt(_) => None,
        }
    }

    /// Everything of it that is sealed, to be changed.
    pub fn sealed_mut(&mut self) -> Vec<&mut Sealed> {
        let (settings, secret) = match self {
            Self::Hmac(hmac) => (None, Some(&mut hmac.secret)),
            Self::Bearer { secret }
            | Self::Basic { secret, .. }
            | Self::HeaderKey { secret, .. }
            | Self::QueryKey { secret, .. } => (None, Some(secret)),
            Self::Scheme(proof) => (Some(&mut proof.settings), proof.secret.as_mut()),
            Self::Jwt(_) => (None, None),
        };
        let of_settings =
            settings.into_iter().flat_map(|settings| settings.values_mut()).filter_map(|value| match value {
                SettingValue::Sealed(sealed) => Some(sealed),
                SettingValue::Plain(_) => None,
            });
        let of_secret = secret.into_iter().flat_map(|secrets| {
            std::iter::once(&mut secrets.current).chain(secrets.previous.as_mut().map(|previous| &mut previous.sealed))
        });
        of_settings.chain(of_secret).collect()
    }

    /// Its secret, to be changed.
    pub fn secret_mut(&mut self) -> Option<&mut Secrets> {
        match self {
            Self::Hmac(hmac) => Some(&mut hmac.secret),
            Self::Bearer { secret }
            | Self::Basic { secret, .. }
            | Self::HeaderKey { secret, .. }
            | Self::QueryKey { secret, .. } => Some(secret),
            Self::Scheme(proof) => proof.secret.as_mut(),
            Self::Jwt(_) => None,
        }
    }

    /// Tells whether a header (any case) of a request carries a credential for it; such are never kept.
    #[must_use]
    pub fn is_credential_header(&self, name: &str) -> bool {
        match self {
            Self::Hmac(hmac) => hmac.headers.iter().any(|header| header.eq_ignore_ascii_case(name)),
            Self::HeaderKey { header, .. } => header.eq_ignore_ascii_case(name),
            Self::Scheme(proof) => proof.scheme.is_credential_header(name),
            // `Authorization` is never kept, whoever asks for it.
            Self::Bearer { .. } | Self::Basic { .. } | Self::QueryKey { .. } | Self::Jwt(_) => false,
        }
    }
}

impl Auth {
    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> AuthType {
        match (&self.allowed_ips, self.proofs.as_slice()) {
            (None, []) => AuthType::None,
            (Some(_), []) => AuthType::IpAllowlist,
            (None, [proof]) => proof.kind(),
            _ => AuthType::All,
        }
    }

    /// Tells whether a stranger who knows the URL is kept out: what a readable URL needs.
    #[must_use]
    pub fn proves_something(&self) -> bool {
        self.allowed_ips.is_some() || !self.proofs.is_empty()
    }

    /// Tells whether a header (any case) carries a credential of this webhook.
    #[must_use]
    pub fn is_credential_header(&self, name: &str) -> bool {
        self.proofs.iter().any(|proof| proof.is_credential_header(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_combination_is_all() {
        let jwt = || {
            Proof::Jwt(JwtProof {
                jwks_url: "https://i.example/keys".into(),
                issuer: None,
                audience: None,
                leeway_s: 60,
            })
        };
        let network: IpNet = "192.0.2.0/24".parse().expect("a network");
        let auth = |allowed_ips, proofs| Auth { allowed_ips, proofs };
        assert_eq!(auth(None, vec![]).kind(), AuthType::None);
        assert_eq!(auth(Some(vec![network]), vec![]).kind(), AuthType::IpAllowlist);
        assert_eq!(auth(None, vec![jwt()]).kind(), AuthType::Jwt);
        assert_eq!(auth(Some(vec![network]), vec![jwt()]).kind(), AuthType::All);
        assert_eq!(auth(None, vec![jwt(), jwt()]).kind(), AuthType::All);
        assert!(!auth(None, vec![]).proves_something());
        assert!(auth(Some(vec![]), vec![]).proves_something(), "an empty list lets nobody in");
    }
}
