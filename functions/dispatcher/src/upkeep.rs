//! Looking after a subscription: its challenge, its announcements, what was kept for it, its end.
//!
//! Everything is decided from the subscription as it is. Doing it twice does no harm, and whoever dies in between leaves
//! it due.

use hookport::aws::lambda::Deadline;
use hookport::domain::audit::{AuditAction, AuditRecord, Principal};
use hookport::domain::cursor::PageRequest;
use hookport::domain::id::{AuditRecordId, SubscriptionId};
use hookport::domain::own_event::{NEWS, OwnEvent};
use hookport::domain::subscription::{Challenge, Purpose, State, Subscription, VerificationStatus};
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::own_events::tell;
use hookport::store::Changed;
use jiff::{SignedDuration, Timestamp};
use tracing::info;

use crate::drain::Drained;
use crate::tasks::Next;
use crate::{Dispatcher, Trouble};

/// How often a subscription is looked at in one go; what is left is due at once.
const ROUNDS: usize = 4;
/// How long after a change it is looked once more: an event that was on its way then may have been kept, or attempted, by
/// an instance that did not know of it yet. Longer than what is remembered, and than a lease.
const LAST_LOOK: SignedDuration = SignedDuration::from_mins(3);

/// How many deliveries whose senders died are taken up at a time.
const ORPHANS: usize = 100;

/// What one look came to.
enum Looked {
    /// It was changed; what is to be done now has to be seen anew.
    Changed,
    /// There is nothing to do before then, if ever.
    Quiet(Option<Timestamp>),
}

impl Dispatcher {
    /// Looks after a subscription, and tells when to look again, if ever.
    pub(crate) async fn look_after(
        &self,
        tenant: &TenantSlug,
        id: SubscriptionId,
        deadline: Deadline,
    ) -> Result<Next, Trouble> {
        for _ in 0..ROUNDS {
            let Some(subscription) = self.app.store.subscription(tenant, id).await? else {
                // Each lane ends what stands in it, and whoever sends there now is done before that.
                let lanes = self.start_lanes(tenant, id, deadline).await?;
                let held = self.cancel_held(tenant, id, deadline).await?;
                return Ok(lanes.or(held));
            };
            if let Looked::Quiet(until) = self.look_at(&subscription, deadline).await? {
                return Ok(until);
            }
        }
        Ok(Some(self.app.clock.now()))
    }

    async fn look_at(&self, subscription: &Subscription, deadline: Deadline) -> Result<Looked, Trouble> {
        let now = self.app.clock.now();
        self.announce(subscription, now).await?;
        if subscription.expires_at().is_some_and(|end| end <= now) {
            return self.expire(subscription, now).await;
        }
        if subscription.verification.status == VerificationStatus::Pending {
            self.send_challenge(subscription).await?;
            let after = self.app.store.subscription(&subscription.tenant, subscription.id).await?;
            if after.as_ref().map(|after| after.version) != Some(subscription.version) {
                return Ok(Looked::Changed);
            }
        } else if subscription.reverify_at().is_some_and(|at| at <= now) {
            let challenge = Challenge::new(&self.app.random);
            let after = subscription.challenged(Purpose::Renewal, challenge, now);
            return self.changed(subscription, &after).await;
        }
        let last_look = later(subscription.updated_at, LAST_LOOK);
        if now >= last_look {
            self.adopt_orphans(subscription).await?;
        }
        // Decided from the subscription, so that a run in between does not forget it.
        let next = subscription.next_upkeep(now);
        let next = if now < last_look { sooner(next, last_look) } else { next };
        if subscription.status.state != State::Active {
            return Ok(Looked::Quiet(next));
        }
        match self.drain(subscription, deadline).await? {
            Drained::Empty if subscription.status.is_draining => {
                // Their tasks have ended while nothing was sent.
                if let Some(until) = self.start_lanes(&subscription.tenant, subscription.id, deadline).await? {
                    return Ok(Looked::Quiet(sooner(next, until)));
                }
                // The drain may have taken a minute: the last look is counted from here.
                let after = subscription.drained(self.app.clock.now());
                self.changed(subscription, &after).await
            }
            Drained::Empty => Ok(Looked::Quiet(next)),
            Drained::Until(until) => Ok(Looked::Quiet(sooner(next, until))),
        }
    }

    /// Gives a due time to first attempts whose senders died, where the event's own row may have been ended without them:
    /// since the change, the subscription may not be among those that its event goes to.
    async fn adopt_orphans(&self, subscription: &Subscription) -> Result<(), Trouble> {
        let page = PageRequest { limit: ORPHANS, after: None };
        let (store, ids) = (&self.app.store, [subscription.id]);
        let found = store.list_deliveries(&subscription.tenant, &ids, &page, |one| !one.is_on_its_own()).await?;
        for orphan in found.items {
            self.record_lost_lease(orphan, |_| Some(SignedDuration::ZERO)).await?;
        }
        Ok(())
    }

    /// Tells what the present state is worth telling, unless that was told.
    async fn announce(&self, subscription: &Subscription, now: Timestamp) -> Result<(), Trouble> {
        let is_news = |at: Timestamp| now <= later(at, NEWS);
        if is_news(subscription.status.since)
            && let Some(event) = OwnEvent::of_status(subscription)
        {
            tell(&self.app, &event).await?;
        }
        let failed = subscription.verification.status == VerificationStatus::Failed;
        if failed
            && subscription.status.state == State::Active
            && subscription.verification.ended_at.is_some_and(is_news)
            && let Some(event) = OwnEvent::challenge_failed(subscription)
        {
            tell(&self.app, &event).await?;
        }
        let is_ending = subscription.warns_at().is_some_and(|at| at <= now && is_news(at));
        if is_ending && let Some(event) = OwnEvent::expiring(subscription) {
            tell(&self.app, &event).await?;
        }
        Ok(())
    }

    /// Deletes a subscription that nobody let in, or whose target never proved itself.
    async fn expire(&self, subscription: &Subscription, now: Timestamp) -> Result<Looked, Trouble> {
        if let Some(event) = OwnEvent::expired(subscription) {
            tell(&self.app, &event).await?;
        }
        let store = &self.app.store;
        let deleted = if subscription.status.state == State::AwaitingApproval {
            let id = AuditRecordId::new(now, self.app.random.bits());
            let (tenant, action) = (subscription.tenant.clone(), AuditAction::RegistrationExpired);
            let record = AuditRecord::new(id, tenant, Principal::GATEWAY, action).about(subscription.id);
            store.delete_subscription_audited(subscription, now, &record).await?
        } else {
            store.delete_subscription(subscription, now).await?
        };
        if deleted == Changed::Yes {
            info!(tenant = %subscription.tenant, subscription.id = %subscription.id, "subscription.expired");
        }
        Ok(Looked::Changed)
    }

    async fn changed(&self, before: &Subscription, after: &Subscription) -> Result<Looked, Trouble> {
        self.app.store.change_subscription(before, after).await?;
        Ok(Looked::Changed)
    }
}

fn sooner(next: Option<Timestamp>, other: Timestamp) -> Option<Timestamp> {
    Some(next.map_or(other, |next| next.min(other)))
}
