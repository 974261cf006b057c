use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::Sqs;
use super::super::queue::{queue_arn, queue_url};
use super::{Bench, bodies};

#[tokio::test]
async fn names_lead_to_urls_and_arns() {
    let bench = Bench::new();
    let url = bench.queue("inbound", json!({})).await;
    assert_eq!(url, queue_url("inbound"));
    let request = json!({ "QueueUrl": url, "AttributeNames": ["QueueArn"] });
    let told = bench.ok("GetQueueAttributes", request).await;
    assert_eq!(told, json!({ "Attributes": { "QueueArn": queue_arn("inbound") } }));
}

#[tokio::test]
async fn a_url_of_another_account_leads_nowhere() {
    let bench = Bench::new();
    bench.queue("q", json!({})).await;
    let code = "AWS.SimpleQueueService.NonExistentQueue";
    for url in ["http://sqs.local/111111111111/q", "q", "http://sqs.local/000000000000/other"] {
        assert_eq!(bench.refused("PurgeQueue", json!({ "QueueUrl": url })).await, code);
    }
    bench.ok("PurgeQueue", json!({ "QueueUrl": "https://other.example/000000000000/q" })).await;
}

#[tokio::test]
async fn a_queue_is_purged_once_a_minute() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({})).await;
    let request = json!({ "QueueUrl": queue });
    bench.ok("PurgeQueue", request.clone()).await;
    bench.turn(SignedDuration::from_secs(59));
    let code = bench.refused("PurgeQueue", request.clone()).await;
    assert_eq!(code, "AWS.SimpleQueueService.PurgeQueueInProgress");
    bench.turn(SignedDuration::from_secs(1));
    bench.ok("PurgeQueue", request).await;
}

#[tokio::test]
async fn all_attributes_are_told() {
    let bench = Bench::new();
    bench.queue("dead", json!({})).await;
    let policy = json!({ "deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": 5 }).to_string();
    let attributes = json!({ "RedrivePolicy": policy, "VisibilityTimeout": "180" });
    let queue = bench.queue("q", attributes).await;
    bench.turn(SignedDuration::from_secs(1));

    let request = json!({ "QueueUrl": queue, "AttributeNames": ["All"] });
    let told = bench.ok("GetQueueAttributes", request).await;
    assert_eq!(
        told["Attributes"],
        json!({
            "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesDelayed": "0",
            "ApproximateNumberOfMessagesNotVisible": "0",
            "CreatedTimestamp": "1750000000",
            "DelaySeconds": "0",
            "LastModifiedTimestamp": "1750000000",
            "MaximumMessageSize": "1048576",
            "MessageRetentionPeriod": "345600",
            "QueueArn": queue_arn("q"),
            "ReceiveMessageWaitTimeSeconds": "0",
            "RedrivePolicy": policy,
            "VisibilityTimeout": "180",
        })
    );
}

#[tokio::test]
async fn bad_attributes_and_names_are_refused() {
    let bench = Bench::new();
    let refused = async |name: &str, attributes: Value| {
        let request = json!({ "QueueName": name, "Attributes": attributes });
        bench.refused("CreateQueue", request).await
    };
    assert_eq!(refused("q", json!({ "Colour": "red" })).await, "InvalidAttributeName");
    assert_eq!(refused("q", json!({ "DelaySeconds": "901" })).await, "InvalidAttributeValue");
    assert_eq!(refused("q", json!({ "VisibilityTimeout": "soon" })).await, "InvalidAttributeValue");
    assert_eq!(refused("q", json!({ "RedrivePolicy": "{}" })).await, "InvalidParameterValue");
    assert_eq!(refused("a queue", json!({})).await, "InvalidParameterValue");
    assert_eq!(refused(&"q".repeat(81), json!({})).await, "InvalidParameterValue");
    assert_eq!(refused("", json!({})).await, "MissingParameter");

    let queue = bench.queue("q", json!({})).await;
    let request = json!({ "QueueUrl": queue, "AttributeNames": ["Colour"] });
    assert_eq!(bench.refused("GetQueueAttributes", request).await, "InvalidAttributeName");
}

#[tokio::test]
async fn an_unknown_operation_and_a_broken_body_are_refused() {
    let bench = Bench::new();
    assert_eq!(bench.refused("TagQueue", json!({})).await, "InvalidAction");
    let answer = bench.sqs.handle("SendMessage", b"{").await;
    assert_eq!(answer.status, 400);
    let error: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(error["__type"], "com.amazonaws.sqs#SerializationException");
}

#[tokio::test]
async fn errors_carry_their_type_message_and_code() {
    let bench = Bench::new();
    let answer = bench.sqs.handle("GetQueueUrl", br#"{"QueueName":"none"}"#).await;
    let error: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let expected = json!({
        "__type": "com.amazonaws.sqs#QueueDoesNotExist",
        "message": "The specified queue does not exist.",
    });
    assert_eq!(error, expected);
    let header = answer.query_error.as_deref();
    assert_eq!(header, Some("AWS.SimpleQueueService.NonExistentQueue;Sender"));
}

#[tokio::test]
async fn losing_everything_keeps_the_queues() {
    let bench = Bench::new();
    let queue = bench.queue("q", json!({})).await;
    bench.send(&queue, "in flight").await;
    bench.receive(&queue).await;
    bench.send(&queue, "waiting").await;

    bench.sqs.lose_everything();
    assert_eq!(bench.counts(&queue).await, ["0", "0", "0"]);
    bench.send(&queue, "next").await;
    assert_eq!(bodies(&bench.receive(&queue).await), ["next"]);
}

#[tokio::test]
async fn a_file_keeps_queues_and_messages() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("queues.sqlite");
    let clock = Bench::new().clock;
    let open = || Bench { sqs: Sqs::open(Some(&file), clock.clone()).expect("the file opens"), clock: clock.clone() };

    let bench = open();
    bench.queue("dead", json!({})).await;
    let policy = json!({ "deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": 1 });
    let queue = bench.queue("q", json!({ "RedrivePolicy": policy.to_string() })).await;
    bench.send(&queue, "held").await;
    let held = bench.receive(&queue).await;
    bench.send(&queue, "kept").await;
    drop(bench);

    let bench = open();
    // Whoever had received "held" died with the process: it is there for the next one at once.
    assert_eq!(bench.counts(&queue).await, ["2", "0", "0"]);
    bench.delete(&queue, &held[0]).await;
    assert_eq!(bodies(&bench.receive(&queue).await), ["kept"]);
    bench.turn(SignedDuration::from_secs(30));
    assert!(bench.receive(&queue).await.is_empty());
    let dead = queue_url("dead");
    assert_eq!(bodies(&bench.receive(&dead).await), ["kept"]);
}

#[tokio::test]
async fn opening_a_file_forgets_what_expired() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("queues.sqlite");
    let clock = Bench::new().clock;
    let open = || Bench { sqs: Sqs::open(Some(&file), clock.clone()).expect("the file opens"), clock: clock.clone() };

    let bench = open();
    let queue = bench.queue("q", json!({ "MessageRetentionPeriod": "60" })).await;
    bench.send(&queue, "old").await;
    drop(bench);
    clock.advance(SignedDuration::from_secs(60));
    drop(open());

    let rows: i64 = rusqlite::Connection::open(&file)
        .and_then(|conn| conn.query_row("SELECT count(*) FROM messages", (), |row| row.get(0)))
        .expect("the table is there");
    assert_eq!(rows, 0);
}
