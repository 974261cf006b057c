//! The sample sender: makes a request of a row and signs it, so that the row's own verifier and the provider's library
//! both take it.

mod draft;
mod private_key;

use std::borrow::Cow;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sfv::{BareItem, FieldType as _, InnerList, Item, List, ListEntry};
use sha2::{Digest as _, Sha256};

use super::algorithm::{Algorithm, Encoding, tag};
use super::jws::Jws;
use super::key::{KeySource, KeyText};
use super::message_signature::{MessageAlgorithm, MessageSignature, base};
use super::preset::{Preset, SampleRequest};
use super::settings::Settings;
use super::signature::{Choice, Signature};
use super::template::Context;
use super::view::View;
use super::{Scheme, Token};
use draft::Draft;

/// A request that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why a request cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The URL is none.
    #[error("the URL cannot be read")]
    Url,
    /// The secret does not hold a key of this preset.
    #[error("the secret does not hold a key as this preset writes it")]
    Secret,
    /// Nobody but the provider can sign so.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The row has no place for something that it signs.
    #[error("the sample of this preset lacks {0}")]
    Sample(String),
}

/// What requests are signed with.
pub struct Signer<'a> {
    /// The shared secret, or a private key in PEM (PKCS #8) where the row verifies by a public one.
    pub secret: &'a SecretString,
    /// The settings.
    pub settings: &'a Settings,
    /// The time that is signed.
    pub now: Timestamp,
    /// What makes requests differ from each other.
    pub random: [u8; 16],
}

/// Makes a request of a preset for a URL and signs it.
///
/// # Errors
/// When the secret is none of this preset, or the preset can only be signed by its provider.
pub fn sign(
    preset: &Preset,
    sample: &SampleRequest,
    url: &str,
    signer: &Signer<'_>,
) -> Result<SignedRequest, SignError> {
    let mut draft = Draft::new(sample, url, signer)?;
    match &preset.verify {
        Scheme::Signature(signature) => sign_signature(signature, &mut draft, signer)?,
        Scheme::Token(token) => write_token(token, &mut draft, signer)?,
        Scheme::Jws(jws) => sign_jws(jws, &mut draft, signer)?,
        Scheme::HttpMessageSignature(signature) => sign_message(signature, &mut draft, signer)?,
    }
    Ok(draft.finish())
}

fn sign_signature(row: &Signature, draft: &mut Draft, signer: &Signer<'_>) -> Result<(), SignError> {
    let time = row.timestamp.as_ref().map(|rule| rule.format.write(signer.now));
    if let (Some(rule), Some(time)) = (&row.timestamp, &time) {
        draft.write(&rule.place, time, None)?;
    }
    let id = match &row.id {
        None => None,
        Some(place) => Some(draft.text(place).map_or_else(
            || {
                let id = format!("msg_{}", hex::encode(signer.random));
                draft.write(place, &id, None).map(|()| id)
            },
            Ok,
        )?),
    };
    for pinned in &row.equal {
        if let Some(value) = signer.settings.get(&pinned.setting) {
            draft.write(&pinned.place, value, None)?;
        }
    }
    if let Some(digest) = &row.digest
        && !draft.is_form()
    {
        let text = digest.encoding.encode(&Sha256::digest(draft.body()));
        draft.write(&digest.place, &text, None)?;
    }
    let algorithm = match &row.algorithm {
        Choice::One(algorithm) => *algorithm,
        Choice::By { by, is } => {
            let named = draft.text(by).ok_or_else(|| SignError::Sample("the name of its algorithm".to_owned()))?;
            *is.get(&named).ok_or_else(|| SignError::Sample("a known algorithm".to_owned()))?
        }
    };
    let place = row.signature.first().ok_or_else(|| SignError::Sample("a place for the signature".to_owned()))?;
    for element in draft.elements(row.each.as_ref()) {
        let signature = {
            let request = draft.request();
            let view = View::new(request.as_request());
            let value = element.and_then(|n| row.each.as_ref()?.elements(&view).ok()?.get(n).cloned());
            let at_element = value.as_ref().map(|value| view.at(value));
            let context = Context {
                view: at_element.as_ref().unwrap_or(&view),
                timestamp: time.as_deref(),
                id: id.as_deref(),
                secret: Some(signer.secret.expose_secret().as_bytes()),
                settings: signer.settings,
                hash: None,
            };
            let parts =
                row.signed.render(&context).map_err(|_| SignError::Sample("something that is signed".to_owned()))?;
            row.encoding.encode(&signed(algorithm, &row.key, signer, &parts)?)
        };
        draft.write(place, &signature, element.zip(row.each.as_ref()))?;
    }
    Ok(())
}

