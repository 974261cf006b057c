//! What spoils a request of a row: every kind is made from the row itself, and every one must be refused.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::refusal::Refusal;
use hookport::scheme::Scheme;
use hookport::scheme::algorithm::Encoding;
use hookport::scheme::catalogue::presets;
use hookport::scheme::preset::Preset;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::edit::{edit, foreign_urls, put, text};
use crate::spoiled::{Case, Spoiled, places, signed_at, spoiled};
use crate::spoiled_token::forged;
use crate::vectors::{Means, Shown, judged, vectors_of};

/// How many different kinds of spoiled requests there must be of every vector.
const LEAST_KINDS: usize = 8;

/// Every vector of every row, with the row and its number.
fn cases() -> Vec<(&'static Preset, usize, Case)> {
    let mut cases = Vec::new();
    for preset in presets() {
        for (n, vector) in vectors_of(preset).vectors.iter().enumerate() {
            cases.push((preset, n, Case::from(vector)));
        }
    }
    cases
}

/// C4, D1 to D4: wrong prefixes, odd lengths, other alphabets, empty and missing ones among them.
#[test]
fn every_vector_of_every_row_is_refused_once_it_is_spoiled() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (preset, n, case) in cases() {
        let mut kinds = BTreeSet::new();
        for Spoiled { kind, case, refusal } in spoiled(preset, &case) {
            let name = format!("{} {n}, {kind}", preset.name);
            match (catch_unwind(AssertUnwindSafe(|| judged(preset, &case.shown, &case.means))), refusal) {
                (Err(_), _) => wrong.push(format!("{name}: panics")),
                (Ok(Ok(())), _) => wrong.push(format!("{name}: is taken")),
                (Ok(Err(found)), Some(expected)) if found != expected => {
                    wrong.push(format!("{name}: {found:?} is not {expected:?}"));
                }
                (Ok(Err(_)), _) => {}
            }
            count += 1;
            kinds.insert(kind);
        }
        if kinds.len() < LEAST_KINDS {
            wrong.push(format!("{} {n}: is spoiled in {} ways only: {kinds:?}", preset.name, kinds.len()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "of {count} spoiled requests");
    assert!(count >= 15 * presets().len(), "{count} spoiled requests");
}

#[test]
fn a_signed_time_is_taken_up_to_the_tolerance_and_no_further() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (preset, n, case) in cases() {
        let Some((signed, tolerance)) = signed_at(preset, &case.shown) else { continue };
        let beyond = tolerance + SignedDuration::from_secs(1);
        let expected = [
            (signed, Ok(())),
            (signed + tolerance, Ok(())),
            (signed - tolerance, Ok(())),
            (signed + beyond, Err(Refusal::SignatureStale)),
            (signed - beyond, Err(Refusal::SignatureFuture)),
        ];
        for (now, expected) in expected {
            let found = judged(preset, &case.shown, &Means { now, ..case.means.clone() });
            if found != expected {
                wrong.push(format!("{} {n} at {now}: {found:?} is not {expected:?}", preset.name));
            }
        }
        count += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(count >= 40, "{count} vectors with a signed time");
}

#[test]
fn a_signed_token_is_taken_for_a_minute_after_its_expiry_and_no_longer() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (preset, n, case) in cases() {
        let Scheme::Jws(row) = &preset.verify else { continue };
        let token = text(&case.shown, &row.place).expect("a token");
        let parts: Vec<_> = token.split('.').filter_map(|part| Encoding::Base64Url.decode(part)).collect();
        let [header, claims, _] = parts.as_slice() else { panic!("{}: a compact JWS", preset.name) };
        let json = |part: &Vec<u8>| serde_json::from_slice::<Value>(part).expect("JSON");
        let (header, mut claims) = (json(header), json(claims));
        let exp = case.means.now.as_second();
        claims["exp"] = Value::from(exp);
        // It also shows that the negatives could forge a token that is taken.
        let token = forged(&case.means.secret, &header, &claims);
        let shown = edit(&case.shown, &row.place, &|_| Some(token.clone())).expect("a place for the token");
        for (after_s, expected) in [(0, Ok(())), (59, Ok(())), (60, Err(Refusal::TokenExpired))] {
            let now = Timestamp::from_second(exp + after_s).expect("a time");
            let found = judged(preset, &shown, &Means { now, ..case.means.clone() });
            if found != expected {
                wrong.push(format!("{} {n}, {after_s} s after its expiry: {found:?}", preset.name));
            }
        }
        count += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(count >= 4, "{count} vectors with a token");
}

#[test]
fn a_certificate_is_fetched_from_the_hosts_of_its_row_only() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (preset, n, case) in cases() {
        let Some(certificate) = preset.verify.certificate() else { continue };
        let url = text(&case.shown, &certificate.url).expect("the URL of a certificate");
        if certificate.hosts.take(&url).is_none() {
            wrong.push(format!("{} {n}: {url} is not taken", preset.name));
        }
        for (kind, foreign) in foreign_urls(&url) {
            if certificate.hosts.take(&foreign).is_some() {
                wrong.push(format!("{} {n}: a URL {kind} is taken: {foreign}", preset.name));
            }
        }
        count += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(count >= 2, "{count} vectors with a certificate");
}

/// Pieces of what stands at the places of rows, and of what does not.
fn any_text() -> impl Strategy<Value = String> {
    let known = select(vec![
        "sha256=",
        "v0=",
        "v1=",
        "t=",
        "v1,",
        "=",
        ",",
        " ",
        ".",
        ":",
        "\"",
        "1768478400",
        "Bearer ",
        "sig1=",
        "sig1=(",
        ");created=",
        "2026-01-15T12:00:00Z",
        "{",
        "}",
    ]);
    let bytes = || vec(any::<u8>(), 0..70);
    let piece = prop_oneof![
        known.prop_map(str::to_owned),
        ".{0,20}",
        bytes().prop_map(hex::encode),
        bytes().prop_map(|bytes| STANDARD.encode(bytes)),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// The same request with other texts wherever its row looks, the proof among them.
fn scrambled(preset: &Preset, shown: &Shown, texts: &[String], body: Option<&[u8]>) -> Shown {
    let (proof, others) = places(&preset.verify);
    let mut shown = shown.clone();
    for (place, text) in others.iter().chain(&proof).zip(texts.iter().cycle()) {
        let changed = put(&shown, &place.at, Some(text)).or_else(|| put(&shown, &place.at, None));
        shown = changed.unwrap_or(shown);
    }
    Shown { body: body.map_or(shown.body, <[u8]>::to_vec), ..shown }
}

#[test]
fn random_texts_at_the_places_of_a_row_are_never_taken() {
    let cases: Vec<_> = cases().into_iter().filter(|(_, n, _)| *n == 0).collect();
    let body = || proptest::option::of(vec(any::<u8>(), 0..200));
    proptest!(ProptestConfig::with_cases(64), |(texts in vec(any_text(), 7), body in body())| {
        for (preset, _, case) in &cases {
            let shown = scrambled(preset, &case.shown, &texts, body.as_deref());
            let is_refused = judged(preset, &shown, &case.means).is_err();
            prop_assert!(is_refused, "{}: {texts:?}", preset.name);
        }
    });
}

/// C4, D1 to D4: what is written in hex is taken in capitals too, for every row that writes so.
#[test]
fn a_signature_in_hex_is_taken_in_capitals() {
    let (mut wrong, mut taken) = (Vec::new(), 0);
    for preset in presets() {
        let Scheme::Signature(row) = &preset.verify else { continue };
        if row.encoding != Encoding::Hex || row.each.is_some() {
            continue;
        }
        for vector in vectors_of(preset).vectors {
            let shown = vector.request.shown();
            for place in &row.signature {
                let Some(capitals) = edit(&shown, place, &|text| Some(text.to_ascii_uppercase())) else { continue };
                match judged(preset, &capitals, &Means::from(&vector)) {
                    Ok(()) => taken += 1,
                    Err(refusal) => wrong.push(format!("{}: {refusal:?}", preset.name)),
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(taken > 30, "{taken} signatures in hex");
}
