//! ChangeMessageVisibility and ChangeMessageVisibilityBatch.

use std::borrow::Cow;

use rusqlite::Connection;
use serde::Deserialize;

use super::batch::{Batch, Failure, Outcome, Success, check_ids};
use super::queue::Queue;
use super::receipt::Receipt;
use super::refusal::Refusal;
use super::{State, parse, store};
use crate::answer::Answer;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    receipt_handle: Cow<'a, str>,
    visibility_timeout: Option<i64>,
}

pub(super) fn change_message_visibility(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let change: Change<'_> = parse(body)?;
    let queue = state.queue_at(&change.queue_url)?;
    let now = state.now();
    let delay_ms = state.store.write(|conn| change.apply(conn, &queue, now)).map_err(Refusal::Store)??;
    queue.announce(1, delay_ms);
    Ok(Answer::empty())
}

pub(super) fn change_message_visibility_batch(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let batch: Batch<'_, Change<'_>> = parse(body)?;
    let queue = state.queue_at(&batch.queue_url)?;
    check_ids(batch.entries.iter().map(|entry| entry.id.as_ref()))?;

    let now = state.now();
    let results: Vec<Result<i64, Refusal>> = state
        .store
        .write(|conn| {
            let entries = batch.entries.iter();
            entries.map(|entry| entry.apply(conn, &queue, now)).collect()
        })
        .map_err(Refusal::Store)?;

    let mut outcome = Outcome::new();
    for (entry, result) in batch.entries.iter().zip(results) {
        match result {
            Ok(delay_ms) => {
                queue.announce(1, delay_ms);
                outcome.successful.push(Success { id: &entry.id });
            }
            Err(refusal) => outcome.failed.push(Failure::new(&entry.id, &refusal)),
        }
    }
    Ok(Answer::json(&outcome))
}

impl Change<'_> {
    /// Hides the message for the asked time from now on, and says for how many milliseconds.
    fn apply(&self, conn: &Connection, queue: &Queue, now: i64) -> rusqlite::Result<Result<i64, Refusal>> {
        let (receipt, delay_ms) = match self.check(queue) {
            Ok(checked) => checked,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(match store::held_until(conn, &receipt, queue.cutoff(now))? {
            Some(until) if until > now => {
                store::set_visible_at(conn, receipt.message, now + delay_ms)?;
                Ok(delay_ms)
            }
            Some(_) => Err(Refusal::MessageNotInflight),
            None => Err(self.gone()),
        })
    }

    fn check(&self, queue: &Queue) -> Result<(Receipt, i64), Refusal> {
        let receipt = Receipt::parse(&self.receipt_handle, queue)?;
        let timeout = self.visibility_timeout.ok_or(Refusal::MissingParameter("VisibilityTimeout"))?;
        if !(0..=43_200).contains(&timeout) {
            let reason = "Must be between 0 and 43200.";
            return Err(Refusal::parameter("VisibilityTimeout", timeout, reason));
        }
        Ok((receipt, timeout * 1000))
    }

    fn gone(&self) -> Refusal {
        let handle = &self.receipt_handle;
        Refusal::InvalidParameterValue(format!(
            "Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available \
             for visibility timeout change."
        ))
    }
}
