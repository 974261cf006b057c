//! Handshakes: each is recognised, proven where it must be, and answered as its vector says; spoiled, it is nothing.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::scheme::Scheme;
use hookport::scheme::catalogue::presets;
use hookport::scheme::handshake::{self, Answered, Handshake, HandshakeProof};
use hookport::scheme::preset::Preset;
use hookport::scheme::template::Piece;
use hookport::scheme::view::View;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::edit::{foreign_urls, put, text};
use crate::spoiled::{Case, signed_places};
use crate::spoiled_handshake::{
    MOST_REPEATED, is_open_hash, places, repeated, repeated_text, spoiled_handshake, unhashable,
};
use crate::vectors::{Expected, HandshakeVector, judged, vectors_of};

/// How many different kinds of spoiled requests there must be of every handshake.
const LEAST_KINDS: usize = 8;
/// What an answer may have beyond what its row says.
const OWN_HEADERS: [&str; 2] = ["content-type", "x-content-type-options"];

/// Every handshake of every row with its vectors.
fn handshakes() -> Vec<(&'static Preset, &'static Handshake, Vec<HandshakeVector>)> {
    let mut all = Vec::new();
    for preset in presets().iter().filter(|preset| !preset.handshakes.is_empty()) {
        let vectors = vectors_of(preset).handshakes;
        for handshake in &preset.handshakes {
            let own = vectors.iter().filter(|vector| vector.handshake == handshake.name).cloned().collect();
            all.push((preset, handshake, own));
        }
    }
    all
}

/// What a gateway would answer.
fn answered(preset: &Preset, handshake: &Handshake, case: &Case) -> Result<Answered, &'static str> {
    let view = View::new(case.shown.as_request());
    if !handshake.is(&view, &case.means.settings) {
        return Err("is not recognised");
    }
    if handshake.proof == HandshakeProof::Verified && judged(preset, &case.shown, &case.means).is_err() {
        return Err("does not prove itself");
    }
    answer(preset, handshake, case).ok_or("cannot be answered")
}

/// The answer to a request that is taken for a handshake.
fn answer(preset: &Preset, handshake: &Handshake, case: &Case) -> Option<Answered> {
    let secret = SecretString::from(case.means.secret.clone());
    let means = handshake::Means {
        secret: Some(&secret).filter(|secret| !secret.expose_secret().is_empty()),
        key: preset.verify.key_text(),
        settings: &case.means.settings,
    };
    handshake.answer(&View::new(case.shown.as_request()), &means).ok()
}

