//! How many requests are taken: per webhook, per address, per tenant and in all.
//!
//! The arithmetic is in [`hookport::domain::rate_limit`]; here are this instance's counters, and the table behind them.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use hookport::app::App;
use hookport::aws::table::TableError;
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::rate_limit::{Counter, Decision, RateLimit};
use hookport::domain::refusal::Refusal;
use hookport::store::{RateScope, Tokens};
use jiff::Timestamp;
use quick_cache::sync::Cache;
use tokio::sync::Mutex;

/// How many counters of each kind are remembered. One that is forgotten starts with another allowance.
const REMEMBERED: usize = 20_000;

/// This instance's counters.
pub(crate) struct Limits {
    counters: Cache<RateScope, Arc<Mutex<Counter>>>,
    /// Apart, because there are as many as strangers care to have.
    of_sources: Cache<RateScope, Arc<Mutex<Counter>>>,
}

/// What is left of a webhook's own limit, for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// The number of requests in one window.
    pub(crate) limit: u32,
    /// How many are left, as far as this instance knows.
    pub(crate) remaining: u32,
    /// When the window ends, in seconds from now.
    pub(crate) reset_s: u32,
}

/// What came of asking.
pub(crate) enum Admission {
    /// Go on.
    Taken(Quota),
    /// Too many; come back after this many seconds.
    Refused(Refusal, Quota),
}

impl Limits {
    pub(crate) fn new() -> Self {
        Self { counters: Cache::new(REMEMBERED), of_sources: Cache::new(REMEMBERED) }
    }

    /// Counts a request to `webhook` from `source` towards every limit that holds for it.
    ///
    /// # Errors
    /// When the table has to be asked and cannot be: nobody is let through unasked.
    pub(crate) async fn admit(
        &self,
        app: &App,
        webhook: &InboundWebhook,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Admission, TableError> {
        let rates = &app.config.rates;
        let own = RateScope::Webhook(webhook.tenant.clone(), webhook.id);
        // The source first: one that comes too often must not use up what others share.
        if let Some(limit) = rates.per_source {
            let (passes, left) = self.count(app, &self.of_sources, source_scope(source), limit, now).await?;
            if !passes {
                return Ok(Admission::Refused(Refusal::RateSource, left));
            }
        }
        let (passes, quota) = self.count(app, &self.counters, own, webhook.rate_limit, now).await?;
        if !passes {
            return Ok(Admission::Refused(Refusal::RateWebhook, quota));
        }
        let of_tenant = |limit| (RateScope::Tenant(webhook.tenant.clone()), limit, Refusal::RateTenant);
        let of_all = |limit| (RateScope::Global, limit, Refusal::RateGlobal);
        for (scope, limit, refusal) in rates.per_tenant.map(of_tenant).into_iter().chain(rates.global.map(of_all)) {
            let (passes, left) = self.count(app, &self.counters, scope, limit, now).await?;
            if !passes {
                return Ok(Admission::Refused(refusal, left));
            }
        }
        Ok(Admission::Taken(quota))
    }

    async fn count(
        &self,
        app: &App,
        counters: &Cache<RateScope, Arc<Mutex<Counter>>>,
        scope: RateScope,
        limit: RateLimit,
        now: Timestamp,
    ) -> Result<(bool, Quota), TableError> {
        let counter = match counters.get(&scope) {
            Some(counter) => counter,
            None => {
                let fresh = || Ok::<_, TableError>(Arc::new(Mutex::new(Counter::new(limit, now))));
                counters.get_or_insert_with(&scope, fresh)?
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

/// What an address counts for: itself, or its network where one sender has many. Requests from nobody knows where share
/// one limit.
fn source_scope(source: Option<IpAddr>) -> RateScope {
    RateScope::Source(match source.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => IpAddr::V4(address),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_one_network_count_together() {
        let scope = |text: &str| source_scope(Some(text.parse().expect("an address")));
        assert_eq!(scope("2001:db8::1"), scope("2001:db8::ffff:2"));
        assert_ne!(scope("2001:db8:0:1::1"), scope("2001:db8::1"));
        assert_eq!(scope("::ffff:192.0.2.1"), scope("192.0.2.1"));
        assert_ne!(scope("192.0.2.2"), scope("192.0.2.1"));
        assert_ne!(source_scope(None), scope("0.0.0.0"));
    }
}
