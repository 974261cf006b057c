//! An embedded stand-in for SQS: standard queues, and only the operations Hookport uses.
//!
//! It is strict where AWS is strict, so that what passes here passes there. It is not: FIFO or fair queues, system
//! attributes of messages, tags, policies, the limits on messages in flight, or MD5 digests, which the SDK for Rust never
//! checks.
//! Messages lie in SQLite, in memory or in a file; one implementation serves both.

mod attributes;
mod batch;
mod change_visibility;
mod create_queue;
mod delete;
mod get_queue;
mod message_attributes;
mod purge;
mod queue;
mod receipt;
mod receive;
mod refusal;
mod send;
mod store;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hookport::clock::Clock;
use serde::Deserialize;

use self::queue::Queue;
use self::refusal::Refusal;
use self::store::Store;
use crate::answer::Answer;

/// Why the queues could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SqsError {
    /// SQLite could not open the file, or another process holds it.
    #[error("the queue file could not be opened")]
    Open(#[source] rusqlite::Error),
    /// The stored settings of a queue are not what this version writes.
    #[error("the stored settings of queue {queue} cannot be read")]
    Settings {
        /// The queue's name.
        queue: String,
        /// What is wrong with them.
        #[source]
        source: serde_json::Error,
    },
    /// A queue names a dead-letter queue that is not stored.
    #[error("the dead-letter queue of {queue} is missing")]
    DeadLetters {
        /// The queue whose redrive policy leads nowhere.
        queue: String,
    },
}

/// The queues of one process. Clones share them.
#[derive(Clone)]
pub struct Sqs(Arc<State>);

struct State {
    store: Store,
    queues: RwLock<Queues>,
    clock: Clock,
}

type Queues = HashMap<String, Arc<Queue>>;

impl Sqs {
    /// Opens the queues in `file`, or new ones in memory.
    ///
    /// A file is held by one process at a time. What was answered survives `kill -9`; a power cut may take the last
    /// moments with it.
    ///
    /// # Errors
    /// When the file cannot be opened or does not hold queues.
    pub fn open(file: Option<&Path>, clock: Clock) -> Result<Self, SqsError> {
        let store = Store::open(file).map_err(SqsError::Open)?;
        let mut queues = Queues::new();
        for stored in store.with(store::queues).map_err(SqsError::Open)? {
            let settings = serde_json::from_str(&stored.settings)
                .map_err(|source| SqsError::Settings { queue: stored.name.clone(), source })?;
            // A dead-letter queue is made before the queues that name it, and they are read in that order.
            let queue = Queue::assemble(stored.id, &stored.name, stored.created_at, settings, &queues)
                .ok_or_else(|| SqsError::DeadLetters { queue: stored.name.clone() })?;
            queues.insert(stored.name, Arc::new(queue));
        }
        let state = State { store, queues: RwLock::new(queues), clock };
        state.forget_expired().map_err(SqsError::Open)?;
        if file.is_some() {
            // Whoever held a message died with the process that had the file before: nobody need wait for them.
            let now = state.clock.now().as_millisecond();
            state.store.with(|conn| store::release_received(conn, now)).map_err(SqsError::Open)?;
        }
        Ok(Self(Arc::new(state)))
    }

    /// Answers one request: `operation` is what follows `AmazonSQS.` in its target, `body` its JSON.
    #[tracing::instrument(level = "debug", skip_all, fields(operation = operation))]
    pub async fn handle(&self, operation: &str, body: &[u8]) -> Answer {
        let state = &*self.0;
        let answered = match operation {
            "SendMessage" => send::send_message(state, body),
            "SendMessageBatch" => send::send_message_batch(state, body),
            "ReceiveMessage" => receive::receive_message(state, body).await,
            "DeleteMessage" => delete::delete_message(state, body),
            "DeleteMessageBatch" => delete::delete_message_batch(state, body),
            "ChangeMessageVisibility" => change_visibility::change_message_visibility(state, body),
            "ChangeMessageVisibilityBatch" => change_visibility::change_message_visibility_batch(state, body),
            "CreateQueue" => create_queue::create_queue(state, body),
            "GetQueueUrl" => get_queue::get_queue_url(state, body),
            "GetQueueAttributes" => get_queue::get_queue_attributes(state, body),
            "PurgeQueue" => purge::purge_queue(state, body),
            other => Err(Refusal::UnknownOperation(other.to_owned())),
        };
        answered.unwrap_or_else(|refusal| {
            if let Refusal::Store(error) = &refusal {
                let error: &(dyn Error + 'static) = error;
                tracing::error!(error, operation, "sqs.failed");
            }
            refusal.answer()
        })
    }

    /// Throws every message of every queue away, for tests that lose the queue.
    ///
    /// # Panics
    /// When SQLite cannot delete: a test must not go on with messages it believes lost.
    pub fn lose_everything(&self) {
        self.0.store.with(store::delete_everything).expect("SQLite deletes the rows of its own table");
    }

    /// Wakes every long poll, so that it sees a manual clock's advance.
    pub fn wake(&self) {
        for queue in self.0.read_queues().values() {
            queue.wake();
        }
    }
}

impl State {
    /// Milliseconds since the Unix epoch, as every stored time is.
    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    fn queue_at(&self, url: &str) -> Result<Arc<Queue>, Refusal> {
        if url.is_empty() {
            return Err(Refusal::MissingParameter("QueueUrl"));
        }
        let name = queue::name_in_url(url).ok_or(Refusal::QueueDoesNotExist)?;
        self.queue_named(name)
    }

    fn queue_named(&self, name: &str) -> Result<Arc<Queue>, Refusal> {
        let queues = self.read_queues();
        queues.get(name).cloned().ok_or(Refusal::QueueDoesNotExist)
    }

    fn read_queues(&self) -> RwLockReadGuard<'_, Queues> {
        self.queues.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_queues(&self) -> RwLockWriteGuard<'_, Queues> {
        self.queues.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes what expired unread, which a queue that nobody receives from would keep for ever.
    fn forget_expired(&self) -> rusqlite::Result<()> {
        let now = self.now();
        for queue in self.read_queues().values() {
            self.store.with(|conn| store::delete_expired(conn, queue.id, queue.cutoff(now)))?;
        }
        Ok(())
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::Malformed(error.to_string()))
}
