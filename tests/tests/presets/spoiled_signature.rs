//! What spoils a signature of a row.

use hookport::domain::key_path::KeyPath;
use hookport::scheme::algorithm::{Algorithm, Encoding};
use hookport::scheme::key::KeySource;
use hookport::scheme::place::{At, Place};
use hookport::scheme::signature::{Choice, Each, Signature, SignedTime};
use hookport::scheme::template::Piece;
use jiff::SignedDuration;
use serde_json::Value;

use crate::edit::{absolute, at_all, edit, put_json, text};
use crate::spoiled::{Spoils, name_of, signed_places};
use crate::spoiled_key::{Kind, other_certificate, other_public_key, other_secret};
use crate::vectors::{Means, Shown};

pub fn spoil(row: &Signature, spoils: &mut Spoils<'_>) {
    let each = row.each.as_ref();
    let at = |place: &Place| absolute(place, each);
    let places: Vec<_> = row.signature.iter().map(at).collect();
    spoil_bytes(row.encoding, &places, spoils);
    spoils.named("signature", &places);
    if let Some(time) = &row.timestamp {
        spoil_time(time, spoils);
    }
    if let Some(place) = &row.id {
        spoils.part("id", &at(place));
    }
    if let Some(digest) = &row.digest {
        spoils.part("digest", &at(&digest.place));
    }
    for pinned in &row.equal {
        spoils.part(&pinned.setting, &at(&pinned.place));
    }
    for place in signed_places(row) {
        spoils.part(&format!("signed {}", name_of(place)), &at(place));
    }
    spoil_signed(row, spoils);
    let settings = spoils.preset.verify.settings().into_iter().collect();
    spoils.settings(&settings);
    if let Choice::By { by, is } = &row.algorithm {
        spoils.part("algorithm", &at(by));
        let shown = &spoils.original.shown;
        let current = text(shown, &at(by));
        for name in is.keys().filter(|name| current.as_ref() != Some(*name)) {
            let named = edit(shown, &at(by), &|_| Some(name.clone()));
            spoils.add("the name of another algorithm", named);
        }
    }
    spoil_key(row, spoils);
    if let Some(each) = each {
        spoil_list(each, spoils);
    }
}

/// Spoils the signature itself.
pub fn spoil_bytes(encoding: Encoding, places: &[Place], spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    let bytes = |change: fn(&mut Vec<u8>)| {
        at_all(shown, places, |shown, place| {
            edit(shown, place, &|text| {
                let mut bytes = encoding.decode(text)?;
                change(&mut bytes);
                Some(encoding.encode(&bytes))
            })
        })
    };
    let with = |change: fn(&str) -> Option<String>| at_all(shown, places, |shown, place| edit(shown, place, &change));
    spoils.add("first byte of the signature changed", bytes(|bytes| bytes.iter_mut().take(1).for_each(|b| *b ^= 1)));
    spoils
        .add("last byte of the signature changed", bytes(|bytes| bytes.iter_mut().rev().take(1).for_each(|b| *b ^= 1)));
    spoils.add("signature truncated", bytes(|bytes| bytes.truncate(bytes.len().saturating_sub(1))));
    spoils.add("signature extended", bytes(|bytes| bytes.push(0)));
    spoils.add("signature of zeros", bytes(|bytes| bytes.fill(0)));
    spoils.add("signature empty", with(|_| Some(String::new())));
    spoils.add("signature missing", with(|_| None));
    spoils.add("signature of other characters", with(|_| Some("!$%".to_owned())));
    let other = if encoding == Encoding::Hex { Encoding::Base64 } else { Encoding::Hex };
    let encoded = at_all(shown, places, |shown, place| {
        edit(shown, place, &|text| encoding.decode(text).map(|bytes| other.encode(&bytes)))
    });
    spoils.add("signature in another encoding", encoded);
}

fn spoil_time(rule: &SignedTime, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    spoils.part("timestamp", &rule.place);
    let later = edit(shown, &rule.place, &|text| {
        let signed = rule.format.read(text)?;
        Some(rule.format.write(signed + SignedDuration::from_secs(1)))
    });
    spoils.add("a later timestamp", later);
    spoils.time();
}

