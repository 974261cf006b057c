//! What the sample sender signs, the row's own judge takes: for every sample of every row.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::scheme::Scheme;
use hookport::scheme::catalogue::presets;
use hookport::scheme::naming::{Dedupe, Named, normal};
use hookport::scheme::place::At;
use hookport::scheme::preset::{Preset, SampleRequest, SettingInfo};
use hookport::scheme::settings::Settings;
use hookport::scheme::sign::{SignError, SignedRequest, Signer, sign};
use hookport::scheme::view::View;
use secrecy::SecretString;

use crate::edit::whole;
use crate::gateway::secrets_of;
use crate::vectors::{Means, Shown, Vector, judged};

/// Where samples are sent to.
const URL: &str = "https://hooks.example.com/api/inbound/acme/x?tenant=1";
/// The most rows that nobody but their provider can sign.
const MOST_UNSUPPORTED: usize = 3;
/// The fewest rows that must go round.
const LEAST_ROWS: usize = 140;

/// The settings of a row: those of its vector, else what it gives as an example.
fn settings_of(preset: &Preset, vector: &Vector) -> Settings {
    let value = |(name, info): (&String, &SettingInfo)| {
        let value = vector.settings.get(name).or(info.example.as_ref())?;
        Some((name.clone(), value.clone()))
    };
    preset.settings.iter().filter_map(value).collect::<BTreeMap<_, _>>().into()
}

/// A sample, signed as its provider would, and what judges it.
fn signed(preset: &Preset, sample: &SampleRequest, random: [u8; 16]) -> Result<(SignedRequest, Means), SignError> {
    let vector = secrets_of(preset);
    let means = Means { settings: settings_of(preset, &vector), ..Means::from(&vector) };
    let secret = SecretString::from(vector.private_key.unwrap_or(vector.secret));
    let signer = Signer { secret: &secret, settings: &means.settings, now: means.now, random };
    Ok((sign(preset, sample, URL, &signer)?, means))
}

/// Every sample of every row with its name.
fn samples() -> impl Iterator<Item = (&'static Preset, &'static String, &'static SampleRequest)> {
    presets().iter().flat_map(|preset| preset.samples.iter().map(move |(name, sample)| (preset, name, sample)))
}

#[test]
fn every_row_has_a_sample() {
    let without: Vec<_> = presets().iter().filter(|preset| preset.samples.is_empty()).map(|p| &p.name).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn every_sample_is_taken_by_the_row_that_signed_it() {
    let (mut wrong, mut round, mut unsupported) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (preset, name, sample) in samples() {
        match signed(preset, sample, [1; 16]) {
            Ok((request, means)) => {
                if let Err(refusal) = judged(preset, &Shown::from(request), &means) {
                    wrong.push(format!("{}, {name}: {refusal:?}", preset.name));
                }
                round.insert(preset.name.as_str());
            }
            Err(SignError::Unsupported(_)) => {
                unsupported.insert(preset.name.as_str());
            }
            Err(error) => wrong.push(format!("{}, {name}: {error}", preset.name)),
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(unsupported.len() <= MOST_UNSUPPORTED, "{unsupported:?}");
    assert!(round.len() >= LEAST_ROWS, "{} rows go round, and not {unsupported:?}", round.len());
    assert_eq!(round.union(&unsupported).count(), presets().len());
}

#[test]
fn a_sample_is_called_and_told_apart_as_its_row_says() {
    let mut wrong = Vec::new();
    for (preset, name, sample) in samples() {
        let Ok((request, _)) = signed(preset, sample, [1; 16]) else { continue };
        let shown = Shown::from(request);
        let view = View::new(shown.as_request());
        if let Some(naming) = preset.naming() {
            let found = naming.of(&view).map(|found| found.to_string());
            let expected = format!("{}.{}", preset.name.noun(), normal(name));
            if found.as_ref() != Some(&expected) {
                wrong.push(format!("{}: {found:?} is not {expected}", preset.name));
            }
        }
        let is_told_apart = preset.dedupe != Dedupe::Named(Named::None);
        if preset.dedupe.key(&view).is_some() != is_told_apart {
            wrong.push(format!("{}, {name}: what tells it apart is wrong", preset.name));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_sample_that_is_sent_again_is_another_event() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (preset, name, sample) in samples().filter(|(preset, ..)| !preset.dedupe.places().is_empty()) {
        let key = |random| {
            let shown = Shown::from(signed(preset, sample, random).ok()?.0);
            preset.dedupe.key(&View::new(shown.as_request()))
        };
        match (key([1; 16]), key([2; 16])) {
            (Some(one), Some(other)) if one != other => count += 1,
            (one, other) => wrong.push(format!("{}, {name}: {one:?} and {other:?}", preset.name)),
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(count >= 50, "{count} samples of rows with a place that tells events apart");
}

#[test]
fn a_sample_for_a_url_that_is_none_cannot_be_signed() {
    for (preset, _, sample) in samples() {
        let vector = secrets_of(preset);
        let settings = settings_of(preset, &vector);
        let secret = SecretString::from(vector.secret);
        let signer = Signer { secret: &secret, settings: &settings, now: vector.at, random: [1; 16] };
        assert!(matches!(sign(preset, sample, "no URL", &signer), Err(SignError::Url)), "{}", preset.name);
    }
}

#[test]
fn a_sample_that_lays_a_header_out_is_signed_within_it() {
    let mut count = 0;
    for (preset, name, sample) in samples() {
        let Scheme::Signature(row) = &preset.verify else { continue };
        for place in &row.signature {
            let (At::Header(names), Some(list)) = (&place.at, &place.list) else { continue };
            let laid_out = sample.headers.iter().find(|(header, _)| names.iter().any(|own| own == header.as_str()));
            let (Some((header, laid_out)), Some(equals)) = (laid_out, list.equals.as_deref()) else { continue };
            let request = signed(preset, sample, [1; 16]).expect("it is signed").0;
            let written = request.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(header));
            let written = &written.expect("the header").1;
            let empty = |part: &str| format!("{}{equals}", part.split(equals).next().unwrap_or_default());
            let emptied: Vec<_> = written.split(list.split.as_str()).map(empty).collect();
            assert_eq!(emptied.join(list.split.as_str()), *laid_out, "{}, {name}: {written}", preset.name);
            assert!(!written.ends_with(equals), "{}, {name}: {written}", preset.name);
            count += 1;
        }
    }
    assert!(count >= 1, "{count} samples that lay a header out");
}

#[test]
fn a_text_that_is_marked_so_is_sent_in_base64() {
    let mut count = 0;
    for (preset, _, sample) in samples() {
        for (name, value) in sample.form.iter().flatten() {
            if !value.as_str().is_some_and(|text| text.starts_with("@base64:")) {
                continue;
            }
            let shown = Shown::from(signed(preset, sample, [1; 16]).expect("it is signed").0);
            let sent = whole(&shown, &At::Form(name.clone())).expect("the field");
            let text = String::from_utf8(STANDARD.decode(sent).expect("base64")).expect("a text");
            assert!(!text.is_empty() && !text.contains('@'), "{}: {text}", preset.name);
            count += 1;
        }
    }
    assert!(count >= 1, "{count} texts in base64");
}
