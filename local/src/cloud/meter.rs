//! Counts calls and what they cost, and writes down their order.
//!
//! Both are off until somebody asks: then a call costs one more look at two flags, and no request is read for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::target::target;
use super::usage::{Call, Cost, Usage};

/// The meter of one cloud.
///
/// Usage holds the calls that reached their service, which are those that are billed; the journal holds every call that
/// was made, also one that a fault kept from its service.
#[derive(Default)]
pub struct Meter {
    counting: AtomicBool,
    recording: AtomicBool,
    usage: Mutex<Usage>,
    journal: Mutex<Vec<Call>>,
}

impl Meter {
    /// Counts from now on.
    ///
    /// Capacity units are those that answers tell, so the callers must ask for them. Two differences to a bill remain:
    /// a write whose condition failed is charged though no answer says so, and is counted here from the sizes of the
    /// items; a cancelled transaction is charged too, and is not.
    pub fn count(&self) {
        self.counting.store(true, Ordering::Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn snapshot(&self) -> Usage {
        lock(&self.usage).clone()
    }

    /// Starts an empty journal.
    pub fn record(&self) {
        let mut journal = lock(&self.journal);
        journal.clear();
        self.recording.store(true, Ordering::Relaxed);
    }

    /// Ends the journal and gives the calls in the order in which they were made.
    #[must_use]
    pub fn take_journal(&self) -> Vec<Call> {
        let mut journal = lock(&self.journal);
        self.recording.store(false, Ordering::Relaxed);
        std::mem::take(&mut *journal)
    }

    /// Notes a call that was made, and names it if what it costs is to be counted.
    pub(super) fn made(&self, instance: &str, operation: &str, body: &[u8]) -> Option<Call> {
        let counting = self.counting.load(Ordering::Relaxed);
        let recording = self.recording.load(Ordering::Relaxed);
        if !counting && !recording {
            return None;
        }
        let call = Call { instance: instance.to_owned(), operation: operation.to_owned(), target: target(body) };
        if recording {
            lock(&self.journal).push(call.clone());
        }
        counting.then_some(call)
    }

    pub(super) fn spent(&self, call: Call, cost: Cost) {
        lock(&self.usage).add(call, cost);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here panics half-way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
