//! A17: hosts that nothing is sent to, by the operators' word.

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use hookport_tests::inbound::list;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{SUBSCRIPTIONS, call, delete, deliveries, gateway, happens, refused, replace};

const RULES: &str = "/api/v1/egress-rules";
/// What was known of the rules is older than this by now.
const FORGOTTEN: SignedDuration = SignedDuration::from_secs(61);

/// A17: within a minute nothing is made for a denied host and nothing is sent to it; without the rule it is as before.
#[tokio::test]
async fn a17_a_denied_host_is_refused_and_sent_nothing_until_the_rule_is_gone() {
    let gateway = gateway().await;
    let (sink, elsewhere) = (Sink::start().await, Sink::start().await);
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    let named = elsewhere.url("/hook").replace("127.0.0.1", "localhost");
    let other = gateway.subscribe(&elsewhere, &["ticket.updated"], json!({"url": named})).await;
    happens(&gateway).await;
    assert_eq!((sink.received().len(), elsewhere.received().len()), (1, 1));

    gateway.create(RULES, json!({"pattern": "LOCALHOST", "description": "not ours"})).await;
    gateway.create(RULES, json!({"pattern": "127.0.0.*", "description": "this machine"})).await;
    gateway.advance(FORGOTTEN);
    let settings = json!({"name": "x", "url": sink.url("/x"), "events": ["ticket.updated"]});
    let answer = call(&gateway, Method::POST, SUBSCRIPTIONS, Some(settings.clone())).await;
    assert!(refused(&answer, 400, "invalid_request").contains("this machine"), "{}", answer.1);
    refused(&replace(&gateway, &made, gateway.admin_token(), &settings).await, 400, "invalid_request");
    happens(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    for denied in [&made, &other] {
        let newest = deliveries(&gateway, denied).await.swap_remove(0);
        assert_eq!((&newest["state"], &newest["next_attempt_at"]), (&json!("exhausted"), &Value::Null));
        assert_eq!(newest["attempts"].as_array().map(Vec::len), Some(1), "it is not tried again");
        assert_eq!(newest["attempts"][0]["error_code"], "host_denied");
    }
    assert_eq!((sink.received().len(), elsewhere.received().len()), (1, 1));
    assert_eq!((sink.challenges().len(), elsewhere.challenges().len()), (1, 1));

    for pattern in ["localhost", "127.0.0.*"] {
        delete(&gateway, &format!("{RULES}/{pattern}")).await;
    }
    gateway.advance(FORGOTTEN);
    gateway.create(SUBSCRIPTIONS, settings).await;
    happens(&gateway).await;
    assert_eq!((sink.challenges().len(), elsewhere.received().len()), (2, 2));
    assert_eq!(deliveries(&gateway, &made).await[0]["state"], "delivered");
}

/// A17: a challenge is a request like any other.
#[tokio::test]
async fn a17_no_challenge_is_sent_to_a_denied_host() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let held = json!({"trigger_challenge": false});
    let made = gateway.subscribe(&sink, &["ticket.updated"], held).await;
    gateway.create(RULES, json!({"pattern": "127.*", "description": "this machine"})).await;
    gateway.advance(FORGOTTEN);
    let path = crate::path(&made);
    let (status, answer) = call(&gateway, Method::PATCH, &path, Some(json!({"trigger_challenge": true}))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    gateway.drain(gateway.instance(0)).await;
    gateway.settle(gateway.instance(0)).await;
    assert!(sink.challenges().is_empty());
    let failed = gateway.get(&path).await["data"].clone();
    assert_eq!(failed["state"], "verification_failed");
    assert!(text(&failed["status_message"]).contains("this machine"), "{failed}");
}

/// A17: rules are unique by pattern, however it is written, and listed in the order of their making.
#[tokio::test]
async fn a17_rules_are_made_listed_and_deleted_by_pattern() {
    let gateway = gateway().await;
    assert_eq!(list(&gateway, RULES).await, [] as [Value; 0]);
    let mut expected = Vec::new();
    for pattern in ["*.example.internal", "10.*", "2001:db8::*"] {
        let rule = json!({"pattern": pattern, "description": "no"});
        assert_eq!(gateway.create(RULES, rule.clone()).await["data"], rule);
        expected.push(rule);
    }
    assert_eq!(list(&gateway, RULES).await, expected);
    let again = json!({"pattern": "*.EXAMPLE.internal", "description": "again"});
    refused(&call(&gateway, Method::POST, RULES, Some(again)).await, 409, "egress_rule_exists");
    let wrong = [
        json!({"pattern": "", "description": "no"}),
        json!({"pattern": "a b", "description": "no"}),
        json!({"pattern": "https://example.com", "description": "no"}),
        json!({"pattern": "example.com.", "description": "no"}),
        json!({"pattern": "example.com"}),
        json!({"pattern": "example.com", "description": "no", "until": 1}),
    ];
    for rule in wrong {
        refused(&call(&gateway, Method::POST, RULES, Some(rule)).await, 400, "invalid_request");
    }
    assert_eq!(list(&gateway, RULES).await, expected, "what was refused changed nothing");
    delete(&gateway, &format!("{RULES}/10.*")).await;
    let gone = call(&gateway, Method::DELETE, &format!("{RULES}/10.*"), None).await;
    refused(&gone, 404, "egress_rule_not_found");
    expected.remove(1);
    assert_eq!(list(&gateway, RULES).await, expected);
}

/// A17: they hold for the whole deployment, so a tenant neither sees nor changes them.
#[tokio::test]
async fn a17_the_rules_are_the_operators_alone() {
    let gateway = gateway().await;
    let made = gateway.create("/api/v1/tenants", json!({"slug": "acme", "name": "Acme"})).await;
    let theirs = text(&made["token"]);
    let rule = json!({"pattern": "example.com", "description": "no"});
    gateway.create(RULES, rule.clone()).await;
    let calls = [
        (Method::GET, RULES.to_owned(), None),
        (Method::POST, RULES.to_owned(), Some(json!({"pattern": "*", "description": "all"}))),
        (Method::DELETE, format!("{RULES}/example.com"), None),
    ];
    for (method, path, body) in calls {
        refused(&gateway.api(method, &path, &theirs, body).await, 403, "forbidden");
    }
    let body = json!({"name": "t", "permissions": ["egress_rule:read"]});
    refused(&gateway.api(Method::POST, "/api/v1/api-tokens", &theirs, Some(body)).await, 403, "forbidden");
    assert_eq!(list(&gateway, RULES).await, [rule]);

    // It holds for them all the same.
    let body = json!({"name": "x", "url": "https://example.com/", "events": ["*"]});
    let answer = gateway.api(Method::POST, SUBSCRIPTIONS, &theirs, Some(body)).await;
    refused(&answer, 400, "invalid_request");
}
