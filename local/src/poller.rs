//! Between the queues and the dispatcher: what Lambda's event source mapping is in the cloud.
//!
//! Its calls go the same metered way as the functions' own, because the mapping's calls are billed as well.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookport::aws::lambda::Received;
use http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore, watch};
use tracing::warn;

use crate::cloud::Cloud;
use crate::functions::Functions;
use crate::template::{QueueSource, local_queue_url};

/// How long one receive waits for a message, in seconds.
const LONG_POLL_S: u32 = 20;
/// How many batches of one queue are worked at once when the template does not say.
const DEFAULT_CONCURRENCY: u32 = 10;
/// With this many batches under way, the next one is given a moment to fill.
const BUSY: u32 = 2;
/// That moment. It ends early when fewer are under way.
const FILLING: Duration = Duration::from_millis(10);
/// The name under which the meter counts the mapping's calls.
const INSTANCE: &str = "poller";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    message_id: String,
    receipt_handle: String,
    body: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    #[serde(default)]
    approximate_receive_count: String,
}

async fn call(cloud: &Cloud, operation: &str, body: &Value) -> Option<Bytes> {
    let request = Request::post("http://sqs.local/")
        .header("x-amz-target", format!("AmazonSQS.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .body(Bytes::from(body.to_string()));
    let answer = cloud.handle(INSTANCE, request.ok()?).await.ok()?;
    if answer.status() == StatusCode::OK {
        return Some(answer.into_body());
    }
    warn!(operation, status = answer.status().as_u16(), "poller.refused");
    None
}

async fn receive(cloud: &Cloud, source: &QueueSource, wait_s: u32) -> Vec<Message> {
    let request = json!({
        "QueueUrl": local_queue_url(&source.queue),
        "MaxNumberOfMessages": source.batch_size.min(10),
        "WaitTimeSeconds": wait_s,
        "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
    });
    let answer = call(cloud, "ReceiveMessage", &request).await;
    answer.and_then(|body| serde_json::from_slice::<Batch>(&body).ok()).map(|batch| batch.messages).unwrap_or_default()
}

/// Hands a batch to the dispatcher and deletes what it has worked.
async fn work(cloud: &Cloud, functions: &Functions, source: &QueueSource, messages: Vec<Message>) {
    let mut handles = Vec::with_capacity(messages.len());
    let mut batch = Vec::with_capacity(messages.len());
    for message in messages {
        handles.push((message.message_id.clone(), message.receipt_handle));
        batch.push(Received {
            message_id: message.message_id,
            body: message.body,
            receive_count: message.attributes.approximate_receive_count.parse().unwrap_or(1),
        });
    }
    let failed = functions.dispatcher.clone().handle(batch, functions.dispatcher_deadline()).await;
    let done = handles.iter().filter(|(id, _)| !failed.contains(id)).enumerate();
    let entries: Vec<_> = done.map(|(n, (_, handle))| json!({"Id": n.to_string(), "ReceiptHandle": handle})).collect();
    if !entries.is_empty() {
        let request = json!({"QueueUrl": local_queue_url(&source.queue), "Entries": entries});
        call(cloud, "DeleteMessageBatch", &request).await;
    }
}

/// Works what is in the queues now, once; for tests that drive the dispatcher by hand. Tells how many messages it took.
pub async fn work_once(cloud: &Cloud, functions: &Functions) -> usize {
    let mut taken = 0;
    for source in &functions.sources {
        let messages = receive(cloud, source, 0).await;
        taken += messages.len();
        if !messages.is_empty() {
            work(cloud, functions, source, messages).await;
        }
    }
    taken
}

/// Works one batch of the first queue, the inbound one; for tests that count calls.
pub async fn work_once_from_first(cloud: &Cloud, functions: &Functions) {
    if let Some(source) = functions.sources.first() {
        let messages = receive(cloud, source, 0).await;
        work(cloud, functions, source, messages).await;
    }
}

/// Feeds the dispatcher from one queue until `stop` says so, then finishes the batches under way.
pub async fn run(cloud: Cloud, functions: Arc<Functions>, source: QueueSource, mut stop: watch::Receiver<bool>) {
    let most = source.max_concurrency.unwrap_or(DEFAULT_CONCURRENCY).max(1);
    let slots = Arc::new(Semaphore::new(most as usize));
    let done = Arc::new(Notify::new());
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let messages = tokio::select! {
            biased;
            _ = stop.wait_for(|stopped| *stopped) => break,
            messages = receive(&cloud, &source, LONG_POLL_S) => messages,
        };
        if messages.is_empty() {
            continue;
        }
        let (cloud, functions, source) = (cloud.clone(), Arc::clone(&functions), source.clone());
        let worked = Arc::clone(&done);
        tokio::spawn(async move {
            work(&cloud, &functions, &source, messages).await;
            drop(slot);
            worked.notify_one();
        });
        // A batch of ten costs as many calls as a batch of one. While the gateway is idle, nothing waits.
        let idle = async {
            while slots.available_permits() + BUSY as usize <= most as usize {
                done.notified().await;
            }
        };
        let _ = tokio::time::timeout(FILLING, idle).await;
    }
    // Every slot free means that every batch is worked.
    let _ = slots.acquire_many(most).await;
}
