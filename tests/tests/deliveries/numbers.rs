//! What is told of deliveries in lists and numbers: attempts, health, hours.

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use hookport_tests::inbound::list;
use hookport_tests::sink::Reply;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{DELIVERIES, EVENTS, delivery, gateway, happens, path, post, publish, refused, register};

/// B13: health looks at the newest fifty finished attempts, and at all that is pending.
#[tokio::test]
async fn b13_health_looks_at_the_newest_fifty_attempts() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": [86_400]})).await;
    let health = format!("{}/health", path(&made));
    let fresh = gateway.get(&health).await["data"].clone();
    assert_eq!((&fresh["health"], &fresh["success_rate"]), (&json!("healthy"), &json!(1.0)));
    assert_eq!((&fresh["last_success_at"], &fresh["complete"]), (&Value::Null, &json!(true)));

    let publish_many = async |events: usize| {
        let event = json!({"type": "ticket.updated", "data": {}});
        post(&gateway, EVENTS, json!({"events": vec![event; events]})).await;
        gateway.drain(gateway.instance(0)).await;
    };
    publish_many(10).await;
    let succeeded_at = gateway.clock.now().to_string();
    gateway.advance(SignedDuration::from_secs(1));
    sink.replies((0..45).map(|_| Reply::status(400).saying(r#"{"error":{"message":"no such contact"}}"#)));
    publish_many(45).await;
    let failing = gateway.get(&health).await["data"].clone();
    assert_eq!((&failing["health"], &failing["consecutive_failures"]), (&json!("failing"), &json!(45)));
    assert_eq!((&failing["success_rate"], &failing["pending"]), (&json!(0.1), &json!(45)));
    assert_eq!((&failing["last_success_at"], &failing["held"]), (&json!(succeeded_at), &json!(0)));
    assert_eq!(failing["last_failure_at"], gateway.clock.now().to_string());
    assert!(text(&failing["next_attempt_at"]) > gateway.clock.now().to_string());
    assert_eq!(failing["last_response"], json!({"status": 400, "message": "no such contact"}));
    assert_eq!(failing["latency_ms"], json!({"p50": 0, "p95": 0, "p99": 0}));

    gateway.advance(SignedDuration::from_secs(1));
    publish_many(50).await;
    let healthy = gateway.get(&health).await["data"].clone();
    assert_eq!((&healthy["health"], &healthy["success_rate"]), (&json!("healthy"), &json!(1.0)));
}

/// What was sent and what came back can be looked at, without what proves who sent it.
#[tokio::test]
async fn b3_each_attempt_is_shown_with_its_request_and_its_answer() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let more = json!({"headers": {"X-Team": "blue", "X-Api-Key": "sesame"}, "retry_schedule": "none"});
    let made = gateway.subscribe(&sink, &["ticket.updated"], more).await;
    sink.replies([Reply::status(404).saying("no such hook").with("x-request-id", "r1").with("set-cookie", "c=1")]);
    let event = publish(&gateway, json!({"type": "ticket.updated", "data": {"n": 1}})).await;
    gateway.drain(gateway.instance(0)).await;
    let all = list(&gateway, &format!("{}/attempts", path(&made))).await;
    let shown: Vec<&Value> = all.iter().filter(|attempt| attempt["kind"] == "event").collect();
    let [attempt] = shown[..] else { panic!("one attempt of the event: {all:?}") };
    assert_eq!(
        (&attempt["event_id"], &attempt["n"], &attempt["outcome"]),
        (&json!(event), &json!(1), &json!("failed"))
    );
    assert_eq!((&attempt["elapsed"], &attempt["error_code"]), (&json!("PT0S"), &Value::Null));
    let request = &attempt["request"];
    assert_eq!((&request["method"], &request["url"]), (&json!("POST"), &json!(sink.url("/hook"))));
    let received = &sink.received()[0];
    assert_eq!(request["body"], json!(std::str::from_utf8(&received.body).expect("text")));
    assert_eq!((&request["headers"]["x-team"], &request["headers"]["x-api-key"]), (&json!("blue"), &json!("(hidden)")));
    assert_eq!(request["headers"]["webhook-signature"], "(hidden)");
    for name in ["webhook-id", "webhook-timestamp", "hookport-attempt", "content-type", "user-agent"] {
        assert_eq!(request["headers"][name], received.header(name), "{name}");
    }
    let response = &attempt["response"];
    assert_eq!((&response["status"], &response["body"]), (&json!(404), &json!("no such hook")));
    assert_eq!(
        (&response["headers"]["x-request-id"], &response["headers"]["set-cookie"]),
        (&json!("r1"), &Value::Null)
    );
    let whole = json!(all).to_string();
    assert!(!whole.contains("sesame") && !whole.contains("v1,"), "{whole}");
}

/// What became of deliveries is counted by the hour.
#[tokio::test]
async fn b3_deliveries_are_counted_by_the_hour() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": "none"})).await;
    sink.answers([200, 500]);
    for _ in 0..2 {
        happens(&gateway).await;
    }
    gateway.advance(SignedDuration::from_hours(1));
    happens(&gateway).await;
    let analytics = format!("{}/analytics", path(&made));
    let data = gateway.get(&format!("{analytics}?hours=3")).await["data"].clone();
    assert_eq!((&data["complete"], data["hours"].as_array().map(Vec::len)), (&json!(true), Some(3)));
    assert_eq!(data["since"], data["hours"][0]["start"]);
    let counted: Vec<Value> = (0..3)
        .map(|n| &data["hours"][n])
        .map(|hour| json!([hour["delivered"], hour["failed_attempts"], hour["exhausted"], hour["p50_ms"]]))
        .collect();
    assert_eq!(counted, [json!([0, 0, 0, null]), json!([1, 1, 1, 0]), json!([1, 0, 0, 0])]);
    assert_eq!(gateway.get(&analytics).await["data"]["hours"].as_array().map(Vec::len), Some(24));
    for hours in ["0", "169", "x"] {
        let answer = gateway.api(Method::GET, &format!("{analytics}?hours={hours}"), gateway.admin_token(), None).await;
        refused(&answer, StatusCode::BAD_REQUEST, "invalid_request");
    }
}

