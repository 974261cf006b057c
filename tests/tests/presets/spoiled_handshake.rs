//! What spoils a handshake: a request that is none any more, does not prove itself, or cannot be answered.

use hookport::scheme::handshake::{Condition, Handshake, HandshakeProof, Holds};
use hookport::scheme::place::{At, Place};
use hookport::scheme::preset::Preset;
use hookport::scheme::settings::PUBLIC_URL;
use hookport::scheme::template::{Piece, Template};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::edit::{edit, header, put, put_json, text, twice, whole};
use crate::spoiled::{Case, Spoiled, Spoils, name_of, spoiled};
use crate::vectors::Shown;

/// The longest text that an answer repeats, in bytes.
pub const MOST_REPEATED: usize = 4_096;
/// The longest text that is hashed for a stranger, in bytes.
pub const MOST_HASHED: usize = 128;
/// Methods, and what looks like some.
const METHODS: [&str; 12] =
    ["GET", "HEAD", "POST", "PUT", "OPTIONS", "PATCH", "DELETE", "TRACE", "CONNECT", "QUERY", "get", "head"];
const FORM: &str = "application/x-www-form-urlencoded";

/// All that the row says how to spoil.
pub fn spoiled_handshake(preset: &Preset, handshake: &Handshake, original: &Case) -> Vec<Spoiled> {
    let mut spoils = Spoils::new(preset, original);
    spoil_method(handshake, &mut spoils);
    for condition in &handshake.when {
        spoil_condition(condition, &mut spoils);
    }
    spoil_answer(handshake, &mut spoils);
    spoil_hash(handshake, &mut spoils);
    for name in handshake.settings().iter().filter(|name| *name != PUBLIC_URL) {
        spoils.setting(format!("setting {name} absent"), name, None);
    }
    if handshake.proof == HandshakeProof::Verified {
        spoils.extend(spoiled(preset, original));
    }
    spoils.into_all()
}

fn spoil_method(handshake: &Handshake, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    for method in METHODS.into_iter().filter(|method| !handshake.methods.iter().any(|own| own.is(method))) {
        // Where nothing else is asked of a request, each method is a way of its own to spoil it.
        let kind = if handshake.when.is_empty() { format!("by {method}") } else { "another method".to_owned() };
        spoils.add(kind, Some(Shown { method: method.to_owned(), ..shown.clone() }));
    }
}

fn spoil_condition(condition: &Condition, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    let place = &condition.place;
    let what = name_of(place);
    let with = |text: &str| edit(shown, place, &|_| Some(text.to_owned()));
    if condition.holds == Holds::Absent {
        spoils.add(format!("{what} there"), put(shown, &place.at, Some("x")));
        return;
    }
    spoils.add(format!("{what} missing"), put(shown, &place.at, None));
    spoils.named(&what, std::slice::from_ref(place));
    for (kind, elsewhere) in elsewhere(shown, &place.at) {
        spoils.add(format!("{what} {kind}"), elsewhere);
    }
    spoil_place(&what, &place.at, spoils);
    match &condition.holds {
        Holds::Present | Holds::Absent => {}
        Holds::Is(wanted) => {
            spoils.add(format!("{what} changed"), with(&format!("{wanted}x")));
            spoils.add(format!("{what} with something before it"), with(&format!("x{wanted}")));
            spoils.add(format!("{what} empty"), with(""));
            if wanted.to_ascii_uppercase() != *wanted {
                spoils.add(format!("{what} in capitals"), with(&wanted.to_ascii_uppercase()));
            }
        }
        Holds::Setting(name) => {
            let wanted = spoils.original.means.settings.get(name).unwrap_or_default().to_owned();
            spoils.add(format!("{what} changed"), with(&format!("{wanted}x")));
            spoils.add(format!("{what} empty"), with(""));
            spoils.add(format!("{what} truncated"), with(wanted.get(1..).unwrap_or_default()));
            spoils.setting(format!("setting {name} changed"), name, Some(&format!("{wanted}x")));
            spoils.setting(format!("setting {name} empty"), name, Some(""));
            // Neither is there: that is no proof.
            let mut nothing = Spoils::new(spoils.preset, spoils.original);
            nothing.setting("both empty", name, Some(""));
            for both in nothing.into_all() {
                let shown = edit(&both.case.shown, place, &|_| Some(String::new()));
                spoils.add_case("both empty", None, shown.map(|shown| Case { shown, ..both.case }));
            }
        }
        Holds::EmptyList => {
            let At::Json(path) = &place.at else { return };
            spoils.add(format!("{what} with an element"), put_json(shown, path, json!([1])));
            spoils.add(format!("{what} an object"), put_json(shown, path, json!({})));
            spoils.add(format!("{what} a text"), put_json(shown, path, json!("[]")));
        }
        Holds::Made(_, most) => {
            spoils.add(format!("{what} too long"), with(&"a".repeat(most + 1)));
            spoils.add(format!("{what} empty"), with(""));
            for other in ["{", "é", " ", "%", "\u{0}", "|"] {
                spoils.add(format!("{what} of other characters"), with(&format!("a{other}")));
            }
        }
    }
}

