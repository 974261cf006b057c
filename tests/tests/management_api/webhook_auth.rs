//! What senders must prove: every kind of it, as it is asked for, shown, changed and refused.

use hookport_tests::gateway::{SECRET, text};
use hookport_tests::{SenderRequest, TestGateway};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{WEBHOOKS, get, ids, post, put, refused, refused_field};

/// Makes a webhook that is reached by a key. Gives its path and the whole answer.
async fn keyed(gateway: &TestGateway, config: Value) -> (String, Value) {
    let made = gateway.create(WEBHOOKS, json!({"name": "x", "auth_config": config})).await;
    (format!("{WEBHOOKS}/{}", text(&made["data"]["id"])), made)
}

async fn changed(gateway: &TestGateway, path: &str, config: Value) -> Value {
    let (status, answer) = put(gateway, path, json!({"name": "x", "auth_config": config})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

/// How a request is answered once every cache has forgotten.
async fn sent(gateway: &TestGateway, url: &str, request: SenderRequest) -> StatusCode {
    gateway.advance(SignedDuration::from_secs(6));
    gateway.send(gateway.instance(0), url, &request).await.status()
}

fn is_made(secret: &Value) -> bool {
    secret.as_str().is_some_and(|secret| secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[tokio::test]
async fn every_type_is_shown_without_its_secret_and_with_its_defaults() {
    let gateway = TestGateway::new().await;
    let jwks = "https://issuer.example.com/keys";
    let cases = [
        (
            json!({"type": "hmac_sha1", "signature_header": "X-Sig", "encoding": "base64"}),
            json!({"type": "hmac_sha1", "signature_header": "X-Sig", "encoding": "base64", "format": "body"}),
        ),
        (
            json!({"type": "hmac_sha512", "format": "timestamped"}),
            json!({
                "type": "hmac_sha512",
                "signature_header": null,
                "encoding": "hex",
                "format": "timestamped",
                "tolerance_seconds": 300,
            }),
        ),
        (json!({"type": "bearer"}), json!({"type": "bearer"})),
        (json!({"type": "basic", "username": "me"}), json!({"type": "basic", "username": "me"})),
        (json!({"type": "api_key", "header": "X-Key"}), json!({"type": "api_key", "header": "X-Key"})),
        (json!({"type": "path_token"}), json!({"type": "path_token", "query_param": "token"})),
        (
            json!({"type": "jwt", "jwks_url": jwks, "audience": "hookport"}),
            json!({"type": "jwt", "jwks_url": jwks, "issuer": null, "audience": "hookport", "leeway_seconds": 60}),
        ),
        (
            json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.7", "2001:db8::/32", "198.51.100.9/24"]}),
            json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.7/32", "2001:db8::/32", "198.51.100.0/24"]}),
        ),
        (json!({"type": "none"}), json!({"type": "none"})),
    ];
    for (config, expected) in cases {
        let (path, made) = keyed(&gateway, config).await;
        assert_eq!((&made["data"]["auth_type"], &made["data"]["auth_config"]), (&expected["type"], &expected));
        let has_secret = !["jwt", "ip_allowlist", "none"].contains(&text(&expected["type"]).as_str());
        assert_eq!(is_made(&made["secret"]), has_secret, "{made}");
        assert_eq!(made["secret"].is_null(), !has_secret, "{made}");
        let (_, shown) = get(&gateway, &path).await;
        assert_eq!(shown["data"]["auth_config"], expected);
    }
}

#[tokio::test]
async fn a_type_alone_means_its_defaults() {
    let gateway = TestGateway::new().await;
    for kind in ["hmac_sha256", "hmac_sha1", "hmac_sha512", "bearer", "path_token"] {
        let made = gateway.create(WEBHOOKS, json!({"name": "x", "auth_type": kind})).await;
        assert_eq!(made["data"]["auth_config"]["type"], json!(kind));
        assert!(is_made(&made["secret"]), "{kind}: {made}");
    }
    let body = json!({"name": "x", "auth_type": "bearer", "auth_config": {"token": SECRET}});
    assert_eq!(gateway.create(WEBHOOKS, body).await["secret"], json!(SECRET), "the type need not be said twice");
}

#[tokio::test]
async fn a_slug_may_be_kept_by_any_proof_or_by_an_allow_list_alone() {
    let gateway = TestGateway::new().await;
    let config = json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]});
    let made = gateway.create(WEBHOOKS, json!({"name": "x", "slug": "listed", "auth_config": config})).await;
    assert_eq!((&made["data"]["auth_type"], &made["secret"]), (&json!("ip_allowlist"), &json!(null)));
    let made = gateway.create(WEBHOOKS, json!({"name": "x", "slug": "borne", "auth_type": "bearer"})).await;
    let bearer = format!("Bearer {}", text(&made["secret"]));
    let request = SenderRequest::json("{}").with("authorization", &bearer);
    assert_eq!(sent(&gateway, "/api/inbound/default/borne", request).await, StatusCode::OK);
}

/// C5 in part: lists that are missing, too long or malformed are among it.
#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let gateway = TestGateway::new().await;
    let listed = || json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]});
    let all = |of: Vec<Value>| json!({"type": "all", "of": of});
    let bearer = || json!({"type": "bearer"});
    let cases = [
        (json!({"type": "bearer", "secret": SECRET}), "auth_config.secret: does not belong to this type"),
        (json!({"type": "hmac_sha256", "token": SECRET}), "auth_config.token: does not belong"),
        (
            json!({"type": "jwt", "jwks_url": "https://a.example.com", "audience": "x", "key": SECRET}),
            "auth_config.key: does not",
        ),
        (json!({"type": "none", "of": []}), "auth_config.of: does not belong"),
        (json!({"type": "hmac_md5"}), "auth_config.type"),
        (json!({"type": "hmac_sha256", "encoding": "base32"}), "auth_config.encoding"),
        (json!({"type": "hmac_sha256", "format": "stripe"}), "auth_config.format"),
        (json!({"type": "hmac_sha256", "tolerance_seconds": 60}), "auth_config.tolerance_seconds: needs the format"),
        (
            json!({"type": "hmac_sha256", "format": "timestamped", "tolerance_seconds": 0}),
            "auth_config.tolerance_seconds: must be from 1 to 3600",
        ),
        (
            json!({"type": "hmac_sha256", "format": "timestamped", "tolerance_seconds": 3_601}),
            "auth_config.tolerance_seconds",
        ),
        (json!({"type": "bearer", "token": "short"}), "auth_config.token: must have 16 to 128 characters"),
        (json!({"type": "bearer", "token": "a token\nof two lines"}), "auth_config.token: must not begin"),
        (json!({"type": "basic"}), "auth_config.username: must be given"),
        (json!({"type": "basic", "username": "a:b"}), "auth_config.username: must not contain a colon"),
        (json!({"type": "basic", "username": "u".repeat(256)}), "auth_config.username: must have 1 to 255"),
        (json!({"type": "api_key"}), "auth_config.header: must be given"),
        (json!({"type": "api_key", "header": "a b"}), "auth_config.header: must be the name of an HTTP header"),
        (
            json!({"type": "api_key", "header": "X-Key", "key": " a key with spaces "}),
            "auth_config.key: must not begin",
        ),
        (json!({"type": "path_token", "query_param": ""}), "auth_config.query_param: must have 1 to 255"),
        (json!({"type": "jwt"}), "auth_config.jwks_url: must be given"),
        (json!({"type": "jwt", "jwks_url": "https://a.example.com"}), "auth_config.audience: must be given"),
        (json!({"type": "jwt", "jwks_url": "https://a.example.com", "leeway_seconds": 601}), "from 0 to 600"),
        (json!({"type": "jwt", "jwks_url": "https://a.example.com", "issuer": ""}), "auth_config.issuer"),
        (json!({"type": "ip_allowlist"}), "auth_config.ip_cidrs: must have 1 to 200 entries"),
        (json!({"type": "ip_allowlist", "ip_cidrs": vec!["192.0.2.1"; 201]}), "auth_config.ip_cidrs: must have 1"),
        (
            json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24", "192.0.2.0/33"]}),
            "auth_config.ip_cidrs[1]: must",
        ),
        (json!({"type": "all"}), "auth_config.of: must have 2 to 8 entries"),
        (all(vec![bearer()]), "auth_config.of: must have 2 to 8 entries"),
        (all(vec![json!({"type": "hmac_sha256"}); 9]), "auth_config.of: must have 2 to 8 entries"),
        (all(vec![listed(), bearer(), listed()]), "auth_config.of: must have ip_allowlist at most once"),
        (all(vec![bearer(), json!({"type": "basic", "username": "me"})]), "auth_config.of: must have one of bearer"),
        (all(vec![bearer(), all(vec![bearer(), listed()])]), "auth_config.of[1].type: must be a proof"),
        (all(vec![json!({"type": "none"}), bearer()]), "auth_config.of[0].type: must be a proof"),
        (all(vec![json!({}), bearer()]), "auth_config.of[0].type: must be given"),
        (
            all(vec![bearer(), json!({"type": "api_key", "header": "X", "key": "k"})]),
            "auth_config.of[1].key: must have",
        ),
        (all(vec![listed(), json!({"type": "bearer", "secret": SECRET})]), "auth_config.of[1].secret: does not belong"),
        (all(vec![json!(["bearer"]), bearer()]), "auth_config.of[0]"),
        (json!(["bearer"]), "auth_config"),
    ];
    for (config, field) in cases {
        refused_field(&post(&gateway, WEBHOOKS, json!({"name": "x", "auth_config": config})).await, field);
    }
    let body = json!({"name": "x", "auth_config": {"type": "jwt", "jwks_url": "https://169.254.169.254/keys", "audience": "x"}});
    refused(&post(&gateway, WEBHOOKS, body).await, StatusCode::BAD_REQUEST, "invalid_target");
    assert!(ids(&get(&gateway, WEBHOOKS).await.1).is_empty(), "nothing was made");
}

