//! Inbound webhooks: making, showing and deleting them.

use hookport_tests::SenderRequest;
use hookport_tests::TestGateway;
use hookport_tests::gateway::{SECRET, merge, text};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{WEBHOOKS, call, delete, get, ids, post, refused, refused_field, tenant, token};

fn with_slug(slug: &str, more: Value) -> Value {
    let mut body = json!({"name": "x", "slug": slug});
    merge(&mut body, more);
    body
}

#[tokio::test]
async fn a_webhook_with_a_slug_gets_a_secret_a_readable_url_and_defaults() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(WEBHOOKS, json!({"name": "GitHub", "slug": "git-hub"})).await;
    let data = &made["data"];
    let now = gateway.clock.now().to_string();
    let expected = json!({
        "id": data["id"],
        "name": "GitHub",
        "description": null,
        "slug": "git-hub",
        "auth_type": "hmac_sha256",
        "auth_config": {
            "type": "hmac_sha256",
            "signature_header": "X-Hub-Signature-256",
            "encoding": "hex",
            "format": "body",
        },
        "idempotency_source": null,
        "idempotency_window_seconds": 86_400,
        "on_duplicate": "accept",
        "event_type": "git_hub.received",
        "handler_type": "event",
        "handshakes": [],
        "names_events": false,
        "preset": null,
        "max_body_bytes": 1_048_576,
        "rate_limit": {"requests": 600, "window_seconds": 60},
        "silence_alarm_hours": null,
        "disable_after_failures": null,
        "auto_disabled_at": null,
        "is_active": true,
        "version": 1,
        "url": "https://hooks.example.com/api/inbound/default/git-hub",
        "created_at": now,
        "updated_at": now,
    });
    assert_eq!(data, &expected);
    let secret = text(&made["secret"]);
    assert!(secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit()), "{secret}");
}

/// A12, D13: a secret is in the answer that made it, and in no other.
#[tokio::test]
async fn a12_a_secret_is_shown_once() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(WEBHOOKS, with_slug("made", json!({}))).await;
    let config = json!({"auth_config": {"type": "hmac_sha256", "secret": "a secret of my own"}});
    let supplied = gateway.create(WEBHOOKS, with_slug("supplied", config)).await;
    assert_eq!(supplied["secret"], json!("a secret of my own"));
    let paths = [&made, &supplied].map(|answer| format!("{WEBHOOKS}/{}", text(&answer["data"]["id"])));
    for path in [WEBHOOKS.to_owned(), paths[0].clone(), paths[1].clone()] {
        let (status, shown) = get(&gateway, &path).await;
        assert_eq!(status, StatusCode::OK);
        let shown = shown.to_string();
        assert!(!shown.contains(&text(&made["secret"])) && !shown.contains("a secret of my own"), "{shown}");
        assert!(!shown.contains("secret") && !shown.contains("sealed"), "{shown}");
    }
}

/// A13: 15 and 129 characters are refused, 16 and 128 accepted, and none means a new secret.
#[tokio::test]
async fn a13_a_supplied_secret_has_16_to_128_characters() {
    let gateway = TestGateway::new().await;
    let with = |chars: usize| {
        let config = json!({"type": "hmac_sha256", "secret": "é".repeat(chars)});
        with_slug(&format!("s{chars}"), json!({"auth_config": config}))
    };
    for chars in [0, 15, 129] {
        refused_field(
            &post(&gateway, WEBHOOKS, with(chars)).await,
            "auth_config.secret: must have 16 to 128 characters",
        );
    }
    for chars in [16, 128] {
        assert_eq!(post(&gateway, WEBHOOKS, with(chars)).await.0, StatusCode::CREATED, "{chars}");
    }
}

