//! An embedded stand-in for Secrets Manager: only the operations Hookport uses.
//!
//! It holds text secrets with their versions and stages. It is not a vault: the file protects secrets by its permissions
//! alone, as a laptop's other keys are. Binary secrets, rotation, replication and deletion are not here.

mod create;
mod generate;
mod get;
mod put;
mod refusal;
mod store;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hookport::clock::Clock;
use rusqlite::Connection;
use serde::Deserialize;
use serde::de::IgnoredAny;

pub use self::generate::GenerateError;
use self::refusal::Refusal;
use self::store::Secret;
use crate::answer::Answer;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// Why the secrets could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file could not be created for its owner alone.
    #[error("the secrets file could not be created")]
    Create(#[source] std::io::Error),
    /// SQLite could not open the file.
    #[error("the secrets file could not be opened")]
    Open(#[source] rusqlite::Error),
}

/// The secrets of one process. Clones share them.
#[derive(Clone)]
pub struct Secrets(Arc<State>);

struct State {
    /// Nobody holds it across an await.
    conn: Mutex<Connection>,
    clock: Clock,
}

impl Secrets {
    /// Opens the secrets in `file`, which only its owner may read, or none in memory.
    ///
    /// # Errors
    /// When the file cannot be created or opened.
    pub fn open(file: Option<&Path>, clock: Clock) -> Result<Self, SecretsError> {
        if let Some(file) = file {
            store::create_private(file).map_err(SecretsError::Create)?;
        }
        let conn = store::open(file).map_err(SecretsError::Open)?;
        Ok(Self(Arc::new(State { conn: Mutex::new(conn), clock })))
    }

    /// Answers one request: `operation` is what follows `secretsmanager.` in its target, `body` its JSON.
    #[tracing::instrument(level = "debug", skip_all, fields(operation = operation))]
    pub async fn handle(&self, operation: &str, body: &[u8]) -> Answer {
        let state = &*self.0;
        let answered = match operation {
            "CreateSecret" => create::create_secret(state, body),
            "GetSecretValue" => get::get_secret_value(state, body),
            "PutSecretValue" => put::put_secret_value(state, body),
            "DescribeSecret" => get::describe_secret(state, body),
            other => Err(Refusal::UnknownOperation(other.to_owned())),
        };
        answered.unwrap_or_else(|refusal| {
            if refusal.is_internal() {
                let error: &(dyn Error + 'static) = &refusal;
                tracing::error!(error, operation, "secrets.failed");
            }
            refusal.answer()
        })
    }

    /// Makes a secret as CloudFormation's `GenerateSecretString` does.
    ///
    /// Adds a random text of `length` characters under `key` to `template`, a JSON object. It has a small letter, a
    /// capital and a digit, and a punctuation mark unless those are excluded.
    ///
    /// # Errors
    /// When the template is not an object or has the key already, the length does not fit, or the system has no
    /// randomness to give.
    pub fn generate(
        &self,
        template: &str,
        key: &str,
        length: usize,
        exclude_punctuation: bool,
    ) -> Result<String, GenerateError> {
        generate::generate(template, key, length, exclude_punctuation)
    }
}

impl State {
    /// Milliseconds since the Unix epoch, as every stored time is.
    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Runs `work` in one transaction, which a refusal rolls back.
    fn transact<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut conn = self.lock();
        let transaction = conn.transaction().map_err(Refusal::Store)?;
        let done = work(&transaction)?;
        transaction.commit().map_err(Refusal::Store)?;
        Ok(done)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // Whoever panicked rolled its transaction back on the way out.
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds the secret with this name or ARN.
fn find(conn: &Connection, id: &str) -> Result<Secret, Refusal> {
    if id.is_empty() {
        return Err(Refusal::InvalidParameter("SecretId must have a value.".to_owned()));
    }
    store::secret(conn, id).map_err(Refusal::Store)?.ok_or(Refusal::SecretNotFound)
}

/// Checks what CreateSecret and PutSecretValue have in common.
fn check_value(token: &str, value: Option<&str>, binary: Option<IgnoredAny>) -> Result<(), Refusal> {
    if binary.is_some() {
        return Err(Refusal::InvalidParameter("This stand-in holds SecretString only.".to_owned()));
    }
    if !(32..=64).contains(&token.len()) {
        return Err(Refusal::InvalidParameter("ClientRequestToken must have 32 to 64 characters.".to_owned()));
    }
    if value.is_some_and(|value| value.is_empty() || value.len() > 65_536) {
        return Err(Refusal::InvalidParameter("SecretString must have 1 to 65536 bytes.".to_owned()));
    }
    Ok(())
}

/// Writes a stored time as AWS does, in seconds with a fraction.
fn epoch_seconds(millis: i64) -> f64 {
    // Milliseconds of this age of the world are far below 2^53.
    millis as f64 / 1000.0
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::Malformed(error.to_string()))
}
