//! HTTP Message Signatures (RFC 9421), and the digest of the body that they cover (RFC 9530).

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use serde::{Deserialize, Serialize};
use sfv::{BareItem, Dictionary, FieldType as _, InnerList, Item, List, ListEntry, Parser};
use sha2::{Digest as _, Sha256, Sha512};

use super::algorithm::{Algorithm, equal, tag};
use super::key::KeyText;
use super::settings::Settings;
use super::signature::Keys;
use super::template::public_url;
use super::view::{Absent, View};
use crate::domain::inbound_webhook::DEFAULT_TOLERANCE_S;
use crate::domain::refusal::Refusal;

/// The most signatures of one request that are looked at.
const MAX_SIGNATURES: usize = 5;
/// The most components that one signature covers.
const MAX_COMPONENTS: usize = 50;

/// A signature over components of the message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageSignature {
    /// How it is computed.
    pub algorithm: MessageAlgorithm,
    /// What it must cover at least.
    pub components: Vec<String>,
    /// The label of the signature that counts; `None`: any one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How far `created` may lie from now either way, in seconds.
    #[serde(default = "default_tolerance")]
    pub tolerance_seconds: u32,
    /// How the secret holds the key.
    #[serde(default)]
    pub key: KeyText,
}

fn default_tolerance() -> u32 {
    DEFAULT_TOLERANCE_S
}

/// The algorithms of RFC 9421, by their registered names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageAlgorithm {
    /// HMAC with SHA-256.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// Ed25519.
    #[serde(rename = "ed25519")]
    Ed25519,
    /// ECDSA on P-256 with SHA-256, the signature in 64 bytes.
    #[serde(rename = "ecdsa-p256-sha256")]
    EcdsaP256Sha256,
    /// RSA, PKCS #1 v1.5, with SHA-256.
    #[serde(rename = "rsa-v1_5-sha256")]
    RsaSha256,
    /// RSASSA-PSS with SHA-512.
    #[serde(rename = "rsa-pss-sha512")]
    RsaPssSha512,
}

impl MessageAlgorithm {
    /// Its registered name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::RsaSha256 => "rsa-v1_5-sha256",
            Self::RsaPssSha512 => "rsa-pss-sha512",
        }
    }

    fn holds(self, key: &[u8], base: &str, signature: &[u8]) -> bool {
        let by: &dyn VerificationAlgorithm = match self {
            Self::HmacSha256 => {
                let tag = tag(Algorithm::HmacSha256, key, &[Cow::Borrowed(base.as_bytes())]);
                return tag.is_some_and(|tag| equal(&tag, signature));
            }
            Self::Ed25519 => &signature::ED25519,
            Self::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::RsaSha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::RsaPssSha512 => &signature::RSA_PSS_2048_8192_SHA512,
        };
        UnparsedPublicKey::new(by, key).verify(base.as_bytes(), signature).is_ok()
    }
}

impl MessageSignature {
    /// Judges a request.
    ///
    /// # Errors
    /// When no signature is there, or none holds.
    pub fn judge(&self, view: &View<'_>, keys: &Keys<'_>, now: Timestamp) -> Result<(), Refusal> {
        let inputs = dictionary(view, "signature-input")?;
        let signatures = dictionary(view, "signature")?;
        if inputs.len() > MAX_SIGNATURES {
            return Err(Refusal::SignatureMalformed);
        }
        let mut worst = Refusal::SignatureMissing;
        for (label, input) in &inputs {
            if self.label.as_deref().is_some_and(|wanted| wanted != label.as_str()) {
                continue;
            }
            match self.judge_one(view, keys, now, input, signatures.get(label)) {
                Ok(()) => return Ok(()),
                Err(refusal) => worst = refusal,
            }
        }
        Err(worst)
    }

    fn judge_one(
        &self,
        view: &View<'_>,
        with: &Keys<'_>,
        now: Timestamp,
        input: &ListEntry,
        signature: Option<&ListEntry>,
    ) -> Result<(), Refusal> {
        let ListEntry::InnerList(input) = input else { return Err(Refusal::SignatureMalformed) };
        let signature = match signature {
            Some(ListEntry::Item(Item { bare_item: BareItem::ByteSequence(bytes), .. })) => bytes,
            Some(_) => return Err(Refusal::SignatureMalformed),
            None => return Err(Refusal::SignatureMissing),
        };
        let base = base(view, with.settings, input).map_err(super::signature::part_refusal)?;
        if let Some(BareItem::String(named)) = input.params.get("alg")
            && named.as_str() != self.algorithm.as_str()
        {
            return Err(Refusal::SignatureAlgorithm);
        }
        let covered = |wanted: &String| {
            let is_it = |item: &Item| item.bare_item.as_string().is_some_and(|name| name.as_str() == wanted);
            input.items.iter().any(|item| is_it(item) && item.params.is_empty())
        };
        if !self.components.iter().all(covered) {
            return Err(Refusal::SignaturePartMissing);
        }
        let keys: Vec<_> = with.secrets.iter().filter_map(|secret| self.key.read(secret)).collect();
        if keys.is_empty() {
            return Err(Refusal::SecretUnusable);
        }
        if !keys.iter().any(|key| self.algorithm.holds(key, &base, signature)) {
            return Err(Refusal::SignatureMismatch);
        }
        if covered(&"content-digest".to_owned()) {
            judge_digest(view)?;
        }
        self.judge_time(input, now)
    }

