//! Handshakes: how a provider asks whether a URL is ours, and what it is answered. They never become events.

mod check;
mod condition;

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::algorithm::{Algorithm, Encoding, tag};
use super::key::KeyText;
use super::place::Place;
use super::settings::{PUBLIC_URL, Settings};
use super::settings_of;
use super::template::{Context, Template};
use super::view::{Absent, View};
pub use condition::{Chars, Condition, HandshakeMethod, Holds, Visit};

/// The most handshakes of one webhook.
pub const MAX_HANDSHAKES: usize = 10;
/// The most conditions, methods or headers of one handshake.
const MAX_ENTRIES: usize = 10;
/// The longest text of a request that an answer repeats, in bytes.
const MAX_REFLECTED_BYTES: usize = 4_096;
/// The longest text that is hashed for a stranger, in bytes.
const MAX_OPEN_HASHED_BYTES: usize = 128;
/// How deep the JSON of an answer may be.
const MAX_DEPTH: usize = 8;
/// How the names of headers begin that a handshake may answer with. Others say something to browsers, which may have the
/// console open at the same origin.
const HEADER_PREFIXES: [&str; 2] = ["webhook-", "x-"];
/// Headers that it may not answer with all the same.
const FORBIDDEN_PREFIXES: [&str; 4] = ["x-frame", "x-content", "x-forwarded", "x-xss"];

/// One way in which a provider asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    /// Its name, for the log.
    pub name: String,
    /// The methods of such requests.
    pub methods: Vec<HandshakeMethod>,
    /// What must hold of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Condition>,
    /// Whether the request must prove itself.
    pub proof: HandshakeProof,
    /// What is computed for the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Computed>,
    /// What is answered.
    #[serde(default)]
    pub answer: Reply,
    /// A URL that must be fetched before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<Visit>,
    /// Where the webhook's secret is, when it waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn: Option<Place>,
}

/// Whether a handshake must prove itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HandshakeProof {
    /// As an event does.
    Verified,
    /// A stranger may ask.
    None,
}

/// What is computed for an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Computed {
    /// How.
    pub algorithm: Algorithm,
    /// How it is written.
    pub encoding: Encoding,
    /// `secret`, or `setting:` and a name; absent for a plain digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Over what.
    pub of: Template,
}

/// What is answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The status; 200 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Template>,
    /// The body, as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Template>,
    /// The body, as JSON whose texts are templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
}

/// What a handshake is answered, and what must be done before.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: String,
    /// The URL that must be fetched before.
    pub visit: Option<url::Url>,
    /// The secret that the request brought.
    pub learned: Option<SecretString>,
}

/// What handshakes are answered with.
pub struct Means<'a> {
    /// The newest secret, if there is one.
    pub secret: Option<&'a SecretString>,
    /// How it holds the key.
    pub key: Option<&'a KeyText>,
    /// The settings.
    pub settings: &'a Settings,
}

impl Handshake {
    /// Tells whether a request is such a handshake, but for its proof.
    #[must_use]
    pub fn is(&self, view: &View<'_>, settings: &Settings) -> bool {
        self.methods.iter().any(|method| method.is(view.request().method))
            && self.when.iter().all(|condition| condition.is_met(view, settings))
    }

