//! Signatures: the row of a provider that signs, and the one engine that judges all of them.

mod parts;

use std::borrow::Cow;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::algorithm::{Algorithm, Encoding, equal, is_signed, tag};
use super::key::{Certificate, KeySource, KeyText};
use super::place::{At, Place};
use super::settings::Settings;
use super::template::{Context, Piece, Template};
use super::view::{Absent, View};
use crate::domain::key_path::KeyPath;
use crate::domain::refusal::Refusal;

use parts::one_or_many;
pub(super) use parts::part_refusal;
pub use parts::{BodyDigest, Choice, Each, Pinned, Required, SignedTime, TimeFormat};

/// The most signatures of one request that are tried.
const MAX_SIGNATURES: usize = 20;
/// The same where each costs a public-key operation.
const MAX_PUBLIC_SIGNATURES: usize = 5;

/// How a provider signs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// How a signature is computed.
    pub algorithm: Choice,
    /// Where signatures stand; all that are there are tried.
    #[serde(with = "one_or_many")]
    pub signature: Vec<Place>,
    /// How they are written.
    pub encoding: Encoding,
    /// What is signed.
    pub signed: Template,
    /// When it was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<SignedTime>,
    /// Where `{id}` stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Place>,
    /// Where the key is from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key: KeySource,
    /// A list in the body of which each element must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Each>,
    /// A digest of the body at a place that is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<BodyDigest>,
    /// What must be the setting of that name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub equal: Vec<Pinned>,
}

fn is_default(key: &KeySource) -> bool {
    *key == KeySource::default()
}

/// What signatures are judged with.
pub struct Keys<'a> {
    /// The secrets that are taken now, the newest first.
    pub secrets: &'a [&'a SecretString],
    /// The settings.
    pub settings: &'a Settings,
    /// The key of the certificate that the request names, if its row asks for one and it could be had.
    pub certificate: Option<&'a [u8]>,
}

/// A signature that is to be judged: what the request claims.
struct Claim<'v> {
    algorithm: Algorithm,
    time: Option<(Cow<'v, str>, Timestamp)>,
    id: Option<Cow<'v, str>>,
    signatures: Vec<Vec<u8>>,
}

impl Claim<'_> {
    /// What the pieces of what is signed are taken from.
    fn context<'c, 'v>(
        &'c self,
        view: &'c View<'v>,
        secret: Option<&'c [u8]>,
        settings: &'c Settings,
    ) -> Context<'c, 'v> {
        let timestamp = self.time.as_ref().map(|(text, _)| text.as_ref());
        Context { view, timestamp, id: self.id.as_deref(), secret, settings, hash: None }
    }
}

impl Signature {
    /// Judges a request. Counts, as its second part, the tags that were computed over it.
    pub fn judge(&self, view: &View<'_>, keys: &Keys<'_>, now: Timestamp) -> (Result<(), Refusal>, u32) {
        let (result, tags) = match &self.each {
            None => self.judge_one(view, keys, now, true),
            Some(each) => match each.elements(view) {
                Err(absent) => (Err(part_refusal(absent)), 0),
                Ok(elements) => {
                    let mut all = Ok(());
                    for element in elements {
                        all = all.and(self.judge_one(&view.at(element), keys, now, false).0);
                    }
                    // Small things each; what they cost beside the body is made up for by one over the body.
                    (all, self.spend(view, keys))
                }
            },
        };
        (result, tags)
    }

    fn judge_one(&self, view: &View<'_>, keys: &Keys<'_>, now: Timestamp, spends: bool) -> (Result<(), Refusal>, u32) {
        let claim = match self.claim(view) {
            Ok(claim) => claim,
            Err(refusal) => return (Err(refusal), if spends { self.spend(view, keys) } else { 0 }),
        };
        let (proved, tags) = self.prove(view, keys, &claim);
        let result = proved
            .and_then(|()| self.digest.as_ref().map_or(Ok(()), |digest| digest.judge(view)))
            .and_then(|()| self.pinned(view, keys.settings))
            .and_then(|()| match (&self.timestamp, &claim.time) {
                (Some(rule), Some((_, signed))) => rule.judge(*signed, now),
                _ => Ok(()),
            });
        (result, tags)
    }

