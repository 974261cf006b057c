//! Defects 20, 28, 30 and 36: what becomes of requests that are refused.

use futures_util::future::join_all;
use hookport::domain::rejection::RejectionLog;
use hookport::store::keys;
use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::gateway::{SECRET, TestGateway};
use hookport_tests::{SenderRequest, Sink};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{URL, WEBHOOKS, call, items, kept, keyed, list, rejections, rows, sent, tenant};

/// A body that is too large is answered with 413 and logged as that, on either form of URL.
#[tokio::test]
async fn defect_20_what_a_sender_is_answered_is_what_is_logged() {
    let gateway = TestGateway::new().await;
    let by_slug = gateway.webhook("github", json!({"max_body_bytes": 10})).await;
    let config = json!({"type": "hmac_sha256", "secret": SECRET});
    let (by_key, key_url) = keyed(&gateway, json!({"max_body_bytes": 10, "auth_config": config})).await;
    let large = SenderRequest::json(vec![b' '; 11]).signed(SECRET);
    for (webhook, url) in [(&by_slug, URL), (&by_key, key_url.as_str())] {
        for (request, reason, status) in [
            (&large, "too_large", 413),
            (&SenderRequest::json("{}"), "signature_missing", 401),
            (&large, "too_large", 413),
        ] {
            gateway.advance(SignedDuration::from_secs(1));
            assert_eq!(sent(&gateway, url, request).await, status, "{url}");
            let log = rejections(&gateway, webhook).await;
            let told = json!([log[0]["reason"], log[0]["response_status"], log[0]["body_bytes"]]);
            assert_eq!(told, json!([reason, status, request.body.len()]), "{url}");
        }
        assert_eq!((rejections(&gateway, webhook).await.len(), rows(&gateway, webhook).await.len()), (3, 0), "{url}");
    }
}

/// Whatever a request was refused for, nothing makes a delivery of it, under its own id or another spelling of it.
#[tokio::test]
async fn defect_28_what_was_refused_is_never_handled() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let limit = json!({"requests": 1, "window_seconds": 60});
    let webhook = gateway.webhook("github", json!({"max_body_bytes": 10, "rate_limit": limit})).await;
    let config = json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]});
    let listed = gateway.webhook("listed", json!({"auth_type": "ip_allowlist", "auth_config": config})).await;
    let (off, off_url) = keyed(&gateway, json!({"is_active": false})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let proven = SenderRequest::json("{}").signed(SECRET);
    kept(&gateway, URL, &proven).await;
    gateway.drain(gateway.instance(0)).await;
    for (url, request, status) in [
        (URL, SenderRequest::json("{}"), 401),
        (URL, proven.clone().signed("another secret"), 401),
        (URL, SenderRequest::json(vec![b' '; 11]).signed(SECRET), 413),
        (URL, proven.clone(), 429),
        ("/api/inbound/default/listed", proven.clone(), 401),
        (off_url.as_str(), proven.clone(), 403),
    ] {
        assert_eq!(sent(&gateway, url, &request).await, status, "{url}");
    }
    let mut replayed = 0;
    for webhook in [&webhook, &listed, &off] {
        for rejection in rejections(&gateway, webhook).await {
            let id = rejection["id"].as_str().expect("an id");
            for wish in [json!({}), json!({"config": "current"}), json!({"config": "original"})] {
                for (id, status, code) in [
                    (id.to_owned(), StatusCode::CONFLICT, "delivery_rejected"),
                    (id.replace("rej_", "ind_"), StatusCode::NOT_FOUND, "inbound_delivery_not_found"),
                ] {
                    let path = format!("{WEBHOOKS}/{webhook}/deliveries/{id}/replay");
                    let (refused, answer) = call(&gateway, Method::POST, &path, wish.clone()).await;
                    assert_eq!((refused, &answer["error"]["code"]), (status, &json!(code)), "{answer}");
                }
            }
            replayed += 1;
        }
    }
    assert_eq!(replayed, 6, "every refusal was tried");
    gateway.settle(gateway.instance(0)).await;
    let events = list(&gateway, "/api/v1/events?type=github.*").await;
    assert_eq!((sink.received().len(), events.len()), (1, 1), "the one that was taken");
}

