//! How many requests are taken: per webhook, per address, per tenant and in all.
//!
//! The arithmetic is in [`hookport::domain::rate_limit`], the counting in [`hookport::counters`]; here is what counts
//! for which limit.

use std::net::IpAddr;

use hookport::app::App;
use hookport::aws::table::TableError;
use hookport::counters::Counters;
pub(crate) use hookport::counters::Quota;
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::rate_limit::RateLimit;
use hookport::domain::refusal::Refusal;
use hookport::domain::source_address::counted_as;
use hookport::store::RateScope;
use jiff::Timestamp;

/// How many counters of each kind are remembered. One that is forgotten starts with another allowance.
const REMEMBERED: usize = 20_000;

/// This instance's counters.
pub(crate) struct Limits {
    counters: Counters,
    /// Apart, because there are as many as strangers care to have.
    of_sources: Counters,
}

/// What came of asking.
pub(crate) enum Admission {
    /// Go on.
    Taken(Quota),
    /// Too many; come back after this many seconds.
    Refused(Refusal, Quota),
}

/// How many handshakes of strangers a webhook answers.
const OF_HANDSHAKES: RateLimit = RateLimit { requests: 60, window_s: 60 };

impl Limits {
    pub(crate) fn new() -> Self {
        Self { counters: Counters::new(REMEMBERED), of_sources: Counters::new(REMEMBERED) }
    }

    /// What is left to an address that has used up its own limit; `None` while it has not.
    async fn source_is_out(
        &self,
        app: &App,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<Quota>, TableError> {
        let Some(limit) = app.config.rates.per_source else { return Ok(None) };
        let (passes, left) = self.of_sources.count(app, source_scope(source), limit, now).await?;
        Ok((!passes).then_some(left))
    }

    /// Counts a stranger's handshake to `webhook` from `source`, apart from the provider's events.
    ///
    /// # Errors
    /// When the table has to be asked and cannot be: nobody is let through unasked.
    pub(crate) async fn admit_stranger(
        &self,
        app: &App,
        webhook: &InboundWebhook,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Admission, TableError> {
        let own = RateScope::Handshake(webhook.tenant.clone(), webhook.id);
        if let Some(left) = self.source_is_out(app, source, now).await? {
            return Ok(Admission::Refused(Refusal::RateSource, left));
        }
        let (passes, quota) = self.counters.count(app, own, OF_HANDSHAKES, now).await?;
        Ok(if passes { Admission::Taken(quota) } else { Admission::Refused(Refusal::RateWebhook, quota) })
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
        if let Some(left) = self.source_is_out(app, source, now).await? {
            return Ok(Admission::Refused(Refusal::RateSource, left));
        }
        let (passes, quota) = self.counters.count(app, own, webhook.rate_limit, now).await?;
        if !passes {
            return Ok(Admission::Refused(Refusal::RateWebhook, quota));
        }
        let of_tenant = |limit| (RateScope::Tenant(webhook.tenant.clone()), limit, Refusal::RateTenant);
        let of_all = |limit| (RateScope::Global, limit, Refusal::RateGlobal);
        for (scope, limit, refusal) in rates.per_tenant.map(of_tenant).into_iter().chain(rates.global.map(of_all)) {
            let (passes, left) = self.counters.count(app, scope, limit, now).await?;
            if !passes {
                return Ok(Admission::Refused(refusal, left));
            }
        }
        Ok(Admission::Taken(quota))
    }
}

/// The limit that an address shares with its network.
fn source_scope(source: Option<IpAddr>) -> RateScope {
    RateScope::Source(counted_as(source))
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
