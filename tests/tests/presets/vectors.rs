//! The vectors of the rows: requests as a provider published them, or as somebody else's implementation made them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::refusal::Refusal;
use hookport::scheme::catalogue::presets;
use hookport::scheme::key::key_of_certificate;
use hookport::scheme::naming::body_key;
use hookport::scheme::preset::Preset;
use hookport::scheme::settings::Settings;
use hookport::scheme::sign::SignedRequest;
use hookport::scheme::signature::Keys;
use hookport::scheme::view::{Request, View};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;

/// The vectors of one row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vectors {
    pub vectors: Vec<Vector>,
    #[serde(default)]
    pub handshakes: Vec<HandshakeVector>,
}

/// A request that must be taken.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    pub origin: String,
    #[serde(default)]
    pub secret: String,
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    pub at: Timestamp,
    pub request: Recorded,
    #[serde(default)]
    pub event_type: Option<String>,
    #[serde(default)]
    pub dedupe: Option<String>,
    #[serde(default)]
    pub private_key: Option<String>,
    #[serde(default)]
    pub certificate: Option<String>,
}

/// A request that asks whether the URL is ours, and what must be answered.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandshakeVector {
    pub handshake: String,
    pub origin: String,
    #[serde(default)]
    pub secret: String,
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    pub at: Timestamp,
    pub request: Recorded,
    pub answer: Expected,
    #[serde(default)]
    pub visited: Option<String>,
    #[serde(default)]
    pub certificate: Option<String>,
}

/// What a handshake is answered with.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub status: u16,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: String,
}

/// A request, as it is written down.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    pub method: String,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    body_base64: Option<String>,
}

/// A request that can be spoiled.
#[derive(Clone, PartialEq)]
pub struct Shown {
    pub method: String,
    pub base_url: String,
    pub path_and_query: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Shown {
    pub fn as_request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            base_url: &self.base_url,
            path_and_query: &self.path_and_query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

impl Recorded {
    pub fn shown(&self) -> Shown {
        let (base_url, path_and_query) = split_url(&self.url);
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str()).expect("the name of a header");
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).expect("the value of a header"));
        }
        let body = match (&self.body, &self.body_base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(encoded)) => STANDARD.decode(encoded).expect("base64"),
            (None, None) => Vec::new(),
            (Some(_), Some(_)) => panic!("one body at most"),
        };
        Shown {
            method: self.method.clone(),
            base_url: base_url.to_owned(),
            path_and_query: path_and_query.to_owned(),
            headers,
            body,
        }
    }
}

impl From<SignedRequest> for Shown {
    fn from(signed: SignedRequest) -> Self {
        let (base_url, path_and_query) = split_url(&signed.url);
        let headers = signed.headers.iter().map(|(name, value)| {
            let name = HeaderName::try_from(name.as_str()).expect("the name of a header");
            (name, HeaderValue::from_bytes(value.as_bytes()).expect("the value of a header"))
        });
        Self {
            method: signed.method,
            base_url: base_url.to_owned(),
            path_and_query: path_and_query.to_owned(),
            headers: headers.collect(),
            body: signed.body,
        }
    }
}

/// Scheme, host and port of a URL; and its path with the query string.
fn split_url(url: &str) -> (&str, &str) {
    let path = url.find("://").and_then(|at| url[at + 3..].find('/').map(|slash| at + 3 + slash));
    url.split_at(path.expect("a URL with a path"))
}

pub fn vectors_of(preset: &Preset) -> Vectors {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/presets/{}.json", preset.name));
    let json = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a request is judged with.
#[derive(Clone, PartialEq)]
pub struct Means {
    pub secret: String,
    pub settings: Settings,
    pub certificate: Option<String>,
    pub now: Timestamp,
}

impl From<&Vector> for Means {
    fn from(vector: &Vector) -> Self {
        Self {
            secret: vector.secret.clone(),
            settings: vector.settings.clone().into(),
            certificate: vector.certificate.clone(),
            now: vector.at,
        }
    }
}

impl From<&HandshakeVector> for Means {
    fn from(vector: &HandshakeVector) -> Self {
        Self {
            secret: vector.secret.clone(),
            settings: vector.settings.clone().into(),
            certificate: vector.certificate.clone(),
            now: vector.at,
        }
    }
}

/// Judges a request as a receiver would.
pub fn judged(preset: &Preset, shown: &Shown, means: &Means) -> Result<(), Refusal> {
    let secret = SecretString::from(means.secret.clone());
    let certificate =
        means.certificate.as_ref().and_then(|pem| key_of_certificate(pem.as_bytes(), means.now.as_second()));
    let keys = Keys { secrets: &[&secret], settings: &means.settings, certificate: certificate.as_deref() };
    preset.verify.judge(&View::new(shown.as_request()), &keys, means.now).0
}

#[test]
fn every_vector_of_every_row_is_taken() {
    let (mut count, mut wrong) = (0, Vec::new());
    for preset in presets() {
        let all = vectors_of(preset);
        assert!(!all.vectors.is_empty(), "{}: has a vector", preset.name);
        for (n, vector) in all.vectors.iter().enumerate() {
            let is_labelled = ["provider: ", "independent: "].iter().any(|kind| vector.origin.starts_with(kind));
            assert!(is_labelled, "{} {n}: says where it is from", preset.name);
            if let Err(refusal) = judged(preset, &vector.request.shown(), &Means::from(vector)) {
                wrong.push(format!("{} {n}, {}: {refusal:?}", preset.name, vector.origin));
            }
            count += 1;
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "of {count} vectors");
    assert!(count >= presets().len());
}

#[test]
fn every_vector_has_the_name_and_the_key_that_its_row_gives_it() {
    let mut wrong = Vec::new();
    for preset in presets() {
        for (n, vector) in vectors_of(preset).vectors.iter().enumerate() {
            let shown = vector.request.shown();
            let view = View::new(shown.as_request());
            let name = preset.naming().and_then(|naming| naming.of(&view)).map(|name| name.to_string());
            if name != vector.event_type {
                wrong.push(format!("{} {n}: {name:?} is not {:?}", preset.name, vector.event_type));
            }
            let expected = match vector.dedupe.as_deref() {
                Some("body") => Some(body_key(&shown.body)),
                other => other.map(str::to_owned),
            };
            let key = preset.dedupe.key(&view);
            if key != expected {
                wrong.push(format!("{} {n}: {key:?} is not {expected:?}", preset.name));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
