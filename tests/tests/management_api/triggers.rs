//! The webhooks of event types, as people know them from triggers: one key each, one place to protect them.

use futures_util::future::join_all;
use hookport_tests::gateway::{answer, merge, text};
use hookport_tests::{SenderRequest, Sink, TestGateway, senders};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{Answer, WEBHOOKS, call, get, ids, known, post, refused, refused_field};

const TRIGGER: &str = "/api/v1/triggers/github.push";
const BASE: &str = "https://hooks.example.com";

/// A gateway with the trigger `github.push`.
pub async fn with_trigger() -> TestGateway {
    let gateway = TestGateway::new().await;
    gateway.create("/api/v1/triggers", json!({"ref": "github.push"})).await;
    gateway
}

/// Does something to the trigger's webhook, and gives what is told of it then.
pub async fn done(gateway: &TestGateway, verb: &str) -> Value {
    let path = format!("{TRIGGER}/webhook/{verb}");
    let (status, answer) = call(gateway, Method::POST, &path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::OK, "{verb}: {answer}");
    answer["data"].clone()
}

/// Enables the trigger's webhook and gives the path of its URL.
pub async fn enabled(gateway: &TestGateway) -> String {
    text(&done(gateway, "enable").await["webhook_url"]).replace(BASE, "")
}

/// What is told of the trigger's webhook.
pub async fn info(gateway: &TestGateway) -> Value {
    gateway.get(&format!("{TRIGGER}/webhook")).await["data"].clone()
}

/// Changes how the trigger's webhook is protected, expecting nothing.
pub async fn patch(gateway: &TestGateway, body: Value) -> Answer {
    call(gateway, Method::PATCH, &format!("{TRIGGER}/webhook"), gateway.admin_token(), Some(body)).await
}

/// Changes how the trigger's webhook is protected.
pub async fn patched(gateway: &TestGateway, body: Value) -> Value {
    let (status, answer) = patch(gateway, body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

/// How a request is answered once every cache has forgotten.
pub async fn sent(gateway: &TestGateway, url: &str, request: &SenderRequest) -> StatusCode {
    gateway.advance(SignedDuration::from_secs(6));
    gateway.send(gateway.instance(0), url, request).await.status()
}

/// A request with an empty object.
pub fn empty() -> SenderRequest {
    SenderRequest::json("{}")
}

/// C1, as amended: a disabled webhook keeps its key, hides it, and its URL answers 403.
#[tokio::test]
async fn c1_a_webhook_is_enabled_disabled_and_given_another_key() {
    let gateway = with_trigger().await;
    let on = done(&gateway, "enable").await;
    let key = text(&on["webhook_key"]);
    assert!(key.starts_with("wh_") && key.len() == 35 && key[3..].bytes().all(|b| b.is_ascii_alphanumeric()), "{key}");
    assert_eq!((&on["ref"], &on["webhook_enabled"]), (&json!("github.push"), &json!(true)));
    assert_eq!(on["webhook_url"], json!(format!("{BASE}/api/v1/webhooks/{key}")));
    let url = format!("/api/v1/webhooks/{key}");
    assert_eq!(sent(&gateway, &url, &empty()).await, StatusCode::OK);
    assert_eq!(done(&gateway, "enable").await, on, "enabled again, it is what it was");

    let off = done(&gateway, "disable").await;
    assert_eq!((&off["webhook_enabled"], off.get("webhook_key"), off.get("webhook_url")), (&json!(false), None, None));
    assert_eq!(sent(&gateway, &url, &empty()).await, StatusCode::FORBIDDEN);
    assert_eq!(done(&gateway, "disable").await, off, "disabled again, it is what it was");
    assert!(!info(&gateway).await.to_string().contains("wh_"));
    let off_key = post(&gateway, &format!("{TRIGGER}/webhook/regenerate"), json!({})).await;
    refused(&off_key, StatusCode::BAD_REQUEST, "webhook_not_enabled");
    assert_eq!(text(&done(&gateway, "enable").await["webhook_key"]), key);
    assert_eq!(sent(&gateway, &url, &empty()).await, StatusCode::OK);

    let new = done(&gateway, "regenerate").await;
    let new_key = text(&new["webhook_key"]);
    assert_ne!(new_key, key);
    let expected = json!({
        "webhook_key": new_key,
        "webhook_url": format!("{BASE}/api/v1/webhooks/{new_key}"),
        "previous_key_revoked": true,
    });
    assert_eq!(new, expected);
    assert_eq!(sent(&gateway, &url, &empty()).await, StatusCode::NOT_FOUND);
    assert_eq!(sent(&gateway, &format!("/api/v1/webhooks/{new_key}"), &empty()).await, StatusCode::OK);
}

/// C1: what is not enabled cannot be given another key.
#[tokio::test]
async fn a_webhook_that_was_never_enabled_cannot_be_given_a_key_or_a_protection() {
    let gateway = with_trigger().await;
    let answer = post(&gateway, &format!("{TRIGGER}/webhook/regenerate"), json!({})).await;
    refused(&answer, StatusCode::BAD_REQUEST, "webhook_not_enabled");
    refused(&patch(&gateway, json!({})).await, StatusCode::BAD_REQUEST, "webhook_not_enabled");
    assert_eq!(done(&gateway, "disable").await["webhook_enabled"], json!(false));
    let nothing = json!({
        "enabled": false, "webhook_id": null, "created_at": null, "last_used_at": null, "total_events": 0,
        "hmac": null, "ip_allowlist": null, "rate_limit": null, "max_body_bytes": null,
    });
    assert_eq!(info(&gateway).await, nothing);
    assert!(ids(&gateway.get(WEBHOOKS).await).is_empty());
}

#[tokio::test]
async fn a_verb_stands_behind_either_spelling_under_either_prefix() {
    let gateway = with_trigger().await;
    let mut keys = Vec::new();
    for prefix in ["/api/v1/triggers", "/api/v1/event-types"] {
        for spelling in ["webhook", "webhooks"] {
            for (verb, enabled) in [("disable", false), ("enable", true), ("regenerate", true)] {
                let path = format!("{prefix}/github.push/{spelling}/{verb}");
                let (status, answer) = post(&gateway, &path, json!({})).await;
                assert_eq!(status, StatusCode::OK, "{path}: {answer}");
                let shown = gateway.get(&format!("{prefix}/github.push/webhook")).await["data"].clone();
                assert_eq!(shown["enabled"], json!(enabled), "{path}");
            }
            keys.push(text(&info(&gateway).await["webhook_key"]));
        }
    }
    let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), 4);
    assert_eq!(ids(&gateway.get(WEBHOOKS).await).len(), 1, "it is one webhook all the time");
}

