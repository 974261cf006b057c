//! What the three batch operations share: the rules for entries, and the answer.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

const MOST_ENTRIES: usize = 10;
const LONGEST_ID: usize = 80;

/// A batch request whose entries are `E`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Batch<'a, E> {
    #[serde(borrow, default)]
    pub(super) queue_url: Cow<'a, str>,
    #[serde(default = "Vec::new")]
    pub(super) entries: Vec<E>,
}

/// Checks the ids of all entries: what is wrong here fails the whole batch.
pub(super) fn check_ids<'e>(ids: impl ExactSizeIterator<Item = &'e str>) -> Result<(), Refusal> {
    match ids.len() {
        0 => return Err(Refusal::EmptyBatchRequest),
        count if count > MOST_ENTRIES => return Err(Refusal::TooManyEntriesInBatchRequest(count)),
        _ => {}
    }
    let mut seen = Vec::with_capacity(MOST_ENTRIES);
    for id in ids {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(legal) {
            return Err(Refusal::InvalidBatchEntryId);
        }
        if seen.contains(&id) {
            return Err(Refusal::BatchEntryIdsNotDistinct(id.to_owned()));
        }
        seen.push(id);
    }
    Ok(())
}

/// The answer to a batch: each entry succeeded or failed by itself.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Outcome<'e, S> {
    pub(super) successful: Vec<S>,
    pub(super) failed: Vec<Failure<'e>>,
}

impl<S> Outcome<'_, S> {
    pub(super) fn new() -> Self {
        Self { successful: Vec::with_capacity(MOST_ENTRIES), failed: Vec::new() }
    }
}

/// An entry that succeeded and has nothing more to tell.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Success<'e> {
    pub(super) id: &'e str,
}

/// An entry that was refused.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Failure<'e> {
    id: &'e str,
    sender_fault: bool,
    code: &'static str,
    message: String,
}

impl<'e> Failure<'e> {
    pub(super) fn new(id: &'e str, refusal: &Refusal) -> Self {
        Self { id, sender_fault: true, code: refusal.code(), message: refusal.to_string() }
    }
}
