//! The dispatcher: publishes events, fans them out, and sends deliveries to their targets.
//!
//! Everything it makes has a derived id and is created by a conditional write, so a message that comes twice changes
//! nothing. A message that fails goes back to the queue alone.

mod attempt;
mod challenge;
mod drain;
mod event;
mod failing;
mod fan_out;
mod gates;
mod issues;
mod lane;
mod learned;
mod permission;
mod pinned;
mod replay;
mod request;
mod retry;
mod schedule;
#[cfg(feature = "services")]
mod service;
#[cfg(not(feature = "services"))]
#[path = "service_absent.rs"]
mod service;
mod subscriptions;
mod target_auth;
mod tasks;
mod turn;
mod upkeep;

use std::sync::Arc;

use hookport::app::App;
use hookport::aws::lambda::{Deadline, Received};
use hookport::aws::table::TableError;
use hookport::domain::task::Task;
use hookport::message::Message;
use hookport::vault::VaultError;
use tracing::{error, instrument, warn};

use failing::Streaks;
use gates::Gates;
use issues::Issues;
use subscriptions::Subscriptions;
use target_auth::Tokens;
#[cfg(feature = "services")]
use targets::Targets;

/// The dispatcher and what it remembers between batches.
pub struct Dispatcher {
    app: App,
    subscriptions: Subscriptions,
    gates: Gates,
    streaks: Streaks,
    tokens: Tokens,
    #[cfg(feature = "services")]
    targets: Targets,
    issues: Issues,
}

/// Why a message must come again.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("others changed it at the same time, again and again")]
    Contended,
}

impl Dispatcher {
    /// A dispatcher that remembers nothing yet.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self {
            #[cfg(feature = "services")]
            targets: Targets::new(&app.clients),
            subscriptions: Subscriptions::new(),
            gates: Gates::new(),
            streaks: Streaks::new(),
            tokens: Tokens::new(),
            issues: Issues::new(),
            app,
        }
    }

    /// Works a batch, all messages at once, and names those that must come again. A panic fails its message only.
    #[instrument(skip_all, fields(messages = messages.len()))]
    pub async fn handle(self: Arc<Self>, messages: Vec<Received>, deadline: Deadline) -> Vec<String> {
        let started = messages.into_iter().map(|message| {
            let this = Arc::clone(&self);
            let id = message.message_id.clone();
            (id, tokio::spawn(async move { this.work(&message, deadline).await }))
        });
        let mut failed = Vec::new();
        for (id, task) in started.collect::<Vec<_>>() {
            match task.await {
                Ok(Ok(())) => {}
                Ok(Err(trouble)) => {
                    let cause = std::error::Error::source(&trouble).map(ToString::to_string);
                    warn!(message.id = id, error = %trouble, cause, "message.failed");
                    failed.push(id);
                }
                Err(_) => {
                    error!(message.id = id, "message.panicked");
                    failed.push(id);
                }
            }
        }
        self.count_issues(deadline).await;
        failed
    }

    async fn work(&self, message: &Received, deadline: Deadline) -> Result<(), Trouble> {
        match Message::decode(&message.body) {
            Ok(Message::Inbound(inbound)) => self.publish(inbound, message.receive_count, deadline).await,
            Ok(Message::Outbound(outbound)) => self.attempt_again(&outbound.tenant, outbound.delivery_id).await,
            Ok(Message::Upkeep(upkeep)) => {
                self.do_task(&upkeep.tenant, &Task::Upkeep(upkeep.subscription_id), deadline).await
            }
            Ok(Message::Task(due)) => self.do_task(&due.tenant, &due.task, deadline).await,
            Err(error) => {
                // Coming again would not make it readable, and the table knows what is pending.
                error!(message.id = message.message_id, %error, "message.unreadable");
                Ok(())
            }
        }
    }
}
