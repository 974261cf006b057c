//! Secrets and keys that follow others: at once, or after a time in which both are taken.

use hookport_tests::gateway::{SECRET, text};
use hookport_tests::{SenderRequest, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{Answer, WEBHOOKS, call, delete, get, ids, post, put, refused, refused_field, token};

const SLUG_URL: &str = "/api/inbound/default/github";

/// Makes a webhook that is reached by a key. Gives its path and the whole answer.
async fn keyed(gateway: &TestGateway, config: Value) -> (String, Value) {
    let made = gateway.create(WEBHOOKS, json!({"name": "x", "auth_config": config})).await;
    (format!("{WEBHOOKS}/{}", text(&made["data"]["id"])), made)
}

async fn rotate(gateway: &TestGateway, path: &str, body: Value) -> Answer {
    post(gateway, &format!("{path}/rotate-secret"), body).await
}

async fn rotated(gateway: &TestGateway, path: &str, body: Value) -> Value {
    let (status, answer) = rotate(gateway, path, body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

/// How a request is answered once every cache has forgotten.
async fn sent(gateway: &TestGateway, url: &str, request: SenderRequest) -> StatusCode {
    gateway.advance(SignedDuration::from_secs(6));
    gateway.send(gateway.instance(0), url, &request).await.status()
}

async fn opened(gateway: &TestGateway, key: &str) -> StatusCode {
    sent(gateway, &format!("/api/v1/webhooks/{key}"), SenderRequest::json("{}")).await
}

/// The time so many seconds from now, as the API writes it.
fn later(gateway: &TestGateway, seconds: i64) -> Value {
    let at = gateway.clock.now().checked_add(SignedDuration::from_secs(seconds)).expect("a time in range");
    json!(at.to_string())
}

fn is_made(secret: &Value) -> bool {
    secret.as_str().is_some_and(|secret| secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// D13: the old secret dies at once.
#[tokio::test]
async fn d13_a_rotation_kills_the_old_secret_at_once() {
    let gateway = TestGateway::new().await;
    let path = format!("{WEBHOOKS}/{}", gateway.webhook("github", json!({})).await);
    let url = format!("{path}/rotate-secret");
    let (status, answer) = call(&gateway, Method::POST, &url, gateway.admin_token(), None).await;
    assert_eq!((status, &answer["data"]["version"]), (StatusCode::OK, &json!(2)), "{answer}");
    assert!(is_made(&answer["secret"]) && answer.get("secrets").is_none(), "{answer}");
    let signed = |secret: &str| SenderRequest::json("{}").signed(secret);
    assert_eq!(sent(&gateway, SLUG_URL, signed(SECRET)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sent(&gateway, SLUG_URL, signed(&text(&answer["secret"]))).await, StatusCode::OK);
    let (_, shown) = get(&gateway, &path).await;
    assert!(!shown.to_string().contains("secret"), "no secret, and none before it: {shown}");

    let own = rotated(&gateway, &path, json!({"secret": "another secret of mine"})).await;
    assert_eq!(own["secret"], json!("another secret of mine"));
    assert_eq!(sent(&gateway, SLUG_URL, signed("another secret of mine")).await, StatusCode::OK);
}

#[tokio::test]
async fn d13_with_an_overlap_both_secrets_are_taken_until_it_ends() {
    let gateway = TestGateway::new().await;
    let path = format!("{WEBHOOKS}/{}", gateway.webhook("github", json!({})).await);
    let answer = rotated(&gateway, &path, json!({"overlap_seconds": 60})).await;
    let until = later(&gateway, 60);
    assert_eq!(answer["data"]["auth_config"]["previous_secret_until"], until);
    let new = text(&answer["secret"]);
    let signed = |secret: &str| SenderRequest::json("{}").signed(secret);
    for secret in [SECRET, &new] {
        assert_eq!(sent(&gateway, SLUG_URL, signed(secret)).await, StatusCode::OK, "{secret}");
    }
    let body = json!({"name": "x", "slug": "github"});
    let (_, kept) = put(&gateway, &path, body).await;
    assert_eq!(kept["data"]["auth_config"]["previous_secret_until"], until, "another change does not end it");
    gateway.advance(SignedDuration::from_secs(48));
    assert_eq!(get(&gateway, &path).await.1["data"]["auth_config"].get("previous_secret_until"), None);
    assert_eq!(sent(&gateway, SLUG_URL, signed(SECRET)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sent(&gateway, SLUG_URL, signed(&new)).await, StatusCode::OK);
}

#[tokio::test]
async fn d13_where_no_secret_is_none_can_be_rotated() {
    let gateway = TestGateway::new().await;
    let configs = [
        json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]}),
        json!({"type": "jwt", "jwks_url": "https://issuer.example.com/keys", "audience": "hookport"}),
        json!({"type": "none"}),
    ];
    for config in configs {
        let (path, _) = keyed(&gateway, config).await;
        for body in [json!({}), json!({"proof": 0}), json!({"secret": SECRET})] {
            refused(&rotate(&gateway, &path, body).await, StatusCode::BAD_REQUEST, "no_secret");
        }
        assert_eq!(get(&gateway, &path).await.1["data"]["version"], json!(1));
    }
}

#[tokio::test]
async fn d13_of_several_secrets_one_is_named() {
    let gateway = TestGateway::new().await;
    let listed = json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]});
    let hmac = json!({"type": "hmac_sha256"});
    let (path, made) = keyed(&gateway, json!({"type": "all", "of": [listed, hmac, {"type": "bearer"}]})).await;
    refused(&rotate(&gateway, &path, json!({})).await, StatusCode::BAD_REQUEST, "ambiguous_secret");
    refused_field(&rotate(&gateway, &path, json!({"proof": 2})).await, "proof: must be below 2");
    let answer = rotated(&gateway, &path, json!({"proof": 1, "overlap_seconds": 60})).await;
    assert!(is_made(&answer["secret"]) && answer.get("secrets").is_none(), "{answer}");
    assert_ne!(answer["secret"], made["secrets"][1]["secret"]);
    let of = &answer["data"]["auth_config"]["of"];
    assert_eq!(of[1].get("previous_secret_until"), None, "the signature's secret is the same");
    assert_eq!(of[2]["previous_secret_until"], later(&gateway, 60));

    let jwt = json!({"type": "jwt", "jwks_url": "https://issuer.example.com/keys", "audience": "hookport"});
    let (path, _) = keyed(&gateway, json!({"type": "all", "of": [jwt, {"type": "hmac_sha256"}]})).await;
    assert!(is_made(&rotated(&gateway, &path, json!({})).await["secret"]), "there is only one");
    refused(&rotate(&gateway, &path, json!({"proof": 0})).await, StatusCode::BAD_REQUEST, "no_secret");
}

#[tokio::test]
async fn a_rotation_that_makes_no_sense_is_refused_by_name() {
    let gateway = TestGateway::new().await;
    let (path, _) = keyed(&gateway, json!({"type": "bearer"})).await;
    let cases = [
        (json!({"secret": "short"}), "secret: must have 16 to 128 characters"),
        (json!({"secret": " a token with spaces "}), "secret: must not begin"),
        (json!({"overlap_seconds": 2_592_001}), "overlap_seconds: must be from 0 to 2592000"),
        (json!({"overlap_seconds": -1}), "overlap_seconds"),
        (json!({"proof": "first"}), "proof"),
        (json!([]), "expected an object"),
    ];
    for (body, field) in cases {
        refused_field(&rotate(&gateway, &path, body).await, field);
    }
    let nobody = format!("{WEBHOOKS}/inw_01m5w3rm008000000400000003");
    refused(&rotate(&gateway, &nobody, json!({})).await, StatusCode::NOT_FOUND, "inbound_webhook_not_found");
}

/// C1: a new key opens the webhook at once; the old one stays as long as it is given.
#[tokio::test]
async fn c1_a_key_can_follow_another_with_a_time_of_grace() {
    let gateway = TestGateway::new().await;
    let (path, made) = keyed(&gateway, json!({"type": "none"})).await;
    let old = text(&made["data"]["webhook_key"]);
    let (status, added) = post(&gateway, &format!("{path}/keys"), json!({"grace_seconds": 60})).await;
    assert_eq!(status, StatusCode::CREATED, "{added}");
    let new = text(&added["data"]["key"]);
    assert!(new.starts_with("wh_") && new.len() == 35 && new != old, "{new}");
    assert_eq!(added["data"]["url"], json!(format!("https://hooks.example.com/api/v1/webhooks/{new}")));
    assert_eq!(
        (&added["data"]["hint"], &added["data"]["expires_at"]),
        (&json!(format!("{}…", &new[..6])), &json!(null))
    );

    let (_, listed) = get(&gateway, &format!("{path}/keys")).await;
    assert_eq!(listed["data"][0], added["data"]);
    assert_eq!((&listed["data"][1]["key"], &listed["data"][1]["expires_at"]), (&json!(old), &later(&gateway, 60)));
    assert_eq!(get(&gateway, &path).await.1["data"]["webhook_key"], json!(new), "the newest is shown");
    for key in [&old, &new] {
        assert_eq!(opened(&gateway, key).await, StatusCode::OK, "{key}");
    }
    gateway.advance(SignedDuration::from_secs(48));
    assert_eq!(ids(&get(&gateway, &format!("{path}/keys")).await.1).len(), 1, "a dead key is not listed");
    assert_eq!(opened(&gateway, &old).await, StatusCode::NOT_FOUND);
    assert_eq!(opened(&gateway, &new).await, StatusCode::OK);
}

/// C1: what is revoked is dead at once, and something is always left.
#[tokio::test]
async fn c1_a_revoked_key_is_dead_and_the_last_one_stays() {
    let gateway = TestGateway::new().await;
    let (path, made) = keyed(&gateway, json!({"type": "none"})).await;
    let keys = format!("{path}/keys");
    let old = text(&made["data"]["webhook_key"]);
    let old_path = format!("{keys}/{}", text(&get(&gateway, &keys).await.1["data"][0]["id"]));
    refused(&delete(&gateway, &old_path).await, StatusCode::CONFLICT, "last_key");

    let (_, added) = call(&gateway, Method::POST, &keys, gateway.admin_token(), None).await;
    let new = text(&added["data"]["key"]);
    for key in [&old, &new] {
        assert_eq!(opened(&gateway, key).await, StatusCode::OK, "without a time of grace the old key stays");
    }
    assert_eq!(delete(&gateway, &old_path).await, (StatusCode::NO_CONTENT, Value::Null));
    assert_eq!(opened(&gateway, &old).await, StatusCode::NOT_FOUND);
    assert_eq!(opened(&gateway, &new).await, StatusCode::OK);
    refused(&delete(&gateway, &old_path).await, StatusCode::NOT_FOUND, "webhook_key_not_found");

    // A key on its way out is nothing to be left with.
    let new_path = format!("{keys}/{}", text(&added["data"]["id"]));
    let (_, third) = post(&gateway, &keys, json!({"grace_seconds": 3_600})).await;
    let third_path = format!("{keys}/{}", text(&third["data"]["id"]));
    refused(&delete(&gateway, &third_path).await, StatusCode::CONFLICT, "last_key");
    assert_eq!(delete(&gateway, &new_path).await.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_webhook_has_five_live_keys_at_most() {
    let gateway = TestGateway::new().await;
    let (path, made) = keyed(&gateway, json!({"type": "none"})).await;
    let keys = format!("{path}/keys");
    for _ in 0..4 {
        assert_eq!(post(&gateway, &keys, json!({})).await.0, StatusCode::CREATED);
    }
    refused(&post(&gateway, &keys, json!({})).await, StatusCode::CONFLICT, "too_many_keys");
    refused(&post(&gateway, &keys, json!({"grace_seconds": 60})).await, StatusCode::CONFLICT, "too_many_keys");
    refused_field(&post(&gateway, &keys, json!({"grace_seconds": 2_592_001})).await, "grace_seconds");
    let (status, added) = post(&gateway, &keys, json!({"grace_seconds": 0})).await;
    assert_eq!(status, StatusCode::CREATED, "those that die at once do not count: {added}");
    assert_eq!(ids(&get(&gateway, &keys).await.1), [text(&added["data"]["id"])]);
    assert_eq!(opened(&gateway, &text(&made["data"]["webhook_key"])).await, StatusCode::NOT_FOUND);
    assert_eq!(opened(&gateway, &text(&added["data"]["key"])).await, StatusCode::OK);
}

#[tokio::test]
async fn keys_are_shown_to_those_who_may_change_the_webhook_and_hints_to_readers() {
    let gateway = TestGateway::new().await;
    let (path, made) = keyed(&gateway, json!({"type": "none"})).await;
    let key = text(&made["data"]["webhook_key"]);
    let reader = token(&gateway, &["inbound_webhook:read"]).await;
    let (status, hidden) = call(&gateway, Method::GET, &format!("{path}/keys"), &reader, None).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!hidden.to_string().contains(&key[6..]) && hidden["data"][0].get("key").is_none(), "{hidden}");
    assert_eq!(hidden["data"][0]["hint"], made["data"]["webhook_key_hint"]);
    let url = format!("{path}/keys");
    refused(&call(&gateway, Method::POST, &url, &reader, Some(json!({}))).await, StatusCode::FORBIDDEN, "forbidden");
}

#[tokio::test]
async fn a_webhook_with_a_slug_has_no_keys() {
    let gateway = TestGateway::new().await;
    let keys = format!("{WEBHOOKS}/{}/keys", gateway.webhook("github", json!({})).await);
    refused_field(&get(&gateway, &keys).await, "slug");
    refused_field(&post(&gateway, &keys, json!({})).await, "slug");
    refused_field(&delete(&gateway, &format!("{keys}/key_01m5w3rm008000000400000003")).await, "slug");
    refused(&delete(&gateway, &format!("{keys}/wh_secret")).await, StatusCode::BAD_REQUEST, "invalid_id");
}
