//! D16 and D19: how much a list gives, and for how long what was received is kept.

use std::collections::HashSet;

use bytes::Bytes;
use hookport_tests::SenderRequest;
use hookport_tests::gateway::{SECRET, TestGateway, text};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{URL, WEBHOOKS, kept, list, row, rows, sent};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const INSTANT: SignedDuration = SignedDuration::from_millis(1);

fn keyed_by_header(window_s: u32) -> Value {
    let source = json!({"type": "header", "value": "Idempotency-Key"});
    json!({"idempotency_source": source, "idempotency_window_seconds": window_s})
}

/// D16: no list of deliveries or of refused requests gives more than a hundred, and none fewer than one.
#[tokio::test]
async fn d16_no_list_gives_more_than_a_hundred() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    for _ in 0..103 {
        kept(&gateway, URL, &SenderRequest::json("{}").signed(SECRET)).await;
        assert_eq!(sent(&gateway, URL, &SenderRequest::json("{}")).await, 401);
        gateway.advance(SignedDuration::from_secs(1));
    }
    let of = |name: &str| format!("{WEBHOOKS}/{webhook}/{name}");
    for path in [of("deliveries"), of("rejections"), "/api/v1/inbound-deliveries".to_owned()] {
        for (query, given) in
            [("", 25), ("?limit=0", 1), ("?limit=100", 100), ("?limit=101", 100), ("?limit=9999", 100)]
        {
            let page = gateway.get(&format!("{path}{query}")).await;
            assert_eq!(page["meta"]["limit"], json!(given), "{path}{query}");
            assert_eq!(page["data"].as_array().map(Vec::len), Some(given), "{path}{query}");
        }
        let mut ids = HashSet::new();
        let mut next = format!("{path}?limit=9999");
        for given in [100, 3] {
            let page = gateway.get(&next).await;
            let data = page["data"].as_array().expect("a list");
            assert_eq!(data.len(), given, "{path}");
            ids.extend(data.iter().map(|item| text(&item["id"])));
            let cursor = page["meta"]["next_cursor"].as_str();
            assert_eq!(cursor.is_some(), given == 100, "{path}");
            next = format!("{path}?limit=9999&cursor={}", cursor.unwrap_or_default());
        }
        assert_eq!(ids.len(), 103, "{path}");
    }
}

