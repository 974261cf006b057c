//! Places: what they are called, and what is missing, malformed or there twice.

use std::collections::BTreeMap;

use http::HeaderName;

use super::bench::{Bench, Found, Trial, at_first, each_of};
use super::cause::Cause;
use super::{message_signatures, tokens};
use crate::domain::refusal::Refusal;
use crate::scheme::Scheme;
use crate::scheme::place::{At, Place};
use crate::scheme::settings::{PUBLIC_URL, Settings};
use crate::scheme::signature::{Choice, Required, Signature};
use crate::scheme::template::Piece;
use crate::scheme::view::{Absent, View};

/// What a place is called.
pub(super) fn describe(place: &Place) -> String {
    let at = match &place.at {
        At::Header(names) => {
            let names: Vec<_> = names.iter().map(HeaderName::as_str).collect();
            format!("header {}", names.join(" or "))
        }
        At::Query(name) => format!("query parameter {name}"),
        At::Form(name) => format!("form field {name}"),
        At::Json(path) => format!("JSON {}", path.as_str()),
        At::Basic => "header authorization".to_owned(),
    };
    match place.list.as_ref().and_then(|list| list.part.as_deref()) {
        Some(part) => format!("{at}, part {part}"),
        None => at,
    }
}

/// The name of the header that a place begins with, or what it is called.
pub(super) fn name_of(place: &Place) -> String {
    match &place.at {
        At::Header(names) => names.first().map(ToString::to_string).unwrap_or_default(),
        At::Query(_) | At::Form(_) | At::Json(_) | At::Basic => describe(place),
    }
}

/// Causes that need no second look: something else than the proof is wrong, and the refusal says so.
pub(super) fn certain(bench: &Bench<'_>, refusal: Refusal) -> Option<Cause> {
    match refusal {
        Refusal::TokenKeysUnavailable => Some(Cause::CertificateUnavailable),
        Refusal::SignatureForeign => foreign(bench),
        Refusal::SecretUnusable | Refusal::SignaturePartMissing => missing_setting(bench),
        Refusal::SignatureMalformed | Refusal::CredentialMalformed | Refusal::TokenMalformed => duplicated(bench),
        Refusal::TokenClaims => tokens::claim(bench),
        _ => None,
    }
}

/// What the refusal alone says, when no variation says more.
pub(super) fn absent(bench: &Bench<'_>, refusal: Refusal) -> Option<Cause> {
    if let Scheme::HttpMessageSignature(row) = &bench.scheme
        && let Some(cause) = message_signatures::absent(bench, row, refusal)
    {
        return Some(cause);
    }
    match refusal {
        Refusal::SignatureMissing | Refusal::CredentialMissing => missing(bench),
        Refusal::SignaturePartMissing => part_missing(bench),
        Refusal::SignatureMalformed | Refusal::CredentialMalformed => malformed(bench),
        Refusal::TokenMalformed => tokens::algorithm(bench).or_else(|| malformed(bench)),
        Refusal::SignatureAlgorithm => Some(Cause::WrongAlgorithm { found: "unlisted".to_owned() }),
        Refusal::SecretUnusable => Some(Cause::SecretUnusable),
        _ => None,
    }
}

fn missing(bench: &Bench<'_>) -> Option<Cause> {
    let (place, others) = match &bench.scheme {
        Scheme::Signature(row) => (row.signature.first()?, parts(row)),
        Scheme::Token(row) => (&row.place, Vec::new()),
        Scheme::Jws(row) => (&row.place, Vec::new()),
        Scheme::HttpMessageSignature(_) => return None,
    };
    let view = View::new(bench.case.request);
    let mut also_missing: Vec<String> = at_first(&bench.scheme, &view, |view| {
        let missing = others.into_iter().filter(|place| matches!(place.texts(view), Err(Absent::Missing)));
        missing.map(describe).collect()
    });
    also_missing.dedup();
    Some(Cause::SignatureMissing { place: describe(place), also_missing })
}

fn part_missing(bench: &Bench<'_>) -> Option<Cause> {
    let view = View::new(bench.case.request);
    if let Some(each) = each_of(&bench.scheme)
        && each.elements(&view) == Err(Absent::Missing)
    {
        return Some(Cause::PartMissing { place: format!("JSON {}", each.json.as_str()) });
    }
    let row = bench.signature()?;
    let place = at_first(&bench.scheme, &view, |view| {
        let missing = parts(row).into_iter().find(|place| matches!(place.text(view), Err(Absent::Missing)));
        missing.map(describe)
    });
    place.map(|place| Cause::PartMissing { place })
}

