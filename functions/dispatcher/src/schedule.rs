//! Schedules: publishes the events of the times that have come.
//!
//! What is done is noted after it was published. Whoever dies in between leaves the task due, and what was published
//! already is not published again, because the id of each event follows from its time.

use hookport::aws::lambda::Deadline;
use hookport::domain::id::ScheduleId;
use hookport::domain::schedule::{Progress, Schedule, takes_any};
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::schedules::publish_time;
use jiff::{SignedDuration, Timestamp};
use tracing::{error, warn};

use crate::tasks::Next;
use crate::{Dispatcher, Trouble};

/// When a schedule is looked at again whose next time cannot be seen yet.
const FAR: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long before its next time a schedule is taken up: from there on a message brings it back to the second.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);
/// When a schedule is tried again whose times cannot be read.
const TRY_AGAIN: SignedDuration = SignedDuration::from_hours(1);

impl Dispatcher {
    pub(crate) async fn work_schedule(
        &self,
        tenant: &TenantSlug,
        id: ScheduleId,
        deadline: Deadline,
    ) -> Result<Next, Trouble> {
        let store = &self.app.store;
        let Some(schedule) = store.schedule(tenant, id).await? else {
            store.forget_schedule_progress(tenant, id).await?;
            return Ok(None);
        };
        if !schedule.settings.is_active {
            return Ok(None);
        }
        let now = self.app.clock.now();
        let times = match schedule.timetable() {
            Ok(times) => times,
            Err(error) => {
                error!(%tenant, schedule.id = %id, %error, "schedule.unreadable");
                return Ok(Some(later(now, TRY_AGAIN)));
            }
        };
        let progress = store.schedule_progress(tenant, id).await?;
        let due = schedule.due(&times, progress.done_to, now);
        if !due.is_empty() && !self.publish_due(&schedule, &due, progress, now, deadline).await? {
            return Ok(Some(now));
        }
        Ok(Some(match times.after(now) {
            Some(next) => {
                let ahead = next.saturating_sub(AHEAD).unwrap_or(next);
                if ahead > now { ahead } else { next }
            }
            // Its next time is years away: nobody looks so far ahead.
            None => later(now, FAR),
        }))
    }

    /// Publishes the events of these times and notes it; tells whether the time sufficed for all.
    async fn publish_due(
        &self,
        schedule: &Schedule,
        due: &[Timestamp],
        mut progress: Progress,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<bool, Trouble> {
        let (store, settings) = (&self.app.store, &schedule.settings);
        let definition = store.event_type(&schedule.tenant, &settings.event_type).await?;
        // The data were held against the schema when the schedule was written, and are again before the schema changes.
        let refused = takes_any(definition.as_ref()).err().map(|unfit| unfit.code());
        if let Some(code) = refused {
            warn!(tenant = %schedule.tenant, schedule.id = %schedule.id, code, "schedule.refused");
        }
        progress.last_error = refused.map(str::to_owned);
        let mut done = 0;
        for time in due {
            if done > 0 && self.app.clock.now() >= deadline.0 {
                break;
            }
            progress.last_event = match refused {
                None => Some(publish_time(&self.app, schedule, *time).await?),
                Some(_) => None,
            };
            progress.last_time = Some(*time);
            done += 1;
        }
        let is_all = done == due.len();
        let done_to = if is_all { now } else { progress.last_time.unwrap_or(now) };
        store.note_schedule_progress(&schedule.tenant, schedule.id, done_to, &progress).await?;
        Ok(is_all)
    }
}
