//! Requests that must be refused, made from one that is taken by what its row says of it.

use std::collections::{BTreeMap, BTreeSet};

use hookport::domain::refusal::Refusal;
use hookport::scheme::Scheme;
use hookport::scheme::place::{At, Place};
use hookport::scheme::preset::Preset;
use hookport::scheme::settings::PUBLIC_URL;
use hookport::scheme::signature::{Choice, Signature};
use hookport::scheme::template::Piece;
use http::HeaderName;
use jiff::{SignedDuration, Timestamp};

use crate::edit::{absolute, at_all, edit, header, misnamed, no_text, renamed, text, twice, unprefixed, whole};
use crate::vectors::{HandshakeVector, Means, Shown, Vector};
use crate::{spoiled_message, spoiled_signature, spoiled_token};

/// The headers of an HTTP message signature.
pub const MESSAGE_HEADERS: [&str; 3] = ["signature", "signature-input", "content-digest"];

/// A request with what it is judged with.
#[derive(Clone, PartialEq)]
pub struct Case {
    pub shown: Shown,
    pub means: Means,
    /// What signs, where that is not what judges.
    pub private_key: Option<String>,
}

impl From<&Vector> for Case {
    fn from(vector: &Vector) -> Self {
        let private_key = vector.private_key.clone();
        Self { shown: vector.request.shown(), means: Means::from(vector), private_key }
    }
}

impl From<&HandshakeVector> for Case {
    fn from(vector: &HandshakeVector) -> Self {
        Self { shown: vector.request.shown(), means: Means::from(vector), private_key: None }
    }
}

/// A case that must be refused.
pub struct Spoiled {
    /// What was done to it.
    pub kind: String,
    pub case: Case,
    /// Why it must be refused, where there is only one right reason.
    pub refusal: Option<Refusal>,
}

/// The cases that must be refused, as they are made.
pub struct Spoils<'a> {
    pub preset: &'a Preset,
    pub original: &'a Case,
    all: Vec<Spoiled>,
}

/// All that the row says how to spoil.
pub fn spoiled(preset: &Preset, original: &Case) -> Vec<Spoiled> {
    let mut spoils = Spoils::new(preset, original);
    match &preset.verify {
        Scheme::Signature(row) => spoiled_signature::spoil(row, &mut spoils),
        Scheme::Token(row) => spoiled_token::spoil_token(row, &mut spoils),
        Scheme::Jws(row) => spoiled_token::spoil_jws(row, &mut spoils),
        Scheme::HttpMessageSignature(row) => spoiled_message::spoil(row, &mut spoils),
    }
    spoils.all
}

impl<'a> Spoils<'a> {
    pub fn new(preset: &'a Preset, original: &'a Case) -> Self {
        Self { preset, original, all: Vec::new() }
    }

    /// Adds a request, unless nothing was changed.
    pub fn add(&mut self, kind: impl Into<String>, shown: Option<Shown>) {
        self.add_for(kind, None, shown);
    }

    /// Adds a request that must be refused for one reason.
    pub fn add_for(&mut self, kind: impl Into<String>, refusal: Option<Refusal>, shown: Option<Shown>) {
        let case = shown.map(|shown| Case { shown, ..self.original.clone() });
        self.add_case(kind, refusal, case);
    }

    /// Adds the same request, judged with something else.
    pub fn add_means(&mut self, kind: impl Into<String>, refusal: Option<Refusal>, change: impl FnOnce(&mut Means)) {
        let mut case = self.original.clone();
        change(&mut case.means);
        self.add_case(kind, refusal, Some(case));
    }

    /// Adds a case, unless nothing was changed.
    pub fn add_case(&mut self, kind: impl Into<String>, refusal: Option<Refusal>, case: Option<Case>) {
        if let Some(case) = case.filter(|case| case != self.original) {
            self.all.push(Spoiled { kind: kind.into(), case, refusal });
        }
    }

