//! Schemes: how a provider proves its requests, as data that one small engine reads. docs/presets.md is the language.
//!
//! Nothing in here knows a provider, and nothing waits: what has to be fetched is at hand before a request is judged.

pub mod algorithm;
pub mod catalogue;
pub mod doctor;
pub mod handshake;
pub mod key;
pub mod naming;
pub mod place;
pub mod preset;
pub mod settings;
pub mod sign;
pub mod signature;
pub mod template;
pub mod view;

mod jws;
mod message_signature;
mod token;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use jws::Jws;
pub(crate) use message_signature::base as message_signature_base;
pub use message_signature::{MessageAlgorithm, MessageSignature};
pub use token::Token;

use crate::domain::refusal::Refusal;
use key::{Certificate, KeyEncoding, KeySource, KeyText};
use place::{At, Place};
use settings::PUBLIC_URL;
use signature::{Choice, Keys, Signature};
use template::{Piece, Template};
use view::View;

/// The longest that a signed time may lie from now, in seconds: a week.
pub const MAX_TOLERANCE_S: u32 = 604_800;

/// How a request proves itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Scheme {
    /// By a signature.
    Signature(Box<Signature>),
    /// By a fixed text.
    Token(Token),
    /// By a compact JWS with a shared secret.
    Jws(Jws),
    /// By an HTTP message signature.
    HttpMessageSignature(MessageSignature),
}

impl Scheme {
    /// Judges a request. The second part is how many tags over the body were computed.
    pub fn judge(&self, view: &View<'_>, keys: &Keys<'_>, now: Timestamp) -> (Result<(), Refusal>, u32) {
        match self {
            Self::Signature(signature) => signature.judge(view, keys, now),
            Self::Token(token) => (token.judge(view, keys.secrets), 0),
            Self::Jws(jws) => (jws.judge(view, keys.secrets, now), 0),
            Self::HttpMessageSignature(signature) => (signature.judge(view, keys, now), 0),
        }
    }

    /// How far a signed time may lie from now, in seconds, if one is judged.
    #[must_use]
    pub fn tolerance_s(&self) -> Option<u32> {
        match self {
            Self::Signature(signature) => signature.timestamp.as_ref().map(|time| time.tolerance_s),
            Self::Token(_) => None,
            Self::Jws(jws) => jws.tolerance_seconds,
            Self::HttpMessageSignature(signature) => Some(signature.tolerance_seconds),
        }
    }

    /// Changes how far a signed time may lie from now; `false` when none is judged.
    pub fn set_tolerance(&mut self, seconds: u32) -> bool {
        let tolerance = match self {
            Self::Signature(signature) => signature.timestamp.as_mut().map(|time| &mut time.tolerance_s),
            Self::Token(_) => None,
            Self::Jws(jws) => jws.tolerance_seconds.as_mut(),
            Self::HttpMessageSignature(signature) => Some(&mut signature.tolerance_seconds),
        };
        tolerance.map(|tolerance| *tolerance = seconds).is_some()
    }

