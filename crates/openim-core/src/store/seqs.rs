//! What is known of the server's seqs: gaps, holes, stream cursors, list versions.

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;

/// An inclusive range of seqs.
pub(crate) type Range = (i64, i64);

/// Gaps of a conversation, ascending; with `live` true only those that are fetched now.
pub(crate) fn gaps(connection: &Connection, conversation: i64) -> Result<Vec<(Range, bool)>> {
    let mut statement = connection
        .prepare_cached("SELECT begin_seq, end_seq, live FROM seq_gaps WHERE conversation = ?1 ORDER BY begin_seq")?;
    let rows = statement.query_map([conversation], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Replaces the gaps of a conversation.
pub(crate) fn set_gaps(connection: &Connection, conversation: i64, gaps: &[(Range, bool)]) -> Result<()> {
    connection.prepare_cached("DELETE FROM seq_gaps WHERE conversation = ?1")?.execute([conversation])?;
    let mut insert = connection
        .prepare_cached("INSERT INTO seq_gaps(conversation, begin_seq, end_seq, live) VALUES(?1, ?2, ?3, ?4)")?;
    for ((begin, end), live) in gaps {
        insert.execute(params![conversation, begin, end, live])?;
    }
    Ok(())
}

/// Conversations with gaps to be fetched now: key, id and the newest such gap.
pub(crate) fn live_gaps(connection: &Connection, limit: usize) -> Result<Vec<(String, Range)>> {
    let mut statement = connection.prepare_cached(
        "SELECT c.conversation_id, g.begin_seq, g.end_seq FROM seq_gaps g JOIN conversations c ON c.id = g.conversation
         WHERE g.live = 1 ORDER BY g.begin_seq DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([limit as i64], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Where a message may be whose request may have left: the gaps above the seqs that were known when it was queued.
pub(crate) fn doubtful_gaps(connection: &Connection) -> Result<Vec<(String, Range)>> {
    let mut statement = connection.prepare_cached(
        "SELECT c.conversation_id, max(g.begin_seq, doubtful.after + 1), g.end_seq
         FROM (SELECT o.conversation, min(m.position) AS after FROM outbox o JOIN messages m ON m.id = o.message
               WHERE o.attempt > 0 GROUP BY o.conversation) AS doubtful
         JOIN seq_gaps g ON g.conversation = doubtful.conversation AND g.end_seq > doubtful.after
         JOIN conversations c ON c.id = doubtful.conversation",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Holes of a conversation that touch a range, ascending.
pub(crate) fn holes_touching(connection: &Connection, conversation: i64, range: Range) -> Result<Vec<Range>> {
    let mut statement = connection.prepare_cached(
        "SELECT begin_seq, end_seq FROM seq_holes
         WHERE conversation = ?1 AND end_seq >= ?2 AND begin_seq <= ?3 ORDER BY begin_seq",
    )?;
    let rows = statement.query_map(params![conversation, range.0, range.1], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Adds a hole; it merges with those that it touches.
pub(crate) fn add_hole(connection: &Connection, conversation: i64, (begin, end): Range) -> Result<()> {
    let neighbours = holes_touching(connection, conversation, (begin - 1, end + 1))?;
    let mut merged = (begin, end);
    for (first, last) in neighbours {
        merged = (merged.0.min(first), merged.1.max(last));
        connection
            .prepare_cached("DELETE FROM seq_holes WHERE conversation = ?1 AND begin_seq = ?2")?
            .execute(params![conversation, first])?;
    }
    connection
        .prepare_cached("INSERT INTO seq_holes(conversation, begin_seq, end_seq) VALUES(?1, ?2, ?3)")?
        .execute(params![conversation, merged.0, merged.1])?;
    Ok(())
}

/// Forgets the gaps and holes of a conversation, and the receipts that wait for seqs.
pub(crate) fn forget(connection: &Connection, conversation: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM early_receipts WHERE conversation = ?1")?.execute([conversation])?;
    connection.prepare_cached("DELETE FROM seq_gaps WHERE conversation = ?1")?.execute([conversation])?;
    connection.prepare_cached("DELETE FROM seq_holes WHERE conversation = ?1")?.execute([conversation])?;
    Ok(())
}

pub(crate) fn cursor(connection: &Connection, stream_id: &str) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT seq FROM sync_cursors WHERE stream_id = ?1")?;
    Ok(statement.query_row([stream_id], |row| row.get(0)).optional()?)
}

/// Every stream's cursor.
pub(crate) fn cursors(connection: &Connection) -> Result<Vec<(String, i64)>> {
    let mut statement = connection.prepare_cached("SELECT stream_id, seq FROM sync_cursors")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Sets a cursor, back as well: the server lost what was behind it.
pub(crate) fn set_cursor(connection: &Connection, stream_id: &str, seq: i64) -> Result<()> {
    connection
        .prepare_cached("UPDATE sync_cursors SET seq = ?2 WHERE stream_id = ?1")?
        .execute(params![stream_id, seq])?;
    Ok(())
}

/// Moves a cursor forward, never back.
pub(crate) fn advance_cursor(connection: &Connection, stream_id: &str, seq: i64) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO sync_cursors(stream_id, seq) VALUES(?1, ?2)
             ON CONFLICT(stream_id) DO UPDATE SET seq = max(seq, ?2)",
        )?
        .execute(params![stream_id, seq])?;
    Ok(())
}

/// Version id and version of a list as last applied.
pub(crate) fn list_version(connection: &Connection, list: &str, entity_id: &str) -> Result<(String, u64)> {
    let mut statement = connection
        .prepare_cached("SELECT version_id, version FROM list_versions WHERE list = ?1 AND entity_id = ?2")?;
    let found = statement
        .query_row(params![list, entity_id], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Whether the list was ever read on this device.
pub(crate) fn is_listed(connection: &Connection, list: &str, entity_id: &str) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM list_versions WHERE list = ?1 AND entity_id = ?2")?
        .exists([list, entity_id])?)
}

pub(crate) fn set_list_version(
    connection: &Connection,
    list: &str,
    entity_id: &str,
    version_id: &str,
    version: u64,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO list_versions(list, entity_id, version_id, version) VALUES(?1, ?2, ?3, ?4)
             ON CONFLICT(list, entity_id) DO UPDATE SET version_id = ?3, version = ?4",
        )?
        .execute(params![list, entity_id, version_id, i64::try_from(version).unwrap_or(i64::MAX)])?;
    Ok(())
}
