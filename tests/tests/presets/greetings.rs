//! Handshakes in a gateway: answered, in the log, never an event; and nobody else learns that there is a webhook.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use hookport::scheme::catalogue::preset;
use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, answer, text};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::gateway::{sample, send, slug, webhook};

async fn ask(gateway: &TestGateway, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::from(body.to_owned())).expect("a request");
    gateway.instance(0).receiver.handle(request).await
}

async fn made(gateway: &TestGateway, name: &str) -> (String, String) {
    let preset = preset(name).expect("a preset");
    let made = webhook(gateway, preset, json!({})).await;
    (text(&made["data"]["id"]), format!("/api/inbound/default/{}", slug(preset)))
}

async fn log(gateway: &TestGateway, id: &str) -> Vec<Value> {
    let listed = gateway.get(&format!("/api/v1/inbound-webhooks/{id}/deliveries")).await;
    listed["data"].as_array().expect("a list").clone()
}

fn body(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).expect("text")
}

#[tokio::test]
async fn a_stranger_may_ask_where_the_provider_asks_without_proof() {
    let gateway = TestGateway::new().await;
    let (graph, path) = made(&gateway, "microsoft-graph").await;
    let asked = ask(&gateway, "POST", &format!("{path}?validationToken=Hello%20%3Cb%3E"), &[], "").await;
    assert_eq!((asked.status(), body(&asked)), (StatusCode::OK, "Hello <b>"));
    assert_eq!(asked.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(asked.headers()["x-content-type-options"], "nosniff");

    let (_, path) = made(&gateway, "trello").await;
    assert_eq!(ask(&gateway, "HEAD", &path, &[], "").await.status(), StatusCode::OK);

    let (_, path) = made(&gateway, "cloudevents").await;
    let origin = [("webhook-request-origin", "events.example.com")];
    let asked = ask(&gateway, "OPTIONS", &path, &origin, "").await;
    assert_eq!(
        (asked.status(), &asked.headers()["webhook-allowed-origin"]),
        (StatusCode::OK, &origin[0].1.parse().unwrap())
    );

    let rows = log(&gateway, &graph).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["status"], &rows[0]["response_status"]), (&json!("handshake"), &json!(200)));
    assert_eq!(rows[0]["event_id"], Value::Null, "no event: {}", rows[0]);
    assert_eq!(rows[0]["handshake"], "validation");
}

#[tokio::test]
async fn whoever_does_not_know_the_verify_token_is_told_what_a_slug_without_a_webhook_tells() {
    let gateway = TestGateway::new().await;
    let (id, path) = made(&gateway, "meta").await;
    let token = crate::gateway::secrets_of(preset("meta").expect("a preset")).settings["verify_token"].clone();
    let token: String = token.bytes().map(|b| format!("%{b:02X}")).collect();
    let query = |token: &str| format!("{path}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}");
    let asked = ask(&gateway, "GET", &query(&token), &[], "").await;
    assert_eq!((asked.status(), body(&asked)), (StatusCode::OK, "1158201444"));
    let nowhere = ask(&gateway, "GET", "/api/inbound/default/nowhere?hub.mode=subscribe", &[], "").await;
    for wrong in [query("wrong"), query(""), path.clone(), format!("{path}?hub.mode=subscribe&hub.challenge=1")] {
        let refused = ask(&gateway, "GET", &wrong, &[], "").await;
        assert_eq!(refused.status(), nowhere.status(), "{wrong}");
        assert_eq!(refused.headers(), nowhere.headers(), "{wrong}");
        assert_eq!(refused.body(), nowhere.body(), "{wrong}");
    }
    assert_eq!(log(&gateway, &id).await.len(), 1, "only the one that was answered");
}

#[tokio::test]
async fn a_handshake_that_must_prove_itself_is_answered_only_when_it_does_and_reaches_no_subscription() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.create("/api/v1/event-types", json!({"ref": "slack.received"})).await;
    gateway.subscribe(&sink, &["*"], json!({})).await;
    let before = sink.received().len();
    let (id, path) = made(&gateway, "slack").await;
    let secret = crate::gateway::secrets_of(preset("slack").expect("a preset")).secret;
    let asks = r#"{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}"#;
    let at = gateway.clock.now().as_second().to_string();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(format!("v0:{at}:{asks}").as_bytes());
    let signature = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
    let json_type = ("content-type", "application/json");
    let signed = [json_type, ("x-slack-signature", signature.as_str()), ("x-slack-request-timestamp", &at)];
    let asked = ask(&gateway, "POST", &path, &signed, asks).await;
    assert_eq!(asked.status(), StatusCode::OK);
    assert!(body(&asked).contains("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"));
    assert_eq!(ask(&gateway, "POST", &path, &[json_type], asks).await.status(), StatusCode::UNAUTHORIZED);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), before, "a handshake is no event");
    let rows = log(&gateway, &id).await;
    assert_eq!((rows.len(), &rows[0]["status"]), (1, &json!("handshake")));
}

