//! One item: its delivery is made, unless it is there.
//!
//! A delivery says which replay made it. So whoever finds it there knows whether an earlier try of the same page made
//! it, and counts it once, or whether it came about otherwise.

use hookport::domain::delivery::{Delivery, DeliveryState, OwnerToken};
use hookport::domain::replay::{Replay, ReplayItem, Skipped, Standing};
use hookport::domain::time::later;
use hookport::lanes;
use hookport::store::Created;
use jiff::SignedDuration;

use super::page::{Manner, Taker, is_expired};
use super::send::Settled;
use crate::lane::settled_at;
use crate::subscriptions::Ready;
use crate::turn::{Turn, Waiting};
use crate::{Dispatcher, Trouble};

/// How long an item waits that others keep changing.
const CONTENDED: SignedDuration = SignedDuration::from_secs(1);
/// How often an item is looked at that others change.
const LOOKS: usize = 3;

/// What came of putting a delivery.
enum Put {
    /// It is the replay's, as it is now.
    Ours {
        delivery: Box<Delivery>,
        /// Whether this call put it.
        is_new: bool,
    },
    /// It came about otherwise.
    Skipped(Skipped),
}

fn skipped(state: &DeliveryState) -> Skipped {
    let mut skipped = Skipped::default();
    skipped.note(state);
    skipped
}

/// Tells whether an item may be sent by its own delivery although that is there: it was cancelled before any attempt.
fn is_free(item: &ReplayItem, old: &Delivery) -> bool {
    !item.is_again && Standing::of(Some(old)) == Standing::Missing
}

impl Dispatcher {
    /// Sends an item, or says why not.
    pub(super) async fn settle(
        &self,
        replay: &Replay,
        item: &ReplayItem,
        taker: &Taker,
        manner: Manner,
    ) -> Result<Settled, Trouble> {
        let now = self.app.clock.now();
        let ready = match taker {
            Taker::Gone => {
                let gone = Skipped { subscription_deleted: 1, ..Skipped::default() };
                return self.unless_made(replay, item, gone).await;
            }
            Taker::Ready(ready) if !is_expired(item, now) => ready,
            Taker::Ready(_) | Taker::Resting => return self.expired(replay, item).await,
        };
        match manner {
            Manner::ByQueue => {
                let due_now = DeliveryState::Pending { next_attempt_at: now, reason: None };
                Ok(match self.put(replay, item, &replay.delivery(item, due_now, now)).await? {
                    Put::Ours { delivery, is_new } => {
                        self.stands_in_lane(&delivery).await?;
                        let waits = delivery.lane.is_none() && matches!(delivery.state, DeliveryState::Pending { .. });
                        // What an earlier try of the page has put was hinted at then, or has its due time.
                        Settled::Sent { hint: (is_new && waits).then_some(delivery.id) }
                    }
                    Put::Skipped(why) => Settled::Skipped(why),
                })
            }
            Manner::InLane => self.line_up(replay, item, ready).await,
            Manner::InTurn => self.take_turn_of(replay, item).await,
        }
    }

    /// Tells whether the delivery of an item is there and the replay's.
    pub(super) async fn is_made(&self, replay: &Replay, item: &ReplayItem) -> Result<bool, Trouble> {
        let found = self.app.store.delivery(&replay.tenant, replay.delivery_id(item)).await?;
        let Some(ours) = found.filter(|delivery| delivery.replay == Some(replay.id)) else { return Ok(false) };
        self.stands_in_lane(&ours).await?;
        Ok(true)
    }

    /// Notes a delivery of a replay in its lane, should whoever put it have died before that.
    async fn stands_in_lane(&self, delivery: &Delivery) -> Result<(), Trouble> {
        if delivery.lane.is_some() && matches!(delivery.state, DeliveryState::Held | DeliveryState::Pending { .. }) {
            let now = self.app.clock.now();
            lanes::line_up(&self.app, delivery, now).await?;
            lanes::hint(&self.app, delivery, now).await;
        }
        Ok(())
    }

    /// Skips an item, unless an earlier try of its page has sent it.
    async fn unless_made(&self, replay: &Replay, item: &ReplayItem, why: Skipped) -> Result<Settled, Trouble> {
        let is_made = self.is_made(replay, item).await?;
        Ok(if is_made { Settled::Sent { hint: None } } else { Settled::Skipped(why) })
    }

    async fn expired(&self, replay: &Replay, item: &ReplayItem) -> Result<Settled, Trouble> {
        self.unless_made(replay, item, Skipped { body_expired: 1, ..Skipped::default() }).await
    }

