//! Signatures: every text of the request that may be one, read in every way, held against what each algorithm makes of
//! the request as it is.

use http::{HeaderName, HeaderValue};

use super::bench::{Bench, Found, Trial, at_first};
use super::cause::Cause;
use super::detail::Written;
use super::headers::MAX_HEADERS;
use super::places::name_of;
use crate::scheme::Scheme;
use crate::scheme::algorithm::{Algorithm, Encoding};
use crate::scheme::place::{At, List, MAX_PARTS, Place};
use crate::scheme::signature::{Choice, Signature};
use crate::scheme::template::Template;
use crate::scheme::view::{Request, View};

/// The header in which candidates are put before the engine.
const CANDIDATES: &str = "hookport-doctor-candidates";
/// The most texts that are held for signatures.
const MAX_CANDIDATES: usize = 200;
/// The longest header that is searched, in bytes.
const MAX_VALUE_BYTES: usize = 4_096;
/// The most texts that are looked for in one header.
const MAX_TOKENS: usize = 60;
/// The shortest text of a signature: 20 bytes in base64.
const MIN_TOKEN_CHARS: usize = 27;
/// The sizes of signatures, in bytes: from HMAC-SHA1 to RSA with 8192 bits.
const SIZES: std::ops::RangeInclusive<usize> = 20..=1_024;

/// What a shared secret may sign by.
const MACS: [Algorithm; 4] = [Algorithm::HmacSha256, Algorithm::HmacSha1, Algorithm::HmacSha512, Algorithm::HmacSha384];

/// A text of the request that may be a signature.
struct Candidate {
    /// The header, where it is not that of the row.
    header: Option<HeaderName>,
    written: Written,
    /// Whether it stands there as the row says, with what comes before it.
    is_in_form: bool,
    bytes: Vec<u8>,
}

/// One way to sign.
struct Way {
    algorithm: Choice,
    signed: Template,
    /// The name of the algorithm, where it is not that of the row.
    name: Option<&'static str>,
}

/// Varies where the signature stands, how it is written, and by which algorithm it is made.
pub(super) fn find(bench: &Bench<'_>) -> Option<Found> {
    let row = bench.signature()?;
    let candidates = candidates(bench, row);
    for way in ways(row) {
        let size = size(&way.algorithm);
        let fitting: Vec<_> =
            candidates.iter().filter(|candidate| size.is_none_or(|size| size == candidate.bytes.len())).collect();
        for some in fitting.chunks(MAX_PARTS) {
            if !is_among(bench, row, &way, some) {
                continue;
            }
            let right = some.iter().find(|one| is_among(bench, row, &way, &[**one]))?;
            return classify(row, &way, right);
        }
    }
    None
}

/// What is different: the header first, the prefix last.
fn classify(row: &Signature, way: &Way, right: &Candidate) -> Option<Found> {
    let place = row.signature.first()?;
    let mut causes = Vec::new();
    if let Some(header) = &right.header {
        causes.push(Cause::WrongHeader { found: header.to_string(), expected: name_of(place) });
    }
    if let Some(name) = way.name {
        causes.push(Cause::WrongAlgorithm { found: name.to_owned() });
    }
    let expected = Written::from(row.encoding);
    if right.written != expected {
        causes.push(Cause::WrongEncoding { expected, found: right.written });
    }
    if !right.is_in_form {
        causes.push(Cause::WrongPrefix { expected: prefix(place) });
    }
    let mut causes = causes.into_iter();
    let cause = causes.next()?;
    Some(Found { cause, also: causes.next() })
}

/// What stands before a signature as the row has it.
fn prefix(place: &Place) -> Option<String> {
    let strip = place.strip.clone().unwrap_or_default();
    let name = place.list.as_ref().and_then(|list| Some(format!("{}{}", list.part.as_ref()?, list.equals.as_ref()?)));
    Some(format!("{}{strip}", name.unwrap_or_default())).filter(|prefix| !prefix.is_empty())
}

/// Tells whether one of these is the signature.
fn is_among(bench: &Bench<'_>, row: &Signature, way: &Way, some: &[&Candidate]) -> bool {
    let texts: Vec<_> = some.iter().map(|candidate| hex::encode(&candidate.bytes)).collect();
    let Ok(value) = HeaderValue::from_str(&texts.join(",")) else { return false };
    let name = HeaderName::from_static(CANDIDATES);
    let list = List { split: ",".to_owned(), equals: None, part: None, from: 0, count: None };
    let mut headers = bench.case.request.headers.clone();
    headers.insert(name.clone(), value);
    let varied = Signature {
        algorithm: way.algorithm.clone(),
        signature: vec![Place { at: At::Header(vec![name]), list: Some(list), strip: None }],
        encoding: Encoding::Hex,
        signed: way.signed.clone(),
        ..row.clone()
    };
    let scheme = Scheme::Signature(Box::new(varied));
    let request = Request { headers: &headers, ..bench.case.request };
    bench.holds(&Trial { scheme: &scheme, request, ..bench.trial() })
}

