//! Dialects: how a delivery looks on the wire, as data that one small engine writes. docs/dialects.md is the language.
//!
//! A dialect says method, headers, body and signatures; what there is to say comes from the delivery. Nothing here
//! waits, and nothing knows a receiver.

pub mod body;
pub mod catalogue;
mod check;
pub mod keys;
pub mod message;
pub mod name;
pub mod proof;
pub mod signing;
pub mod template;
pub mod text;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use self::body::Body;
pub use self::keys::{Key, Keys, TenantKey};
pub use self::message::Message;
pub use self::name::DialectName;
use self::proof::ProofStyle;
pub use self::signing::Signing;
use self::signing::Unsigned;
use self::text::{Context, Room, Text};
use crate::domain::static_headers::StaticHeaders;
use crate::domain::target_url::TargetUrl;
use crate::egress;
use crate::random::Random;
use crate::signature::standard::generate_secret;

/// The most bytes of a delivery that all headers of a dialect may have together.
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// The most dialects whose signatures a subscription asks for beside those of its own.
pub const MAX_ALSO_SIGN: usize = 3;

const AGENT: HeaderValue = HeaderValue::from_static(egress::AGENT);
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const EVENT_TYPE: HeaderName = HeaderName::from_static("hookport-event-type");
const DELIVERY_ID: HeaderName = HeaderName::from_static("hookport-delivery-id");
const SUBSCRIPTION_ID: HeaderName = HeaderName::from_static("hookport-subscription-id");
const ATTEMPT: HeaderName = HeaderName::from_static("hookport-attempt");

/// How a delivery looks on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Its name.
    pub name: DialectName,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub summary: String,
    /// The HTTP method.
    #[serde(default)]
    pub method: Verb,
    /// What the gateway calls itself, where not by its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Whether the gateway's own headers are sent: ids, type and number of the attempt.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub own_headers: bool,
    /// Headers by name. One whose text comes out empty is left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Text>,
    /// The shape of the body.
    #[serde(default)]
    pub body: Body,
    /// The content type, where not that of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// How it is signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<Signing>,
    /// What generated secrets look like.
    #[serde(default)]
    pub secret: SecretForm,
    /// How targets prove themselves when their subscription does not say.
    #[serde(default)]
    pub proof: ProofStyle,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_yes(flag: &bool) -> bool {
    *flag
}

/// The HTTP methods of dialects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// POST.
    #[default]
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// GET, which has no body.
    Get,
}

impl Verb {
    /// The method.
    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Delete => Method::DELETE,
            Self::Get => Method::GET,
        }
    }
}

/// What generated secrets look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretForm {
    /// `whsec_` and base64 of 32 bytes.
    #[default]
    Standard,
    /// 64 hex characters.
    Hex,
}

impl SecretForm {
    /// Makes a secret from 32 random bytes.
    #[must_use]
    pub fn generate(self, random: &Random) -> SecretString {
        match self {
            Self::Standard => generate_secret(random),
            Self::Hex => SecretString::from(hex::encode(Zeroizing::new(random.bytes::<32>()).as_slice())),
        }
    }
}

/// Why a delivery cannot be written in a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The secret is none that the dialect can sign with.
    #[error("the subscription's secret is none that its dialect can sign with")]
    Secret,
    /// The tenant has no key.
    #[error("the tenant has no signing key")]
    TenantKey,
    /// The row asks for more of a delivery than a request may hold.
    #[error("the dialect asks for more copies of this payload than a request may hold")]
    TooLarge,
    /// A value does not fit into a header.
    #[error("a value does not fit into a header of the dialect")]
    Header,
}

/// A request as a dialect writes it.
#[derive(Clone, Debug)]
pub struct Written {
    /// The method.
    pub method: Method,
    /// The headers, signatures included.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A subscription's own part of its requests.
#[derive(Clone, Copy)]
pub struct Manner<'a> {
    /// The dialect.
    pub dialect: &'a Dialect,
    /// Dialects whose signatures stand beside its own.
    pub also: &'a [std::sync::Arc<Dialect>],
    /// The subscription's headers.
    pub headers: &'a StaticHeaders,
    /// Headers of the original request that are passed on.
    pub forwarded: &'a HeaderMap,
    /// Where it goes.
    pub url: &'a TargetUrl,
}