/// A body that hardly gets smaller, so that it does not fit its row.
fn large() -> SenderRequest {
    let noise: Vec<u8> = (0..40_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    SenderRequest::json(noise).with("content-type", "application/octet-stream")
}

/// D19: with the longest window, a body is there for thirty days and no longer, its key counts until the last instant
/// of them, and what became of the request can be read a day longer.
#[tokio::test]
async fn d19_a_body_is_gone_after_thirty_days_and_its_key_counts_until_then() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", keyed_by_header(2_592_000)).await;
    let small = SenderRequest::json(r#"{"n":1}"#);
    let requests = [("small", small), ("large", large())]
        .map(|(key, request)| (key, request.with("idempotency-key", key).signed(SECRET)));
    let mut first = Vec::new();
    for (_, request) in &requests {
        first.push(text(&kept(&gateway, URL, request).await["delivery_id"]));
    }
    gateway.drain(gateway.instance(0)).await;

    gateway.advance(DAY * 30 - INSTANT);
    gateway.cloud.dynamodb().sweep_ttl().expect("swept");
    for ((key, request), id) in requests.iter().zip(&first) {
        let again = kept(&gateway, URL, request).await;
        assert_eq!(again, json!({"delivery_id": id, "duplicate": true}), "{key}");
        assert_eq!(row(&gateway, &webhook, id).await["request"]["body_bytes"], json!(request.body.len()), "{key}");
    }

    gateway.advance(INSTANT);
    for is_swept in [false, true] {
        if is_swept {
            gateway.cloud.dynamodb().sweep_ttl().expect("swept");
        }
        for ((key, request), id) in requests.iter().zip(&first) {
            let shown = row(&gateway, &webhook, id).await;
            let bytes = request.body.len();
            let (is_cut, left) = (&shown["request"]["body_is_cut"], &shown["request"]["body_bytes"]);
            assert_eq!((is_cut, left), (&json!(bytes > 1024), &json!(bytes.min(1024))), "{key}, swept: {is_swept}");
            assert_eq!(shown["request"]["method"], json!("POST"), "{key}: its summary is still there");
            assert_eq!((&shown["idempotency_key"], &shown["status"]), (&json!(key), &json!("dispatched")), "{key}");
            let event = gateway.get(&format!("/api/v1/events/{}", id.replace("ind_", "evt_"))).await;
            assert_eq!((&event["data"]["payload"], &event["data"]["metadata"]), (&json!(null), &json!(null)), "{key}");
            let path = format!("{WEBHOOKS}/{webhook}/deliveries/{id}/replay");
            let (status, answer) = gateway.api(Method::POST, &path, gateway.admin_token(), None).await;
            assert_eq!((status, &answer["error"]["code"]), (StatusCode::CONFLICT, &json!("body_expired")), "{key}");
        }
    }
    for ((key, request), id) in requests.iter().zip(&first) {
        let fresh = kept(&gateway, URL, request).await;
        assert!(fresh["duplicate"].is_null() && fresh["delivery_id"] != json!(id), "{key}: its window is over");
    }

    gateway.advance(DAY + SignedDuration::from_secs(1));
    gateway.cloud.dynamodb().sweep_ttl().expect("swept");
    for id in &first {
        let path = format!("{WEBHOOKS}/{webhook}/deliveries/{id}");
        let (status, _) = gateway.api(Method::GET, &path, gateway.admin_token(), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

/// D19: what was refused is gone after three days, and notes of repetitions with it; what was kept or failed stays.
#[tokio::test]
async fn d19_refused_requests_are_purged_long_before_those_that_were_kept() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", keyed_by_header(2_592_000)).await;
    let keyed = SenderRequest::json("{}").with("idempotency-key", "k1").signed(SECRET);
    kept(&gateway, URL, &keyed).await;
    gateway.drain(gateway.instance(0)).await;
    kept(&gateway, URL, &keyed).await;
    assert_eq!(sent(&gateway, URL, &SenderRequest::json("{").signed(SECRET)).await, 400);
    assert_eq!(sent(&gateway, URL, &SenderRequest::json("{}")).await, 401);
    assert_eq!(sent(&gateway, "/api/inbound/default/nothing", &keyed).await, 401);
    assert_eq!(sent(&gateway, "/api/inbound/nobody/nothing", &keyed).await, 401);
    let logs = [
        format!("{WEBHOOKS}/{webhook}/rejections"),
        "/api/v1/unknown-requests".to_owned(),
        "/api/v1/operator/unknown-requests".to_owned(),
    ];
    let mut before = 0;
    for (days, refused, received) in [(2, 1, 3), (3, 0, 2), (29, 0, 2)] {
        gateway.advance(DAY * (days - before) + SignedDuration::from_secs(1));
        before = days;
        gateway.cloud.dynamodb().sweep_ttl().expect("swept");
        for log in &logs {
            assert_eq!(list(&gateway, log).await.len(), refused, "{log} after {days} days");
        }
        let statuses: Vec<Value> = rows(&gateway, &webhook).await.iter().map(|row| row["status"].clone()).collect();
        assert_eq!(statuses.len(), received, "after {days} days: {statuses:?}");
        assert!(statuses.contains(&json!("dispatched")) && statuses.contains(&json!("failed")), "{statuses:?}");
    }
    let deliveries = items(&gateway, "DeliveriesTable").await;
    assert_eq!(deliveries, 2, "nothing of what was refused is stored");
}

/// How many items a table has.
async fn items(gateway: &TestGateway, table: &str) -> u64 {
    let request = http::Request::post("/").header("x-amz-target", "DynamoDB_20120810.DescribeTable");
    let request = request.body(Bytes::from(json!({"TableName": table}).to_string())).expect("a request");
    let answer = gateway.cloud.handle("test", request).await.expect("an answer");
    let answer: Value = serde_json::from_slice(answer.body()).expect("JSON");
    answer["Table"]["ItemCount"].as_u64().expect("a number")
}
