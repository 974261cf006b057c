//! One request to each service, and the answer by which it says that it has taken it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;

use super::*;

const PUBLISHED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
    <MessageId>m-1</MessageId></PublishResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
    </PublishResponse>";

fn receipt(sent: Result<Sent, TargetError>) -> Value {
    let sent = sent.expect("it is taken");
    assert_eq!(sent.status, 200);
    serde_json::from_str(&sent.body).expect("a receipt")
}

#[tokio::test]
async fn sqs_fifo_gets_the_deliverys_id_as_deduplication_id() {
    let service = Service::answering(Ok(says(200, json!({"MessageId": "m-1"}))));
    let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo";
    let target = json!({"type": "queue", "queue_url": url, "message_group": "entity"});
    assert_eq!(receipt(service.send(target, &parcel()).await), json!({"message_id": "m-1"}));
    let request = service.asked("sqs");
    assert_eq!(request.uri().host(), Some("sqs.eu-central-1.amazonaws.com"));
    assert_eq!(header(&request, "x-amz-target"), "AmazonSQS.SendMessage");
    let text = |value: &str| json!({"DataType": "String", "StringValue": value});
    let expected = json!({
        "QueueUrl": url,
        "MessageBody": "{\"n\": 12345678901234567890123}",
        "MessageAttributes": {
            "content-type": text("application/json"),
            "webhook-id": text("evt_1"),
            "hookport-attempt": text("2"),
            "x-team": text("orders"),
        },
        "MessageDeduplicationId": delivery(),
        "MessageGroupId": "order/42",
    });
    assert_eq!(body(&request), expected);
}

#[tokio::test]
async fn sns_fifo_gets_the_deliverys_id_as_deduplication_id() {
    let service = Service::answering(Ok(says(200, PUBLISHED)));
    let target = json!({"type": "topic", "topic_arn": arn("sns", "orders.fifo")});
    assert_eq!(receipt(service.send(target, &parcel()).await), json!({"message_id": "m-1"}));
    let request = service.asked("sns");
    assert_eq!((request.method(), request.uri().host()), (&Method::POST, Some("sns.eu-central-1.amazonaws.com")));
    let form = form(&request);
    let expected = [
        ("Action", "Publish".to_owned()),
        ("Version", "2010-03-31".to_owned()),
        ("TopicArn", arn("sns", "orders.fifo")),
        ("Message", "{\"n\": 12345678901234567890123}".to_owned()),
        ("MessageDeduplicationId", delivery().to_string()),
        ("MessageGroupId", subscription().to_string()),
    ];
    for (name, value) in &expected {
        assert_eq!(form.get(*name), Some(value), "{name}");
    }
    let attributes: BTreeMap<&str, &str> = (1..=4)
        .map(|n| {
            let member = |part: &str| form[&format!("MessageAttributes.entry.{n}.{part}")].as_str();
            assert_eq!(member("Value.DataType"), "String");
            (member("Name"), member("Value.StringValue"))
        })
        .collect();
    assert_eq!(attributes["webhook-id"], "evt_1");
    assert_eq!(attributes["content-type"], "application/json");
}

#[tokio::test]
async fn sns_standard_gets_no_deduplication_id_and_no_group() {
    let service = Service::answering(Ok(says(200, PUBLISHED)));
    let target = json!({"type": "topic", "topic_arn": arn("sns", "orders")});
    receipt(service.send(target, &parcel()).await);
    let form = form(&service.asked("sns"));
    assert!(!form.contains_key("MessageDeduplicationId") && !form.contains_key("MessageGroupId"), "{form:?}");
}

