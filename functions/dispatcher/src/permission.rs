//! Whether the owner of a subscription may see an event.

use std::collections::HashMap;
use std::sync::Arc;

use hookport::domain::event_facts::OwnerName;
use hookport::domain::owner::{MAX_PRECONDITION_FAILURES, OwnerRecord, Permitted, permitted};
use hookport::domain::subscription::{Cause, Subscription};
use tracing::warn;

use crate::event::Event;
use crate::{Dispatcher, Trouble};

impl Dispatcher {
    /// Tells whether a subscription's owner may see an event. What it may not see is left out without a word; what
    /// cannot be decided is left out as well, and counted until the subscription is switched off.
    pub(crate) async fn may_see(
        &self,
        event: &Event,
        subscription: &Subscription,
        is_repeated: bool,
    ) -> Result<bool, Trouble> {
        let Some(permission) = &subscription.settings.permission else { return Ok(true) };
        let facts = event.facts.as_ref();
        let initiator = facts.and_then(|facts| facts.initiator.as_ref());
        let mut records: HashMap<&OwnerName, Arc<OwnerRecord>> = HashMap::new();
        for name in [subscription.owner.as_ref(), initiator].into_iter().flatten() {
            let as_of = event.id.created_at();
            let record = self.subscriptions.owner(&self.app, &event.tenant, name, as_of).await?;
            records.insert(name, record);
        }
        let record = |name: &OwnerName| records.get(name).map(Arc::as_ref);
        match permitted(permission, subscription.owner.as_ref(), facts, record) {
            Permitted::Granted => Ok(true),
            Permitted::Denied => Ok(false),
            // It was counted when it came for the first time.
            Permitted::Undecidable if is_repeated => Ok(false),
            Permitted::Undecidable => {
                let (since, now) = (subscription.status.since, self.app.clock.now());
                let count = self.app.store.count_undecided(&event.tenant, subscription.id, since, now).await?;
                warn!(tenant = %event.tenant, subscription.id = %subscription.id, count, "permission.undecidable");
                if count >= MAX_PRECONDITION_FAILURES {
                    self.switch_off(subscription, Cause::TooManyPreconditionFailures).await?;
                }
                Ok(false)
            }
        }
    }
}
