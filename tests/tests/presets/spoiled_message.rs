//! What spoils an HTTP message signature (RFC 9421).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::refusal::Refusal;
use hookport::scheme::place::At;
use hookport::scheme::preset::Preset;
use hookport::scheme::sign::{Signer, sign};
use hookport::scheme::{MessageAlgorithm, MessageSignature, Scheme};
use http::HeaderName;
use jiff::SignedDuration;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use crate::edit::{header, put, renamed, twice, whole};
use crate::spoiled::{Case, MESSAGE_HEADERS, Spoils};
use crate::spoiled_key::{Kind, other_public_key, other_secret};
use crate::vectors::Shown;

const SIGNATURE: &str = "signature";
const INPUT: &str = "signature-input";
const DIGEST: &str = "content-digest";

pub fn spoil(row: &MessageSignature, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    for name in MESSAGE_HEADERS {
        spoils.add(format!("{name} missing"), put(shown, &at(name), None));
        spoils.add(format!("{name} empty"), put(shown, &at(name), Some("")));
        spoils.add(format!("{name} twice"), twice(shown, &at(name)));
        spoils.add(format!("{name} under another name"), renamed(shown, &at(name)));
        spoils.add(format!("{name} of other characters"), put(shown, &at(name), Some("!$%")));
    }
    spoil_signature(spoils);
    spoil_input(row, spoils);
    spoil_coverage(row, spoils);
    spoil_key(row, spoils);
    spoils.time();
    if row.components.iter().any(|name| name == "@method") {
        spoils.method();
    }
    if row.components.iter().any(|name| name == "@target-uri") {
        spoils.url();
    }
    if row.components.iter().any(|name| name == DIGEST) {
        spoils.body();
        spoil_digest(spoils);
    }
}

fn at(name: &'static str) -> At {
    header(HeaderName::from_static(name))
}

/// The same request with a header changed.
fn with(shown: &Shown, name: &'static str, change: impl Fn(&str) -> Option<String>) -> Option<Shown> {
    put(shown, &at(name), Some(&change(&whole(shown, &at(name))?)?))
}

fn spoil_signature(spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    let bytes = |change: fn(&mut Vec<u8>)| {
        with(shown, SIGNATURE, |value| {
            let (label, encoded) = value.split_once("=:")?;
            let mut bytes = STANDARD.decode(encoded.strip_suffix(':')?).ok()?;
            change(&mut bytes);
            Some(format!("{label}=:{}:", STANDARD.encode(&bytes)))
        })
    };
    spoils.add("first byte of the signature changed", bytes(|bytes| bytes.iter_mut().take(1).for_each(|b| *b ^= 1)));
    let last = bytes(|bytes| bytes.iter_mut().rev().take(1).for_each(|b| *b ^= 1));
    spoils.add("last byte of the signature changed", last);
    spoils.add("signature truncated", bytes(|bytes| bytes.truncate(bytes.len().saturating_sub(1))));
    spoils.add("signature extended", bytes(|bytes| bytes.push(0)));
    spoils.add("signature of zeros", bytes(|bytes| bytes.fill(0)));
    spoils.add("signature of no bytes", bytes(Vec::clear));
    spoils.add("signature as a text", with(shown, SIGNATURE, |value| Some(value.replace(':', "\""))));
    spoils.add("signature of another label", with(shown, SIGNATURE, |value| Some(format!("x{value}"))));
}