fn malformed(bench: &Bench<'_>) -> Option<Cause> {
    let view = View::new(bench.case.request);
    if let Some(each) = each_of(&bench.scheme)
        && each.elements(&view) == Err(Absent::Malformed)
    {
        return Some(Cause::Malformed { place: format!("JSON {}", each.json.as_str()) });
    }
    let place = match &bench.scheme {
        Scheme::Token(row) => Some(describe(&row.place)),
        Scheme::Jws(row) => Some(describe(&row.place)),
        Scheme::Signature(row) => at_first(&bench.scheme, &view, |view| malformed_part(row, view)),
        Scheme::HttpMessageSignature(_) => None,
    };
    place.map(|place| Cause::Malformed { place })
}

fn malformed_part(row: &Signature, view: &View<'_>) -> Option<String> {
    for place in &row.signature {
        let is_readable = match place.texts(view) {
            Ok(texts) => texts.iter().all(|text| row.encoding.decode(text).is_some()),
            Err(absent) => absent == Absent::Missing,
        };
        if !is_readable {
            return Some(describe(place));
        }
    }
    if let Some(rule) = &row.timestamp
        && let Ok(text) = rule.place.text(view)
        && rule.format.read(&text).is_none()
    {
        return Some(describe(&rule.place));
    }
    if let Some(digest) = &row.digest
        && let Ok(text) = digest.place.text(view)
        && digest.encoding.decode(&text).is_none()
    {
        return Some(describe(&digest.place));
    }
    parts(row).into_iter().find(|place| matches!(place.text(view), Err(Absent::Malformed))).map(describe)
}

/// What a row of signatures reads beside the signature, and cannot do without.
fn parts(row: &Signature) -> Vec<&Place> {
    let mut parts: Vec<&Place> = row.timestamp.iter().map(|rule| &rule.place).chain(&row.id).collect();
    if let Choice::By { by, .. } = &row.algorithm {
        parts.push(by);
    }
    parts.extend(row.signed.pieces().iter().filter_map(|piece| match piece {
        Piece::At { place, is_optional: false } => Some(place),
        _ => None,
    }));
    parts.extend(row.digest.iter().filter(|digest| digest.required == Required::Always).map(|digest| &digest.place));
    parts.extend(row.equal.iter().map(|pinned| &pinned.place));
    parts
}

/// A header that the row reads and that came more than once.
fn duplicated(bench: &Bench<'_>) -> Option<Cause> {
    let headers = bench.case.request.headers;
    let mut names: Vec<&str> = match &bench.scheme {
        Scheme::Signature(row) => row.signature.iter().chain(parts(row)).flat_map(Place::headers).collect(),
        Scheme::Token(row) => row.place.headers().collect(),
        Scheme::Jws(row) => row.place.headers().collect(),
        Scheme::HttpMessageSignature(_) => vec!["signature-input", "signature", "content-digest"],
    };
    names.retain(|name| headers.get_all(*name).iter().count() > 1);
    names.first().map(|name| Cause::DuplicatedHeader { header: (*name).to_owned() })
}

fn foreign(bench: &Bench<'_>) -> Option<Cause> {
    let row = bench.signature()?;
    let view = View::new(bench.case.request);
    at_first(&bench.scheme, &view, |view| {
        let differs = row.equal.iter().find(|pinned| {
            pinned.place.text(view).is_ok_and(|text| bench.case.settings.get(&pinned.setting) != Some(&*text))
        });
        differs.map(|pinned| Cause::SettingDiffers { setting: pinned.setting.clone() })
    })
}

fn missing_setting(bench: &Bench<'_>) -> Option<Cause> {
    let mut names = bench.scheme.settings().into_iter().filter(|name| name != PUBLIC_URL);
    names.find(|name| bench.case.settings.get(name).is_none()).map(|setting| Cause::SettingMissing { setting })
}

/// Settings that are right but for the blanks around them.
pub(super) fn trimmed_setting(bench: &Bench<'_>) -> Option<Found> {
    let all = settings_of(bench);
    for (name, value) in &all {
        if value.trim() == value {
            continue;
        }
        let mut varied = all.clone();
        varied.insert(name.clone(), value.trim().to_owned());
        let settings = Settings::from(varied);
        if bench.holds(&Trial { settings: &settings, ..bench.trial() }) {
            return Some(Cause::SettingDiffers { setting: name.clone() }.into());
        }
    }
    None
}

/// The settings that the row reads.
pub(super) fn settings_of(bench: &Bench<'_>) -> BTreeMap<String, String> {
    let names = bench.scheme.settings().into_iter();
    names.filter_map(|name| bench.case.settings.get(&name).map(str::to_owned).map(|value| (name, value))).collect()
}