/// The secret comes with the handshake: the first one sets it, nobody after that.
#[tokio::test]
async fn a_secret_that_a_handshake_brings_proves_what_follows() {
    let gateway = TestGateway::new().await;
    let asana = preset("asana").expect("a preset");
    let settings = json!({"name": "Asana", "slug": slug(asana), "preset": "asana"});
    let answered = gateway.create("/api/v1/inbound-webhooks", settings).await;
    let (id, path) = (text(&answered["data"]["id"]), format!("/api/inbound/default/{}", slug(asana)));
    assert_eq!(answered["data"]["auth_config"]["waits_for_secret"], true);
    let learned = "b537207f20cbfa02357cf448134da559";
    let event = sample(&gateway, asana, None, Some(learned), 1).expect("a sample");
    assert_eq!(send(&gateway, &event, None).await.status(), StatusCode::UNAUTHORIZED, "nothing proves it yet");

    let asked = ask(&gateway, "POST", &path, &[("x-hook-secret", learned)], "{}").await;
    assert_eq!((asked.status(), &asked.headers()["x-hook-secret"]), (StatusCode::OK, &learned.parse().unwrap()));
    gateway.drain(gateway.instance(0)).await;
    let secret_path = format!("/api/v1/inbound-webhooks/{id}/learned-secret");
    assert_eq!(gateway.get(&secret_path).await["data"]["secret"], learned, "some want it typed in on their side");
    gateway.settle(gateway.instance(0)).await;
    let (status, _) = gateway.api(http::Method::GET, &secret_path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "and not for ever");
    let shown = gateway.get(&format!("/api/v1/inbound-webhooks/{id}")).await;
    assert_eq!(shown["data"]["auth_config"]["waits_for_secret"], false);
    let event = sample(&gateway, asana, None, Some(learned), 2).expect("a sample");
    assert_eq!(send(&gateway, &event, None).await.status(), StatusCode::OK);

    let thief = ask(&gateway, "POST", &path, &[("x-hook-secret", "another-secret-of-a-thief")], "{}").await;
    assert_eq!(thief.status(), StatusCode::UNAUTHORIZED);
    gateway.settle(gateway.instance(0)).await;
    let event = sample(&gateway, asana, None, Some(learned), 3).expect("a sample");
    assert_eq!(send(&gateway, &event, None).await.status(), StatusCode::OK, "the first one still counts");
    assert!(log(&gateway, &id).await.iter().any(|row| row["status"] == "handshake"));
    assert!(!log(&gateway, &id).await.iter().any(|row| row.to_string().contains(learned)), "not in the log");
}

/// A rule of the admin's own, on a webhook with another proof.
#[tokio::test]
async fn an_admin_can_say_where_a_challenge_is_and_how_it_is_answered() {
    let gateway = TestGateway::new().await;
    let rule = json!({
        "name": "ping", "methods": ["GET"], "when": [{"query": "nonce", "chars": "word", "max": 40}], "proof": "none",
        "answer": {"status": 202, "json": {"pong": "{query:nonce}", "ok": true}},
    });
    gateway.webhook("pinged", json!({"handshakes": [rule]})).await;
    let asked = ask(&gateway, "GET", "/api/inbound/default/pinged?nonce=a-b_1", &[], "").await;
    assert_eq!((asked.status(), answer(&asked)), (StatusCode::ACCEPTED, json!({"pong": "a-b_1", "ok": true})));
    let refused = ask(&gateway, "GET", "/api/inbound/default/pinged?nonce=%3Cscript%3E", &[], "").await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
}

/// The hint may be lost: the row is the promise, and the sweeper finds it.
#[tokio::test]
async fn a_secret_is_learned_though_the_queue_loses_everything_and_strangers_come_too_late() {
    let gateway = TestGateway::new().await;
    let asana = preset("asana").expect("a preset");
    for name in ["early", "late"] {
        let settings = json!({"name": name, "slug": name, "preset": "asana"});
        gateway.create("/api/v1/inbound-webhooks", settings).await;
    }
    let learned = [("x-hook-secret", "b537207f20cbfa02357cf448134da559")];
    assert_eq!(ask(&gateway, "POST", "/api/inbound/default/early", &learned, "{}").await.status(), StatusCode::OK);
    gateway.cloud.sqs().lose_everything();
    gateway.settle(gateway.instance(0)).await;
    let event = sample(&gateway, asana, None, Some(learned[0].1), 2).expect("a sample");
    let taken = send(&gateway, &event, Some("/api/inbound/default/early")).await;
    assert_eq!(taken.status(), StatusCode::OK);
    let late = ask(&gateway, "POST", "/api/inbound/default/late", &learned, "{}").await;
    assert_eq!(late.status(), StatusCode::UNAUTHORIZED, "an hour after it was made");
}

/// What X has hashed for anybody is never taken for an event.
#[tokio::test]
async fn what_a_handshake_hashes_for_strangers_signs_no_event() {
    let gateway = TestGateway::new().await;
    let (_, path) = made(&gateway, "x").await;
    let asked = ask(&gateway, "GET", &format!("{path}?crc_token=12345"), &[], "").await;
    let token = text(&answer(&asked)["response_token"]);
    let forged = [("x-twitter-webhooks-signature", token.as_str())];
    assert_eq!(ask(&gateway, "POST", &path, &forged, "12345").await.status(), StatusCode::UNAUTHORIZED);
}

/// Each webhook answers sixty a minute, whatever else it is asked.
#[tokio::test]
async fn strangers_do_not_use_up_the_limit_of_events() {
    let gateway = TestGateway::new().await;
    let (_, path) = made(&gateway, "trello").await;
    for _ in 0..60 {
        assert_eq!(ask(&gateway, "HEAD", &path, &[], "").await.status(), StatusCode::OK);
    }
    assert_eq!(ask(&gateway, "HEAD", &path, &[], "").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    let event = sample(&gateway, preset("trello").expect("a preset"), None, None, 1).expect("a sample");
    assert_eq!(send(&gateway, &event, None).await.status(), StatusCode::OK);
}
