//! Times, templates, URLs, settings and whole schemes that are others.

use hookport::scheme::doctor::SecretOf;
use hookport::scheme::signature::{Signature, TimeFormat};
use serde_json::json;

use super::sent::{Sender, Sent, recorded, template};
use super::{Row, row};

/// Where the gateway is.
const HOST: &str = "https://hooks.example.com";

pub fn rows() -> Vec<Row> {
    let mut rows = times();
    rows.extend(templates());
    rows.extend(urls());
    rows.extend(settings());
    rows.extend(presets());
    rows
}

fn times() -> Vec<Row> {
    let stale = |by_s: u64, off_s: u64| json!({ "code": "stale", "by_s": by_s, "off_s": off_s });
    let future = |by_s: u64, off_s: u64| json!({ "code": "future", "by_s": by_s, "off_s": off_s });
    let unit = |expected: &str, found: &str| json!({ "code": "timestamp_unit", "expected": expected, "found": found });
    let format =
        |format: TimeFormat| move |row: &mut Signature| row.timestamp.as_mut().expect("a time").format = format;
    vec![
        row("nothing", recorded("github", 1), json!({ "code": "valid" })),
        row("late", recorded("stripe", 0).late(400), stale(100, 400)),
        row("early", recorded("slack", 1).late(-1_000), future(700, 1_000)),
        row("late by a part of a second", recorded("linear", 0).late(120), stale(60, 119)),
        row("late under a public key", recorded("discord", 0).late(301), stale(1, 301)),
        row("a token that ran out", Sender::of("netlify").send().late(400), stale(40, 100)),
        row("a late message", recorded("http-message-signatures-hmac", 0).late(301), stale(1, 301)),
        row(
            "milliseconds for seconds",
            Sender::of("stripe").row(format(TimeFormat::Milliseconds)).send(),
            unit("seconds", "milliseconds"),
        ),
        row(
            "seconds for milliseconds",
            Sender::of("hubspot-v3").row(format(TimeFormat::Seconds)).send(),
            unit("milliseconds", "seconds"),
        ),
        row(
            "seconds for a date",
            Sender::of("zendesk").row(format(TimeFormat::Seconds)).send(),
            unit("rfc3339", "seconds"),
        ),
    ]
}

fn templates() -> Vec<Row> {
    let signs = |text: &'static str| move |row: &mut Signature| row.signed = template(text);
    let unsigned = |signed: &str| json!({ "code": "timestamp_not_signed", "signed": signed });
    let separator = |signed: &str| json!({ "code": "separator", "signed": signed });
    vec![
        row("the version and the body", Sender::of("slack").row(signs("v0:{body}")).send(), unsigned("v0:{body}")),
        row("the body alone", Sender::of("stripe").row(signs("{body}")).send(), unsigned("{body}")),
        row(
            "a dot for a colon",
            Sender::of("paddle").row(signs("{timestamp}.{body}")).send(),
            separator("{timestamp}.{body}"),
        ),
        row(
            "without the id",
            Sender::of("standard-webhooks").row(signs("{timestamp}.{body}")).send(),
            separator("{timestamp}.{body}"),
        ),
        row(
            "the time behind the body, under a public key",
            Sender::of("sendgrid").row(signs("{body}{timestamp}")).send(),
            separator("{body}{timestamp}"),
        ),
    ]
}

