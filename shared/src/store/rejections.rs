//! The logs of refused requests. They cannot be filled, whoever tries.
//!
//! A log is one partition. A sort key is an hour and one of 256 slots, so an hour of a log never has more than 256 rows:
//! who writes to a slot that is taken replaces what was there. The slot is the last byte of the row's id and the hour
//! is in the id as well, so an id leads to its row by one read. The rows of an hour do not lie in the order of their
//! ids: a list reads whole hours and sorts them, and so reads at most 256 rows more than it gives. With ids as sort
//! keys nothing would be bounded, and with a partition for each hour a quiet log would take 73 queries to read. A row
//! has less than a kilobyte and costs one write unit; how many of them are written is bounded by whoever writes.

use std::cmp::Reverse;

use serde::Serialize;

use super::configs::{Holding, get};
use super::{Store, keys};
use crate::aws::table::{Query, TableError};
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::id::RejectionId;
use crate::domain::rejection::{Rejection, RejectionLog, SLOTS_AN_HOUR, hour_of};

/// A refused request as it is stored. Read back without its end.
#[derive(Serialize)]
struct Row<'a> {
    v: &'a Rejection,
    ttl: i64,
}

/// The part of a list that was asked for, while it is gathered.
struct Gathering<W> {
    /// The rows of the hour that is being read.
    hour: Vec<Rejection>,
    /// What was found in the hours after it, newest first.
    found: Vec<Rejection>,
    /// The id to continue after.
    after: Option<String>,
    wanted: W,
}

impl<W: Fn(&Rejection) -> bool> Gathering<W> {
    fn add(&mut self, rejection: Rejection) {
        if self.hour.last().is_some_and(|last| hour_of(last.at()) != hour_of(rejection.at())) {
            self.end_hour();
        }
        self.hour.push(rejection);
    }

    fn end_hour(&mut self) {
        self.hour.sort_unstable_by_key(|rejection| Reverse(rejection.id));
        let is_on_page = |id: RejectionId| self.after.as_ref().is_none_or(|after| id.suffix() < *after);
        let wanted = self.hour.drain(..).filter(|rejection| is_on_page(rejection.id) && (self.wanted)(rejection));
        self.found.extend(wanted);
    }

    fn into_page(mut self, limit: usize) -> Page<Rejection> {
        let more = self.found.len() > limit;
        self.found.truncate(limit);
        let next = if more { self.found.last().map(|last| Cursor::after(&last.id.suffix())) } else { None };
        Page { items: self.found, next }
    }
}

impl Store {
    /// Writes a refused request down, in place of one that has its slot.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_rejection(&self, log: &RejectionLog, rejection: &Rejection) -> Result<(), TableError> {
        let row = Row { v: rejection, ttl: rejection.expires_at().as_second() };
        self.deliveries.put(&keys::rejection(log, rejection.id), &row, &[]).await
    }

    /// Reads one refused request, unless another one has its place by now. It may be past its end.
    ///
    /// # Errors
    /// When the table cannot be reached or the row cannot be read.
    pub async fn rejection(&self, log: &RejectionLog, id: RejectionId) -> Result<Option<Rejection>, TableError> {
        let found = get::<Rejection>(&self.deliveries, &keys::rejection(log, id)).await?;
        Ok(found.filter(|rejection| rejection.id == id))
    }

    /// Lists a log, newest first, leaving out what `wanted` does not take.
    ///
    /// # Errors
    /// When the table cannot be reached or a row cannot be read.
    pub async fn list_rejections(
        &self,
        log: &RejectionLog,
        page: &PageRequest,
        wanted: impl Fn(&Rejection) -> bool,
    ) -> Result<Page<Rejection>, TableError> {
        let after = page.after.as_ref().map(|cursor| cursor.sort_key().to_owned());
        let last_seen = after.as_deref().and_then(|id| RejectionId::from_suffix(id).ok());
        let mut beyond = last_seen.map(|id| keys::rejection_hour(hour_of(id.created_at()) + 1));
        let mut gathering = Gathering { hour: Vec::new(), found: Vec::new(), after, wanted };
        loop {
            let query =
                Query { pk: keys::rejections(log), beyond: beyond.take(), limit: SLOTS_AN_HOUR, newest_first: true };
            let read = self.deliveries.query(&query).await?;
            let is_last = read.len() < SLOTS_AN_HOUR;
            beyond = read.last().and_then(|stored| stored.key().sk);
            for stored in read {
                gathering.add(stored.read::<Holding<Rejection>>()?.v);
            }
            if is_last {
                gathering.end_hour();
            }
            if is_last || gathering.found.len() > page.limit {
                return Ok(gathering.into_page(page.limit));
            }
        }
    }
}