fn signed(
    algorithm: Algorithm,
    key: &KeySource,
    signer: &Signer<'_>,
    parts: &[Cow<'_, [u8]>],
) -> Result<Vec<u8>, SignError> {
    if !algorithm.is_symmetric() {
        return private_key::sign(algorithm, signer.secret, &parts.concat());
    }
    let KeySource::Secret(how) = key else {
        return Err(SignError::Unsupported("this preset has no shared secret"));
    };
    let key = how.read(signer.secret).ok_or(SignError::Secret)?;
    tag(algorithm, &key, parts).map(|tag| tag.to_vec()).ok_or(SignError::Secret)
}

fn write_token(row: &Token, draft: &mut Draft, signer: &Signer<'_>) -> Result<(), SignError> {
    for element in draft.elements(row.each.as_ref()) {
        draft.write(&row.place, signer.secret.expose_secret(), element.zip(row.each.as_ref()))?;
    }
    Ok(())
}

fn sign_jws(row: &Jws, draft: &mut Draft, signer: &Signer<'_>) -> Result<(), SignError> {
    let at = signer.now.as_second();
    let mut claims = json!({ "iat": at, "nbf": at, "exp": at + 300 });
    if let Some(issuer) = &row.issuer {
        claims["iss"] = json!(issuer);
    }
    if let Some(name) = &row.digest_claim {
        claims[name] = json!(hex::encode(Sha256::digest(draft.body())));
    }
    let part = |value: &Value| Encoding::Base64Url.encode(value.to_string().as_bytes());
    let message = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(&claims));
    let how = KeySource::Secret(KeyText::default());
    let signature = signed(Algorithm::HmacSha256, &how, signer, &[Cow::Borrowed(message.as_bytes())])?;
    draft.write(&row.place, &format!("{message}.{}", Encoding::Base64Url.encode(&signature)), None)
}

fn sign_message(row: &MessageSignature, draft: &mut Draft, signer: &Signer<'_>) -> Result<(), SignError> {
    let text =
        |text: &str| sfv::String::from_string(text.to_owned()).map_err(|_| SignError::Sample("a name".to_owned()));
    if row.components.iter().any(|name| name == "content-digest") {
        let digest = Encoding::Base64.encode(&Sha256::digest(draft.body()));
        draft.set_header("content-digest", &format!("sha-256=:{digest}:"))?;
    }
    let mut input = InnerList::new(Vec::new());
    for name in &row.components {
        input.items.push(Item::new(BareItem::String(text(name)?)));
    }
    let key = |name: &str| sfv::Key::from_string(name.to_owned()).map_err(|_| SignError::Sample("a name".to_owned()));
    let created = sfv::Integer::try_from(signer.now.as_second()).map_err(|_| SignError::Sample("a time".to_owned()))?;
    input.params.insert(key("created")?, BareItem::Integer(created));
    input.params.insert(key("keyid")?, BareItem::String(text("sample")?));
    input.params.insert(key("alg")?, BareItem::String(text(row.algorithm.as_str())?));
    let base = {
        let request = draft.request();
        base(&View::new(request.as_request()), signer.settings, &input)
            .map_err(|_| SignError::Sample("a component".to_owned()))?
    };
    let signature = match row.algorithm {
        MessageAlgorithm::HmacSha256 => {
            let how = KeySource::Secret(row.key.clone());
            signed(Algorithm::HmacSha256, &how, signer, &[Cow::Borrowed(base.as_bytes())])?
        }
        algorithm => private_key::sign_message(algorithm, signer.secret, base.as_bytes())?,
    };
    let label = row.label.as_deref().unwrap_or("sig1");
    let params = List::from([ListEntry::InnerList(input)]).serialize().unwrap_or_default();
    draft.set_header("signature-input", &format!("{label}={params}"))?;
    draft.set_header("signature", &format!("{label}=:{}:", Encoding::Base64.encode(&signature)))
}