/// No caller can name a place in a vault: whoever could would read, overwrite or delete what is not theirs.
#[tokio::test]
async fn defect_27_a_secret_is_never_taken_by_reference() {
    let gateway = TestGateway::new().await;
    let (path, _) = keyed(&gateway, json!({"type": "bearer"})).await;
    for name in ["secret_vault_path", "token_vault_path", "vault_path", "sealed", "secret_ref"] {
        let mut config = json!({"type": "bearer"});
        config[name] = json!("inbound_webhook_of_someone_else");
        let nested = json!({"type": "all", "of": [config.clone(), {"type": "hmac_sha256"}]});
        for config in [config, nested] {
            let body = json!({"name": "x", "auth_config": config});
            refused_field(&post(&gateway, WEBHOOKS, body.clone()).await, name);
            refused_field(&put(&gateway, &path, body).await, name);
        }
        let mut body = json!({});
        body[name] = json!("inbound_webhook_of_someone_else");
        refused_field(&post(&gateway, &format!("{path}/rotate-secret"), body).await, name);
    }
    assert_eq!(get(&gateway, &path).await.1["data"]["version"], json!(1), "nothing was changed");
}

#[tokio::test]
async fn all_shows_its_parts_and_tells_each_new_secret_once() {
    let gateway = TestGateway::new().await;
    let of = json!([
        {"type": "hmac_sha256", "secret": SECRET},
        {"type": "ip_allowlist", "ip_cidrs": ["192.0.2.7"]},
        {"type": "bearer"},
    ]);
    let (path, made) = keyed(&gateway, json!({"type": "all", "of": of})).await;
    let bearer = text(&made["secrets"][1]["secret"]);
    let secrets = json!([{"proof": 0, "secret": SECRET}, {"proof": 1, "secret": bearer}]);
    assert_eq!((&made["secret"], &made["secrets"]), (&json!(SECRET), &secrets));
    assert!(is_made(&made["secrets"][1]["secret"]));
    let expected = json!({"type": "all", "of": [
        {"type": "ip_allowlist", "ip_cidrs": ["192.0.2.7/32"]},
        {"type": "hmac_sha256", "signature_header": null, "encoding": "hex", "format": "body"},
        {"type": "bearer"},
    ]});
    let (_, shown) = get(&gateway, &path).await;
    assert_eq!((&shown["data"]["auth_type"], &shown["data"]["auth_config"]), (&json!("all"), &expected));
    assert!(!shown.to_string().contains(SECRET) && !shown.to_string().contains(&bearer), "{shown}");

    let url = format!("/api/v1/webhooks/{}", text(&made["data"]["webhook_key"]));
    let request = SenderRequest::json("{}").signed(SECRET).from("192.0.2.7");
    assert_eq!(sent(&gateway, &url, request.clone()).await, StatusCode::UNAUTHORIZED, "one proof of two is not all");
    let request = request.with("authorization", &format!("Bearer {bearer}"));
    assert_eq!(sent(&gateway, &url, request.clone()).await, StatusCode::OK);
    assert_eq!(sent(&gateway, &url, request.from("192.0.2.8")).await, StatusCode::FORBIDDEN);
}