#[tokio::test]
async fn a_webhook_enabled_by_many_at_once_is_one_webhook() {
    let gateway = with_trigger().await;
    let path = format!("{TRIGGER}/webhook/enable");
    let answers = join_all((0..6).map(|_| post(&gateway, &path, json!({})))).await;
    let key = info(&gateway).await["webhook_key"].clone();
    for (status, answer) in answers {
        assert_eq!((status, &answer["data"]["webhook_key"]), (StatusCode::OK, &key), "{answer}");
    }
    assert_eq!(ids(&gateway.get(WEBHOOKS).await).len(), 1);
}

/// C1 with a time of grace.
#[tokio::test]
async fn a_key_that_is_given_time_opens_the_webhook_until_it_is_over() {
    let gateway = with_trigger().await;
    let url = enabled(&gateway).await;
    let path = format!("{TRIGGER}/webhook/regenerate");
    let (_, new) = post(&gateway, &path, json!({"grace_seconds": 60})).await;
    let over = gateway.clock.now().checked_add(SignedDuration::from_secs(60)).expect("a time in range");
    assert_eq!(new["data"]["previous_key_revoked"], json!(false));
    assert_eq!(new["data"]["previous_key_expires_at"], json!(over.to_string()));
    let new_url = text(&new["data"]["webhook_url"]).replace(BASE, "");
    for url in [&url, &new_url] {
        assert_eq!(sent(&gateway, url, &empty()).await, StatusCode::OK);
    }
    gateway.advance(SignedDuration::from_secs(60));
    assert_eq!(sent(&gateway, &url, &empty()).await, StatusCode::NOT_FOUND);
    assert_eq!(sent(&gateway, &new_url, &empty()).await, StatusCode::OK);
    for bad in [json!({"grace_seconds": -1}), json!({"grace_seconds": 2_592_001})] {
        refused_field(&post(&gateway, &path, bad).await, "grace_seconds");
    }
}

