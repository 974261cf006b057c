use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use super::super::queue::queue_arn;
use super::{Bench, bodies};

#[tokio::test]
async fn messages_come_in_the_order_they_became_visible() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({})).await;
    bench.send(&queue, "first").await;
    bench.send(&queue, "second").await;
    let request = json!({ "QueueUrl": queue, "MessageBody": "third", "DelaySeconds": 1 });
    bench.ok("SendMessage", request).await;
    bench.turn(SignedDuration::from_secs(2));
    bench.send(&queue, "fourth").await;

    assert_eq!(bodies(&bench.receive(&queue).await), ["first", "second", "third", "fourth"]);
}

#[tokio::test]
async fn a_message_vanishes_when_its_retention_ends() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({ "MessageRetentionPeriod": "60" })).await;
    bench.send(&queue, "old").await;
    bench.turn(SignedDuration::from_secs(30));
    bench.send(&queue, "young").await;
    bench.turn(SignedDuration::from_secs(30));

    assert_eq!(bench.counts(&queue).await, ["1", "0", "0"]);
    assert_eq!(bodies(&bench.receive(&queue).await), ["young"]);
}

#[tokio::test]
async fn a_message_that_expires_in_flight_does_not_come_back() {
    let bench = Bench::new();
    let attributes = json!({ "MessageRetentionPeriod": "60", "VisibilityTimeout": "90" });
    let queue = bench.queue("q", attributes).await;
    bench.send(&queue, "slow").await;
    let held = bench.receive(&queue).await;
    bench.turn(SignedDuration::from_secs(61));

    let request = json!({
        "QueueUrl": queue, "ReceiptHandle": held[0]["ReceiptHandle"], "VisibilityTimeout": 60
    });
    assert_eq!(bench.refused("ChangeMessageVisibility", request).await, "InvalidParameterValue");
    bench.turn(SignedDuration::from_secs(30));
    assert!(bench.receive(&queue).await.is_empty());
}

#[tokio::test]
async fn an_older_handle_deletes_nothing() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({})).await;
    bench.send(&queue, "twice").await;
    let first = bench.receive(&queue).await;
    bench.turn(SignedDuration::from_secs(30));
    let second = bench.receive(&queue).await;

    bench.delete(&queue, &first[0]).await;
    assert_eq!(bench.counts(&queue).await, ["0", "1", "0"]);
    bench.delete(&queue, &second[0]).await;
    assert_eq!(bench.counts(&queue).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn a_handle_deletes_after_its_visibility_ended_as_long_as_it_is_the_newest() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({})).await;
    bench.send(&queue, "late").await;
    let received = bench.receive(&queue).await;
    bench.turn(SignedDuration::from_secs(60));

    bench.delete(&queue, &received[0]).await;
    assert!(bench.receive(&queue).await.is_empty());
}

#[tokio::test]
async fn a_handle_never_reaches_a_later_message_in_the_same_row() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({})).await;
    bench.send(&queue, "before").await;
    let before = bench.receive(&queue).await;
    bench.delete(&queue, &before[0]).await;
    bench.send(&queue, "after").await;
    bench.receive(&queue).await;

    bench.delete(&queue, &before[0]).await;
    assert_eq!(bench.counts(&queue).await, ["0", "1", "0"]);
}

#[tokio::test]
async fn a_handle_of_another_queue_is_invalid() {
    let bench = Bench::new();
    let one = bench.queue("one", json!({})).await;
    let other = bench.queue("other", json!({})).await;
    bench.send(&one, "here").await;
    let received = bench.receive(&one).await;

    let request = json!({ "QueueUrl": other, "ReceiptHandle": received[0]["ReceiptHandle"] });
    assert_eq!(bench.refused("DeleteMessage", request).await, "ReceiptHandleIsInvalid");
}