/// Spoils what is signed beside the texts at places.
fn spoil_signed(row: &Signature, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    let has = |piece: Piece| row.signed.has(&piece);
    let has_digest = row.digest.as_ref().is_some_and(|digest| text(shown, &digest.place).is_some());
    if has(Piece::Body) || has(Piece::BodySha256) || has(Piece::BodyCrc32) || has_digest {
        spoils.body();
    }
    if has(Piece::FormSorted) && !has_digest {
        spoil_form(spoils);
    }
    for piece in row.signed.pieces() {
        if let Piece::Line { name, .. } = piece {
            spoil_line(name, spoils);
        }
    }
    if has(Piece::Method) {
        spoils.method();
    }
    let knows_url = spoils.original.means.settings.public_url().is_some();
    if (has(Piece::Url) || has(Piece::UrlDecoded)) && !knows_url {
        spoils.url();
    }
}

fn spoil_form(spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    let Ok(form) = std::str::from_utf8(&shown.body) else { return };
    let with = |form: String| Some(Shown { body: form.into_bytes(), ..shown.clone() });
    let (first, rest) = form.split_once('&').unwrap_or((form, ""));
    spoils.add("a field changed", with(format!("{first}x&{rest}").trim_end_matches('&').to_owned()));
    spoils.add("a field less", with(rest.to_owned()));
    spoils.add("a field more", with(format!("{form}&zz=1")));
    spoils.add("a field twice, with another value", with(format!("{form}&{first}x")));
    let headers = shown.headers.iter().filter(|(name, _)| *name != http::header::CONTENT_TYPE);
    let headers = headers.map(|(name, value)| (name.clone(), value.clone())).collect();
    spoils.add("a form that does not say so", Some(Shown { headers, ..shown.clone() }));
}

fn spoil_line(name: &str, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    let Ok(Value::Object(mut members)) = serde_json::from_slice::<Value>(&shown.body) else { return };
    let changed = match members.remove(name) {
        Some(Value::String(text)) => {
            spoils.part(&format!("line {name}"), &Place { at: At::Json(path(name)), list: None, strip: None });
            format!("{text}\n")
        }
        _ => "added".to_owned(),
    };
    members.insert(name.to_owned(), Value::from(changed));
    let body = Value::Object(members).to_string().into_bytes();
    spoils.add(format!("line {name} with another text"), Some(Shown { body, ..shown.clone() }));
}

fn path(name: &str) -> KeyPath {
    KeyPath::try_from(format!("$['{name}']")).expect("a name in a path")
}

fn spoil_key(row: &Signature, spoils: &mut Spoils<'_>) {
    let algorithm = match &row.algorithm {
        Choice::One(algorithm) => Some(*algorithm),
        Choice::By { is, .. } => is.values().next().copied(),
    };
    let kind = match algorithm {
        Some(Algorithm::Ed25519) => Some(Kind::Ed25519),
        Some(Algorithm::EcdsaP256Sha256) => Some(Kind::P256),
        Some(Algorithm::RsaSha1 | Algorithm::RsaSha256) => Some(Kind::Rsa),
        _ => None,
    };
    match (&row.key, kind) {
        (KeySource::Certificate(_), _) => {
            spoils.add_means("no certificate", None, |means| means.certificate = None);
            let other = other_certificate(&spoils.original.means);
            spoils.add_means("another certificate", None, |means| means.certificate = other);
            let broken = |means: &mut Means| means.certificate = Some("-----BEGIN ".to_owned());
            spoils.add_means("a broken certificate", None, broken);
        }
        (KeySource::Secret(how), Some(kind)) => {
            let other = other_public_key(how, &spoils.original.means.secret, kind);
            spoils.add_means("another public key", None, |means| means.secret = other);
            spoils.add_means("no public key", None, |means| means.secret.clear());
        }
        (KeySource::Secret(how), None) => {
            let other = other_secret(how, &spoils.original.means.secret);
            spoils.add_means("another secret", None, |means| means.secret = other);
            spoils.add_means("no secret", None, |means| means.secret.clear());
        }
    }
}

/// Spoils a list of which each element must prove itself.
pub fn spoil_list(each: &Each, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    let elements: Option<Value> =
        serde_json::from_slice::<Value>(&shown.body).ok().and_then(|json| each.json.at(&json).cloned());
    let Some(Value::Array(elements)) = elements else { return };
    let with = |value: Value| put_json(shown, &each.json, value);
    spoils.add("an empty list", with(Value::Array(Vec::new())));
    spoils.add("no list", with(Value::Null));
    spoils.add("an element in place of the list", with(elements[0].clone()));
    spoils.add("a text in the list", with(elements.iter().cloned().chain([Value::from("x")]).collect()));
    let most = each.max.unwrap_or(100);
    spoils.add("too long a list", with(elements.iter().cloned().cycle().take(most + 1).collect()));
}
