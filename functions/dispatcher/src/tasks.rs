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
        // What it takes up is over before the platform ends the function, however slow a target is.
        let deadline = Deadline(deadline.0.min(later(now, GO)));
        let next = match task {
            Task::Upkeep(id) => self.look_after(tenant, *id, deadline).await?,
            Task::Lane(id, lane) => self.work_lane(tenant, *id, *lane, deadline).await?,
            Task::Replay(id) => self.work_replay(tenant, *id, deadline).await?,
            Task::Schedule(id) => self.work_schedule(tenant, *id, deadline).await?,
            Task::Issue(id) => self.review_issue(tenant, *id).await?,
        };
        // A wait that fits a message is not left to the sweeper's minute; one message is on its way at a time, or each that
        // comes too early would send another.
        let on_its_way = claim.hinted().filter(|at| *at > now);
        let now = self.app.clock.now();
        let hint = next.filter(|next| next.duration_since(now) <= SOON);
        let hint = hint.filter(|next| on_its_way.is_none_or(|at| at > *next));
        if self.app.store.end_task(tenant, task, claim, next, hint.or(on_its_way), now).await? {
            hint_task(&self.app, tenant, task, SignedDuration::ZERO).await;
        } else if let Some(next) = hint {
            let wait = next.duration_since(now).max(SignedDuration::ZERO);
            hint_task(&self.app, tenant, task, wait).await;
        }
        Ok(())
    }
}

/// For how long a task takes up new work in one go: a token, and the longest attempt, then still fit a minute.
const GO: SignedDuration = SignedDuration::from_secs(15);
/// Up to which wait a message brings a task back.
pub(crate) const SOON: SignedDuration = SignedDuration::from_secs(60);
