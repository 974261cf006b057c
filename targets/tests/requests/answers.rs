//! What answers mean, none among them, and what is not sent at all.

use targets::Fault;

use super::*;

fn queue() -> Value {
    json!({"type": "queue", "queue_url": "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"})
}

fn one_of_each() -> Vec<Value> {
    vec![
        queue(),
        json!({"type": "topic", "topic_arn": arn("sns", "orders")}),
        json!({"type": "event_bus", "event_bus_arn": arn("events", "event-bus/orders")}),
        json!({"type": "workflow", "state_machine_arn": arn("states", "stateMachine:orders")}),
        json!({"type": "function", "function_arn": arn("lambda", "function:orders"), "mode": "wait"}),
        json!({"type": "stream", "stream_arn": arn("kinesis", "stream/orders")}),
        json!({"type": "bucket", "bucket": "archive", "region": "eu-central-1"}),
    ]
}

/// The same error as each service would say it.
fn error_of(target: &Value, status: u16, code: &'static str) -> Canned {
    match target["type"].as_str() {
        Some("topic") => says(
            status,
            format!("<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"),
        ),
        Some("bucket") => says(status, format!("<Error><Code>{code}</Code><Message>m</Message></Error>")),
        _ => refuses(status, code),
    }
}

async fn failure(target: &Value, answer: Result<Canned, NoAnswer>) -> TargetError {
    let service = Service::answering(answer);
    let error = service.send(target.clone(), &parcel()).await.expect_err("it is not taken");
    assert_eq!(service.calls(), 1, "an attempt is one call: {target}");
    error
}

#[tokio::test]
async fn every_service_that_asks_for_less_is_told_from_one_that_refuses_and_one_that_fails() {
    let cases = [
        (400, "ThrottlingException", "target_throttled", Fault::Throttled),
        (403, "AccessDenied", "target_denied", Fault::Refused(403)),
        (404, "ResourceNotFoundException", "target_not_found", Fault::Refused(404)),
        (400, "ValidationException", "target_refused", Fault::Refused(400)),
        (500, "InternalFailure", "target_unavailable", Fault::Failed(500)),
    ];
    for target in one_of_each() {
        for (status, code, word, fault) in cases {
            let error = failure(&target, Ok(error_of(&target, status, code))).await;
            assert_eq!((error.code, error.fault), (word, fault), "{target}: {error}");
        }
    }
}

#[tokio::test]
async fn what_a_service_says_of_the_operators_account_is_not_told() {
    let error = failure(&queue(), Ok(refuses(403, "AccessDenied"))).await;
    assert_eq!(error.to_string(), "SQS answered AccessDenied");
}

#[tokio::test]
async fn no_answer_is_told_from_a_late_one() {
    for target in one_of_each() {
        let error = failure(&target, Err(NoAnswer::Broken)).await;
        assert_eq!((error.code, error.fault), ("connect_failed", Fault::Silent), "{target}");
        let error = failure(&target, Err(NoAnswer::TimedOut)).await;
        assert_eq!((error.code, error.fault), ("timed_out", Fault::Silent), "{target}");
    }
}

#[tokio::test]
async fn an_execution_that_was_started_before_is_a_success() {
    let service = Service::answering(Ok(refuses(400, "ExecutionAlreadyExists")));
    let target = json!({"type": "workflow", "state_machine_arn": arn("states", "stateMachine:orders")});
    let sent = service.send(target, &parcel()).await.expect("it is there");
    assert_eq!(sent.body, json!({"execution_name": delivery()}).to_string());
}

#[tokio::test]
async fn an_object_that_was_written_before_is_a_success() {
    let target = json!({"type": "bucket", "bucket": "archive", "region": "eu-central-1"});
    let service = Service::answering(Ok(error_of(&target, 412, "PreconditionFailed")));
    let sent = service.send(target, &parcel()).await.expect("it is there");
    assert_eq!(sent.body, json!({"key": format!("2026/09/21/{}", delivery())}).to_string());
}

#[tokio::test]
async fn an_entry_that_a_bus_does_not_take_is_a_failure_although_the_call_is_a_success() {
    let target = json!({"type": "event_bus", "event_bus_arn": arn("events", "event-bus/orders")});
    let not_taken = |code: &str| json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": code, "ErrorMessage": "m"}]});
    let error = failure(&target, Ok(says(200, not_taken("ThrottlingException")))).await;
    assert_eq!(error.fault, Fault::Throttled);
    let error = failure(&target, Ok(says(200, not_taken("InternalFailure")))).await;
    assert_eq!(error.fault, Fault::Failed(500));
}