#[tokio::test]
async fn eventbridge_gets_one_entry_whose_detail_names_the_delivery() {
    let service = Service::answering(Ok(says(200, json!({"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}))));
    let bus = arn("events", "event-bus/orders");
    let target = json!({"type": "event_bus", "event_bus_arn": bus, "source": "com.example.shop"});
    assert_eq!(receipt(service.send(target, &parcel()).await), json!({"event_id": "e-1"}));
    let request = service.asked("events");
    assert_eq!(request.uri().host(), Some("events.eu-central-1.amazonaws.com"));
    assert_eq!(header(&request, "x-amz-target"), "AWSEvents.PutEvents");
    let expected = json!({"Entries": [{
        "Time": DELIVERY_AT,
        "Source": "com.example.shop",
        "Resources": [delivery()],
        "DetailType": "order.placed",
        "Detail": envelope(),
        "EventBusName": bus,
    }]});
    assert_eq!(body(&request), expected);
}

#[tokio::test]
async fn step_functions_gets_the_deliverys_id_as_the_executions_name() {
    let execution = arn("states", "execution:orders:x");
    let service = Service::answering(Ok(says(200, json!({"executionArn": execution, "startDate": 1.79e9}))));
    let machine = arn("states", "stateMachine:orders");
    let target = json!({"type": "workflow", "state_machine_arn": machine});
    assert_eq!(receipt(service.send(target, &parcel()).await), json!({"execution_arn": execution}));
    let request = service.asked("states");
    assert_eq!(request.uri().host(), Some("states.eu-central-1.amazonaws.com"));
    assert_eq!(header(&request, "x-amz-target"), "AWSStepFunctions.StartExecution");
    let expected = json!({"stateMachineArn": machine, "name": delivery(), "input": envelope()});
    assert_eq!(body(&request), expected);
}

#[tokio::test]
async fn lambda_is_invoked_with_a_payload_that_names_the_delivery() {
    let function = arn("lambda", "function:orders");
    let path = format!("/2015-03-31/functions/{}/invocations", function.replace(':', "%3A"));
    let cases = [
        (json!({}), "Event", says(202, ""), Sent { status: 202, body: String::new() }),
        (
            json!({"mode": "wait"}),
            "RequestResponse",
            says(200, json!({"ok": true})),
            Sent { status: 200, body: "{\"ok\":true}".to_owned() },
        ),
    ];
    for (more, kind, answer, sent) in cases {
        let service = Service::answering(Ok(answer));
        let mut target = json!({"type": "function", "function_arn": function});
        if let Some(mode) = more.get("mode") {
            target["mode"] = mode.clone();
        }
        assert_eq!(service.send(target, &parcel()).await, Ok(sent));
        let request = service.asked("lambda");
        assert_eq!((request.method(), request.uri().path()), (&Method::POST, path.as_str()));
        assert_eq!(request.uri().host(), Some("lambda.eu-central-1.amazonaws.com"));
        assert_eq!(header(&request, "x-amz-invocation-type"), kind);
        assert_eq!(request.body(), envelope().as_bytes());
    }
}

#[tokio::test]
async fn kinesis_gets_a_record_that_names_the_delivery() {
    for (key, expected) in [("event", "evt_1"), ("entity", "order/42")] {
        let answer = json!({"ShardId": "shardId-0", "SequenceNumber": "49"});
        let service = Service::answering(Ok(says(200, answer)));
        let stream = arn("kinesis", "stream/orders");
        let target = json!({"type": "stream", "stream_arn": stream, "partition_key": key});
        assert_eq!(receipt(service.send(target, &parcel()).await), json!({"sequence_number": "49"}));
        let request = service.asked("kinesis");
        assert!(request.uri().host().is_some_and(|host| host.ends_with("kinesis.eu-central-1.amazonaws.com")));
        assert_eq!(header(&request, "x-amz-target"), "Kinesis_20131202.PutRecord");
        let data = STANDARD.encode(envelope());
        assert_eq!(body(&request), json!({"StreamARN": stream, "PartitionKey": expected, "Data": data}));
    }
}

#[tokio::test]
async fn s3_gets_an_object_under_the_deliverys_id_that_must_not_be_there() {
    let service = Service::answering(Ok(says(200, "")));
    let target = json!({"type": "bucket", "bucket": "archive", "region": "eu-central-1", "prefix": "hooks/"});
    let key = format!("hooks/2026/09/21/{}", delivery());
    assert_eq!(receipt(service.send(target, &parcel()).await), json!({"key": key}));
    let request = service.asked("s3");
    assert_eq!((request.method(), request.uri().path()), (&Method::PUT, format!("/{key}").as_str()));
    assert_eq!(request.uri().host(), Some("archive.s3.eu-central-1.amazonaws.com"));
    assert_eq!(header(&request, "if-none-match"), "*");
    assert_eq!(header(&request, "content-type"), "application/json");
    assert_eq!(header(&request, "x-amz-meta-webhook-id"), "evt_1");
    assert_eq!(request.body(), "{\"n\": 12345678901234567890123}".as_bytes());
}
