//! Requests of which nobody can say what happened to them: nothing may be guessed.

use serde_json::json;

use super::sent::{BODY, Sender, recorded};
use super::{Row, row};

pub fn rows() -> Vec<Row> {
    let unknown = || json!({ "code": "unknown" });
    let digits = format!("sha256={}", "0123456789abcdef".repeat(4));
    let half = |body: &[u8]| body[..body.len() / 2].to_vec();
    let another = r#"{"id":"evt_1002","type":"order.paid"}"#;
    let sent = |name: &str| Sender::of(name).send();
    vec![
        row("any signature", recorded("github", 1).set("x-hub-signature-256", &digits), unknown()),
        row("half a body", recorded("stripe", 0).spoil(|sent| sent.shown.body = half(&sent.shown.body)), unknown()),
        row("another body", sent("shopify").arrives(another), unknown()),
        row("another body under a public key", sent("discord").arrives(another), unknown()),
        row(
            "half a body under a public key",
            sent("sendgrid").spoil(|s| s.shown.body = half(&s.shown.body)),
            unknown(),
        ),
        row("a secret that nobody knows", sent("slack").judged_with("a-secret-that-nobody-knows"), unknown()),
        row("any token", recorded("telegram", 0).set("x-telegram-bot-api-secret-token", "any-token-at-all"), unknown()),
        row(
            "a token that nobody here signed",
            recorded("netlify", 0).judged_with("not-what-it-was-signed-with"),
            unknown(),
        ),
        row("another id", recorded("standard-webhooks", 1).set("webhook-id", "msg_another"), unknown()),
        row("another time", sent("zoom").edit("x-zm-request-timestamp", |time| format!("{}1", &time[..9])), unknown()),
        row(
            "blanks around the secret, and a body written anew",
            Sender::of("stripe").body(&BODY.replace(',', ", ")).send().arrives(BODY).spoil(|s| s.secret.push('\n')),
            unknown(),
        ),
        row(
            "another URL, and a body written anew",
            Sender::of("trello")
                .body(&BODY.replace(',', ",\n"))
                .signs_url("https://elsewhere.example.com/x")
                .send()
                .arrives(BODY),
            unknown(),
        ),
        row(
            "a host that is named nowhere",
            Sender::of("square").signs_url("https://elsewhere.example.com/x").send(),
            unknown(),
        ),
        row(
            "a password that nobody knows",
            recorded("postmark", 0).judged_with("postmark:another-password"),
            unknown(),
        ),
    ]
}