    /// The answer to such a handshake.
    ///
    /// # Errors
    /// When something is not there that the answer is made of, or is too long.
    pub fn answer(&self, view: &View<'_>, means: &Means<'_>) -> Result<Answered, Absent> {
        let plain = Context { view, timestamp: None, id: None, secret: None, settings: means.settings, hash: None };
        let hash = match &self.hash {
            Some(computed) => Some(computed.text(&plain, means, self.proof)?),
            None => None,
        };
        let context = Context { hash: hash.as_deref(), ..plain };
        let text = |template: &Template| {
            let text = template.text(&context)?;
            if text.len() > MAX_REFLECTED_BYTES { Err(Absent::Malformed) } else { Ok(text) }
        };
        let mut headers = Vec::new();
        for (name, template) in &self.answer.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| Absent::Malformed)?;
            headers.push((name, HeaderValue::try_from(text(template)?).map_err(|_| Absent::Malformed)?));
        }
        let (kind, body) = match (&self.answer.text, &self.answer.json) {
            (Some(template), _) => (Some("text/plain; charset=utf-8"), text(template)?),
            (None, Some(json)) => (Some("application/json"), filled(json, &text)?.to_string()),
            (None, None) => (None, String::new()),
        };
        if let Some(kind) = kind {
            headers.push((http::header::CONTENT_TYPE, HeaderValue::from_static(kind)));
            // What strangers wrote is never to be read as anything else.
            headers.retain(|(name, _)| *name != http::header::X_CONTENT_TYPE_OPTIONS);
            headers.push((http::header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")));
        }
        let visit = match &self.visit {
            None => None,
            Some(visit) => Some(visit.hosts.take(&visit.place.text(view)?).ok_or(Absent::Malformed)?),
        };
        let learned = match &self.learn {
            None => None,
            Some(place) => Some(SecretString::from(place.text(view)?.into_owned())),
        };
        Ok(Answered { status: self.answer.status.unwrap_or(200), headers, body, visit, learned })
    }

    /// The names of the settings that it reads.
    #[must_use]
    pub fn settings(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for condition in &self.when {
            if let Holds::Setting(name) = &condition.holds {
                names.push(name.clone());
            }
        }
        let key = self.hash.as_ref().and_then(|computed| computed.key.as_deref()?.strip_prefix("setting:"));
        names.extend(key.map(str::to_owned));
        for template in self.templates() {
            names.extend(settings_of(&template));
        }
        names
    }

    /// Tells whether it hashes something for strangers with a key.
    #[must_use]
    pub fn hashes_for_strangers(&self) -> bool {
        let is_keyed = self.hash.as_ref().is_some_and(|computed| computed.key.is_some());
        is_keyed && self.proof == HandshakeProof::None
    }

    /// The names of the settings that its answer tells as they are.
    #[must_use]
    pub fn told_settings(&self) -> Vec<String> {
        let mut templates: Vec<_> = self.answer.headers.values().cloned().collect();
        templates.extend(self.answer.text.clone());
        if let Some(json) = &self.answer.json {
            collect(json, &mut templates);
        }
        templates.iter().flat_map(settings_of).filter(|name| name != PUBLIC_URL).collect()
    }

    fn templates(&self) -> Vec<Template> {
        let mut templates: Vec<_> = self.answer.headers.values().cloned().collect();
        templates.extend(self.answer.text.clone());
        templates.extend(self.hash.as_ref().map(|computed| computed.of.clone()));
        if let Some(json) = &self.answer.json {
            collect(json, &mut templates);
        }
        templates
    }
}

impl Computed {
    fn text(&self, context: &Context<'_, '_>, means: &Means<'_>, proof: HandshakeProof) -> Result<String, Absent> {
        let parts = self.of.render(context)?;
        // Whoever may have anything hashed could have an event hashed, and show the hash as its signature.
        let is_open = proof == HandshakeProof::None && self.key.is_some();
        if is_open && !is_plain_token(&parts.concat()) {
            return Err(Absent::Malformed);
        }
        let tag = match self.key.as_deref() {
            None => tag(self.algorithm, &[], &parts),
            Some("secret") => {
                let secret = means.secret.ok_or(Absent::Missing)?;
                let key = match means.key {
                    Some(how) => how.read(secret).ok_or(Absent::Malformed)?,
                    None => secret.expose_secret().as_bytes().to_vec().into(),
                };
                tag(self.algorithm, &key, &parts)
            }
            Some(setting) => {
                let name = setting.strip_prefix("setting:").ok_or(Absent::Malformed)?;
                tag(self.algorithm, means.settings.get(name).ok_or(Absent::Missing)?.as_bytes(), &parts)
            }
        };
        Ok(self.encoding.encode(&tag.ok_or(Absent::Malformed)?))
    }
}

/// Tells whether a text is a token that can be no body of an event: no brace, quote, bracket, blank or `&`.
pub(super) fn is_plain_token(text: &[u8]) -> bool {
    let is_allowed = |b: &u8| b.is_ascii_alphanumeric() || b"_-=.+/".contains(b);
    (1..=MAX_OPEN_HASHED_BYTES).contains(&text.len()) && text.iter().all(is_allowed)
}

fn as_template(text: &str) -> Result<Template, Absent> {
    Template::try_from(text.to_owned()).map_err(|_| Absent::Malformed)
}

fn filled(json: &Value, text: &impl Fn(&Template) -> Result<String, Absent>) -> Result<Value, Absent> {
    Ok(match json {
        Value::String(template) => Value::String(text(&as_template(template)?)?),
        Value::Array(values) => values.iter().map(|value| filled(value, text)).collect::<Result<_, _>>()?,
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| Ok((name.clone(), filled(value, text)?)));
            Value::Object(members.collect::<Result<_, Absent>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => json.clone(),
    })
}

fn collect(json: &Value, templates: &mut Vec<Template>) {
    match json {
        Value::String(text) => templates.extend(Template::try_from(text.clone()).ok()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, templates)),
        Value::Object(members) => members.values().for_each(|value| collect(value, templates)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