    fn judge_time(&self, input: &InnerList, now: Timestamp) -> Result<(), Refusal> {
        let time = |name: &str| match input.params.get(name) {
            None => Ok(None),
            Some(item) => item.as_integer().map(|at| Some(i64::from(at))).ok_or(Refusal::SignatureMalformed),
        };
        let (now_s, tolerance_s) = (now.as_second(), i64::from(self.tolerance_seconds));
        let created = time("created")?.ok_or(Refusal::SignaturePartMissing)?;
        if time("expires")?.is_some_and(|expires| expires < now_s) || now_s - created > tolerance_s {
            return Err(Refusal::SignatureStale);
        }
        if created - now_s > tolerance_s { Err(Refusal::SignatureFuture) } else { Ok(()) }
    }
}

fn dictionary(view: &View<'_>, header: &str) -> Result<Dictionary, Refusal> {
    let value = view.header(header).map_err(|absent| match absent {
        Absent::Missing => Refusal::SignatureMissing,
        Absent::Malformed => Refusal::SignatureMalformed,
    })?;
    Parser::new(value).parse::<Dictionary>().map_err(|_| Refusal::SignatureMalformed)
}

/// The text that is signed (RFC 9421, section 2.5).
///
/// # Errors
/// When a component is not there, comes twice, or has parameters that are not known.
pub(crate) fn base(view: &View<'_>, settings: &Settings, input: &InnerList) -> Result<String, Absent> {
    if input.items.len() > MAX_COMPONENTS {
        return Err(Absent::Malformed);
    }
    let mut base = String::new();
    for (n, item) in input.items.iter().enumerate() {
        let name = item.bare_item.as_string().ok_or(Absent::Malformed)?.as_str();
        if input.items[..n].contains(item) {
            return Err(Absent::Malformed);
        }
        let value = component(view, settings, name, item)?;
        let serialized = List::from([ListEntry::Item(item.clone())]).serialize().ok_or(Absent::Malformed)?;
        writeln!(base, "{serialized}: {value}").map_err(|_| Absent::Malformed)?;
    }
    let params = List::from([ListEntry::InnerList(input.clone())]).serialize().ok_or(Absent::Malformed)?;
    write!(base, "\"@signature-params\": {params}").map_err(|_| Absent::Malformed)?;
    Ok(base)
}

fn component(view: &View<'_>, settings: &Settings, name: &str, item: &Item) -> Result<String, Absent> {
    let request = view.request();
    if name == "@query-param" {
        let named = item.params.get("name").and_then(BareItem::as_string).ok_or(Absent::Malformed)?;
        return match item.params.len() {
            1 => view.parameter(named.as_str()).map(|value| encoded(&value)),
            _ => Err(Absent::Malformed),
        };
    }
    if !item.params.is_empty() {
        return Err(Absent::Malformed);
    }
    let url = public_url(view, settings);
    let (scheme, rest) = url.split_once("://").ok_or(Absent::Malformed)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    match name {
        "@method" => Ok(request.method.to_owned()),
        "@target-uri" => Ok(url),
        "@authority" => Ok(authority.to_ascii_lowercase()),
        "@scheme" => Ok(scheme.to_ascii_lowercase()),
        "@request-target" => Ok(request.path_and_query.to_owned()),
        "@path" => Ok(view.path().to_owned()),
        "@query" => Ok(format!("?{}", view.query())),
        derived if derived.starts_with('@') => Err(Absent::Malformed),
        header => {
            let values: Vec<_> = request.headers.get_all(header).iter().map(|value| value.to_str()).collect();
            if values.is_empty() {
                return Err(Absent::Missing);
            }
            let values: Result<Vec<_>, _> = values.into_iter().collect();
            let values = values.map_err(|_| Absent::Malformed)?;
            Ok(values.into_iter().map(str::trim).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Percent-encodes a value of the query string as RFC 9421, section 2.2.8, asks for.
fn encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Judges `Content-Digest`: every digest of a known hash must be that of the body, and there must be one.
fn judge_digest(view: &View<'_>) -> Result<(), Refusal> {
    let digests = dictionary(view, "content-digest")?;
    let body = view.request().body;
    let mut is_known = false;
    for (name, entry) in &digests {
        let ListEntry::Item(Item { bare_item: BareItem::ByteSequence(digest), .. }) = entry else {
            return Err(Refusal::SignatureMalformed);
        };
        let is_right = match name.as_str() {
            "sha-256" => equal(digest, &Sha256::digest(body)),
            "sha-512" => equal(digest, &Sha512::digest(body)),
            _ => continue,
        };
        if !is_right {
            return Err(Refusal::SignatureMismatch);
        }
        is_known = true;
    }
    if is_known { Ok(()) } else { Err(Refusal::SignatureAlgorithm) }
}
