//! One SQS queue. What is sent is a hint: losing it delays work and loses none.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use jiff::SignedDuration;

use super::clients::AwsClients;
use super::{Source, code_of};
use crate::domain::time::PATIENCE;

/// The most messages in one batch.
const MAX_BATCH: usize = 10;
/// A batch is at most 1 MiB in all; the rest is left for what surrounds the bodies.
const MAX_BATCH_BYTES: usize = 1_000_000;

/// The queue could not be reached or refused a message.
#[derive(Debug, thiserror::Error)]
#[error("the queue is not available ({code})")]
pub struct QueueError {
    /// The service's own code.
    pub code: String,
    /// The cause.
    #[source]
    pub source: Source,
}

/// One SQS queue.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The text.
    pub body: String,
    /// How long it stays hidden first, at most 15 minutes; rounded up to whole seconds.
    pub delay: SignedDuration,
}

impl Outgoing {
    fn delay_seconds(&self) -> i32 {
        let millis = self.delay.as_millis().clamp(0, 900_000);
        i32::try_from((millis + 999) / 1000).unwrap_or(900)
    }
}

impl Queue {
    /// The queue at `url`.
    #[must_use]
    pub fn new(clients: &AwsClients, url: &str) -> Self {
        Self { client: clients.sqs.clone(), url: url.to_owned() }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// When the queue does not take it.
    pub async fn send(&self, message: Outgoing) -> Result<(), QueueError> {
        let delay = message.delay_seconds();
        let request = self.client.send_message().queue_url(&self.url).message_body(message.body);
        let request = if delay > 0 { request.delay_seconds(delay) } else { request };
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(QueueError { code: code_of(&error), source: error.into() }),
        }
    }

    /// Sends a message that only saves time, and waits for it no longer than an answer may.
    ///
    /// # Errors
    /// The code of why it was not sent: the service's own, or `patience`.
    pub async fn hint(&self, body: String, delay: SignedDuration) -> Result<(), String> {
        match tokio::time::timeout(PATIENCE, self.send(Outgoing { body, delay })).await {
            Ok(sent) => sent.map_err(|error| error.code),
            Err(_) => Err("patience".to_owned()),
        }
    }

    /// Sends many messages in as few calls as possible, and tells which ones (by index) were not taken.
    pub async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<(usize, QueueError)> {
        let mut failed = Vec::new();
        let mut batch = Vec::new();
        let mut bytes = 0;
        for (index, message) in messages.into_iter().enumerate() {
            if batch.len() == MAX_BATCH || bytes + message.body.len() > MAX_BATCH_BYTES {
                self.send_batch(std::mem::take(&mut batch), &mut failed).await;
                bytes = 0;
            }
            bytes += message.body.len();
            batch.push((index, message));
        }
        self.send_batch(batch, &mut failed).await;
        failed
    }

    async fn send_batch(&self, batch: Vec<(usize, Outgoing)>, failed: &mut Vec<(usize, QueueError)>) {
        if batch.is_empty() {
            return;
        }
        let indexes: Vec<usize> = batch.iter().map(|(index, _)| *index).collect();
        let mut request = self.client.send_message_batch().queue_url(&self.url);
        for (index, message) in batch {
            let delay = message.delay_seconds();
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(message.body);
            let entry = if delay > 0 { entry.delay_seconds(delay) } else { entry };
            match entry.build() {
                Ok(entry) => request = request.entries(entry),
                Err(error) => failed.push((index, QueueError { code: "not_built".to_owned(), source: error.into() })),
            }
        }
        match request.send().await {
            Ok(answer) => {
                for entry in answer.failed {
                    let source = entry.message.unwrap_or_default().into();
                    let index = entry.id.parse().unwrap_or_default();
                    failed.push((index, QueueError { code: entry.code, source }));
                }
            }
            Err(error) => {
                let code = code_of(&error);
                let text = error.to_string();
                let all = indexes.into_iter();
                failed.extend(all.map(|i| (i, QueueError { code: code.clone(), source: text.clone().into() })));
            }
        }
    }
}
