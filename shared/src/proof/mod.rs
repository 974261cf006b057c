//! Judging what a sender must prove: signatures, credentials, signed tokens and where a request comes from.
//!
//! Everything here fails closed: a secret that does not open, a header that cannot be read and an issuer whose keys are
//! not at hand all refuse. What a refusal costs is kept alike, so that the time does not tell how far a request got. It
//! does not decide what the sender is told; that is the receiver's part.

mod credential;
mod hmac;
mod jwks;
mod jwt;

use std::net::IpAddr;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use self::credential::{CredentialCheck, Place};
pub use self::hmac::HmacKey;
use self::hmac::SignatureCheck;
pub(crate) use self::hmac::seconds;
pub use self::jwks::{KeySet, KeySets};
use self::jwt::TokenCheck;
pub use self::jwt::kid_of;
use crate::domain::inbound_webhook::{Auth, Proof, Secrets};
use crate::domain::refusal::Refusal;
use crate::domain::source_address::is_within;
use crate::vault::{KeyringError, Owner, Sealed, Vault, VaultError};

#[cfg(test)]
mod tests;

/// Base64 of the standard alphabet, padded or not: senders write both.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a request shows.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its query string, still encoded.
    pub query: Option<&'a str>,
    /// Its body, as it came.
    pub body: &'a [u8],
    /// When it came.
    pub now: Timestamp,
}

/// What came of judging a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Why the first proof that failed did so.
    pub result: Result<(), Refusal>,
    /// How many HMACs over the body were computed.
    pub macs: u32,
}

/// What a webhook asks for, with its secrets opened and ready.
pub struct Verifier {
    allowed_ips: Option<Vec<IpNet>>,
    checks: Vec<Check>,
}

/// One proof, ready to be judged.
enum Check {
    /// Its secret cannot be read, so nothing proves it.
    Unusable,
    Signature(Box<SignatureCheck>),
    Credential(CredentialCheck),
    Token(TokenCheck),
}

impl Verifier {
    /// Opens the secrets, each once.
    ///
    /// A secret that does not open, or is empty, is no error: its proof always fails with
    /// [`Refusal::SecretUnusable`]. A previous secret that does not open is left out, because rotation is how an
    /// unusable secret is repaired.
    ///
    /// # Errors
    /// When the keyring cannot be fetched or is itself not what it should be; trying again may help.
    pub async fn open(auth: &Auth, vault: &Vault, owner: &Owner, now: Timestamp) -> Result<Self, VaultError> {
        let mut checks = Vec::with_capacity(auth.proofs.len());
        for proof in &auth.proofs {
            let secrets = match proof.secret() {
                Some(secrets) => open_live(secrets, vault, owner, now).await?,
                None => None,
            };
            checks.push(Check::new(proof, secrets.as_ref()));
        }
        Ok(Self { allowed_ips: auth.allowed_ips.clone(), checks })
    }

    /// A verifier with one secret, known already, for every proof: for those who ask what a secret would prove.
    #[must_use]
    pub fn with_secret(auth: &Auth, secret: &SecretString) -> Self {
        let secrets = usable(secret.clone()).map(|current| Live { current, previous: None });
        let checks = auth.proofs.iter().map(|proof| Check::new(proof, secrets.as_ref())).collect();
        Self { allowed_ips: auth.allowed_ips.clone(), checks }
    }

    /// Judges where a request comes from.
    ///
    /// # Errors
    /// When there is an allow-list and the source is not in it, or nobody knows the source.
    pub fn admits(&self, source: Option<IpAddr>) -> Result<(), Refusal> {
        let Some(networks) = &self.allowed_ips else { return Ok(()) };
        let source = source.ok_or(Refusal::IpUnknown)?;
        if is_within(source, networks) { Ok(()) } else { Err(Refusal::IpNotAllowed) }
    }

    /// Where the keys are published that must be at hand before [`Self::prove`] is called, if any.
    #[must_use]
    pub fn key_set_url(&self) -> Option<&str> {
        self.checks.iter().find_map(|check| match check {
            Check::Token(token) => Some(token.key_set_url()),
            Check::Unusable | Check::Signature(_) | Check::Credential(_) => None,
        })
    }

    /// Judges all proofs, also after one has failed, so that the time does not tell which one it was.
    ///
    /// Keys of another URL than the one that a proof names prove nothing.
    #[must_use]
    pub fn prove(&self, evidence: &Evidence<'_>, keys: Option<&KeySet>) -> Judged {
        let mut all = Judged { result: Ok(()), macs: 0 };
        for check in &self.checks {
            let one = check.judge(evidence, keys);
            all.result = all.result.and(one.result);
            all.macs += one.macs;
        }
        all
    }
}

