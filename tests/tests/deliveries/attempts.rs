//! B3, B4, B10, B14: attempts that fail, when the next ones follow, and what is kept of them.

use bytes::Bytes;
use hookport::aws::lambda::Received;
use hookport::domain::text::TenantSlug;
use hookport::message::{Message, OutboundMessage};
use hookport_local::template::local_queue_url;
use hookport_tests::gateway::{TENANT, TestGateway, text};
use hookport_tests::sink::Reply;
use hookport_tests::{Instance, Sink};
use http::{Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{delivery, gateway, happens, path, register, work};

/// Takes the messages of the outbound queue, as a worker does that is never heard of again.
async fn taken(gateway: &TestGateway) -> usize {
    let body = json!({"QueueUrl": local_queue_url("OutboundQueue"), "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0});
    let request = Request::post("http://sqs.local/")
        .header("x-amz-target", "AmazonSQS.ReceiveMessage")
        .header("content-type", "application/x-amz-json-1.0")
        .body(Bytes::from(body.to_string()))
        .expect("a request");
    let answer = gateway.cloud.handle("test", request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    let answer: Value = serde_json::from_slice(answer.body()).expect("JSON");
    answer["Messages"].as_array().map_or(0, Vec::len)
}

/// Has an instance work the message of a delivery's next attempt.
async fn attempt(instance: &Instance, delivery: &Value) {
    let tenant = TenantSlug::try_from(TENANT.to_owned()).expect("a slug");
    let id = text(&delivery["id"]).parse().expect("an id");
    let body = Message::Outbound(OutboundMessage::new(tenant, id)).encode();
    let message = Received { message_id: "m".to_owned(), body, receive_count: 1 };
    let failed = instance.dispatcher.clone().handle(vec![message], instance.dispatcher_deadline()).await;
    assert!(failed.is_empty(), "{failed:?}");
}

/// B3: each failure is kept with what was answered and followed by another attempt; a success ends them.
#[tokio::test]
async fn b3_every_failure_is_followed_by_another_attempt_until_one_succeeds() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": "five-tries"})).await;
    sink.replies([500, 503, 400].map(|status| Reply::status(status).saying(format!("no: {status}"))));
    happens(&gateway).await;
    for (status, minutes) in [(500, 1), (503, 5), (400, 15)] {
        let failed = delivery(&gateway, &made).await;
        assert_eq!(failed["state"], "pending");
        let expected = json!({"status": status, "message": format!("no: {status}")});
        assert_eq!(failed["last_response"], expected);
        let next = gateway.clock.now() + SignedDuration::from_mins(minutes);
        assert_eq!(failed["next_attempt_at"], next.to_string());
        gateway.advance(SignedDuration::from_mins(minutes));
        work(&gateway).await;
    }
    let done = delivery(&gateway, &made).await;
    assert_eq!((&done["state"], &done["next_attempt_at"]), (&json!("delivered"), &Value::Null));
    assert_eq!(done["delivered_at"], gateway.clock.now().to_string());
    let outcomes: Vec<_> = done["attempts"].as_array().into_iter().flatten().map(|a| &a["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "failed", "failed", "succeeded"]);
    let health = gateway.get(&format!("{}/health", path(&made))).await;
    assert_eq!((&health["data"]["health"], &health["data"]["consecutive_failures"]), (&json!("healthy"), &json!(0)));
}

/// B3: a target that says nothing for longer than the subscription allows is tried again.
#[tokio::test]
async fn b3_an_answer_that_does_not_come_in_time_is_a_failure() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"timeout_seconds": 1})).await;
    sink.hang(true);
    happens(&gateway).await;
    sink.hang(false);
    let failed = delivery(&gateway, &made).await;
    assert_eq!((&failed["state"], &failed["attempts"][0]["error_code"]), (&json!("pending"), &json!("timed_out")));
    assert_eq!(failed["last_response"], Value::Null);
    gateway.advance(SignedDuration::from_secs(7));
    work(&gateway).await;
    assert_eq!(delivery(&gateway, &made).await["state"], "delivered");
}

/// B4: the ladder is exact, and five requests are all that the target sees, also when two workers take up each of them
/// at once. Defect 1: what is due twice is sent once. Defect 6: what was given up has no time of delivery. Defect 23:
/// the schedule that was asked for holds to its last step.
#[tokio::test]
async fn b4_defect_1_defect_23_five_tries_are_five_requests_at_their_times() {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    register(&gateway, &["ticket.updated"]).await;
    let (sink, listener) = (Sink::start().await, Sink::start().await);
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": "five-tries"})).await;
    gateway.subscribe(&listener, &["delivery.exhausted"], json!({})).await;
    sink.answers([500; 9]);
    happens(&gateway).await;
    let pending = delivery(&gateway, &made).await;
    let (a, b) = (gateway.instance(0), gateway.instance(1));
    let both = async || {
        tokio::join!(attempt(a, &pending), attempt(b, &pending));
        tokio::join!(gateway.tick(a), gateway.tick(b));
        tokio::join!(gateway.drain(a), gateway.drain(b));
    };
    for (n, minutes) in [(2, 1), (3, 5), (4, 15), (5, 30)] {
        gateway.advance(SignedDuration::from_secs(minutes * 60 - 1));
        both().await;
        assert_eq!(sink.received().len(), n - 1, "not before its time");
        gateway.advance(SignedDuration::from_secs(1));
        both().await;
        assert_eq!(sink.received().len(), n);
    }
    gateway.settle(b).await;
    both().await;
    let received = sink.received();
    let seconds: Vec<i64> = received.iter().map(|r| r.header("webhook-timestamp").parse().expect("seconds")).collect();
    let waits: Vec<i64> = seconds.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits, [60, 300, 900, 1_800]);
    let attempts: Vec<_> = received.iter().map(|r| r.header("hookport-attempt")).collect();
    assert_eq!(attempts, ["1", "2", "3", "4", "5"]);
    assert!(received.iter().all(|r| r.header("webhook-id") == received[0].header("webhook-id")));

    let ended = delivery(&gateway, &made).await;
    assert_eq!((&ended["state"], &ended["delivered_at"]), (&json!("exhausted"), &Value::Null), "defect 6");
    assert!(ended["ended_at"].is_string());
    assert_eq!(listener.received().len(), 1, "it is told once that it ended");
}

