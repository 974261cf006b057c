//! The SQLite tables that hold queues and messages, and every statement on them.
//!
//! Nothing here knows a rule of SQS: callers decide, these statements do.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::receipt::Receipt;

/// The one connection. Nobody holds it across an await.
pub(super) struct Store(Mutex<Connection>);

// EXCLUSIVE keeps the write-ahead log's index in memory and saves the file locks of each transaction; the queues are
// cached in this process, so no other may write anyway. NORMAL syncs at checkpoints only: a crash of the process loses
// nothing. The larger log makes those syncs rare.
const SETUP: &str = "
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 8000;
    PRAGMA temp_store = MEMORY;
";

// `body` comes last, so that the columns before it are read and compared without it. All columns that a receive changes
// keep their size when it is the first one, so that SQLite overwrites the row in place.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS queues (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        settings TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY,
        queue INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        sent_at INTEGER NOT NULL,
        first_received_at INTEGER NOT NULL,
        receives INTEGER NOT NULL,
        received_elsewhere INTEGER NOT NULL,
        uuid BLOB NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS messages_by_visibility ON messages (queue, visible_at);
";

impl Store {
    pub(super) fn open(file: Option<&Path>) -> Result<Self> {
        let conn = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        conn.set_prepared_statement_cache_capacity(32);
        conn.execute_batch(SETUP)?;
        conn.execute_batch(SCHEMA)?;
        if !has_attributes(&conn)? {
            conn.execute_batch("ALTER TABLE messages ADD COLUMN attributes TEXT")?;
        }
        Ok(Self(Mutex::new(conn)))
    }

    /// Runs `work` on the connection; each of its statements commits by itself.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        work(&self.lock())
    }

    /// Runs `work` in one transaction.
    pub(super) fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut conn = self.lock();
        let transaction = conn.transaction()?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // Whoever panicked rolled its transaction back on the way out.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells whether messages have the column for their attributes, which files of older versions lack. It is the last one,
/// behind the body, and null for all but a few.
fn has_attributes(conn: &Connection) -> Result<bool> {
    let columns = "SELECT count(*) FROM pragma_table_info('messages') WHERE name = 'attributes'";
    conn.query_row(columns, (), |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

/// A queue as it is stored.
pub(super) struct StoredQueue {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) created_at: i64,
    pub(super) settings: String,
}

/// Every queue, in the order in which they were created.
pub(super) fn queues(conn: &Connection) -> Result<Vec<StoredQueue>> {
    let mut statement = conn.prepare("SELECT id, name, created_at, settings FROM queues ORDER BY id")?;
    let queues = statement.query_map((), |row| {
        Ok(StoredQueue { id: row.get(0)?, name: row.get(1)?, created_at: row.get(2)?, settings: row.get(3)? })
    })?;
    queues.collect()
}

pub(super) fn insert_queue(conn: &Connection, name: &str, created_at: i64, settings: &str) -> Result<i64> {
    conn.execute(
        "INSERT INTO queues (name, created_at, settings) VALUES (?1, ?2, ?3)",
        params![name, created_at, settings],
    )?;
    Ok(conn.last_insert_rowid())
}

/// Makes messages that were received and not deleted visible at `now`. Delayed ones, never received, keep their time.
pub(super) fn release_received(conn: &Connection, now: i64) -> Result<usize> {
    conn.execute("UPDATE messages SET visible_at = ?1 WHERE visible_at > ?1 AND receives > 0", params![now])
}

/// A message to be stored.
pub(super) struct NewMessage<'a> {
    pub(super) queue: i64,
    pub(super) sent_at: i64,
    pub(super) visible_at: i64,
    pub(super) uuid: [u8; 16],
    pub(super) body: &'a str,
    /// As JSON.
    pub(super) attributes: Option<String>,
}

pub(super) fn insert(conn: &Connection, message: &NewMessage<'_>) -> Result<()> {
    // Until the first receive, `first_received_at` only keeps the place.
    conn.prepare_cached(
        "INSERT INTO messages
             (queue, visible_at, sent_at, first_received_at, receives, received_elsewhere, uuid, body, attributes)
         VALUES (?1, ?2, ?3, ?3, 0, 0, ?4, ?5, ?6)",
    )?
    .execute(params![
        message.queue,
        message.visible_at,
        message.sent_at,
        message.uuid,
        message.body,
        message.attributes,
    ])?;
    Ok(())
}

/// A message that may be received now.
pub(super) struct Candidate<'row> {
    pub(super) id: i64,
    pub(super) sent_at: i64,
    pub(super) first_received_at: i64,
    /// How often it was received from this queue.
    pub(super) receives: i64,
    /// How often it was received from the queues it came through.
    pub(super) received_elsewhere: i64,
    pub(super) uuid: [u8; 16],
    pub(super) body: &'row str,
    /// As JSON.
    pub(super) attributes: Option<&'row str>,
}