    /// Puts the delivery of an item where none is, or where one was cancelled before any attempt.
    async fn put(&self, replay: &Replay, item: &ReplayItem, delivery: &Delivery) -> Result<Put, Trouble> {
        let store = &self.app.store;
        let is_ours = |found: &Delivery| found.replay == Some(replay.id);
        let mut old = match store.create_delivery(delivery, OwnerToken::new(self.app.random.bits())).await? {
            Created::New => return Ok(Put::Ours { delivery: Box::new(delivery.clone()), is_new: true }),
            Created::Exists(old) => old,
        };
        if !is_ours(&old) && is_free(item, &old) {
            if store.move_delivery(&old, delivery).await? {
                return Ok(Put::Ours { delivery: Box::new(delivery.clone()), is_new: true });
            }
            // Somebody was faster, which may be another worker of the same replay.
            if let Some(found) = store.delivery(&replay.tenant, delivery.id).await? {
                *old = found;
            }
        }
        Ok(if is_ours(&old) { Put::Ours { delivery: old, is_new: false } } else { Put::Skipped(skipped(&old.state)) })
    }

    /// Lets an item stand in its lane. Its delivery comes first: until the page is counted, the replay's own task
    /// stands behind it.
    async fn line_up(&self, replay: &Replay, item: &ReplayItem, ready: &Ready) -> Result<Settled, Trouble> {
        let now = self.app.clock.now();
        let held = replay.delivery(item, DeliveryState::Held, now);
        let Some(ordering) = &ready.subscription.settings.ordering else { return Ok(Settled::Waits(now)) };
        let Some(event) = self.event_of(&held).await? else { return self.expired(replay, item).await };
        match self.put(replay, item, &held.in_lane(event.lane(ordering))).await? {
            Put::Ours { delivery, .. } => {
                if matches!(delivery.state, DeliveryState::Held | DeliveryState::Pending { .. }) {
                    let due = settled_at(Some(ordering), item.event_id);
                    lanes::line_up(&self.app, &delivery, due).await?;
                    lanes::hint(&self.app, &delivery, due).await;
                }
                Ok(Settled::Sent { hint: None })
            }
            Put::Skipped(why) => Ok(Settled::Skipped(why)),
        }
    }

    /// Makes the first attempt of an item here, so that the next one comes after it.
    async fn take_turn_of(&self, replay: &Replay, item: &ReplayItem) -> Result<Settled, Trouble> {
        for _ in 0..LOOKS {
            let now = self.app.clock.now();
            // It may have been paused, changed or deleted since the one before it was sent.
            let ready = match self.taker(replay, item.subscription_id, now).await? {
                Taker::Ready(ready) => ready,
                Taker::Resting | Taker::Gone => return Ok(Settled::Waits(now)),
            };
            let due_now = DeliveryState::Pending { next_attempt_at: now, reason: None };
            let fresh = replay.delivery(item, due_now, now);
            let waiting = match self.app.store.delivery(&replay.tenant, fresh.id).await? {
                None => Waiting { delivery: fresh, is_stored: false },
                Some(old) if old.replay == Some(replay.id) => match old.state {
                    DeliveryState::Attempting { lease_until, .. } if lease_until > now => {
                        return Ok(Settled::Waits(lease_until));
                    }
                    DeliveryState::Attempting { .. } => {
                        let kind = old.kind;
                        let wait = |n| ready.wait_after(kind, n, self.app.random.fraction());
                        self.record_lost_lease(old, wait).await?;
                        return Ok(Settled::Sent { hint: None });
                    }
                    DeliveryState::Pending { .. } if old.attempts.is_empty() => {
                        Waiting { delivery: old, is_stored: true }
                    }
                    _ => {
                        self.stands_in_lane(&old).await?;
                        return Ok(Settled::Sent { hint: None });
                    }
                },
                Some(old) if is_free(item, &old) => {
                    // It may have stood in a lane that the subscription has no more.
                    Waiting { delivery: Delivery { replay: Some(replay.id), lane: None, ..old }, is_stored: true }
                }
                Some(old) => return Ok(Settled::Skipped(skipped(&old.state))),
            };
            match self.take_turn(waiting, &ready, now).await? {
                Turn::Taken => return Ok(Settled::Sent { hint: None }),
                Turn::Wait(until) => return Ok(Settled::Waits(until)),
                Turn::Moved => {}
            }
        }
        Ok(Settled::Waits(later(self.app.clock.now(), CONTENDED)))
    }
}
