//! Compact JWS (RFC 7515) with a shared secret: HS256, and claims about the body.

use std::borrow::Cow;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::algorithm::{Algorithm, Encoding, equal, tag};
use super::place::Place;
use super::view::{Absent, View};
use crate::domain::refusal::Refusal;

/// How far `exp` and `nbf` may be overstepped, in seconds.
const LEEWAY_S: i64 = 60;
/// The longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 8_192;

/// A token in the request that the secret signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jws {
    /// Where it is.
    #[serde(rename = "in")]
    pub place: Place,
    /// The claim that is the SHA-256 of the body, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest_claim: Option<String>,
    /// What `iss` must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The most seconds since `iat`, which must then be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance_seconds: Option<u32>,
}

/// A token, taken apart.
struct Parts<'t> {
    signed: &'t str,
    claims: Value,
    signature: Vec<u8>,
}

impl Jws {
    /// Judges a request.
    ///
    /// # Errors
    /// When there is no token, or it does not hold.
    pub fn judge(&self, view: &View<'_>, secrets: &[&SecretString], now: Timestamp) -> Result<(), Refusal> {
        let token = self.place.text(view).map_err(|absent| match absent {
            Absent::Missing => Refusal::SignatureMissing,
            Absent::Malformed => Refusal::TokenMalformed,
        })?;
        let parts = parts(&token).ok_or(Refusal::TokenMalformed)?;
        let message = [Cow::Borrowed(parts.signed.as_bytes())];
        let secrets = secrets.iter().filter(|secret| !secret.expose_secret().is_empty());
        let is_right = secrets.fold(false, |right, secret| {
            let tag = tag(Algorithm::HmacSha256, secret.expose_secret().as_bytes(), &message);
            right | tag.is_some_and(|tag| equal(&tag, &parts.signature))
        });
        if !is_right {
            return Err(Refusal::TokenMismatch);
        }
        self.judge_claims(view, &parts.claims, now)
    }

    fn judge_claims(&self, view: &View<'_>, claims: &Value, now: Timestamp) -> Result<(), Refusal> {
        if let Some(issuer) = &self.issuer
            && claims.get("iss").and_then(Value::as_str) != Some(issuer)
        {
            return Err(Refusal::TokenClaims);
        }
        if let Some(name) = &self.digest_claim {
            let claimed = claims.get(name).and_then(Value::as_str).and_then(|text| Encoding::Hex.decode(text));
            let digest = Sha256::digest(view.request().body);
            if !claimed.is_some_and(|claimed| equal(&claimed, &digest)) {
                return Err(Refusal::SignatureMismatch);
            }
        }
        let time = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(time) => time.as_i64().map(Some).ok_or(Refusal::TokenMalformed),
        };
        let now_s = now.as_second();
        if time("exp")?.is_some_and(|exp| now_s >= exp.saturating_add(LEEWAY_S)) {
            return Err(Refusal::TokenExpired);
        }
        if time("nbf")?.is_some_and(|nbf| now_s < nbf.saturating_sub(LEEWAY_S)) {
            return Err(Refusal::TokenExpired);
        }
        let Some(tolerance_s) = self.tolerance_seconds else { return Ok(()) };
        let age_s = now_s.saturating_sub(time("iat")?.ok_or(Refusal::TokenClaims)?);
        match age_s {
            age if age > i64::from(tolerance_s) => Err(Refusal::SignatureStale),
            age if age < -i64::from(tolerance_s) => Err(Refusal::SignatureFuture),
            _ => Ok(()),
        }
    }
}

/// Takes a token apart; `None` when it is none, or its algorithm is not HS256.
fn parts(token: &str) -> Option<Parts<'_>> {
    let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= MAX_TOKEN_BYTES)?;
    let (header, claims) = signed.split_once('.')?;
    let json = |text: &str| -> Option<Value> { serde_json::from_slice(&Encoding::Base64Url.decode_long(text)?).ok() };
    let header = json(header)?;
    let is_hs256 = header.get("alg").and_then(Value::as_str) == Some("HS256") && header.get("crit").is_none();
    let claims = json(claims).filter(Value::is_object)?;
    is_hs256.then(|| Encoding::Base64Url.decode(signature).map(|signature| Parts { signed, claims, signature }))?
}
