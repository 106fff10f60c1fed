//! Streams of messages.

use openim_proto::Message as _;
use openim_proto::sdkws::MsgData;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

/// A chat conversation or notification stream.
pub(crate) struct StreamRow {
    /// Number in the database.
    pub(crate) id: i64,
    /// Conversation id.
    pub(crate) name: String,
    /// One party.
    pub(crate) party_a: String,
    /// The other party; the same for a stream of one.
    pub(crate) party_b: String,
    /// Oldest readable seq; 0 or 1 means all.
    pub(crate) min_seq: i64,
    /// Newest seq.
    pub(crate) max_seq: i64,
    /// When the newest message was stored, ms.
    pub(crate) max_seq_time: i64,
}

/// A message as it was accepted, with what has happened to it since.
pub(crate) struct StoredMessage {
    /// Place in the stream.
    pub(crate) seq: i64,
    /// The peer has read it.
    pub(crate) is_read: bool,
    /// The message.
    pub(crate) message: MsgData,
}

/// Every stream with its newest seq.
pub(crate) fn streams(db: &Connection) -> Result<Vec<StreamRow>> {
    db.prepare(
        "SELECT s.id, s.name, s.party_a, s.party_b, s.min_seq, max(s.seq_floor, coalesce(m.seq, 0)),
                coalesce(m.stored_at, 0)
         FROM stream s LEFT JOIN message m
           ON m.stream_id = s.id AND m.seq = (SELECT max(seq) FROM message WHERE stream_id = s.id)",
    )?
    .query_map([], |row| {
        Ok(StreamRow {
            id: row.get(0)?,
            name: row.get(1)?,
            party_a: row.get(2)?,
            party_b: row.get(3)?,
            min_seq: row.get(4)?,
            max_seq: row.get(5)?,
            max_seq_time: row.get(6)?,
        })
    })?
    .collect()
}

/// Adds a stream.
pub(crate) fn insert_stream(db: &Connection, id: i64, name: &str, party_a: &str, party_b: &str) -> Result<()> {
    db.prepare_cached("INSERT INTO stream VALUES (?1, ?2, ?3, ?4, 0, 0)")?
        .execute(params![id, name, party_a, party_b])?;
    Ok(())
}

/// Skips seqs up to one.
pub(crate) fn raise_seq_floor(db: &Connection, id: i64, seq: i64) -> Result<()> {
    db.prepare_cached("UPDATE stream SET seq_floor = ?2 WHERE id = ?1")?.execute(params![id, seq])?;
    Ok(())
}

/// Adds a message.
pub(crate) fn insert_message(db: &Connection, stream_id: i64, seq: i64, stored_at: i64, payload: &[u8]) -> Result<()> {
    db.prepare_cached("INSERT INTO message VALUES (?1, ?2, ?3, 0, ?4)")?
        .execute(params![stream_id, seq, stored_at, payload])?;
    Ok(())
}

/// Marks messages that the user did not send himself as read.
pub(crate) fn mark_read(db: &Connection, stream_id: i64, reader: &str, seqs: &[i64]) -> Result<()> {
    for seq in seqs {
        let Some(stored) = message(db, stream_id, *seq)? else { continue };
        if !stored.is_read && stored.message.send_id != reader {
            db.prepare_cached("UPDATE message SET is_read = 1 WHERE stream_id = ?1 AND seq = ?2")?
                .execute(params![stream_id, seq])?;
        }
    }
    Ok(())
}

/// One message.
pub(crate) fn message(db: &Connection, stream_id: i64, seq: i64) -> Result<Option<StoredMessage>> {
    db.prepare_cached("SELECT seq, is_read, payload FROM message WHERE stream_id = ?1 AND seq = ?2")?
        .query_row(params![stream_id, seq], stored)
        .optional()
}

/// The messages of a range of seqs, ascending; seqs without a message are missing.
pub(crate) fn messages(db: &Connection, stream_id: i64, first: i64, last: i64) -> Result<Vec<StoredMessage>> {
    db.prepare_cached(
        "SELECT seq, is_read, payload FROM message WHERE stream_id = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq",
    )?
    .query_map(params![stream_id, first, last], stored)?
    .collect()
}

/// The newest message up to a seq.
pub(crate) fn newest_message(db: &Connection, stream_id: i64, last: i64) -> Result<Option<StoredMessage>> {
    db.prepare_cached(
        "SELECT seq, is_read, payload FROM message WHERE stream_id = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1",
    )?
    .query_row(params![stream_id, last], stored)
    .optional()
}

fn stored(row: &Row<'_>) -> Result<StoredMessage> {
    let message = MsgData::decode(row.get_ref(2)?.as_blob()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Blob, Box::new(error)))?;
    Ok(StoredMessage { seq: row.get(0)?, is_read: row.get(1)?, message })
}
