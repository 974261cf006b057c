//! What is saved, by whom it is seen, and how many there may be.

use hookport_tests::gateway::text;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{BOOKMARKS, EVENTS, call, forget, gateway, published, refused, saved};

#[tokio::test]
async fn a_bookmark_shows_its_payload_by_its_id_alone() {
    let gateway = gateway().await;
    let event = published(&gateway).await;
    let path = saved(&gateway, &event).await;
    forget(&gateway);
    let listed = gateway.get(BOOKMARKS).await["data"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    let known = [&listed[0]["event_id"], &listed[0]["event_type"], &listed[0]["name"], &listed[0]["request"]];
    assert_eq!(known, [&json!(event), &json!("order.paid"), &json!("The odd one"), &Value::Null]);
    let shown = gateway.get(&path).await["data"].clone();
    let body: Value = serde_json::from_str(&text(&shown["request"]["body"])).expect("JSON");
    assert_eq!((&body["id"], &body["data"]), (&json!(event), &json!({"total": 1.5})));
    assert_eq!(shown["facts"]["scope"], "acme");
    assert_eq!(call(&gateway, Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::DELETE] {
        refused(&call(&gateway, method, &path, None).await, 404, "bookmark_not_found");
    }
    refused(&call(&gateway, Method::POST, &format!("{path}/send"), None).await, 404, "bookmark_not_found");
    assert_eq!(gateway.get(BOOKMARKS).await["data"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_saved_is_refused() {
    let gateway = gateway().await;
    let event = published(&gateway).await;
    let sink = hookport_tests::Sink::start().await;
    gateway.subscribe(&sink, &["order.paid"], json!({})).await;
    let own = text(&gateway.get(&format!("{EVENTS}?type=subscription.activated")).await["data"][0]["id"]);
    let unknown = "evt_01m5w3rm008000000400000003";
    let cases = [
        (json!({"event_id": unknown, "name": "x"}), 404, "event_not_found"),
        (json!({"event_id": "sub_01m5w3rm008000000400000003", "name": "x"}), 400, "invalid_request"),
        (json!({"event_id": event}), 400, "invalid_request"),
        (json!({"event_id": event, "name": " "}), 400, "invalid_request"),
        (json!({"event_id": event, "name": "x", "payload": {}}), 400, "invalid_request"),
        (json!({"event_id": own, "name": "x"}), 400, "invalid_request"),
    ];
    for (body, status, code) in cases {
        refused(&call(&gateway, Method::POST, BOOKMARKS, Some(body)).await, status, code);
    }
    // The row may still be there when its payload has come to its end.
    gateway.advance(SignedDuration::from_hours(30 * 24));
    let body = json!({"event_id": event, "name": "x"});
    refused(&call(&gateway, Method::POST, BOOKMARKS, Some(body)).await, 409, "body_expired");
}

#[tokio::test]
async fn another_tenant_sees_and_sends_nothing() {
    let gateway = gateway().await;
    let event = published(&gateway).await;
    let path = saved(&gateway, &event).await;
    let made = gateway.create("/api/v1/tenants", json!({"slug": "rival", "name": "Rival"})).await;
    let rival = made["token"].as_str().or(made["data"]["token"].as_str()).expect("the first token of a tenant");
    let send = format!("{path}/send");
    for (method, path) in [(Method::GET, &path), (Method::DELETE, &path), (Method::POST, &send)] {
        refused(&gateway.api(method, path, rival, None).await, 404, "bookmark_not_found");
    }
    assert_eq!(gateway.api(Method::GET, BOOKMARKS, rival, None).await.1["data"], json!([]));
    let body = json!({"event_id": event, "name": "x"});
    refused(&gateway.api(Method::POST, BOOKMARKS, rival, Some(body)).await, 404, "event_not_found");
    gateway.get(&path).await;
}

#[tokio::test]
async fn a_tenant_has_200_bookmarks_at_most() {
    let gateway = gateway().await;
    let event = published(&gateway).await;
    let mut last = String::new();
    for _ in 0..200 {
        last = saved(&gateway, &event).await;
    }
    let body = || Some(json!({"event_id": event, "name": "one more"}));
    refused(&call(&gateway, Method::POST, BOOKMARKS, body()).await, 409, "too_many");
    assert_eq!(call(&gateway, Method::DELETE, &last, None).await.0, StatusCode::NO_CONTENT);
    saved(&gateway, &event).await;
    refused(&call(&gateway, Method::POST, BOOKMARKS, body()).await, 409, "too_many");
}
