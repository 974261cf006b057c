//! Issues: notes failures while a batch is worked, counts them at its end, and sees when an issue is over.
//!
//! The failures of a batch are counted with one write for each issue. A success costs nothing but a look into memory:
//! an instance that has seen an issue open brings the dispatcher to it once it is quiet; else it is looked at when it
//! is due.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream::{self, StreamExt as _};
use hookport::aws::lambda::Deadline;
use hookport::cache::Cache;
use hookport::domain::cursor::PageRequest;
use hookport::domain::delivery::{Delivery, DeliveryState};
use hookport::domain::event_facts::OwnerName;
use hookport::domain::id::{IssueId, SubscriptionId};
use hookport::domain::issue::{Failures, Issue, IssueState, QUIET, Review, Told};
use hookport::domain::own_event::OwnEvent;
use hookport::domain::subscription_health::{NEWEST, finished};
use hookport::domain::task::Task;
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::issues::{LISTED, count};
use hookport::own_events::tell;
use hookport::upkeep::hint_task;
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::tasks::Next;
use crate::{Dispatcher, Trouble};

/// How many failing subscriptions are remembered, and for how long.
const REMEMBERED: usize = 20_000;
const LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How many issues are written at once.
const AT_ONCE: usize = 16;

/// The issues of a subscription that this instance has seen open, and when it saw the last failure.
#[derive(Clone)]
struct Failing {
    issues: Arc<[(TenantSlug, IssueId)]>,
    last_at: Timestamp,
}

/// What a batch came to so far.
#[derive(Default)]
struct Noted {
    failures: HashMap<(TenantSlug, IssueId), Failures>,
    /// Issues that may be over.
    quiet: Vec<(TenantSlug, IssueId)>,
}

/// What this instance has seen of issues.
pub(crate) struct Issues {
    noted: Mutex<Noted>,
    failing: Cache<SubscriptionId, Failing>,
}

impl Issues {
    pub(crate) fn new() -> Self {
        Self { noted: Mutex::default(), failing: Cache::new(REMEMBERED, LIFE) }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how the newest attempt of a delivery ended.
    pub(crate) fn note(&self, delivery: &Delivery, now: Timestamp) {
        if let Some(failures) = Failures::of_attempt(delivery) {
            self.add(failures, now);
        } else if delivery.kind.is_of_event() && matches!(delivery.state, DeliveryState::Delivered { .. }) {
            self.succeeded(delivery.subscription_id, now);
        }
    }

    /// Notes that a delivery ended without success which the target had taken.
    pub(crate) fn note_end(&self, delivery: &Delivery, now: Timestamp) {
        if let Some(failures) = Failures::of_end(delivery) {
            self.add(failures, now);
        }
    }

    fn add(&self, failures: Failures, now: Timestamp) {
        let issue = (failures.tenant.clone(), failures.issue_id());
        let known = self.failing.get(&failures.subscription_id, now).map(|failing| failing.issues).unwrap_or_default();
        let issues = if known.contains(&issue) { known } else { known.iter().chain([&issue]).cloned().collect() };
        self.failing.put(failures.subscription_id, Failing { issues, last_at: now }, now);
        let mut noted = self.noted();
        let sum = match noted.failures.remove(&issue) {
            Some(before) => before.and(failures),
            None => failures,
        };
        noted.failures.insert(issue, sum);
    }

    /// Issues that have been quiet for long enough are looked at once, and forgotten.
    fn succeeded(&self, id: SubscriptionId, now: Timestamp) {
        let Some(failing) = self.failing.get(&id, now) else { return };
        if failing.issues.is_empty() || now.duration_since(failing.last_at) < QUIET {
            return;
        }
        self.failing.put(id, Failing { issues: Arc::default(), last_at: failing.last_at }, now);
        self.noted().quiet.extend(failing.issues.iter().cloned());
    }
}

impl Dispatcher {
    /// Counts what was noted. Trouble with it is logged and keeps nothing else back.
    pub(crate) async fn count_issues(&self, deadline: Deadline) {
        // A little is left between the deadline and the end of the function.
        let end = later(deadline.0, SignedDuration::from_secs(1));
        let uncounted = AtomicU32::new(0);
        let Noted { failures, quiet } = mem::take(&mut *self.issues.noted());
        let uncounted = &uncounted;
        let counts = stream::iter(failures.into_values()).for_each_concurrent(AT_ONCE, |failures| async move {
            if self.app.clock.now() >= end {
                uncounted.fetch_add(1, Ordering::Relaxed);
                return;
            }
            if let Err(error) = count(&self.app, &failures).await {
                let Failures { tenant, subscription_id, cause, count, .. } = &failures;
                warn!(%tenant, subscription.id = %subscription_id, %cause, count, %error, "issue.uncounted");
            }
        });
        counts.await;
        let uncounted = uncounted.load(Ordering::Relaxed);
        if uncounted > 0 {
            warn!(uncounted, "issues.out_of_time");
        }
        for (tenant, id) in quiet {
            hint_task(&self.app, &tenant, &Task::Issue(id), SignedDuration::ZERO).await;
        }
    }

