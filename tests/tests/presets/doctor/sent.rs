//! Requests as a provider, or somebody who takes himself for one, sends them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::scheme::Scheme;
use hookport::scheme::algorithm::tag;
use hookport::scheme::catalogue::{preset, presets};
use hookport::scheme::doctor::{Candidate, Case, Diagnosis, SecretOf, diagnose};
use hookport::scheme::key::{KeySource, key_of_certificate};
use hookport::scheme::preset::{Preset, SampleRequest};
use hookport::scheme::settings::Settings;
use hookport::scheme::sign::{Signer, sign};
use hookport::scheme::signature::{Choice, Signature};
use hookport::scheme::template::{Context, Template};
use hookport::scheme::view::View;
use http::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;

use crate::vectors::{Shown, vectors_of};

/// What is sent where nothing else is said.
pub const BODY: &str =
    r#"{"id":"evt_1001","type":"order.paid","note":"Grüße","url":"https://example.com/a","total":42.5}"#;
/// Headers that say where a request was sent to, which may be told.
const TOLD: [&str; 4] = ["content-type", "host", "x-forwarded-host", "x-forwarded-prefix"];

/// Somebody who signs.
pub struct Sender {
    row: &'static Preset,
    /// The row as the sender has it.
    preset: Preset,
    sample: SampleRequest,
    url: String,
    secret: String,
    signs_with: String,
    settings: BTreeMap<String, String>,
    public_url: Option<String>,
    now: Timestamp,
}

impl Sender {
    /// A sender of a preset who does everything right, with the secret of the preset's vector.
    pub fn of(name: &str) -> Self {
        let row = preset(name).unwrap_or_else(|| panic!("{name}: no preset"));
        let vectors = vectors_of(row).vectors;
        let with_key = vectors.iter().find(|vector| vector.private_key.is_some());
        let vector = with_key.or(vectors.first()).expect("a vector").clone();
        Self {
            row,
            preset: row.clone(),
            sample: SampleRequest {
                text: Some(BODY.to_owned()),
                headers: BTreeMap::from([("Content-Type".to_owned(), "application/json".to_owned())]),
                ..SampleRequest::default()
            },
            url: format!("https://hooks.example.com/api/inbound/acme/{name}"),
            secret: vector.secret.clone(),
            signs_with: vector.private_key.unwrap_or(vector.secret),
            settings: vector.settings,
            public_url: None,
            now: vector.at,
        }
    }

    /// Sends the preset's own sample.
    pub fn sampled(mut self) -> Self {
        self.sample = self.row.samples.values().next().expect("a sample").clone();
        self
    }

    pub fn body(mut self, body: &str) -> Self {
        self.sample.text = Some(body.to_owned());
        self
    }

    pub fn method(mut self, method: &str) -> Self {
        self.sample.method = Some(method.to_owned());
        self
    }

    pub fn url(mut self, url: &str) -> Self {
        self.url = url.to_owned();
        self
    }

    /// Signs for another URL than the one it sends to.
    pub fn signs_url(mut self, url: &str) -> Self {
        self.public_url = Some(url.to_owned());
        self
    }

    /// Both sides have this secret.
    pub fn secret(mut self, secret: &str) -> Self {
        self.secret = secret.to_owned();
        self.signs_with(secret)
    }

    /// Only the sender has this secret.
    pub fn signs_with(mut self, secret: &str) -> Self {
        self.signs_with = secret.to_owned();
        self
    }

    /// Signs by another row.
    pub fn row(mut self, alter: impl FnOnce(&mut Signature)) -> Self {
        let Scheme::Signature(row) = &mut self.preset.verify else { panic!("{}: no signature", self.row.name) };
        alter(row);
        self
    }

    /// Proves itself by another scheme.
    pub fn scheme(mut self, alter: impl FnOnce(&mut Scheme)) -> Self {
        alter(&mut self.preset.verify);
        self
    }

    pub fn send(self) -> Sent {
        let secret = SecretString::from(self.signs_with);
        let mut settings = self.settings.clone();
        settings.extend(self.public_url.map(|url| ("public_url".to_owned(), url)));
        let settings = Settings::from(settings);
        let signer = Signer { secret: &secret, settings: &settings, now: self.now, random: [7; 16] };
        let signed = sign(&self.preset, &self.sample, &self.url, &signer)
            .unwrap_or_else(|error| panic!("{}: {error}", self.row.name));
        Sent {
            preset: self.row,
            shown: Shown::from(signed),
            secret: self.secret,
            others: Vec::new(),
            settings: self.settings,
            certificate: None,
            now: self.now,
        }
    }
}

/// A request that arrived, and what it is judged with.
#[derive(Clone)]
pub struct Sent {
    pub preset: &'static Preset,
    pub shown: Shown,
    pub secret: String,
    pub others: Vec<(String, SecretOf)>,
    pub settings: BTreeMap<String, String>,
    pub certificate: Option<String>,
    pub now: Timestamp,
}

/// The n-th request of a preset's vectors.
pub fn recorded(name: &str, n: usize) -> Sent {
    let preset = preset(name).unwrap_or_else(|| panic!("{name}: no preset"));
    let vector = vectors_of(preset).vectors.get(n).unwrap_or_else(|| panic!("{name}: no vector {n}")).clone();
    Sent {
        preset,
        shown: vector.request.shown(),
        secret: vector.secret,
        others: Vec::new(),
        settings: vector.settings,
        certificate: vector.certificate,
        now: vector.at,
    }
}

