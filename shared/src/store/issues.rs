//! Issues: what is counted of failures that have one cause, and the list of them.
//!
//! What is counted stands in a partition of its subscription, because it is written while a target fails; the list
//! holds one entry for each issue, which is written when it opens.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{Key, Query, Stored, TableError, Wanted};
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::delivery::OwnerToken;
use crate::domain::event_type::EventType;
use crate::domain::id::{DeliveryId, IssueId, SubscriptionId};
use crate::domain::issue::{Acknowledgement, Failures, Issue, IssueCause, IssueState, Told, issue_expires_at};
use crate::domain::text::TenantSlug;

/// How many entries of the list are read at a time.
const AT_ONCE: usize = 100;
/// How often more of the list is read for one page.
const MOST_READS: usize = 10;

/// What an open issue has in its attribute `f`, and no other.
const OPEN: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Entry {
    s: SubscriptionId,
    c: IssueCause,
    ttl: i64,
}

#[derive(Serialize, Deserialize)]
struct End {
    a: i64,
    s: bool,
}

#[derive(Deserialize)]
struct Row {
    /// That it is open.
    #[serde(default)]
    f: Option<u8>,
    /// When the first and the last attempt began that failed since it opened last.
    b: i64,
    l: i64,
    /// How many failed since it opened last, and in all, and how often it opened.
    n: u64,
    t: u64,
    o: u64,
    /// The last of them.
    d: DeliveryId,
    e: EventType,
    x: String,
    /// Whether it is worth telling, and to whom it was told.
    w: bool,
    #[serde(default)]
    y: Option<Told>,
    #[serde(default)]
    k: Option<Acknowledgement>,
    #[serde(default)]
    z: Option<End>,
    /// Who opened it last.
    u: String,
    /// Until when it is in the list.
    i: i64,
}

fn time(millis: i64) -> Result<Timestamp, TableError> {
    Timestamp::from_millisecond(millis).map_err(|e| TableError::Corrupt(e.into()))
}

fn corrupt(what: &'static str) -> TableError {
    TableError::Corrupt(what.into())
}

impl Row {
    fn state(&self) -> Result<IssueState, TableError> {
        if self.f.is_some() {
            return Ok(self.k.clone().map_or(IssueState::Open, IssueState::Acknowledged));
        }
        let end = self.z.as_ref().ok_or_else(|| corrupt("an issue is neither open nor over"))?;
        Ok(IssueState::Resolved { at: time(end.a)?, by_itself: end.s })
    }

    fn into_issue(self, tenant: &TenantSlug, key: &Key) -> Result<Issue, TableError> {
        let suffix = key.pk.rsplit('/').next().unwrap_or_default();
        let subscription_id = SubscriptionId::from_suffix(suffix).map_err(|e| TableError::Corrupt(e.into()))?;
        let cause = IssueCause::try_from(key.sk.clone().unwrap_or_default());
        let cause = cause.map_err(|e| TableError::Corrupt(e.into()))?;
        Ok(Issue {
            id: IssueId::derive(subscription_id, cause.as_str()),
            tenant: tenant.clone(),
            subscription_id,
            state: self.state()?,
            cause,
            first_seen: time(self.b)?,
            last_seen: time(self.l)?,
            count: self.n,
            total: self.t,
            opened: self.o,
            last_delivery_id: self.d,
            last_event_type: self.e,
            last_error: self.x,
            is_news: self.w,
            told: self.y,
            listed_until: time(self.i)?,
        })
    }
}

fn read(tenant: &TenantSlug, stored: Stored) -> Result<Issue, TableError> {
    let key = stored.key();
    stored.read::<Row>()?.into_issue(tenant, &key)
}

fn key_of(failures: &Failures) -> Key {
    keys::issue(&failures.tenant, failures.subscription_id, &failures.cause)
}

/// What every count changes.
fn counted(failures: &Failures) -> Changes {
    Changes::new()
        .set("l", failures.last_at.as_millisecond())
        .set("d", failures.last_delivery_id)
        .set("e", &failures.last_event_type)
        .set("x", &failures.last_error)
        .set("ttl", issue_expires_at(failures.last_at).as_second())
        .add("t", failures.count)
}