    /// Sees whether an issue is over, and tells of it what is worth telling.
    pub(crate) async fn review_issue(&self, tenant: &TenantSlug, id: IssueId) -> Result<Next, Trouble> {
        let Some(issue) = self.app.store.issue(tenant, id).await? else { return Ok(None) };
        if matches!(issue.state, IssueState::Resolved { .. }) {
            // By hand, or by a review that died before it told.
            self.tell_closed(&issue).await?;
            return Ok(None);
        }
        let now = self.app.clock.now();
        let found = self.subscriptions.one(&self.app, tenant, issue.subscription_id, now).await?;
        let Some(ready) = found.ready else { return self.close_issue(issue).await };
        let last_success = self.last_success(&issue).await?;
        let review = issue.review(last_success, now);
        let issue = if issue.is_healed(last_success) {
            issue
        } else {
            self.tell_opened(issue, ready.subscription.owner.clone(), now).await?
        };
        match review {
            Review::Over => self.close_issue(issue).await,
            Review::Again(at) => {
                if issue.listed_until < issue.expires_at() {
                    self.app.store.keep_issue_listed(&issue, later(now, LISTED)).await?;
                }
                Ok(Some(at))
            }
        }
    }

    /// When the newest attempt began that the target of an issue's subscription took, among the newest deliveries.
    async fn last_success(&self, issue: &Issue) -> Result<Option<Timestamp>, Trouble> {
        let page = PageRequest { limit: NEWEST, after: None };
        let ids = [issue.subscription_id];
        let found = self.app.store.list_deliveries(&issue.tenant, &ids, &page, |d| d.kind.is_of_event()).await?;
        Ok(finished(&found.items).into_iter().find(|attempt| attempt.is_success).map(|attempt| attempt.started_at))
    }

    /// Tells that an issue opened, once for each time that it did, unless somebody knows.
    async fn tell_opened(&self, issue: Issue, owner: Option<OwnerName>, now: Timestamp) -> Result<Issue, Trouble> {
        if issue.told.is_some() || !issue.is_news || *issue.state_at(now) != IssueState::Open {
            return Ok(issue);
        }
        tell(&self.app, &OwnEvent::issue_opened(&issue, owner.clone(), now)).await?;
        let told = Told { owner };
        self.app.store.note_issue_told(&issue, &told).await?;
        Ok(Issue { told: Some(told), ..issue })
    }

    /// Tells that an issue is over to those who were told that it opened.
    async fn tell_closed(&self, issue: &Issue) -> Result<(), Trouble> {
        let Some(told) = &issue.told else { return Ok(()) };
        if let Some(event) = OwnEvent::issue_closed(issue, told.owner.clone(), self.app.clock.now()) {
            tell(&self.app, &event).await?;
        }
        Ok(())
    }

    async fn close_issue(&self, issue: Issue) -> Result<Next, Trouble> {
        let now = self.app.clock.now();
        if !self.app.store.resolve_issue(&issue, now, true).await? {
            // It failed again meanwhile, or somebody else closed it and may not have told.
            return Ok(Some(later(now, QUIET)));
        }
        let issue = issue.resolved(now, true);
        info!(
            tenant = %issue.tenant,
            issue.id = %issue.id,
            subscription.id = %issue.subscription_id,
            cause = %issue.cause,
            count = issue.count,
            "issue.closed"
        );
        self.tell_closed(&issue).await?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use hookport::domain::attempt::{Answer, Attempt, Outcome};
    use hookport::domain::delivery::DeliveryKind;
    use hookport::domain::event_type::EventType;
    use hookport::domain::id::{EventId, InboundDeliveryId, InboundWebhookId};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).expect("a time")
    }

    fn delivery(outcome: Outcome, state: DeliveryState) -> Delivery {
        let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
        let event: EventId = InboundDeliveryId::new(at(0), InboundWebhookId::NONE, 1).into();
        let event_type = EventType::try_from("ticket.updated".to_owned()).expect("a type");
        let attempts = vec![Attempt { n: 1, started_at: at(0), duration_ms: 1, url: None, outcome }];
        let subscription = SubscriptionId::new(at(0), 6);
        Delivery { attempts, ..Delivery::of_event(tenant, event, event_type, subscription, state, at(0)) }
    }

    fn failure(code: &str) -> Delivery {
        let outcome = Outcome::Failed { code: code.to_owned(), message: code.to_owned(), permanent: false };
        delivery(outcome, DeliveryState::Exhausted { at: at(0) })
    }

    fn success() -> Delivery {
        let answer = Answer { status: 200, ..Answer::default() };
        delivery(Outcome::Answered(answer), DeliveryState::Delivered { at: at(0) })
    }

    #[test]
    fn the_failures_of_a_batch_are_one_count_for_each_cause() {
        let issues = Issues::new();
        for code in ["timed_out", "tls_failed", "timed_out"] {
            issues.note(&failure(code), at(0));
        }
        issues.note(&success(), at(0));
        issues.note(&Delivery { kind: DeliveryKind::Test, ..failure("timed_out") }, at(0));
        let noted = mem::take(&mut *issues.noted());
        let mut counts: Vec<_> =
            noted.failures.values().map(|failures| (failures.cause.as_str(), failures.count)).collect();
        counts.sort_unstable();
        assert_eq!(counts, [("timed_out", 2), ("tls_failed", 1)]);
        assert!(issues.noted().failures.is_empty());
    }

    #[test]
    fn a_success_after_five_quiet_minutes_brings_a_look_at_each_open_issue_once() {
        let issues = Issues::new();
        issues.note(&success(), at(0));
        issues.note(&failure("timed_out"), at(0));
        issues.note(&failure("tls_failed"), at(10));
        issues.note(&success(), at(309));
        assert!(issues.noted().quiet.is_empty(), "five minutes are not over");
        issues.note(&Delivery { kind: DeliveryKind::Test, ..success() }, at(310));
        assert!(issues.noted().quiet.is_empty(), "a test says nothing of events");
        issues.note(&success(), at(310));
        assert_eq!(issues.noted().quiet.len(), 2);
        issues.note(&success(), at(320));
        assert_eq!(issues.noted().quiet.len(), 2, "once");
    }
}
