//! The watch over inbound webhooks: which of them need it, what was told of each, and how far a round has come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{Key, Query, TableError, Wanted};
use crate::aws::transaction::Write;
use crate::domain::id::InboundWebhookId;
use crate::domain::inbound_webhook::InboundWebhook;
use crate::domain::text::TenantSlug;
use crate::domain::watch::is_watched;

/// A webhook that needs watching, and what was told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedWebhook {
    /// The tenant.
    pub tenant: TenantSlug,
    /// The webhook.
    pub id: InboundWebhookId,
    /// The begin of the silence that was told of last.
    pub told_silence: Option<Timestamp>,
    /// The time of the switching off that was told of last.
    pub told_disabled: Option<Timestamp>,
}

impl WatchedWebhook {
    fn key(&self) -> Key {
        keys::watched(&self.tenant, self.id)
    }

    /// Its place in the list, to continue after.
    #[must_use]
    pub fn place(&self) -> String {
        self.key().sk.unwrap_or_default()
    }
}

/// A round of the watch that is the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchRound {
    again_at: Timestamp,
    /// The place to continue after, when the round before ended early.
    pub after: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Named {
    tenant: TenantSlug,
    id: InboundWebhookId,
}

/// A line of the list. What was told stands beside `v`.
#[derive(Serialize, Deserialize)]
struct Line {
    v: Named,
    /// The silence told of, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    si: Option<i64>,
    /// The switching off told of, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    di: Option<i64>,
}

impl Line {
    fn into_watched(self) -> Result<WatchedWebhook, TableError> {
        let (told_silence, told_disabled) = (time(self.si)?, time(self.di)?);
        Ok(WatchedWebhook { tenant: self.v.tenant, id: self.v.id, told_silence, told_disabled })
    }
}

#[derive(Deserialize)]
struct Round {
    /// From when on a round may begin.
    n: i64,
    /// The place to continue after.
    #[serde(default)]
    c: Option<String>,
}

fn time(millis: Option<i64>) -> Result<Option<Timestamp>, TableError> {
    millis.map(Timestamp::from_millisecond).transpose().map_err(|e| TableError::Corrupt(e.into()))
}

/// What a change of a webhook changes beside it: its line in the list of the watched, and, with the webhook itself, what
/// was added up of it. `before` is `None` when it is made, `after` when it is deleted.
///
/// These writes go into one transaction with the webhook's own.
pub(super) fn watch_write(
    before: Option<&InboundWebhook>,
    after: Option<&InboundWebhook>,
) -> Result<Vec<Write>, TableError> {
    let mut writes = Vec::new();
    let was_watched = before.is_some_and(is_watched);
    match after.filter(|after| is_watched(after)) {
        Some(after) if !was_watched => {
            let named = Named { tenant: after.tenant.clone(), id: after.id };
            let line = Line { v: named, si: None, di: None };
            writes.push(Write::put(keys::watched(&after.tenant, after.id), &line, vec![])?);
        }
        // Its line stays, with what was told.
        Some(_) => {}
        None => {
            let before = before.filter(|_| was_watched);
            writes.extend(before.map(|before| Write::Delete(keys::watched(&before.tenant, before.id), vec![])));
        }
    }
    if let (Some(gone), None) = (before, after) {
        writes.push(Write::Delete(keys::roll_up(&gone.tenant, gone.id), vec![]));
    }
    Ok(writes)
}

impl Store {
    /// Lists webhooks that need watching, of all tenants, from the place `after` on.
    ///
    /// # Errors
    /// When the table cannot be reached or a line cannot be read.
    pub async fn list_watched(&self, after: Option<String>, limit: usize) -> Result<Vec<WatchedWebhook>, TableError> {
        let query = Query { pk: keys::WATCHED.to_owned(), beyond: after, limit, newest_first: false };
        self.configs.query(&query).await?.into_iter().map(|stored| stored.read::<Line>()?.into_watched()).collect()
    }

    /// Notes that the silence which began at `since` was told of.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn note_told_silence(&self, watched: &WatchedWebhook, since: Timestamp) -> Result<(), TableError> {
        self.note_told(watched, Changes::new().set("si", since.as_millisecond())).await
    }

    /// Notes that the switching off at `at` was told of.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn note_told_disabled(&self, watched: &WatchedWebhook, at: Timestamp) -> Result<(), TableError> {
        self.note_told(watched, Changes::new().set("di", at.as_millisecond())).await
    }

    async fn note_told(&self, watched: &WatchedWebhook, changes: Changes) -> Result<(), TableError> {
        match self.configs.update(&watched.key(), &changes, &[Test::ItemPresent], Wanted::Nothing).await {
            // It may need no watching any more.
            Ok(_) | Err(TableError::ConditionFailed { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Begins a round of the watch, unless one has begun and the next is not due. One read when none is due.
    ///
    /// The next one is due at `again_at`, also when this one dies.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn begin_watch(&self, now: Timestamp, again_at: Timestamp) -> Result<Option<WatchRound>, TableError> {
        let key = keys::watch_round();
        let last = self.configs.get::<Round>(&key).await?;
        if last.as_ref().is_some_and(|last| now.as_millisecond() < last.n) {
            return Ok(None);
        }
        let unmoved = last.as_ref().map_or(Test::ItemAbsent, |last| Test::Is("n", Value::of(last.n)));
        let changes = Changes::new().set("n", again_at.as_millisecond());
        match self.configs.update(&key, &changes, &[unmoved], Wanted::Nothing).await {
            Ok(_) => Ok(Some(WatchRound { again_at, after: last.and_then(|last| last.c) })),
            Err(TableError::ConditionFailed { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Ends a round. When it came only to the place `reached`, the next one is due at once and continues there.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn end_watch(&self, round: &WatchRound, reached: Option<&str>, now: Timestamp) -> Result<(), TableError> {
        let changes = match reached {
            Some(place) => Changes::new().set("c", place).set("n", now.as_millisecond()),
            None if round.after.is_some() => Changes::new().remove("c"),
            None => return Ok(()),
        };
        let ours = Test::Is("n", Value::of(round.again_at.as_millisecond()));
        match self.configs.update(&keys::watch_round(), &changes, &[ours], Wanted::Nothing).await {
            // It took so long that another one has begun.
            Ok(_) | Err(TableError::ConditionFailed { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }
}
