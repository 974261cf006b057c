//! One queue: its names, its settings and the polls that wait for it.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::Queues;
use super::attributes::Settings;

/// The longest that a poll may wait.
pub(super) const LONGEST_POLL_SECONDS: i64 = 20;

const ACCOUNT: &str = "000000000000";

/// The ARN of the queue called `name`.
pub(super) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

/// The URL of the queue called `name`.
pub(super) fn queue_url(name: &str) -> String {
    format!("http://sqs.local/{ACCOUNT}/{name}")
}

/// Takes a queue's name from its URL, whatever host the URL goes through.
pub(super) fn name_in_url(url: &str) -> Option<&str> {
    let (account, name) = url.rsplit_once('/')?;
    (account.rsplit('/').next() == Some(ACCOUNT)).then_some(name)
}

/// Where messages go that were received too often.
pub(super) struct DeadLetters {
    pub(super) queue: Arc<Queue>,
    pub(super) max_receive_count: i64,
}

pub(super) struct Queue {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) created_at: i64,
    pub(super) settings: Settings,
    pub(super) dead_letters: Option<DeadLetters>,
    /// When the queue was purged last; `i64::MIN` if never.
    pub(super) purged_at: AtomicI64,
    arrivals: Notify,
}

impl Queue {
    /// Puts a queue together; `None` if its redrive policy names a queue that is not in `queues`.
    pub(super) fn assemble(id: i64, name: &str, created_at: i64, settings: Settings, queues: &Queues) -> Option<Self> {
        let dead_letters = match &settings.redrive_policy {
            None => None,
            Some(policy) => {
                let target = &policy.dead_letter_target_arn;
                Some(DeadLetters {
                    queue: queues.values().find(|queue| queue_arn(&queue.name) == *target)?.clone(),
                    max_receive_count: policy.max_receive_count,
                })
            }
        };
        Some(Self {
            id,
            name: name.to_owned(),
            created_at,
            settings,
            dead_letters,
            purged_at: AtomicI64::new(i64::MIN),
            arrivals: Notify::new(),
        })
    }

    /// Messages sent at this time or earlier have expired.
    pub(super) fn cutoff(&self, now: i64) -> i64 {
        now - self.settings.message_retention_period * 1000
    }

    /// Says whether a message has been received as often as it may be.
    pub(super) fn is_worn_out(&self, receives: i64) -> bool {
        self.dead_letters.as_ref().is_some_and(|dead_letters| receives >= dead_letters.max_receive_count)
    }

    /// A future that is ready once something was announced after its `enable`.
    pub(super) fn arrival(&self) -> Notified<'_> {
        self.arrivals.notified()
    }

    /// Tells the polls that wait about `count` messages that are visible in `delay_ms`.
    ///
    /// What is there now wakes one poll a message. What comes later changes how long each poll must sleep, so it wakes
    /// all of them, unless it comes after the last of them has ended.
    pub(super) fn announce(&self, count: usize, delay_ms: i64) {
        if delay_ms <= 0 {
            for _ in 0..count {
                self.arrivals.notify_one();
            }
        } else if delay_ms <= LONGEST_POLL_SECONDS * 1000 {
            self.wake();
        }
    }

    /// Makes every poll look again.
    pub(super) fn wake(&self) {
        self.arrivals.notify_waiters();
    }
}
