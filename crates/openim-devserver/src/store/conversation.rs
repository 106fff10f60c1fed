//! Conversation records and read cursors.

use openim_proto::Message as _;
use openim_proto::conversation::Conversation;
use rusqlite::{Connection, Result, params};

/// A user's record of a conversation, with its place in the order of creation.
pub(crate) struct ConversationRow {
    /// Place in the order of creation.
    pub(crate) ordinal: i64,
    /// The record; owner and id inside.
    pub(crate) record: Conversation,
}

/// How far a user has read a stream.
pub(crate) struct CursorRow {
    /// Whose.
    pub(crate) user_id: String,
    /// Of which stream.
    pub(crate) stream: String,
    /// Newest read seq.
    pub(crate) seq: i64,
}

/// Every record.
pub(crate) fn conversations(db: &Connection) -> Result<Vec<ConversationRow>> {
    db.prepare("SELECT ordinal, record FROM conversation")?
        .query_map([], |row| {
            let record = row.get_ref(1)?.as_blob()?;
            let record = Conversation::decode(record).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Blob, Box::new(error))
            })?;
            Ok(ConversationRow { ordinal: row.get(0)?, record })
        })?
        .collect()
}

/// Inserts or replaces a record.
pub(crate) fn write_conversation(db: &Connection, row: &ConversationRow) -> Result<()> {
    let ConversationRow { ordinal, record } = row;
    db.prepare_cached("INSERT OR REPLACE INTO conversation VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        record.owner_user_id,
        record.conversation_id,
        ordinal,
        record.encode_to_vec()
    ])?;
    Ok(())
}

/// Removes a record.
pub(crate) fn delete_conversation(db: &Connection, owner: &str, conversation_id: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM conversation WHERE owner_user_id = ?1 AND conversation_id = ?2")?
        .execute(params![owner, conversation_id])?;
    Ok(())
}

/// Every read cursor.
pub(crate) fn cursors(db: &Connection) -> Result<Vec<CursorRow>> {
    db.prepare("SELECT c.user_id, s.name, c.seq FROM read_cursor c JOIN stream s ON s.id = c.stream_id")?
        .query_map([], |row| Ok(CursorRow { user_id: row.get(0)?, stream: row.get(1)?, seq: row.get(2)? }))?
        .collect()
}

/// Sets a read cursor.
pub(crate) fn write_cursor(db: &Connection, user_id: &str, stream_id: i64, seq: i64) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO read_cursor VALUES (?1, ?2, ?3)")?
        .execute(params![user_id, stream_id, seq])?;
    Ok(())
}
