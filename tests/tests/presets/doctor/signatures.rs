//! Signatures that stand elsewhere, are written in another way, are made by another algorithm, or are not there.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hookport::scheme::Scheme;
use hookport::scheme::algorithm::{Algorithm, Encoding};
use hookport::scheme::signature::{Choice, Signature};
use serde_json::json;

use super::sent::{Sender, Sent, recorded, template};
use super::{Row, row};

const HUB: &str = "x-hub-signature-256";

fn by(algorithm: Algorithm) -> impl FnOnce(&mut Signature) {
    move |row| row.algorithm = Choice::One(algorithm)
}

fn written(encoding: Encoding) -> impl FnOnce(&mut Signature) {
    move |row| row.encoding = encoding
}

/// A signature in base64url that is none in base64.
fn base64url() -> Sent {
    let sent = |n: u32| Sender::of("shopify").body(&format!("{{\"n\":{n}}}")).row(written(Encoding::Base64Url)).send();
    let differs = |sent: &Sent| sent.header("x-shopify-hmac-sha256").contains(['-', '_']);
    (0..).map(sent).find(differs).expect("one of many")
}

fn base64_of_hex() -> Sent {
    let header = "x-square-hmacsha256-signature";
    recorded("square", 0).edit(header, |text| STANDARD.encode(hex::encode(STANDARD.decode(text).expect("base64"))))
}

/// A token that names another algorithm.
fn renamed_algorithm() -> Sent {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS512","typ":"JWT"}"#);
    recorded("netlify", 0).edit("x-webhook-signature", |token| {
        let (_, rest) = token.split_once('.').expect("a token");
        format!("{header}.{rest}")
    })
}

pub fn rows() -> Vec<Row> {
    let mut rows = forms();
    rows.extend(algorithms());
    rows.extend(elsewhere());
    rows.extend(missing());
    rows
}

fn forms() -> Vec<Row> {
    let wrong = |expected: &str, found: &str| json!({ "code": "wrong_encoding", "expected": expected, "found": found });
    let prefix = |expected: &str| json!({ "code": "wrong_prefix", "expected": expected });
    let bare = |text: &str| text.split_once(['=', ',']).expect("a prefix").1.to_owned();
    let unexpected = |text: &str| format!("sha256={text}");
    let bearer = |text: &str| format!("Bearer {text}");
    let github = Sender::of("github").row(written(Encoding::Base64)).send();
    let shopify = Sender::of("shopify").row(written(Encoding::Hex)).send();
    let telegram = recorded("telegram", 0).edit("x-telegram-bot-api-secret-token", |text| STANDARD.encode(text));
    vec![
        row("base64 for hex", github, wrong("hex", "base64")),
        row("hex for base64", shopify, wrong("base64", "hex")),
        row("base64url for base64", base64url(), wrong("base64", "base64_url")),
        row("hex in base64", base64_of_hex(), wrong("base64", "base64_of_hex")),
        row("a token in base64", telegram, wrong("text", "base64")),
        row("no prefix", recorded("slack", 1).edit("x-slack-signature", bare), prefix("v0=")),
        row(
            "a prefix too many",
            recorded("gitea", 0).edit("x-gitea-signature", unexpected),
            json!({ "code": "wrong_prefix" }),
        ),
        row(
            "another version",
            recorded("calendly", 0).edit("calendly-webhook-signature", |text| text.replace("v1=", "v2=")),
            prefix("v1="),
        ),
        row("no version", recorded("standard-webhooks", 1).edit("webhook-signature", bare), prefix("v1,")),
        row(
            "no word before a token",
            recorded("cloudevents", 0).edit("authorization", |text| text.replace("Bearer ", "")),
            prefix("Bearer "),
        ),
        row(
            "a word before a token",
            recorded("cloudflare", 0).edit("cf-webhook-auth", bearer),
            json!({ "code": "wrong_prefix" }),
        ),
    ]
}

fn algorithms() -> Vec<Row> {
    let wrong = |found: &str| json!({ "code": "wrong_algorithm", "found": found });
    let digest = |row: &mut Signature| {
        row.algorithm = Choice::One(Algorithm::Sha256);
        row.signed = template("{secret}{body}{timestamp}");
    };
    let mac = |row: &mut Signature| {
        row.algorithm = Choice::One(Algorithm::HmacSha256);
        row.signed = template("{body}");
    };
    let message = recorded("http-message-signatures-hmac", 0);
    vec![
        row("SHA-1", Sender::of("github").row(by(Algorithm::HmacSha1)).send(), wrong("hmac-sha1")),
        row("SHA-512", Sender::of("shopify").row(by(Algorithm::HmacSha512)).send(), wrong("hmac-sha512")),
        row("SHA-256 for SHA-512", Sender::of("paystack").row(by(Algorithm::HmacSha256)).send(), wrong("hmac-sha256")),
        row("a digest for a MAC", Sender::of("box").row(digest).send(), wrong("sha256")),
        row("a MAC for a digest", Sender::of("hubspot-v1").row(mac).send(), wrong("hmac-sha256")),
        row("HS512", renamed_algorithm(), wrong("HS512")),
        row(
            "a message by a public key",
            message.edit("signature-input", |text| text.replace("hmac-sha256", "ed25519")),
            wrong("ed25519"),
        ),
    ]
}