#[tokio::test]
async fn a_webhook_without_a_slug_gets_a_key_that_is_its_url() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(WEBHOOKS, json!({"name": "Zapier"})).await;
    let data = &made["data"];
    let key = text(&data["webhook_key"]);
    assert!(key.starts_with("wh_") && key.len() == 35, "{key}");
    assert_eq!(data["url"], json!(format!("https://hooks.example.com/api/v1/webhooks/{key}")));
    assert_eq!(data["webhook_key_hint"], json!(format!("{}…", &key[..6])));
    assert_eq!((&data["auth_type"], &made["secret"]), (&json!("none"), &json!(null)));
    assert_eq!((&data["slug"], &data["event_type"]), (&json!(null), &json!("webhook.received")));
    assert_eq!(data["rate_limit"], json!({"requests": 100, "window_seconds": 60}));

    let url = format!("/api/v1/webhooks/{key}");
    let response = gateway.send(gateway.instance(0), &url, &SenderRequest::json("{}")).await;
    assert_eq!(response.status(), StatusCode::OK, "the URL works as it is");
}

#[tokio::test]
async fn a_key_is_shown_again_to_those_who_may_change_the_webhook_and_never_in_lists() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(WEBHOOKS, json!({"name": "x"})).await;
    let key = text(&made["data"]["webhook_key"]);
    let path = format!("{WEBHOOKS}/{}", text(&made["data"]["id"]));
    let (_, again) = get(&gateway, &path).await;
    assert_eq!(again["data"], made["data"]);

    let reader = token(&gateway, &["inbound_webhook:read"]).await;
    let (status, hidden) = call(&gateway, Method::GET, &path, &reader, None).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!hidden.to_string().contains(&key[6..]));
    assert_eq!(hidden["data"]["webhook_key_hint"], made["data"]["webhook_key_hint"]);
    let (_, listed) = get(&gateway, WEBHOOKS).await;
    assert_eq!(ids(&listed).len(), 1);
    assert!(!listed.to_string().contains(&key[6..]));
}

/// C4: the first of two headers that is there is the one that is judged.
#[tokio::test]
async fn a_key_webhook_can_ask_for_signatures_in_either_of_two_headers() {
    let gateway = TestGateway::new().await;
    let config = json!({"type": "hmac_sha256", "secret": SECRET});
    let made = gateway.create(WEBHOOKS, json!({"name": "x", "auth_config": config})).await;
    assert_eq!(made["data"]["auth_type"], json!("hmac_sha256"), "the configuration says it");
    assert_eq!(made["data"]["auth_config"]["signature_header"], json!(null));
    let url = format!("/api/v1/webhooks/{}", text(&made["data"]["webhook_key"]));
    let signed = SenderRequest::json("{}").signed(SECRET);
    let value = signed.headers["x-hub-signature-256"].to_str().expect("text").to_owned();
    let other = SenderRequest::json("{}").with("x-webhook-signature", &value);
    for (request, status) in [(signed, 200), (other, 200), (SenderRequest::json("{}"), 401)] {
        assert_eq!(gateway.send(gateway.instance(0), &url, &request).await.status().as_u16(), status);
    }
}

