//! Templates: subscriptions for chats, of which only the URL and the events are left to say.

use hookport_tests::TestGateway;
use hookport_tests::gateway::{merge, text};
use hookport_tests::inbound::list;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::target::Target;
use crate::{TOKENS, gateway, invoice, newest, path, post, published, refused};

const TEMPLATES: &str = "/api/v1/templates";

fn create(id: &str) -> String {
    format!("{TEMPLATES}/{id}/create")
}

/// What a template leaves open; `more` changes members.
fn open(url: &str, more: Value) -> Value {
    let mut body = json!({"url": url, "events": ["invoice.*"]});
    merge(&mut body, more);
    body
}

#[tokio::test]
async fn the_templates_say_where_their_urls_come_from() {
    let gateway = gateway().await;
    let all = list(&gateway, TEMPLATES).await;
    let ids: Vec<String> = all.iter().map(|one| text(&one["id"])).collect();
    assert_eq!(ids, ["slack", "teams", "discord"]);
    for template in &all {
        assert_eq!(template["dialect"], template["id"]);
        assert!(!text(&template["name"]).is_empty() && !text(&template["description"]).is_empty());
        assert!(!template["hosts"].as_array().expect("a list").is_empty());
    }
    assert!(all[0]["hosts"].as_array().expect("a list").contains(&json!("hooks.slack.com")));
}

/// The URL and the events are enough. Nothing is worked here: no test says hello to Slack.
#[tokio::test]
async fn a_template_makes_a_subscription_that_waits_for_its_hello() {
    let gateway = gateway().await;
    let cases = [
        ("slack", "https://hooks.slack.com/services/T0/B0/x", "Slack"),
        (
            "teams",
            "https://prod-01.westeurope.logic.azure.com/workflows/x/triggers/manual/paths/invoke",
            "Microsoft Teams",
        ),
        ("discord", "https://discord.com/api/webhooks/1/x", "Discord"),
    ];
    for (id, url, name) in cases {
        let made = gateway.create(&create(id), open(url, json!({}))).await;
        let data = &made["data"];
        assert_eq!((&data["name"], &data["dialect"], &data["url"]), (&json!(name), &json!(id), &json!(url)));
        assert_eq!((&data["state"], &data["proof"]), (&json!("pending_verification"), &Value::Null));
    }
    let url = "https://hooks.slack.com/services/T0/B0/x";
    let more = json!({"name": "Money", "description": "What was paid.", "object_type": "invoice"});
    let made = gateway.create(&create("slack"), open(url, more)).await;
    let data = &made["data"];
    let chosen = (&data["name"], &data["description"], &data["object_type"]);
    assert_eq!(chosen, (&json!("Money"), &json!("What was paid."), &json!("invoice")));
    assert_eq!(gateway.get(&path(&made)).await["data"]["dialect"], "slack");
}

/// B20: with a host that the operator trusts, for which nobody has to say hello, the whole way of a message is seen.
#[tokio::test]
async fn b20_a_template_sends_what_its_chat_takes() {
    let gateway = TestGateway::with_settings(&["a"], &[("TRUSTED_TARGETS", "127.0.0.1")]).await;
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    let target = Target::start().await;
    let made = gateway.create(&create("slack"), open(&target.url("/services/T0"), json!({}))).await;
    assert_eq!(made["data"]["state"], "active");
    published(&gateway, invoice()).await;
    let request = newest(&target);
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(body, json!({"text": "*invoice.paid* invoice/42\n```{\"note\":\"&lt;a&gt; &amp; é\"}```"}));
    assert!(target.asked().is_empty());
}

#[tokio::test]
async fn a_template_takes_the_urls_of_its_receiver_and_keeps_its_dialect() {
    let gateway = gateway().await;
    let target = Target::start().await;
    let slack = "https://hooks.slack.com/services/T0/B0/x";
    let cases = [
        ("slack", open(&target.url("/services/T0"), json!({})), "proof"),
        ("slack", open("https://discord.com/api/webhooks/1/x", json!({})), "proof"),
        ("slack", open("https://hooks.slack.com.example.com/x", json!({})), "proof"),
        ("discord", open(slack, json!({})), "proof"),
        ("slack", open(slack, json!({"dialect": "slack"})), "dialect"),
        ("slack", open(slack, json!({"also_sign": ["hub"]})), "also_sign"),
        ("slack", open(slack, json!({"unheard_of": 1})), "unheard_of"),
        ("slack", open(slack, json!({"events": []})), "events"),
    ];
    for (id, body, field) in cases {
        let answer = post(&gateway, &create(id), body.clone()).await;
        let message = refused(&answer, 400, "invalid_request");
        assert!(message.starts_with(field), "{body}: {message}");
    }
    refused(&post(&gateway, &create("slack"), json!({"events": ["invoice.paid"]})).await, 400, "invalid_request");
    refused(&post(&gateway, &create("irc"), open(slack, json!({}))).await, 404, "template_not_found");
}

#[tokio::test]
async fn a_template_needs_the_right_to_make_subscriptions() {
    let gateway = gateway().await;
    let body = json!({"name": "t", "permissions": ["subscription:read"]});
    let reader = text(&gateway.create(TOKENS, body).await["token"]);
    assert_eq!(gateway.api(Method::GET, TEMPLATES, &reader, None).await.0, StatusCode::OK);
    let slack = open("https://hooks.slack.com/services/T0/B0/x", json!({}));
    refused(&gateway.api(Method::POST, &create("slack"), &reader, Some(slack)).await, 403, "forbidden");
}
