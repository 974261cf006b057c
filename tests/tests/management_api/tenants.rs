//! Tenants, as operators make and see them.

use hookport_tests::TestGateway;
use hookport_tests::gateway::{TENANT, text};
use http::{Method, StatusCode};
use serde_json::json;

use crate::client::{TENANTS, TOKENS, WEBHOOKS, call, get, post, refused, refused_field, tenant};

#[tokio::test]
async fn a_new_tenant_comes_with_its_administrators_token() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(TENANTS, json!({"slug": "acme", "name": " Acme Inc. "})).await;
    assert_eq!(made["data"]["name"], json!("Acme Inc."), "names are trimmed");
    assert_eq!(made["data"]["created_at"], json!(gateway.clock.now().to_string()));
    let admin = text(&made["token"]);
    let (status, tokens) = call(&gateway, Method::GET, TOKENS, &admin, None).await;
    assert_eq!((status, tokens["data"].as_array().map(Vec::len)), (StatusCode::OK, Some(1)));
    let (status, read) = get(&gateway, &format!("{TENANTS}/acme")).await;
    assert_eq!((status, &read["data"]), (StatusCode::OK, &made["data"]));
    assert!(!read.to_string().contains(&admin));
}

#[tokio::test]
async fn a_taken_slug_is_a_conflict() {
    let gateway = TestGateway::new().await;
    let admin = tenant(&gateway, "acme").await;
    let again = post(&gateway, TENANTS, json!({"slug": "acme", "name": "Another"})).await;
    refused(&again, StatusCode::CONFLICT, "tenant_exists");
    let still = call(&gateway, Method::GET, WEBHOOKS, &admin, None).await;
    assert_eq!(still.0, StatusCode::OK, "the first administrator's token is untouched");
}

#[tokio::test]
async fn a_slug_that_is_none_is_refused() {
    let gateway = TestGateway::new().await;
    let long = "a".repeat(65);
    for slug in ["", "Acme", "-a", "a-", "a b", "a/b", "*tenants", "#key", long.as_str()] {
        refused_field(&post(&gateway, TENANTS, json!({"slug": slug, "name": "x"})).await, "slug");
    }
}

#[tokio::test]
async fn operators_see_which_tenants_there_are() {
    let gateway = TestGateway::new().await;
    for slug in ["acme", "globex", "initech"] {
        tenant(&gateway, slug).await;
    }
    let (_, first) = get(&gateway, &format!("{TENANTS}?limit=3")).await;
    let cursor = text(&first["meta"]["next_cursor"]);
    let (_, second) = get(&gateway, &format!("{TENANTS}?limit=3&cursor={cursor}")).await;
    assert_eq!(second["meta"]["next_cursor"], json!(null));
    let mut slugs: Vec<_> =
        [first, second].iter().flat_map(|page| page["data"].as_array().cloned()).flatten().collect();
    slugs.sort_by_key(ToString::to_string);
    assert_eq!(json!(slugs), json!(["acme", TENANT, "globex", "initech"]));
    for unknown in ["nobody", "Not-A-Slug", "%F0%9F%92%A9"] {
        let answer = get(&gateway, &format!("{TENANTS}/{unknown}")).await;
        refused(&answer, StatusCode::NOT_FOUND, "tenant_not_found");
    }
}
