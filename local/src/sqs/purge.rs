//! PurgeQueue.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use serde::Deserialize;

use super::refusal::Refusal;
use super::{State, parse, store};
use crate::answer::Answer;

/// How long AWS takes over one purge, and refuses another.
const PURGE_MS: i64 = 60_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PurgeQueue<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
}

pub(super) fn purge_queue(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: PurgeQueue<'_> = parse(body)?;
    let queue = state.queue_at(&request.queue_url)?;
    let now = state.now();
    if now.saturating_sub(queue.purged_at.load(Ordering::Relaxed)) < PURGE_MS {
        return Err(Refusal::PurgeQueueInProgress(queue.name.clone()));
    }
    state.store.with(|conn| store::delete_all_of(conn, queue.id)).map_err(Refusal::Store)?;
    queue.purged_at.store(now, Ordering::Relaxed);
    Ok(Answer::empty())
}
