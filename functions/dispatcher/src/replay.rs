//! Replays.

use hookport::aws::lambda::Deadline;
use hookport::domain::id::ReplayId;
use hookport::domain::text::TenantSlug;

use crate::tasks::Next;
use crate::{Dispatcher, Trouble};

impl Dispatcher {
    pub(crate) async fn work_replay(&self, _: &TenantSlug, _: ReplayId, _: Deadline) -> Result<Next, Trouble> {
        Ok(None)
    }
}
