//! Schedules.

use hookport::aws::lambda::Deadline;
use hookport::domain::id::ScheduleId;
use hookport::domain::text::TenantSlug;

use crate::tasks::Next;
use crate::{Dispatcher, Trouble};

impl Dispatcher {
    pub(crate) async fn work_schedule(&self, _: &TenantSlug, _: ScheduleId, _: Deadline) -> Result<Next, Trouble> {
        Ok(None)
    }
}