    /// The certificate that has to be at hand before a request can be judged.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        match self {
            Self::Signature(signature) => signature.certificate(),
            Self::Token(_) | Self::Jws(_) | Self::HttpMessageSignature(_) => None,
        }
    }

    /// Tells whether it needs a secret, or public key, of the admin's.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.certificate().is_none()
    }

    /// Tells whether its secret is a public key, which nobody can make up.
    #[must_use]
    pub fn has_public_key(&self) -> bool {
        match self {
            Self::Signature(signature) => match &signature.algorithm {
                Choice::One(algorithm) => !algorithm.is_symmetric(),
                Choice::By { is, .. } => is.values().any(|algorithm| !algorithm.is_symmetric()),
            },
            Self::HttpMessageSignature(signature) => signature.algorithm != MessageAlgorithm::HmacSha256,
            Self::Token(_) | Self::Jws(_) => false,
        }
    }

    /// How the text of the secret holds the key, where it is not simply the text.
    #[must_use]
    pub fn key_text(&self) -> Option<&KeyText> {
        match self {
            Self::Signature(signature) => match &signature.key {
                KeySource::Secret(text) => Some(text),
                KeySource::Certificate(_) => None,
            },
            Self::HttpMessageSignature(signature) => Some(&signature.key),
            Self::Token(_) | Self::Jws(_) => None,
        }
    }

    /// Tells whether the text at a place cannot be changed by somebody on its way.
    ///
    /// A token covers nothing; what comes beside it is as good as whoever has it, so only the body counts.
    #[must_use]
    pub fn covers(&self, place: &Place) -> bool {
        match self {
            Self::Signature(signature) => signature.covers(place),
            Self::Token(_) | Self::Jws(_) => matches!(place.at, At::Json(_) | At::Form(_)),
            Self::HttpMessageSignature(signature) => {
                let has = |name: &str| signature.components.iter().any(|component| component == name);
                match &place.at {
                    At::Json(_) | At::Form(_) => has("content-digest"),
                    At::Query(_) => has("@target-uri") || has("@query"),
                    At::Header(names) => names.iter().all(|name| has(name.as_str())),
                    At::Basic => false,
                }
            }
        }
    }

    /// Tells whether a header (any case) carries a credential; such are never kept.
    #[must_use]
    pub fn is_credential_header(&self, name: &str) -> bool {
        let is_in = |place: &Place| place.headers().any(|header| header.eq_ignore_ascii_case(name));
        match self {
            Self::Signature(signature) => signature.signature.iter().any(is_in),
            Self::Token(token) => is_in(&token.place),
            Self::Jws(jws) => is_in(&jws.place),
            Self::HttpMessageSignature(_) => name.eq_ignore_ascii_case("signature"),
        }
    }

    /// The names of the settings that it reads.
    #[must_use]
    pub fn settings(&self) -> Vec<String> {
        let Self::Signature(signature) = self else { return Vec::new() };
        let mut names: Vec<_> = signature.equal.iter().map(|pinned| pinned.setting.clone()).collect();
        names.extend(settings_of(&signature.signed));
        names
    }

    /// Tells whether the URL is signed, so that the sender and the gateway must agree on it.
    #[must_use]
    pub fn signs_url(&self) -> bool {
        match self {
            Self::Signature(signature) => signature.signed.has(&Piece::Url) || signature.signed.has(&Piece::UrlDecoded),
            Self::HttpMessageSignature(_) => true,
            Self::Token(_) | Self::Jws(_) => false,
        }
    }

    /// What stands for a request where its body alone is not what is signed: other bodies may carry the same signature.
    #[must_use]
    pub fn signed_instead(&self, view: &View<'_>, settings: &settings::Settings) -> Option<Vec<u8>> {
        match self {
            Self::Signature(signature) if !signature.signed.has(&Piece::Body) => signature.signed_bytes(view, settings),
            Self::Signature(_) | Self::Token(_) | Self::Jws(_) | Self::HttpMessageSignature(_) => None,
        }
    }

    /// Tells whether what is signed of a request is a bare token, such as an open handshake has hashed for anybody.
    #[must_use]
    pub fn signs_bare_token(&self, view: &View<'_>, settings: &settings::Settings) -> bool {
        match self {
            Self::Signature(signature) => {
                signature.signed_bytes(view, settings).is_none_or(|signed| handshake::is_plain_token(&signed))
            }
            Self::Token(_) | Self::Jws(_) | Self::HttpMessageSignature(_) => false,
        }
    }

    /// Holds its parts against each other.
    ///
    /// # Errors
    /// When they make no sense together; the text says which.
    pub fn check(&self) -> Result<(), String> {
        if self.tolerance_s().is_some_and(|seconds| !(1..=MAX_TOLERANCE_S).contains(&seconds)) {
            return Err(format!("verify: a tolerance is from 1 to {MAX_TOLERANCE_S} seconds"));
        }
        match self {
            Self::Signature(signature) => check_signature(signature),
            Self::Token(_) | Self::Jws(_) => Ok(()),
            Self::HttpMessageSignature(signature) => {
                let is_public = signature.algorithm != MessageAlgorithm::HmacSha256;
                if is_public && signature.key.encoding == KeyEncoding::Text {
                    return Err("verify.key: a public key is pem, hex or base64".to_owned());
                }
                if signature.components.is_empty() {
                    return Err("verify.components: must have at least one entry".to_owned());
                }
                Ok(())
            }
        }
    }
}