/// Spoils what holds a text: the header's bytes, the form or the JSON around it.
fn spoil_place(what: &str, at: &At, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    match at {
        At::Header(names) => {
            let Some(name) = names.iter().find(|name| shown.headers.contains_key(*name)) else { return };
            let mut bytes = shown.clone();
            bytes.headers.insert(name.clone(), HeaderValue::from_bytes(b"\xff\xfe").expect("bytes of a header"));
            spoils.add(format!("{what} that is no text"), Some(bytes));
        }
        At::Query(name) => {
            let upper = At::Query(name.to_ascii_uppercase());
            let moved = whole(shown, at).and_then(|text| put(&put(shown, at, None)?, &upper, Some(&text)));
            spoils.add(format!("{what} in capitals"), moved);
            let behind = shown.path_and_query.replacen('?', "?x=1;", 1).replace('&', ";");
            spoils.add(format!("{what} behind a semicolon"), Some(Shown { path_and_query: behind, ..shown.clone() }));
        }
        At::Form(_) => {
            for (kind, value) in [("no form", None), ("JSON", Some("application/json")), ("text", Some("text/plain"))] {
                let mut other = shown.clone();
                other.headers.remove(CONTENT_TYPE);
                other.headers.extend(value.map(|value| (CONTENT_TYPE, HeaderValue::from_static(value))));
                spoils.add(format!("{what} in what says that it is {kind}"), Some(other));
            }
        }
        At::Json(path) => {
            for (kind, value) in
                [("an object", json!({ "a": 1 })), ("a fraction", json!(1.5)), ("nothing", Value::Null)]
            {
                spoils.add(format!("{what} as {kind}"), put_json(shown, path, value));
            }
            let with = |body: Vec<u8>| Some(Shown { body, ..shown.clone() });
            spoils.add("a body that is cut off", with(shown.body[..shown.body.len().saturating_sub(1)].to_vec()));
            spoils.add("no body", with(Vec::new()));
            spoils.add("a body in a body", with([b"{\"body\":", shown.body.as_slice(), b"}"].concat()));
        }
        At::Basic => {}
    }
}

/// The same text at other places than its own.
fn elsewhere(shown: &Shown, at: &At) -> Vec<(&'static str, Option<Shown>)> {
    let (Some(text), Some(without)) = (whole(shown, at), put(shown, at, None)) else { return Vec::new() };
    let name = match at {
        At::Header(names) => names.first().map(ToString::to_string).unwrap_or_default(),
        At::Query(name) | At::Form(name) => name.clone(),
        At::Json(path) => path.as_str().rsplit('.').next().unwrap_or_default().to_owned(),
        At::Basic => return Vec::new(),
    };
    let mut elsewhere = Vec::new();
    if !matches!(at, At::Query(_)) {
        elsewhere.push(("in the query string", put(&without, &At::Query(name.clone()), Some(&text))));
    }
    if !matches!(at, At::Header(_)) {
        let named = HeaderName::try_from(name.as_str()).ok();
        elsewhere.push(("in a header", named.and_then(|named| put(&without, &header(named), Some(&text)))));
    }
    if !matches!(at, At::Form(_)) {
        let mut form = Shown { body: Vec::new(), ..without };
        form.headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
        elsewhere.push(("in a form", put(&form, &At::Form(name), Some(&text))));
    }
    elsewhere
}