#[tokio::test]
async fn a_function_that_failed_is_a_failure_although_lambda_answers_200() {
    let answer = Canned {
        status: 200,
        headers: &[("x-amz-function-error", "Unhandled")],
        body: json!({"errorType": "KeyError", "errorMessage": "no order 42"}).to_string(),
    };
    let target = json!({"type": "function", "function_arn": arn("lambda", "function:orders"), "mode": "wait"});
    let error = failure(&target, Ok(answer)).await;
    assert_eq!((error.code, error.fault), ("function_error", Fault::Refused(500)));
    assert_eq!(error.to_string(), "KeyError: no order 42");
}

#[tokio::test]
async fn what_is_too_large_for_a_service_is_not_sent() {
    let sizes = [1_048_576, 262_144, 1_048_576, 262_144, 6_291_456, 1_048_576];
    for (target, most) in one_of_each().into_iter().zip(sizes) {
        let service = Service::answering(Ok(says(200, "")));
        let body = Bytes::from("x".repeat(most + 1));
        let error = service.send(target.clone(), &Parcel { body, ..parcel() }).await.expect_err("it is too large");
        assert_eq!((error.code, error.fault), ("too_large_for_target", Fault::Unfit), "{target}");
        assert_eq!(service.calls(), 0, "{target}");
    }
}

#[tokio::test]
async fn an_empty_message_is_not_sent_and_an_empty_event_is() {
    let empty = Parcel { body: Bytes::new(), ..parcel() };
    let service = Service::answering(Ok(says(200, "")));
    let error = service.send(queue(), &empty).await.expect_err("SQS has no empty messages");
    assert_eq!((error.code, service.calls()), ("empty_for_target", 0));
    let service = Service::answering(Ok(says(202, "")));
    let target = json!({"type": "function", "function_arn": arn("lambda", "function:orders")});
    service.send(target, &empty).await.expect("it is taken");
    let payload = body(&service.asked("lambda"));
    assert!(payload.get("data").is_none() && payload.get("data_base64").is_none(), "{payload}");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_sent_in_base64_and_say_so() {
    let binary = Parcel { body: Bytes::from_static(b"\xff\x00"), content_type: "image/x".to_owned(), ..parcel() };
    let service = Service::answering(Ok(says(200, json!({"MessageId": "m-1"}))));
    service.send(queue(), &binary).await.expect("it is taken");
    let message = body(&service.asked("sqs"));
    assert_eq!(message["MessageBody"], "/wA=");
    assert_eq!(message["MessageAttributes"]["hookport-body-encoding"]["StringValue"], "base64");
    let service = Service::answering(Ok(says(202, "")));
    let target = json!({"type": "function", "function_arn": arn("lambda", "function:orders")});
    service.send(target, &binary).await.expect("it is taken");
    let payload = body(&service.asked("lambda"));
    assert_eq!((&payload["data_base64"], payload.get("data")), (&json!("/wA="), None));
}

#[tokio::test]
async fn a_message_has_ten_attributes_at_most_and_the_gateways_come_first() {
    let of_owner = (0..20).map(|n| (format!("x-{n}"), "v".to_owned()));
    let own = [("webhook-id", "evt_1"), ("not a name", "v"), ("aws.trace", "v"), ("empty", "")];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let many = Parcel { attributes: own.into_iter().chain(of_owner).collect(), ..parcel() };
    let service = Service::answering(Ok(says(200, json!({"MessageId": "m-1"}))));
    service.send(queue(), &many).await.expect("it is taken");
    let message = body(&service.asked("sqs"));
    let attributes = message["MessageAttributes"].as_object().expect("attributes");
    assert_eq!(attributes.len(), 10);
    assert!(attributes.contains_key("webhook-id") && attributes.contains_key("x-7"));
    assert!(!attributes.contains_key("x-8") && !attributes.contains_key("aws.trace"));
}

#[tokio::test]
async fn a_group_that_has_no_name_of_its_own_gets_a_digest() {
    let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo";
    let target = json!({"type": "queue", "queue_url": url, "message_group": "entity"});
    for (entity, expected) in [
        (None, subscription().to_string()),
        (Some("größe 42".to_owned()), "f".repeat(64)),
        (Some("x".repeat(129)), "f".repeat(64)),
    ] {
        let service = Service::answering(Ok(says(200, json!({"MessageId": "m-1"}))));
        service.send(target.clone(), &Parcel { entity, ..parcel() }).await.expect("it is taken");
        let message = body(&service.asked("sqs"));
        let group = message["MessageGroupId"].as_str().expect("a group").to_owned();
        let is_digest = group.len() == 64 && group.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(group == expected || (expected.len() == 64 && is_digest), "{group}");
    }
}
