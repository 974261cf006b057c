//! What an attempt has to pass before it is made: slow-down, circuit breaker, concurrency and rate.
//!
//! Waiting at any of them spends no attempt. A subscription without limits whose target works costs no read and no
//! write here. Where the tables have to be asked and cannot be, a limit puts off and a breaker lets through.

mod breakers;
mod slots;

use hookport::app::App;
use hookport::cache::Cache;
use hookport::counters::Counters;
pub(crate) use hookport::domain::breaker::Seen;
use hookport::domain::id::SubscriptionId;
use hookport::domain::rate_limit::RateLimit;
use hookport::domain::target_url::TargetUrl;
use hookport::domain::text::TenantSlug;
use hookport::domain::wait_reason::WaitReason;
use hookport::store::RateScope;
use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use breakers::{Admitted, Answer, Breakers};
use slots::{Slot, Slots};

/// How many rates and slow-downs are remembered.
const REMEMBERED: usize = 20_000;

/// What this instance knows of the gates.
pub(crate) struct Gates {
    /// Until when subscriptions are left alone, because their targets asked for it.
    slowed: Cache<SubscriptionId, Timestamp>,
    breakers: Breakers,
    slots: Slots,
    rates: Counters,
}

/// Whose attempt it is, and what holds for it.
pub(crate) struct GateOf<'a> {
    pub(crate) tenant: &'a TenantSlug,
    pub(crate) subscription: SubscriptionId,
    /// Where it goes.
    pub(crate) url: &'a TargetUrl,
    /// How many attempts are made in which time.
    pub(crate) rate: Option<RateLimit>,
    /// How many attempts are made at a time.
    pub(crate) max_in_flight: Option<u8>,
    /// From when on its sender counts as dead: what it holds is free again then.
    pub(crate) lease_until: Timestamp,
    /// Passes every gate and leaves no trace: a test that a person asked for.
    pub(crate) unlimited: bool,
}

/// What an attempt under way holds, to be given back by [`Gates::done`].
#[must_use = "what it holds is given back by `Gates::done`"]
#[derive(Default)]
pub(crate) struct Pass {
    breaker: Admitted,
    slot: Option<Slot>,
}

/// What came of asking.
pub(crate) enum Asked {
    /// Make the attempt.
    Go(Pass),
    /// Not yet; no attempt is spent.
    Wait { until: Timestamp, reason: WaitReason },
}

impl Gates {
    pub(crate) fn new() -> Self {
        Self {
            // Each is put in with its end as its time, so that it is over then.
            slowed: Cache::new(REMEMBERED, SignedDuration::ZERO),
            breakers: Breakers::new(),
            slots: Slots::default(),
            rates: Counters::new(REMEMBERED),
        }
    }

    /// Asks whether an attempt may be made now.
    pub(crate) async fn ask(&self, app: &App, gate: &GateOf<'_>, now: Timestamp) -> Asked {
        if gate.unlimited {
            return Asked::Go(Pass::default());
        }
        if let Some(until) = self.slowed.get(&gate.subscription, now) {
            return Asked::Wait { until, reason: WaitReason::SlowedDown };
        }
        let breaker = match self.breakers.ask(app, gate, now).await {
            Answer::Go(admitted) => admitted,
            Answer::Wait(until) => return Asked::Wait { until, reason: WaitReason::CircuitOpen },
        };
        let mut pass = Pass { breaker, slot: None };
        match self.limit(app, gate, &mut pass, now).await {
            None => Asked::Go(pass),
            Some((until, reason)) => {
                self.done(app, gate, pass, Seen::Unknown).await;
                Asked::Wait { until, reason }
            }
        }
    }

    /// Gives back what the attempt held, and learns from how it ended.
    pub(crate) async fn done(&self, app: &App, gate: &GateOf<'_>, pass: Pass, seen: Seen) {
        if gate.unlimited {
            return;
        }
        if let Some(slot) = pass.slot {
            self.slots.release(app, gate, slot).await;
        }
        self.breakers.done(app, gate, pass.breaker, seen, app.clock.now()).await;
    }