fn spoil_answer(handshake: &Handshake, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    for (place, is_optional) in places(&repeated(handshake)) {
        let what = format!("repeated {}", name_of(&place));
        spoils.add(format!("{what} twice"), twice(shown, &place.at));
        spoils.add(format!("{what} too long"), put(shown, &place.at, Some(&"a".repeat(MOST_REPEATED + 1))));
        if !is_optional {
            spoils.add(format!("{what} missing"), put(shown, &place.at, None));
        }
    }
    let read = [handshake.learn.as_ref(), handshake.visit.as_ref().map(|visit| &visit.place)];
    for place in read.into_iter().flatten() {
        spoils.add(format!("{} missing", name_of(place)), put(shown, &place.at, None));
        spoils.add(format!("{} twice", name_of(place)), twice(shown, &place.at));
    }
}

fn spoil_hash(handshake: &Handshake, spoils: &mut Spoils<'_>) {
    let Some(computed) = &handshake.hash else { return };
    let shown = &spoils.original.shown;
    for (place, _) in places(std::slice::from_ref(&computed.of)) {
        let what = format!("hashed {}", name_of(&place));
        spoils.add(format!("{what} twice"), twice(shown, &place.at));
        spoils.add(format!("{what} missing"), put(shown, &place.at, None));
        if is_open_hash(handshake) {
            for other in unhashable() {
                spoils.add(format!("{what} as what may be a body"), put(shown, &place.at, Some(&other)));
            }
        }
    }
    if computed.key.as_deref() == Some("secret") {
        spoils.add_means("no secret to hash with", None, |means| means.secret.clear());
    }
}

/// Tells whether a stranger may have a text hashed with a key.
pub fn is_open_hash(handshake: &Handshake) -> bool {
    handshake.proof == HandshakeProof::None && handshake.hash.as_ref().is_some_and(|computed| computed.key.is_some())
}

/// Texts that must not be hashed for strangers: a hash of them may be the signature of an event.
pub fn unhashable() -> Vec<String> {
    let mut texts: Vec<String> =
        ["", "{}", "{\"a\":1}", "[1]", "\"a\"", "<a/>", "a&b=c", "a b", "a\nb", "a,b", "a:b", "a;b", "a|b", "é", "\t"]
            .map(str::to_owned)
            .to_vec();
    texts.push("a".repeat(MOST_HASHED + 1));
    texts
}

/// The texts and headers of an answer, as templates.
pub fn repeated(handshake: &Handshake) -> Vec<Template> {
    let mut templates: Vec<_> = handshake.answer.headers.values().chain(&handshake.answer.text).cloned().collect();
    templates.extend(handshake.answer.json.iter().flat_map(texts_of));
    templates
}

fn texts_of(json: &Value) -> Vec<Template> {
    match json {
        Value::String(text) => vec![Template::try_from(text.clone()).expect("a template")],
        Value::Array(values) => values.iter().flat_map(texts_of).collect(),
        Value::Object(members) => members.values().flat_map(texts_of).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The places that templates read, and whether they do without.
pub fn places(templates: &[Template]) -> Vec<(Place, bool)> {
    let pieces = templates.iter().flat_map(Template::pieces);
    let places = pieces.filter_map(|piece| match piece {
        Piece::At { place, is_optional } => Some((place.clone(), *is_optional)),
        _ => None,
    });
    places.collect()
}

/// The text that a handshake is about, if its answer is made of one.
pub fn repeated_text(handshake: &Handshake, shown: &Shown) -> Option<(Place, String)> {
    let places = places(&repeated(handshake));
    let (place, _) = places.first()?;
    Some((place.clone(), text(shown, place)?))
}
