//! Secrets that are not the right ones, or are used in another way.

use hookport::scheme::Scheme;
use hookport::scheme::doctor::SecretOf;
use hookport::scheme::key::{KeyEncoding, KeySource, KeyText};
use hookport::scheme::signature::Signature;
use serde_json::json;

use super::sent::{Sender, recorded};
use super::{Row, row};

/// The key as the sender makes it.
fn key(encoding: KeyEncoding, strip: Option<&str>) -> impl FnOnce(&mut Signature) {
    let key = KeyText { encoding, strip: strip.map(str::to_owned), hash: None };
    move |row| row.key = KeySource::Secret(key)
}

fn as_text() -> impl FnOnce(&mut Signature) {
    key(KeyEncoding::Text, None)
}

pub fn rows() -> Vec<Row> {
    let mut rows = blanks();
    rows.extend(others());
    rows.extend(decoded());
    rows
}

fn blanks() -> Vec<Row> {
    let ours = || json!({ "code": "secret_whitespace", "side": "gateway" });
    let theirs = || json!({ "code": "secret_whitespace", "side": "sender" });
    let github = "9f2c41d07b6e4b0f8f0d7c52a1e93b64";
    let telegram = recorded("telegram", 0);
    let telegram_secret = format!("{}\n", telegram.secret);
    vec![
        row("pasted with a line feed", recorded("github", 1).judged_with(&format!("{github}\n")), ours()),
        row("pasted with a blank before it", recorded("stripe", 0).spoil(|sent| sent.secret.insert(0, ' ')), ours()),
        row("a blank before base64", recorded("standard-webhooks", 1).spoil(|sent| sent.secret.insert(0, ' ')), ours()),
        row("a token pasted with a line feed", telegram.judged_with(&telegram_secret), ours()),
        row(
            "a line feed at the sender",
            Sender::of("slack").signs_with("8f742231b10e8888abcd99yyyzzz85a5\n").send(),
            theirs(),
        ),
        row(
            "a carriage return at the sender",
            Sender::of("github").secret(github).signs_with(&format!("{github}\r\n")).send(),
            theirs(),
        ),
    ]
}

fn others() -> Vec<Row> {
    let wrong = |of: serde_json::Value| json!({ "code": "wrong_secret", "of": of });
    let other = |id: &str| wrong(json!({ "whose": "other", "which": id }));
    let is_other = |id: &str| SecretOf::Other(id.to_owned());
    let given = recorded("shopify", 0).right_is(SecretOf::Given(1));
    vec![
        row("the secret of another webhook", recorded("github", 1).right_is(is_other("iwh_2")), other("iwh_2")),
        row(
            "the secret before the rotation",
            recorded("stripe", 0).right_is(SecretOf::Previous),
            wrong(json!({ "whose": "previous" })),
        ),
        row(
            "the second secret that was given",
            given.spoil(|sent| sent.others.insert(0, ("no-secret-of-anybody".to_owned(), SecretOf::Given(0)))),
            wrong(json!({ "whose": "given", "which": 1 })),
        ),
        row(
            "the public key of another application",
            recorded("discord", 0).right_is(SecretOf::Given(0)).judged_with(&"11".repeat(32)),
            wrong(json!({ "whose": "given", "which": 0 })),
        ),
        row("the token of another webhook", recorded("telegram", 0).right_is(is_other("iwh_3")), other("iwh_3")),
        row("a token signed with another secret", recorded("netlify", 0).right_is(is_other("iwh_4")), other("iwh_4")),
        row(
            "a message signed with another secret",
            recorded("http-message-signatures-hmac", 0).right_is(is_other("iwh_5")).judged_with("AAECAwQFBgcICQoL"),
            other("iwh_5"),
        ),
        row(
            "another password",
            recorded("postmark", 0).right_is(SecretOf::Previous),
            wrong(json!({ "whose": "previous" })),
        ),
        row(
            "the secret of another webhook, undecoded",
            Sender::of("standard-webhooks")
                .row(as_text())
                .send()
                .right_is(is_other("iwh_6"))
                .judged_with("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"),
            other("iwh_6"),
        )
        .and(json!({ "also": { "code": "secret_as_text", "without_prefix": false } })),
    ]
}

fn decoded() -> Vec<Row> {
    let text = |without_prefix: bool| json!({ "code": "secret_as_text", "without_prefix": without_prefix });
    let decoded = |how: &str| json!({ "code": "secret_decoding", "how": how });
    let message = |scheme: &mut Scheme| {
        let Scheme::HttpMessageSignature(row) = scheme else { panic!("a message signature") };
        row.key = KeyText::default();
    };
    let (whole, base64) = (KeyEncoding::Text, KeyEncoding::Base64);
    vec![
        row("base64 used as text", Sender::of("standard-webhooks").row(as_text()).send(), text(false)),
        row(
            "base64 used as text, without its prefix",
            Sender::of("standard-webhooks").row(key(whole, Some("whsec_"))).send(),
            text(true),
        ),
        row("hex used as text, in a list", Sender::of("adyen").sampled().row(as_text()).send(), text(false)),
        row("base64 without a prefix used as text", Sender::of("airtable").row(as_text()).send(), text(false)),
        row(
            "base64 used as text for a message",
            Sender::of("http-message-signatures-hmac").scheme(message).send(),
            text(false),
        ),
        row(
            "text decoded from hex",
            Sender::of("slack").secret("4b1c9e07d2f84a6c9d53e1f0a7b86c21").row(key(KeyEncoding::Hex, None)).send(),
            decoded("hex"),
        ),
        row(
            "text decoded from base64",
            Sender::of("box").secret("c2VjcmV0LXNlY3JldC1zZWNyZXQ=").row(key(base64, None)).send(),
            decoded("base64"),
        ),
        row(
            "text decoded after its prefix",
            Sender::of("stripe").row(key(base64, Some("whsec_"))).send(),
            decoded("base64_after_prefix"),
        ),
        row(
            "text without its prefix",
            Sender::of("stripe").row(key(whole, Some("whsec_"))).send(),
            decoded("text_after_prefix"),
        ),
        row(
            "a secret that is no base64",
            recorded("standard-webhooks", 1).judged_with("whsec_this is not base64!"),
            json!({ "code": "secret_unusable" }),
        ),
    ]
}
