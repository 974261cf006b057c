//! Why a cloud could not be opened.

use std::io;
use std::path::PathBuf;

use dynoxide::DynoxideError;
use thiserror::Error;

use super::dynamodb::DynamoDbError;
use crate::secrets::{GenerateError, SecretsError};
use crate::sqs::SqsError;

/// Why a cloud could not be opened.
#[derive(Debug, Error)]
pub enum CloudError {
    /// The data directory cannot be made or written to.
    #[error("the data directory {} cannot be used", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Another process runs on the same data.
    #[error("the data directory {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The tables.
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    /// The queues.
    #[error(transparent)]
    Sqs(#[from] SqsError),
    /// The secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The definition of a stored table could not be asked for.
    #[error("the definition of table {table} cannot be read")]
    Definition {
        /// The table.
        table: String,
        /// What the engine says.
        #[source]
        source: DynoxideError,
    },
    /// The definition of a stored table is not what this version of the engine writes.
    #[error("the stored definition of table {table} cannot be understood")]
    Stored {
        /// The table.
        table: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A stored table is not the one that the template defines.
    #[error("table {table} is stored with {found}, but the template defines {wanted}; use another data directory")]
    TableDiffers {
        /// The table.
        table: String,
        /// Its keys and indexes.
        found: String,
        /// Those of the template.
        wanted: String,
    },
    /// A secret could not be made up.
    #[error("no value could be generated for secret {secret}")]
    Generate {
        /// The secret.
        secret: String,
        /// Why not.
        #[source]
        source: GenerateError,
    },
    /// A stand-in refused to create what the template defines.
    #[error("{operation} of {name} was refused: {answer}")]
    Refused {
        /// The operation.
        operation: &'static str,
        /// What was to be created.
        name: String,
        /// The stand-in's answer.
        answer: String,
    },
}