impl Check {
    fn new(proof: &Proof, secrets: Option<&Live<SecretString>>) -> Self {
        match (proof, secrets) {
            (Proof::Jwt(jwt), _) => Self::Token(TokenCheck::new(jwt.clone())),
            (_, None) => Self::Unusable,
            (Proof::Hmac(hmac), Some(secrets)) => Self::Signature(Box::new(SignatureCheck::new(hmac, secrets))),
            (Proof::Bearer { .. }, Some(secrets)) => Self::Credential(CredentialCheck::new(Place::Bearer, secrets)),
            (Proof::Basic { username, .. }, Some(secrets)) => {
                Self::Credential(CredentialCheck::new(Place::basic(username), secrets))
            }
            (Proof::HeaderKey { header, .. }, Some(secrets)) => {
                Self::Credential(CredentialCheck::new(Place::header(header), secrets))
            }
            (Proof::QueryKey { param, .. }, Some(secrets)) => {
                Self::Credential(CredentialCheck::new(Place::Query(param.clone()), secrets))
            }
        }
    }

    fn judge(&self, evidence: &Evidence<'_>, keys: Option<&KeySet>) -> Judged {
        match self {
            Self::Unusable => Judged { result: Err(Refusal::SecretUnusable), macs: 0 },
            Self::Signature(signature) => signature.judge(evidence),
            Self::Credential(credential) => Judged { result: credential.judge(evidence), macs: 0 },
            Self::Token(token) => Judged { result: token.judge(evidence, keys), macs: 0 },
        }
    }
}

/// A secret made ready for use, and the one before it while both are taken.
struct Live<T> {
    current: T,
    previous: Option<(T, Timestamp)>,
}

impl<T> Live<T> {
    fn map<U>(&self, ready: impl Fn(&T) -> U) -> Live<U> {
        let previous = self.previous.as_ref().map(|(secret, until)| (ready(secret), *until));
        Live { current: ready(&self.current), previous }
    }

    /// Those that are taken at `now`.
    fn at(&self, now: Timestamp) -> impl Iterator<Item = &T> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        std::iter::once(&self.current).chain(previous)
    }
}

/// Opens what is taken at `now` and later; `None` when the current secret does not open.
async fn open_live(
    secrets: &Secrets,
    vault: &Vault,
    owner: &Owner,
    now: Timestamp,
) -> Result<Option<Live<SecretString>>, VaultError> {
    let Some(current) = open_one(&secrets.current, vault, owner, now).await? else { return Ok(None) };
    let previous = match secrets.previous.as_ref().filter(|previous| now < previous.until) {
        Some(previous) => open_one(&previous.sealed, vault, owner, now).await?.map(|secret| (secret, previous.until)),
        None => None,
    };
    Ok(Some(Live { current, previous }))
}

async fn open_one(
    sealed: &Sealed,
    vault: &Vault,
    owner: &Owner,
    now: Timestamp,
) -> Result<Option<SecretString>, VaultError> {
    match vault.open(sealed, owner, now).await {
        Ok(secret) => Ok(usable(secret)),
        Err(VaultError::Keyring(error @ (KeyringError::UnknownKey(_) | KeyringError::Broken))) => {
            tracing::warn!(%error, "proof.secret_unusable");
            Ok(None)
        }
        Err(
            error @ (VaultError::Fetch(_)
            | VaultError::Keyring(KeyringError::Malformed | KeyringError::Weak(_) | KeyringError::Empty)),
        ) => Err(error),
    }
}

/// An empty header would show knowledge of an empty secret.
fn usable(secret: SecretString) -> Option<SecretString> {
    Some(secret).filter(|secret| !secret.expose_secret().is_empty())
}

/// The one value of a header, trimmed; `Err` when there is none, or more than one, of which nobody knows which counts.
fn only<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    missing: Refusal,
    repeated: Refusal,
) -> Result<&'h [u8], Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Err(missing),
        (Some(value), None) => Ok(value.as_bytes().trim_ascii()),
        (Some(_), Some(_)) => Err(repeated),
    }
}

/// A key that nobody has: it spends what judging a signature costs where there is none to judge.
pub struct Nobody(HmacKey);

impl Nobody {
    /// Makes the key of random bytes.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(HmacKey::from_bytes(&random))
    }

    /// Computes `times` HMAC-SHA256 over the body.
    pub fn spend(&self, body: &[u8], times: u32) {
        for _ in 0..times {
            std::hint::black_box(self.0.tag(&[body]));
        }
    }
}