    fn claim<'v>(&self, view: &'v View<'_>) -> Result<Claim<'v>, Refusal> {
        let mut signatures = Vec::new();
        for place in &self.signature {
            match place.texts(view) {
                Ok(texts) => {
                    for text in texts {
                        signatures.push(self.encoding.decode(&text).ok_or(Refusal::SignatureMalformed)?);
                    }
                }
                Err(Absent::Missing) => {}
                Err(Absent::Malformed) => return Err(Refusal::SignatureMalformed),
            }
        }
        if signatures.is_empty() {
            return Err(Refusal::SignatureMissing);
        }
        let time = match &self.timestamp {
            None => None,
            Some(rule) => {
                let text = rule.place.text(view).map_err(part_refusal)?;
                let signed = rule.format.read(&text).ok_or(Refusal::SignatureMalformed)?;
                Some((text, signed))
            }
        };
        let id = self.id.as_ref().map(|place| place.text(view)).transpose().map_err(part_refusal)?;
        let algorithm = match &self.algorithm {
            Choice::One(algorithm) => *algorithm,
            Choice::By { by, is } => {
                let named = by.text(view).map_err(part_refusal)?;
                *is.get(named.as_ref()).ok_or(Refusal::SignatureAlgorithm)?
            }
        };
        let most = if algorithm.is_symmetric() { MAX_SIGNATURES } else { MAX_PUBLIC_SIGNATURES };
        // A digest of secret and body can be carried on behind the body; what it is filled up with is no text.
        let is_text = algorithm != Algorithm::Sha256 || std::str::from_utf8(view.request().body).is_ok();
        if signatures.len() > most || !is_text {
            return Err(Refusal::SignatureMalformed);
        }
        Ok(Claim { algorithm, time, id, signatures })
    }

    fn prove(&self, view: &View<'_>, keys: &Keys<'_>, claim: &Claim<'_>) -> (Result<(), Refusal>, u32) {
        let (mut is_right, mut tags, mut has_key) = (false, 0, false);
        for key in self.keys(keys) {
            has_key = true;
            let parts = match self.signed.render(&claim.context(view, Some(key.as_ref()), keys.settings)) {
                Ok(parts) => parts,
                Err(absent) => return (Err(part_refusal(absent)), self.spend(view, keys)),
            };
            tags += 1;
            match tag(claim.algorithm, &key, &parts) {
                Some(tag) => {
                    for signature in &claim.signatures {
                        is_right |= equal(&tag, signature);
                    }
                }
                None => {
                    let message = parts.concat();
                    let signed = |signature: &Vec<u8>| is_signed(claim.algorithm, &key, &message, signature);
                    is_right |= claim.signatures.iter().any(signed);
                }
            }
        }
        let result = match (has_key, is_right, &self.key) {
            (false, _, KeySource::Certificate(_)) => Err(Refusal::TokenKeysUnavailable),
            (false, _, KeySource::Secret(_)) => Err(Refusal::SecretUnusable),
            (true, true, _) => Ok(()),
            (true, false, _) => Err(Refusal::SignatureMismatch),
        };
        (result, tags)
    }