    /// Adds cases that were spoiled elsewhere.
    pub fn extend(&mut self, spoiled: Vec<Spoiled>) {
        self.all.extend(spoiled);
    }

    pub fn into_all(self) -> Vec<Spoiled> {
        self.all
    }

    /// Spoils what is not the signature itself, but signed or needed to judge it.
    pub fn part(&mut self, what: &str, place: &Place) {
        let shown = &self.original.shown;
        if text(shown, place).is_none_or(|text| text.is_empty()) {
            return;
        }
        self.add(format!("{what} missing"), edit(shown, place, &|_| None));
        self.add(format!("{what} changed"), edit(shown, place, &|text| Some(format!("{text}x"))));
        self.named(what, std::slice::from_ref(place));
    }

    /// Spoils how texts are found: the names, prefixes and number of them.
    pub fn named(&mut self, what: &str, places: &[Place]) {
        let shown = &self.original.shown;
        self.add(format!("{what} twice"), at_all(shown, places, |shown, place| twice(shown, &place.at)));
        self.add(format!("{what} under another name"), at_all(shown, places, |shown, place| renamed(shown, &place.at)));
        self.add(format!("{what} in a list"), at_all(shown, places, |shown, place| no_text(shown, &place.at)));
        self.add(format!("{what} in another part"), at_all(shown, places, misnamed));
        let led = |lead: &'static str| at_all(shown, places, |shown, place| unprefixed(shown, place, lead));
        self.add(format!("{what} without its prefix"), led(""));
        self.add(format!("{what} with another prefix"), led("x="));
    }

    /// Spoils the settings of these names.
    pub fn settings(&mut self, names: &BTreeSet<String>) {
        for name in names {
            let present = self.original.means.settings.get(name);
            // Without a setting, a row that signs its URL takes the one that the request came by.
            let changed = present.map_or("https://hooks.example.com/elsewhere".to_owned(), |value| format!("{value}x"));
            if present.is_some() || name == PUBLIC_URL {
                self.setting(format!("setting {name} changed"), name, Some(&changed));
            }
            if name != PUBLIC_URL {
                self.setting(format!("setting {name} absent"), name, None);
            }
        }
    }

    /// Adds the same request, judged with another value of one setting.
    pub fn setting(&mut self, kind: impl Into<String>, name: &str, value: Option<&str>) {
        let names = self.preset.settings.keys().map(String::as_str).chain([PUBLIC_URL]);
        let values = names.filter_map(|name| Some((name, self.original.means.settings.get(name)?)));
        let mut values: BTreeMap<_, _> = values.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        values.remove(name);
        values.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self.add_means(kind, None, |means| means.settings = values.into());
    }

    /// Spoils the body, where every byte of it counts.
    pub fn body(&mut self) {
        let shown = &self.original.shown;
        let body = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut shown = shown.clone();
            change(&mut shown.body);
            Some(shown)
        };
        for at in [0, shown.body.len() / 2, shown.body.len().saturating_sub(1)] {
            let flipped = body(&|body| {
                if let Some(b) = body.get_mut(at) {
                    *b ^= 1;
                }
            });
            self.add("a byte of the body changed", flipped);
        }
        self.add("a byte of the body more", body(&|body| body.push(b'x')));
        self.add("a byte of the body less", body(&|body| body.truncate(body.len().saturating_sub(1))));
        self.add("another body", body(&|body| *body = b"{\"id\":\"another\"}".to_vec()));
        self.add("no body", body(&|body| body.clear()));
    }

    /// Spoils the URL.
    pub fn url(&mut self) {
        let shown = self.original.shown.clone();
        let (path, query) = shown.path_and_query.split_once('?').unwrap_or((&shown.path_and_query, ""));
        let with = |path_and_query: String| Some(Shown { path_and_query, ..shown.clone() });
        self.add("another path", with(format!("{path}x?{query}").trim_end_matches('?').to_owned()));
        self.add("another query string", with(format!("{path}?{query}&x=1").replace("?&", "?")));
        self.add("no query string", with(path.to_owned()));
        let other = Some(Shown { base_url: "https://other.example.com".to_owned(), ..shown.clone() });
        self.add("another host", other);
    }

    /// Spoils the method.
    pub fn method(&mut self) {
        let shown = &self.original.shown;
        let other = if shown.method == "POST" { "PUT" } else { "POST" };
        self.add("another method", Some(Shown { method: other.to_owned(), ..shown.clone() }));
    }

    /// Moves now, so that what was signed is right and lies too far away.
    pub fn time(&mut self) {
        let Some((signed, tolerance)) = signed_at(self.preset, &self.original.shown) else { return };
        let beyond = tolerance + SignedDuration::from_secs(1);
        self.add_means("stale", Some(Refusal::SignatureStale), |means| means.now = signed + beyond);
        self.add_means("from the future", Some(Refusal::SignatureFuture), |means| means.now = signed - beyond);
    }
}

