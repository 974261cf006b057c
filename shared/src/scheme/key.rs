//! Keys: how the text that an admin pastes becomes the key that signatures are judged by.

use base64::Engine as _;
use hex::FromHex as _;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;
use zeroize::Zeroizing;

use super::place::Place;
use crate::domain::host_pattern::HostPattern;
use crate::proof::BASE64;

/// The most hosts that certificates are taken from.
const MAX_HOSTS: usize = 10;
/// The first line of a PEM block, up to its label.
const PEM_BEGIN: &str = "-----BEGIN ";
/// How a certificate begins.
const CERTIFICATE_BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// Where the key is from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeySource {
    /// The certificate at a URL that the request names.
    Certificate(Box<Certificate>),
    /// The secret.
    Secret(KeyText),
}

impl Default for KeySource {
    fn default() -> Self {
        Self::Secret(KeyText::default())
    }
}

/// How the text of a secret holds a key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyText {
    /// How it is written.
    #[serde(default)]
    pub encoding: KeyEncoding,
    /// What is taken off its beginning, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strip: Option<String>,
    /// Whether a digest of it is the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<KeyHash>,
}

/// How a key is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyEncoding {
    /// The text is the key.
    #[default]
    Text,
    /// In hex.
    Hex,
    /// In base64.
    Base64,
    /// A public key (`SubjectPublicKeyInfo`) in PEM, or its base64 alone.
    Pem,
}

/// A digest that makes a key of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyHash {
    /// SHA-1.
    Sha1,
}

/// A certificate at a URL that the request names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Where the URL stands.
    #[serde(rename = "certificate")]
    pub url: Place,
    /// The hosts that it may name.
    pub hosts: Hosts,
    /// What its path must begin with: on the provider's hosts there are other things than its certificates.
    pub path_begins: String,
    /// What its path must end with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_ends: Option<String>,
}

impl Certificate {
    /// Takes a URL that leads to one of the provider's certificates: nothing but host and path.
    #[must_use]
    pub fn take(&self, url: &str) -> Option<url::Url> {
        let url = self.hosts.take(url)?;
        let path = url.path();
        let is_there = path.starts_with(&self.path_begins)
            && self.path_ends.as_ref().is_none_or(|end| path.ends_with(end))
            && !path.contains("..");
        (is_there && url.query().is_none() && url.fragment().is_none()).then_some(url)
    }
}

/// The hosts that a request may make the gateway fetch something from; `*` stands for one label that is the name of a
/// region, such as `eu-central-1`: others may lead to what anybody rents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Hosts(Vec<String>);

impl TryFrom<Vec<String>> for Hosts {
    type Error = String;

    fn try_from(hosts: Vec<String>) -> Result<Self, String> {
        // A pattern of a whole domain would let anybody who rents a name in it serve a certificate.
        let is_narrow = |host: &String| host.split('.').rev().take(2).all(|label| !label.contains('*'));
        let is_host = |host: &String| HostPattern::try_from(host.clone()).is_ok();
        if !(1..=MAX_HOSTS).contains(&hosts.len()) || !hosts.iter().all(|host| is_host(host) && is_narrow(host)) {
            return Err(format!("hosts must have 1 to {MAX_HOSTS} names such as sns.*.amazonaws.com"));
        }
        Ok(Self(hosts))
    }
}

impl From<Hosts> for Vec<String> {
    fn from(hosts: Hosts) -> Self {
        hosts.0
    }
}

impl Hosts {
    /// Takes a URL whose host is among them: HTTPS, the default port, no user.
    #[must_use]
    pub fn take(&self, url: &str) -> Option<url::Url> {
        let parsed = url::Url::parse(url).ok().filter(|parsed| parsed.scheme() == "https")?;
        let is_plain = parsed.port().is_none() && parsed.username().is_empty() && parsed.password().is_none();
        let host = parsed.host_str()?;
        let matches = |pattern: &String| {
            let (wanted, found) = (pattern.split('.'), host.split('.'));
            wanted.clone().count() == found.clone().count()
                && wanted.zip(found).all(|(wanted, found)| match wanted {
                    "*" => is_region(found),
                    wanted => wanted.eq_ignore_ascii_case(found),
                })
        };
        (is_plain && self.0.iter().any(matches)).then_some(parsed)
    }
}

/// Tells whether a label is written like a region: words joined by `-`, the last one a number.
fn is_region(label: &str) -> bool {
    let words: Vec<_> = label.split('-').collect();
    let is_word = |word: &&str| word.len() >= 2 && word.bytes().all(|b| b.is_ascii_lowercase());
    match words.as_slice() {
        [first @ .., number] if first.len() >= 2 => {
            first.iter().all(is_word) && number.len() <= 2 && number.parse::<u8>().is_ok() && !label.starts_with("s3")
        }
        _ => false,
    }
}

impl KeyText {
    /// The key that a secret holds; `None` when the secret is not written so.
    #[must_use]
    pub fn read(&self, secret: &SecretString) -> Option<Zeroizing<Vec<u8>>> {
        let text = secret.expose_secret();
        let text = self.strip.as_deref().and_then(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
        let key = match self.encoding {
            KeyEncoding::Text => text.as_bytes().to_vec(),
            KeyEncoding::Hex => Vec::from_hex(text.trim()).ok()?,
            KeyEncoding::Base64 => BASE64.decode(text.trim()).ok()?,
            KeyEncoding::Pem => public_key(&der(text)?)?,
        };
        let key = match self.hash {
            None => key,
            Some(KeyHash::Sha1) => Sha1::digest(&key).to_vec(),
        };
        Some(Zeroizing::new(key)).filter(|key| !key.is_empty())
    }
}

/// The bytes of the first PEM block of a text, or of its base64 alone.
pub(super) fn der(text: &str) -> Option<Vec<u8>> {
    let inner = match text.find(PEM_BEGIN) {
        Some(at) => text[at..].lines().skip(1).take_while(|line| !line.starts_with('-')).collect::<String>(),
        None => text.to_owned(),
    };
    BASE64.decode(inner.split_ascii_whitespace().collect::<String>()).ok()
}

/// The key inside a `SubjectPublicKeyInfo`, as signatures are judged by it.
fn public_key(spki: &[u8]) -> Option<Vec<u8>> {
    let (_, spki) = SubjectPublicKeyInfo::from_der(spki).ok()?;
    Some(spki.subject_public_key.data.to_vec())
}

/// The key of the first certificate of a PEM text, if the certificate is valid at this second since the Unix epoch.
#[must_use]
pub fn key_of_certificate(pem: &[u8], at_s: i64) -> Option<Vec<u8>> {
    // Nothing before it: a page that quotes what somebody gave it is no certificate.
    let text = std::str::from_utf8(pem).ok().filter(|text| text.trim_start().starts_with(CERTIFICATE_BEGIN))?;
    let der = der(text)?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let validity = certificate.validity();
    let is_valid = validity.not_before.timestamp() <= at_s && at_s <= validity.not_after.timestamp();
    is_valid.then(|| certificate.public_key().subject_public_key.data.to_vec())
}