    /// The keys that signatures are judged by.
    fn keys<'k>(&'k self, keys: &'k Keys<'k>) -> Box<dyn Iterator<Item = Cow<'k, [u8]>> + 'k> {
        match &self.key {
            KeySource::Certificate(_) => Box::new(keys.certificate.map(Cow::Borrowed).into_iter()),
            KeySource::Secret(how) => Box::new(keys.secrets.iter().filter_map(|secret| usable(how, secret))),
        }
    }

    /// Computes as many tags over the body as judging a readable claim would, for their cost alone.
    fn spend(&self, view: &View<'_>, keys: &Keys<'_>) -> u32 {
        let body = [Cow::Borrowed(view.request().body)];
        for secret in keys.secrets {
            std::hint::black_box(tag(Algorithm::HmacSha256, secret.expose_secret().as_bytes(), &body));
        }
        u32::try_from(keys.secrets.len()).unwrap_or(u32::MAX)
    }

    fn pinned(&self, view: &View<'_>, settings: &Settings) -> Result<(), Refusal> {
        for pinned in &self.equal {
            let found = pinned.place.text(view).map_err(part_refusal)?;
            let wanted = settings.get(&pinned.setting).ok_or(Refusal::SecretUnusable)?;
            if !equal(found.as_bytes(), wanted.as_bytes()) {
                return Err(Refusal::SignatureForeign);
            }
        }
        Ok(())
    }

    /// What is signed of a request, where that is one thing and has no secret in it.
    #[must_use]
    pub fn signed_bytes(&self, view: &View<'_>, settings: &Settings) -> Option<Vec<u8>> {
        if self.each.is_some() {
            return None;
        }
        let claim = self.claim(view).ok()?;
        self.signed.render(&claim.context(view, None, settings)).ok().map(|parts| parts.concat())
    }

    /// Tells whether what must be a setting is that, and whether there is a signature at all: what can be seen of a
    /// request before its key is fetched.
    #[must_use]
    pub fn is_worth_a_fetch(&self, view: &View<'_>, settings: &Settings) -> bool {
        self.claim(view).is_ok() && self.pinned(view, settings).is_ok()
    }

    /// The certificate that has to be at hand before a request can be judged.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        match &self.key {
            KeySource::Certificate(certificate) => Some(certificate),
            KeySource::Secret(_) => None,
        }
    }

    /// Tells whether the text at a place cannot be changed without breaking the signature.
    #[must_use]
    pub fn covers(&self, place: &Place) -> bool {
        let same = |signed: &Place| (&signed.at, &signed.list) == (&place.at, &place.list);
        let is_timestamp = |t: &SignedTime| same(&t.place) && self.signed.has(&Piece::Timestamp);
        let is_id = |id: &Place| same(id) && self.signed.has(&Piece::Id);
        let is_piece = |piece: &Piece| matches!(piece, Piece::At { place: signed, .. } if signed.at == place.at);
        let covers_body = self.signed.has(&Piece::Body) || self.digest.is_some();
        let has_url = self.signed.has(&Piece::Url) || self.signed.has(&Piece::UrlDecoded);
        self.timestamp.as_ref().is_some_and(is_timestamp)
            || self.id.as_ref().is_some_and(is_id)
            || self.signed.pieces().iter().any(is_piece)
            || match &place.at {
                At::Query(_) => has_url || self.signed.has(&Piece::Query),
                At::Form(_) => covers_body || self.signed.has(&Piece::FormSorted),
                At::Json(path) => covers_body || self.signed.pieces().iter().any(|piece| self.signs(piece, path)),
                At::Header(_) | At::Basic => false,
            }
    }
}

impl Signature {
    /// Tells whether a piece of what is signed is the text at a path of the JSON body.
    fn signs(&self, piece: &Piece, path: &KeyPath) -> bool {
        match piece {
            Piece::Line { name, .. } => path.as_str() == format!("$.{name}"),
            Piece::At { place: Place { at: At::Json(signed), .. }, .. } => {
                self.each.as_ref().and_then(|each| each.within(path)).is_some_and(|path| path == signed.as_str())
            }
            _ => false,
        }
    }
}

/// The key that a secret holds, borrowed where the secret is the key.
fn usable<'s>(how: &KeyText, secret: &'s SecretString) -> Option<Cow<'s, [u8]>> {
    if *how == KeyText::default() {
        return Some(Cow::Borrowed(secret.expose_secret().as_bytes())).filter(|key| !key.is_empty());
    }
    how.read(secret).map(|key| Cow::Owned(key.to_vec()))
}
