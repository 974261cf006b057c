//! What is sent, and to whom.

use hookport_tests::gateway::{SECRET, text};
use hookport_tests::inbound::{URL, kept};
use hookport_tests::{SenderRequest, Sink};
use http::Method;
use serde_json::{Value, json};

use crate::{BOOKMARKS, EVENT_TYPES, EVENTS, bodies, call, forget, gateway, published, refused, saved, sent};

/// Text of so many kibibytes that cannot be packed much.
fn noise(kib: usize) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = 1_u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(letters[usize::try_from(state >> 58).expect("six bits")])
    };
    (0..kib * 1024).map(|_| letter()).collect()
}

#[tokio::test]
async fn a_saved_event_is_sent_as_a_new_one_when_the_old_one_is_long_gone() {
    let gateway = gateway().await;
    let event = published(&gateway).await;
    let path = saved(&gateway, &event).await;
    forget(&gateway);
    refused(&call(&gateway, Method::GET, &format!("{EVENTS}/{event}"), None).await, 404, "event_not_found");
    // Who wants it is asked now.
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["order.*"], json!({"entity_ids": ["7"], "scope": "acme"})).await;
    let new = sent(&gateway, &path, None).await;
    assert_ne!(new["event_id"], json!(event));
    assert_eq!(new["delivery_id"], Value::Null);
    let expected = json!({
        "id": new["event_id"],
        "type": "order.paid",
        "timestamp": gateway.clock.now().to_string(),
        "entity_type": "order",
        "entity_id": "7",
        "scope": "acme",
        "data": {"total": 1.5},
        "previous": {"total": 1},
    });
    assert_eq!(bodies(&sink), [expected]);
    let shown = gateway.get(&format!("{EVENTS}/{}", text(&new["event_id"]))).await["data"].clone();
    assert_eq!((&shown["source"]["kind"], &shown["status"]), (&json!("published"), &json!("dispatched")));
    assert_eq!(shown["facts"]["entity_id"], "7");
    let again = sent(&gateway, &path, Some(json!({}))).await;
    assert_ne!(again["event_id"], new["event_id"], "each time is another event");
    assert_eq!(sink.received().len(), 2);
}

#[tokio::test]
async fn a_received_body_is_sent_byte_for_byte_also_when_large() {
    for kib in [300, 900] {
        let gateway = gateway().await;
        gateway.webhook("github", json!({})).await;
        let body = json!({"noise": noise(kib), "exact": 1.10}).to_string();
        let request = SenderRequest::json(body.clone()).with("x-note", "kept").signed(SECRET);
        kept(&gateway, URL, &request).await;
        gateway.drain(gateway.instance(0)).await;
        let event = text(&gateway.get(&format!("{EVENTS}?type=github.push")).await["data"][0]["id"]);
        let path = saved(&gateway, &event).await;
        forget(&gateway);
        let shown = gateway.get(&path).await["data"].clone();
        assert_eq!((&shown["request"]["body"], &shown["body_bytes"]), (&json!(body), &json!(body.len())));
        let headers = shown["request"]["headers"].as_array().expect("headers").clone();
        assert!(headers.contains(&json!({"name": "x-note", "value": "kept"})), "{headers:?}");
        let sink = Sink::start().await;
        gateway.subscribe(&sink, &["github.*"], json!({})).await;
        sent(&gateway, &path, None).await;
        let received = sink.received();
        assert_eq!(received.len(), 1, "{kib} KiB");
        assert!(received[0].body == body.as_bytes(), "{kib} KiB");
        assert_eq!(received[0].header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn one_subscription_alone_gets_it_whatever_it_wants() {
    let gateway = gateway().await;
    gateway.create(EVENT_TYPES, json!({"ref": "order.lost"})).await;
    let (wanting, chosen) = (Sink::start().await, Sink::start().await);
    gateway.subscribe(&wanting, &["order.paid"], json!({})).await;
    let subscription = gateway.subscribe(&chosen, &["order.lost"], json!({})).await;
    let subscription = text(&subscription["data"]["id"]);
    let path = saved(&gateway, &published(&gateway).await).await;
    wanting.forget();
    let new = sent(&gateway, &path, Some(json!({"subscription_id": subscription}))).await;
    gateway.tick(gateway.instance(0)).await;
    gateway.drain(gateway.instance(0)).await;
    assert!(wanting.received().is_empty());
    let received = bodies(&chosen);
    assert_eq!((received.len(), &received[0]["id"]), (1, &new["event_id"]));
    assert_eq!(chosen.received()[0].header("webhook-id"), text(&new["event_id"]));
    let delivery = gateway.get(&format!("/api/v1/deliveries/{}", text(&new["delivery_id"]))).await["data"].clone();
    assert_eq!((&delivery["event_id"], &delivery["state"]), (&new["event_id"], &json!("delivered")));
    let event = gateway.get(&format!("{EVENTS}/{}", text(&new["event_id"]))).await["data"].clone();
    assert_eq!((&event["subscriptions"], &event["status"]), (&json!([subscription]), &json!("dispatched")));

    let paused = format!("/api/v1/subscriptions/{subscription}/pause");
    assert!(call(&gateway, Method::POST, &paused, None).await.0.is_success());
    let wish = json!({"subscription_id": subscription});
    let answer = call(&gateway, Method::POST, &format!("{path}/send"), Some(wish)).await;
    refused(&answer, 409, "subscription_state");
}

#[tokio::test]
async fn sending_needs_the_permissions_of_what_it_does() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let subscription = gateway.subscribe(&sink, &["order.paid"], json!({})).await;
    let path = format!("{}/send", saved(&gateway, &published(&gateway).await).await);
    let token = async |body: Value| text(&gateway.create("/api/v1/api-tokens", body).await["token"]);
    let wish = || Some(json!({"subscription_id": subscription["data"]["id"]}));

    let publisher = token(json!({"name": "t", "permissions": ["event:publish"]})).await;
    assert_eq!(gateway.api(Method::POST, &path, &publisher, None).await.0, 202);
    refused(&gateway.api(Method::POST, &path, &publisher, wish()).await, 403, "forbidden");
    refused(&gateway.api(Method::GET, BOOKMARKS, &publisher, None).await, 403, "forbidden");

    let both = token(json!({"name": "t", "permissions": ["event:publish", "delivery:retry"]})).await;
    assert_eq!(gateway.api(Method::POST, &path, &both, wish()).await.0, 202);
    let retrier = token(json!({"name": "t", "permissions": ["delivery:retry"]})).await;
    refused(&gateway.api(Method::POST, &path, &retrier, wish()).await, 403, "forbidden");

    let body = json!({"name": "t", "owner": "ann", "permissions": ["event:publish", "delivery:retry"]});
    let of_owner = token(body).await;
    refused(&gateway.api(Method::POST, &path, &of_owner, None).await, 404, "bookmark_not_found");
}
