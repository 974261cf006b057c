//! The keys that sign for a tenant: made when one is needed, replaced with an overlap, known to everybody.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hookport_tests::TestGateway;
use hookport_tests::gateway::{TENANT, text};
use hookport_tests::inbound::{FORGOTTEN, list};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::signature::{Known, holds, is_asymmetric, labelled, public_text};
use crate::target::Target;
use crate::{DIALECTS, SIGNING_KEYS, TOKENS, call, gateway, invoice, newest, post, published, refused, subscribed};

/// What a stranger is told of the keys of a tenant: status, for how long it may be kept, and the text.
async fn told(gateway: &TestGateway, tenant: &str) -> (u16, String, Bytes) {
    let request = Request::get(format!("/api/v1/tenants/{tenant}/jwks.json")).body(Bytes::new()).expect("a request");
    let response = management::handle(&gateway.instance(0).management, request).await;
    let kept = response.headers().get("cache-control").and_then(|value| value.to_str().ok()).unwrap_or_default();
    (response.status().as_u16(), kept.to_owned(), response.body().clone())
}

/// The published keys: `kid` and public part, in their order.
async fn published_keys(gateway: &TestGateway) -> Vec<(String, String)> {
    let (status, kept, body) = told(gateway, TENANT).await;
    assert_eq!((status, kept.as_str()), (200, "public, max-age=300"));
    let set: Value = serde_json::from_slice(&body).expect("JSON");
    let keys = set["keys"].as_array().expect("keys").iter().map(|key| {
        for (member, value) in [("kty", "OKP"), ("crv", "Ed25519"), ("use", "sig"), ("alg", "EdDSA")] {
            assert_eq!(key[member], value);
        }
        let raw = URL_SAFE_NO_PAD.decode(text(&key["x"])).expect("base64 for URLs");
        assert_eq!(raw.len(), 32);
        (text(&key["kid"]), public_text(&raw))
    });
    keys.collect()
}

async fn rotate(gateway: &TestGateway, overlap_hours: u32) -> Value {
    gateway.advance(SignedDuration::from_secs(1));
    gateway.create(SIGNING_KEYS, json!({"overlap_hours": overlap_hours})).await["data"].clone()
}

/// How many `v1a` a request has.
fn count(request: &hookport_tests::sink::SinkRequest) -> usize {
    request.header("webhook-signature").split(' ').filter(|one| one.starts_with("v1a,")).count()
}

