//! DeleteMessage and DeleteMessageBatch.
//!
//! As AWS documents it, only the handle of the newest receive deletes; an older one, or one of a message that is gone,
//! succeeds and changes nothing.

use std::borrow::Cow;

use serde::Deserialize;

use super::batch::{Batch, Failure, Outcome, Success, check_ids};
use super::receipt::Receipt;
use super::refusal::Refusal;
use super::{State, parse, store};
use crate::answer::Answer;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Deletion<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    receipt_handle: Cow<'a, str>,
}

pub(super) fn delete_message(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: Deletion<'_> = parse(body)?;
    let queue = state.queue_at(&request.queue_url)?;
    let receipt = Receipt::parse(&request.receipt_handle, &queue)?;
    state.store.with(|conn| store::delete_received(conn, &receipt)).map_err(Refusal::Store)?;
    Ok(Answer::empty())
}

pub(super) fn delete_message_batch(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let batch: Batch<'_, Deletion<'_>> = parse(body)?;
    let queue = state.queue_at(&batch.queue_url)?;
    check_ids(batch.entries.iter().map(|entry| entry.id.as_ref()))?;

    let mut outcome = Outcome::new();
    let mut receipts = Vec::with_capacity(batch.entries.len());
    for entry in &batch.entries {
        match Receipt::parse(&entry.receipt_handle, &queue) {
            Ok(receipt) => {
                receipts.push(receipt);
                outcome.successful.push(Success { id: &entry.id });
            }
            Err(refusal) => outcome.failed.push(Failure::new(&entry.id, &refusal)),
        }
    }
    state
        .store
        .write(|conn| {
            let mut receipts = receipts.iter();
            receipts.try_for_each(|receipt| store::delete_received(conn, receipt))
        })
        .map_err(Refusal::Store)?;
    Ok(Answer::json(&outcome))
}
