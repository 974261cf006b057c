//! Issues.

use hookport::domain::id::IssueId;
use hookport::domain::text::TenantSlug;

use crate::tasks::Next;
use crate::{Dispatcher, Trouble};

impl Dispatcher {
    pub(crate) async fn review_issue(&self, _: &TenantSlug, _: IssueId) -> Result<Next, Trouble> {
        Ok(None)
    }
}
