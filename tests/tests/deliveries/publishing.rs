//! Publishing: what is kept, once for each key, what is refused, and what an owner has left.

use bytes::Bytes;
use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, answer, text};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{EVENT_TYPES, EVENTS, gateway, post, publish, put, refused, work};

/// Publishes as the operator, perhaps with a key in the header.
async fn send(gateway: &TestGateway, path: &str, key: Option<&str>, body: &Value) -> Response<Bytes> {
    let mut request = Request::post(path)
        .header(AUTHORIZATION, format!("Bearer {}", gateway.admin_token()))
        .header(CONTENT_TYPE, "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let request = request.body(Bytes::from(body.to_string())).expect("a request");
    management::handle(&gateway.instance(0).management, request).await
}

/// The bodies that a sink got.
fn bodies(sink: &Sink) -> Vec<Value> {
    sink.received().iter().map(|r| serde_json::from_slice(&r.body).expect("JSON")).collect()
}

fn header<'r>(response: &'r Response<Bytes>, name: &str) -> &'r str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// B15: an event with a key is one event for a day, whichever way the key comes; the first one stays as it is.
#[tokio::test]
async fn b15_equal_keys_are_one_event_for_a_day() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    let event = |n: u32, key: Value| json!({"type": "ticket.updated", "data": {"n": n}, "idempotency_key": key});
    let (status, first) = post(&gateway, EVENTS, event(1, json!("k1"))).await;
    assert_eq!((status, &first["data"]["duplicate"]), (StatusCode::ACCEPTED, &json!(false)));
    gateway.advance(SignedDuration::from_secs(86_399));
    let (status, second) = post(&gateway, EVENTS, event(2, json!("k1"))).await;
    let expected = json!({"id": first["data"]["id"], "type": "ticket.updated", "duplicate": true});
    assert_eq!((status, &second["data"]), (StatusCode::ACCEPTED, &expected));
    let third = send(&gateway, EVENTS, Some("k1"), &event(3, Value::Null)).await;
    assert_eq!(answer(&third)["data"], expected);
    let fourth = send(&gateway, "/api/v1/events/ticket.updated", Some("k1"), &json!({"n": 4})).await;
    assert_eq!(answer(&fourth)["data"], expected);
    let own = send(&gateway, EVENTS, Some("k1"), &event(5, json!("k2"))).await;
    assert_eq!(answer(&own)["data"]["duplicate"], false, "the member counts before the header");
    gateway.advance(SignedDuration::from_secs(1));
    let fresh = post(&gateway, EVENTS, event(6, json!("k1"))).await.1;
    assert_eq!(fresh["data"]["duplicate"], false, "the day is over");
    assert_ne!(fresh["data"]["id"], first["data"]["id"]);
    work(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    let mut sent: Vec<Value> = bodies(&sink).iter().map(|body| body["data"]["n"].clone()).collect();
    sent.sort_by_key(Value::to_string);
    assert_eq!(sent, [json!(1), json!(5), json!(6)]);
}

/// B15: what was answered with 202 is sent although its message was lost.
#[tokio::test]
async fn b15_a_published_event_survives_the_loss_of_its_message() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    publish(&gateway, json!({"type": "ticket.updated", "data": {}})).await;
    gateway.cloud.sqs().lose_everything();
    gateway.drain(gateway.instance(0)).await;
    assert!(sink.received().is_empty());
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
}

/// The payload can be the whole body; the query says the rest.
#[tokio::test]
async fn b20_an_event_is_published_by_its_payload_alone() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["ticket.updated"], json!({"scope": "acme", "entity_ids": ["7"]})).await;
    let path = "/api/v1/events/ticket.updated?scope=acme/berlin&entity_id=7&entity_type=Ticket&initiator=bob";
    let response = send(&gateway, path, None, &json!([1, {"a": null}])).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    work(&gateway).await;
    let expected = json!({
        "id": answer(&response)["data"]["id"],
        "type": "ticket.updated",
        "timestamp": gateway.clock.now().to_string(),
        "entity_type": "Ticket",
        "entity_id": "7",
        "scope": "acme/berlin",
        "data": [1, {"a": null}],
    });
    assert_eq!(bodies(&sink), [expected]);
    let event = gateway.get(&format!("{EVENTS}/{}", text(&answer(&response)["data"]["id"]))).await["data"].clone();
    assert_eq!((&event["source"]["kind"], &event["facts"]["initiator"]), (&json!("published"), &json!("bob")));
}

