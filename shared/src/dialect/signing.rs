//! Signatures of a dialect: what is signed, with which key, and where the signature stands.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use sfv::{BareItem, FieldType as _, InnerList, Item, List, ListEntry};
use sha2::{Digest as _, Sha256};

use super::keys::{Key, Keys};
use super::message::Message;
use super::text::{Context, Room, Text, Variable};
use super::{Unsendable, encoded, header_name};
use crate::domain::target_url::TargetUrl;
use crate::scheme::algorithm::{Algorithm, Encoding, tag};
use crate::scheme::message_signature_base;
use crate::scheme::settings::Settings;
use crate::scheme::view::{Request, View};

/// One signature of a dialect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Signing {
    /// Standard Webhooks, scheme `v1`: HMAC-SHA256 with the subscription's secret.
    Standard,
    /// Standard Webhooks, scheme `v1a`: Ed25519 with the tenant's key, whose public part everybody may know.
    StandardAsymmetric,
    /// A MAC in a header of its own, with the subscription's secret as its key.
    Mac(Mac),
    /// An HTTP message signature (RFC 9421).
    HttpMessageSignature(MessageSigning),
}

/// A MAC in a header of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mac {
    /// How it is computed: one of the HMACs.
    pub algorithm: Algorithm,
    /// How it is written.
    pub encoding: Encoding,
    /// Which bytes of the secret are its key.
    #[serde(default, skip_serializing_if = "KeyForm::is_text")]
    pub key: KeyForm,
    /// What is signed.
    pub signed: Text,
    /// The headers that it stands in.
    pub headers: Vec<String>,
    /// What stands there, with `{signature}` in it.
    pub value: Text,
    /// What follows for the secret before it, as long as that signs as well; without it the current secret signs alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<Text>,
}

/// Which bytes of a secret are a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyForm {
    /// Its text.
    #[default]
    Text,
    /// What Standard Webhooks takes it for: the base64 after `whsec_`.
    Standard,
}

impl KeyForm {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

/// How an HTTP message signature is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageSigning {
    /// Which key signs.
    pub algorithm: MessageKey,
    /// The components that are signed, in their order.
    pub components: Vec<String>,
    /// The label of the signature.
    pub label: String,
}

/// Which key an HTTP message signature is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageKey {
    /// HMAC-SHA256 with the text of the subscription's secret.
    HmacSha256,
    /// Ed25519 with the tenant's key.
    Ed25519,
}

/// Headers that every request with a body has, whatever its dialect.
const CARRIED: [&str; 3] = ["content-digest", "content-type", "user-agent"];
/// The most bytes of a delivery that the value of a signature's header may have, and that may be signed beyond the size of
/// its payload and besides the body.
const MAX_SIGNATURE_BYTES: usize = 8 * 1024;
/// The most components of an HTTP message signature.
const MAX_COMPONENTS: usize = 20;

/// A request that is complete but for its signatures.
pub(super) struct Unsigned<'a> {
    pub(super) message: &'a Message<'a>,
    pub(super) method: &'a Method,
    pub(super) url: &'a TargetUrl,
    pub(super) body: &'a [u8],
}

impl Signing {
    /// Tells whether it is made with the tenant's key.
    #[must_use]
    pub fn is_asymmetric(&self) -> bool {
        match self {
            Self::StandardAsymmetric => true,
            Self::HttpMessageSignature(signing) => signing.algorithm == MessageKey::Ed25519,
            Self::Standard | Self::Mac(_) => false,
        }
    }

    /// The headers that it signs, or that receivers need to check it: somebody has to write them.
    pub(super) fn needs(&self) -> Vec<&str> {
        match self {
            Self::Standard | Self::StandardAsymmetric => vec!["webhook-id", "webhook-timestamp"],
            Self::Mac(_) => Vec::new(),
            Self::HttpMessageSignature(signing) => {
                let components = signing.components.iter().map(String::as_str);
                components.filter(|name| !name.starts_with('@') && !CARRIED.contains(name)).collect()
            }
        }
    }

    /// Tells whether it needs a secret that Standard Webhooks can read.
    pub(super) fn needs_standard_secret(&self) -> bool {
        match self {
            Self::Standard => true,
            Self::Mac(mac) => mac.key == KeyForm::Standard,
            Self::StandardAsymmetric | Self::HttpMessageSignature(_) => false,
        }
    }

    /// The headers that it writes.
    #[must_use]
    pub fn headers(&self) -> Vec<String> {
        match self {
            Self::Standard | Self::StandardAsymmetric => vec!["webhook-signature".to_owned()],
            Self::Mac(mac) => mac.headers.clone(),
            Self::HttpMessageSignature(_) => {
                ["content-digest", "signature-input", "signature"].map(str::to_owned).to_vec()
            }
        }
    }