/// When a request was signed, and how far that may lie from now.
pub fn signed_at(preset: &Preset, shown: &Shown) -> Option<(Timestamp, SignedDuration)> {
    match &preset.verify {
        Scheme::Signature(row) => {
            let rule = row.timestamp.as_ref()?;
            let signed = rule.format.read(&text(shown, &rule.place)?)?;
            Some((signed, SignedDuration::from_secs(i64::from(rule.tolerance_s))))
        }
        Scheme::HttpMessageSignature(row) => {
            let input = whole(shown, &header(HeaderName::from_static("signature-input")))?;
            let digits: String = input.split_once(";created=")?.1.chars().take_while(|c| c.is_ascii_digit()).collect();
            let signed = Timestamp::from_second(digits.parse().ok()?).ok()?;
            Some((signed, SignedDuration::from_secs(i64::from(row.tolerance_seconds))))
        }
        Scheme::Token(_) | Scheme::Jws(_) => None,
    }
}

/// The places that a row reads to judge a request: those of the proof itself, then the others.
pub fn places(scheme: &Scheme) -> (Vec<Place>, Vec<Place>) {
    match scheme {
        Scheme::Signature(row) => {
            let proof = row.signature.iter().map(|place| absolute(place, row.each.as_ref())).collect();
            (proof, others(row))
        }
        Scheme::Token(row) => (vec![absolute(&row.place, row.each.as_ref())], Vec::new()),
        Scheme::Jws(row) => (vec![row.place.clone()], Vec::new()),
        Scheme::HttpMessageSignature(_) => {
            let place = |name| Place { at: header(HeaderName::from_static(name)), list: None, strip: None };
            let [signature, rest @ ..] = MESSAGE_HEADERS.map(place);
            (vec![signature], rest.to_vec())
        }
    }
}

fn others(row: &Signature) -> Vec<Place> {
    let mut others: Vec<&Place> = row.timestamp.iter().map(|time| &time.place).chain(&row.id).collect();
    others.extend(row.digest.as_ref().map(|digest| &digest.place));
    others.extend(row.equal.iter().map(|pinned| &pinned.place));
    if let Choice::By { by, .. } = &row.algorithm {
        others.push(by);
    }
    others.extend(signed_places(row));
    others.into_iter().map(|place| absolute(place, row.each.as_ref())).collect()
}

/// The places whose texts are signed one by one.
pub fn signed_places(row: &Signature) -> impl Iterator<Item = &Place> {
    row.signed.pieces().iter().filter_map(|piece| match piece {
        Piece::At { place, .. } => Some(place),
        _ => None,
    })
}

/// What a place is called in the name of a kind.
pub fn name_of(place: &Place) -> String {
    match &place.at {
        At::Header(names) => names.first().map(ToString::to_string).unwrap_or_default(),
        At::Query(name) | At::Form(name) => name.clone(),
        At::Json(path) => path.as_str().to_owned(),
        At::Basic => "user and password".to_owned(),
    }
}