/// A request that proves nothing leaves one small row: no body, no header of its choice, no claim on a key, no message.
#[tokio::test]
async fn defect_30_a_request_that_proves_nothing_stores_next_to_nothing() {
    let gateway = TestGateway::new().await;
    let source = json!({"idempotency_source": {"type": "header", "value": "Idempotency-Key"}});
    let webhook = gateway.webhook("github", source).await;
    let long = "h".repeat(8 * 1024);
    let mut request =
        SenderRequest::json("the-body-of-a-sender".repeat(50_000)).with("idempotency-key", "the-key-of-a-sender");
    for name in ["user-agent", "x-one", "x-two", "referer"] {
        request = request.with(name, &long);
    }
    request = request.with("content-type", &format!("application/{long}"));
    gateway.cloud.meter().record();
    for url in [URL, "/api/inbound/default/nothing", "/api/inbound/nobody/nothing"] {
        assert_eq!(sent(&gateway, url, &request.clone().signed("another secret")).await, 401);
    }
    let written: Vec<(String, String)> = gateway
        .cloud
        .meter()
        .take_journal()
        .into_iter()
        .filter(|call| call.operation != "GetItem" && call.operation != "GetSecretValue")
        .map(|call| (call.operation, call.target))
        .collect();
    assert_eq!(written, vec![("PutItem".to_owned(), "DeliveriesTable".to_owned()); 3], "a line each, and no more");
    let own = RejectionLog::Webhook(tenant(), webhook.parse().expect("an id"));
    for log in [own, RejectionLog::Tenant(tenant()), RejectionLog::Operators] {
        let [row] = &items(&gateway, "DeliveriesTable", &keys::rejections(&log)).await[..] else { panic!("one row") };
        let row = row.to_string();
        assert!(row.len() < 1_500, "{} bytes: {row}", row.len());
        assert!(!row.contains("of-a-sender") && !row.contains(&"h".repeat(257)), "{row}");
    }
    let proven = SenderRequest::json("{}").with("idempotency-key", "the-key-of-a-sender").signed(SECRET);
    assert_eq!(kept(&gateway, URL, &proven).await["duplicate"], json!(null), "the key was nobody's");
}

/// The limit is counted where all instances count, one request at a time: at one instant no more pass than may.
#[tokio::test]
async fn defect_36_requests_at_one_instant_never_overstep_the_limit() {
    const TASKS: usize = 64;
    for requests in [1, 2, 5, 9] {
        let gateway = TestGateway::with_instances(&["a", "b"]).await;
        let limit = json!({"requests": requests, "window_seconds": 60});
        let webhook = gateway.webhook("github", json!({"rate_limit": limit})).await;
        let request = SenderRequest::json("{}").signed(SECRET);
        let sends = (0..TASKS).map(|n| gateway.send(gateway.instance(n % 2), URL, &request));
        let statuses: Vec<u16> = join_all(sends).await.iter().map(|response| response.status().as_u16()).collect();
        let count = |status: u16| statuses.iter().filter(|one| **one == status).count();
        assert_eq!((count(200), count(429)), (requests, TASKS - requests), "{statuses:?}");
        assert_eq!(rows(&gateway, &webhook).await.len(), requests);
    }
}

/// A table that fails in any way while it is counted lets nobody through, and nobody is told to stay away for it.
#[tokio::test]
async fn defect_36_no_way_of_failing_to_count_lets_anybody_through() {
    let gateway = TestGateway::new().await;
    let limit = json!({"requests": 9, "window_seconds": 60});
    let webhook = gateway.webhook("github", json!({"rate_limit": limit})).await;
    let request = SenderRequest::json("{}").signed(SECRET);
    for kind in [FaultKind::Throttle, FaultKind::Before, FaultKind::After, FaultKind::TimeOut { effect: false }] {
        gateway.cloud.faults().set(Fault::new(kind).on("UpdateItem").sticky());
        let response = gateway.send(gateway.instance(0), URL, &request).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{kind:?}");
        assert_eq!(response.headers()["retry-after"], "1", "{kind:?}");
        gateway.cloud.faults().clear();
    }
    assert_eq!(rows(&gateway, &webhook).await, [] as [Value; 0], "nothing was kept");
    assert_eq!(rejections(&gateway, &webhook).await, [] as [Value; 0], "and nothing was refused");
    assert_eq!(sent(&gateway, URL, &request).await, 200);
}
