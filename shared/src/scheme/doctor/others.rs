//! Other presets: those by which the request proves itself, and those that it only looks like.

use std::collections::BTreeSet;

use super::bench::{Bench, Trial, at_first, relaxed};
use super::cause::{Cause, SecretOf};
use super::secrets::FEW_OTHERS;
use crate::scheme::Scheme;
use crate::scheme::place::{At, Place};
use crate::scheme::preset::Preset;
use crate::scheme::view::{Absent, View};

/// The most presets that are named beside the first.
const MAX_NAMES: usize = 5;
/// Headers that say nothing of who sends.
const COMMON: [&str; 4] = ["content-type", "user-agent", "accept", "authorization"];

/// The presets by which the request proves itself, the likeliest first, with one of the secrets.
pub(super) fn verifying(bench: &Bench<'_>, presets: &[Preset]) -> Option<Cause> {
    let view = View::new(bench.case.request);
    let mut found: Vec<(usize, &Preset, SecretOf)> = Vec::new();
    for preset in presets.iter().filter(|preset| preset.verify != *bench.case.scheme) {
        if carries(&preset.verify, &view)
            && let Some(of) = proved_with(bench, &relaxed(&preset.verify))
        {
            found.push((likeness(preset, &view), preset, of));
        }
    }
    found.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.name.cmp(&other.1.name)));
    let mut names = found.iter().map(|(_, preset, _)| preset.name.to_string());
    let preset = names.next()?;
    let also = names.take(MAX_NAMES).collect();
    let of = found.first().map(|(_, _, of)| of.clone())?;
    Some(Cause::WrongPreset { preset, also, of })
}

fn proved_with(bench: &Bench<'_>, scheme: &Scheme) -> Option<SecretOf> {
    if bench.with_scheme(scheme) {
        return Some(SecretOf::Own);
    }
    let others = bench.others(FEW_OTHERS).into_iter();
    let mut right = others.filter(|other| bench.holds(&Trial { scheme, secrets: &[other.secret], ..bench.trial() }));
    right.next().map(|other| other.of.clone())
}

/// The presets whose own headers the request has, the likeliest first. Nothing of it is proved.
pub(super) fn alike(bench: &Bench<'_>, presets: &[Preset]) -> Vec<String> {
    let view = View::new(bench.case.request);
    let mut found: Vec<(usize, &Preset)> = presets
        .iter()
        .filter(|preset| preset.verify != *bench.case.scheme)
        .filter(|preset| is_by_own_header(&preset.verify) && carries(&preset.verify, &view))
        .map(|preset| (likeness(preset, &view), preset))
        .collect();
    found.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.name.cmp(&other.1.name)));
    found.into_iter().take(MAX_NAMES).map(|(_, preset)| preset.name.to_string()).collect()
}

/// Tells whether something stands where a scheme looks for its proof.
fn carries(scheme: &Scheme, view: &View<'_>) -> bool {
    at_first(scheme, view, |view| {
        let is_there = |place: &Place| !matches!(place.texts(view), Err(Absent::Missing));
        match scheme {
            Scheme::Signature(row) => row.signature.iter().any(is_there),
            Scheme::Token(row) => is_there(&row.place),
            Scheme::Jws(row) => is_there(&row.place),
            Scheme::HttpMessageSignature(_) => view.request().headers.contains_key("signature-input"),
        }
    })
}

fn is_by_own_header(scheme: &Scheme) -> bool {
    let is_own = |place: &Place| match &place.at {
        At::Header(names) => names.iter().all(|name| !COMMON.contains(&name.as_str())),
        At::Query(_) | At::Form(_) | At::Json(_) | At::Basic => false,
    };
    match scheme {
        Scheme::Signature(row) => row.signature.iter().any(is_own),
        Scheme::Token(row) => is_own(&row.place),
        Scheme::Jws(row) => is_own(&row.place),
        Scheme::HttpMessageSignature(_) => true,
    }
}

/// How much of a preset's samples is in the request: its headers, and the name of an event.
fn likeness(preset: &Preset, view: &View<'_>) -> usize {
    let names = preset.samples.values().flat_map(|sample| sample.headers.keys()).map(|name| name.to_ascii_lowercase());
    let names: BTreeSet<_> = names.filter(|name| !COMMON.contains(&name.as_str())).collect();
    let headers = names.iter().filter(|name| view.request().headers.contains_key(name.as_str())).count();
    let event = preset.naming().and_then(|naming| naming.of(view)).map(|event| event.to_string());
    let is_known = event.is_some_and(|event| preset.known_types().contains(&event));
    headers + usize::from(is_known)
}
