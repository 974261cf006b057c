//! What a webhook received, as its owner sees it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport_tests::gateway::{SECRET, answer, text};
use hookport_tests::{SenderRequest, TestGateway};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{WEBHOOKS, get, ids, refused};

const URL: &str = "/api/inbound/default/github";

/// Sends a request and gives the id of its delivery.
async fn received(gateway: &TestGateway, request: SenderRequest) -> String {
    let response = gateway.send(gateway.instance(0), URL, &request.signed(SECRET)).await;
    assert_eq!(response.status(), StatusCode::OK);
    text(&answer(&response)["delivery_id"])
}

#[tokio::test]
async fn a_received_request_is_shown_whole_without_its_credentials() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let body = r#"{"a": 1}"#;
    let request = SenderRequest::json(body).with("authorization", "Bearer hidden").with("x-kept", "seen");
    let id = received(&gateway, request).await;
    let (status, shown) = get(&gateway, &format!("{WEBHOOKS}/{webhook}/deliveries/{id}")).await;
    assert_eq!(status, StatusCode::OK);
    let expected = json!({
        "id": id,
        "webhook_id": webhook,
        "webhook_version": 1,
        "received_at": gateway.clock.now().to_string(),
        "event_id": id.replace("ind_", "evt_"),
        "event_type": "github.push",
        "idempotency_key": null,
        "status": "pending",
        "duplicate_of": null,
        "response_status": 200,
        "latency_ms": 0,
        "error": null,
        "redrives": 0,
    });
    let mut without_request = shown["data"].clone();
    without_request.as_object_mut().expect("an object").remove("request");
    assert_eq!(without_request, expected);
    let request = &shown["data"]["request"];
    assert_eq!((&request["method"], &request["path"]), (&json!("POST"), &json!(URL)));
    assert_eq!((&request["body"], &request["body_bytes"]), (&json!(body), &json!(8)));
    assert_eq!(request.get("body_base64"), None);
    let headers = request["headers"].as_array().expect("a list");
    assert!(headers.contains(&json!({"name": "x-kept", "value": "seen"})), "{headers:?}");
    let whole = shown.to_string();
    assert!(!whole.contains("hidden") && !whole.contains("x-hub-signature"), "{whole}");
}

#[tokio::test]
async fn a_body_that_is_no_text_is_shown_in_base64() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    for bytes in [vec![0xff, 0x00, 0xfe], (0..=255).cycle().take(100_000).collect::<Vec<u8>>()] {
        let request = SenderRequest::json(bytes.clone()).with("content-type", "application/octet-stream");
        let id = received(&gateway, request).await;
        let (_, shown) = get(&gateway, &format!("{WEBHOOKS}/{webhook}/deliveries/{id}")).await;
        let request = &shown["data"]["request"];
        assert_eq!((&request["body"], &request["body_bytes"]), (&json!(null), &json!(bytes.len())));
        assert_eq!(request["body_base64"], json!(STANDARD.encode(&bytes)));
    }
}

#[tokio::test]
async fn deliveries_are_listed_newest_first_in_pages_without_their_requests() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    gateway.webhook("other", json!({})).await;
    let mut made = Vec::new();
    for n in 0..7 {
        made.insert(0, received(&gateway, SenderRequest::json(format!("{{\"n\":{n}}}"))).await);
        gateway.advance(SignedDuration::from_secs(1));
    }
    let list = format!("{WEBHOOKS}/{webhook}/deliveries");
    let (_, first) = get(&gateway, &format!("{list}?limit=4")).await;
    let cursor = text(&first["meta"]["next_cursor"]);
    let (_, second) = get(&gateway, &format!("{list}?limit=4&cursor={cursor}")).await;
    assert_eq!([ids(&first), ids(&second)].concat(), made);
    assert_eq!(second["meta"], json!({"limit": 4, "next_cursor": null}));
    assert_eq!(first["data"][0].get("request"), None);
    let answer = get(&gateway, &format!("{list}?cursor=!")).await;
    refused(&answer, StatusCode::BAD_REQUEST, "invalid_cursor");
}

/// D16: a delivery is found under its own webhook only.
#[tokio::test]
async fn d16_a_delivery_of_another_webhook_is_not_found() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let other = gateway.webhook("other", json!({})).await;
    let id = received(&gateway, SenderRequest::json("{}")).await;
    let answer = get(&gateway, &format!("{WEBHOOKS}/{other}/deliveries/{id}")).await;
    refused(&answer, StatusCode::NOT_FOUND, "inbound_delivery_not_found");
    let (_, page) = get(&gateway, &format!("{WEBHOOKS}/{other}/deliveries")).await;
    assert_eq!(page["data"], json!([]));
}

#[tokio::test]
async fn repetitions_and_refused_requests_are_explained() {
    let gateway = TestGateway::new().await;
    let source = json!({"idempotency_source": {"type": "header", "value": "x-key"}});
    let webhook = gateway.webhook("github", source).await;
    let keyed = || SenderRequest::json("{}").with("x-key", "k1");
    let first = received(&gateway, keyed()).await;
    gateway.advance(SignedDuration::from_secs(1));
    assert_eq!(received(&gateway, keyed()).await, first, "the sender is told the first id");
    gateway.advance(SignedDuration::from_secs(1));
    let broken = SenderRequest::json("{").signed(SECRET);
    assert_eq!(gateway.send(gateway.instance(0), URL, &broken).await.status(), StatusCode::BAD_REQUEST);

    let (_, page) = get(&gateway, &format!("{WEBHOOKS}/{webhook}/deliveries")).await;
    let member = |name: &str| -> Vec<Value> {
        page["data"].as_array().expect("a list").iter().map(|delivery| delivery[name].clone()).collect()
    };
    assert_eq!(member("status"), [json!("failed"), json!("duplicate"), json!("pending")]);
    assert_eq!(member("duplicate_of"), [json!(null), json!(first), json!(null)]);
    assert_eq!(member("error"), [json!("invalid_json"), json!(null), json!(null)]);
    assert_eq!(member("idempotency_key"), [json!(null), json!("k1"), json!("k1")]);
    assert_eq!(member("response_status"), [json!(400), json!(200), json!(200)]);
    let (_, events) = get(&gateway, "/api/v1/events").await;
    assert_eq!(ids(&events), [first.replace("ind_", "evt_")], "only the first became an event");
}