/// Keys of requests are kept and shown, so none may be a credential.
#[tokio::test]
async fn an_idempotency_key_is_never_taken_from_a_credential() {
    let gateway = TestGateway::new().await;
    let signed = |header: &str| json!({"type": "hmac_sha256", "signature_header": header});
    let cases = [
        (signed("X-Sig"), "x-sig"),
        (json!({"type": "api_key", "header": "X-Partner"}), "X-PARTNER"),
        (json!({"type": "all", "of": [signed("X-Sig"), {"type": "api_key", "header": "X-Partner"}]}), "x-partner"),
        (json!({"type": "bearer"}), "Authorization"),
        (json!({"type": "hmac_sha256"}), "X-Hub-Signature-256"),
    ];
    for (config, header) in cases {
        let source = json!({"type": "header", "value": header});
        let body = json!({"name": "x", "auth_config": config, "idempotency_source": source});
        refused_field(&post(&gateway, WEBHOOKS, body).await, "idempotency_source.value: must not be a header");
    }
}

#[tokio::test]
async fn a_change_keeps_the_secret_of_each_proof_that_stays_where_it_is() {
    let gateway = TestGateway::new().await;
    let hmac = json!({"type": "hmac_sha256", "secret": SECRET});
    let (path, made) = keyed(&gateway, json!({"type": "all", "of": [hmac, {"type": "bearer"}]})).await;
    let of = json!([
        {"type": "ip_allowlist", "ip_cidrs": ["192.0.2.7"]},
        {"type": "hmac_sha256", "signature_header": "X-Hub-Signature-256"},
        {"type": "api_key", "header": "X-Partner"},
    ]);
    let answer = changed(&gateway, &path, json!({"type": "all", "of": of})).await;
    assert!(is_made(&answer["secret"]) && answer.get("secrets").is_none(), "only one secret is new: {answer}");
    assert_ne!(answer["secret"], made["secrets"][1]["secret"]);
    let again = changed(&gateway, &path, json!({"type": "all", "of": of})).await;
    assert_eq!(again["secret"], json!(null));

    let url = format!("/api/v1/webhooks/{}", text(&made["data"]["webhook_key"]));
    let request = SenderRequest::json("{}").signed(SECRET).with("x-partner", &text(&answer["secret"]));
    assert_eq!(sent(&gateway, &url, request.from("192.0.2.7")).await, StatusCode::OK);
}

/// D13, defect 35: what was the secret of one type is never the secret of another, nor of the same type later.
#[tokio::test]
async fn defect_35_a_change_of_type_leaves_nothing_of_the_old_secret() {
    let gateway = TestGateway::new().await;
    let (path, _) = keyed(&gateway, json!({"type": "bearer", "token": SECRET})).await;
    let mut seen = vec![json!(SECRET)];
    for config in [
        json!({"type": "path_token"}),
        json!({"type": "hmac_sha256"}),
        json!({"type": "hmac_sha512"}),
        json!({"type": "bearer"}),
    ] {
        let secret = changed(&gateway, &path, config).await["secret"].clone();
        assert!(is_made(&secret) && !seen.contains(&secret), "{secret}");
        seen.push(secret);
    }
    let listed = json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.7"]});
    assert_eq!(changed(&gateway, &path, listed).await["secret"], json!(null));
    let last = changed(&gateway, &path, json!({"type": "bearer"})).await["secret"].clone();
    assert!(is_made(&last) && !seen.contains(&last), "{last}");
}