fn spoil_input(row: &MessageSignature, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    let input = |change: &dyn Fn(&str) -> Option<String>| with(shown, INPUT, change);
    spoils.add("input of another label", input(&|value| Some(format!("x{value}"))));
    if row.label.is_some() {
        let other = with(shown, SIGNATURE, |value| Some(format!("x{value}")));
        let other = other.and_then(|shown| with(&shown, INPUT, |value| Some(format!("x{value}"))));
        spoils.add("another label", other);
    }
    for name in &row.components {
        let component = format!("\"{name}\"");
        let without = input(&|value| Some(value.replace(&component, "").replace("  ", " ").replace("( ", "(")));
        spoils.add(format!("{name} taken out"), without);
        let twice = input(&|value| Some(value.replace(&component, &format!("{component} {component}"))));
        spoils.add(format!("{name} twice"), twice);
        let unknown = input(&|value| Some(value.replace(&component, &format!("{component};x=1"))));
        spoils.add(format!("{name} with a parameter"), unknown);
    }
    spoils.add("no components", input(&|value| Some(format!("{}()", value.split_once('(')?.0))));
    let created = |text: &'static str| {
        input(&|value| {
            let (before, rest) = value.split_once(";created=")?;
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            Some(format!("{before}{text}{after}"))
        })
    };
    spoils.add("created missing", created(""));
    spoils.add("created changed", created(";created=1700000000"));
    spoils.add("created as a text", created(";created=\"now\""));
    spoils.add("another key id", input(&|value| Some(value.replacen("keyid=\"", "keyid=\"x", 1))));
    let algorithm = format!(";alg=\"{}\"", row.algorithm.as_str());
    let other = if row.algorithm == MessageAlgorithm::Ed25519 { "hmac-sha256" } else { "ed25519" };
    let named = format!(";alg=\"{other}\"");
    let renamed = input(&|value| Some(format!("{}{named}", value.replace(&algorithm, ""))));
    spoils.add_for("another algorithm", Some(Refusal::SignatureAlgorithm), renamed);
    spoils.add("already expired", input(&|value| Some(format!("{value};expires=1"))));
}

/// Signatures that are right and cover less than the row asks for.
fn spoil_coverage(row: &MessageSignature, spoils: &mut Spoils<'_>) {
    for left_out in &row.components {
        let components = row.components.iter().filter(|name| *name != left_out).cloned().collect();
        let less = MessageSignature { components, ..row.clone() };
        let preset = Preset { verify: Scheme::HttpMessageSignature(less), ..spoils.preset.clone() };
        let shown = signed(&preset, spoils);
        spoils.add_for(format!("{left_out} not covered"), Some(Refusal::SignaturePartMissing), shown);
    }
    if row.algorithm != MessageAlgorithm::HmacSha256 {
        // The public key as a shared secret, which everybody knows.
        let hmac = MessageSignature { algorithm: MessageAlgorithm::HmacSha256, ..row.clone() };
        let preset = Preset { verify: Scheme::HttpMessageSignature(hmac), ..spoils.preset.clone() };
        let case = Case { private_key: None, ..spoils.original.clone() };
        let shown = signed(&preset, &Spoils::new(&preset, &case));
        spoils.add("signed with the public key as a secret", shown);
    }
}

fn signed(preset: &Preset, spoils: &Spoils<'_>) -> Option<Shown> {
    let case = spoils.original;
    let secret = SecretString::from(case.private_key.clone().unwrap_or_else(|| case.means.secret.clone()));
    let signer = Signer { secret: &secret, settings: &case.means.settings, now: case.means.now, random: [7; 16] };
    let url = format!("{}{}", case.shown.base_url, case.shown.path_and_query);
    sign(preset, preset.samples.values().next()?, &url, &signer).ok().map(Shown::from)
}

fn spoil_key(row: &MessageSignature, spoils: &mut Spoils<'_>) {
    let secret = &spoils.original.means.secret;
    let other = match row.algorithm {
        MessageAlgorithm::HmacSha256 => other_secret(&row.key, secret),
        MessageAlgorithm::Ed25519 => other_public_key(&row.key, secret, Kind::Ed25519),
        MessageAlgorithm::EcdsaP256Sha256 => other_public_key(&row.key, secret, Kind::P256),
        MessageAlgorithm::RsaSha256 | MessageAlgorithm::RsaPssSha512 => other_public_key(&row.key, secret, Kind::Rsa),
    };
    spoils.add_means("another key", None, |means| means.secret = other);
    spoils.add_means("no key", None, |means| means.secret.clear());
    let beyond = SignedDuration::from_secs(i64::from(row.tolerance_seconds) * 10);
    spoils.add_means("long ago", Some(Refusal::SignatureStale), |means| means.now += beyond);
}

fn spoil_digest(spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    let digest = |body: &[u8]| format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
    let other = b"{\"id\":\"another\"}";
    let of_other = put(shown, &at(DIGEST), Some(&digest(other)));
    let body = of_other.clone().map(|shown| Shown { body: other.to_vec(), ..shown });
    spoils.add("digest of another body", of_other);
    spoils.add("another body with its digest", body);
    spoils.add("digest of an unknown hash", put(shown, &at(DIGEST), Some("md5=:AAAA:")));
}
