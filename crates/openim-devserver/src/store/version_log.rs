//! Version logs of the incremental lists.

use rusqlite::{Connection, Result, params};

/// Head of a version log.
pub(crate) struct LogRow {
    /// Which list, see `domain::version_log::Log`.
    pub(crate) log: i64,
    /// Whose list.
    pub(crate) owner: String,
    /// Id of this incarnation.
    pub(crate) version_id: [u8; 12],
    /// Newest version.
    pub(crate) version: i64,
}

/// Last change of one element.
pub(crate) struct EntryRow {
    /// Which list.
    pub(crate) log: i64,
    /// Whose list.
    pub(crate) owner: String,
    /// Element id.
    pub(crate) element: String,
    /// 1 insert, 2 delete, 3 update.
    pub(crate) state: i64,
    /// Version of the change.
    pub(crate) version: i64,
    /// Place in the log.
    pub(crate) ordinal: i64,
}

/// Every log.
pub(crate) fn version_logs(db: &Connection) -> Result<Vec<LogRow>> {
    db.prepare("SELECT log, owner, version_id, version FROM version_log")?
        .query_map([], |row| {
            Ok(LogRow { log: row.get(0)?, owner: row.get(1)?, version_id: row.get(2)?, version: row.get(3)? })
        })?
        .collect()
}

/// Every entry of every log.
pub(crate) fn version_entries(db: &Connection) -> Result<Vec<EntryRow>> {
    db.prepare("SELECT log, owner, element, state, version, ordinal FROM version_entry")?
        .query_map([], |row| {
            Ok(EntryRow {
                log: row.get(0)?,
                owner: row.get(1)?,
                element: row.get(2)?,
                state: row.get(3)?,
                version: row.get(4)?,
                ordinal: row.get(5)?,
            })
        })?
        .collect()
}

/// Inserts or replaces the head of a log.
pub(crate) fn write_version_log(db: &Connection, row: &LogRow) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO version_log VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        row.log,
        row.owner,
        row.version_id,
        row.version
    ])?;
    Ok(())
}

/// Inserts or replaces the entry of an element.
pub(crate) fn write_version_entry(db: &Connection, row: &EntryRow) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO version_entry VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        row.log,
        row.owner,
        row.element,
        row.state,
        row.version,
        row.ordinal
    ])?;
    Ok(())
}