/// What holds as long as the issue has not been over since it was read.
fn unchanged(issue: &Issue) -> [Test; 2] {
    [Test::Is("f", Value::of(OPEN)), Test::Is("b", Value::of(issue.first_seen.as_millisecond()))]
}

fn done_or_late(updated: Result<Option<Stored>, TableError>) -> Result<bool, TableError> {
    match updated {
        Ok(_) => Ok(true),
        Err(TableError::ConditionFailed { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

impl Store {
    /// Counts failures of an issue that is open. One write. Tells whether it was.
    ///
    /// # Errors
    /// When the table cannot be reached. They may have been counted then.
    pub async fn count_issue(&self, failures: &Failures) -> Result<bool, TableError> {
        let changes = counted(failures).add("n", failures.count);
        let changes = if failures.are_news { changes.set("w", true) } else { changes };
        let is_open = [Test::Is("f", Value::of(OPEN))];
        done_or_late(self.deliveries.update(&key_of(failures), &changes, &is_open, Wanted::Nothing).await)
    }

    /// Opens an issue that is not open, with its first failures. One write. Tells whether it was the caller's to open.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn open_issue(
        &self,
        failures: &Failures,
        opener: OwnerToken,
        listed_until: Timestamp,
    ) -> Result<bool, TableError> {
        let changes = counted(failures)
            .set("f", OPEN)
            .set("b", failures.first_at.as_millisecond())
            .set("n", failures.count)
            .set("w", failures.are_news)
            .set("u", opener.to_string())
            .set("i", listed_until.as_millisecond())
            .add("o", 1)
            .remove("y")
            .remove("k")
            .remove("z");
        let is_not_open = [Test::AttributeAbsent("f")];
        match self.deliveries.update(&key_of(failures), &changes, &is_not_open, Wanted::Nothing).await {
            Ok(_) => Ok(true),
            // An earlier try of this very call may have opened it.
            Err(TableError::ConditionFailed { old: Some(old) }) => Ok(old.read::<Row>()?.u == opener.to_string()),
            Err(TableError::ConditionFailed { old: None }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Puts an issue on the list of its tenant until then. One write; doing it again does no harm.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_issue(
        &self,
        tenant: &TenantSlug,
        subscription: SubscriptionId,
        cause: &IssueCause,
        until: Timestamp,
    ) -> Result<(), TableError> {
        let key = keys::issue_in_list(tenant, IssueId::derive(subscription, cause.as_str()));
        let entry = Entry { s: subscription, c: cause.clone(), ttl: until.as_second() };
        self.deliveries.put(&key, &entry, &[]).await
    }

    /// Keeps an open issue on the list until then. Two writes.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn keep_issue_listed(&self, issue: &Issue, until: Timestamp) -> Result<(), TableError> {
        self.list_issue(&issue.tenant, issue.subscription_id, &issue.cause, until).await?;
        let changes = Changes::new().set("i", until.as_millisecond());
        self.change_issue(issue, &changes, &unchanged(issue)).await.map(|_| ())
    }

    /// Notes to whom it was told that an issue opened. One write.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn note_issue_told(&self, issue: &Issue, told: &Told) -> Result<bool, TableError> {
        // Also when somebody ended it meanwhile: what was told is told.
        let same_opening = Test::Is("b", Value::of(issue.first_seen.as_millisecond()));
        self.change_issue(issue, &Changes::new().set("y", told), &[same_opening]).await
    }

    /// Notes that somebody knows of an issue, unless it was over meanwhile. One write.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn acknowledge_issue(&self, issue: &Issue, by: &Acknowledgement) -> Result<bool, TableError> {
        self.change_issue(issue, &Changes::new().set("k", by), &unchanged(issue)).await
    }

    /// Ends an issue, unless it was over meanwhile; by itself only if nothing was counted since it was read. One write.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn resolve_issue(&self, issue: &Issue, at: Timestamp, by_itself: bool) -> Result<bool, TableError> {
        let end = End { a: at.as_millisecond(), s: by_itself };
        let changes = Changes::new().set("z", end).remove("f").remove("k");
        let mut tests = unchanged(issue).to_vec();
        if by_itself {
            tests.push(Test::Is("n", Value::of(issue.count)));
        }
        self.change_issue(issue, &changes, &tests).await
    }

    async fn change_issue(&self, issue: &Issue, changes: &Changes, tests: &[Test]) -> Result<bool, TableError> {
        let key = keys::issue(&issue.tenant, issue.subscription_id, &issue.cause);
        done_or_late(self.deliveries.update(&key, changes, tests, Wanted::Nothing).await)
    }

    /// Reads an issue. Two reads.
    ///
    /// # Errors
    /// When the table cannot be reached or the row cannot be read.
    pub async fn issue(&self, tenant: &TenantSlug, id: IssueId) -> Result<Option<Issue>, TableError> {
        let entry: Option<Entry> = self.deliveries.get(&keys::issue_in_list(tenant, id)).await?;
        let Some(entry) = entry else { return Ok(None) };
        let key = keys::issue(tenant, entry.s, &entry.c);
        let row: Option<Row> = self.deliveries.get(&key).await?;
        row.map(|row| row.into_issue(tenant, &key)).transpose()
    }

    /// Lists the issues of a tenant, or of one of its subscriptions, leaving out what `wanted` does not take: those of
    /// the newest subscriptions first.
    ///
    /// A page may have fewer items than were asked for, even none, and still have a next one.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn list_issues(
        &self,
        tenant: &TenantSlug,
        subscription: Option<SubscriptionId>,
        page: &PageRequest,
        wanted: impl Fn(&Issue) -> bool,
    ) -> Result<Page<Issue>, TableError> {
        let after = page.after.as_ref().map(|cursor| cursor.sort_key().to_owned());
        // The ids of a subscription's issues begin with the time of its own.
        let bound = subscription.map(end_of_millisecond);
        let mut beyond = match (after, bound) {
            (Some(after), Some(bound)) => Some(after.min(bound)),
            (after, bound) => after.or(bound),
        };
        let mut items = Vec::new();
        for _ in 0..MOST_READS {
            let query = Query { pk: keys::issues(tenant), beyond: beyond.clone(), limit: AT_ONCE, newest_first: true };
            let mut places = Vec::new();
            let found = self.deliveries.query(&query).await?;
            let mut is_last = found.len() < AT_ONCE;
            for stored in found {
                let suffix = stored.key().sk.unwrap_or_default();
                let entry = stored.read::<Entry>()?;
                if subscription.is_some_and(|wanted| is_older(&suffix, wanted)) {
                    is_last = true;
                    break;
                }
                let is_of_it = subscription.is_none_or(|wanted| wanted == entry.s);
                places.push((suffix, is_of_it.then(|| keys::issue(tenant, entry.s, &entry.c))));
            }
            let keys: Vec<Key> = places.iter().filter_map(|(_, key)| key.clone()).collect();
            let mut rows = HashMap::new();
            for stored in self.deliveries.get_many(&keys).await? {
                let issue = read(tenant, stored)?;
                rows.insert(issue.id.suffix(), issue);
            }
            for (suffix, _) in places {
                if items.len() == page.limit {
                    return Ok(Page { items, next: beyond.as_deref().map(Cursor::after) });
                }
                items.extend(rows.remove(&suffix).filter(&wanted));
                beyond = Some(suffix);
            }
            if is_last {
                return Ok(Page { items, next: None });
            }
        }
        Ok(Page { items, next: beyond.as_deref().map(Cursor::after) })
    }
}

/// The least suffix of what was made after the millisecond in which a subscription was.
fn end_of_millisecond(subscription: SubscriptionId) -> String {
    let millis = u128::from_be_bytes(subscription.to_bytes()) >> 80;
    IssueId::from_bytes(((millis + 1) << 80).to_be_bytes()).suffix()
}

fn is_older(suffix: &str, subscription: SubscriptionId) -> bool {
    IssueId::from_suffix(suffix).is_ok_and(|id| id.created_at() < subscription.created_at())
}
