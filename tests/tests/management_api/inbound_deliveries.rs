//! What a webhook received, as its owner sees it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport_tests::gateway::{SECRET, answer, text};
use hookport_tests::{SenderRequest, TestGateway};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::client::{WEBHOOKS, call, delete, get, ids, refused, refused_field, tenant};

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
        "webhook_key_id": null,
        "received_at": gateway.clock.now().to_string(),
        "auth_status": "verified",
        "event_id": id.replace("ind_", "evt_"),
        "event_type": "github.push",
        "idempotency_key": null,
        "status": "pending",
        "duplicate_of": null,
        "handshake": null,
        "is_replay": false,
        "replayed_from": null,
        "is_test": false,
        "response_status": 200,
        "latency_ms": 0,
        "error": null,
        "violations": [],
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

/// The deliveries of all webhooks of a tenant.
const ALL: &str = "/api/v1/inbound-deliveries";

/// What a list gives for a query.
async fn listed(gateway: &TestGateway, list: &str, query: &str) -> Vec<String> {
    let (status, page) = get(gateway, &format!("{list}?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{query}: {page}");
    assert_eq!(page["meta"]["next_cursor"], json!(null), "{query}");
    ids(&page)
}

/// D16: both lists take the same filters, alone and together.
#[tokio::test]
async fn d16_deliveries_are_filtered() {
    let gateway = TestGateway::new().await;
    let source = json!({"idempotency_source": {"type": "header", "value": "x-key"}});
    let webhook = gateway.webhook("github", source).await;
    let keyed = |key: &str| SenderRequest::json("{}").with("x-key", key);
    let first = received(&gateway, keyed("k1")).await;
    gateway.drain(gateway.instance(0)).await;
    gateway.advance(SignedDuration::from_secs(1));
    let second = received(&gateway, keyed("k2")).await;
    gateway.advance(SignedDuration::from_secs(1));
    received(&gateway, keyed("k1")).await;
    let list = format!("{WEBHOOKS}/{webhook}/deliveries");
    let [repetition, ..] = &listed(&gateway, &list, "status=duplicate").await[..] else { panic!("a repetition") };
    for list in [&list, ALL] {
        assert_eq!(listed(&gateway, list, "status=pending").await, std::slice::from_ref(&second));
        assert_eq!(listed(&gateway, list, "status=dispatched").await, std::slice::from_ref(&first));
        assert_eq!(listed(&gateway, list, "idempotency_key=k1").await, [repetition.clone(), first.clone()]);
        assert_eq!(listed(&gateway, list, "idempotency_key=k1&status=dispatched").await, std::slice::from_ref(&first));
        assert_eq!(listed(&gateway, list, &format!("id={second}")).await, std::slice::from_ref(&second));
        assert!(listed(&gateway, list, &format!("id={second}&status=stuck")).await.is_empty());
        assert_eq!(listed(&gateway, list, "auth_status=verified").await.len(), 3);
        assert!(listed(&gateway, list, "auth_status=rejected_signature").await.is_empty(), "they are in a log");
    }
}

/// D16: both ends of a period belong to it, and pages follow each other within it.
#[tokio::test]
async fn d16_deliveries_of_a_period_are_listed() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let start = gateway.clock.now();
    let mut made = Vec::new();
    for n in 0..30 {
        made.insert(0, received(&gateway, SenderRequest::json(format!("{{\"n\":{n}}}"))).await);
        gateway.advance(SignedDuration::from_secs(1));
    }
    let at = |seconds: i64| -> Timestamp { start + SignedDuration::from_secs(seconds) };
    for list in [&format!("{WEBHOOKS}/{webhook}/deliveries"), ALL] {
        let (from, to) = (at(10), at(19));
        assert_eq!(listed(&gateway, list, &format!("date_from={from}&date_to={to}")).await, made[10..20]);
        let nothing = format!("date_from={from}&date_to={}", at(9));
        assert!(listed(&gateway, list, &nothing).await.is_empty());
        assert_eq!(listed(&gateway, list, &format!("date_from={}&limit=100", at(25))).await, made[..5]);
        assert_eq!(listed(&gateway, list, &format!("date_to={}&limit=100", at(4))).await, made[25..]);
        let outside = format!("id={}&date_to={}", made[0], at(4));
        assert!(listed(&gateway, list, &outside).await.is_empty());

        let mut seen = Vec::new();
        let mut query = format!("{list}?limit=4&date_from={from}&date_to={to}");
        for _ in 0..4 {
            let (_, page) = get(&gateway, &query).await;
            seen.extend(ids(&page));
            let Some(cursor) = page["meta"]["next_cursor"].as_str() else { break };
            query = format!("{list}?limit=4&date_from={from}&date_to={to}&cursor={cursor}");
        }
        assert_eq!(seen, made[10..20]);
    }
}

/// D16: the list of a tenant holds every webhook's deliveries, those of deleted ones too, and nobody else's.
#[tokio::test]
async fn d16_a_tenant_sees_the_deliveries_of_all_its_webhooks_and_no_others() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let other = gateway.webhook("other", json!({})).await;
    let one = received(&gateway, SenderRequest::json("{}")).await;
    gateway.advance(SignedDuration::from_secs(1));
    let request = SenderRequest::json("{}").signed(SECRET);
    let two = gateway.send(gateway.instance(0), "/api/inbound/default/other", &request).await;
    let two = text(&answer(&two)["delivery_id"]);
    assert_eq!(delete(&gateway, &format!("{WEBHOOKS}/{other}")).await.0, StatusCode::NO_CONTENT);
    assert_eq!(listed(&gateway, ALL, "").await, [two.clone(), one.clone()]);
    assert_eq!(listed(&gateway, ALL, &format!("webhook={other}")).await, std::slice::from_ref(&two));
    assert_eq!(listed(&gateway, ALL, &format!("webhook={webhook}&id={two}")).await, [""; 0]);
    let stranger = tenant(&gateway, "acme").await;
    let (_, page) = call(&gateway, Method::GET, ALL, &stranger, None).await;
    assert_eq!(page["data"], json!([]));
    for query in [format!("{ALL}?webhook={webhook}"), format!("{WEBHOOKS}/{webhook}/deliveries")] {
        let answer = call(&gateway, Method::GET, &query, &stranger, None).await;
        refused(&answer, StatusCode::NOT_FOUND, "inbound_webhook_not_found");
    }
    let (_, page) = call(&gateway, Method::GET, &format!("{ALL}?id={one}"), &stranger, None).await;
    assert_eq!(page["data"], json!([]));
}

#[tokio::test]
async fn a_wrong_filter_is_named() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let wrong = ["status=done", "auth_status=maybe", "date_from=yesterday", "date_to=2026-01-01", "id=rej_1", "page=1"];
    for list in [&format!("{WEBHOOKS}/{webhook}/deliveries"), ALL] {
        for query in wrong {
            let name = query.split('=').next().unwrap_or_default();
            refused_field(&get(&gateway, &format!("{list}?{query}")).await, name);
        }
    }
    refused_field(&get(&gateway, &format!("{WEBHOOKS}/{webhook}/deliveries?webhook={webhook}")).await, "webhook");
}