impl Manner<'_> {
    /// Writes a delivery down and signs it.
    ///
    /// # Errors
    /// When the keys do not fit, or a value breaks a header.
    pub fn write(&self, message: &Message<'_>, keys: &Keys) -> Result<Written, Unsendable> {
        let dialect = self.dialect;
        let (body, content_type) = match dialect.method {
            Verb::Get => (Bytes::new(), None),
            _ => dialect.body.render(message)?,
        };
        self.finish(dialect.method.method(), message, body, content_type, keys)
    }

    /// Writes a request of the gateway's own, such as a challenge: the body is given, the rest is the dialect's.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_own(&self, method: Method, message: &Message<'_>, keys: &Keys) -> Result<Written, Unsendable> {
        let content_type = message.content_type.map(str::to_owned);
        self.finish(method, message, message.payload.clone(), content_type, keys)
    }

    fn finish(
        &self,
        method: Method,
        message: &Message<'_>,
        body: Bytes,
        content_type: Option<String>,
        keys: &Keys,
    ) -> Result<Written, Unsendable> {
        let dialect = self.dialect;
        let mut headers = self.forwarded.clone();
        for (name, value) in self.headers.iter() {
            headers.insert(name, value);
        }
        let agent = dialect.user_agent.as_deref().and_then(|agent| HeaderValue::from_str(agent).ok());
        if !self.headers.has(&USER_AGENT) {
            headers.insert(USER_AGENT, agent.unwrap_or(AGENT));
        }
        // What the dialect and the gateway say is put in last, so that nothing can stand in its place.
        let room = Room::new(MAX_HEADER_BYTES);
        let context = Context { message, body: &body, signature: None, room: &room };
        for (name, text) in &dialect.headers {
            let name = header_name(name).map_err(|_| Unsendable::Header)?;
            let is_attribute = name.as_str().starts_with("ce-");
            let value = text.render(&context, |value| encoded(&value, is_attribute));
            headers.remove(&name);
            if !value.is_empty() {
                headers.insert(name, HeaderValue::try_from(value).map_err(|_| Unsendable::Header)?);
            }
        }
        room.check()?;
        headers.remove(CONTENT_TYPE);
        let content_type = dialect.content_type.clone().filter(|_| !body.is_empty()).or(content_type);
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::try_from(content_type).unwrap_or(OCTETS));
        } else if !body.is_empty() {
            headers.insert(CONTENT_TYPE, OCTETS);
        }
        if dialect.own_headers {
            headers.insert(WEBHOOK_TIMESTAMP, HeaderValue::from(message.at.as_second()));
            headers.insert(ATTEMPT, HeaderValue::from(message.attempt));
            let texts = [
                (WEBHOOK_ID, Cow::Borrowed(message.id)),
                (EVENT_TYPE, Cow::Borrowed(message.event_type)),
                (DELIVERY_ID, Cow::Owned(message.delivery_id.to_string())),
                (SUBSCRIPTION_ID, Cow::Owned(message.subscription_id.to_string())),
            ];
            for (name, text) in texts {
                headers.insert(name, HeaderValue::try_from(text.as_ref()).map_err(|_| Unsendable::Header)?);
            }
        }
        let signings = || dialect.signatures.iter().chain(self.also.iter().flat_map(|also| &also.signatures));
        for name in signings().flat_map(Signing::headers) {
            headers.remove(header_name(&name).map_err(|_| Unsendable::Header)?);
        }
        let unsigned = Unsigned { message, method: &method, url: self.url, body: &body };
        let mut done: Vec<&Signing> = Vec::new();
        for signing in signings() {
            if !done.contains(&signing) {
                signing.write(&unsigned, keys, &mut headers)?;
                done.push(signing);
            }
        }
        Ok(Written { method, headers, body })
    }
}

/// A value as a header can hold it: what is not visible ASCII is percent-encoded, as CloudEvents asks.
fn encoded(value: &str, is_attribute: bool) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        let is_plain = match byte {
            b' ' | b'"' | b'%' => !is_attribute,
            b'!'..=b'~' => true,
            _ => false,
        };
        if is_plain {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The name of a header in a row.
fn header_name(text: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(text.as_bytes()).map_err(|_| format!("{text:?} is no header name"))
}

impl Dialect {
    /// Tells whether it is signed with the tenant's key.
    #[must_use]
    pub fn is_asymmetric(&self) -> bool {
        self.signatures.iter().any(Signing::is_asymmetric)
    }

    /// Tells whether it is signed as Standard Webhooks asks, so that the secret has to be one of its secrets.
    #[must_use]
    pub fn needs_standard_secret(&self) -> bool {
        self.signatures.iter().any(Signing::needs_standard_secret)
    }
}
