//! The three tables, as the things that are in them. Keys are built in [`keys`] alone.

mod audit;
mod blob;
mod body;
mod bookmarks;
mod breakers;
mod claims;
mod configs;
mod deliveries;
mod delivery_row;
mod deny_rules;
mod dialects;
mod due;
mod event_types;
mod held;
mod inbound_deliveries;
mod inbound_webhooks;
mod issues;
pub mod keys;
mod lanes;
mod merge;
mod owners;
mod presets;
mod rates;
mod registrations;
mod rejections;
mod replays;
mod samples;
mod schedules;
mod slots;
mod stats;
mod subscriptions;
mod tasks;
mod tokens;
mod watch;
mod webhook_versions;

use crate::aws::clients::AwsClients;
use crate::aws::table::{Table, TableError};

pub use audit::AuditQuery;
pub use body::{BEGINNING_BYTES, KeptRequest, cuts};
pub use breakers::{BreakerWritten, StoredBreaker};
pub use claims::Claimed;
pub use deliveries::{Claim, Created, Recorded};
pub use deny_rules::DenyRules;
pub use dialects::StoredSigningKey;
pub use due::{DUE_SHARDS, Due, DueThing};
pub use held::HeldDelivery;
pub use inbound_deliveries::{Kept, Writer};
pub use inbound_webhooks::KeyOwner;
pub use lanes::InLane;
pub use owners::Owner;
pub use rates::{RateScope, Tokens};
pub use registrations::{RegisterError, Registering, Registrant};
pub use stats::Counted;
pub use subscriptions::{Changed, SubscriptionCreateError};
pub use tasks::{DueTask, TaskClaim};
pub use watch::{WatchRound, WatchedWebhook};

/// Names of the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNames {
    /// Configuration: tenants, tokens, webhooks, subscriptions.
    pub configs: String,
    /// What flows: inbound deliveries, deliveries, bodies.
    pub deliveries: String,
    /// Claims on idempotency keys.
    pub idempotency: String,
}

/// The three tables.
#[derive(Clone, Debug)]
pub struct Store {
    configs: Table,
    deliveries: Table,
    idempotency: Table,
}

/// Something with this name exists already.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The name or key is taken.
    #[error("it exists already")]
    Exists,
    /// The table could not be used.
    #[error("storing it failed")]
    Table(#[from] TableError),
}

impl From<CreateError> for TableError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Exists => Self::ConditionFailed { old: None },
            CreateError::Table(error) => error,
        }
    }
}

fn exists_or(error: TableError) -> CreateError {
    match error {
        TableError::ConditionFailed { .. } => CreateError::Exists,
        other => CreateError::Table(other),
    }
}

impl Store {
    /// The tables with these names. Nothing is sent yet.
    #[must_use]
    pub fn new(clients: &AwsClients, names: &TableNames) -> Self {
        Self {
            configs: Table::new(clients, &names.configs),
            deliveries: Table::new(clients, &names.deliveries),
            idempotency: Table::new(clients, &names.idempotency),
        }
    }
}