/// A readable URL is no credential.
#[tokio::test]
async fn a_webhook_with_a_slug_needs_a_proof() {
    let gateway = TestGateway::new().await;
    for more in [json!({"auth_type": "none"}), json!({"auth_config": {"type": "none"}})] {
        let answer = post(&gateway, WEBHOOKS, with_slug("open", more)).await;
        refused(&answer, StatusCode::BAD_REQUEST, "proof_required");
    }
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_by_name() {
    let gateway = TestGateway::new().await;
    let hmac = |more: Value| {
        let mut config = json!({"type": "hmac_sha256"});
        merge(&mut config, more);
        json!({"auth_config": config})
    };
    let cases = [
        (json!({"slug": "Git Hub"}), "slug"),
        (json!({"slug": "xero"}), "slug: is reserved"),
        (json!({"slug": "a".repeat(65)}), "slug: must have 1 to 64 characters"),
        (json!({"slug": 1}), "slug"),
        (json!({"description": "d".repeat(2_001)}), "description"),
        (json!({"auth_type": "mutual_tls"}), "auth_type"),
        (json!({"auth_type": "none", "auth_config": {"type": "hmac_sha256"}}), "auth_config.type"),
        (json!({"auth_config": {}}), "auth_config.type"),
        (hmac(json!({"signature_header": "not a header"})), "auth_config.signature_header"),
        (hmac(json!({"signature_header": ""})), "auth_config.signature_header"),
        (json!({"auth_config": {"type": "none", "secret": "0123456789abcdef"}}), "auth_config.secret"),
        (json!({"auth_config": {"type": "none", "signature_header": "X-Sig"}}), "auth_config.signature_header"),
        (json!({"idempotency_source": {"type": "header"}}), "idempotency_source"),
        (json!({"idempotency_source": {"type": "header", "value": "a b"}}), "idempotency_source.value"),
        (json!({"idempotency_source": {"type": "header", "value": "Authorization"}}), "idempotency_source.value"),
        (json!({"idempotency_source": {"type": "cookie", "value": "x"}}), "idempotency_source.type"),
        (json!({"idempotency_source": {"type": "jsonpath", "value": "alert.id"}}), "idempotency_source.value: is not"),
        (json!({"idempotency_source": {"type": "jsonpath", "value": "$..id"}}), "idempotency_source.value: must name"),
        (json!({"on_duplicate": "ignore"}), "on_duplicate"),
        (json!({"idempotency_window_seconds": 0}), "idempotency_window_seconds: must be from 1 to 2592000"),
        (json!({"idempotency_window_seconds": 2_592_001}), "idempotency_window_seconds"),
        (json!({"idempotency_window_seconds": 1.5}), "idempotency_window_seconds"),
        (json!({"event_type": "received"}), "event_type"),
        (json!({"handler_type": "direct_action"}), "handler_type"),
        (json!({"max_body_bytes": 0}), "max_body_bytes"),
        (json!({"max_body_bytes": -1}), "max_body_bytes"),
        (json!({"max_body_bytes": 4 * 1024 * 1024 + 1}), "max_body_bytes"),
        (json!({"rate_limit_per_minute": 0}), "rate_limit_per_minute: must be from 1 to 60000"),
        (json!({"rate_limit_per_minute": 60_001}), "rate_limit_per_minute"),
        (json!({"rate_limit": {"requests": 1}}), "rate_limit"),
        (
            json!({"rate_limit": {"requests": 0, "window_seconds": 60}}),
            "rate_limit.requests: must be from 1 to 1000000",
        ),
        (json!({"rate_limit": {"requests": 1_000_001, "window_seconds": 60}}), "rate_limit.requests"),
        (
            json!({"rate_limit": {"requests": 1, "window_seconds": 0}}),
            "rate_limit.window_seconds: must be from 1 to 3600",
        ),
        (json!({"rate_limit": {"requests": 1, "window_seconds": 3_601}}), "rate_limit.window_seconds"),
        (
            json!({"rate_limit": {"requests": 1, "window_seconds": 1}, "rate_limit_per_minute": 1}),
            "rate_limit_per_minute: must be absent",
        ),
        (json!({"silence_alarm_hours": 0}), "silence_alarm_hours: must be from 1 to 8760"),
        (json!({"silence_alarm_hours": 8_761}), "silence_alarm_hours"),
        (json!({"disable_after_failures": 0}), "disable_after_failures: must be from 1 to 100"),
        (json!({"disable_after_failures": 101}), "disable_after_failures"),
        (json!({"auto_disabled_at": "2026-01-01T00:00:00Z"}), "auto_disabled_at"),
        (json!({"is_active": "yes"}), "is_active"),
    ];
    for (more, field) in cases {
        let mut body = json!({"name": "x"});
        merge(&mut body, more);
        refused_field(&post(&gateway, WEBHOOKS, body).await, field);
    }
    assert!(ids(&get(&gateway, WEBHOOKS).await.1).is_empty(), "nothing was made");
}

#[tokio::test]
async fn an_idempotency_key_from_an_expression_is_refused_in_so_many_words() {
    let gateway = TestGateway::new().await;
    let source = json!({"idempotency_source": {"type": "jsonata", "value": "$.id"}});
    let answer = post(&gateway, WEBHOOKS, with_slug("x", source)).await;
    let message = refused(&answer, StatusCode::BAD_REQUEST, "unsupported");
    assert!(message.contains("idempotency_source"), "{message}");
}

#[tokio::test]
async fn settings_at_their_limits_are_taken() {
    let gateway = TestGateway::new().await;
    let more = json!({
        "description": "d".repeat(2_000),
        "idempotency_source": {"type": "header", "value": "Idempotency-Key"},
        "idempotency_window_seconds": 2_592_000,
        "on_duplicate": "conflict",
        "max_body_bytes": 4 * 1024 * 1024,
        "rate_limit": {"requests": 1_000_000, "window_seconds": 3_600},
        "silence_alarm_hours": 8_760,
        "disable_after_failures": 100,
        "is_active": false,
        "handler_type": "event",
        "event_type": "invoice.paid",
    });
    let made = gateway.create(WEBHOOKS, with_slug(&"a".repeat(64), more.clone())).await;
    for (name, value) in more.as_object().expect("an object") {
        assert_eq!(&made["data"][name], value, "{name}");
    }
}

#[tokio::test]
async fn an_idempotency_key_can_be_found_in_the_body() {
    let gateway = TestGateway::new().await;
    let source = json!({"type": "jsonpath", "value": "$.alert.id"});
    let made = gateway.create(WEBHOOKS, with_slug("alerts", json!({"idempotency_source": source}))).await;
    assert_eq!(made["data"]["idempotency_source"], source);
}

#[tokio::test]
async fn a_limit_by_the_minute_is_short_for_a_window_of_sixty_seconds() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(WEBHOOKS, with_slug("busy", json!({"rate_limit_per_minute": 60_000}))).await;
    assert_eq!(made["data"]["rate_limit"], json!({"requests": 60_000, "window_seconds": 60}));
    assert_eq!(made["data"].get("rate_limit_per_minute"), None);
}

