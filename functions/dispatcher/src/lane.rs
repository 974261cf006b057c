//! Lanes.

use hookport::aws::lambda::Deadline;
use hookport::domain::id::SubscriptionId;
use hookport::domain::ordering::LaneKey;
use hookport::domain::text::TenantSlug;

use crate::tasks::Next;
use crate::{Dispatcher, Trouble};

impl Dispatcher {
    pub(crate) async fn work_lane(&self, _: &TenantSlug, _: SubscriptionId, _: LaneKey, _: Deadline) -> Result<Next, Trouble> {
        Ok(None)
    }
}
