//! Statistics of an inbound webhook: numbers that whoever looks adds up from the rows, never the path of a request.
//!
//! A [`RollUp`] holds what was added up so far. What is added up is forgotten, so a row goes in once it can change no
//! more, or its id is remembered until it has ended.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::id::InboundDeliveryId;
use super::inbound_delivery::{BODY_DAYS, DispatchStatus, InboundDelivery};
use super::inbound_webhook::InboundWebhook;
use super::rejection::hour_of;

/// The version of a webhook in rows that the gateway made itself: no request led to them.
pub const GATEWAY_VERSION: u64 = 0;
/// How old a row is before it goes into a roll-up: younger ones may be overtaken by rows that are still being written.
pub const ROLLED_UP_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// The most requests of a roll-up that may be without an end.
pub const MAX_UNSETTLED: usize = 50;
/// For how many clock hours, the present one included, requests are counted by the hour as well.
pub const HOURS: i64 = 24;
/// The buckets of latencies, by the greatest latency in each, in milliseconds. The last one has all that is greater too.
pub const LATENCY_BOUNDS_MS: [u32; 14] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000];

/// Who made a row be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A sender.
    Sender,
    /// Somebody who tries the webhook out.
    Test,
    /// Somebody who has an earlier request handled again.
    Replay,
    /// The gateway itself, to tell of something.
    Gateway,
}

impl Origin {
    /// Who made `row` be written.
    #[must_use]
    pub fn of(row: &InboundDelivery) -> Self {
        if row.webhook_version == GATEWAY_VERSION {
            Self::Gateway
        } else if row.is_test {
            Self::Test
        } else if row.replay_of.is_some() {
            Self::Replay
        } else {
            Self::Sender
        }
    }
}

/// Requests by what became of them. Each row is in one of these numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Their events went to every subscription.
    pub dispatched: u64,
    /// Their events have not gone everywhere yet.
    pub pending: u64,
    /// Refused after they were received.
    pub failed: u64,
    /// Repetitions of earlier ones.
    pub duplicate: u64,
    /// Taken up too often without an end.
    pub stuck: u64,
    /// Answered, because their senders asked whether the URL is ours.
    #[serde(default)]
    pub handshake: u64,
    /// Gone before anybody looked how they ended.
    pub unknown: u64,
    /// Tests, whatever became of them.
    pub test: u64,
    /// Replays, whatever became of them.
    pub replay: u64,
}

impl Outcomes {
    /// The kept requests of senders.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.events() + self.failed + self.duplicate + self.handshake
    }

    /// The kept requests of senders that became events.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.dispatched + self.pending + self.stuck + self.unknown
    }

    fn of_status(&mut self, status: DispatchStatus) -> &mut u64 {
        match status {
            DispatchStatus::Pending => &mut self.pending,
            DispatchStatus::Dispatched => &mut self.dispatched,
            DispatchStatus::Failed => &mut self.failed,
            DispatchStatus::Duplicate => &mut self.duplicate,
            DispatchStatus::Stuck => &mut self.stuck,
            DispatchStatus::Handshake => &mut self.handshake,
        }
    }
}

/// How many requests were answered with one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCount {
    /// The status.
    pub status: u16,
    /// The requests.
    pub requests: u64,
}

/// How many requests arrived in one clock hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct HourCount {
    /// The hour, counted from the Unix epoch.
    h: i64,
    n: u64,
}

/// What was added up of one webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollUp {
    /// What arrived before this time had expired before anybody looked, and is in no number.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// When the newest request of a sender arrived.
    #[serde(
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub last_used_at: Option<Timestamp>,
    /// All rows, by what became of them.
    pub outcomes: Outcomes,
    /// The requests of senders, by the status that they were answered with, least first.
    pub statuses: Vec<StatusCount>,
    /// The requests of senders, by the bucket of their latency.
    latencies: [u64; LATENCY_BOUNDS_MS.len()],
    /// The requests of senders in the newest clock hours.
    hours: Vec<HourCount>,
    /// For each partition of the webhook's rows, the newest row that is in the numbers.
    counted_to: Vec<Option<InboundDeliveryId>>,
    /// The rows in the numbers that had not ended yet.
    pub unsettled: Vec<InboundDeliveryId>,
}

/// The begin of the clock hours that are counted one by one at `now`.
#[must_use]
pub fn first_hour(now: Timestamp) -> Timestamp {
    Timestamp::from_second((hour_of(now) - HOURS + 1) * 3_600).unwrap_or(Timestamp::MIN)
}

