//! Changing inbound webhooks: whole replacements, secrets kept or replaced, slugs moved.

use futures_util::future::join_all;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::text::TenantSlug;
use hookport_tests::gateway::{SECRET, TENANT, merge, text};
use hookport_tests::{SenderRequest, TestGateway};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{WEBHOOKS, get, put, refused, refused_field};

const URL: &str = "/api/inbound/default/github";

/// A webhook with the slug `github` and the suite's secret. Gives its path.
async fn github(gateway: &TestGateway) -> String {
    format!("{WEBHOOKS}/{}", gateway.webhook("github", json!({})).await)
}

/// How a request signed with `secret` is answered once every cache has forgotten.
async fn sent(gateway: &TestGateway, url: &str, secret: &str) -> StatusCode {
    gateway.advance(SignedDuration::from_secs(6));
    let request = SenderRequest::json("{}").signed(secret);
    gateway.send(gateway.instance(0), url, &request).await.status()
}

async fn changed(gateway: &TestGateway, path: &str, body: Value) -> Value {
    let (status, answer) = put(gateway, path, body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

#[tokio::test]
async fn a_change_replaces_every_setting_and_is_a_new_version() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    let before = get(&gateway, &path).await.1;
    gateway.advance(SignedDuration::from_secs(60));
    let first = json!({"name": "one", "slug": "github", "description": "d", "is_active": false, "max_body_bytes": 10});
    changed(&gateway, &path, first).await;
    let after = changed(&gateway, &path, json!({"name": "two", "slug": "github"})).await;

    let mut expected = before["data"].clone();
    let now = gateway.clock.now().to_string();
    let more = json!({"name": "two", "version": 3, "updated_at": now});
    merge(&mut expected, more);
    assert_eq!(after["data"], expected, "what is left out is back at its default, but for proof and event type");
    assert_eq!(get(&gateway, &path).await.1["data"], after["data"]);
}

/// Switches a webhook off as the gateway does when a rule says so.
async fn disable(gateway: &TestGateway, path: &str) {
    let store = &gateway.instance(0).management_app.store;
    let tenant = TenantSlug::try_from(TENANT.to_owned()).expect("a slug");
    let id: InboundWebhookId = path.trim_start_matches(WEBHOOKS).trim_start_matches('/').parse().expect("an id");
    let before = store.inbound_webhook(&tenant, id).await.expect("read").expect("a webhook");
    let after = InboundWebhook {
        version: before.version + 1,
        is_active: false,
        auto_disabled_at: Some(gateway.clock.now()),
        ..before.clone()
    };
    store.update_inbound_webhook(&before, &after).await.expect("stored");
}

#[tokio::test]
async fn being_active_again_ends_an_automatic_disabling() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    disable(&gateway, &path).await;
    let now = json!(gateway.clock.now().to_string());
    let (_, shown) = get(&gateway, &path).await;
    assert_eq!((&shown["data"]["auto_disabled_at"], &shown["data"]["is_active"]), (&now, &json!(false)));
    gateway.advance(SignedDuration::from_secs(60));

    let still_off = changed(&gateway, &path, json!({"name": "x", "slug": "github", "is_active": false})).await;
    assert_eq!(still_off["data"]["auto_disabled_at"], now, "a change that leaves it off leaves the reason");
    let on = changed(&gateway, &path, json!({"name": "x", "slug": "github"})).await;
    assert_eq!((&on["data"]["auto_disabled_at"], &on["data"]["is_active"]), (&json!(null), &json!(true)));
    assert_eq!(sent(&gateway, URL, SECRET).await, StatusCode::OK);
}

#[tokio::test]
async fn a_change_without_a_secret_keeps_the_secret() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    let answer = changed(&gateway, &path, json!({"name": "x", "slug": "github"})).await;
    assert_eq!(answer["secret"], json!(null));
    assert_eq!(sent(&gateway, URL, SECRET).await, StatusCode::OK);
}

#[tokio::test]
async fn a_change_with_a_secret_makes_that_the_only_one() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    let new = "another secret of mine";
    let config = json!({"type": "hmac_sha256", "secret": new});
    let answer = changed(&gateway, &path, json!({"name": "x", "slug": "github", "auth_config": config})).await;
    assert_eq!(answer["secret"], json!(new));
    assert_eq!(sent(&gateway, URL, new).await, StatusCode::OK);
    assert_eq!(sent(&gateway, URL, SECRET).await, StatusCode::UNAUTHORIZED);
    assert!(!get(&gateway, &path).await.1.to_string().contains(new));
}

#[tokio::test]
async fn asking_for_signatures_where_none_were_makes_a_secret_and_keeps_the_key() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(WEBHOOKS, json!({"name": "x"})).await;
    let path = format!("{WEBHOOKS}/{}", text(&made["data"]["id"]));
    let url = format!("/api/v1/webhooks/{}", text(&made["data"]["webhook_key"]));
    let signed = changed(&gateway, &path, json!({"name": "x", "auth_type": "hmac_sha256"})).await;
    let secret = text(&signed["secret"]);
    assert_eq!((secret.len(), &signed["data"]["webhook_key"]), (64, &made["data"]["webhook_key"]));
    assert_eq!(sent(&gateway, &url, &secret).await, StatusCode::OK);
    assert_eq!(sent(&gateway, &url, SECRET).await, StatusCode::UNAUTHORIZED);

    let open = changed(&gateway, &path, json!({"name": "x", "auth_type": "none"})).await;
    assert_eq!((&open["secret"], &open["data"]["auth_type"]), (&json!(null), &json!("none")));
    assert_eq!(sent(&gateway, &url, SECRET).await, StatusCode::OK);
    let again = changed(&gateway, &path, json!({"name": "x", "auth_type": "hmac_sha256"})).await;
    assert_ne!(text(&again["secret"]), secret, "the old secret died with its proof");
}