/// The settings that a template reads.
pub(crate) fn settings_of(template: &Template) -> Vec<String> {
    let mut names = Vec::new();
    for piece in template.pieces() {
        match piece {
            Piece::Setting(name) => names.push(name.clone()),
            Piece::Url | Piece::UrlDecoded => names.push(PUBLIC_URL.to_owned()),
            _ => {}
        }
    }
    names
}

fn check_signature(signature: &Signature) -> Result<(), String> {
    let signed = &signature.signed;
    if !(1..=10).contains(&signature.signature.len()) {
        return Err("verify.signature: must have 1 to 10 places".to_owned());
    }
    if signed.has(&Piece::Hash) {
        return Err("verify.signed: {hash} belongs to the answers of handshakes".to_owned());
    }
    let algorithms: Vec<_> = match &signature.algorithm {
        Choice::One(algorithm) => vec![*algorithm],
        Choice::By { is, .. } => is.values().copied().collect(),
    };
    if algorithms.is_empty() {
        return Err("verify.algorithm: must name at least one".to_owned());
    }
    if algorithms.iter().any(|one| one.is_symmetric()) && !algorithms.iter().all(|one| one.is_symmetric()) {
        return Err(
            "verify.algorithm: shared secrets and public keys do not mix: a public key would be a secret".to_owned()
        );
    }
    let says_nothing =
        |piece: &Piece| matches!(piece, Piece::Text(_) | Piece::Timestamp | Piece::Secret | Piece::Setting(_));
    if signed.pieces().iter().all(says_nothing) {
        return Err("verify.signed: nothing of the request is signed".to_owned());
    }
    let large = [Piece::Body, Piece::BodySha256, Piece::BodyCrc32, Piece::FormSorted];
    let times = |piece: &Piece| signed.pieces().iter().filter(|found| *found == piece).count();
    if large.iter().any(|piece| times(piece) > usize::from(signature.each.is_none())) {
        return Err("verify.signed: the whole body is there at most once, and not with each".to_owned());
    }
    let is_digest = algorithms.contains(&algorithm::Algorithm::Sha256);
    if is_digest != signed.has(&Piece::Secret) || (is_digest && algorithms.len() > 1) {
        return Err("verify.signed: {secret} belongs to the algorithm sha256, and it to nothing else".to_owned());
    }
    if signed.has(&Piece::Timestamp) != signature.timestamp.is_some()
        && !signature.timestamp.as_ref().is_some_and(|time| signature.covers(&time.place))
    {
        return Err("verify.timestamp: must be there exactly when {timestamp} is signed, or be in what is".to_owned());
    }
    if signed.has(&Piece::Id) != signature.id.is_some() {
        return Err("verify.id: must be there exactly when {id} is signed".to_owned());
    }
    if signature.digest.as_ref().is_some_and(|digest| !is_signed_place(signature, &digest.place)) {
        return Err("verify.digest: must stand at a place that is signed".to_owned());
    }
    let is_public = algorithms.iter().any(|algorithm| !algorithm.is_symmetric());
    match &signature.key {
        KeySource::Certificate(_) if !is_public => Err("verify.key: a certificate has a public key".to_owned()),
        KeySource::Secret(text) if is_public && text.encoding == KeyEncoding::Text => {
            Err("verify.key: a public key is pem, hex or base64".to_owned())
        }
        KeySource::Secret(text) if !is_public && text.encoding == KeyEncoding::Pem => {
            Err("verify.key: a shared secret is not in pem".to_owned())
        }
        KeySource::Certificate(_) | KeySource::Secret(_) => Ok(()),
    }
}

fn is_signed_place(signature: &Signature, place: &Place) -> bool {
    // The digest is what covers the body, so it must not be found in the body itself.
    !matches!(place.at, At::Json(_) | At::Form(_)) && signature.covers(place)
}
