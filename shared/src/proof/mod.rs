//! Judging what a sender must prove: signatures, credentials, signed tokens and where a request comes from.
//!
//! Everything here fails closed: a secret that does not open, a header that cannot be read and an issuer whose keys are
//! not at hand all refuse. What a refusal costs is kept alike, so that the time does not tell how far a request got. It
//! does not decide what the sender is told; that is the receiver's part.

mod certificates;
mod credential;
mod examine;
mod hmac;
mod jwks;
mod jwt;
mod scheme;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use self::certificates::{CertificateError, Certificates};
use self::credential::{CredentialCheck, Place};
pub use self::examine::{Other, examine, secrets_of};
pub use self::hmac::HmacKey;
use self::hmac::SignatureCheck;
pub(crate) use self::hmac::seconds;
pub use self::jwks::{KeySet, KeySets};
use self::jwt::TokenCheck;
pub use self::jwt::kid_of;
use self::scheme::SchemeCheck;
use crate::domain::inbound_webhook::{Auth, Proof, SchemeProof, Secrets, SettingValue};
use crate::domain::refusal::Refusal;
use crate::domain::source_address::is_within;
use crate::scheme::handshake::{Handshake, Means};
use crate::scheme::settings::Settings;
use crate::scheme::view::{Request, View};
use crate::vault::{KeyringError, Owner, Sealed, Vault, VaultError};

#[cfg(test)]
mod tests;

/// Base64 of the standard alphabet, padded or not: senders write both.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

static NO_SETTINGS: LazyLock<Settings> = LazyLock::new(Settings::default);

/// What a request shows.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// Its method.
    pub method: &'a str,
    /// What stands before its path in the URL that the sender was given.
    pub base_url: &'a str,
    /// Its path and query string, as they were sent.
    pub path_and_query: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, as it came.
    pub body: &'a [u8],
    /// The certificate that it names, in PEM, where [`Verifier::certificate_url`] asked for it and it could be had.
    pub certificate: Option<&'a [u8]>,
    /// When it came.
    pub now: Timestamp,
}

impl<'a> Evidence<'a> {
    /// What a POST shows by its headers and its body alone.
    #[must_use]
    pub fn posted(headers: &'a HeaderMap, body: &'a [u8], now: Timestamp) -> Self {
        Self { method: "POST", base_url: "", path_and_query: "/", headers, body, certificate: None, now }
    }

    /// The query string, still encoded.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        self.path_and_query.split_once('?').map(|(_, query)| query)
    }

    /// The request, as rows look at it once it has proved itself.
    #[must_use]
    pub fn view(&self) -> View<'a> {
        View::new(self.request())
    }

    /// The same before that: little is read of a stranger's body.
    #[must_use]
    pub fn unproven(&self) -> View<'a> {
        View::unproven(self.request())
    }

    fn request(&self) -> Request<'a> {
        let Self { method, base_url, path_and_query, headers, body, .. } = *self;
        Request { method, base_url, path_and_query, headers, body }
    }
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
    Scheme(Box<SchemeCheck>),
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
            checks.push(match proof {
                Proof::Scheme(proof) => match open_settings(&proof.settings, vault, owner, now).await? {
                    Some(settings) => Check::of_scheme(proof, secrets, settings),
                    None => Check::Unusable,
                },
                proof => Check::new(proof, secrets.as_ref()),
            });
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
            Check::Unusable | Check::Signature(_) | Check::Credential(_) | Check::Scheme(_) => None,
        })
    }

    /// The URL of the certificate that must be at hand before [`Self::prove`] is called, if any: one that the request
    /// names, at a host that its row allows.
    #[must_use]
    pub fn certificate_url(&self, evidence: &Evidence<'_>) -> Option<Url> {
        self.scheme().and_then(|scheme| scheme.certificate_url(evidence))
    }

    /// What handshakes are answered with.
    #[must_use]
    pub fn means(&self, now: Timestamp) -> Means<'_> {
        match self.scheme() {
            Some(scheme) => scheme.means(now),
            None => Means { secret: None, key: None, settings: &NO_SETTINGS },
        }
    }

    /// Says which handshakes are answered beside the proofs.
    #[must_use]
    pub fn beside(mut self, handshakes: &[Handshake]) -> Self {
        for check in &mut self.checks {
            if let Check::Scheme(scheme) = check {
                scheme.beside(handshakes);
            }
        }
        self
    }

    /// What stands for a request where its body can be written in several ways under one signature.
    #[must_use]
    pub fn signed_instead(&self, view: &View<'_>) -> Option<Vec<u8>> {
        self.scheme().and_then(|scheme| scheme.signed_instead(view))
    }

    fn scheme(&self) -> Option<&SchemeCheck> {
        self.checks.iter().find_map(|check| match check {
            Check::Scheme(scheme) => Some(&**scheme),
            Check::Unusable | Check::Signature(_) | Check::Credential(_) | Check::Token(_) => None,
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
            // Its settings are sealed as well: `Verifier::open` opens them.
            (Proof::Scheme(_), _) | (_, None) => Self::Unusable,
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

    /// What a row says. Without a secret, where it needs one, nothing proves it but its handshakes can be answered.
    fn of_scheme(proof: &SchemeProof, secrets: Option<Live<SecretString>>, settings: Settings) -> Self {
        match (&proof.secret, &secrets) {
            (Some(_), None) => Self::Unusable,
            _ => Self::Scheme(Box::new(SchemeCheck::new(proof.scheme.clone(), secrets, settings))),
        }
    }

    fn judge(&self, evidence: &Evidence<'_>, keys: Option<&KeySet>) -> Judged {
        match self {
            Self::Scheme(scheme) => scheme.judge(evidence),
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

/// Opens the settings of a row; `None` when one of them does not open.
async fn open_settings(
    sealed: &BTreeMap<String, SettingValue>,
    vault: &Vault,
    owner: &Owner,
    now: Timestamp,
) -> Result<Option<Settings>, VaultError> {
    let mut settings = BTreeMap::new();
    for (name, value) in sealed {
        let value = match value {
            SettingValue::Plain(value) => value.clone(),
            SettingValue::Sealed(sealed) => match open_one(sealed, vault, owner, now).await? {
                Some(secret) => secret.expose_secret().to_owned(),
                None => return Ok(None),
            },
        };
        settings.insert(name.clone(), value);
    }
    Ok(Some(settings.into()))
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
