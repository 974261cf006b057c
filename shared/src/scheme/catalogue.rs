//! The built-in presets: the rows in `shared/presets`, as they were when this was built.

use std::sync::LazyLock;

use super::preset::Preset;

macro_rules! rows {
    ($($name:literal,)+) => {
        /// The rows by name, sorted.
        const ROWS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../presets/", $name, ".json"))),)+];
    };
}

rows! {
    "ably",
    "adobe-sign",
    "adyen",
    "airtable",
    "asana",
    "auth0",
    "aws-sns",
    "better-stack",
    "bigcommerce",
    "bitbucket",
    "bitbucket-server",
    "box",
    "braintree",
    "brex",
    "buildkite",
    "cal-com",
    "calendly",
    "chargebee",
    "chargify",
    "checkly",
    "circle",
    "circleci",
    "clerk",
    "clickup",
    "close",
    "cloudevents",
    "cloudevents-structured",
    "cloudflare",
    "coinbase-commerce",
    "crisp",
    "customer-io",
    "daily",
    "datadog",
    "discord",
    "discord-events",
    "docker-hub",
    "docusign",
    "dropbox",
    "easypost",
    "ebay",
    "elastic",
    "event-grid",
    "figma",
    "flutterwave",
    "forgejo",
    "freshdesk",
    "front",
    "front-rules",
    "gcp-alerts",
    "gitea",
    "github",
    "gitlab",
    "gitlab-signed",
    "gocardless",
    "gogs",
    "google-pubsub",
    "grafana",
    "grafana-timestamped",
    "help-scout",
    "heroku",
    "honeycomb",
    "http-message-signatures-ecdsa",
    "http-message-signatures-ed25519",
    "http-message-signatures-hmac",
    "http-message-signatures-rsa-pss",
    "hubspot-v1",
    "hubspot-v2",
    "hubspot-v3",
    "incident-io",
    "increase",
    "increase-legacy",
    "intercom",
    "jira",
    "knock",
    "launchdarkly",
    "lemon-squeezy",
    "line",
    "linear",
    "linkedin",
    "lob",
    "loops",
    "mailchimp",
    "mailgun",
    "mandrill",
    "messagebird",
    "meta",
    "microsoft-graph",
    "modern-treasury",
    "mollie",
    "monday",
    "mux",
    "netlify",
    "new-relic",
    "ninjaone",
    "notion",
    "npm",
    "okta",
    "onelogin",
    "openai",
    "opsgenie",
    "paddle",
    "pagerduty",
    "paypal",
    "paystack",
    "persona",
    "pingdom",
    "pipedrive",
    "postmark",
    "prometheus-alertmanager",
    "pusher",
    "quickbooks",
    "razorpay",
    "recurly",
    "resend",
    "rollbar",
    "rootly",
    "sanity",
    "segment",
    "sendgrid",
    "sentry",
    "servicenow",
    "shippo",
    "shopify",
    "slack",
    "snyk",
    "splunk",
    "square",
    "standard-webhooks",
    "standard-webhooks-v1a",
    "statuspage",
    "stripe",
    "svix",
    "tactical-rmm",
    "tally",
    "telegram",
    "terraform-cloud",
    "trello",
    "twilio",
    "twitch",
    "typeform",
    "uptime-robot",
    "vercel",
    "viber",
    "vonage",
    "webflow",
    "websub",
    "websub-sha1",
    "whatsapp",
    "woocommerce",
    "workos",
    "x",
    "xero",
    "zendesk",
    "zoom",
}

/// Read when somebody asks for the first time. What judges requests never does: a webhook has a copy of its row.
static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    // A test reads every one of them, so none is ever left out here.
    ROWS.iter().filter_map(|(_, json)| Preset::parse(json).ok()).collect()
});

/// All built-in presets, sorted by name.
#[must_use]
pub fn presets() -> &'static [Preset] {
    &PRESETS
}

/// The built-in preset with this name.
#[must_use]
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name.as_str() == name)
}

/// The text of every row by its name, for whoever wants to know why one cannot be read.
#[must_use]
pub fn rows() -> &'static [(&'static str, &'static str)] {
    ROWS
}
