//! The hosts that nothing is sent to, by the operators' word: one item for the whole deployment, read once a minute.

use serde::{Deserialize, Serialize};

use super::{Store, keys};
use crate::aws::expression::{Test, Value};
use crate::aws::table::TableError;
use crate::egress::DenyRule;

#[derive(Default, Serialize, Deserialize)]
struct Row {
    v: Vec<DenyRule>,
    ver: u64,
}

/// The operators' list, and the version that changes of it are conditional on.
#[derive(Clone, Debug, Default)]
pub struct DenyRules {
    /// The rules.
    pub rules: Vec<DenyRule>,
    /// Raised by every change.
    pub version: u64,
}

impl Store {
    /// Reads the list; an empty one when there is none.
    ///
    /// # Errors
    /// When the table cannot be reached, or a rule cannot be read: nothing is sent then.
    pub async fn deny_rules(&self) -> Result<DenyRules, TableError> {
        let row = self.configs.get::<Row>(&keys::deny_rules()).await?.unwrap_or_default();
        Ok(DenyRules { rules: row.v, version: row.ver })
    }

    /// Replaces the list, unless someone changed it since `before` was read. Tells whether it was done.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_deny_rules(&self, before: &DenyRules, rules: Vec<DenyRule>) -> Result<bool, TableError> {
        let row = Row { v: rules, ver: before.version + 1 };
        let test = if before.version == 0 { Test::ItemAbsent } else { Test::Is("ver", Value::of(before.version)) };
        match self.configs.put(&keys::deny_rules(), &row, &[test]).await {
            Ok(()) => Ok(true),
            Err(TableError::ConditionFailed { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
