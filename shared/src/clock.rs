//! The one place that reads the time of day.
//!
//! Everything that needs the time takes a [`Clock`] from [`App`](crate::app::App), so that tests can turn it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A source of the current time, cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Milliseconds since the Unix epoch, shared by every clone.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// Follows the system's time of day.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Stands still at `start` until it is advanced. Clones share one time.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.as_millisecond()))))
    }

    /// Tells the time, in whole milliseconds: what is stored is what was compared.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let millis = match &self.0 {
            Source::System =>
            {
                #[expect(clippy::disallowed_methods, reason = "this is the one reader of the system's time")]
                Timestamp::now().as_millisecond()
            }
            Source::Manual(millis) => millis.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }

    /// Waits until it is `until`. Only what answers a caller who asked to wait may do so.
    pub async fn wait_until(&self, until: Timestamp) {
        loop {
            let left = Duration::try_from(until.duration_since(self.now())).unwrap_or_default();
            if left.is_zero() {
                return;
            }
            let step = match &self.0 {
                Source::System => left,
                // Whoever turns the clock tells nobody.
                Source::Manual(_) => Duration::from_millis(2),
            };
            #[expect(clippy::disallowed_methods, reason = "this is the one place where anybody waits")]
            tokio::time::sleep(step).await;
        }
    }

    /// Moves a manual clock forward.
    ///
    /// # Panics
    /// When called on the system's clock, which nobody can turn.
    pub fn advance(&self, by: SignedDuration) {
        match &self.0 {
            Source::System => panic!("the system's clock cannot be advanced"),
            Source::Manual(millis) => {
                let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
                millis.fetch_add(by, Ordering::SeqCst);
            }
        }
    }
}
