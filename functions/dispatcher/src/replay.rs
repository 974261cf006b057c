//! Replays: planned first, then sent, page by page.
//!
//! A page is worked, and then counted in one write together with the place where the next one begins. Whoever dies in
//! between leaves a page that is worked again, which changes nothing: what is made has derived ids, and says which
//! replay made it.

mod look;
mod page;
mod plan;
mod put;
mod send;

use hookport::aws::lambda::Deadline;
use hookport::domain::id::ReplayId;
use hookport::domain::replay::{Replay, Stage};
use hookport::domain::text::TenantSlug;
use hookport::store::Changed;
use jiff::Timestamp;
use tracing::info;

use crate::tasks::Next;
use crate::{Dispatcher, Trouble};

/// What the work at a page came to.
enum Step {
    /// The replay as it is from now on, and from when on it goes on, if not at once.
    Further(Box<Replay>, Option<Timestamp>),
    /// Nothing can be done before then.
    Wait(Timestamp),
}

impl Step {
    fn further(after: Replay) -> Self {
        Self::Further(Box::new(after), None)
    }
}

/// Tells whether there is anything to do without somebody asking.
fn goes_on(stage: &Stage) -> bool {
    match stage {
        Stage::Planning { .. } | Stage::Sending { .. } | Stage::Cancelling { .. } => true,
        Stage::Planned | Stage::Done | Stage::Cancelled => false,
    }
}

impl Dispatcher {
    /// Goes on with a replay, at least by a page.
    pub(crate) async fn work_replay(
        &self,
        tenant: &TenantSlug,
        id: ReplayId,
        deadline: Deadline,
    ) -> Result<Next, Trouble> {
        let Some(mut replay) = self.app.store.replay(tenant, id).await? else { return Ok(None) };
        // Read once: webhooks that are made from now on have no event that it looks at.
        let mut partitions = Vec::new();
        while goes_on(&replay.stage) {
            let step = match &replay.stage {
                Stage::Planning { place } => self.plan(&replay, place.as_ref(), &mut partitions, deadline).await?,
                Stage::Sending { after, pace, .. } => self.send(&replay, *after, *pace, deadline).await?,
                Stage::Cancelling { after } => self.stop(&replay, *after).await?,
                Stage::Planned | Stage::Done | Stage::Cancelled => return Ok(None),
            };
            let (after, until) = match step {
                Step::Wait(until) => return Ok(Some(until)),
                Step::Further(after, until) => (*after, until),
            };
            match self.app.store.change_replay(&replay, &after).await? {
                Changed::Yes => {
                    tell(&after);
                    replay = after;
                    if until.is_some() {
                        return Ok(until);
                    }
                }
                // It was cancelled, or another worker took over.
                Changed::Conflict => match self.app.store.replay(tenant, id).await? {
                    Some(found) => replay = found,
                    None => return Ok(None),
                },
            }
            let now = self.app.clock.now();
            if now >= deadline.0 && goes_on(&replay.stage) {
                return Ok(Some(now));
            }
        }
        Ok(None)
    }
}

fn tell(replay: &Replay) {
    let counts = &replay.counts;
    info!(
        tenant = %replay.tenant,
        replay.id = %replay.id,
        stage = replay.stage.name().as_str(),
        events = counts.events,
        matched = counts.matched,
        sent = counts.sent,
        skipped = counts.skipped.total(),
        waiting_for = replay.stage.waiting_for().map(tracing::field::display),
        "replay.page"
    );
}
