//! Messages on their way: exactly those in status 1.

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;

/// An entry, without its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutboxRow {
    pub(crate) message: i64,
    pub(crate) conversation: i64,
    /// Above 0 the request may have left.
    pub(crate) attempt: i64,
    /// When it was queued, ms.
    pub(crate) created_at: i64,
}

pub(crate) fn insert(connection: &Connection, row: OutboxRow, payload: &[u8]) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO outbox(message, conversation, attempt, created_at, payload) VALUES(?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![row.message, row.conversation, row.attempt, row.created_at, payload])?;
    Ok(())
}

/// Every entry in the order in which it was queued.
pub(crate) fn all(connection: &Connection) -> Result<Vec<OutboxRow>> {
    let mut statement = connection
        .prepare_cached("SELECT message, conversation, attempt, created_at FROM outbox ORDER BY created_at, message")?;
    let rows = statement.query_map([], |row| {
        Ok(OutboxRow { message: row.get(0)?, conversation: row.get(1)?, attempt: row.get(2)?, created_at: row.get(3)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The entries that were queued before a moment.
pub(crate) fn older_than(connection: &Connection, created_before: i64) -> Result<Vec<OutboxRow>> {
    Ok(all(connection)?.into_iter().filter(|row| row.created_at < created_before).collect())
}

/// Conversations with an entry whose request may have left.
pub(crate) fn doubtful_conversations(connection: &Connection) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT conversation FROM outbox WHERE attempt > 0")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The payload of an entry, with its attempt raised first: from now on the request may have left.
pub(crate) fn begin_attempt(connection: &Connection, message: i64) -> Result<Option<Vec<u8>>> {
    let mut statement =
        connection.prepare_cached("UPDATE outbox SET attempt = attempt + 1 WHERE message = ?1 RETURNING payload")?;
    Ok(statement.query_row([message], |row| row.get(0)).optional()?)
}

pub(crate) fn remove(connection: &Connection, message: i64) -> Result<bool> {
    Ok(connection.prepare_cached("DELETE FROM outbox WHERE message = ?1")?.execute([message])? > 0)
}