#[tokio::test]
async fn a_dead_letter_keeps_its_age_and_its_receive_count() {
    let bench = Bench::new();
    let dead = bench.queue("dead", json!({ "MessageRetentionPeriod": "120" })).await;
    let policy = json!({ "deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": "1" });
    let queue = bench.queue("q", json!({ "RedrivePolicy": policy.to_string() })).await;
    bench.send(&queue, "poison").await;
    let first = bench.receive(&queue).await;
    bench.turn(SignedDuration::from_secs(60));
    assert!(bench.receive(&queue).await.is_empty());

    let letters = bench.receive(&dead).await;
    let (before, after) = (&first[0]["Attributes"], &letters[0]["Attributes"]);
    assert_eq!(letters[0]["MessageId"], first[0]["MessageId"]);
    assert_eq!(after["SentTimestamp"], before["SentTimestamp"]);
    assert_eq!(after["ApproximateFirstReceiveTimestamp"], before["ApproximateFirstReceiveTimestamp"]);
    assert_eq!(after["ApproximateReceiveCount"], "2");
    bench.turn(SignedDuration::from_secs(60));
    assert!(bench.receive(&dead).await.is_empty());
}

#[tokio::test]
async fn a_worn_out_message_does_not_hide_those_behind_it() {
    let bench = Bench::new();
    bench.queue("dead", json!({})).await;
    let policy = json!({ "deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": 1 });
    let queue = bench.queue("q", json!({ "RedrivePolicy": policy.to_string() })).await;
    bench.send(&queue, "poison").await;
    bench.receive(&queue).await;
    bench.turn(SignedDuration::from_secs(30));
    bench.send(&queue, "sound").await;

    let received = bench.ok("ReceiveMessage", json!({ "QueueUrl": queue })).await;
    assert_eq!(received["Messages"][0]["Body"], "sound");
}

#[tokio::test]
async fn a_long_poll_wakes_when_a_message_goes_to_the_dead_letters() {
    let bench = Bench::new();
    let dead = bench.queue("dead", json!({})).await;
    let policy = json!({ "deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": 1 });
    let queue = bench.queue("q", json!({ "RedrivePolicy": policy.to_string() })).await;
    bench.send(&queue, "poison").await;
    let received = bench.receive(&queue).await;

    let poll = bench.ok("ReceiveMessage", json!({ "QueueUrl": dead, "WaitTimeSeconds": 20 }));
    let redrive = async {
        bench.hide(&queue, &received[0], 0).await;
        assert!(bench.receive(&queue).await.is_empty());
    };
    let both = async { tokio::join!(poll, redrive).0 };
    let polled = tokio::time::timeout(Duration::from_secs(10), both).await.expect("woken");
    assert_eq!(polled["Messages"][0]["Body"], "poison");
}

#[tokio::test]
async fn every_waiting_poll_gets_one_of_the_messages_of_a_batch() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({})).await;
    let poll = || bench.ok("ReceiveMessage", json!({ "QueueUrl": queue, "WaitTimeSeconds": 20 }));
    let entries = json!([
        { "Id": "a", "MessageBody": "a" }, { "Id": "b", "MessageBody": "b" }, { "Id": "c", "MessageBody": "c" }
    ]);
    let send = bench.ok("SendMessageBatch", json!({ "QueueUrl": queue, "Entries": entries }));

    let all = async { tokio::join!(poll(), poll(), poll(), send) };
    let (one, two, three, _) = tokio::time::timeout(Duration::from_secs(10), all).await.expect("woken");
    let mut got = [one, two, three].map(|polled| polled["Messages"][0]["Body"].to_string());
    got.sort();
    assert_eq!(got, [r#""a""#, r#""b""#, r#""c""#]);
}

#[tokio::test]
async fn a_long_poll_ends_when_the_clock_is_turned_past_its_end() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({})).await;
    let poll = bench.ok("ReceiveMessage", json!({ "QueueUrl": queue, "WaitTimeSeconds": 20 }));
    let turn = async { bench.turn(SignedDuration::from_secs(20)) };

    let both = async { tokio::join!(poll, turn).0 };
    let polled = tokio::time::timeout(Duration::from_secs(10), both).await.expect("woken");
    assert_eq!(polled, json!({}));
}