fn urls() -> Vec<Row> {
    let path = |name: &str| format!("/api/inbound/acme/{name}");
    let url = |name: &str| format!("{HOST}{}", path(name));
    let differs = |signed: &str| json!({ "code": "url_differs", "signed": signed });
    let arrives_at = |base: &'static str| move |sent: &mut Sent| sent.shown.base_url = base.to_owned();
    let (square, http) = (url("square"), "http://hooks.example.com");
    let port = format!("{HOST}:443{}", path("twilio"));
    let twilio = Sender::of("twilio").secret("5f0c3a9b7e1d4286a1c4f8e2b6d09753");
    let slash = format!("{}/", url("trello"));
    let stage = format!("{HOST}/prod{}", path("hubspot-v3"));
    let moved = |sent: &mut Sent| {
        sent.settings.insert("public_url".to_owned(), "https://old.example.com/x".to_owned());
    };
    let with_key = format!("{square}?key=0d7c5e91b3f84a62&n=1");
    let behind = Sender::of("square").send().spoil(arrives_at("http://10.0.0.7:8080"));
    let method = Sender::of("hubspot-v3").method("PUT").send().spoil(|sent| sent.shown.method = "POST".to_owned());
    vec![
        row("HTTP for HTTPS", Sender::of("square").send().spoil(arrives_at(http)), differs(&square)),
        row("the port", twilio.signs_url(&port).send(), differs(&format!("{port}?bodySHA256=…"))),
        row("a slash", Sender::of("trello").signs_url(&slash).send(), differs(&slash)),
        row("the host that a proxy names", behind.set("x-forwarded-host", "hooks.example.com"), differs(&square)),
        row("a stage before the path", Sender::of("hubspot-v3").signs_url(&stage).send(), differs(&stage)),
        row("an old URL in the settings", Sender::of("square").send().spoil(moved), differs(&square)),
        row(
            "HTTP for HTTPS, with a query",
            Sender::of("square").url(&with_key).send().spoil(arrives_at(http)),
            differs(&format!("{square}?key=…&n=…")),
        ),
        row(
            "HTTP for HTTPS, of a message",
            Sender::of("http-message-signatures-hmac").send().spoil(arrives_at(http)),
            differs(&url("http-message-signatures-hmac")),
        ),
        row("another method", method, json!({ "code": "method_differs", "signed": "PUT" })),
    ]
}

fn settings() -> Vec<Row> {
    let differs = |setting: &str| json!({ "code": "setting_differs", "setting": setting });
    let set = |name: &'static str, value: &'static str| {
        move |sent: &mut Sent| {
            sent.settings.insert(name.to_owned(), value.to_owned());
        }
    };
    vec![
        row("another key", recorded("pusher", 0).spoil(set("app_key", "another-key")), differs("app_key")),
        row(
            "another topic",
            recorded("aws-sns", 0).spoil(set("topic_arn", "arn:aws:sns:us-east-1:123456789012:acme-users")),
            differs("topic_arn"),
        ),
        row(
            "a blank behind a setting",
            recorded("paypal", 0).spoil(|sent| sent.settings.values_mut().for_each(|value| value.push(' '))),
            differs("webhook_id"),
        ),
        row(
            "no setting",
            recorded("pusher", 0).spoil(|sent| sent.settings.clear()),
            json!({ "code": "setting_missing", "setting": "app_key" }),
        ),
        row(
            "no certificate",
            recorded("paypal", 0).spoil(|sent| sent.certificate = None),
            json!({ "code": "certificate_unavailable" }),
        ),
    ]
}

fn presets() -> Vec<Row> {
    let wrong = |preset: &str| json!({ "code": "wrong_preset", "preset": preset, "of": { "whose": "own" } });
    let other = SecretOf::Other("iwh_shop".to_owned());
    let forgejo = recorded("forgejo", 0).without("x-gitea-event").without("x-gitea-signature");
    vec![
        row("GitHub for Stripe", recorded("github", 1).taken_for("stripe"), wrong("github"))
            .and(json!({ "matches": "github" })),
        row("Forgejo for Gitea", forgejo.taken_for("gitea"), wrong("forgejo")),
        row("Telegram for GitHub", recorded("telegram", 0).taken_for("github"), wrong("telegram")),
        row("Slack for Zoom", recorded("slack", 1).taken_for("zoom"), wrong("slack")),
        row(
            "Shopify for GitHub, with a secret of its own",
            recorded("shopify", 0).right_is(other).taken_for("github"),
            json!({
                "code": "wrong_preset",
                "preset": "shopify",
                "of": { "whose": "other", "which": "iwh_shop" },
            }),
        ),
        row(
            "Slack for GitHub, with a secret that nobody knows",
            recorded("slack", 1).judged_with("a-secret-that-nobody-knows").taken_for("github"),
            json!({ "code": "signature_missing", "place": "header x-hub-signature-256" }),
        )
        .and(json!({ "looks_like": ["slack"] })),
    ]
}
