//! Judging of fixed credentials: bearer tokens, passwords, keys in a header or in the query string.
//!
//! Only digests are kept and compared, so that the time tells nothing of the secret, not even its length.

use base64::Engine as _;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{BASE64, Evidence, Live, only};
use crate::domain::refusal::Refusal;

/// The SHA-256 of a text that is compared.
pub(super) struct Digest([u8; 32]);

impl Digest {
    fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    fn equals(&self, other: &Self) -> Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

/// Where a credential is looked for.
pub(super) enum Place {
    /// `Authorization: Bearer …`.
    Bearer,
    /// `Authorization: Basic …`, with this user's name.
    Basic { username: Digest },
    /// A header; `None` when the name cannot be one, so that it is never present.
    Header(Option<HeaderName>),
    /// A parameter of the query string.
    Query(String),
}

impl Place {
    pub(super) fn basic(username: &str) -> Self {
        Self::Basic { username: Digest::of(username.as_bytes()) }
    }

    pub(super) fn header(name: &str) -> Self {
        Self::Header(HeaderName::try_from(name).ok())
    }
}

/// A proof by a fixed credential, with its secrets ready.
pub(super) struct CredentialCheck {
    place: Place,
    secrets: Live<Digest>,
}

impl CredentialCheck {
    pub(super) fn new(place: Place, secrets: &Live<SecretString>) -> Self {
        Self { place, secrets: secrets.map(|secret| Digest::of(secret.expose_secret().as_bytes())) }
    }

    pub(super) fn judge(&self, evidence: &Evidence<'_>) -> Result<(), Refusal> {
        let (is_user, presented) = self.presented(evidence)?;
        let is_known =
            self.secrets.at(evidence.now).fold(Choice::from(0), |known, secret| known | secret.equals(&presented));
        if bool::from(is_user & is_known) { Ok(()) } else { Err(Refusal::CredentialMismatch) }
    }

    /// Whether the user is the right one, where there is one, and the digest of the secret that the request shows.
    fn presented(&self, evidence: &Evidence<'_>) -> Result<(Choice, Digest), Refusal> {
        let anybody = Choice::from(1);
        match &self.place {
            Place::Bearer => Ok((anybody, Digest::of(authorization(evidence.headers, "bearer")?.as_bytes()))),
            Place::Basic { username } => {
                let encoded = authorization(evidence.headers, "basic")?;
                let pair = Zeroizing::new(BASE64.decode(encoded).map_err(|_| Refusal::CredentialMalformed)?);
                // A password may contain colons, a user's name may not.
                let colon = pair.iter().position(|b| *b == b':').ok_or(Refusal::CredentialMalformed)?;
                Ok((username.equals(&Digest::of(&pair[..colon])), Digest::of(&pair[colon + 1..])))
            }
            Place::Header(None) => Err(Refusal::CredentialMissing),
            Place::Header(Some(name)) => {
                let value = only(evidence.headers, name, Refusal::CredentialMissing, Refusal::CredentialMalformed)?;
                Ok((anybody, Digest::of(value)))
            }
            Place::Query(param) => {
                let query = evidence.query().unwrap_or_default().as_bytes();
                let mut found = form_urlencoded::parse(query).filter(|(name, _)| name.as_bytes() == param.as_bytes());
                match (found.next(), found.next()) {
                    (None, _) => Err(Refusal::CredentialMissing),
                    (Some((_, value)), None) => Ok((anybody, Digest::of(value.as_bytes()))),
                    (Some(_), Some(_)) => Err(Refusal::CredentialMalformed),
                }
            }
        }
    }
}

/// What follows the scheme in the one `Authorization` header.
pub(super) fn authorization<'h>(headers: &'h HeaderMap, scheme: &str) -> Result<&'h str, Refusal> {
    let value = only(headers, &AUTHORIZATION, Refusal::CredentialMissing, Refusal::CredentialMalformed)?;
    let is_visible = value.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    let text = std::str::from_utf8(value).ok().filter(|_| is_visible).ok_or(Refusal::CredentialMalformed)?;
    match text.split_once(' ') {
        Some((found, credential)) if found.eq_ignore_ascii_case(scheme) => Ok(credential.trim()),
        _ => Err(Refusal::CredentialMalformed),
    }
}