#[tokio::test]
async fn a_long_poll_sees_a_message_whose_receiver_died() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({ "VisibilityTimeout": "5" })).await;
    bench.send(&queue, "again").await;

    let poll = async {
        assert_eq!(bench.receive(&queue).await.len(), 1);
        bench.ok("ReceiveMessage", json!({ "QueueUrl": queue, "WaitTimeSeconds": 20 })).await
    };
    let turn = async { bench.turn(SignedDuration::from_secs(5)) };
    let both = async { tokio::join!(poll, turn).0 };
    let polled = tokio::time::timeout(Duration::from_secs(10), both).await.expect("woken");
    assert_eq!(polled["Messages"][0]["Body"], "again");
}

#[tokio::test]
async fn what_sqs_knows_and_this_does_not_is_refused() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({})).await;
    let trace = json!({ "AWSTraceHeader": { "DataType": "String", "StringValue": "1" } });
    let unsupported = "AWS.SimpleQueueService.UnsupportedOperation";

    let request = json!({ "QueueUrl": queue, "MessageBody": "x", "MessageSystemAttributes": trace });
    assert_eq!(bench.refused("SendMessage", request).await, unsupported);
    let request = json!({ "QueueUrl": queue, "MessageBody": "x", "MessageGroupId": "g" });
    assert_eq!(bench.refused("SendMessage", request).await, unsupported);
    assert_eq!(bench.refused("CreateQueue", json!({ "QueueName": "q.fifo" })).await, unsupported);
}

#[tokio::test]
async fn every_character_outside_xml_is_refused() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({})).await;
    for legal in ["\t\n\r", " ~\u{7f}", "\u{fffd}", "\u{10000}", "\u{10ffff}"] {
        bench.send(&queue, legal).await;
    }
    for illegal in ["\0", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
        let request = json!({ "QueueUrl": queue, "MessageBody": illegal });
        assert_eq!(bench.refused("SendMessage", request).await, "InvalidMessageContents");
    }
}

fn text(value: &str) -> serde_json::Value {
    json!({ "DataType": "String", "StringValue": value })
}

#[tokio::test]
async fn attributes_are_told_by_name_by_beginning_or_all() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({ "VisibilityTimeout": "0" })).await;
    let attributes = json!({ "a.one": text("1"), "a.two": text("2"), "b": text("3") });
    let request = json!({ "QueueUrl": queue, "MessageBody": "x", "MessageAttributes": attributes });
    bench.ok("SendMessage", request).await;

    for (asked, told) in [
        (json!(["All"]), json!({ "a.one": text("1"), "a.two": text("2"), "b": text("3") })),
        (json!(["a.*"]), json!({ "a.one": text("1"), "a.two": text("2") })),
        (json!(["b", "c"]), json!({ "b": text("3") })),
        (json!(["c"]), serde_json::Value::Null),
        (json!([]), serde_json::Value::Null),
    ] {
        let request = json!({ "QueueUrl": queue, "MessageAttributeNames": asked });
        let received = bench.ok("ReceiveMessage", request).await;
        assert_eq!(received["Messages"][0]["MessageAttributes"], told, "{asked}");
    }
}

#[tokio::test]
async fn attributes_that_sqs_would_refuse_are_refused() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({ "MaximumMessageSize": "1024" })).await;
    let eleven: serde_json::Map<_, _> = (0..11).map(|n| (format!("n{n}"), text("x"))).collect();
    let long = "x".repeat(1024);
    for attributes in [
        json!(eleven),
        json!({ "": text("x") }),
        json!({ "a b": text("x") }),
        json!({ "aws.x": text("x") }),
        json!({ "a": text("") }),
        json!({ "a": { "DataType": "Text", "StringValue": "x" } }),
        json!({ "a": { "DataType": "Binary", "StringValue": "x" } }),
        json!({ "a": text(&long) }),
    ] {
        let request = json!({ "QueueUrl": queue, "MessageBody": "x", "MessageAttributes": attributes });
        assert_eq!(bench.refused("SendMessage", request).await, "InvalidParameterValue", "{attributes}");
    }
    let request = json!({ "QueueUrl": queue, "MessageBody": "x", "MessageAttributes": { "a": text("\u{7}") } });
    assert_eq!(bench.refused("SendMessage", request).await, "InvalidMessageContents");
}
