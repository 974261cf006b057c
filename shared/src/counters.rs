//! What an instance counts: its counters of rate limits, and the table behind them.
//!
//! The arithmetic is in [`rate_limit`](crate::domain::rate_limit), the shared numbers are in [`store`](crate::store).

use std::sync::Arc;

use jiff::Timestamp;
use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use crate::app::App;
use crate::aws::table::TableError;
use crate::domain::rate_limit::{Counter, Decision, RateLimit};
use crate::store::{RateScope, Tokens};

/// The counters of one instance, a bounded number of them.
pub struct Counters {
    counters: Cache<RateScope, Arc<Mutex<Counter>>>,
}

/// What is left of a limit, for whoever is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The number of requests in one window.
    pub limit: u32,
    /// How many are left, as far as this instance knows.
    pub remaining: u32,
    /// When the window ends, in seconds from now.
    pub reset_s: u32,
}

impl Counters {
    /// Counters for `remembered` scopes. One that is forgotten starts with another allowance.
    #[must_use]
    pub fn new(remembered: usize) -> Self {
        Self { counters: Cache::new(remembered) }
    }

    /// Counts one request towards a limit; tells whether it passes, and what is left.
    ///
    /// # Errors
    /// When the table has to be asked and cannot be.
    pub async fn count(
        &self,
        app: &App,
        scope: RateScope,
        limit: RateLimit,
        now: Timestamp,
    ) -> Result<(bool, Quota), TableError> {
        let counter = match self.counters.get(&scope) {
            Some(counter) => counter,
            None => {
                let fresh = || Ok::<_, TableError>(Arc::new(Mutex::new(Counter::new(limit, now))));
                self.counters.get_or_insert_with(&scope, fresh)?
            }
        };
        // Held over the call: all who wait for tokens of this scope share one lease instead of taking one each.
        let mut counter = counter.lock().await;
        let mut decision = counter.decide(limit, now);
        while let Decision::Take { added, at_most } = decision {
            decision = match app.store.take_tokens(&scope, counter.window(), added, at_most).await? {
                Tokens::Added(taken) => counter.learn(added, taken),
                Tokens::Beyond(taken) => counter.learn_beyond(taken),
            };
        }
        let left =
            Quota { limit: limit.requests, remaining: counter.remaining(), reset_s: counter.window().remaining_s(now) };
        Ok((decision == Decision::Pass, left))
    }
}
