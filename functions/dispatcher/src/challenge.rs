//! Challenges: sent like deliveries, with attempts that are claimed, leased and recorded, and what follows from their end.

use hookport::domain::delivery::{Delivery, DeliveryKind, DeliveryState, OwnerToken};
use hookport::domain::event_type::EventType;
use hookport::domain::subscription::{Cause, State, Subscription, VerificationStatus};
use hookport::domain::time::later;
use hookport::store::{Changed, Created};
use hookport::upkeep;
use tracing::{info, warn};

use crate::gates::Pass;
use crate::subscriptions::ready;
use crate::{Dispatcher, Trouble};

/// How often a change is tried again that others came before.
const TRIES: usize = 5;

impl Dispatcher {
    /// Sends the challenge that is under way for the first time, or concludes it if that was left undone.
    pub(crate) async fn send_challenge(&self, subscription: &Subscription) -> Result<(), Trouble> {
        let Some(event_id) = subscription.verification.event_id(subscription.id) else { return Ok(()) };
        let now = self.app.clock.now();
        let owner = OwnerToken::new(self.app.random.bits());
        let lease_until = later(now, self.app.config.lease);
        let state = DeliveryState::Attempting { n: 1, owner, lease_until };
        let event_type = EventType::try_from("webhook.challenge".to_owned()).expect("it is words joined by a dot");
        let tenant = subscription.tenant.clone();
        let delivery = Delivery::of_event(tenant, event_id, event_type, subscription.id, state, now);
        // No event's row stands behind it, so it has a due time from birth.
        let delivery = Delivery { kind: DeliveryKind::Challenge, ..delivery }.in_state(state, now);
        match self.app.store.create_delivery(&delivery, owner).await? {
            Created::New => {
                let ready = ready(&self.app, subscription.clone(), now).await?;
                self.attempt(delivery, owner, None, &ready, Pass::default()).await?;
                Ok(())
            }
            Created::Exists(old) if old.state.is_final() => self.conclude_challenge(&old).await,
            // Its attempts have due times of their own.
            Created::Exists(_) => Ok(()),
        }
    }

    /// Changes a subscription by the end of its challenge, unless that was done, or another challenge was started since:
    /// a late answer to an older one means nothing.
    pub(crate) async fn conclude_challenge(&self, delivery: &Delivery) -> Result<(), Trouble> {
        let (tenant, id) = (&delivery.tenant, delivery.subscription_id);
        for _ in 0..TRIES {
            let Some(before) = self.app.store.subscription(tenant, id).await? else { return Ok(()) };
            let verification = &before.verification;
            let is_current = verification.event_id(id) == Some(delivery.event_id);
            if !is_current || verification.status != VerificationStatus::Pending {
                return Ok(());
            }
            let now = self.app.clock.now();
            let after = match delivery.state {
                DeliveryState::Delivered { .. } => before.proven(now),
                _ => {
                    let last = delivery.attempts.last();
                    before.unproven(last.map_or_else(String::new, |attempt| attempt.outcome.error()), now)
                }
            };
            if upkeep::change(&self.app, &before, &after).await? == Changed::Yes {
                let passed = after.verification.status == VerificationStatus::Passed;
                info!(%tenant, subscription.id = %id, passed, state = after.status.state.as_str(), "challenge.ended");
                return Ok(());
            }
        }
        Err(Trouble::Contended)
    }

    /// Switches a subscription off. Does nothing when it is no longer as it was when that was decided.
    pub(crate) async fn switch_off(&self, known: &Subscription, cause: Cause) -> Result<(), Trouble> {
        for _ in 0..TRIES {
            let Some(before) = self.app.store.subscription(&known.tenant, known.id).await? else { return Ok(()) };
            let is_as_known = before.status == known.status && before.settings.url == known.settings.url;
            if before.status.state != State::Active || !is_as_known {
                return Ok(());
            }
            let after = before.put_into(State::Disabled, cause, self.app.clock.now());
            if upkeep::change(&self.app, &before, &after).await? == Changed::Yes {
                warn!(tenant = %after.tenant, subscription.id = %after.id, ?cause, "subscription.switched_off");
                return Ok(());
            }
        }
        Err(Trouble::Contended)
    }
}