/// Defect 14: enabling again, and disabling in between, leaves every protection as it was.
#[tokio::test]
async fn defect_14_enabling_again_keeps_every_protection() {
    let gateway = with_trigger().await;
    let url = enabled(&gateway).await;
    let protections = json!({
        "hmac": {"enabled": true, "algorithm": "sha256", "signature_header": "X-Sig", "secret": "a secret of my own"},
        "ip_allowlist": {"enabled": true, "cidrs": ["203.0.113.0/24", "2001:db8::/32"]},
        "rate_limit": {"requests": 3, "window_seconds": 3_600},
        "max_body_bytes": 2_048,
    });
    patched(&gateway, protections).await;
    let before = info(&gateway).await;
    for verbs in [vec!["enable"], vec!["disable", "enable"], vec!["disable", "disable", "enable", "enable"]] {
        for verb in &verbs {
            done(&gateway, verb).await;
        }
        assert_eq!(info(&gateway).await, before, "{verbs:?}");
    }
    let tag = hex::encode(senders::hmac_sha256("a secret of my own", b"{}"));
    let good = empty().from("203.0.113.9").with("x-sig", &format!("sha256={tag}"));
    assert_eq!(sent(&gateway, &url, &good).await, StatusCode::OK);
    assert_eq!(sent(&gateway, &url, &empty().from("203.0.113.9")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sent(&gateway, &url, &good.clone().from("198.51.100.1")).await, StatusCode::FORBIDDEN);
    let large = SenderRequest { body: vec![b' '; 2_049].into(), ..good.clone() };
    assert_eq!(sent(&gateway, &url, &large).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(sent(&gateway, &url, &good).await, StatusCode::TOO_MANY_REQUESTS, "three were counted in this hour");
}

/// Defect 16 and C2: what a real sender sends is taken as it is, and all of it is the payload.
#[tokio::test]
async fn defect_16_a_real_senders_body_is_the_payload_whole_and_needs_no_wrapper() {
    let gateway = with_trigger().await;
    let url = enabled(&gateway).await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["github.push"], json!({})).await;
    let wrapped = SenderRequest::json(r#"{"payload":{"inner":1},"headers":{"x-forged":"1"}}"#);
    let bare = SenderRequest::json("");
    let requests = senders::ALL.map(SenderRequest::fixture).into_iter().chain([wrapped, bare]);
    for request in requests {
        let response = gateway.send(gateway.instance(0), &url, &request).await;
        assert_eq!(response.status(), StatusCode::OK);
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(sink.received().last().map(|received| received.body.clone()), Some(request.body));
        sink.forget();
    }
}

/// Defect 17: the headers that are kept are those of the request, not something in its body.
#[tokio::test]
async fn defect_17_headers_are_those_of_the_request() {
    let gateway = with_trigger().await;
    let url = enabled(&gateway).await;
    let body = r#"{"headers":{"x-github-event":"forged"},"source_ip":"10.0.0.1","user_agent":"forged"}"#;
    let request = SenderRequest::json(body).from("203.0.113.9");
    let request = request.with("x-github-event", "push").with("user-agent", "GitHub-Hookshot/abc123");
    let id = text(&answer(&gateway.send(gateway.instance(0), &url, &request).await)["delivery_id"]);
    let webhook = text(&info(&gateway).await["webhook_id"]);
    let row = gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries/{id}")).await;
    let kept = &row["data"]["request"];
    let header = |name: &str| {
        let headers = kept["headers"].as_array().expect("a list");
        headers.iter().find(|header| header["name"] == json!(name)).map(|header| header["value"].clone())
    };
    assert_eq!(header("x-github-event"), Some(json!("push")));
    assert_eq!(header("user-agent"), Some(json!("GitHub-Hookshot/abc123")));
    assert_eq!(kept["source_ip"], json!("203.0.113.9"));
}

/// Defect 18 and C10: the key, which is a credential, stands in no event, and whole in no row and no delivery.
#[tokio::test]
async fn defect_18_the_key_is_in_no_event() {
    let gateway = with_trigger().await;
    let url = enabled(&gateway).await;
    let key = url.rsplit('/').next().expect("a key").to_owned();
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["github.push"], json!({})).await;
    let id = text(&answer(&gateway.send(gateway.instance(0), &url, &empty()).await)["delivery_id"]);
    gateway.drain(gateway.instance(0)).await;
    let listed = gateway.get("/api/v1/events?type=github.push").await;
    assert_eq!(ids(&listed).len(), 1);
    let one = gateway.get(&format!("/api/v1/events/{}", ids(&listed)[0])).await;
    for shown in [listed.to_string(), one.to_string()] {
        assert!(!shown.contains("wh_"), "{shown}");
    }
    assert!(text(&listed["data"][0]["source"]["webhook_key_id"]).starts_with("key_"));

    let webhook = text(&info(&gateway).await["webhook_id"]);
    let rows = format!("{WEBHOOKS}/{webhook}/deliveries");
    for path in [rows.clone(), format!("{rows}/{id}"), "/api/v1/deliveries".to_owned()] {
        let shown = gateway.get(&path).await.to_string();
        assert!(!shown.contains(&key) && !shown.contains(&key[7..]), "{path}: {shown}");
    }
    let [delivered] = &sink.received()[..] else { panic!("one delivery") };
    assert!(!format!("{delivered:?}").contains("wh_"), "{delivered:?}");
}

/// Defect 19 and C8: one request is one event, and the event goes to every subscription that wants it, once.
#[tokio::test]
async fn defect_19_c8_one_request_is_one_event_for_every_subscription_once() {
    let gateway = with_trigger().await;
    let url = enabled(&gateway).await;
    let (sink, failing) = (Sink::start().await, Sink::start().await);
    known(&gateway, &["stripe.paid"]).await;
    for (path, events) in [("/a", "github.push"), ("/b", "github.*"), ("/c", "*"), ("/none", "stripe.*")] {
        gateway.subscribe(&sink, &[events], json!({"url": sink.url(path)})).await;
    }
    failing.answers([500; 50]);
    gateway.subscribe(&failing, &["github.push"], json!({"retry_schedule": "none"})).await;
    let response = gateway.send(gateway.instance(0), &url, &SenderRequest::fixture("github-push")).await;
    assert_eq!(response.status(), StatusCode::OK);
    gateway.settle(gateway.instance(0)).await;
    // What the gateway tells of itself goes to the wildcard as well.
    let received = sink.received().into_iter().filter(|r| r.header("hookport-event-type") == "github.push");
    let mut paths: Vec<_> = received.map(|request| request.path).collect();
    paths.sort();
    assert_eq!(paths, ["/a", "/b", "/c"]);
    assert_eq!(failing.received().len(), 1, "one that fails holds no other up");
    let events = gateway.get("/api/v1/events?type=github.push").await;
    assert_eq!((ids(&events).len(), &events["data"][0]["type"]), (1, &json!("github.push")));
    assert_eq!(events["data"][0]["status"], json!("dispatched"));
}

#[tokio::test]
async fn the_webhook_tells_how_much_it_is_used() {
    let gateway = with_trigger().await;
    let url = enabled(&gateway).await;
    let made_at = gateway.clock.now().to_string();
    let unused = info(&gateway).await;
    assert_eq!((&unused["last_used_at"], &unused["total_events"]), (&Value::Null, &json!(0)));
    assert_eq!(unused["created_at"], json!(made_at));
    for n in 1..=2 {
        assert_eq!(sent(&gateway, &url, &empty()).await, StatusCode::OK);
        let used = info(&gateway).await;
        let mut expected = unused.clone();
        merge(&mut expected, json!({"last_used_at": gateway.clock.now().to_string(), "total_events": n}));
        assert_eq!(used, expected);
    }
    let webhook = text(&unused["webhook_id"]);
    let (status, _) =
        call(&gateway, Method::DELETE, &format!("{WEBHOOKS}/{webhook}"), gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(info(&gateway).await["enabled"], json!(false), "it was deleted by itself");
    let again = enabled(&gateway).await;
    assert_ne!(again, url);
    assert_eq!(sent(&gateway, &again, &empty()).await, StatusCode::OK);
    assert_eq!(get(&gateway, TRIGGER).await.1["data"]["version"], json!(3), "made, enabled, and enabled anew");
}
