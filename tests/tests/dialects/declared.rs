//! Dialects of a tenant's own: adding, replacing, deleting them, and what becomes of subscriptions meanwhile.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::dialect::{DialectName, catalogue};
use hookport::domain::text::TenantSlug;
use hookport_tests::TestGateway;
use hookport_tests::gateway::{TENANT, merge, text};
use hookport_tests::inbound::list;
use hookport_tests::senders::hmac_sha256;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::target::Target;
use crate::{
    DIALECTS, SUBSCRIPTIONS, TOKENS, call, deliveries, gateway, invoice, newest, path, post, published, refused,
    settings, state, subscribed,
};

/// A row called `acme`; `more` changes members.
fn row(more: Value) -> Value {
    let mut row = json!({
        "name": "acme",
        "method": "PUT",
        "own_headers": false,
        "headers": {"x-acme-event": "{type}"},
        "body": {"as": "json", "json": {"what": "{type}", "note": "{data:/note}"}},
        "signatures": [{
            "type": "mac", "algorithm": "hmac-sha256", "encoding": "base64",
            "signed": "{body}", "headers": ["x-acme-signature"], "value": "{signature}",
        }],
        "secret": "hex",
    });
    merge(&mut row, more);
    json!({"row": row})
}

async fn add(gateway: &TestGateway, more: Value) -> Value {
    gateway.create(DIALECTS, row(more)).await["data"].clone()
}

/// The text of a token that is bound to an owner, if one is named.
async fn token(gateway: &TestGateway, owner: Value, permissions: &[&str]) -> String {
    let body = json!({"name": "t", "owner": owner, "permissions": permissions});
    text(&gateway.create(TOKENS, body).await["token"])
}

#[tokio::test]
async fn a_dialect_is_added_listed_and_shown_with_its_row() {
    let gateway = gateway().await;
    let added = add(&gateway, json!({"summary": "Acme's own."})).await;
    assert_eq!((&added["name"], &added["summary"]), (&json!("acme"), &json!("Acme's own.")));
    assert_eq!((&added["is_own"], &added["is_signed"]), (&json!(true), &json!(true)));
    assert_eq!(added["is_asymmetric"], false);
    assert_eq!(gateway.get(&format!("{DIALECTS}/acme")).await["data"], added);

    let all = list(&gateway, DIALECTS).await;
    let names: Vec<String> = all.iter().map(|one| text(&one["name"])).collect();
    let built_in = catalogue::all().iter().map(|dialect| dialect.name.to_string());
    assert_eq!(names, std::iter::once("acme".to_owned()).chain(built_in).collect::<Vec<_>>());

    // What is shown of a built-in one is a row, from which one's own can be made.
    let mut hub = gateway.get(&format!("{DIALECTS}/hub")).await["data"].clone();
    assert_eq!((&hub["is_own"], &hub["is_signed"]), (&json!(false), &json!(true)));
    hub["row"]["name"] = json!("my-hub");
    let mine = gateway.create(DIALECTS, json!({"row": hub["row"]})).await;
    assert_eq!(mine["data"]["row"], hub["row"]);
    let missing = call(&gateway, Method::GET, &format!("{DIALECTS}/nobodys"), None).await;
    refused(&missing, 404, "dialect_not_found");
}

/// B1, B20: a tenant's own dialect is signed over the bytes on the wire; one that is replaced speaks differently from
/// the next delivery on.
#[tokio::test]
async fn b20_what_is_replaced_speaks_differently_from_the_next_delivery_on() {
    let gateway = gateway().await;
    let target = Target::start().await;
    add(&gateway, json!({})).await;
    let made = subscribed(&gateway, &target, json!({"dialect": "acme"})).await;
    assert_eq!(state(&gateway, &made).await, "active");
    published(&gateway, invoice()).await;
    let request = newest(&target);
    assert_eq!((&request.method, request.header("x-acme-event")), (&Method::PUT, "invoice.paid"));
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(body, json!({"what": "invoice.paid", "note": "<a> & é"}));
    let signature = STANDARD.encode(hmac_sha256(&text(&made["secret"]), &request.body));
    assert_eq!(request.header("x-acme-signature"), signature);
    assert_ne!(STANDARD.encode(hmac_sha256("another secret", &request.body)), signature);
    assert_eq!(request.header("webhook-id"), "", "it asked for none of the gateway's headers");

    add(&gateway, json!({"method": "PATCH", "headers": {"x-acme-kind": "{type}"}})).await;
    published(&gateway, invoice()).await;
    let request = newest(&target);
    assert_eq!((&request.method, request.header("x-acme-kind")), (&Method::PATCH, "invoice.paid"));
    assert_eq!(request.header("x-acme-event"), "");
    assert_eq!(list(&gateway, DIALECTS).await.len(), catalogue::all().len() + 1, "there is one of the name");
}