/// Shows up to `limit` visible messages to `each`, those that are visible longest first.
pub(super) fn each_visible(
    conn: &Connection,
    queue: i64,
    now: i64,
    limit: i64,
    mut each: impl FnMut(&Candidate<'_>),
) -> Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT id, sent_at, first_received_at, receives, received_elsewhere, uuid, body, attributes
         FROM messages WHERE queue = ?1 AND visible_at <= ?2
         ORDER BY visible_at, id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![queue, now, limit])?;
    while let Some(row) = rows.next()? {
        each(&Candidate {
            id: row.get(0)?,
            sent_at: row.get(1)?,
            first_received_at: row.get(2)?,
            receives: row.get(3)?,
            received_elsewhere: row.get(4)?,
            uuid: row.get(5)?,
            body: row.get_ref(6)?.as_str()?,
            attributes: row.get_ref(7)?.as_str_or_null()?,
        });
    }
    Ok(())
}

/// When the next hidden message becomes visible.
pub(super) fn next_visible_at(conn: &Connection, queue: i64, now: i64) -> Result<Option<i64>> {
    conn.prepare_cached("SELECT min(visible_at) FROM messages WHERE queue = ?1 AND visible_at > ?2")?
        .query_row(params![queue, now], |row| row.get(0))
}

/// Hides a message that is being received, and counts the receive.
pub(super) fn receive(conn: &Connection, id: i64, visible_at: i64, first_received_at: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE messages SET visible_at = ?2, first_received_at = ?3, receives = receives + 1 WHERE id = ?1",
    )?
    .execute(params![id, visible_at, first_received_at])?;
    Ok(())
}

/// Moves a message to the dead-letter queue, where it counts its receives anew and keeps its age.
pub(super) fn redrive(conn: &Connection, id: i64, to: i64, visible_at: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE messages
         SET queue = ?2, visible_at = ?3, received_elsewhere = received_elsewhere + receives, receives = 0
         WHERE id = ?1",
    )?
    .execute(params![id, to, visible_at])?;
    Ok(())
}

pub(super) fn delete(conn: &Connection, id: i64) -> Result<()> {
    conn.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute(params![id])?;
    Ok(())
}

/// Deletes a message if `receipt` is of its newest receive.
pub(super) fn delete_received(conn: &Connection, receipt: &Receipt) -> Result<()> {
    conn.prepare_cached("DELETE FROM messages WHERE id = ?1 AND queue = ?2 AND uuid = ?3 AND receives = ?4")?
        .execute(params![receipt.message, receipt.queue, receipt.uuid, receipt.receive])?;
    Ok(())
}

/// Deletes what expired while it was visible.
///
/// Whatever became visible before `cutoff` was sent before it too, so the index is enough to find it.
pub(super) fn delete_expired(conn: &Connection, queue: i64, cutoff: i64) -> Result<()> {
    conn.prepare_cached("DELETE FROM messages WHERE queue = ?1 AND visible_at <= ?2")?
        .execute(params![queue, cutoff])?;
    Ok(())
}

pub(super) fn delete_all_of(conn: &Connection, queue: i64) -> Result<()> {
    conn.execute("DELETE FROM messages WHERE queue = ?1", params![queue])?;
    Ok(())
}

pub(super) fn delete_everything(conn: &Connection) -> Result<()> {
    conn.execute("DELETE FROM messages", ())?;
    Ok(())
}

/// Says when the message becomes visible, if it is still there and `receipt` is of its newest receive.
pub(super) fn held_until(conn: &Connection, receipt: &Receipt, cutoff: i64) -> Result<Option<i64>> {
    conn.prepare_cached(
        "SELECT visible_at FROM messages
         WHERE id = ?1 AND queue = ?2 AND uuid = ?3 AND receives = ?4 AND sent_at > ?5",
    )?
    .query_row(params![receipt.message, receipt.queue, receipt.uuid, receipt.receive, cutoff], |row| row.get(0))
    .optional()
}

pub(super) fn set_visible_at(conn: &Connection, id: i64, visible_at: i64) -> Result<()> {
    conn.prepare_cached("UPDATE messages SET visible_at = ?2 WHERE id = ?1")?.execute(params![id, visible_at])?;
    Ok(())
}

/// How many messages a queue holds, by what can be done with them.
pub(super) struct Counts {
    pub(super) visible: i64,
    pub(super) in_flight: i64,
    pub(super) delayed: i64,
}

pub(super) fn counts(conn: &Connection, queue: i64, now: i64, cutoff: i64) -> Result<Counts> {
    conn.prepare_cached(
        "SELECT count(*) FILTER (WHERE visible_at <= ?2),
                count(*) FILTER (WHERE visible_at > ?2 AND receives > 0),
                count(*) FILTER (WHERE visible_at > ?2 AND receives = 0)
         FROM messages WHERE queue = ?1 AND sent_at > ?3",
    )?
    .query_row(params![queue, now, cutoff], |row| {
        Ok(Counts { visible: row.get(0)?, in_flight: row.get(1)?, delayed: row.get(2)? })
    })
}
