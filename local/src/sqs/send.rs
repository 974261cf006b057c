//! SendMessage and SendMessageBatch.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::attributes::LARGEST_MESSAGE;
use super::batch::{Batch, Failure, Outcome, check_ids};
use super::message_attributes::{self, MessageAttributes};
use super::queue::Queue;
use super::refusal::Refusal;
use super::store::{self, NewMessage};
use super::{State, parse};
use crate::answer::Answer;

/// A message as a request brings it, by itself or as an entry of a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outgoing<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    message_body: Cow<'a, str>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: MessageAttributes,
    message_system_attributes: Option<IgnoredAny>,
    message_deduplication_id: Option<IgnoredAny>,
    message_group_id: Option<IgnoredAny>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    message_id: String,
}

pub(super) fn send_message(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let message: Outgoing<'_> = parse(body)?;
    let queue = state.queue_at(&message.queue_url)?;
    let delay_ms = message.check(&queue)? * 1000;
    let uuid = new_uuid();
    let row = message.row(&queue, state.now(), delay_ms, uuid);
    state.store.with(|conn| store::insert(conn, &row)).map_err(Refusal::Store)?;
    queue.announce(1, delay_ms);
    Ok(Answer::json(&Sent { id: None, message_id: uuid.to_string() }))
}

pub(super) fn send_message_batch(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let batch: Batch<'_, Outgoing<'_>> = parse(body)?;
    let queue = state.queue_at(&batch.queue_url)?;
    check_ids(batch.entries.iter().map(|entry| entry.id.as_ref()))?;
    let bytes: usize = batch.entries.iter().map(|entry| entry.message_body.len()).sum();
    if !fits(bytes, LARGEST_MESSAGE) {
        return Err(Refusal::BatchRequestTooLong(bytes));
    }

    let now = state.now();
    let mut outcome = Outcome::new();
    let mut rows = Vec::with_capacity(batch.entries.len());
    for entry in &batch.entries {
        match entry.check(&queue) {
            Ok(delay_seconds) => {
                let uuid = new_uuid();
                rows.push(entry.row(&queue, now, delay_seconds * 1000, uuid));
                outcome.successful.push(Sent { id: Some(entry.id.as_ref()), message_id: uuid.to_string() });
            }
            Err(refusal) => outcome.failed.push(Failure::new(&entry.id, &refusal)),
        }
    }
    state.store.write(|conn| rows.iter().try_for_each(|row| store::insert(conn, row))).map_err(Refusal::Store)?;
    for row in &rows {
        queue.announce(1, row.visible_at - now);
    }
    Ok(Answer::json(&outcome))
}

impl Outgoing<'_> {
    /// Says by how many seconds the message is delayed, if it may be sent.
    fn check(&self, queue: &Queue) -> Result<i64, Refusal> {
        if self.message_body.is_empty() {
            return Err(Refusal::MissingParameter("MessageBody"));
        }
        if self.message_system_attributes.is_some() {
            return Err(Refusal::UnsupportedOperation("This stand-in has no system attributes of messages."));
        }
        if self.message_deduplication_id.is_some() || self.message_group_id.is_some() {
            return Err(Refusal::UnsupportedOperation("This stand-in has no message groups and no deduplication."));
        }
        if !self.message_body.chars().all(is_legal) {
            return Err(Refusal::InvalidMessageContents);
        }
        let most = queue.settings.maximum_message_size;
        let attribute_bytes = message_attributes::check(&self.message_attributes)?;
        if !fits(self.message_body.len() + attribute_bytes, most) {
            return Err(Refusal::InvalidParameterValue(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
            )));
        }
        match self.delay_seconds {
            None => Ok(queue.settings.delay_seconds),
            Some(delay) if (0..=900).contains(&delay) => Ok(delay),
            Some(delay) => Err(Refusal::parameter("DelaySeconds", delay, "DelaySeconds must be >= 0 and <= 900.")),
        }
    }

    fn row(&self, queue: &Queue, now: i64, delay_ms: i64, uuid: Uuid) -> NewMessage<'_> {
        NewMessage {
            queue: queue.id,
            sent_at: now,
            visible_at: now + delay_ms,
            uuid: uuid.into_bytes(),
            body: &self.message_body,
            attributes: (!self.message_attributes.is_empty())
                .then(|| serde_json::to_string(&self.message_attributes).expect("texts by name are JSON")),
        }
    }
}

fn fits(bytes: usize, most: i64) -> bool {
    i64::try_from(bytes).is_ok_and(|bytes| bytes <= most)
}

/// Says whether XML 1.0 allows the character, which is what SQS allows.
pub(super) fn is_legal(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn new_uuid() -> Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}
