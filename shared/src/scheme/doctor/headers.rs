//! Headers: what is missing under its own name may stand under another.

use http::HeaderName;

use super::bench::{Bench, Found};
use super::cause::Cause;
use crate::scheme::Scheme;
use crate::scheme::place::{At, Place};
use crate::scheme::view::{Absent, View};

/// The most headers of a request that are looked at.
pub(super) const MAX_HEADERS: usize = 40;
/// Headers that never hold what proves a request.
const NEVER: [&str; 9] = [
    "host",
    "content-type",
    "content-length",
    "user-agent",
    "accept",
    "accept-encoding",
    "connection",
    "x-forwarded-for",
    "x-forwarded-proto",
];

/// Puts each header of the request where one is missing.
pub(super) fn find(bench: &Bench<'_>) -> Option<Found> {
    let headers = bench.case.request.headers;
    for expected in wanted(bench) {
        for name in candidates(bench).filter(|name| **name != expected) {
            let Some(value) = headers.get(name) else { continue };
            let mut varied = headers.clone();
            varied.insert(expected.clone(), value.clone());
            if bench.with_headers(&varied) {
                return Some(Cause::WrongHeader { found: name.to_string(), expected: expected.to_string() }.into());
            }
        }
    }
    None
}

/// The headers of the request that may hold what proves it.
pub(super) fn candidates<'b>(bench: &'b Bench<'_>) -> impl Iterator<Item = &'b HeaderName> {
    let names = bench.case.request.headers.keys();
    names.filter(|name| !NEVER.contains(&name.as_str())).take(MAX_HEADERS)
}

/// The headers that the row reads and that are not there.
fn wanted(bench: &Bench<'_>) -> Vec<HeaderName> {
    let view = View::new(bench.case.request);
    let is_missing = |place: &Place| matches!(place.texts(&view), Err(Absent::Missing));
    let header = |place: &Place| match &place.at {
        At::Header(names) if is_missing(place) => names.first().cloned(),
        _ => None,
    };
    match &bench.scheme {
        Scheme::Signature(row) => {
            let is_unsigned = row.signature.iter().all(is_missing);
            let signature = row.signature.first().filter(|_| is_unsigned).into_iter();
            let digest = row.digest.iter().map(|digest| &digest.place);
            let parts = row.timestamp.iter().map(|rule| &rule.place).chain(&row.id).chain(digest);
            let mut wanted: Vec<_> = signature.chain(parts).filter_map(header).collect();
            wanted.dedup();
            wanted
        }
        Scheme::Token(row) => header(&row.place).into_iter().collect(),
        Scheme::Jws(row) => header(&row.place).into_iter().collect(),
        Scheme::HttpMessageSignature(_) => {
            let names = ["signature-input", "signature"].map(HeaderName::from_static).into_iter();
            names.filter(|name| !bench.case.request.headers.contains_key(name)).collect()
        }
    }
}
