//! HTTP message signatures: what is missing of one or cannot be read, and whether its digest is that of another body.

use sfv::{BareItem, Dictionary, InnerList, Item, ListEntry, Parser};
use sha2::{Digest as _, Sha256, Sha512};

use super::bench::Bench;
use super::cause::Cause;
use crate::domain::refusal::Refusal;
use crate::scheme::MessageSignature;
use crate::scheme::algorithm::equal;
use crate::scheme::view::View;

/// The headers that a signature is made of, and that of the digest.
const HEADERS: [&str; 3] = ["signature-input", "signature", "content-digest"];
/// The registered names of algorithms.
const ALGORITHMS: [&str; 6] =
    ["hmac-sha256", "ed25519", "ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-v1_5-sha256", "rsa-pss-sha512"];

/// What the refusal alone says of a message signature.
pub(super) fn absent(bench: &Bench<'_>, row: &MessageSignature, refusal: Refusal) -> Option<Cause> {
    let view = View::new(bench.case.request);
    match refusal {
        Refusal::SignatureMissing => Some(missing(&view, row)),
        Refusal::SignaturePartMissing => part_missing(&view, row),
        Refusal::SignatureMalformed => Some(malformed(&view)),
        Refusal::SignatureAlgorithm => Some(algorithm(&view, row)),
        _ => None,
    }
}

fn missing(view: &View<'_>, row: &MessageSignature) -> Cause {
    let mut missing = HEADERS.into_iter().take(2).filter(|name| !view.request().headers.contains_key(*name));
    match (missing.next(), &row.label) {
        (Some(name), _) => Cause::SignatureMissing {
            place: format!("header {name}"),
            also_missing: missing.map(|name| format!("header {name}")).collect(),
        },
        (None, Some(label)) => {
            Cause::SignatureMissing { place: format!("signature {label}"), also_missing: Vec::new() }
        }
        (None, None) => Cause::SignatureMissing { place: "header signature".to_owned(), also_missing: Vec::new() },
    }
}

fn dictionary(view: &View<'_>, name: &str) -> Option<Dictionary> {
    Parser::new(view.header(name).ok()?).parse::<Dictionary>().ok()
}

/// What the signature that counts says it covers; the first one, where any may count.
fn input(view: &View<'_>, row: &MessageSignature) -> Option<InnerList> {
    let inputs = dictionary(view, "signature-input")?;
    let is_wanted = |label: &str| row.label.as_deref().is_none_or(|wanted| wanted == label);
    match inputs.into_iter().find(|(label, _)| is_wanted(label.as_str())) {
        Some((_, ListEntry::InnerList(input))) => Some(input),
        Some((_, ListEntry::Item(_))) | None => None,
    }
}

fn part_missing(view: &View<'_>, row: &MessageSignature) -> Option<Cause> {
    let input = input(view, row)?;
    let names: Vec<&str> = input.items.iter().filter_map(|item| Some(item.bare_item.as_string()?.as_str())).collect();
    let uncovered = row.components.iter().find(|wanted| !names.contains(&wanted.as_str()));
    let is_absent = |name: &&&str| !name.starts_with('@') && !view.request().headers.contains_key(**name);
    let place = match (uncovered, names.iter().find(is_absent)) {
        // A covered header that did not arrive is looked for first, as the engine does.
        (_, Some(name)) if row.components.iter().any(|known| known == name) => format!("header {name}"),
        (_, Some(_)) => "a covered header".to_owned(),
        (Some(name), None) => format!("component {name}"),
        (None, None) => "parameter created".to_owned(),
    };
    Some(Cause::PartMissing { place })
}

fn malformed(view: &View<'_>) -> Cause {
    let is_unreadable = |name: &&str| view.header(name).is_ok() && dictionary(view, name).is_none();
    let name = HEADERS.into_iter().find(is_unreadable).unwrap_or(HEADERS[0]);
    Cause::Malformed { place: format!("header {name}") }
}

fn algorithm(view: &View<'_>, row: &MessageSignature) -> Cause {
    let input = input(view, row);
    let named = input.as_ref().and_then(|input| match input.params.get("alg") {
        Some(BareItem::String(named)) => ALGORITHMS.into_iter().find(|known| *known == named.as_str()),
        _ => None,
    });
    Cause::WrongAlgorithm { found: named.unwrap_or("unlisted").to_owned() }
}

/// The digest of another body that the request brings along.
pub(super) fn another_body(bench: &Bench<'_>, row: &MessageSignature) -> Option<Cause> {
    let view = View::new(bench.case.request);
    if !row.components.iter().any(|name| name == HEADERS[2]) {
        return None;
    }
    let body = bench.case.request.body;
    let differs = dictionary(&view, HEADERS[2])?.iter().any(|(name, entry)| {
        let ListEntry::Item(Item { bare_item: BareItem::ByteSequence(digest), .. }) = entry else { return false };
        match name.as_str() {
            "sha-256" => !equal(digest, &Sha256::digest(body)),
            "sha-512" => !equal(digest, &Sha512::digest(body)),
            _ => false,
        }
    });
    differs.then(|| match body {
        [] => Cause::BodyEmpty,
        _ => Cause::BodyDiffers { place: format!("header {}", HEADERS[2]) },
    })
}