impl RollUp {
    /// Nothing yet, when `webhook` is looked at for the first time. Rows live [`BODY_DAYS`], so older ones are gone.
    #[must_use]
    pub fn new(webhook: &InboundWebhook, partitions: u8, now: Timestamp) -> Self {
        let oldest = now.saturating_sub(SignedDuration::from_hours(24 * BODY_DAYS)).unwrap_or(Timestamp::MIN);
        Self {
            since: webhook.created_at.max(oldest),
            last_used_at: None,
            outcomes: Outcomes::default(),
            statuses: Vec::new(),
            latencies: [0; LATENCY_BOUNDS_MS.len()],
            hours: Vec::new(),
            counted_to: vec![None; partitions.into()],
            unsettled: Vec::new(),
        }
    }

    /// The newest row of a partition that is in the numbers.
    #[must_use]
    pub fn counted_to(&self, partition: u8) -> Option<InboundDeliveryId> {
        self.counted_to.get(usize::from(partition)).copied().flatten()
    }

    /// Moves on over rows of a partition, the next of which is `id`. `row` is `None` when it is another webhook's.
    ///
    /// Tells whether the row went in. One that is too young does not, nor a pending one for which there is no room.
    pub fn take(
        &mut self,
        partition: u8,
        id: InboundDeliveryId,
        row: Option<&InboundDelivery>,
        now: Timestamp,
    ) -> bool {
        let is_pending =
            row.is_some_and(|row| row.status == DispatchStatus::Pending && Origin::of(row) == Origin::Sender);
        let is_young = now.duration_since(id.created_at()) < ROLLED_UP_AFTER;
        if is_young || (is_pending && self.unsettled.len() >= MAX_UNSETTLED) {
            return false;
        }
        let Some(position) = self.counted_to.get_mut(usize::from(partition)) else { return false };
        *position = Some(id);
        if let Some(row) = row {
            self.add(row);
        }
        if is_pending {
            self.unsettled.push(id);
        }
        true
    }

    /// Adds a row to the numbers.
    pub fn add(&mut self, row: &InboundDelivery) {
        match Origin::of(row) {
            Origin::Gateway => return,
            Origin::Test => {
                self.outcomes.test += 1;
                return;
            }
            Origin::Replay => {
                self.outcomes.replay += 1;
                return;
            }
            Origin::Sender => *self.outcomes.of_status(row.status) += 1,
        }
        self.last_used_at = self.last_used_at.max(Some(row.received_at()));
        match self.statuses.binary_search_by_key(&row.response_status, |count| count.status) {
            Ok(at) => self.statuses[at].requests += 1,
            Err(at) => self.statuses.insert(at, StatusCount { status: row.response_status, requests: 1 }),
        }
        let bucket = LATENCY_BOUNDS_MS.iter().position(|bound| row.latency_ms <= *bound);
        self.latencies[bucket.unwrap_or(LATENCY_BOUNDS_MS.len() - 1)] += 1;
        self.add_to_hour(hour_of(row.received_at()));
    }

    fn add_to_hour(&mut self, hour: i64) {
        match self.hours.iter_mut().find(|count| count.h == hour) {
            Some(count) => count.n += 1,
            None => self.hours.push(HourCount { h: hour, n: 1 }),
        }
        let newest = self.hours.iter().map(|count| count.h).max().unwrap_or(hour);
        self.hours.retain(|count| count.h > newest - HOURS);
    }

    /// Learns how a row that had not ended stands now; `None` when it is gone.
    pub fn settle(&mut self, id: InboundDeliveryId, status: Option<DispatchStatus>) {
        let before = self.unsettled.len();
        if status == Some(DispatchStatus::Pending) {
            return;
        }
        self.unsettled.retain(|unsettled| *unsettled != id);
        if self.unsettled.len() == before {
            return;
        }
        self.outcomes.pending = self.outcomes.pending.saturating_sub(1);
        match status {
            Some(status) => *self.outcomes.of_status(status) += 1,
            None => self.outcomes.unknown += 1,
        }
    }

    /// How many requests of senders arrived since [`first_hour`].
    #[must_use]
    pub fn requests_of_newest_hours(&self, now: Timestamp) -> u64 {
        let first = hour_of(now) - HOURS;
        self.hours.iter().filter(|count| count.h > first).map(|count| count.n).sum()
    }

    /// The bound of the bucket below which `percent` of the latencies lie; `None` without any.
    #[must_use]
    pub fn latency_ms(&self, percent: u64) -> Option<u32> {
        let total: u64 = self.latencies.iter().sum();
        if total == 0 {
            return None;
        }
        let rank = (total * percent).div_ceil(100);
        let mut seen = 0;
        let mut buckets = LATENCY_BOUNDS_MS.iter().zip(&self.latencies);
        buckets.find_map(|(bound, count)| {
            seen += count;
            (seen >= rank).then_some(*bound)
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
