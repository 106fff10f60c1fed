//! Receipts that came before the messages they speak of have their seqs here.

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;

/// Keeps a receipt for the message that will have this seq.
pub(crate) fn keep(connection: &Connection, conversation: i64, seq: i64, read_time: i64) -> Result<()> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO early_receipts(conversation, seq, read_time) VALUES(?1, ?2, ?3)")?
        .execute(params![conversation, seq, read_time])?;
    Ok(())
}

/// Whether receipts of a conversation wait.
pub(crate) fn any(connection: &Connection, conversation: i64) -> Result<bool> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM early_receipts WHERE conversation = ?1")?;
    Ok(statement.exists([conversation])?)
}

/// Takes the receipt of a seq: when it was read, ms.
pub(crate) fn take(connection: &Connection, conversation: i64, seq: i64) -> Result<Option<i64>> {
    let mut statement = connection
        .prepare_cached("DELETE FROM early_receipts WHERE conversation = ?1 AND seq = ?2 RETURNING read_time")?;
    Ok(statement.query_row([conversation, seq], |row| row.get(0)).optional()?)
}
