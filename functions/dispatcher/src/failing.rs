//! Switches subscriptions off that keep failing.
//!
//! It is decided from the attempts that are recorded, not from a counter, so there is nothing to get out of step. Reading
//! them costs, so it is done after every tenth failure in a row that this instance sees, and at most a minute after one.

use hookport::cache::Cache;
use hookport::domain::cursor::PageRequest;
use hookport::domain::delivery::DeliveryKind;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::{State, Subscription};
use hookport::domain::subscription_health::{self, NEWEST};
use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::{Dispatcher, Trouble};

/// How many subscriptions' failures are remembered, and for how long.
const REMEMBERED: usize = 20_000;
const LIFE: SignedDuration = SignedDuration::from_hours(24);
/// After how many failures in a row the recorded ones are looked at in any case.
const EACH: u32 = 10;
/// How long after a look the next one is made, if failures go on.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// The failures that this instance has seen since the last success of a subscription.
#[derive(Clone, Copy)]
struct Streak {
    failures: u32,
    looked_at: Timestamp,
}

/// Streaks of failures by subscription.
pub(crate) struct Streaks(Cache<SubscriptionId, Streak>);

impl Streaks {
    pub(crate) fn new() -> Self {
        Self(Cache::new(REMEMBERED, LIFE))
    }

    /// Counts the end of an attempt, and tells whether it is time to look at the recorded ones.
    fn count(&self, id: SubscriptionId, is_success: bool, now: Timestamp) -> bool {
        let before = self.0.get(&id, now);
        if is_success {
            // What never failed needs no note that it did not.
            if before.is_some_and(|streak| streak.failures > 0) {
                self.0.put(id, Streak { failures: 0, looked_at: now }, now);
            }
            return false;
        }
        let failures = before.map_or(1, |streak| streak.failures + 1);
        let is_time = match before {
            // The first one after a success proves nothing; whoever comes new knows nothing of those before.
            Some(streak) => failures.is_multiple_of(EACH) || now.duration_since(streak.looked_at) >= PAUSE,
            None => true,
        };
        let looked_at = if is_time { now } else { before.map_or(now, |streak| streak.looked_at) };
        self.0.put(id, Streak { failures, looked_at }, now);
        is_time
    }
}

impl Dispatcher {
    /// Counts the end of an attempt towards the rule by which a subscription is switched off. Trouble with it is logged
    /// and keeps nothing else back.
    pub(crate) async fn count_for_auto_disable(&self, known: &Subscription, kind: DeliveryKind, is_success: bool) {
        if !kind.is_of_event() || known.status.state != State::Active {
            return;
        }
        let Some(rule) = &known.settings.auto_disable else { return };
        let now = self.app.clock.now();
        if !self.streaks.count(known.id, is_success, now) {
            return;
        }
        let looked = async {
            let newest = self.newest_attempts(known).await?;
            match subscription_health::verdict(rule, &newest, known.status.since, now) {
                Some(cause) => self.switch_off(known, cause).await,
                None => Ok(()),
            }
        };
        if let Err(error) = looked.await {
            warn!(tenant = %known.tenant, subscription.id = %known.id, %error, "auto_disable.skipped");
        }
    }

    /// When the newest finished attempts began and whether they succeeded, the newest first.
    async fn newest_attempts(&self, known: &Subscription) -> Result<Vec<(Timestamp, bool)>, Trouble> {
        let page = PageRequest { limit: NEWEST, after: None };
        let ids = [known.id];
        let found = self.app.store.list_deliveries(&known.tenant, &ids, &page, |d| d.kind.is_of_event()).await?;
        Ok(subscription_health::outcomes(&found.items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_attempts_are_looked_at_now_and_then_and_never_after_a_success() {
        let (streaks, at) = (Streaks::new(), |s: i64| Timestamp::from_second(s).expect("a time"));
        let id = SubscriptionId::new(at(0), 1);
        assert!(!streaks.count(id, true, at(0)));
        assert!(streaks.count(id, false, at(1)), "this instance knows nothing of earlier ones");
        let looks = (2..=30).filter(|s| streaks.count(id, false, at(*s))).collect::<Vec<_>>();
        assert_eq!(looks, [10, 20, 30], "each tenth in a row");
        assert!(!streaks.count(id, true, at(31)));
        assert!(!streaks.count(id, false, at(32)), "one failure after a success");
        assert!(streaks.count(id, false, at(95)), "a minute later");
    }
}