/// The list of deliveries can be narrowed to what is looked for.
#[tokio::test]
async fn b3_deliveries_are_listed_by_what_they_are() {
    let gateway = gateway().await;
    register(&gateway, &["invoice.paid"]).await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated", "invoice.*"], json!({})).await;
    sink.answers([500]);
    happens(&gateway).await;
    let failed = delivery(&gateway, &made).await;
    publish(&gateway, json!({"type": "invoice.paid", "data": {}})).await;
    gateway.drain(gateway.instance(0)).await;
    let cases = [
        ("event_type=invoice.*", vec!["invoice.paid"]),
        ("event_type=ticket.updated", vec!["ticket.updated"]),
        ("object_type=Ticket", vec!["ticket.updated"]),
        ("state=delivered&kind=event", vec!["invoice.paid"]),
        ("state=pending", vec!["ticket.updated"]),
        ("state=held", vec![]),
        ("kind=resend", vec![]),
    ];
    for (query, expected) in cases {
        let found = list(&gateway, &format!("{DELIVERIES}?{query}")).await;
        let types: Vec<&Value> = found.iter().map(|d| &d["event_type"]).collect();
        assert_eq!(types, expected, "{query}");
    }
    let one = gateway.get(&format!("{DELIVERIES}/{}", text(&failed["id"]))).await;
    assert_eq!(one["data"], failed);
    let bad = gateway.api(Method::GET, &format!("{DELIVERIES}?state=lost"), gateway.admin_token(), None).await;
    refused(&bad, StatusCode::BAD_REQUEST, "invalid_request");
}