/// B14: how an attempt ended is written once. Whoever comes back after its lease changes nothing.
#[tokio::test]
async fn b14_the_second_to_record_an_attempt_loses() {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    register(&gateway, &["ticket.updated"]).await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    let (a, b) = (gateway.instance(0), gateway.instance(1));
    sink.hang(true);
    crate::publish(&gateway, json!({"type": "ticket.updated", "data": {}})).await;
    let elsewhere = async {
        sink.got(1).await;
        gateway.advance(SignedDuration::from_mins(10));
        gateway.tick(b).await;
        gateway.drain(b).await;
        let seen = delivery(&gateway, &made).await;
        sink.hang(false);
        seen
    };
    let ((), taken_over) = tokio::join!(gateway.drain(a), elsewhere);
    assert_eq!((&taken_over["state"], &taken_over["attempts"][0]["outcome"]), (&json!("pending"), &json!("unknown")));
    assert_eq!(delivery(&gateway, &made).await, taken_over, "the answer came too late");

    gateway.advance(SignedDuration::from_secs(7));
    work(&gateway).await;
    gateway.settle(b).await;
    let done = delivery(&gateway, &made).await;
    let outcomes: Vec<_> = done["attempts"].as_array().into_iter().flatten().map(|a| &a["outcome"]).collect();
    assert_eq!(done["state"], "delivered");
    assert_eq!(outcomes, ["unknown", "succeeded"]);
    let received = sink.received();
    let attempts: Vec<_> = received.iter().map(|r| r.header("hookport-attempt")).collect();
    assert_eq!(attempts, ["1", "2"], "no attempt was sent twice");
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
}

/// A message that was taken and never worked delays its attempt and loses nothing.
#[tokio::test]
async fn defect_7_what_a_dead_worker_took_is_taken_up_again() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": "five-tries"})).await;
    sink.answers([500]);
    happens(&gateway).await;
    gateway.advance(SignedDuration::from_mins(1));
    assert_eq!(taken(&gateway).await, 1, "the message of the second attempt");
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
    gateway.advance(SignedDuration::from_mins(7));
    work(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 2);
    assert_eq!(delivery(&gateway, &made).await["state"], "delivered");
}

/// B10: as much of an answer is kept as was asked for, with a mark where it went on.
#[tokio::test]
async fn b10_a_long_answer_is_cut_with_a_mark() {
    let gateway = gateway().await;
    let cases = [
        (json!({}), 20_000, 1_024, true),
        (json!({"kept_response_bytes": 8_192}), 20_000, 8_192, true),
        (json!({"kept_response_bytes": 8_192}), 8_192, 8_192, false),
        (json!({"kept_response_bytes": 0}), 20_000, 0, true),
        (json!({}), 10, 10, false),
    ];
    let mut made = Vec::new();
    for (settings, sent, kept, is_cut) in cases {
        let sink = Sink::start().await;
        let subscription = gateway.subscribe(&sink, &["ticket.updated"], settings).await;
        sink.replies([Reply::status(400).saying("x".repeat(sent))]);
        made.push((sink, subscription, kept, is_cut));
    }
    happens(&gateway).await;
    for (_sink, subscription, kept, is_cut) in made {
        let failed = delivery(&gateway, &subscription).await;
        let attempt = &failed["attempts"][0];
        assert_eq!(attempt["response_body"].as_str().map_or(0, str::len), kept, "{attempt}");
        assert_eq!(attempt["response_is_cut"], is_cut, "{attempt}");
        let message = failed["last_response"]["message"].as_str().unwrap_or_default();
        assert_eq!(message.chars().count(), kept.min(501), "people are shown 500 characters and a mark");
        assert_eq!(message.ends_with('…'), kept > 500);
    }
}