    /// Writes the signature into `headers`, behind what stands there of the same kind.
    pub(super) fn write(
        &self,
        unsigned: &Unsigned<'_>,
        keys: &Keys,
        headers: &mut HeaderMap,
    ) -> Result<(), Unsendable> {
        let (message, body) = (unsigned.message, unsigned.body);
        match self {
            Self::Standard => {
                let signing = keys.standard(message.at).ok_or(Unsendable::Secret)?;
                for key in signing {
                    append(headers, "webhook-signature", " ", &key.sign(message.id, message.at, body))?;
                }
            }
            Self::StandardAsymmetric => {
                let mut any = false;
                for key in keys.of_tenant(message.at) {
                    let time = message.at.as_second().to_string();
                    let signed = [message.id.as_bytes(), b".", time.as_bytes(), b".", body].concat();
                    let signature = format!("v1a,{}", STANDARD.encode(key.sign(&signed)));
                    append(headers, "webhook-signature", " ", &signature)?;
                    any = true;
                }
                if !any {
                    return Err(Unsendable::TenantKey);
                }
            }
            Self::Mac(mac) => mac.write(unsigned, keys, headers)?,
            Self::HttpMessageSignature(signing) => signing.write(unsigned, keys, headers)?,
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::Standard | Self::StandardAsymmetric => Ok(()),
            Self::Mac(mac) => mac.check(),
            Self::HttpMessageSignature(signing) => signing.check(),
        }
    }
}

/// A value as a header can hold it.
fn header_value(value: Cow<'_, str>) -> String {
    encoded(&value, false)
}

/// Puts a value behind those that a header has already.
fn append(headers: &mut HeaderMap, name: &'static str, between: &str, value: &str) -> Result<(), Unsendable> {
    let name = HeaderName::from_static(name);
    let text = match headers.get(&name).and_then(|known| known.to_str().ok()) {
        Some(known) => format!("{known}{between}{value}"),
        None => value.to_owned(),
    };
    headers.insert(name, HeaderValue::try_from(text).map_err(|_| Unsendable::Header)?);
    Ok(())
}