/// Types that are unknown, switched off or the gateway's own, and payloads that break their schema, are refused.
#[tokio::test]
async fn a14_an_event_is_held_against_its_type() {
    let gateway = gateway().await;
    let schema = json!({"type": "object", "required": ["id"]});
    gateway.create(EVENT_TYPES, json!({"ref": "order.paid", "schema": schema})).await;
    gateway.create(EVENT_TYPES, json!({"ref": "order.lost", "enabled": false})).await;
    let event = |name: &str, data: Value| json!({"type": name, "data": data});
    let cases = [
        (event("order.paid", json!({})), 422, "schema_mismatch"),
        (event("order.closed", json!({})), 400, "unknown_event_type"),
        (event("order.lost", json!({})), 409, "event_type_disabled"),
        (event("delivery.exhausted", json!({})), 400, "invalid_request"),
        (event("Order.paid", json!({"id": 1})), 400, "invalid_request"),
        (json!({"type": "order.paid"}), 400, "invalid_request"),
        (json!({"type": "order.paid", "data": {"id": 1}, "timestamp": "2020-01-01T00:00:00Z"}), 400, "invalid_request"),
        (json!({"type": "order.paid", "data": {"id": 1}, "scope": "/acme"}), 400, "invalid_request"),
        (json!({"type": "order.paid", "data": {"id": 1}, "extra": 1}), 400, "invalid_request"),
    ];
    for (body, status, code) in &cases {
        let status = StatusCode::from_u16(*status).expect("a status");
        let answer = post(&gateway, EVENTS, body.clone()).await;
        refused(&answer, status, code);
        assert_eq!(answer.1["error"]["violations"].is_array(), *code == "schema_mismatch", "{}", answer.1);
    }
    // Several at once: what is wrong with one is said in its place, and the others are published.
    let mut events: Vec<Value> = cases.iter().map(|(body, _, _)| body.clone()).collect();
    let keyed = json!({"type": "order.paid", "data": {"id": 1}, "idempotency_key": "k"});
    events.extend([keyed.clone(), keyed]);
    let (status, answer) = post(&gateway, EVENTS, json!({"events": events})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let results = answer["data"].as_array().expect("a list");
    assert_eq!(results.len(), cases.len() + 2);
    for ((_, _, code), result) in cases.iter().zip(results) {
        assert_eq!(result["error"]["code"], *code, "{result}");
    }
    let kept = &results[cases.len()..];
    assert_eq!((&kept[0]["duplicate"], &kept[1]["duplicate"]), (&json!(false), &json!(true)));
    assert_eq!(kept[0]["id"], kept[1]["id"]);
    assert_eq!(gateway.get(EVENTS).await["data"].as_array().map(Vec::len), Some(1), "nothing else was written");
    let many = vec![json!({"type": "order.paid", "data": {"id": 1}}); 101];
    for events in [json!([]), json!(many)] {
        refused(&post(&gateway, EVENTS, json!({"events": events})).await, StatusCode::BAD_REQUEST, "invalid_request");
    }
}

/// A18 for events: an owner has twelve a minute unless something else is said; what others publish counts not.
#[tokio::test]
async fn a18_defect_4_an_owner_publishes_as_much_as_its_quota_allows() {
    let gateway = gateway().await;
    let event = |owner: &str| json!({"type": "ticket.updated", "data": {}, "owner": owner});
    for n in 1..=12 {
        let response = send(&gateway, EVENTS, None, &event("ann")).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let left = (12 - n).to_string();
        assert_eq!(
            (header(&response, "x-ratelimit-limit"), header(&response, "x-ratelimit-remaining")),
            ("12", left.as_str())
        );
    }
    let refusal = send(&gateway, EVENTS, None, &event("ann")).await;
    let code = answer(&refusal)["error"]["code"].clone();
    assert_eq!((refusal.status(), &code), (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limit_exceeded")));
    // The clock begins 20 s into a minute.
    let told = ["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset"].map(|name| header(&refusal, name));
    assert_eq!(told, ["40", "0", "40"]);
    assert_eq!(send(&gateway, EVENTS, None, &json!({"type": "ticket.updated", "data": {}})).await.status(), 202);

    let events: Vec<Value> = (0..13).map(|_| event("bob")).collect();
    let (_, batch) = post(&gateway, EVENTS, json!({"events": events})).await;
    let codes: Vec<&Value> = (0..13).map(|n| &batch["data"][n]["error"]["code"]).collect();
    assert!(codes[..12].iter().all(|code| code.is_null()), "{batch}");
    assert_eq!(codes[12], "rate_limit_exceeded", "each event counts");

    let quotas = json!({
        "max_subscriptions": 10,
        "max_events_per_minute": 13,
        "max_subscription_requests_per_minute": 10,
        "max_subscription_requests_per_day": 20,
    });
    put(&gateway, "/api/v1/owners/bob/quotas", quotas).await;
    for status in [202, 429] {
        assert_eq!(send(&gateway, EVENTS, None, &event("bob")).await.status(), status);
    }
    gateway.advance(SignedDuration::from_secs(40));
    assert_eq!(send(&gateway, EVENTS, None, &event("ann")).await.status(), 202, "the minute is over");
}
