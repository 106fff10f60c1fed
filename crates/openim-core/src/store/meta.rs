//! Single values: key and text.

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;

/// Set once the first sync of this device is through.
pub(crate) const INITIAL_SYNC_DONE: &str = "initial_sync_done";
/// User id and server addresses, informational (R10).
pub(crate) const SERVER_IDENTITY: &str = "server_identity";

pub(crate) fn get(connection: &Connection, key: &str) -> Result<Option<String>> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

pub(crate) fn set(connection: &Connection, key: &str, value: &str) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2")?
        .execute(params![key, value])?;
    Ok(())
}