/// D18: a slug can change.
#[tokio::test]
async fn a_slug_can_move_and_leaves_its_old_place_free() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    let answer = changed(&gateway, &path, json!({"name": "x", "slug": "hub"})).await;
    assert_eq!(answer["data"]["url"], json!("https://hooks.example.com/api/inbound/default/hub"));
    assert_eq!(sent(&gateway, "/api/inbound/default/hub", SECRET).await, StatusCode::OK);
    assert_eq!(sent(&gateway, URL, SECRET).await, StatusCode::UNAUTHORIZED);
    gateway.webhook("github", json!({})).await;
}

/// D18: a slug is taken within its tenant, also for one that moves.
#[tokio::test]
async fn a_slug_cannot_move_to_where_another_webhook_is() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    gateway.webhook("hub", json!({})).await;
    let answer = put(&gateway, &path, json!({"name": "x", "slug": "hub"})).await;
    refused(&answer, StatusCode::CONFLICT, "slug_taken");
    assert_eq!(get(&gateway, &path).await.1["data"]["version"], json!(1), "nothing was changed");
}

#[tokio::test]
async fn a_webhook_stays_with_the_form_of_url_that_it_has() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    refused_field(&put(&gateway, &path, json!({"name": "x"})).await, "slug");
    let made = gateway.create(WEBHOOKS, json!({"name": "x"})).await;
    let path = format!("{WEBHOOKS}/{}", text(&made["data"]["id"]));
    refused_field(&put(&gateway, &path, json!({"name": "x", "slug": "hub"})).await, "slug");
}

#[tokio::test]
async fn the_id_in_the_path_wins() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    let other = gateway.webhook("hub", json!({})).await;
    let answer = changed(&gateway, &path, json!({"id": other, "name": "mine", "slug": "github"})).await;
    assert!(path.ends_with(&text(&answer["data"]["id"])));
    let (_, untouched) = get(&gateway, &format!("{WEBHOOKS}/{other}")).await;
    assert_eq!((&untouched["data"]["name"], &untouched["data"]["version"]), (&json!("hub"), &json!(1)));
}

#[tokio::test]
async fn a_wrong_change_changes_nothing() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    refused_field(&put(&gateway, &path, json!({"name": "x", "slug": "github", "max_body_bytes": 0})).await, "max_body");
    let answer = put(&gateway, &path, json!({"name": "x", "slug": "github", "auth_type": "none"})).await;
    refused(&answer, StatusCode::BAD_REQUEST, "proof_required");
    let (_, shown) = get(&gateway, &path).await;
    assert_eq!((&shown["data"]["name"], &shown["data"]["version"]), (&json!("github"), &json!(1)));
}

/// Every change that was answered with 200 is a version of its own, and every other was told that it lost.
#[tokio::test]
async fn changes_at_the_same_time_do_not_undo_each_other() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    let changes = (0..8).map(|n| put(&gateway, &path, json!({"name": format!("n{n}"), "slug": "github"})));
    let answers = join_all(changes).await;
    let mut versions = Vec::new();
    for answer in &answers {
        match answer.0 {
            StatusCode::OK => versions.push(answer.1["data"]["version"].as_u64().expect("a version")),
            _ => drop(refused(answer, StatusCode::CONFLICT, "conflict")),
        }
    }
    versions.sort_unstable();
    let last = u64::try_from(versions.len()).expect("a few") + 1;
    assert_eq!(versions, (2..=last).collect::<Vec<_>>());
    assert_eq!(get(&gateway, &path).await.1["data"]["version"], json!(last));
    assert!(versions.len() < 8, "they were made at the same time");
}

/// Defect 14: a change that says nothing of the proof or the event type takes neither away.
#[tokio::test]
async fn defect_14_a_change_that_does_not_mention_the_proof_keeps_it() {
    let gateway = TestGateway::new().await;
    let config =
        json!({"type": "all", "of": [{"type": "bearer"}, {"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]}]});
    let made = json!({"name": "Key", "event_type": "ticket.made", "auth_config": config});
    let made = gateway.create(WEBHOOKS, made).await;
    let path = format!("{WEBHOOKS}/{}", text(&made["data"]["id"]));
    let (status, changed) = put(&gateway, &path, json!({"name": "Renamed"})).await;
    assert_eq!((status, &changed["secret"]), (StatusCode::OK, &json!(null)));
    for kept in ["auth_type", "auth_config", "event_type"] {
        assert_eq!(changed["data"][kept], made["data"][kept], "{kept}");
    }
    assert_eq!(changed["data"]["name"], json!("Renamed"));
    let (_, open) = put(&gateway, &path, json!({"name": "Renamed", "auth_type": "none"})).await;
    assert_eq!(open["data"]["auth_type"], json!("none"), "said, it is done");
}
