//! The SQLite tables that hold secrets, their versions and their stages, and every statement on them.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Result, params};

// SQLite's defaults sync every commit: a secret that was answered for is never lost.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS secrets (
        name TEXT PRIMARY KEY,
        arn TEXT NOT NULL UNIQUE,
        description TEXT,
        created_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS versions (
        secret TEXT NOT NULL,
        id TEXT NOT NULL,
        value TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (secret, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS stages (
        secret TEXT NOT NULL,
        stage TEXT NOT NULL,
        version TEXT NOT NULL,
        PRIMARY KEY (secret, stage)
    ) STRICT, WITHOUT ROWID;
";

/// Makes the file, if it is not there, so that only its owner may read it.
///
/// SQLite gives its journal the permissions of the file beside it.
pub(super) fn create_private(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?;
    Ok(())
}

pub(super) fn open(file: Option<&Path>) -> Result<Connection> {
    let conn = match file {
        Some(file) => Connection::open(file)?,
        None => Connection::open_in_memory()?,
    };
    conn.execute_batch(SCHEMA)?;
    Ok(conn)
}

/// A secret without its values.
pub(super) struct Secret {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) created_at: i64,
    pub(super) changed_at: i64,
}

/// One value of a secret.
pub(super) struct Version {
    pub(super) id: String,
    pub(super) value: String,
    pub(super) created_at: i64,
}

/// Finds a secret by its name or its ARN.
pub(super) fn secret(conn: &Connection, id: &str) -> Result<Option<Secret>> {
    conn.prepare_cached(
        "SELECT name, arn, description, created_at, changed_at FROM secrets WHERE name = ?1 OR arn = ?1",
    )?
    .query_row(params![id], |row| {
        Ok(Secret {
            name: row.get(0)?,
            arn: row.get(1)?,
            description: row.get(2)?,
            created_at: row.get(3)?,
            changed_at: row.get(4)?,
        })
    })
    .optional()
}

pub(super) fn insert_secret(conn: &Connection, secret: &Secret) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO secrets (name, arn, description, created_at, changed_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![secret.name, secret.arn, secret.description, secret.created_at, secret.changed_at])?;
    Ok(())
}

pub(super) fn set_changed_at(conn: &Connection, secret: &str, changed_at: i64) -> Result<()> {
    conn.prepare_cached("UPDATE secrets SET changed_at = ?2 WHERE name = ?1")?.execute(params![secret, changed_at])?;
    Ok(())
}

pub(super) fn version(conn: &Connection, secret: &str, id: &str) -> Result<Option<Version>> {
    conn.prepare_cached("SELECT id, value, created_at FROM versions WHERE secret = ?1 AND id = ?2")?
        .query_row(params![secret, id], |row| {
            Ok(Version { id: row.get(0)?, value: row.get(1)?, created_at: row.get(2)? })
        })
        .optional()
}

pub(super) fn insert_version(conn: &Connection, secret: &str, version: &Version) -> Result<()> {
    conn.prepare_cached("INSERT INTO versions (secret, id, value, created_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![secret, version.id, version.value, version.created_at])?;
    Ok(())
}

/// Says which version a stage is on.
pub(super) fn staged(conn: &Connection, secret: &str, stage: &str) -> Result<Option<String>> {
    conn.prepare_cached("SELECT version FROM stages WHERE secret = ?1 AND stage = ?2")?
        .query_row(params![secret, stage], |row| row.get(0))
        .optional()
}

/// Puts a stage on a version, and off the one it was on.
pub(super) fn set_stage(conn: &Connection, secret: &str, stage: &str, version: &str) -> Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO stages (secret, stage, version) VALUES (?1, ?2, ?3)")?
        .execute(params![secret, stage, version])?;
    Ok(())
}

/// The versions that have stages, with them.
pub(super) fn stages(conn: &Connection, secret: &str) -> Result<BTreeMap<String, Vec<String>>> {
    let mut statement = conn.prepare_cached("SELECT version, stage FROM stages WHERE secret = ?1 ORDER BY stage")?;
    let mut rows = statement.query(params![secret])?;
    let mut stages = BTreeMap::<String, Vec<String>>::new();
    while let Some(row) = rows.next()? {
        stages.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    Ok(stages)
}
