//! Planning: the events of the time in question are looked at, and what is to be sent is written down.

use futures_util::stream::{self, StreamExt};
use hookport::aws::lambda::Deadline;
use hookport::domain::replay::{Counts, EventPlace, Replay, ReplayItem};

use super::Step;
use crate::{Dispatcher, Trouble};

/// How many rows are read at a time.
const ROWS: usize = 100;
/// After how many rows and subscriptions together progress is written.
const EFFORT: usize = 300;
/// How many events are looked at at once.
const LOOKERS: usize = 16;
/// How many items are written at once. They stand in one partition, which takes about a thousand writes a second.
const WRITERS: usize = 8;

/// What was found since progress was written.
#[derive(Default)]
struct Found {
    counts: Counts,
    items: Vec<ReplayItem>,
    effort: usize,
}

impl Dispatcher {
    /// Looks at some more events, beginning at `place`.
    pub(super) async fn plan(
        &self,
        replay: &Replay,
        place: Option<&EventPlace>,
        partitions: &mut Vec<String>,
        deadline: Deadline,
    ) -> Result<Step, Trouble> {
        let begins_at = replay.begins_at();
        if self.app.clock.now() < begins_at {
            return Ok(Step::Wait(begins_at));
        }
        if partitions.is_empty() {
            let webhook = replay.selection.filter.webhook_id;
            *partitions = self.app.store.event_partitions(&replay.tenant, webhook).await?;
        }
        let mut found = Found::default();
        let mut next = place.cloned().or_else(|| beyond(partitions, None));
        while let Some(mut place) = next.take() {
            if self.look_from(replay, &mut place, &mut found).await? {
                next = beyond(partitions, Some(&place.partition));
            } else {
                next = Some(place);
            }
            if found.effort >= EFFORT || self.app.clock.now() >= deadline.0 {
                break;
            }
        }
        found.counts.matched = u64::try_from(found.items.len()).unwrap_or(u64::MAX);
        let puts = stream::iter(found.items)
            .map(|item| async move { self.app.store.put_replay_item(replay, &item).await })
            .buffer_unordered(WRITERS);
        for put in puts.collect::<Vec<_>>().await {
            put?;
        }
        Ok(Step::further(replay.planned_further(found.counts, next, self.app.clock.now())))
    }

    /// Looks at some rows of a partition, and moves the place behind them. Tells whether no other of them is looked at.
    async fn look_from(&self, replay: &Replay, place: &mut EventPlace, found: &mut Found) -> Result<bool, Trouble> {
        let selection = &replay.selection;
        let mut rows = self.app.store.events_at(&replay.tenant, place, selection.since, ROWS).await?;
        let read = rows.len();
        rows.retain(|row| row.received_at() <= selection.until);
        let is_last = read < ROWS || rows.len() < read;
        let mut looks = stream::iter(rows)
            .map(|row| async move { self.look_at_event(replay, &row).await.map(|look| (row.id, look)) })
            .buffered(LOOKERS);
        while let Some(looked) = looks.next().await {
            let (id, look) = looked?;
            found.counts = found.counts + look.counts;
            found.effort += 1 + look.candidates;
            found.items.extend(look.items);
            place.after = Some(id.into());
            // One event may have thousands of subscriptions.
            if found.effort >= EFFORT {
                return Ok(false);
            }
        }
        Ok(is_last)
    }
}

/// The beginning of the first partition that comes after this one.
fn beyond(partitions: &[String], last: Option<&String>) -> Option<EventPlace> {
    let next = partitions.iter().find(|one| last.is_none_or(|last| *one > last))?;
    Some(EventPlace { partition: next.clone(), after: None })
}
