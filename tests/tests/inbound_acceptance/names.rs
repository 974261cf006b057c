//! D5 and D18: what a name that leads nowhere costs, and which names a webhook can have.

use hookport_tests::SenderRequest;
use hookport_tests::gateway::{SECRET, TestGateway, text};
use http::{HeaderMap, Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{FORGOTTEN, URL, WEBHOOKS, kept, put, rows, sent, tenant};

/// D5: whatever is wrong, the same calls are made for it, at first and once it is remembered, and the answer is one.
#[tokio::test]
async fn d5_no_reason_for_a_bare_401_shows_in_the_calls() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    gateway.webhook("off", json!({"is_active": false})).await;
    tenant(&gateway, "acme").await;
    let bad = SenderRequest::json("{}").signed("another secret");
    let calls = async |path: &str| -> Vec<(String, String)> {
        gateway.cloud.meter().record();
        let response = gateway.send(gateway.instance(0), path, &bad).await;
        assert_eq!((response.status(), response.headers()), (StatusCode::UNAUTHORIZED, &HeaderMap::new()), "{path}");
        assert!(response.body().is_empty(), "{path}");
        let journal = gateway.cloud.meter().take_journal();
        journal.into_iter().map(|call| (call.operation, call.target)).collect()
    };
    // The keyring is fetched once for all webhooks.
    calls(URL).await;
    let nowhere = ["/api/inbound/default/nothing", "/api/inbound/acme/github", "/api/inbound/nobody/github"];
    let mut seen = Vec::new();
    for path in [URL, "/api/inbound/default/off"].into_iter().chain(nowhere) {
        gateway.advance(SignedDuration::from_secs(60));
        seen.push((calls(path).await, calls(path).await));
    }
    assert!(seen[0].0.len() > seen[0].1.len(), "at first there is something to read: {seen:?}");
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

/// D18: no webhook is made at, or moved to, a name that is reserved or none.
#[tokio::test]
async fn d18_reserved_and_bad_slugs_are_refused_when_made_and_when_moved() {
    let gateway = TestGateway::new().await;
    let path = format!("{WEBHOOKS}/{}", gateway.webhook("github", json!({})).await);
    let reserved = [
        "ninjaone",
        "tacticalrmm",
        "tactical_rmm",
        "tanium",
        "xero",
        "xero_csv",
        "qbo",
        "quickbooks_online",
        "quickbooks_desktop",
        "quickbooks_csv",
        "entra",
        "entra_id",
        "microsoft_graph",
        "microsoft",
        "google",
        " Xero ",
        "GOOGLE",
        "\tEntra_ID",
    ];
    let long = "a".repeat(65);
    let bad = ["", " ", "-a", "a-", "-", "a_b", "a b", "a/b", "a.b", "A", "ü", "a\u{0}b", "%61", long.as_str()];
    let all = reserved.map(|slug| (slug, "is reserved")).into_iter().chain(bad.map(|slug| (slug, "must")));
    for (slug, rule) in all {
        for (method, path) in [(Method::POST, WEBHOOKS), (Method::PUT, path.as_str())] {
            let body = Some(json!({"name": "x", "slug": slug}));
            let (status, answer) = gateway.api(method, path, gateway.admin_token(), body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{slug:?}: {answer}");
            let message = text(&answer["error"]["message"]);
            assert!(message.contains("slug") && message.contains(rule), "{slug:?}: {message}");
        }
    }
    assert_eq!(gateway.get(&path).await["data"]["version"], json!(1), "nothing was moved");
    assert_eq!(gateway.get(WEBHOOKS).await["data"].as_array().map(Vec::len), Some(1), "nothing was made");
    for good in ["a", "0", "git-hub-2", " trimmed ", "xero2", "my-google", &"a".repeat(64)] {
        let made = gateway.create(WEBHOOKS, json!({"name": "x", "slug": good})).await;
        assert_eq!(made["data"]["slug"], json!(good.trim()));
    }
}

/// D18: a webhook that moves takes its keys, its secret and its deliveries along; who takes its place begins anew.
#[tokio::test]
async fn d18_a_webhook_that_moves_keeps_what_it_received_and_what_it_knows() {
    let gateway = TestGateway::new().await;
    let source = json!({"idempotency_source": {"type": "header", "value": "Idempotency-Key"}});
    let webhook = gateway.webhook("github", source.clone()).await;
    let acme = tenant(&gateway, "acme").await;
    let config = json!({"type": "hmac_sha256", "secret": SECRET});
    let body = json!({"name": "x", "slug": "hub", "auth_config": config});
    let (status, theirs) = gateway.api(Method::POST, WEBHOOKS, &acme, Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "another tenant's name is in nobody's way: {theirs}");

    let request = SenderRequest::json("{}").with("idempotency-key", "k1").signed(SECRET);
    let first = kept(&gateway, URL, &request).await["delivery_id"].clone();
    let mut moved = json!({"name": "x", "slug": "hub", "event_type": "github.push"});
    moved["idempotency_source"] = source["idempotency_source"].clone();
    put(&gateway, &format!("{WEBHOOKS}/{webhook}"), moved).await;
    gateway.advance(FORGOTTEN);
    assert_eq!(sent(&gateway, URL, &request).await, 401, "nobody is there");
    let again = kept(&gateway, "/api/inbound/default/hub", &request).await;
    assert_eq!(again, json!({"delivery_id": first, "duplicate": true}), "it knows the key");
    let received: Vec<Value> = rows(&gateway, &webhook).await.iter().map(|row| row["status"].clone()).collect();
    assert_eq!(received, ["duplicate", "pending"]);

    let successor = gateway.webhook("github", source).await;
    gateway.advance(FORGOTTEN);
    let fresh = kept(&gateway, URL, &request).await;
    assert_eq!(fresh["duplicate"], json!(null), "it knows nothing");
    assert_eq!((rows(&gateway, &successor).await.len(), rows(&gateway, &webhook).await.len()), (1, 2));
}
