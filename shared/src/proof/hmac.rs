//! Judging of HMAC signatures over the raw body of a received request.
//!
//! As many MACs are computed for a request without a readable signature as for one with a wrong signature.

use ::hmac::{Hmac, KeyInit, Mac};
use base64::Engine as _;
use http::HeaderName;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::{BASE64, Evidence, Judged, Live, only};
use crate::domain::inbound_webhook::{HmacAlgorithm, HmacProof, SignatureForm, TagEncoding};
use crate::domain::refusal::Refusal;

/// The most parts of a timestamped value.
const MAX_PARTS: usize = 10;
/// The most digits of a time in seconds; far beyond any time there is, and far from overflowing.
const MAX_TIME_DIGITS: usize = 15;
/// The most characters of a tag in base64: SHA-512, padded.
const MAX_BASE64_CHARS: usize = 88;
/// Names of hashes that senders put before a tag.
const HASH_NAMES: [&str; 6] = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

/// An HMAC-SHA256 key, ready for use.
#[derive(Clone)]
pub struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    /// Prepares the text of `secret` as the key.
    #[must_use]
    pub fn new(secret: &SecretString) -> Self {
        Self::from_bytes(secret.expose_secret().as_bytes())
    }

    /// Prepares bytes as the key.
    #[must_use]
    pub fn from_bytes(key: &[u8]) -> Self {
        Self(keyed(key))
    }

    /// The tag over `parts`, one after another.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