/// D18: a slug is taken within its tenant only.
#[tokio::test]
async fn d18_a_slug_is_unique_within_its_tenant() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let again = post(&gateway, WEBHOOKS, with_slug("github", json!({}))).await;
    refused(&again, StatusCode::CONFLICT, "slug_taken");
    let other = tenant(&gateway, "acme").await;
    let made = call(&gateway, Method::POST, WEBHOOKS, &other, Some(with_slug("github", json!({})))).await;
    assert_eq!(made.0, StatusCode::CREATED, "{}", made.1);
    assert_eq!(made.1["data"]["url"], json!("https://hooks.example.com/api/inbound/acme/github"));
}

#[tokio::test]
async fn a_deleted_webhook_takes_nothing_and_frees_its_slug() {
    let gateway = TestGateway::new().await;
    let path = format!("{WEBHOOKS}/{}", gateway.webhook("github", json!({})).await);
    let request = SenderRequest::json("{}").signed(SECRET);
    let url = "/api/inbound/default/github";
    assert_eq!(gateway.send(gateway.instance(0), url, &request).await.status(), StatusCode::OK);
    assert_eq!(delete(&gateway, &path).await, (StatusCode::NO_CONTENT, Value::Null));
    refused(&get(&gateway, &path).await, StatusCode::NOT_FOUND, "inbound_webhook_not_found");
    refused(&delete(&gateway, &path).await, StatusCode::NOT_FOUND, "inbound_webhook_not_found");
    gateway.advance(SignedDuration::from_secs(6));
    assert_eq!(gateway.send(gateway.instance(0), url, &request).await.status(), StatusCode::UNAUTHORIZED);
    let (_, kept) = get(&gateway, &format!("{path}/deliveries")).await;
    assert_eq!(ids(&kept).len(), 1, "what it received is still there");
    gateway.webhook("github", json!({})).await;
}
