//! The turn of a delivery that waits behind others: its next attempt, made where it stands.

use hookport::domain::delivery::{Delivery, DeliveryState, OwnerToken};
use hookport::domain::time::later;
use hookport::store::Created;
use jiff::Timestamp;

use crate::attempt::gate_of;
use crate::gates::{Asked, Seen};
use crate::subscriptions::Ready;
use crate::{Dispatcher, Trouble};

/// A delivery whose turn has come.
pub(crate) struct Waiting {
    pub(crate) delivery: Delivery,
    /// Whether it is stored. Else it is known by a note alone: whoever wrote that has not put the delivery yet, or died.
    pub(crate) is_stored: bool,
}

/// What came of a turn.
pub(crate) enum Turn {
    /// The attempt was made, or the delivery ended because there is nothing to send any more.
    Taken,
    /// It, and all behind it, has to wait until then.
    Wait(Timestamp),
    /// It was put, cancelled or attempted by another since it was read.
    Moved,
}

impl Dispatcher {
    /// Makes the next attempt of a delivery that nobody is attempting, if the gates let it through.
    pub(crate) async fn take_turn(&self, waiting: Waiting, ready: &Ready, now: Timestamp) -> Result<Turn, Trouble> {
        let Waiting { delivery: before, is_stored } = waiting;
        let owner = OwnerToken::new(self.app.random.bits());
        let lease_until = later(now, self.app.config.lease);
        let n = before.attempts.last().map_or(1, |last| last.n + 1);
        // No event's row stands behind it, so it has a due time from birth, unless it has a lane.
        let delivery = before.clone().in_state(DeliveryState::Attempting { n, owner, lease_until }, now);
        let gate = gate_of(&delivery, &ready.subscription, lease_until);
        let pass = match self.gates.ask(&self.app, &gate, now).await {
            Asked::Go(pass) => pass,
            Asked::Wait { until, .. } => return Ok(Turn::Wait(until)),
        };
        let event = self.event_of(&delivery).await;
        let claimed = match (&event, is_stored) {
            (Err(_), _) => Ok(false),
            (Ok(_), true) => self.app.store.move_delivery(&before, &delivery).await,
            (Ok(_), false) => {
                self.app.store.create_delivery(&delivery, owner).await.map(|created| created == Created::New)
            }
        };
        let is_ours = matches!(claimed, Ok(true));
        match event {
            Ok(Some(event)) if is_ours => {
                self.attempt(delivery, owner, Some(&event), ready, pass).await?;
            }
            Ok(event) => {
                self.gates.done(&self.app, &gate, pass, Seen::Unknown).await;
                if !claimed? {
                    return Ok(Turn::Moved);
                }
                if event.is_none() {
                    self.give_up(delivery, owner, "payload_expired", "the event's payload is no longer stored").await?;
                }
            }
            Err(trouble) => {
                self.gates.done(&self.app, &gate, pass, Seen::Unknown).await;
                return Err(trouble);
            }
        }
        Ok(Turn::Taken)
    }
}
