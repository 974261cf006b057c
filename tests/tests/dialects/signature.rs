//! B1: signatures as receivers compute them, from the specifications, by code that shares nothing with the gateway's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hookport_tests::senders::{hmac_sha256, tag};
use hookport_tests::sink::SinkRequest;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use standardwebhooks::Webhook;

/// What stands before the base64 of a public key.
const PUBLIC: &str = "whpk_";

/// What a receiver knows.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// The subscription's secret.
    pub secret: &'k str,
    /// The tenant's public key, `whpk_…`.
    pub public: &'k str,
    /// The URL at which it receives.
    pub url: &'k str,
}

/// Tells whether a request is signed as its dialect says; `None` for a dialect that is not signed.
pub fn holds(dialect: &str, request: &SinkRequest, known: Known<'_>) -> Option<bool> {
    match dialect {
        "standard" | "cloudevents" | "cloudevents-structured" => Some(is_standard(request, known.secret)),
        "standard-v1a" => Some(is_asymmetric(request, known.public)),
        "hub" => Some(is_hub(request, known.secret)),
        "timestamped" => Some(is_timestamped(request, known.secret)),
        "rfc9421" => {
            let by_secret = |base: &[u8], given: &[u8]| tag::<Hmac<Sha256>>(known.secret, &[base]) == given;
            Some(is_message_signature(request, known.url, by_secret))
        }
        "rfc9421-ed25519" => {
            let by_key = |base: &[u8], given: &[u8]| is_ed25519(known.public, base, given);
            Some(is_message_signature(request, known.url, by_key))
        }
        _ => None,
    }
}

/// One of the `v1` is made with this secret.
pub fn is_standard(request: &SinkRequest, secret: &str) -> bool {
    let Ok(holder) = Webhook::new(secret) else { return false };
    let Ok(seconds) = request.header("webhook-timestamp").parse() else { return false };
    let expected = holder.sign(request.header("webhook-id"), seconds, &request.body).expect("the body is text");
    request.header("webhook-signature").split(' ').any(|one| one == expected)
}

/// One of the `v1a` is made with the key whose public part this is.
pub fn is_asymmetric(request: &SinkRequest, public: &str) -> bool {
    let before = format!("{}.{}.", request.header("webhook-id"), request.header("webhook-timestamp"));
    let signed = [before.as_bytes(), &request.body[..]].concat();
    let given = request.header("webhook-signature").split(' ').filter_map(|one| one.strip_prefix("v1a,"));
    given.filter_map(|one| STANDARD.decode(one).ok()).any(|one| is_ed25519(public, &signed, &one))
}

/// Both headers have the HMAC of the body.
pub fn is_hub(request: &SinkRequest, secret: &str) -> bool {
    let expected = format!("sha256={}", hex::encode(hmac_sha256(secret, &request.body)));
    ["x-hub-signature-256", "x-webhook-signature"].iter().all(|name| request.header(name) == expected)
}

/// One of the `v1` is the HMAC of the time and the body.
pub fn is_timestamped(request: &SinkRequest, secret: &str) -> bool {
    let parts: Vec<_> =
        request.header("x-hookport-signature").split(',').filter_map(|part| part.split_once('=')).collect();
    let Some((_, time)) = parts.iter().find(|(name, _)| *name == "t") else { return false };
    let expected = hex::encode(tag::<Hmac<Sha256>>(secret, &[time.as_bytes(), b".", &request.body]));
    *time == request.header("webhook-timestamp") && parts.contains(&("v1", expected.as_str()))
}

/// One of the signatures of RFC 9421 is right, and so is the digest that it covers.
pub fn is_message_signature(request: &SinkRequest, url: &str, is_right: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&request.body)));
    let signatures = labelled(request.header("signature"));
    let is_signed = labelled(request.header("signature-input")).into_iter().any(|(label, input)| {
        let Some((_, given)) = signatures.iter().find(|(of, _)| *of == label) else { return false };
        let Ok(given) = STANDARD.decode(given.trim_matches(':')) else { return false };
        is_right(base(request, url, input).as_bytes(), &given)
    });
    request.header("content-digest") == digest && is_signed
}

/// The labels of a signature header, with what follows each. Nothing in it holds a comma and a space but what is
/// between two of them.
pub fn labelled(header: &str) -> Vec<(&str, &str)> {
    header.split(", ").filter_map(|entry| entry.split_once('=')).collect()
}

/// The signature base of RFC 9421, section 2.5.
fn base(request: &SinkRequest, url: &str, input: &str) -> String {
    let inside = input.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inside, _)| inside);
    let mut base = String::new();
    for name in inside.split(' ').map(|name| name.trim_matches('"')) {
        let value = match name {
            "@method" => request.method.as_str(),
            "@target-uri" => url,
            header => request.header(header),
        };
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base + &format!("\"@signature-params\": {input}")
}

fn is_ed25519(public: &str, signed: &[u8], given: &[u8]) -> bool {
    let raw = public.strip_prefix(PUBLIC).and_then(|text| STANDARD.decode(text).ok());
    raw.is_some_and(|raw| UnparsedPublicKey::new(&ED25519, raw).verify(signed, given).is_ok())
}

/// A public key as Standard Webhooks writes it.
pub fn public_text(raw: &[u8]) -> String {
    format!("{PUBLIC}{}", STANDARD.encode(raw))
}

/// The public part of a key that is nobody's here.
pub fn other_public_key() -> String {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("32 bytes are a seed");
    public_text(pair.public_key().as_ref())
}
