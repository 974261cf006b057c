//! The attempts after the first: claimed by a conditional write, so that two workers make one.

use hookport::aws::table::TableError;
use hookport::domain::delivery::{Delivery, DeliveryKind, DeliveryState, OwnerToken, Progress};
use hookport::domain::id::DeliveryId;
use hookport::domain::issue::SAID_NOTHING;
use hookport::domain::subscription::{Intake, State, Subscription, VerificationStatus};
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::domain::wait_reason::WaitReason;
use hookport::store::Claim;
use jiff::{SignedDuration, Timestamp};
use tracing::{error, warn};

use crate::attempt::gate_of;
use crate::event::Event;
use crate::gates::{Asked, Seen};
use crate::subscriptions::Ready;
use crate::{Dispatcher, Trouble};

/// How often a delivery looks whether its tenant's events are sent out again.
pub(crate) const WHILE_OFF: SignedDuration = SignedDuration::from_mins(15);

/// What becomes of an attempt that is due, by what its subscription is like now.
enum Course {
    Attempt,
    /// It is kept until the subscription takes events again.
    Hold,
    /// Nothing is owed any more.
    Cancel,
}

fn course(delivery: &Delivery, subscription: &Subscription) -> Course {
    match (delivery.kind, subscription.status.state) {
        (DeliveryKind::Challenge, _) => {
            let verification = &subscription.verification;
            let is_current = verification.event_id(subscription.id) == Some(delivery.event_id);
            if is_current && verification.status == VerificationStatus::Pending {
                Course::Attempt
            } else {
                Course::Cancel
            }
        }
        // Also while it drains: what was under way does not wait behind what was kept.
        (_, State::Active) => Course::Attempt,
        (DeliveryKind::Test, _) => Course::Cancel,
        (DeliveryKind::Event | DeliveryKind::Resend, _) => match subscription.intake() {
            Intake::Deliver => Course::Attempt,
            Intake::Hold => Course::Hold,
            Intake::Skip => Course::Cancel,
        },
    }
}

impl Dispatcher {
    /// Makes the next attempt of a delivery if it is due, or records that the sender of the one before died, or that the
    /// target has said nothing for too long.
    pub(crate) async fn attempt_again(&self, tenant: &TenantSlug, id: DeliveryId) -> Result<(), Trouble> {
        let now = self.app.clock.now();
        let owner = OwnerToken::new(self.app.random.bits());
        let lease_until = later(now, self.app.config.lease);
        let delivery = match self.app.store.claim_attempt(tenant, id, owner, now, lease_until).await? {
            Claim::Nothing => return Ok(()),
            Claim::Silent(delivery) => return self.end_silence(*delivery, now).await,
            Claim::LostLease(delivery) => {
                let found = self.subscriptions.one(&self.app, tenant, delivery.subscription_id, now).await?;
                let kind = delivery.kind;
                let wait = |n| found.ready.and_then(|ready| ready.wait_after(kind, n, self.app.random.fraction()));
                self.record_lost_lease(*delivery, wait).await?;
                return Ok(());
            }
            Claim::Ours(delivery) => *delivery,
        };
        // What was remembered from before this moment may have been deleted since.
        let found = self.subscriptions.one(&self.app, tenant, delivery.subscription_id, now).await?;
        let Some(ready) = found.ready else {
            return self.give_up(delivery, owner, "subscription_deleted", "the subscription was deleted").await;
        };
        if !found.is_enabled && delivery.kind != DeliveryKind::Challenge {
            let (next_attempt_at, reason) = (later(now, WHILE_OFF), Some(WaitReason::OutboundDisabled));
            return self.put_back(delivery, owner, DeliveryState::Pending { next_attempt_at, reason }).await;
        }
        match course(&delivery, &ready.subscription) {
            Course::Attempt => self.attempt_now(delivery, owner, &ready, lease_until, now).await,
            Course::Hold => {
                self.app.store.note_held(&delivery).await?;
                self.put_back(delivery, owner, DeliveryState::Held).await
            }
            Course::Cancel => self.put_back(delivery, owner, DeliveryState::Cancelled { at: now }).await,
        }
    }

    async fn attempt_now(
        &self,
        delivery: Delivery,
        owner: OwnerToken,
        ready: &Ready,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let gated = delivery.clone();
        let gate = gate_of(&gated, &ready.subscription, lease_until);
        let pass = match self.gates.ask(&self.app, &gate, now).await {
            Asked::Go(pass) => pass,
            Asked::Wait { until, reason } => {
                let state = DeliveryState::Pending { next_attempt_at: until, reason: Some(reason) };
                return self.put_back(delivery, owner, state).await;
            }
        };
        if matches!(delivery.kind, DeliveryKind::Challenge | DeliveryKind::Test) {
            self.attempt(delivery, owner, None, ready, pass).await?;
            return Ok(());
        }
        match self.event_of(&delivery).await {
            Ok(Some(event)) => {
                self.attempt(delivery, owner, Some(&event), ready, pass).await?;
                Ok(())
            }
            Ok(None) => {
                self.gates.done(&self.app, &gate, pass, Seen::Unknown).await;
                self.give_up(delivery, owner, "payload_expired", "the event's payload is no longer stored").await
            }
            Err(trouble) => {
                self.gates.done(&self.app, &gate, pass, Seen::Unknown).await;
                Err(trouble)
            }
        }
    }

    /// The event of a delivery; `None` once its payload is gone.
    pub(crate) async fn event_of(&self, delivery: &Delivery) -> Result<Option<Event>, Trouble> {
        let (tenant, now) = (&delivery.tenant, self.app.clock.now());
        let row = self.app.store.inbound_delivery_with_request(tenant, delivery.event_id.into(), now).await?;
        let Some((_, Some(request))) = row else { return Ok(None) };
        match Event::new(tenant.clone(), delivery.event_id, delivery.event_type.clone(), &request) {
            // It will not be any better next time, and must not stand in the way of others.
            Err(Trouble::Table(TableError::Corrupt(cause))) => {
                error!(%tenant, delivery.id = %delivery.id, cause, "event.unreadable");
                Ok(None)
            }
            event => event.map(Some),
        }
    }

    /// Ends a delivery whose target took it and then said nothing for too long.
    pub(crate) async fn end_silence(&self, delivery: Delivery, now: Timestamp) -> Result<(), Trouble> {
        let percent = delivery.progress.as_ref().map_or(0, |progress| progress.percent);
        let message = Some(SAID_NOTHING.to_owned());
        let after = Delivery {
            progress: Some(Progress { percent, message, at: now }),
            ..delivery.clone().in_state(DeliveryState::Exhausted { at: now }, now)
        };
        if !self.app.store.move_delivery(&delivery, &after).await? {
            return Ok(());
        }
        warn!(tenant = %after.tenant, delivery.id = %after.id, "delivery.silent");
        self.issues.note_end(&after, now);
        self.tell_exhausted(&after, now).await?;
        let found = self.subscriptions.one(&self.app, &after.tenant, after.subscription_id, now).await?;
        if let Some(ready) = found.ready {
            self.count_for_auto_disable(&ready.subscription, after.kind, false).await;
        }
        Ok(())
    }
}
