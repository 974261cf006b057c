//! The catalogue as a whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use hookport::scheme::Scheme;
use hookport::scheme::catalogue::{presets, rows};
use hookport::scheme::preset::Preset;
use hookport::scheme::settings::Settings;
use hookport::scheme::template::Context;
use hookport::scheme::view::{Request, View};
use http::HeaderMap;
use serde_json::json;

/// The providers that must not be missing.
const WANTED: [&str; 60] = [
    "github",
    "gitlab",
    "bitbucket",
    "gitea",
    "stripe",
    "shopify",
    "woocommerce",
    "slack",
    "twilio",
    "standard-webhooks",
    "standard-webhooks-v1a",
    "svix",
    "discord",
    "zoom",
    "zendesk",
    "hubspot-v1",
    "hubspot-v2",
    "hubspot-v3",
    "linear",
    "pagerduty",
    "opsgenie",
    "sentry",
    "datadog",
    "grafana",
    "square",
    "adyen",
    "paypal",
    "braintree",
    "box",
    "sendgrid",
    "mailgun",
    "postmark",
    "mailchimp",
    "paddle",
    "chargebee",
    "intercom",
    "typeform",
    "calendly",
    "dropbox",
    "asana",
    "trello",
    "notion",
    "monday",
    "jira",
    "aws-sns",
    "telegram",
    "x",
    "meta",
    "whatsapp",
    "microsoft-graph",
    "docusign",
    "xero",
    "quickbooks",
    "okta",
    "auth0",
    "vercel",
    "netlify",
    "circleci",
    "buildkite",
    "docker-hub",
];

#[test]
fn every_row_can_be_read_and_says_where_it_is_from() {
    for (name, json) in rows() {
        let preset = Preset::parse(json).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(preset.name.as_str(), *name);
        assert!(preset.source.starts_with("https://"), "{name}: names its public source");
        // What is stored with a webhook is the same row again.
        let again: Preset = serde_json::from_value(serde_json::to_value(&preset).expect("plain data"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(again, preset, "{name}");
    }
    assert_eq!(presets().len(), rows().len());
}

#[test]
fn every_file_is_in_the_catalogue_and_every_wanted_provider_has_a_row() {
    let names: BTreeSet<_> = rows().iter().map(|(name, _)| (*name).to_owned()).collect();
    for folder in ["../shared/presets", "fixtures/presets"] {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = fs::read_dir(&folder).expect("the folder is there").map(|entry| {
            let name = entry.expect("an entry").file_name().into_string().expect("a name");
            name.strip_suffix(".json").unwrap_or_else(|| panic!("{name}: a row")).to_owned()
        });
        assert_eq!(files.collect::<BTreeSet<_>>(), names, "{}", folder.display());
    }
    let more = ["npm", "ninjaone", "tactical-rmm", "http-message-signatures-hmac"];
    for wanted in WANTED.iter().chain(&more) {
        assert!(names.contains(*wanted), "{wanted}");
    }
}

#[test]
fn rows_are_sorted_so_that_a_name_is_there_once() {
    assert!(rows().windows(2).all(|pair| pair[0].0 < pair[1].0));
}

/// What AWS signs for one topic cannot be read as what it would have signed for another one.
#[test]
fn a_text_of_a_message_does_not_pass_for_the_lines_around_it() {
    let sns = presets().iter().find(|preset| preset.name.as_str() == "aws-sns").expect("the row");
    let Scheme::Signature(row) = &sns.verify else { panic!("it signs") };
    let rendered = |body: serde_json::Value| {
        let (headers, body) = (HeaderMap::new(), body.to_string());
        let base_url = "https://hooks.example.com";
        let request =
            Request { method: "POST", base_url, path_and_query: "/", headers: &headers, body: body.as_bytes() };
        let (view, settings) = (View::new(request), Settings::default());
        let context = Context { view: &view, timestamp: None, id: None, secret: None, settings: &settings, hash: None };
        row.signed.text(&context).ok()
    };
    let forged = "FORGED\nMessageId\nx\nTimestamp\nT\nTopicArn\nvictim\nType\nNotification";
    let signed = rendered(json!({
        "Message": forged, "MessageId": "1", "Timestamp": "T", "TopicArn": "mine", "Type": "Notification",
    }));
    assert!(signed.is_some());
    let tail = "Notification\nMessageId\n1\nTimestamp\nT\nTopicArn\nmine\nType\nNotification";
    let shown = rendered(json!({
        "Message": "FORGED", "MessageId": "x", "Timestamp": "T", "TopicArn": "victim", "Type": tail,
    }));
    assert_eq!(shown, None);
    assert_eq!(rendered(json!({"Message": "m", "Timestamp": "T", "TopicArn": "t", "Type": "Notification"})), None);
}
