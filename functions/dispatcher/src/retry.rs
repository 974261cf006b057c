//! The attempts after the first: claimed by a conditional write, so that two workers make one.

use hookport::domain::delivery::{Attempt, Delivery, DeliveryState, Outcome, OwnerToken};
use hookport::domain::id::DeliveryId;
use hookport::domain::retry::RetrySchedule;
use hookport::domain::text::TenantSlug;
use hookport::store::Claim;

use crate::fan_out::Event;
use crate::{Dispatcher, Trouble};

impl Dispatcher {
    /// Makes the next attempt of a delivery if it is due, or records that the sender of the one before died.
    pub(crate) async fn attempt_again(&self, tenant: &TenantSlug, id: DeliveryId) -> Result<(), Trouble> {
        let now = self.app.clock.now();
        let owner = OwnerToken::new(self.app.random.bits());
        let lease_until = now.saturating_add(self.app.config.lease).unwrap_or(now);
        let delivery = match self.app.store.claim_attempt(tenant, id, owner, now, lease_until).await? {
            Claim::Nothing => return Ok(()),
            Claim::LostLease(delivery) => {
                let known = self.subscriptions.of(&self.app, tenant, id.created_at()).await?;
                let schedule = known.get(delivery.subscription_id).map(|r| r.subscription.retry_schedule);
                self.record_lost_lease(*delivery, schedule.unwrap_or(RetrySchedule::None)).await?;
                return Ok(());
            }
            Claim::Ours(delivery) => *delivery,
        };
        // A list from before this moment may hold a subscription that has been deleted since.
        let known = self.subscriptions.of(&self.app, tenant, now).await?;
        let Some(ready) = known.get(delivery.subscription_id) else {
            return self.give_up(delivery, owner, "subscription_deleted", "the subscription was deleted").await;
        };
        let row = self
            .app
            .store
            .inbound_delivery_with_request(tenant, delivery.event_id.into(), self.app.clock.now())
            .await?;
        let Some((_, Some(request))) = row else {
            return self.give_up(delivery, owner, "payload_expired", "the event's payload is no longer stored").await;
        };
        let event = Event::new(tenant.clone(), delivery.event_id, delivery.event_type.clone(), &request)?;
        self.attempt(delivery, owner, &event, ready).await?;
        Ok(())
    }

    async fn give_up(&self, delivery: Delivery, owner: OwnerToken, code: &str, message: &str) -> Result<(), Trouble> {
        let DeliveryState::Attempting { n, .. } = delivery.state else { return Ok(()) };
        let outcome = Outcome::Failed { code: code.to_owned(), message: message.to_owned(), permanent: true };
        let attempt = Attempt { n, started_at: self.app.clock.now(), duration_ms: 0, outcome };
        self.record(delivery, owner, attempt, RetrySchedule::None).await?;
        Ok(())
    }
}
