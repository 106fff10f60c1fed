//! The records that applications keep with users.

use rusqlite::{Connection, Result, params};

/// A record of an application, such as a favourite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandRow {
    /// Whose.
    pub(crate) user_id: String,
    /// What kind, by the application's own numbers.
    pub(crate) kind: i32,
    /// Which of its kind.
    pub(crate) uuid: String,
    /// Place in the order of insertion.
    pub(crate) ordinal: i64,
    /// Since when, ms.
    pub(crate) create_time: i64,
    /// The application's data.
    pub(crate) value: String,
}

/// Every record of everybody.
pub(crate) fn user_commands(db: &Connection) -> Result<Vec<CommandRow>> {
    db.prepare("SELECT user_id, type, uuid, ordinal, create_time, value FROM user_command")?
        .query_map([], |row| {
            Ok(CommandRow {
                user_id: row.get(0)?,
                kind: row.get(1)?,
                uuid: row.get(2)?,
                ordinal: row.get(3)?,
                create_time: row.get(4)?,
                value: row.get(5)?,
            })
        })?
        .collect()
}

/// Inserts or replaces a record.
pub(crate) fn write_user_command(db: &Connection, row: &CommandRow) -> Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO user_command (user_id, type, uuid, ordinal, create_time, value)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![row.user_id, row.kind, row.uuid, row.ordinal, row.create_time, row.value])?;
    Ok(())
}

/// Removes a record.
pub(crate) fn delete_user_command(db: &Connection, user_id: &str, kind: i32, uuid: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM user_command WHERE user_id = ?1 AND type = ?2 AND uuid = ?3")?
        .execute(params![user_id, kind, uuid])?;
    Ok(())
}