/// Whoever asks for a key set learns of no tenant whether it is there.
#[tokio::test]
async fn a_tenant_without_a_key_is_told_of_like_one_that_does_not_exist() {
    let gateway = gateway().await;
    assert!(list(&gateway, SIGNING_KEYS).await.is_empty());
    let of_nobody = told(&gateway, "nobody").await;
    assert_eq!(told(&gateway, TENANT).await, of_nobody);
    assert_eq!((of_nobody.0, &of_nobody.2[..]), (200, &br#"{"keys":[]}"#[..]));
}

#[tokio::test]
async fn the_first_key_is_made_with_the_first_subscription_that_needs_one() {
    let gateway = gateway().await;
    let target = Target::start().await;
    subscribed(&gateway, &target, json!({"dialect": "hub"})).await;
    assert!(list(&gateway, SIGNING_KEYS).await.is_empty(), "a secret is enough there");
    subscribed(&gateway, &target, json!({"also_sign": ["standard-v1a"]})).await;
    let [first] = &list(&gateway, SIGNING_KEYS).await[..] else { panic!("one key") };
    assert!(text(&first["id"]).starts_with("sgk_") && text(&first["public_key"]).starts_with("whpk_"));
    assert_eq!((&first["created_at"], &first["signs_until"]), (&json!(gateway.clock.now().to_string()), &Value::Null));
    subscribed(&gateway, &target, json!({"dialect": "rfc9421-ed25519"})).await;
    let row = json!({"name": "acme", "signatures": [{"type": "standard_asymmetric"}]});
    gateway.create(DIALECTS, json!({"row": row})).await;
    assert_eq!(list(&gateway, SIGNING_KEYS).await.len(), 1);
}

/// B1: a receiver that knows the key set and no secret checks every delivery, also while the key is changed.
#[tokio::test]
async fn b1_two_keys_sign_until_the_overlap_ends_and_both_are_published() {
    let gateway = gateway().await;
    let target = Target::start().await;
    subscribed(&gateway, &target, json!({"dialect": "standard-v1a"})).await;
    let old = list(&gateway, SIGNING_KEYS).await.remove(0);
    let new = rotate(&gateway, 1).await;
    assert_ne!(old["id"], new["id"]);
    let until = gateway.clock.now() + SignedDuration::from_hours(1);
    let listed = list(&gateway, SIGNING_KEYS).await;
    let ends: Vec<_> = listed.iter().map(|key| (&key["id"], key["signs_until"].clone())).collect();
    assert_eq!(ends, [(&new["id"], Value::Null), (&old["id"], json!(until.to_string()))]);

    gateway.advance(FORGOTTEN);
    let keys = published_keys(&gateway).await;
    let kids: Vec<&str> = keys.iter().map(|(kid, _)| kid.as_str()).collect();
    assert_eq!(kids, [text(&new["id"]), text(&old["id"])], "the newest first");
    assert_eq!(keys[0].1, text(&new["public_key"]));

    published(&gateway, invoice()).await;
    let request = newest(&target);
    assert_eq!(count(&request), 2);
    assert!(keys.iter().all(|(_, public)| is_asymmetric(&request, public)));

    gateway.advance(SignedDuration::from_hours(1));
    published(&gateway, invoice()).await;
    let request = newest(&target);
    assert_eq!(count(&request), 1);
    assert!(is_asymmetric(&request, &keys[0].1) && !is_asymmetric(&request, &keys[1].1));
    assert_eq!(published_keys(&gateway).await, keys, "what the old one signed may be looked at later");
}

#[tokio::test]
async fn without_an_overlap_the_old_key_signs_no_more_at_once() {
    let gateway = gateway().await;
    let target = Target::start().await;
    subscribed(&gateway, &target, json!({"dialect": "standard-v1a"})).await;
    let old = list(&gateway, SIGNING_KEYS).await.remove(0);
    let new = rotate(&gateway, 0).await;
    published(&gateway, invoice()).await;
    let request = newest(&target);
    assert_eq!(count(&request), 1);
    assert!(is_asymmetric(&request, &text(&new["public_key"])));
    assert!(!is_asymmetric(&request, &text(&old["public_key"])));
}

/// Also the one that was replaced before anybody knew, and signs still.
#[tokio::test]
async fn once_keys_are_revoked_none_of_them_signs_or_is_published() {
    let gateway = gateway().await;
    let target = Target::start().await;
    subscribed(&gateway, &target, json!({"dialect": "standard-v1a"})).await;
    rotate(&gateway, 24).await;
    gateway.advance(SignedDuration::from_secs(1));
    let new = gateway.create(SIGNING_KEYS, json!({"revoke": true})).await["data"].clone();
    let known = list(&gateway, SIGNING_KEYS).await;
    assert_eq!((known.len(), &known[0]["id"], &known[0]["signs_until"]), (1, &new["id"], &Value::Null));
    gateway.advance(FORGOTTEN);
    assert_eq!(published_keys(&gateway).await.len(), 1);
    published(&gateway, invoice()).await;
    let request = newest(&target);
    assert_eq!(count(&request), 1);
    assert!(is_asymmetric(&request, &text(&new["public_key"])));
    gateway.advance(SignedDuration::from_secs(1));
    rotate(&gateway, 1).await;
    assert_eq!(list(&gateway, SIGNING_KEYS).await.len(), 2, "and it is replaced like any other");
}

#[tokio::test]
async fn a_message_signature_has_a_label_for_each_key() {
    let gateway = gateway().await;
    let target = Target::start().await;
    subscribed(&gateway, &target, json!({"dialect": "rfc9421-ed25519"})).await;
    rotate(&gateway, 1).await;
    published(&gateway, invoice()).await;
    let request = newest(&target);
    let inputs = labelled(request.header("signature-input"));
    let labels: Vec<&str> = inputs.iter().map(|(label, _)| *label).collect();
    assert_eq!(labels, ["hookport", "hookport-1"]);
    let url = target.url(&request.path);
    for (key, (_, input)) in list(&gateway, SIGNING_KEYS).await.iter().zip(&inputs) {
        assert!(input.contains(&format!("keyid={}", key["id"])), "{input}");
        let public = text(&key["public_key"]);
        let known = Known { secret: "", public: &public, url: &url };
        assert_eq!(holds("rfc9421-ed25519", &request, known), Some(true));
    }
}

/// A key that was asked for before anything needed it is the one that signs later.
#[tokio::test]
async fn a_key_can_be_made_before_it_is_needed() {
    let gateway = gateway().await;
    let (status, made) = call(&gateway, Method::POST, SIGNING_KEYS, None).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let target = Target::start().await;
    subscribed(&gateway, &target, json!({"dialect": "standard-v1a"})).await;
    published(&gateway, invoice()).await;
    assert!(is_asymmetric(&newest(&target), &text(&made["data"]["public_key"])));
}

#[tokio::test]
async fn keys_are_changed_by_whoever_may_and_within_bounds() {
    let gateway = gateway().await;
    for body in [json!({"overlap_hours": 169}), json!({"overlap_hours": -1}), json!({"overlap": 1})] {
        refused(&post(&gateway, SIGNING_KEYS, body).await, 400, "invalid_request");
    }
    let body = json!({"name": "t", "permissions": ["signing_key:read"]});
    let reader = text(&gateway.create(TOKENS, body).await["token"]);
    assert_eq!(gateway.api(Method::GET, SIGNING_KEYS, &reader, None).await.0, StatusCode::OK);
    refused(&gateway.api(Method::POST, SIGNING_KEYS, &reader, Some(json!({}))).await, 403, "forbidden");
    assert!(list(&gateway, SIGNING_KEYS).await.is_empty());
}
