//! Judging of signed tokens (JWT, RFC 7519) by the keys that their issuer publishes.
//!
//! The time is that of the request, never the system's, so `exp` and `nbf` are judged here and not by `jsonwebtoken`.
//! Which algorithms are taken is decided by the key, never by the token; see [`KeySet`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::credential::authorization;
use super::{Evidence, KeySet};
use crate::domain::inbound_webhook::JwtProof;
use crate::domain::refusal::Refusal;

/// The longest token that is read.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The longest key id that is asked for.
const MAX_KID_BYTES: usize = 256;

/// A proof by a signed token.
pub(super) struct TokenCheck(JwtProof);

/// The first part of a token; nothing vouches for it.
#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    /// Extensions that a reader must know; none are known here.
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
    nbf: Option<f64>,
    iss: Option<String>,
    aud: Option<Audience>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Reads, without any proof, which key the token in `Authorization` says it was signed with.
///
/// Only good for making sure that this key is at hand.
#[must_use]
pub fn kid_of(headers: &HeaderMap) -> Option<String> {
    let head = Head::of(token_in(headers).ok()?)?;
    head.kid.filter(|kid| kid.len() <= MAX_KID_BYTES)
}

fn token_in(headers: &HeaderMap) -> Result<&str, Refusal> {
    match authorization(headers, "bearer") {
        Ok(token) if token.len() <= MAX_TOKEN_BYTES => Ok(token),
        Err(Refusal::CredentialMissing) => Err(Refusal::CredentialMissing),
        Ok(_) | Err(_) => Err(Refusal::TokenMalformed),
    }
}

impl Head {
    fn of(token: &str) -> Option<Self> {
        let (head, _) = token.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()
    }

    /// The algorithm, if it is one that exists and nothing else must be understood; `none` is not one.
    fn algorithm(&self) -> Option<Algorithm> {
        self.alg.parse().ok().filter(|_| self.crit.is_none())
    }
}

impl Audience {
    fn contains(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

impl TokenCheck {
    pub(super) fn new(proof: JwtProof) -> Self {
        Self(proof)
    }

    pub(super) fn key_set_url(&self) -> &str {
        &self.0.jwks_url
    }

    pub(super) fn judge(&self, evidence: &Evidence<'_>, keys: Option<&KeySet>) -> Result<(), Refusal> {
        let token = token_in(evidence.headers)?;
        let head = Head::of(token).ok_or(Refusal::TokenMalformed)?;
        let algorithm = head.algorithm().ok_or(Refusal::TokenMalformed)?;
        // Two proofs may name two issuers; the keys of one must not prove the other's tokens.
        let keys = keys.filter(|keys| keys.url() == self.0.jwks_url).ok_or(Refusal::TokenKeysUnavailable)?;
        let key = keys.find(head.kid.as_deref(), algorithm).ok_or(Refusal::TokenMalformed)?;
        self.judge_claims(&signed_claims(token, key, algorithm)?, evidence.now)
    }

    fn judge_claims(&self, claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
        let JwtProof { jwks_url: _, issuer, audience, leeway_s } = &self.0;
        let (now, leeway) = (now.as_duration().as_secs_f64(), f64::from(*leeway_s));
        let ends_at = claims.exp.ok_or(Refusal::TokenMalformed)?;
        let has_begun = claims.nbf.is_none_or(|begins_at| now + leeway >= begins_at);
        if !(has_begun && now < ends_at + leeway) {
            return Err(Refusal::TokenExpired);
        }
        let is_by = issuer.as_ref().is_none_or(|wanted| claims.iss.as_ref() == Some(wanted));
        let is_for = audience.as_ref().is_none_or(|wanted| claims.aud.as_ref().is_some_and(|aud| aud.contains(wanted)));
        if is_by && is_for { Ok(()) } else { Err(Refusal::TokenClaims) }
    }
}

/// Checks the signature, and nothing else, and reads the claims under it.
fn signed_claims(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<Claims, Refusal> {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    match jsonwebtoken::decode(token, key, &validation) {
        Ok(token) => Ok(token.claims),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => Err(Refusal::TokenMismatch),
        Err(_) => Err(Refusal::TokenMalformed),
    }
}
