//! What must never be in a log of refused requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::rejection::RejectionLog;
use hookport::domain::text::TenantSlug;
use hookport_tests::gateway::{SECRET, TENANT, TestGateway, text};
use hookport_tests::{SenderRequest, senders};
use serde_json::json;

use crate::{WEBHOOKS, send, stored};

/// The right secret of every webhook but those that prove by a signature.
const RIGHT: &str = "the-right-secret-of-a-sender";
/// What a sender shows instead.
const WRONG: &str = "the-wrong-secret-of-a-sender";
/// What is in the body of every request.
const BODY: &str = r#"{"card":"the-body-of-a-sender"}"#;

/// C10, defect 29: no key, secret, token or signature, right or wrong, and no body.
#[tokio::test]
async fn c10_nothing_that_a_thief_could_use_is_in_any_log() {
    let gateway = TestGateway::new().await;
    let unknown = format!("wh_{}", "q".repeat(32));
    let keyed =
        json!({"name": "k", "auth_type": "hmac_sha256", "auth_config": {"type": "hmac_sha256", "secret": SECRET}});
    let keyed = gateway.create(WEBHOOKS, keyed).await["data"].clone();
    let key = text(&keyed["webhook_key"]);
    let mut webhooks = vec![text(&keyed["id"])];
    webhooks.push(gateway.webhook("off", json!({"is_active": false})).await);
    for (slug, config) in [
        ("bearer", json!({"type": "bearer", "token": RIGHT})),
        ("basic", json!({"type": "basic", "username": "user", "password": RIGHT})),
        ("api-key", json!({"type": "api_key", "header": "X-Sender-Key", "key": RIGHT})),
        ("path-token", json!({"type": "path_token", "token": RIGHT})),
    ] {
        let more = json!({"auth_type": config["type"], "auth_config": config, "max_body_bytes": 20});
        webhooks.push(gateway.webhook(slug, more).await);
    }

    let plain = || SenderRequest::json(BODY).with("cookie", "session=the-cookie-of-a-sender");
    let basic = |password: &str| STANDARD.encode(format!("user:{password}"));
    let mut sent = vec![
        (format!("/api/v1/webhooks/{unknown}"), plain(), 404),
        (format!("/api/v1/webhooks/{key}"), plain().signed(WRONG), 401),
        (format!("/api/inbound/{TENANT}/{unknown}"), plain(), 401),
        (format!("/api/inbound/{unknown}/x?token={WRONG}"), plain(), 401),
        (format!("/api/inbound/{TENANT}/off"), plain().signed(SECRET), 401),
    ];
    for (secret, status) in [(RIGHT, 413), (WRONG, 401)] {
        let authorized = |value: String| plain().with("authorization", &value);
        sent.push((format!("/api/inbound/{TENANT}/bearer"), authorized(format!("Bearer {secret}")), status));
        sent.push((format!("/api/inbound/{TENANT}/basic"), authorized(format!("Basic {}", basic(secret))), status));
        sent.push((format!("/api/inbound/{TENANT}/api-key"), plain().with("x-sender-key", secret), status));
        sent.push((format!("/api/inbound/{TENANT}/path-token?token={secret}"), plain(), status));
    }
    for (path, request, status) in &sent {
        assert_eq!(send(&gateway, path, request).await, *status, "{path}");
    }

    let tenant = TenantSlug::try_from(TENANT.to_owned()).expect("a slug");
    let of_webhooks = webhooks.iter().map(|id| RejectionLog::Webhook(tenant.clone(), id.parse().expect("an id")));
    let mut rows = Vec::new();
    for log in of_webhooks.chain([RejectionLog::Tenant(tenant.clone()), RejectionLog::Operators]) {
        rows.extend(stored(&gateway, &log).await);
    }
    assert_eq!(rows.len(), sent.len(), "every request is in one log");
    let rows = json!(rows).to_string();
    assert!(rows.contains("wh_qqq…"), "a key that was typed as a name is hinted at");
    let tag = |secret: &str| hex::encode(senders::hmac_sha256(secret, BODY.as_bytes()));
    let made = [key, unknown[..7].to_owned(), basic(RIGHT), basic(WRONG), tag(SECRET), tag(WRONG)];
    for hidden in made.into_iter().chain([RIGHT, WRONG, SECRET, "of-a-sender"].map(str::to_owned)) {
        assert!(!rows.contains(&hidden), "{hidden}");
    }
}
