//! The slots of subscriptions: how many attempts are made at a time, over all instances.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hookport::app::App;
use hookport::aws::table::TableError;
use hookport::domain::delivery::OwnerToken;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::MAX_IN_FLIGHT;
use jiff::Timestamp;
use tracing::warn;

use super::GateOf;

/// A slot that is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    n: u8,
    owner: OwnerToken,
}

/// The slots of one subscription that this instance holds, with the ends of their leases.
type Held = HashMap<u8, (OwnerToken, Timestamp)>;

/// The slots that this instance holds: those it need not ask the table for.
#[derive(Default)]
pub(super) struct Slots(Mutex<HashMap<SubscriptionId, Held>>);

impl Slots {
    /// Claims one of `max` slots until the attempt's lease is over; `None` when none is free.
    ///
    /// One write when there is room, and one for each slot that another instance turns out to hold.
    pub(super) async fn claim(
        &self,
        app: &App,
        gate: &GateOf<'_>,
        max: u8,
        now: Timestamp,
    ) -> Result<Option<Slot>, TableError> {
        let max = max.clamp(1, MAX_IN_FLIGHT);
        let start = (app.random.fraction() * f64::from(max)) as u8;
        let owner = OwnerToken::new(app.random.bits());
        for step in 0..max {
            let slot = Slot { n: (start + step) % max, owner };
            if !self.reserve(gate.subscription, slot, gate.lease_until, now) {
                continue;
            }
            let place = (gate.tenant, gate.subscription, slot.n);
            match app.store.claim_slot(place, owner, now, gate.lease_until).await {
                Ok(true) => return Ok(Some(slot)),
                Ok(false) => self.free(gate.subscription, slot),
                Err(error) => {
                    self.free(gate.subscription, slot);
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// Gives a slot back. When that fails, it is free again at the end of its lease.
    pub(super) async fn release(&self, app: &App, gate: &GateOf<'_>, slot: Slot) {
        let place = (gate.tenant, gate.subscription, slot.n);
        if let Err(error) = app.store.release_slot(place, slot.owner).await {
            warn!(tenant = %gate.tenant, subscription.id = %gate.subscription, %error, "slot.not_released");
        }
        self.free(gate.subscription, slot);
    }

    /// Keeps a slot from the other attempts of this instance, unless one of them has it.
    fn reserve(&self, subscription: SubscriptionId, slot: Slot, until: Timestamp, now: Timestamp) -> bool {
        let mut held = self.lock();
        let held = held.entry(subscription).or_default();
        // An attempt that panicked gave nothing back.
        if held.get(&slot.n).is_some_and(|(_, until)| *until > now) {
            return false;
        }
        held.insert(slot.n, (slot.owner, until));
        true
    }

    fn free(&self, subscription: SubscriptionId, slot: Slot) {
        let mut all = self.lock();
        let Some(held) = all.get_mut(&subscription) else { return };
        if held.get(&slot.n).is_some_and(|(owner, _)| *owner == slot.owner) {
            held.remove(&slot.n);
        }
        if held.is_empty() {
            all.remove(&subscription);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SubscriptionId, Held>> {
        // No code that holds it can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_slot_is_held_by_one_attempt_until_it_is_given_back() {
        let slots = Slots::default();
        let subscription = SubscriptionId::new(at(0), 1);
        let [first, second] = [1, 2].map(|token| Slot { n: 0, owner: OwnerToken::new(token) });
        assert!(slots.reserve(subscription, first, at(90), at(0)));
        assert!(!slots.reserve(subscription, second, at(90), at(89)));
        slots.free(subscription, second);
        assert!(!slots.reserve(subscription, second, at(90), at(89)), "freed by another than its holder");
        slots.free(subscription, first);
        assert!(slots.reserve(subscription, second, at(90), at(89)));
        slots.free(subscription, second);
        assert!(slots.lock().is_empty());
    }

    #[test]
    fn a_slot_whose_lease_is_over_is_free() {
        let slots = Slots::default();
        let subscription = SubscriptionId::new(at(0), 1);
        let [first, second] = [1, 2].map(|token| Slot { n: 0, owner: OwnerToken::new(token) });
        assert!(slots.reserve(subscription, first, at(90), at(0)));
        assert!(slots.reserve(subscription, second, at(180), at(90)));
        slots.free(subscription, first);
        assert!(!slots.reserve(subscription, first, at(180), at(91)), "the late one frees what is no longer its own");
    }
}