impl Mac {
    fn write(&self, unsigned: &Unsigned<'_>, keys: &Keys, headers: &mut HeaderMap) -> Result<(), Unsendable> {
        let message = unsigned.message;
        let copied = Room::new(message.payload.len() + MAX_SIGNATURE_BYTES);
        let parts = self.signed.parts(&Context { message, body: unsigned.body, signature: None, room: &copied });
        copied.check()?;
        let room = Room::new(MAX_SIGNATURE_BYTES);
        let context = |signature| Context { message, body: unsigned.body, signature, room: &room };
        let sign = |key: &Key| {
            let bytes = match self.key {
                KeyForm::Text => key.bytes(),
                KeyForm::Standard => key.standard_bytes().ok_or(Unsendable::Secret)?,
            };
            let tag = tag(self.algorithm, bytes, &parts).ok_or(Unsendable::Secret)?;
            Ok::<_, Unsendable>(self.encoding.encode(&tag))
        };
        let current = sign(keys.current())?;
        let mut value = self.value.render(&context(Some(&current)), header_value);
        let can_sign = |key: &&Key| self.key == KeyForm::Text || key.standard_bytes().is_some();
        if let (Some(also), Some(previous)) = (&self.also, keys.previous(message.at).filter(can_sign)) {
            let previous = sign(previous)?;
            value.push_str(&also.render(&context(Some(&previous)), header_value));
        }
        room.check()?;
        let value = HeaderValue::try_from(value).map_err(|_| Unsendable::Header)?;
        for name in &self.headers {
            headers.insert(header_name(name).map_err(|_| Unsendable::Header)?, value.clone());
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if !self.algorithm.is_symmetric() || self.algorithm == Algorithm::Sha256 {
            return Err("signatures.algorithm: must be one of the HMACs".to_owned());
        }
        if !(1..=4).contains(&self.headers.len()) {
            return Err("signatures.headers: must have 1 to 4 names".to_owned());
        }
        if !self.signed.has(Variable::Body) || self.signed.has(Variable::Signature) {
            return Err("signatures.signed: must have {body} in it, and no {signature}".to_owned());
        }
        let is_value = |text: &Text| text.has(Variable::Signature) && !text.has(Variable::Body);
        if !is_value(&self.value) || !self.also.as_ref().is_none_or(is_value) {
            return Err("signatures.value: must have {signature} in it, and no {body}".to_owned());
        }
        if !self.value.fits_headers() || !self.also.as_ref().is_none_or(Text::fits_headers) {
            return Err("signatures.value: has no other characters than visible ASCII and spaces".to_owned());
        }
        Ok(())
    }
}

impl MessageSigning {
    fn write(&self, unsigned: &Unsigned<'_>, keys: &Keys, headers: &mut HeaderMap) -> Result<(), Unsendable> {
        if self.components.iter().any(|name| name == "content-digest") {
            let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(unsigned.body)));
            headers.insert("content-digest", HeaderValue::try_from(digest).map_err(|_| Unsendable::Header)?);
        }
        match self.algorithm {
            MessageKey::HmacSha256 => {
                let current = keys.current();
                self.write_one(&self.label, "secret", unsigned, headers, |base| {
                    let parts = [Cow::Borrowed(base)];
                    tag(Algorithm::HmacSha256, current.bytes(), &parts).map(|tag| tag.to_vec())
                })?;
                if let Some(previous) = keys.previous(unsigned.message.at) {
                    let label = format!("{}-previous", self.label);
                    self.write_one(&label, "previous-secret", unsigned, headers, |base| {
                        let parts = [Cow::Borrowed(base)];
                        tag(Algorithm::HmacSha256, previous.bytes(), &parts).map(|tag| tag.to_vec())
                    })?;
                }
                Ok(())
            }
            MessageKey::Ed25519 => {
                let mut any = false;
                for (n, key) in keys.of_tenant(unsigned.message.at).enumerate() {
                    let label = if n == 0 { self.label.clone() } else { format!("{}-{n}", self.label) };
                    self.write_one(&label, key.kid(), unsigned, headers, |base| Some(key.sign(base)))?;
                    any = true;
                }
                if any { Ok(()) } else { Err(Unsendable::TenantKey) }
            }
        }
    }

    fn write_one(
        &self,
        label: &str,
        kid: &str,
        unsigned: &Unsigned<'_>,
        headers: &mut HeaderMap,
        sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<(), Unsendable> {
        let text = |text: &str| sfv::String::from_string(text.to_owned()).map_err(|_| Unsendable::Header);
        let key = |name: &str| sfv::Key::from_string(name.to_owned()).map_err(|_| Unsendable::Header);
        let mut input = InnerList::new(Vec::new());
        for name in &self.components {
            // What has no body has no content type.
            if name == "content-type" && !headers.contains_key(name) {
                continue;
            }
            input.items.push(Item::new(BareItem::String(text(name)?)));
        }
        let created = sfv::Integer::try_from(unsigned.message.at.as_second()).map_err(|_| Unsendable::Header)?;
        let algorithm = match self.algorithm {
            MessageKey::HmacSha256 => "hmac-sha256",
            MessageKey::Ed25519 => "ed25519",
        };
        input.params.insert(key("created")?, BareItem::Integer(created));
        input.params.insert(key("keyid")?, BareItem::String(text(kid)?));
        input.params.insert(key("alg")?, BareItem::String(text(algorithm)?));
        let url = unsigned.url.uri();
        let path_and_query = url.path_and_query().map_or("/", |path| path.as_str());
        let base_url = unsigned.url.origin();
        let request = Request {
            method: unsigned.method.as_str(),
            base_url: &base_url,
            path_and_query,
            headers,
            body: unsigned.body,
        };
        let base = message_signature_base(&View::new(request), &Settings::default(), &input)
            .map_err(|_| Unsendable::Header)?;
        let signature = sign(base.as_bytes()).ok_or(Unsendable::Secret)?;
        let params = List::from([ListEntry::InnerList(input)]).serialize().ok_or(Unsendable::Header)?;
        append(headers, "signature-input", ", ", &format!("{label}={params}"))?;
        append(headers, "signature", ", ", &format!("{label}=:{}:", STANDARD.encode(signature)))
    }

    fn check(&self) -> Result<(), String> {
        let is_covered = |name: &str| self.components.iter().any(|component| component == name);
        if !(1..=MAX_COMPONENTS).contains(&self.components.len()) || !is_covered("content-digest") {
            return Err(format!(
                "signatures.components: must have 1 to {MAX_COMPONENTS} entries, content-digest among them"
            ));
        }
        if self.algorithm == MessageKey::Ed25519 && !is_covered("@target-uri") && !is_covered("@authority") {
            // The key is the tenant's: without its addressee, a request is as good at any other receiver.
            return Err("signatures.components: with ed25519, @target-uri or @authority is among them".to_owned());
        }
        let is_known = |name: &String| {
            matches!(name.as_str(), "@method" | "@target-uri" | "@authority" | "@scheme" | "@path" | "@query")
                || header_name(name).is_ok_and(|header| header.as_str() == name)
        };
        if !self.components.iter().all(is_known) {
            return Err("signatures.components: are headers in lower case and derived components".to_owned());
        }
        if self.components.iter().enumerate().any(|(n, name)| self.components[..n].contains(name)) {
            return Err("signatures.components: are each named once".to_owned());
        }
        if sfv::Key::from_string(self.label.clone()).is_err() || self.label.len() > 64 {
            return Err("signatures.label: must have 1 to 64 lower-case letters, digits, _, - and .".to_owned());
        }
        Ok(())
    }
}
