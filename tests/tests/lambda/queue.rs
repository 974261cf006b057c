//! The queues and the due index, as the platform and a passing day would touch them.

use bytes::Bytes;
use hookport::clock::Clock;
use hookport_local::cloud::Cloud;
use hookport_local::template::local_queue_url;
use http::{Request, StatusCode};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

/// Over how many shards the due index is spread.
pub const SHARDS: u64 = 16;

/// A message as `ReceiveMessage` gives it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    pub message_id: String,
    pub receipt_handle: String,
    pub body: String,
    attributes: Attributes,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    approximate_receive_count: String,
}

impl Message {
    /// How often it was received, this time included.
    pub fn receive_count(&self) -> &str {
        &self.attributes.approximate_receive_count
    }

    /// The message as it comes when it was not deleted: once more.
    pub fn again(mut self) -> Self {
        let count: u32 = self.receive_count().parse().expect("a number");
        self.attributes.approximate_receive_count = (count + 1).to_string();
        self
    }
}

/// Receives what is visible now, up to ten messages, which stay hidden from then on.
pub async fn take(cloud: &Cloud, queue: &str) -> Vec<Message> {
    let request = json!({
        "QueueUrl": local_queue_url(queue),
        "MaxNumberOfMessages": 10,
        "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
    });
    let mut answer = call(cloud, "AmazonSQS.ReceiveMessage", &request).await;
    match answer["Messages"].take() {
        Value::Null => Vec::new(),
        messages => serde_json::from_value(messages).expect("messages"),
    }
}

/// Sends a message that is none of ours.
pub async fn send(cloud: &Cloud, queue: &str, body: &str) {
    let request = json!({"QueueUrl": local_queue_url(queue), "MessageBody": body});
    call(cloud, "AmazonSQS.SendMessage", &request).await;
}

/// The secret that the others are sealed with.
pub async fn keyring(cloud: &Cloud) -> Vec<String> {
    let answer = call(cloud, "secretsmanager.GetSecretValue", &json!({"SecretId": "KeyringSecret"})).await;
    let ring: Value = serde_json::from_str(answer["SecretString"].as_str().expect("text")).expect("a JSON object");
    let keys = ring.as_object().expect("keys by their ids").values();
    keys.map(|key| key.as_str().expect("a key").to_owned()).collect()
}

/// Makes what waits for its next attempt due now, as if the time had passed. Tells how many deliveries that were.
///
/// The programs follow the system's clock, which no test can turn, so the rows are turned back instead.
pub async fn let_time_pass(cloud: &Cloud) -> usize {
    let past = Clock::system().now() - SignedDuration::from_secs(1);
    let past = json!({"N": past.as_millisecond().to_string()});
    let mut turned = 0;
    for shard in 0..SHARDS {
        let request = json!({
            "TableName": "DeliveriesTable",
            "IndexName": "due",
            "KeyConditionExpression": "ds = :shard",
            "ExpressionAttributeValues": {":shard": {"S": format!("{shard:x}")}},
        });
        let found = call(cloud, "DynamoDB_20120810.Query", &request).await;
        // The upkeep of subscriptions is due as well, and waits for no attempt.
        let is_delivery = |row: &&Value| row["pk"]["S"].as_str().is_some_and(|pk| pk.contains("/out/"));
        for row in found["Items"].as_array().expect("a list").iter().filter(is_delivery) {
            let request = json!({
                "TableName": "DeliveriesTable",
                "Key": {"pk": row["pk"], "sk": row["sk"]},
                "UpdateExpression": "SET #next = :past, #due = :past",
                "ConditionExpression": "attribute_exists(#next)",
                "ExpressionAttributeNames": {"#next": "x", "#due": "da"},
                "ExpressionAttributeValues": {":past": past},
            });
            call(cloud, "DynamoDB_20120810.UpdateItem", &request).await;
            turned += 1;
        }
    }
    turned
}

async fn call(cloud: &Cloud, target: &str, body: &Value) -> Value {
    let request = Request::post("http://aws.local/")
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Bytes::from(body.to_string()))
        .expect("a request");
    let answer = cloud.handle("test", request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{target}: {}", String::from_utf8_lossy(answer.body()));
    if answer.body().is_empty() { Value::Null } else { serde_json::from_slice(answer.body()).expect("JSON") }
}
