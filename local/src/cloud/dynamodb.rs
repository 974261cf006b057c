//! The embedded stand-in for DynamoDB: the engine of `dynoxide`, and only the operations Hookport uses.
//!
//! It is not a server: requests go from their JSON straight into the engine's own types. It never throttles, its
//! transactions never conflict and its reads are always strongly consistent; faults are what the cloud around it adds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use dynoxide::actions::delete_item::DeleteItemRequest;
use dynoxide::actions::put_item::PutItemRequest;
use dynoxide::actions::update_item::UpdateItemRequest;
use dynoxide::types::{ConsumedCapacity, capacity_wanted, item_size, table_write_capacity_units};
use dynoxide::{DynoxideError, NativeDatabase, TableMetadata};
use hookport::clock::Clock;
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::units::Units;
use crate::answer::Answer;

/// Why the tables could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The engine takes paths as text only.
    #[error("the path {} of the tables is not UTF-8", .0.display())]
    Path(PathBuf),
    /// The engine could not open the file.
    #[error("the tables could not be opened")]
    Open(#[source] DynoxideError),
}

/// The tables of one process. Clones share them.
#[derive(Clone)]
pub struct DynamoDb(NativeDatabase);

/// An answer, and what it cost.
pub struct Handled {
    /// The answer.
    pub answer: Answer,
    /// Capacity units, when the request asked for them to be told.
    pub units: Units,
}

type Done = Result<(Bytes, Units), Failed>;

struct Failed {
    error: DynoxideError,
    units: Units,
}

impl From<DynoxideError> for Failed {
    fn from(error: DynoxideError) -> Self {
        Self { error, units: Units::default() }
    }
}

impl DynamoDb {
    /// Opens the tables in `file`, or none in memory.
    ///
    /// With a file, what was answered survives `kill -9` of the process; a power cut may take the newest commits with
    /// it, but never leaves half of one. In memory, `clock` decides what has expired; the engine lets a file go by the
    /// system's time alone.
    ///
    /// # Errors
    /// When the file cannot be opened or was written by a newer engine.
    pub fn open(file: Option<&Path>, clock: Clock) -> Result<Self, DynamoDbError> {
        let Some(file) = file else {
            let clock = Arc::new(EngineClock(clock));
            let database = NativeDatabase::memory_with_clock(clock).map_err(DynamoDbError::Open)?;
            return Ok(Self(database));
        };
        let path = file.to_str().ok_or_else(|| DynamoDbError::Path(file.to_owned()))?;
        let database = NativeDatabase::new(path).map_err(DynamoDbError::Open)?;
        // The engine opens its file with a write-ahead log and leaves SQLite's `synchronous = FULL`, which syncs the
        // disk for every commit. This call sets NORMAL, the mode SQLite recommends with such a log, and no more that
        // differs from the defaults. A commit is then written to the log, thus in the hands of the kernel, before it
        // is answered, and the disk is synced at checkpoints: the death of the process loses nothing, that of the
        // machine the commits since the last sync, always the newest ones.
        database.disable_bulk_loading().map_err(DynamoDbError::Open)?;
        Ok(Self(database))
    }

    /// Answers one request: `operation` is what follows `DynamoDB_20120810.` in its target, `body` its JSON.
    #[tracing::instrument(level = "debug", skip_all, fields(operation = operation))]
    pub fn handle(&self, operation: &str, body: &[u8]) -> Handled {
        let Some(done) = self.run_operation(operation, body) else {
            return Handled { answer: unknown_operation(operation), units: Units::default() };
        };
        match done {
            Ok((body, units)) => {
                let answer = Answer { status: StatusCode::OK, body, query_error: None };
                Handled { answer, units }
            }
            Err(Failed { error, units }) => {
                let answer = refusal(&error);
                if answer.status.is_server_error() {
                    tracing::error!(%error, operation, "dynamodb.engine_failed");
                }
                Handled { answer, units }
            }
        }
    }

    /// Runs one of the operations that Hookport uses; `None` if it is another one.
    fn run_operation(&self, operation: &str, body: &[u8]) -> Option<Done> {
        Some(match operation {
            "PutItem" => self.write(
                body,
                |put: &PutItemRequest| {
                    capacity_wanted(put.return_consumed_capacity.as_deref()).then(|| item_size(&put.item))
                },
                NativeDatabase::put_item,
                |put| put.consumed_capacity.as_slice(),
            ),
            // The size of an item that an update was not allowed to make is known to nobody: the old one decides.
            "UpdateItem" => self.write(
                body,
                |update: &UpdateItemRequest| capacity_wanted(update.return_consumed_capacity.as_deref()).then_some(0),
                NativeDatabase::update_item,
                |updated| updated.consumed_capacity.as_slice(),
            ),
            "DeleteItem" => self.write(
                body,
                |delete: &DeleteItemRequest| capacity_wanted(delete.return_consumed_capacity.as_deref()).then_some(0),
                NativeDatabase::delete_item,
                |deleted| deleted.consumed_capacity.as_slice(),
            ),
            "TransactWriteItems" => self.run(
                body,
                NativeDatabase::transact_write_items,
                |written| written.consumed_capacity.as_deref().unwrap_or_default(),
                Units::written,
            ),
            "GetItem" => self.run(body, NativeDatabase::get_item, |got| got.consumed_capacity.as_slice(), Units::read),
            "BatchGetItem" => self.run(
                body,
                NativeDatabase::batch_get_item,
                |got| got.consumed_capacity.as_deref().unwrap_or_default(),
                Units::read,
            ),
            "Query" => self.run(body, NativeDatabase::query, |found| found.consumed_capacity.as_slice(), Units::read),
            "CreateTable" => self.run(body, NativeDatabase::create_table, |_| &[], Units::read),
            "DescribeTable" => self.run(body, NativeDatabase::describe_table, |_| &[], Units::read),
            "ListTables" => self.run(body, NativeDatabase::list_tables, |_| &[], Units::read),
            "UpdateTimeToLive" => self.run(body, NativeDatabase::update_time_to_live, |_| &[], Units::read),
            _ => return None,
        })
    }

