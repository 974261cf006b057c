//! Rate limits: exact near the limit, cheap far from it.
//!
//! A window is aligned to the clock. What is spent in it is one number in a table, shared by all instances. An instance
//! does not write that number for each request: it spends a small allowance of its own first, then takes tokens by the
//! batch while less than half of the limit is taken, and then one by one. The number only ever grows ahead of what was
//! let through, but for the allowances of instances that have not used theirs up, so a limit is overstepped by at most
//! one allowance (a tenth of the limit, 20 at most) for each other instance, and in the window after a busy one not at
//! all; and it is kept from being reached by at most one batch for each instance that takes one and then gets no more
//! requests.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest window, in seconds.
pub const MAX_WINDOW_S: u32 = 3_600;
/// The greatest number of requests in one window.
pub const MAX_REQUESTS: u32 = 1_000_000;
/// The greatest number of requests that an instance lets through unasked.
const MAX_ALLOWANCE: u32 = 20;
/// The greatest number of tokens taken at once.
const MAX_LEASE: u32 = 200;

/// How many requests are taken in which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RateLimit {
    /// The number of requests in one window (1 to 1,000,000).
    #[schema(minimum = 1, maximum = 1000000)]
    pub requests: u32,
    /// The length of a window, in seconds (1 to 3,600). Windows are aligned to the clock.
    #[schema(minimum = 1, maximum = 3600)]
    pub window_s: u32,
}

impl RateLimit {
    /// The default of webhooks that are reached by a key.
    pub const OF_KEYS: Self = Self { requests: 100, window_s: 60 };
    /// The default of webhooks that are reached by a slug.
    pub const OF_SLUGS: Self = Self { requests: 600, window_s: 60 };

    /// The window that `now` is in.
    #[must_use]
    pub fn window(self, now: Timestamp) -> Window {
        let length = i64::from(self.window_s.max(1));
        let start = now.as_second().div_euclid(length) * length;
        Window { start, end: start + length }
    }

    /// How many requests an instance lets through in a window before it asks the table at all. Few, because nobody
    /// knows how many instances there are; enough that a webhook with little traffic costs no writes.
    fn allowance(self) -> u32 {
        (self.requests / 10).min(MAX_ALLOWANCE)
    }

    /// How many tokens are taken at once while less than half of them are gone.
    fn lease(self) -> u32 {
        (self.requests / 4).clamp(1, MAX_LEASE)
    }

    /// Up to this number of tokens gone, they are taken by the batch.
    fn far(self) -> u32 {
        self.requests / 2
    }
}

/// One window, in seconds since the epoch, the end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first second.
    pub start: i64,
    /// The second after its last one.
    pub end: i64,
}

impl Window {
    /// How long it lasts from `now` on, in whole seconds, at least 1.
    #[must_use]
    pub fn remaining_s(self, now: Timestamp) -> u32 {
        let left = self.end.saturating_mul(1_000).saturating_sub(now.as_millisecond()).max(1);
        u32::try_from((left + 999) / 1_000).unwrap_or(u32::MAX)
    }
}

/// What one instance knows of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    limit: RateLimit,
    window: Window,
    /// Let through without the table's knowledge.
    unreported: u32,
    /// Tokens taken from the table and not spent yet.
    leased: u32,
    /// What the table said last.
    taken: u32,
    /// Whether the window before was a busy one: nothing is let through unasked then.
    is_busy: bool,
    /// Whether the table had none left. Nothing is asked again in this window then.
    exhausted: bool,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Let it through.
    Pass,
    /// Add to the table's number first, and tell the counter what came of it.
    Take {
        /// How much to add.
        added: u32,
        /// Add it only if the number is at most this before.
        at_most: Option<u32>,
    },
    /// Refuse it.
    Refuse,
}

impl Counter {
    /// Nothing known yet.
    #[must_use]
    pub fn new(limit: RateLimit, now: Timestamp) -> Self {
        Self { limit, window: limit.window(now), unreported: 0, leased: 0, taken: 0, is_busy: false, exhausted: false }
    }

    /// The window it counts in.
    #[must_use]
    pub fn window(&self) -> Window {
        self.window
    }

    /// The limit it counts towards.
    #[must_use]
    pub fn limit(&self) -> RateLimit {
        self.limit
    }

    /// How many requests this instance believes are left in the window.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        if self.exhausted {
            return self.leased;
        }
        self.limit.requests.saturating_sub(self.taken.saturating_add(self.unreported)).saturating_add(self.leased)
    }

    /// Decides on a request at `now`. A later window starts anew; a request that was overtaken by it counts in it.
    /// Another limit holds for what is taken already.
    pub fn decide(&mut self, limit: RateLimit, now: Timestamp) -> Decision {
        let window = limit.window(now);
        if limit.window_s != self.limit.window_s || window.start > self.window.start {
            let is_busy = self.taken > self.limit.far();
            *self = Self { is_busy, ..Self::new(limit, now) };
        } else if limit != self.limit {
            self.limit = limit;
            self.exhausted = self.taken >= limit.requests;
        }
        if self.leased > 0 {
            self.leased -= 1;
            return Decision::Pass;
        }
        if self.exhausted {
            return Decision::Refuse;
        }
        if self.taken == 0 && !self.is_busy && self.unreported < self.limit.allowance() {
            self.unreported += 1;
            return Decision::Pass;
        }
        let (lease, far) = (self.limit.lease(), self.limit.far());
        if lease > 1 && self.taken <= far {
            return Decision::Take { added: self.unreported + lease, at_most: Some(far) };
        }
        Decision::Take { added: self.unreported + 1, at_most: None }
    }

    /// Learns that more are taken than it thought, `taken`, so that nothing was added; the request takes one token.
    pub fn learn_beyond(&mut self, taken: u32) -> Decision {
        self.taken = self.taken.max(taken).max(self.limit.far() + 1);
        Decision::Take { added: self.unreported + 1, at_most: None }
    }

    /// Learns what the table's number is after `added` were added to it, and decides on the request that asked.
    pub fn learn(&mut self, added: u32, taken: u32) -> Decision {
        let unreported = std::mem::take(&mut self.unreported).min(added);
        let before = taken.saturating_sub(added).saturating_add(unreported);
        self.taken = self.taken.max(taken);
        let granted = self.limit.requests.saturating_sub(before).min(added - unreported);
        self.exhausted |= taken >= self.limit.requests;
        if granted == 0 {
            return Decision::Refuse;
        }
        self.leased += granted - 1;
        Decision::Pass
    }
}

#[cfg(test)]
mod tests;