fn elsewhere() -> Vec<Row> {
    let wrong = |found: &str, expected: &str| json!({ "code": "wrong_header", "found": found, "expected": expected });
    let shopify = "x-shopify-hmac-sha256";
    let (slack, telegram) = ("x-slack-request-timestamp", "x-telegram-bot-api-secret-token");
    let hex = Sender::of("shopify").row(written(Encoding::Hex)).send();
    let encoded = json!({ "code": "wrong_encoding", "expected": "base64", "found": "hex" });
    vec![
        row("another header", recorded("shopify", 0).renamed(shopify, "x-hmac"), wrong("x-hmac", shopify)),
        row("another header, in hex", hex.renamed(shopify, "x-hmac"), wrong("x-hmac", shopify))
            .and(json!({ "also": encoded })),
        row("another header for the time", recorded("slack", 1).renamed(slack, "x-time"), wrong("x-time", slack)),
        row(
            "another header for a token",
            recorded("telegram", 0).renamed(telegram, "x-token"),
            wrong("x-token", telegram),
        ),
        row(
            "another header for a list",
            recorded("stripe", 0).renamed("stripe-signature", "x-copy-of-signature"),
            wrong("x-copy-of-signature", "stripe-signature"),
        ),
        row(
            "another header for the id",
            recorded("twitch", 0).renamed("twitch-eventsub-message-id", "x-id"),
            wrong("x-id", "twitch-eventsub-message-id"),
        ),
        row(
            "another header for a signed token",
            recorded("netlify", 0).renamed("x-webhook-signature", "x-jws"),
            wrong("x-jws", "x-webhook-signature"),
        ),
    ]
}

fn missing() -> Vec<Row> {
    let signature = |place: &str| json!({ "code": "signature_missing", "place": place });
    let part = |place: &str| json!({ "code": "part_missing", "place": place });
    let malformed = |place: &str| json!({ "code": "malformed", "place": place });
    let twice = |header: &str| json!({ "code": "duplicated_header", "header": header });
    let time = "header x-slack-request-timestamp";
    let stripe = json!({
        "code": "signature_missing",
        "place": "header stripe-signature, part v1",
        "also_missing": ["header stripe-signature, part t"],
    });
    let uncovered = |scheme: &mut Scheme| {
        let Scheme::HttpMessageSignature(row) = scheme else { panic!("a message signature") };
        row.components.retain(|name| name != "@target-uri");
    };
    let message = "http-message-signatures-hmac";
    vec![
        row("no signature", recorded("github", 1).without(HUB), signature("header x-hub-signature-256")),
        row("no list", recorded("stripe", 0).without("stripe-signature"), stripe),
        row(
            "no token",
            recorded("telegram", 0).without("x-telegram-bot-api-secret-token"),
            signature("header x-telegram-bot-api-secret-token"),
        ),
        row(
            "no signature in the body",
            recorded("mailgun", 0).arrives(r#"{"event-data":{"event":"delivered"}}"#),
            signature("JSON $.signature.signature"),
        ),
        row("no input", recorded(message, 0).without("signature-input"), signature("header signature-input")),
        row("no id", recorded("standard-webhooks", 1).without("webhook-id"), part("header webhook-id or svix-id")),
        row("no time", recorded("slack", 1).without("x-slack-request-timestamp"), part(time)),
        row("a component too few", Sender::of(message).scheme(uncovered).send(), part("component @target-uri")),
        row("no hex", recorded("github", 1).set(HUB, "sha256=zz"), malformed("header x-hub-signature-256")),
        row("no number", recorded("slack", 1).set("x-slack-request-timestamp", "yesterday"), malformed(time)),
        row(
            "no basic credentials",
            recorded("postmark", 0).set("authorization", "Digest x"),
            malformed("header authorization"),
        ),
        row("a header twice", recorded("github", 1).twice(HUB), twice(HUB)),
        row("a list twice", recorded("stripe", 0).twice("stripe-signature"), twice("stripe-signature")),
        row("a message twice", recorded(message, 0).twice("signature"), twice("signature")),
    ]
}
