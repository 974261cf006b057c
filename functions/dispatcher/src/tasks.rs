//! Tasks: each is claimed with a lease, done, and due again when what was found says so.

use hookport::aws::lambda::Deadline;
use hookport::domain::delivery::OwnerToken;
use hookport::domain::task::Task;
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::upkeep::hint_task;
use jiff::{SignedDuration, Timestamp};

use crate::{Dispatcher, Trouble};

/// How a task goes on: when it is due again, if ever.
pub(crate) type Next = Option<Timestamp>;

impl Dispatcher {
    /// Does a task, unless another does. Whoever dies in between leaves it due.
    pub(crate) async fn do_task(&self, tenant: &TenantSlug, task: &Task, deadline: Deadline) -> Result<(), Trouble> {
        let now = self.app.clock.now();
        let owner = OwnerToken::new(self.app.random.bits());
        let lease_until = later(now, self.app.config.lease);
        let Some(claim) = self.app.store.claim_task(tenant, task, owner, now, lease_until).await? else {
            return Ok(());
        };
        let next = match task {
            Task::Upkeep(id) => self.look_after(tenant, *id, deadline).await?,
            Task::Lane(id, lane) => self.work_lane(tenant, *id, *lane, deadline).await?,
            Task::Replay(id) => self.work_replay(tenant, *id, deadline).await?,
            Task::Schedule(id) => self.work_schedule(tenant, *id, deadline).await?,
            Task::Issue(id) => self.review_issue(tenant, *id).await?,
        };
        let is_asked_again = self.app.store.end_task(tenant, task, claim, next, self.app.clock.now()).await?;
        let now = self.app.clock.now();
        match next {
            _ if is_asked_again => hint_task(&self.app, tenant, task, SignedDuration::ZERO).await,
            // A wait that fits a message is not left to the sweeper's minute.
            Some(next) if next.duration_since(now) <= SOON => {
                let wait = next.duration_since(now).max(SignedDuration::ZERO);
                hint_task(&self.app, tenant, task, wait).await;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Up to which wait a message brings a task back.
pub(crate) const SOON: SignedDuration = SignedDuration::from_secs(60);
