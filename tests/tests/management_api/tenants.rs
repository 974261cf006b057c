//! Tenants, as operators make and see them.

use futures_util::future::join;
use hookport_tests::gateway::{SECRET, TENANT, text};
use hookport_tests::{SenderRequest, Sink, TestGateway};
use http::header::AUTHORIZATION;
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{
    SUBSCRIPTIONS, TENANTS, TOKENS, WEBHOOKS, call, get, post, put, read, refused, refused_field, tenant,
};

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

/// Changes the operator's own tenant.
async fn changed(gateway: &TestGateway, body: Value) -> Value {
    let (status, answer) = put(gateway, &format!("{TENANTS}/{TENANT}"), body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["data"].clone()
}

#[tokio::test]
async fn what_a_change_of_a_tenant_leaves_out_stays_as_it_is() {
    let gateway = TestGateway::new().await;
    let path = format!("{TENANTS}/{TENANT}");
    let mut expected = get(&gateway, &path).await.1["data"].clone();
    for (body, field, value) in [
        (json!({"name": "Acme"}), "name", json!("Acme")),
        (json!({"outbound_enabled": false}), "outbound_enabled", json!(false)),
        (json!({"inbound_enabled": false, "name": null}), "inbound_enabled", json!(false)),
        (json!({"inbound_enabled": true}), "inbound_enabled", json!(true)),
        (json!({}), "name", json!("Acme")),
    ] {
        expected[field] = value;
        assert_eq!(changed(&gateway, body).await, expected);
        assert_eq!(get(&gateway, &path).await.1["data"], expected);
    }
}

#[tokio::test]
async fn a_change_of_a_tenant_that_makes_no_sense_is_refused() {
    let gateway = TestGateway::new().await;
    let path = format!("{TENANTS}/{TENANT}");
    for (body, field) in [
        (json!({"name": ""}), "name"),
        (json!({"inbound_enabled": "no"}), "inbound_enabled"),
        (json!({"slug": "other"}), "slug"),
    ] {
        refused_field(&put(&gateway, &path, body).await, field);
    }
    for unknown in ["nobody", "Not-A-Slug"] {
        let answer = put(&gateway, &format!("{TENANTS}/{unknown}"), json!({})).await;
        refused(&answer, StatusCode::NOT_FOUND, "tenant_not_found");
    }
    let admin = tenant(&gateway, "acme").await;
    let answer = call(&gateway, Method::PUT, &format!("{TENANTS}/acme"), &admin, Some(json!({"name": "Mine"}))).await;
    refused(&answer, StatusCode::FORBIDDEN, "forbidden");
}

/// D5: what is switched off looks as if it had never been there.
#[tokio::test]
async fn d5_urls_of_a_tenant_without_inbound_lead_nowhere_within_five_seconds() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let keyed = gateway.create(WEBHOOKS, json!({"name": "x"})).await;
    let key = format!("/api/v1/webhooks/{}", text(&keyed["data"]["webhook_key"]));
    let request = SenderRequest::json("{}").signed(SECRET);
    let nowhere = gateway.send(gateway.instance(0), "/api/inbound/default/nothing", &request).await;
    for (is_on, by_slug, by_key) in [(true, 200, 200), (false, 401, 404), (true, 200, 200)] {
        changed(&gateway, json!({"inbound_enabled": is_on})).await;
        gateway.advance(SignedDuration::from_secs(5));
        let slug = gateway.send(gateway.instance(0), "/api/inbound/default/github", &request).await;
        let key = gateway.send(gateway.instance(0), &key, &request).await;
        assert_eq!((slug.status().as_u16(), key.status().as_u16()), (by_slug, by_key));
        if !is_on {
            assert_eq!((slug.headers(), slug.body()), (nowhere.headers(), nowhere.body()));
        }
    }
}