fn keyed<M: KeyInit>(key: &[u8]) -> M {
    M::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// A MAC of one of the hashes, with its key and what it has read so far.
#[derive(Clone)]
enum AnyMac {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl AnyMac {
    fn new(algorithm: HmacAlgorithm, secret: &SecretString) -> Self {
        let key = secret.expose_secret().as_bytes();
        match algorithm {
            HmacAlgorithm::Sha1 => Self::Sha1(keyed(key)),
            HmacAlgorithm::Sha256 => Self::Sha256(keyed(key)),
            HmacAlgorithm::Sha512 => Self::Sha512(keyed(key)),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(mac) => mac.update(bytes),
            Self::Sha256(mac) => mac.update(bytes),
            Self::Sha512(mac) => mac.update(bytes),
        }
    }

    /// Tells, in constant time, whether `tag` is the tag of what was read.
    fn yields(&self, tag: &[u8]) -> bool {
        match self {
            Self::Sha1(mac) => mac.clone().verify_slice(tag).is_ok(),
            Self::Sha256(mac) => mac.clone().verify_slice(tag).is_ok(),
            Self::Sha512(mac) => mac.clone().verify_slice(tag).is_ok(),
        }
    }
}

/// What a request claims about its body.
struct Claim<'h> {
    /// The text of the time, which is signed with the body.
    time: Option<&'h [u8]>,
    /// The tags, of which one must be right.
    tags: Vec<Vec<u8>>,
    /// What to say of the time once a tag has proved to be right.
    timely: Result<(), Refusal>,
}

/// An HMAC proof with its keys ready.
pub(super) struct SignatureCheck {
    headers: Vec<HeaderName>,
    algorithm: HmacAlgorithm,
    encoding: TagEncoding,
    form: SignatureForm,
    macs: Live<AnyMac>,
}

impl SignatureCheck {
    pub(super) fn new(proof: &HmacProof, secrets: &Live<SecretString>) -> Self {
        // Names were checked when they were stored; one that cannot be a header can never be present.
        let headers = proof.headers.iter().filter_map(|name| HeaderName::try_from(name.as_str()).ok());
        Self {
            headers: headers.collect(),
            algorithm: proof.algorithm,
            encoding: proof.encoding,
            form: proof.form,
            macs: secrets.map(|secret| AnyMac::new(proof.algorithm, secret)),
        }
    }

    pub(super) fn judge(&self, evidence: &Evidence<'_>) -> Judged {
        let (claim, readable) = match self.read(evidence) {
            Ok(claim) => (claim, Ok(())),
            Err(refusal) => (self.no_claim(), Err(refusal)),
        };
        let (mut macs, mut is_right) = (0, false);
        for key in self.macs.at(evidence.now) {
            let mut mac = key.clone();
            if let Some(time) = claim.time {
                mac.update(time);
                mac.update(b".");
            }
            mac.update(evidence.body);
            macs += 1;
            for tag in &claim.tags {
                is_right |= mac.yields(tag);
            }
        }
        let verdict = if is_right { claim.timely } else { Err(Refusal::SignatureMismatch) };
        Judged { result: readable.and(verdict), macs }
    }

    /// What is judged, for its cost alone, when there is no readable claim.
    fn no_claim(&self) -> Claim<'static> {
        let time = match self.form {
            SignatureForm::Body => None,
            SignatureForm::Timestamped { .. } => Some(&b"0000000000"[..]),
        };
        Claim { time, tags: vec![vec![0; self.tag_bytes()]], timely: Ok(()) }
    }

    fn read<'h>(&self, evidence: &Evidence<'h>) -> Result<Claim<'h>, Refusal> {
        let present = self.headers.iter().find(|name| evidence.headers.contains_key(*name));
        let name = present.ok_or(Refusal::SignatureMissing)?;
        let value = only(evidence.headers, name, Refusal::SignatureMissing, Refusal::SignatureMalformed)?;
        match self.form {
            SignatureForm::Body => {
                let tag = self.decode(self.without_prefix(value)?)?;
                Ok(Claim { time: None, tags: vec![tag], timely: Ok(()) })
            }
            SignatureForm::Timestamped { tolerance_s } => self.read_timestamped(value, evidence.now, tolerance_s),
        }
    }

    /// Takes the algorithm's name and `=` off a tag, if they are there.
    fn without_prefix<'h>(&self, value: &'h [u8]) -> Result<&'h [u8], Refusal> {
        let Some(at) = value.iter().position(|b| *b == b'=') else { return Ok(value) };
        let (name, tag) = (&value[..at], &value[at + 1..]);
        let is_named = |hash: &str| name.eq_ignore_ascii_case(hash.as_bytes());
        if is_named(self.algorithm.as_str()) {
            return Ok(tag);
        }
        match self.encoding {
            TagEncoding::Hex => Err(Refusal::SignatureAlgorithm),
            TagEncoding::Base64 if HASH_NAMES.into_iter().any(is_named) => Err(Refusal::SignatureAlgorithm),
            // The padding of a bare tag.
            TagEncoding::Base64 => Ok(value),
        }
    }

    /// Reads `t=<unix seconds>,v1=<tag>`, parts in any order, `v1` as often as there are keys.
    fn read_timestamped<'h>(&self, value: &'h [u8], now: Timestamp, tolerance_s: u32) -> Result<Claim<'h>, Refusal> {
        let (mut time, mut tags) = (None, Vec::new());
        for (n, part) in value.split(|b| *b == b',').enumerate() {
            let part = part.trim_ascii();
            let at = part.iter().position(|b| *b == b'=').ok_or(Refusal::SignatureMalformed)?;
            match &part[..at] {
                _ if n >= MAX_PARTS => return Err(Refusal::SignatureMalformed),
                b"t" if time.is_some() => return Err(Refusal::SignatureMalformed),
                b"t" => time = Some(&part[at + 1..]),
                b"v1" => tags.push(self.decode(&part[at + 1..])?),
                _ => {} // A scheme of another version.
            }
        }
        let time = time.filter(|_| !tags.is_empty()).ok_or(Refusal::SignatureMalformed)?;
        let timely = judge_time(seconds(time).ok_or(Refusal::SignatureMalformed)?, now, tolerance_s);
        Ok(Claim { time: Some(time), tags, timely })
    }

    fn decode(&self, text: &[u8]) -> Result<Vec<u8>, Refusal> {
        let decoded = match self.encoding {
            TagEncoding::Hex => {
                let mut tag = vec![0; self.tag_bytes()];
                hex::decode_to_slice(text, &mut tag).ok().map(|()| tag)
            }
            TagEncoding::Base64 if text.len() > MAX_BASE64_CHARS => None,
            TagEncoding::Base64 => BASE64.decode(text).ok().filter(|tag| tag.len() == self.tag_bytes()),
        };
        decoded.ok_or(Refusal::SignatureMalformed)
    }

    fn tag_bytes(&self) -> usize {
        match self.algorithm {
            HmacAlgorithm::Sha1 => 20,
            HmacAlgorithm::Sha256 => 32,
            HmacAlgorithm::Sha512 => 64,
        }
    }
}

/// Reads a time in whole seconds since the Unix epoch.
pub(crate) fn seconds(text: &[u8]) -> Option<i64> {
    let is_number = (1..=MAX_TIME_DIGITS).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_number)?.parse().ok()
}

fn judge_time(signed_s: i64, now: Timestamp, tolerance_s: u32) -> Result<(), Refusal> {
    let age_ms = now.as_millisecond() - signed_s * 1000;
    let tolerance_ms = i64::from(tolerance_s) * 1000;
    if age_ms > tolerance_ms {
        Err(Refusal::SignatureStale)
    } else if age_ms < -tolerance_ms {
        Err(Refusal::SignatureFuture)
    } else {
        Ok(())
    }
}
