//! What the stand-in does beyond the conformance suite, mostly because it needs a clock that turns far.

mod messages;
mod queues;

use hookport::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Sqs;

/// A stand-in in memory, with its clock.
struct Bench {
    sqs: Sqs,
    clock: Clock,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::manual(Timestamp::from_second(1_750_000_000).expect("a time in 2025"));
        let sqs = Sqs::open(None, clock.clone()).expect("memory opens");
        Self { sqs, clock }
    }

    /// Makes a queue and gives its URL.
    async fn queue(&self, name: &str, attributes: Value) -> String {
        let request = json!({ "QueueName": name, "Attributes": attributes });
        let made = self.ok("CreateQueue", request).await;
        made["QueueUrl"].as_str().expect("a URL").to_owned()
    }

    async fn send(&self, queue: &str, body: &str) {
        let request = json!({ "QueueUrl": queue, "MessageBody": body });
        self.ok("SendMessage", request).await;
    }

    /// Receives up to ten messages, all their attributes told.
    async fn receive(&self, queue: &str) -> Vec<Value> {
        let request = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"] });
        let received = self.ok("ReceiveMessage", request).await;
        received["Messages"].as_array().cloned().unwrap_or_default()
    }

    async fn hide(&self, queue: &str, message: &Value, seconds: i64) {
        let request = json!({
            "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": seconds
        });
        self.ok("ChangeMessageVisibility", request).await;
    }

    async fn delete(&self, queue: &str, message: &Value) {
        let request = json!({ "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"] });
        self.ok("DeleteMessage", request).await;
    }

    /// Counts the messages that are visible, in flight and delayed.
    async fn counts(&self, queue: &str) -> [String; 3] {
        let request = json!({ "QueueUrl": queue, "AttributeNames": ["All"] });
        let answer = self.ok("GetQueueAttributes", request).await;
        ["", "NotVisible", "Delayed"].map(|which| {
            let name = format!("ApproximateNumberOfMessages{which}");
            answer["Attributes"][name].as_str().expect("a count").to_owned()
        })
    }

    fn turn(&self, by: SignedDuration) {
        self.clock.advance(by);
        self.sqs.wake();
    }

    async fn ok(&self, operation: &str, request: Value) -> Value {
        let answer = self.sqs.handle(operation, request.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{operation}: {:?}", answer.body);
        if answer.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// Says with which code a request is refused.
    async fn refused(&self, operation: &str, request: Value) -> String {
        let answer = self.sqs.handle(operation, request.to_string().as_bytes()).await;
        assert_eq!(answer.status, 400, "{operation}: {:?}", answer.body);
        let header = answer.query_error.expect("errors carry their code");
        header.strip_suffix(";Sender").expect("the sender's fault").to_owned()
    }
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["Body"].as_str().expect("a body")).collect()
}