    /// Runs an operation whose cost its answer tells.
    fn run<Q: DeserializeOwned, A: Serialize>(
        &self,
        body: &[u8],
        act: fn(&NativeDatabase, Q) -> dynoxide::Result<A>,
        consumed: fn(&A) -> &[ConsumedCapacity],
        units: fn(&[ConsumedCapacity]) -> Units,
    ) -> Done {
        let answer = act(&self.0, decode(body)?)?;
        Ok((encode(&answer)?, units(consumed(&answer))))
    }

    /// Runs a write of one item, which costs also when its condition fails.
    ///
    /// `size` gives the size of the item that would be written, if the request asks for its cost at all.
    fn write<Q: DeserializeOwned, A: Serialize>(
        &self,
        body: &[u8],
        size: fn(&Q) -> Option<usize>,
        act: fn(&NativeDatabase, Q) -> dynoxide::Result<A>,
        consumed: fn(&A) -> &[ConsumedCapacity],
    ) -> Done {
        let request = decode(body)?;
        let size = size(&request);
        let answer =
            act(&self.0, request).map_err(|error| Failed { units: cost_of_failed_condition(&error, size), error })?;
        Ok((encode(&answer)?, Units::written(consumed(&answer))))
    }

    /// Deletes what has expired, and says how many items that were. DynamoDB does so by itself, some time later.
    ///
    /// It blocks for as long as it takes, though other calls get their turn in between.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn sweep_ttl(&self) -> Result<usize, DynoxideError> {
        self.0.sweep_ttl()
    }

    /// What is stored about a table, without counting its items as `DescribeTable` does.
    pub(super) fn metadata(&self, table: &str) -> Result<Option<TableMetadata>, DynoxideError> {
        self.0.get_table_metadata(table)
    }
}

/// DynamoDB charges for a write whose condition failed, by the larger of the two items, and does not say so.
fn cost_of_failed_condition(error: &DynoxideError, size: Option<usize>) -> Units {
    match (error, size) {
        (DynoxideError::ConditionalCheckFailedException(_, old), Some(size)) => Units {
            table_writes: table_write_capacity_units(old.as_ref().map(item_size), Some(size)),
            ..Units::default()
        },
        _ => Units::default(),
    }
}

fn decode<Q: DeserializeOwned>(body: &[u8]) -> Result<Q, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| malformed(&error.to_string()))
}

fn encode(answer: &impl Serialize) -> Result<Bytes, DynoxideError> {
    match serde_json::to_vec(answer) {
        Ok(json) => Ok(json.into()),
        Err(error) => Err(DynoxideError::InternalServerError(error.to_string())),
    }
}

/// Sorts out why a request could not be decoded, as the engine's own server does.
///
/// The engine's types put a marker before what is wrong, serde puts the place behind it.
fn malformed(text: &str) -> DynoxideError {
    let text = text.rsplit_once(" at line ").map_or(text, |(what, _)| what);
    match text.split_once(':') {
        Some((marker, what)) if marker.starts_with("VALIDATION") => DynoxideError::ValidationException(what.to_owned()),
        Some((marker, what)) if marker.starts_with("SERIALIZATION") => {
            DynoxideError::SerializationException(what.to_owned())
        }
        _ if text.contains("missing field") || text.contains("AttributeValue") => {
            DynoxideError::ValidationException(text.to_owned())
        }
        _ => DynoxideError::SerializationException(text.to_owned()),
    }
}

fn unknown_operation(operation: &str) -> Answer {
    Answer::refused(
        StatusCode::BAD_REQUEST,
        "com.amazon.coral.service#UnknownOperationException",
        &format!("{operation} is not an operation of this stand-in."),
    )
}

fn refusal(error: &DynoxideError) -> Answer {
    let status = StatusCode::from_u16(error.status_code());
    Answer {
        status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        body: error.to_json().into(),
        query_error: None,
    }
}

/// Tells the engine the time of the one clock.
struct EngineClock(Clock);

impl dynoxide::storage_backend::Clock for EngineClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now().as_millisecond() as f64 / 1000.0
    }
}
