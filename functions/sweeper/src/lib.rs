//! The sweeper: each minute it finds what is due and sends its message again. It does no work of its own.
//!
//! It may run twice at once: a due time is moved by a conditional write before the message is sent.

mod watch;

use futures_util::stream::{self, StreamExt};
use hookport::app::App;
use hookport::aws::lambda::Deadline;
use hookport::aws::queue::Outgoing;
use hookport::aws::table::TableError;
use hookport::domain::inbound_delivery::{Redrive, redrive};
use hookport::domain::time::later;
use hookport::message::{InboundMessage, Message, OutboundMessage};
use hookport::store::{DUE_SHARDS, Due, DueThing};
use jiff::SignedDuration;
use tracing::{error, info, instrument, warn};

/// How much is taken from one shard at a time.
const PAGE: usize = 100;
/// How many shards are read, and how many rows of a page are written, at once.
const CONCURRENCY: usize = 16;

/// How often a task is tried that nobody could do for a day.
const EACH_HOUR: SignedDuration = SignedDuration::from_hours(1);

pub use watch::Watched;

/// Finds what is due.
pub struct Sweeper {
    app: App,
}

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Messages sent again.
    pub redriven: usize,
    /// Pieces of work given up, each with an alarm.
    pub stuck: usize,
    /// What the watch over webhooks told.
    pub watched: Watched,
}

impl Sweeper {
    /// A sweeper over the tables and queues of `app`.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app }
    }

    /// Sweeps once, as the schedule asks.
    ///
    /// # Errors
    /// When the index cannot be read; what was done stays done.
    pub async fn sweep(&self, deadline: Deadline) -> Result<(), TableError> {
        self.run(deadline).await.map(|_| ())
    }

    /// Sweeps once and tells what it did. Stops taking up more at the deadline; the next sweep goes on.
    ///
    /// # Errors
    /// When the index cannot be read; what was done stays done.
    #[instrument(skip_all)]
    pub async fn run(&self, deadline: Deadline) -> Result<Swept, TableError> {
        let shards = stream::iter(0..DUE_SHARDS).map(|shard| self.sweep_shard(shard, deadline));
        let results: Vec<_> = shards.buffer_unordered(CONCURRENCY).collect().await;
        let mut total = Swept::default();
        for result in results {
            let swept = result?;
            total.redriven += swept.redriven;
            total.stuck += swept.stuck;
        }
        total.watched = watch::watch(&self.app, deadline).await?;
        if total != Swept::default() {
            let Watched { silent, switched_off } = total.watched;
            info!(redriven = total.redriven, stuck = total.stuck, silent, switched_off, "sweep.done");
        }
        Ok(total)
    }

    async fn sweep_shard(&self, shard: u8, deadline: Deadline) -> Result<Swept, TableError> {
        let mut total = Swept::default();
        loop {
            let now = self.app.clock.now();
            if now >= deadline.0 {
                return Ok(total);
            }
            let due = self.app.store.due(shard, now, PAGE).await?;
            let full = due.len() == PAGE;
            let taken = stream::iter(due).map(|due| self.take(due)).buffer_unordered(CONCURRENCY);
            let taken: Vec<Taken> = taken.collect().await;
            let moved = taken.iter().filter(|t| !matches!(t, Taken::Nothing)).count();
            total.stuck += taken.iter().filter(|t| matches!(t, Taken::Stuck)).count();
            total.redriven += self.send(taken).await;
            // A page of which nothing moved is the late index, or trouble: the next sweep is soon enough.
            if !full || moved == 0 {
                return Ok(total);
            }
        }
    }

    /// Takes one due thing up. Trouble with one is logged and keeps none of the others back.
    async fn take(&self, due: Due) -> Taken {
        match self.try_take(&due).await {
            Ok(taken) => taken,
            Err(error) => {
                warn!(%error, "sweep.skipped");
                Taken::Nothing
            }
        }
    }

    async fn try_take(&self, due: &Due) -> Result<Taken, TableError> {
        let store = &self.app.store;
        let now = self.app.clock.now();
        let Some(thing) = store.due_thing(due, now).await? else { return Ok(Taken::Nothing) };
        match redrive(thing.redrives(), now) {
            // A task is never over because nobody could do it for a day: that is told, and it is tried each hour.
            Redrive::Stuck if matches!(thing, DueThing::Task(_)) => {
                if !store.push_due(&thing, later(now, EACH_HOUR)).await? {
                    return Ok(Taken::Nothing);
                }
                let DueThing::Task(t) = thing else { return Ok(Taken::Nothing) };
                error!(tenant = %t.tenant, task = %t.task, "work.stuck");
                Ok(Taken::Outbound(Message::of_task(t.tenant, t.task).encode()))
            }
            Redrive::Stuck => {
                if !store.mark_stuck(&thing, now).await? {
                    return Ok(Taken::Nothing);
                }
                match &thing {
                    DueThing::Inbound(d) => error!(tenant = %d.tenant, delivery.id = %d.id, "work.stuck"),
                    DueThing::Outbound(d) => error!(tenant = %d.tenant, delivery.id = %d.id, "work.stuck"),
                    DueThing::Task(_) => {}
                }
                Ok(Taken::Stuck)
            }
            Redrive::Again { due_at } => {
                if !store.push_due(&thing, due_at).await? {
                    return Ok(Taken::Nothing);
                }
                Ok(match thing {
                    DueThing::Inbound(d) => {
                        Taken::Inbound(Message::Inbound(InboundMessage::again(d.tenant, d.id)).encode())
                    }
                    DueThing::Outbound(d) => {
                        Taken::Outbound(Message::Outbound(OutboundMessage::new(d.tenant, d.id)).encode())
                    }
                    DueThing::Task(t) => Taken::Outbound(Message::of_task(t.tenant, t.task).encode()),
                })
            }
        }
    }

    async fn send(&self, taken: Vec<Taken>) -> usize {
        let (mut inbound, mut outbound) = (Vec::new(), Vec::new());
        for one in taken {
            match one {
                Taken::Inbound(body) => inbound.push(Outgoing { body, delay: SignedDuration::ZERO }),
                Taken::Outbound(body) => outbound.push(Outgoing { body, delay: SignedDuration::ZERO }),
                Taken::Stuck | Taken::Nothing => {}
            }
        }
        let count = inbound.len() + outbound.len();
        let lost_inbound = self.app.inbound_queue.send_all(inbound).await;
        let lost_outbound = self.app.outbound_queue.send_all(outbound).await;
        for (_, error) in lost_inbound.iter().chain(&lost_outbound) {
            // Its due time is moved already; a later sweep takes it up again.
            warn!(code = error.code, "sweep.message_lost");
        }
        count - lost_inbound.len() - lost_outbound.len()
    }
}

enum Taken {
    Inbound(String),
    Outbound(String),
    Stuck,
    Nothing,
}
