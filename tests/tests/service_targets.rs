//! Subscriptions whose target is a queue, on the stand-in for SQS: what is allowed, what arrives, and what a failure does.

use hookport_local::template::local_queue_url;
use hookport_tests::gateway::{SECRET, TENANT, merge, text};
use hookport_tests::inbound::{URL, kept, list};
use hookport_tests::{SenderRequest, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const EVENT_TYPE: &str = "ticket.updated";
const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
const ALLOWED: (&str, &str) = ("AWS_TARGETS", "default=arn:aws:sqs:us-east-1:000000000000:orders*");

async fn gateway(allowed: &[(&str, &str)]) -> TestGateway {
    let gateway = TestGateway::with_settings(&["a"], allowed).await;
    gateway.create("/api/v1/event-types", json!({"ref": EVENT_TYPE})).await;
    gateway
}

fn wanted(queue: &str, more: Value) -> Value {
    let target = json!({"type": "queue", "queue_url": local_queue_url(queue)});
    let mut body = json!({"name": "orders", "events": [EVENT_TYPE], "target": target});
    merge(&mut body, more);
    body
}

async fn ask(gateway: &TestGateway, body: Value) -> (StatusCode, Value) {
    gateway.api(Method::POST, SUBSCRIPTIONS, gateway.admin_token(), Some(body)).await
}

/// Calls the stand-in as any other program would.
async fn sqs(gateway: &TestGateway, operation: &str, request: Value) -> Value {
    let answer = gateway.cloud.sqs().handle(operation, request.to_string().as_bytes()).await;
    assert_eq!(answer.status, StatusCode::OK, "{operation}: {:?}", answer.body);
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

async fn make_queue(gateway: &TestGateway, name: &str) {
    sqs(gateway, "CreateQueue", json!({"QueueName": name})).await;
}

/// The messages that lie in a queue; they stay hidden from then on, for as long as a test takes.
async fn messages(gateway: &TestGateway, queue: &str) -> Vec<Value> {
    let request = json!({
        "QueueUrl": local_queue_url(queue),
        "MaxNumberOfMessages": 10,
        "VisibilityTimeout": 43_200,
        "MessageAttributeNames": ["All"],
    });
    sqs(gateway, "ReceiveMessage", request).await["Messages"].as_array().cloned().unwrap_or_default()
}

async fn happens(gateway: &TestGateway, data: Value) {
    let event = json!({"type": EVENT_TYPE, "data": data});
    let (status, answer) = gateway.api(Method::POST, "/api/v1/events", gateway.admin_token(), Some(event)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    gateway.drain(gateway.instance(0)).await;
}

async fn delivery(gateway: &TestGateway, made: &Value) -> Value {
    let id = text(&made["data"]["id"]);
    let all = list(gateway, &format!("/api/v1/deliveries?kind=event&limit=100&subscription_id={id}")).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

#[tokio::test]
async fn an_event_lies_in_the_queue_once_with_what_a_request_would_say() {
    let gateway = gateway(&[ALLOWED]).await;
    make_queue(&gateway, "orders").await;
    let made = gateway.create(SUBSCRIPTIONS, wanted("orders", json!({"headers": {"x-team": "billing"}}))).await;
    assert_eq!(made["data"]["url"], local_queue_url("orders"));
    happens(&gateway, json!({"n": 1})).await;
    gateway.settle(gateway.instance(0)).await;

    let lying = messages(&gateway, "orders").await;
    assert_eq!(lying.len(), 1, "{lying:?}");
    let body: Value = serde_json::from_str(lying[0]["Body"].as_str().expect("a body")).expect("JSON");
    assert_eq!(body["data"], json!({"n": 1}));
    let done = delivery(&gateway, &made).await;
    assert_eq!(done["state"], "delivered");
    let said = |name: &str| lying[0]["MessageAttributes"][name]["StringValue"].clone();
    assert_eq!(said("webhook-id"), done["event_id"]);
    assert_eq!(said("hookport-delivery-id"), done["id"]);
    assert_eq!(said("hookport-event-type"), EVENT_TYPE);
    assert_eq!((said("hookport-attempt"), said("x-team")), (json!("1"), json!("billing")));
    assert!(said("webhook-signature").as_str().is_some_and(|signature| signature.starts_with("v1,")));
}

#[tokio::test]
async fn what_the_operator_allows_needs_no_challenge() {
    let gateway = gateway(&[ALLOWED]).await;
    make_queue(&gateway, "orders").await;
    let made = gateway.create(SUBSCRIPTIONS, wanted("orders", json!({}))).await;
    assert_eq!(made["data"]["state"], "active");
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(messages(&gateway, "orders").await, Vec::<Value>::new(), "nothing is sent that is no event");
}

#[tokio::test]
async fn a_tenant_reaches_nothing_that_the_operator_did_not_allow() {
    let other = format!("not-{TENANT}=arn:aws:sqs:*:*:*");
    for allowed in [vec![], vec![ALLOWED], vec![("AWS_TARGETS", other.as_str())]] {
        let gateway = gateway(&allowed).await;
        make_queue(&gateway, "payroll").await;
        let (status, answer) = ask(&gateway, wanted("payroll", json!({}))).await;
        assert_eq!((status, &answer["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("target_not_allowed")));
    }
}

#[tokio::test]
async fn no_pattern_lets_a_tenant_write_into_the_gateways_own_queues() {
    let gateway = gateway(&[("AWS_TARGETS", "*=arn:aws:sqs:*:*:*")]).await;
    for queue in ["InboundQueue", "OutboundQueue"] {
        let (status, answer) = ask(&gateway, wanted(queue, json!({}))).await;
        assert_eq!((status, &answer["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("target_not_allowed")));
    }
}

#[tokio::test]
async fn what_is_no_queue_is_refused_when_the_subscription_is_made() {
    let gateway = gateway(&[("AWS_TARGETS", "*=arn:aws:sqs:*:*:*")]).await;
    let urls = ["https://example.com/orders", "http://169.254.169.254/latest", "https://sqs.evil.example/1/orders"];
    for url in urls {
        let target = json!({"type": "queue", "queue_url": url});
        let (status, answer) = ask(&gateway, wanted("orders", json!({"target": target}))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{url}: {answer}");
    }
}

#[tokio::test]
async fn a_queue_that_is_missing_fails_the_attempt_and_gets_it_once_it_is_there() {
    let gateway = gateway(&[ALLOWED]).await;
    let made = gateway.create(SUBSCRIPTIONS, wanted("orders-late", json!({"retry_schedule": "five-tries"}))).await;
    happens(&gateway, json!({"n": 1})).await;
    let failed = delivery(&gateway, &made).await;
    assert_eq!(
        (&failed["state"], &failed["attempts"][0]["error_code"]),
        (&json!("pending"), &json!("target_not_found"))
    );

    make_queue(&gateway, "orders-late").await;
    gateway.advance(SignedDuration::from_mins(1));
    gateway.settle(gateway.instance(0)).await;
    let done = delivery(&gateway, &made).await;
    assert_eq!((&done["state"], done["attempts"].as_array().map(Vec::len)), (&json!("delivered"), Some(2)));
    let lying = messages(&gateway, "orders-late").await;
    assert_eq!(lying.len(), 1);
    assert_eq!(lying[0]["MessageAttributes"]["hookport-delivery-id"]["StringValue"], done["id"]);
    assert_eq!(lying[0]["MessageAttributes"]["hookport-attempt"]["StringValue"], "2");
}

#[tokio::test]
async fn what_the_operator_takes_back_is_not_sent_any_more() {
    let before = gateway(&[ALLOWED]).await;
    make_queue(&before, "orders").await;
    let made = before.create(SUBSCRIPTIONS, wanted("orders", json!({}))).await;
    let after = TestGateway::on(before.cloud.clone(), before.clock.clone(), &["b"], &[]).await;
    happens(&after, json!({"n": 1})).await;
    let failed = delivery(&after, &made).await;
    let expected = (&json!("pending"), &json!("target_not_allowed"));
    assert_eq!((&failed["state"], &failed["attempts"][0]["error_code"]), expected);
    assert_eq!(messages(&after, "orders").await, Vec::<Value>::new());
}

/// A service has no challenge to pass or to fail: an active subscription stays what it is.
#[tokio::test]
async fn what_the_operator_takes_back_for_a_while_is_no_failed_challenge() {
    let before = gateway(&[ALLOWED]).await;
    make_queue(&before, "orders").await;
    let made = before.create(SUBSCRIPTIONS, wanted("orders", json!({"reverify_days": 1}))).await;
    let after = TestGateway::on(before.cloud.clone(), before.clock.clone(), &["b"], &[]).await;
    after.advance(SignedDuration::from_hours(25));
    after.settle(after.instance(0)).await;
    let path = format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]));
    let now = after.get(&path).await["data"].clone();
    let expected = (&json!("active"), &json!("passed"));
    assert_eq!((&now["state"], &now["verification"]["status"]), expected);
    assert_ne!(now["verification"]["verified_at"], made["data"]["verification"]["verified_at"], "it was renewed");
    assert_eq!(messages(&before, "orders").await, Vec::<Value>::new(), "and nothing was sent");
}

/// Whoever takes a message from the queue can check it and tell it from a repetition, whatever else it says.
#[tokio::test]
async fn what_a_receiver_cannot_do_without_is_among_the_ten_attributes() {
    let gateway = gateway(&[ALLOWED]).await;
    gateway.webhook("github", json!({})).await;
    let cases = [
        ("standard", &["webhook-signature"][..]),
        ("hub", &["x-hub-signature-256", "x-webhook-signature"]),
        ("cloudevents", &["webhook-signature", "ce-id", "ce-type", "ce-source", "ce-specversion", "ce-time"]),
        ("rfc9421", &["signature", "signature-input", "content-digest"]),
    ];
    for (dialect, _) in cases {
        let queue = format!("orders-{dialect}");
        make_queue(&gateway, &queue).await;
        let more =
            json!({"events": ["github.push"], "dialect": dialect, "forward_headers": ["*"], "headers": {"x-a": "b"}});
        gateway.create(SUBSCRIPTIONS, wanted(&queue, more)).await;
    }
    let mut request = SenderRequest::json(r#"{"n":1}"#).signed(SECRET);
    for n in 0..12 {
        request = request.with(&format!("x-sender-{n}"), "anything");
    }
    kept(&gateway, URL, &request).await;
    gateway.settle(gateway.instance(0)).await;
    for (dialect, needed) in cases {
        let lying = messages(&gateway, &format!("orders-{dialect}")).await;
        let attributes = lying[0]["MessageAttributes"].as_object().expect("attributes");
        assert_eq!(attributes.len(), 10, "{dialect}");
        for name in needed.iter().chain(&["content-type", "hookport-delivery-id"]) {
            assert!(attributes.contains_key(*name), "{dialect}: {name} is not in {:?}", attributes.keys());
        }
        let ids = ["webhook-id", "webhook-timestamp"].map(|name| attributes.contains_key(name));
        assert_eq!(ids, [true; 2], "{dialect}");
    }
}