#[tokio::test]
async fn a_dialect_is_deleted_once_no_subscription_has_it() {
    let gateway = gateway().await;
    let target = Target::start().await;
    add(&gateway, json!({})).await;
    let acme = format!("{DIALECTS}/acme");
    for more in [json!({"dialect": "acme"}), json!({"also_sign": ["acme"]})] {
        let made = subscribed(&gateway, &target, more).await;
        let message = refused(&call(&gateway, Method::DELETE, &acme, None).await, 409, "dialect_in_use");
        assert!(message.contains(made["data"]["id"].as_str().expect("an id")), "{message}");
        assert_eq!(call(&gateway, Method::DELETE, &path(&made), None).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(call(&gateway, Method::DELETE, &acme, None).await.0, StatusCode::NO_CONTENT);
    refused(&call(&gateway, Method::DELETE, &acme, None).await, 404, "dialect_not_found");
    let answer = post(&gateway, SUBSCRIPTIONS, settings(&target, json!({"dialect": "acme"}))).await;
    assert!(refused(&answer, 400, "invalid_request").starts_with("dialect"));
}

#[tokio::test]
async fn built_in_names_are_taken_and_rows_have_rules() {
    let gateway = gateway().await;
    for dialect in catalogue::all() {
        let answer = post(&gateway, DIALECTS, row(json!({"name": dialect.name}))).await;
        refused(&answer, 409, "dialect_built_in");
        let answer = call(&gateway, Method::DELETE, &format!("{DIALECTS}/{}", dialect.name), None).await;
        refused(&answer, 404, "dialect_not_found");
    }
    let signature = |more: Value| {
        let mut signature = row(json!({}))["row"]["signatures"][0].clone();
        merge(&mut signature, more);
        json!({"signatures": [signature]})
    };
    let many: Map<String, Value> = (0..21).map(|n| (format!("x-{n}"), json!("x"))).collect();
    let cases = [
        json!({"name": "Acme"}),
        json!({"name": "a".repeat(64)}),
        json!({"name": null}),
        json!({"unheard_of": 1}),
        json!({"method": "TRACE"}),
        json!({"proof": "message"}),
        json!({"summary": "x".repeat(201)}),
        json!({"user_agent": "a\r\nb"}),
        json!({"content_type": ""}),
        json!({"headers": {"webhook-id": "x"}}),
        json!({"headers": {"Host": "x"}}),
        json!({"headers": {"x-acme": "{nothing}"}}),
        json!({"headers": {"x-acme": "{body}"}}),
        json!({"headers": many}),
        json!({"body": {"as": "xml"}}),
        json!({"body": {"as": "json", "json": "{signature}"}}),
        json!({"body": {"as": "json", "json": vec![1; 300]}}),
        json!({"signatures": [{"type": "standard"}]}),
        signature(json!({"algorithm": "ed25519"})),
        signature(json!({"signed": "{id}"})),
        signature(json!({"value": "nothing"})),
        signature(json!({"headers": ["content-length"]})),
        signature(json!({"headers": []})),
        json!({"signatures": vec![row(json!({}))["row"]["signatures"][0].clone(); 5]}),
        json!({"body": {"as": "json", "json": vec!["x".repeat(2_000); 17]}}),
    ];
    for more in cases {
        let answer = post(&gateway, DIALECTS, row(more.clone())).await;
        let message = refused(&answer, 400, "invalid_request");
        assert!(message.starts_with("row"), "{more}: {message}");
    }
    refused(&post(&gateway, DIALECTS, row(json!({}))["row"].clone()).await, 400, "invalid_request");
    assert_eq!(list(&gateway, DIALECTS).await.len(), catalogue::all().len(), "none of them was added");
}

#[tokio::test]
async fn a_tenant_has_fifty_dialects_at_most() {
    let gateway = gateway().await;
    for n in 0..50 {
        add(&gateway, json!({"name": format!("acme-{n}")})).await;
    }
    refused(&post(&gateway, DIALECTS, row(json!({}))).await, 409, "too_many");
    add(&gateway, json!({"name": "acme-7", "method": "POST"})).await;
}

/// What all subscriptions of a tenant may speak is not for the token of one owner to say.
#[tokio::test]
async fn tokens_of_an_owner_choose_dialects_and_make_none() {
    let gateway = gateway().await;
    add(&gateway, json!({})).await;
    let reader = token(&gateway, Value::Null, &["subscription:read"]).await;
    let ann = token(&gateway, json!("ann"), &["subscription:read", "subscription:create", "subscription:update"]).await;
    for token in [&reader, &ann] {
        let (status, listed) = gateway.api(Method::GET, DIALECTS, token, None).await;
        assert_eq!(status, StatusCode::OK, "{listed}");
        let put = gateway.api(Method::POST, DIALECTS, token, Some(row(json!({"name": "anns"})))).await;
        refused(&put, 403, "forbidden");
        let deleted = gateway.api(Method::DELETE, &format!("{DIALECTS}/acme"), token, None).await;
        refused(&deleted, 403, "forbidden");
    }
    let target = Target::start().await;
    let body = settings(&target, json!({"dialect": "acme"}));
    let (status, made) = gateway.api(Method::POST, SUBSCRIPTIONS, &ann, Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    refused(&gateway.api(Method::GET, DIALECTS, "", None).await, 401, "unauthorized");
}

#[tokio::test]
async fn another_tenant_sees_none_of_it() {
    let gateway = gateway().await;
    add(&gateway, json!({})).await;
    let made = gateway.create("/api/v1/tenants", json!({"slug": "rival", "name": "Rival"})).await;
    let rival = made["token"].as_str().or(made["data"]["token"].as_str()).expect("the first token of a tenant");
    let as_rival = async |method: Method, path: &str, body: Option<Value>| gateway.api(method, path, rival, body).await;
    let acme = format!("{DIALECTS}/acme");
    let (_, listed) = as_rival(Method::GET, DIALECTS, None).await;
    assert!(!listed.to_string().contains("acme"), "{listed}");
    refused(&as_rival(Method::GET, &acme, None).await, 404, "dialect_not_found");
    refused(&as_rival(Method::DELETE, &acme, None).await, 404, "dialect_not_found");
    // It may have one of that name itself, which changes nothing for the first.
    let (status, answer) = as_rival(Method::POST, DIALECTS, Some(row(json!({"method": "PATCH"})))).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!(gateway.get(&acme).await["data"]["row"]["method"], "PUT");
}

/// A dialect that is gone all the same is a failure that another attempt may not meet.
#[tokio::test]
async fn a_delivery_whose_dialect_vanished_is_tried_again() {
    let gateway = gateway().await;
    let target = Target::start().await;
    add(&gateway, json!({})).await;
    let made = subscribed(&gateway, &target, json!({"dialect": "acme"})).await;
    let tenant = TenantSlug::try_from(TENANT.to_owned()).expect("a slug");
    let name = DialectName::try_from("acme".to_owned()).expect("a name");
    let store = &gateway.instance(0).management_app.store;
    assert!(store.delete_dialect(&tenant, &name).await.expect("the table answers"));

    published(&gateway, invoice()).await;
    let delivery = deliveries(&gateway, &made).await[0].clone();
    assert_eq!(
        (&delivery["state"], &delivery["attempts"][0]["error_code"]),
        (&json!("pending"), &json!("dialect_unknown"))
    );
    assert!(target.received().is_empty());

    add(&gateway, json!({})).await;
    gateway.advance(SignedDuration::from_secs(10));
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(deliveries(&gateway, &made).await[0]["state"], "delivered");
    assert_eq!(newest(&target).header("x-acme-event"), "invoice.paid");
}