#[test]
fn every_handshake_of_every_row_is_answered_as_its_vector_says() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (preset, handshake, vectors) in handshakes() {
        let name = format!("{}, {}", preset.name, handshake.name);
        if vectors.is_empty() {
            wrong.push(format!("{name}: has no vector"));
        }
        for vector in &vectors {
            if !["provider: ", "independent: "].iter().any(|kind| vector.origin.starts_with(kind)) {
                wrong.push(format!("{name}: does not say where its vector is from"));
            }
            match answered(preset, handshake, &Case::from(vector)) {
                Err(why) => wrong.push(format!("{name}: {why}")),
                Ok(answered) => {
                    let differences = differences(handshake, vector, &answered);
                    wrong.extend(differences.into_iter().map(|difference| format!("{name}: {difference}")));
                }
            }
            count += 1;
        }
    }
    for preset in presets() {
        for vector in vectors_of(preset).handshakes {
            if !preset.handshakes.iter().any(|handshake| handshake.name == vector.handshake) {
                wrong.push(format!("{}: a vector of {}, which there is not", preset.name, vector.handshake));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "of {count} handshakes");
    assert!(count >= 30, "{count} vectors of handshakes");
}

fn differences(handshake: &Handshake, vector: &HandshakeVector, answered: &Answered) -> Vec<String> {
    let mut wrong = Vec::new();
    let expected = &vector.answer;
    if answered.status != expected.status {
        wrong.push(format!("{} is not {}", answered.status, expected.status));
    }
    wrong.extend(header_differences(expected, answered));
    let is_json = expected.headers.values().any(|value| value.starts_with("application/json"));
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    let is_same = if is_json { json(&answered.body) == json(&expected.body) } else { answered.body == expected.body };
    if !is_same {
        wrong.push(format!("{} is not {}", answered.body, expected.body));
    }
    let visit = answered.visit.as_ref().map(ToString::to_string);
    if visit != vector.visited || visit.is_some() != handshake.visit.is_some() {
        wrong.push(format!("{visit:?} is fetched, and not {:?}", vector.visited));
    }
    let learned = answered.learned.as_ref().map(|secret| secret.expose_secret().to_owned());
    if learned != handshake.learn.as_ref().map(|_| vector.secret.clone()) {
        wrong.push(format!("{learned:?} is learned"));
    }
    wrong
}

fn header_differences(expected: &Expected, answered: &Answered) -> Vec<String> {
    let mut wrong = Vec::new();
    let of = |name: &str| {
        let found = answered.headers.iter().filter(|(found, _)| found.as_str().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    for (name, wanted) in &expected.headers {
        let mut found = of(name);
        // The character set is ours to say, where the provider does not ask for one.
        if name.eq_ignore_ascii_case("content-type") && !wanted.contains(';') {
            for value in &mut found {
                let end = value.find(';').unwrap_or(value.len());
                value.truncate(end);
            }
        }
        if found != [wanted.clone()] {
            wrong.push(format!("{name}: {found:?} is not {wanted:?}"));
        }
    }
    let names: BTreeSet<_> = answered.headers.iter().map(|(name, _)| name.as_str()).collect();
    for name in names {
        let is_wanted = expected.headers.keys().any(|wanted| wanted.eq_ignore_ascii_case(name));
        if of(name).len() > 1 || (!is_wanted && !OWN_HEADERS.contains(&name)) {
            wrong.push(format!("{name}: {:?} is answered", of(name)));
        }
    }
    wrong
}

#[test]
fn a_handshake_that_is_spoiled_is_none_or_goes_unanswered() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (preset, handshake, vectors) in handshakes() {
        let name = format!("{}, {}", preset.name, handshake.name);
        for vector in &vectors {
            let mut kinds = BTreeSet::new();
            for spoiled in spoiled_handshake(preset, handshake, &Case::from(vector)) {
                let kind = spoiled.kind;
                match catch_unwind(AssertUnwindSafe(|| answered(preset, handshake, &spoiled.case))) {
                    Ok(Err(_)) => {}
                    Ok(Ok(answered)) => wrong.push(format!("{name}, {kind}: is answered {}", answered.body)),
                    Err(_) => wrong.push(format!("{name}, {kind}: panics")),
                }
                count += 1;
                kinds.insert(kind);
            }
            if kinds.len() < LEAST_KINDS {
                wrong.push(format!("{name}: is spoiled in {} ways only: {kinds:?}", kinds.len()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "of {count} spoiled handshakes");
    assert!(count >= 300, "{count} spoiled handshakes");
}

/// Whoever may have a text hashed with the secret could show the hash as the signature of an event with that body.
#[test]
fn an_open_handshake_hashes_nothing_that_could_be_the_body_of_an_event() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (preset, handshake, vectors) in handshakes() {
        let Some(computed) = handshake.hash.as_ref().filter(|_| is_open_hash(handshake)) else { continue };
        let xml = format!("<?xml version=\"1.0\"?><notification>{}</notification>", "<a>1</a>".repeat(20));
        let mut bodies = unhashable();
        bodies.push(STANDARD.encode(xml));
        for event in vectors_of(preset).vectors {
            let shown = event.request.shown();
            bodies.extend(String::from_utf8(shown.body.clone()));
            if let Scheme::Signature(row) = &preset.verify {
                bodies.extend(signed_places(row).filter_map(|place| text(&shown, place)));
            }
        }
        for vector in &vectors {
            let case = Case::from(vector);
            for (place, _) in places(std::slice::from_ref(&computed.of)) {
                for body in &bodies {
                    let Some(shown) = put(&case.shown, &place.at, Some(body)) else { continue };
                    if answer(preset, handshake, &Case { shown, ..case.clone() }).is_some() {
                        wrong.push(format!("{}, {}: hashes {body}", preset.name, handshake.name));
                    }
                }
            }
        }
        count += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(count >= 3, "{count} open handshakes with a hash");
}

#[test]
fn an_open_handshake_tells_no_setting_that_is_secret() {
    for (preset, handshake, _) in handshakes() {
        for template in repeated(handshake) {
            for piece in template.pieces() {
                let Piece::Setting(name) = piece else { continue };
                let is_secret = preset.settings.get(name).is_none_or(|setting| setting.secret);
                assert!(!is_secret, "{}, {}: tells {name}", preset.name, handshake.name);
            }
        }
    }
}

#[test]
fn an_open_handshake_repeats_a_text_up_to_4096_bytes() {
    let mut count = 0;
    for (preset, handshake, vectors) in handshakes() {
        if handshake.proof == HandshakeProof::Verified || handshake.hash.is_some() {
            continue;
        }
        for case in vectors.iter().map(Case::from) {
            let Some((place, _)) = repeated_text(handshake, &case.shown) else { continue };
            for (bytes, is_taken) in [(1, true), (MOST_REPEATED, true), (MOST_REPEATED + 1, false)] {
                let shown = put(&case.shown, &place.at, Some(&"a".repeat(bytes))).expect("a place for the text");
                let answered = answered(preset, handshake, &Case { shown, ..case.clone() });
                assert_eq!(answered.is_ok(), is_taken, "{}, {}: {bytes} bytes", preset.name, handshake.name);
            }
            count += 1;
        }
    }
    assert!(count >= 5, "{count} open handshakes that repeat a text");
}

#[test]
fn what_a_handshake_has_fetched_is_at_one_of_its_hosts() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (preset, handshake, vectors) in handshakes() {
        let Some(visit) = &handshake.visit else { continue };
        assert_eq!(handshake.proof, HandshakeProof::Verified, "{}: fetches nothing for strangers", preset.name);
        for case in vectors.iter().map(Case::from) {
            let url = text(&case.shown, &visit.place).expect("a URL");
            for (kind, foreign) in foreign_urls(&url) {
                let shown = put(&case.shown, &visit.place.at, Some(&foreign)).expect("a place for the URL");
                // Even if the provider had signed it.
                if answer(preset, handshake, &Case { shown, ..case.clone() }).is_some() {
                    wrong.push(format!("{}: a URL {kind} is fetched: {foreign}", preset.name));
                }
            }
            count += 1;
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(count >= 1, "{count} handshakes with something to fetch");
}