#[tokio::test]
async fn a_side_that_is_off_is_refused_and_the_other_is_not() {
    let gateway = TestGateway::new().await;
    let webhook = format!("{WEBHOOKS}/{}", gateway.webhook("github", json!({})).await);
    let inbound = [WEBHOOKS.to_owned(), webhook.clone(), format!("{webhook}/deliveries"), format!("{webhook}/stats")];
    let outbound = [SUBSCRIPTIONS.to_owned()];
    let always = ["/api/v1/events", "/api/v1/deliveries", TOKENS, TENANTS].map(str::to_owned);
    for (inbound_enabled, outbound_enabled) in [(false, true), (true, false), (false, false), (true, true)] {
        let switches = json!({"inbound_enabled": inbound_enabled, "outbound_enabled": outbound_enabled});
        changed(&gateway, switches).await;
        for (paths, is_on, code) in [
            (inbound.as_slice(), inbound_enabled, "inbound_disabled"),
            (outbound.as_slice(), outbound_enabled, "outbound_disabled"),
            (always.as_slice(), true, ""),
        ] {
            for path in paths {
                let answer = get(&gateway, path).await;
                if is_on {
                    assert_eq!(answer.0, StatusCode::OK, "{path}: {}", answer.1);
                } else {
                    refused(&answer, StatusCode::FORBIDDEN, code);
                }
            }
        }
    }
    changed(&gateway, json!({"inbound_enabled": false})).await;
    let made = post(&gateway, WEBHOOKS, json!({"name": "x"})).await;
    refused(&made, StatusCode::FORBIDDEN, "inbound_disabled");
    let other = tenant(&gateway, "acme").await;
    let listed = call(&gateway, Method::GET, WEBHOOKS, &other, None).await;
    assert_eq!(listed.0, StatusCode::OK, "it is the switch of one tenant");
}

#[tokio::test]
async fn other_instances_see_a_switch_within_five_seconds() {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    let list = async || {
        let request = Request::get(WEBHOOKS).header(AUTHORIZATION, format!("Bearer {}", gateway.admin_token()));
        let request = request.body(bytes::Bytes::new()).expect("a request");
        read(&management::handle(&gateway.instance(1).management, request).await)
    };
    assert_eq!(list().await.0, StatusCode::OK);
    changed(&gateway, json!({"inbound_enabled": false})).await;
    gateway.advance(SignedDuration::from_secs(5));
    refused(&list().await, StatusCode::FORBIDDEN, "inbound_disabled");
}

/// The counter of a tenant's subscriptions stands beside the tenant, and dispatchers trust it.
#[tokio::test]
async fn a_change_of_a_tenant_keeps_the_counter_of_its_subscriptions() {
    let gateway = TestGateway::new().await;
    let (first, second) = (Sink::start().await, Sink::start().await);
    gateway.webhook("github", json!({})).await;
    gateway.subscribe(&first, &["github.*"], json!({})).await;
    let send = async || {
        let request = SenderRequest::json("{}").signed(SECRET);
        gateway.send(gateway.instance(0), "/api/inbound/default/github", &request).await;
        gateway.drain(gateway.instance(0)).await;
        gateway.advance(SignedDuration::from_secs(1));
    };
    send().await;
    changed(&gateway, json!({"name": "Renamed"})).await;
    gateway.subscribe(&second, &["github.*"], json!({})).await;
    send().await;
    assert_eq!((first.received().len(), second.received().len()), (2, 1));
}

#[tokio::test]
async fn of_two_operators_at_once_neither_loses_what_was_done() {
    for _ in 0..10 {
        let gateway = TestGateway::new().await;
        let path = format!("{TENANTS}/{TENANT}");
        let (inbound, outbound) = join(
            put(&gateway, &path, json!({"inbound_enabled": false})),
            put(&gateway, &path, json!({"outbound_enabled": false})),
        )
        .await;
        let tenant = get(&gateway, &path).await.1["data"].clone();
        let mut done = 0;
        for (answer, switch) in [(inbound, "inbound_enabled"), (outbound, "outbound_enabled")] {
            if answer.0 == StatusCode::OK {
                done += 1;
                assert_eq!(tenant[switch], json!(false), "{switch}");
            } else {
                refused(&answer, StatusCode::CONFLICT, "conflict");
                assert_eq!(tenant[switch], json!(true), "{switch}");
            }
        }
        assert!(done > 0);
    }
}