pub fn template(text: &str) -> Template {
    Template::try_from(text.to_owned()).expect("a template")
}

impl Sent {
    pub fn spoil(mut self, how: impl FnOnce(&mut Self)) -> Self {
        how(&mut self);
        self
    }

    /// What arrives instead of the body.
    pub fn arrives(mut self, body: impl AsRef<[u8]>) -> Self {
        self.shown.body = body.as_ref().to_vec();
        self
    }

    /// Judged as another preset.
    pub fn taken_for(mut self, name: &str) -> Self {
        self.preset = preset(name).unwrap_or_else(|| panic!("{name}: no preset"));
        self
    }

    /// Arrives that many seconds later than it was signed.
    pub fn late(mut self, seconds: i64) -> Self {
        self.now += SignedDuration::from_secs(seconds);
        self
    }

    /// The webhook has another secret.
    pub fn judged_with(mut self, secret: &str) -> Self {
        self.secret = secret.to_owned();
        self
    }

    /// The webhook has another secret, and the right one is somebody's.
    pub fn right_is(mut self, of: SecretOf) -> Self {
        let right = std::mem::replace(&mut self.secret, "another-secret-altogether".to_owned());
        self.others.push((right, of));
        self
    }

    pub fn header(&self, name: &str) -> String {
        let value = self.shown.headers.get(name).unwrap_or_else(|| panic!("{name}: no header"));
        value.to_str().expect("a text").to_owned()
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("the name of a header");
        self.shown.headers.insert(name, HeaderValue::from_str(value).expect("a text"));
        self
    }

    pub fn edit(self, name: &str, change: impl FnOnce(&str) -> String) -> Self {
        let changed = change(&self.header(name));
        self.set(name, &changed)
    }

    pub fn without(mut self, name: &str) -> Self {
        self.shown.headers.remove(name).unwrap_or_else(|| panic!("{name}: no header"));
        self
    }

    pub fn renamed(self, from: &str, to: &str) -> Self {
        let value = self.header(from);
        self.without(from).set(to, &value)
    }

    pub fn twice(mut self, name: &str) -> Self {
        let value = self.shown.headers.get(name).expect("a header").clone();
        self.shown.headers.append(HeaderName::try_from(name).expect("the name of a header"), value);
        self
    }

    pub fn diagnosed(&self) -> Diagnosis {
        let own = SecretString::from(self.secret.clone());
        let others: Vec<_> =
            self.others.iter().map(|(secret, of)| (SecretString::from(secret.clone()), of.clone())).collect();
        let mut secrets = vec![Candidate { secret: &own, of: SecretOf::Own }];
        secrets.extend(others.iter().map(|(secret, of)| Candidate { secret, of: of.clone() }));
        let settings = Settings::from(self.settings.clone());
        let pem = self.certificate.as_ref();
        let certificate = pem.and_then(|pem| key_of_certificate(pem.as_bytes(), self.now.as_second()));
        let case = Case {
            scheme: &self.preset.verify,
            request: self.shown.as_request(),
            secrets: &secrets,
            settings: &settings,
            certificate: certificate.as_deref(),
            now: self.now,
        };
        diagnose(&case, presets())
    }

    /// What nobody may be told: secrets, what the request shows, and the signature that would be right.
    pub fn hidden(&self) -> Vec<String> {
        let mut hidden: Vec<String> = self.others.iter().map(|(secret, _)| secret.trim().to_owned()).collect();
        hidden.push(self.secret.trim().to_owned());
        hidden.extend(self.right_signature());
        for (name, value) in &self.shown.headers {
            if !TOLD.contains(&name.as_str()) {
                let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
                for part in text.split([',', ';', ' ']) {
                    hidden.extend(part.split_once('=').map(|(_, rest)| rest.to_owned()));
                    hidden.push(part.to_owned());
                }
            }
        }
        let query = self.shown.path_and_query.split_once('?').map_or("", |(_, query)| query);
        hidden.extend(query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned()));
        if let Ok(json) = serde_json::from_slice(&self.shown.body) {
            texts(&json, &mut hidden);
        }
        // What is shorter may be part of a word.
        hidden.retain(|text| text.len() >= 12 && !text.starts_with("http"));
        hidden
    }

    /// The signature that the row asks for, in hex and in base64, where it is by a shared secret.
    fn right_signature(&self) -> Vec<String> {
        let Scheme::Signature(row) = &self.preset.verify else { return Vec::new() };
        let (Choice::One(algorithm), KeySource::Secret(how)) = (&row.algorithm, &row.key) else { return Vec::new() };
        let Some(key) = how.read(&SecretString::from(self.secret.clone())) else { return Vec::new() };
        let settings = Settings::from(self.settings.clone());
        let view = View::new(self.shown.as_request());
        let time = row.timestamp.as_ref().and_then(|rule| rule.place.text(&view).ok());
        let id = row.id.as_ref().and_then(|place| place.text(&view).ok());
        let context = Context {
            view: &view,
            timestamp: time.as_deref(),
            id: id.as_deref(),
            secret: Some(key.as_slice()),
            settings: &settings,
            hash: None,
        };
        let Ok(parts) = row.signed.render(&context) else { return Vec::new() };
        let tag = tag(*algorithm, &key, &parts);
        tag.map(|tag| vec![hex::encode(tag.as_slice()), STANDARD.encode(tag.as_slice())]).unwrap_or_default()
    }
}

fn texts(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(members) => members.values().for_each(|value| texts(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