    /// Leaves a subscription alone until `until`, or longer where that was asked for before.
    pub(crate) fn slow_down(&self, subscription: SubscriptionId, until: Timestamp) {
        if self.slowed.get(&subscription, until).is_none() {
            self.slowed.put(subscription, until, until);
        }
    }

    /// Takes a slot and a token; the token last, because it cannot be given back.
    async fn limit(
        &self,
        app: &App,
        gate: &GateOf<'_>,
        pass: &mut Pass,
        now: Timestamp,
    ) -> Option<(Timestamp, WaitReason)> {
        if let Some(max) = gate.max_in_flight {
            match self.slots.claim(app, gate, max, now).await {
                Ok(Some(slot)) => pass.slot = Some(slot),
                Ok(None) => return Some((soon(now, app.random.fraction()), WaitReason::ConcurrencyLimited)),
                Err(error) => {
                    warn!(tenant = %gate.tenant, subscription.id = %gate.subscription, %error, "slots.unavailable");
                    return Some((soon(now, app.random.fraction()), WaitReason::ConcurrencyLimited));
                }
            }
        }
        if let Some(limit) = gate.rate {
            let scope = RateScope::Subscription(gate.tenant.clone(), gate.subscription);
            match self.rates.count(app, scope, limit, now).await {
                Ok((true, _)) => {}
                Ok((false, _)) => {
                    return Some((next_window(limit, now, app.random.fraction()), WaitReason::RateLimited));
                }
                Err(error) => {
                    warn!(tenant = %gate.tenant, subscription.id = %gate.subscription, %error, "rate.unavailable");
                    return Some((soon(now, app.random.fraction()), WaitReason::RateLimited));
                }
            }
        }
        None
    }
}

/// In 1 to 3 seconds; `fraction` picks the place, so that those who wait do not come back at once.
fn soon(now: Timestamp, fraction: f64) -> Timestamp {
    now + SignedDuration::from_millis(1_000 + (fraction * 2_000.0) as i64)
}

/// When the next window has begun, and up to a tenth of its length later.
fn next_window(limit: RateLimit, now: Timestamp, fraction: f64) -> Timestamp {
    let left_ms = limit.window(now).end * 1_000 - now.as_millisecond();
    let spread_ms = (fraction * f64::from(limit.window_s) * 100.0) as i64;
    now + SignedDuration::from_millis(left_ms + spread_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("a time")
    }

    /// B7: what the rate refuses comes back in the next window, spread over its first tenth.
    #[test]
    fn b7_what_finds_no_token_waits_for_the_next_window() {
        let limit = RateLimit { requests: 10, window_s: 60 };
        for now in [at(120_000), at(150_250), at(179_999)] {
            assert_eq!(next_window(limit, now, 0.0), at(180_000), "{now}");
            assert_eq!(next_window(limit, now, 0.5), at(183_000), "{now}");
        }
    }

    #[test]
    fn what_finds_no_slot_waits_one_to_three_seconds() {
        assert_eq!(soon(at(0), 0.0), at(1_000));
        assert_eq!(soon(at(0), 0.999), at(2_998));
    }

    #[test]
    fn a_slow_down_holds_until_its_end_and_is_not_shortened() {
        let gates = Gates::new();
        let subscription = SubscriptionId::new(at(0), 1);
        gates.slow_down(subscription, at(5_000));
        gates.slow_down(subscription, at(2_000));
        assert_eq!(gates.slowed.get(&subscription, at(4_999)), Some(at(5_000)));
        assert_eq!(gates.slowed.get(&subscription, at(5_000)), None);
        gates.slow_down(subscription, at(9_000));
        assert_eq!(gates.slowed.get(&subscription, at(5_000)), Some(at(9_000)));
        assert_eq!(gates.slowed.get(&SubscriptionId::new(at(0), 2), at(0)), None);
    }
}