fn ways(row: &Signature) -> Vec<Way> {
    let signed = row.signed.as_str();
    let mut ways = vec![Way { algorithm: row.algorithm.clone(), signed: row.signed.clone(), name: None }];
    let mut add = |algorithm: Algorithm, signed: String| {
        if let Ok(signed) = Template::try_from(signed) {
            ways.push(Way { algorithm: Choice::One(algorithm), signed, name: Some(name(algorithm)) });
        }
    };
    match &row.algorithm {
        Choice::By { is, .. } => is.values().for_each(|algorithm| add(*algorithm, signed.to_owned())),
        Choice::One(Algorithm::Sha256) => {
            MACS.into_iter().for_each(|algorithm| add(algorithm, signed.replace("{secret}", "")));
        }
        Choice::One(one) if one.is_symmetric() => {
            let others = MACS.into_iter().filter(|algorithm| algorithm != one);
            others.for_each(|algorithm| add(algorithm, signed.to_owned()));
            add(Algorithm::Sha256, format!("{{secret}}{signed}"));
            add(Algorithm::Sha256, format!("{signed}{{secret}}"));
        }
        Choice::One(Algorithm::RsaSha1) => add(Algorithm::RsaSha256, signed.to_owned()),
        Choice::One(Algorithm::RsaSha256) => add(Algorithm::RsaSha1, signed.to_owned()),
        Choice::One(_) => {}
    }
    ways
}

/// How many bytes a signature has, where that does not depend on the key.
fn size(choice: &Choice) -> Option<usize> {
    let Choice::One(algorithm) = choice else { return None };
    match algorithm {
        Algorithm::HmacSha1 => Some(20),
        Algorithm::HmacSha256 | Algorithm::Sha256 => Some(32),
        Algorithm::HmacSha384 => Some(48),
        Algorithm::HmacSha512 | Algorithm::Ed25519 => Some(64),
        Algorithm::EcdsaP256Sha256 | Algorithm::RsaSha1 | Algorithm::RsaSha256 => None,
    }
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HmacSha1 => "hmac-sha1",
        Algorithm::HmacSha256 => "hmac-sha256",
        Algorithm::HmacSha384 => "hmac-sha384",
        Algorithm::HmacSha512 => "hmac-sha512",
        Algorithm::Sha256 => "sha256",
        Algorithm::Ed25519 => "ed25519",
        Algorithm::EcdsaP256Sha256 => "ecdsa-p256-sha256",
        Algorithm::RsaSha1 => "rsa-sha1",
        Algorithm::RsaSha256 => "rsa-sha256",
    }
}

/// All texts that may be signatures, those of the row's own places first.
fn candidates(bench: &Bench<'_>, row: &Signature) -> Vec<Candidate> {
    let view = View::new(bench.case.request);
    let mut all = at_first(&bench.scheme, &view, |view| {
        let mut all = Vec::new();
        for place in &row.signature {
            for text in place.texts(view).unwrap_or_default() {
                add(&mut all, row.encoding, None, true, &text);
            }
        }
        for place in &row.signature {
            let whole = Place { at: place.at.clone(), list: None, strip: None };
            if let Ok(text) = whole.text(view) {
                tokens(&text).into_iter().for_each(|token| add(&mut all, row.encoding, None, false, token));
            }
        }
        all
    });
    let is_own = |name: &HeaderName| row.signature.iter().flat_map(Place::headers).any(|own| own == name.as_str());
    let headers = bench.case.request.headers.iter().filter(|(name, _)| !is_own(name)).take(MAX_HEADERS);
    for (name, value) in headers {
        if let Ok(text) = std::str::from_utf8(value.as_bytes()) {
            tokens(text).into_iter().for_each(|token| add(&mut all, row.encoding, Some(name), true, token));
        }
    }
    all
}

fn add(all: &mut Vec<Candidate>, first: Encoding, header: Option<&HeaderName>, is_in_form: bool, text: &str) {
    for encoding in [first, Encoding::Hex, Encoding::Base64, Encoding::Base64Url] {
        let Some(bytes) = encoding.decode(text) else { continue };
        let inner = std::str::from_utf8(&bytes).ok().filter(|_| encoding != Encoding::Hex);
        let hex = inner.and_then(|inner| Encoding::Hex.decode(inner)).map(|hex| (Written::Base64OfHex, hex));
        for (written, bytes) in std::iter::once((Written::from(encoding), bytes.clone())).chain(hex) {
            let is_new = SIZES.contains(&bytes.len()) && all.iter().all(|known| known.bytes != bytes);
            if is_new && all.len() < MAX_CANDIDATES {
                all.push(Candidate { header: header.cloned(), written, is_in_form, bytes });
            }
        }
    }
}

/// The parts of a text that may be signatures: the whole, what lists have, and what follows a mark in either.
fn tokens(text: &str) -> Vec<&str> {
    if text.len() > MAX_VALUE_BYTES {
        return Vec::new();
    }
    let mut tokens = Vec::new();
    for part in std::iter::once(text).chain(text.split([',', ';', ' ', '&'])).take(MAX_TOKENS) {
        let part = bare(part);
        tokens.push(part);
        tokens.extend(
            ['=', ':', ',', '|', ' '].iter().filter_map(|mark| part.split_once(*mark)).map(|(_, rest)| bare(rest)),
        );
    }
    tokens.retain(|token| token.len() >= MIN_TOKEN_CHARS);
    tokens
}

fn bare(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}
