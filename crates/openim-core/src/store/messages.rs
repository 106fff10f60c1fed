//! Message rows. Order within a conversation is (position, place), see the schema.

use openim_proto::constants::status;
use openim_proto::sdkws::MsgData;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Result;
use crate::model::{AttachedInfoElem, Body, Message};

/// A row of `messages`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MessageRow {
    pub(crate) id: i64,
    pub(crate) conversation: i64,
    pub(crate) position: i64,
    pub(crate) place: i64,
    pub(crate) client_msg_id: String,
    pub(crate) server_msg_id: String,
    pub(crate) send_id: String,
    pub(crate) recv_id: String,
    pub(crate) group_id: String,
    pub(crate) sender_platform_id: i32,
    pub(crate) sender_nickname: String,
    pub(crate) sender_face_url: String,
    pub(crate) session_type: i32,
    pub(crate) msg_from: i32,
    pub(crate) content_type: i32,
    pub(crate) content: String,
    pub(crate) is_read: bool,
    pub(crate) status: i32,
    pub(crate) send_time: i64,
    pub(crate) create_time: i64,
    pub(crate) attached_info: String,
    pub(crate) offline_push: String,
    pub(crate) ex: String,
    pub(crate) local_ex: String,
    pub(crate) send_error: String,
    pub(crate) counts_unread: bool,
}

impl MessageRow {
    /// The server position, or 0 while it is not known.
    pub(crate) fn seq(&self) -> i64 {
        if self.place == 0 { self.position } else { 0 }
    }

    /// The API's view. A received message is read when the cursor has passed it.
    pub(crate) fn into_api(self, has_read_seq: i64, me: &str) -> Message {
        let mut message = self.into_folded(has_read_seq, me);
        message.unfold();
        message
    }

    /// The API's view before anybody has read its texts; [`Message::unfold`] does it where it is not the writer's time.
    pub(crate) fn into_folded(self, has_read_seq: i64, me: &str) -> Message {
        let seq = self.seq();
        let is_read = if self.send_id == me { self.is_read } else { seq > 0 && seq <= has_read_seq };
        Message {
            body: Body::Content(self.content),
            attached_info_elem: AttachedInfoElem::default(),
            offline_push: parsed(&self.offline_push),
            send_error: parsed(&self.send_error),
            client_msg_id: self.client_msg_id,
            server_msg_id: self.server_msg_id,
            create_time: self.create_time,
            send_time: self.send_time,
            session_type: self.session_type,
            send_id: self.send_id,
            recv_id: self.recv_id,
            msg_from: self.msg_from,
            content_type: self.content_type,
            sender_platform_id: self.sender_platform_id,
            sender_nickname: self.sender_nickname,
            sender_face_url: self.sender_face_url,
            group_id: self.group_id,
            seq,
            is_read,
            status: self.status,
            attached_info: self.attached_info,
            ex: self.ex,
            local_ex: self.local_ex,
        }
    }
}

/// What a JSON column holds; an empty text is nothing.
fn parsed<T: DeserializeOwned>(text: &str) -> Option<T> {
    if text.is_empty() { None } else { serde_json::from_str(text).ok() }
}

/// Sets `hasReadTime` and keeps whatever else the sender put there.
fn with_read_time(text: &str, read_time: i64) -> String {
    let mut attached: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    attached.insert("hasReadTime".to_owned(), read_time.into());
    serde_json::Value::Object(attached).to_string()
}

/// Names and avatars are those that are known now; a message's own where the sender's profile was never fetched, and in
/// groups, where a sender may have another name.
const COLUMNS: &str = "id, conversation, position, place, client_msg_id, server_msg_id, send_id, recv_id, group_id, \
    sender_platform_id, \
    coalesce((SELECT nickname FROM users WHERE user_id = send_id AND group_id = '' AND fetched_at > 0), sender_nickname), \
    coalesce((SELECT face_url FROM users WHERE user_id = send_id AND group_id = '' AND fetched_at > 0), sender_face_url), \
    session_type, msg_from, content_type, content, is_read, status, send_time, create_time, attached_info, \
    offline_push, ex, local_ex, send_error, counts_unread";

fn from_row(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    Ok(MessageRow {
        id: row.get(0)?,
        conversation: row.get(1)?,
        position: row.get(2)?,
        place: row.get(3)?,
        client_msg_id: row.get(4)?,
        server_msg_id: row.get(5)?,
        send_id: row.get(6)?,
        recv_id: row.get(7)?,
        group_id: row.get(8)?,
        sender_platform_id: row.get(9)?,
        sender_nickname: row.get(10)?,
        sender_face_url: row.get(11)?,
        session_type: row.get(12)?,
        msg_from: row.get(13)?,
        content_type: row.get(14)?,
        content: row.get(15)?,
        is_read: row.get(16)?,
        status: row.get(17)?,
        send_time: row.get(18)?,
        create_time: row.get(19)?,
        attached_info: row.get(20)?,
        offline_push: row.get(21)?,
        ex: row.get(22)?,
        local_ex: row.get(23)?,
        send_error: row.get(24)?,
        counts_unread: row.get(25)?,
    })
}

/// Index key of a client id. The text is compared as well: an id whose hash another one has takes the next number.
fn client_hash(client_msg_id: &str) -> i64 {
    xxh3_64(client_msg_id.as_bytes()) as i64
}

/// Inserts rows one after another.
pub(crate) struct Inserter<'c> {
    connection: &'c Connection,
    statement: CachedStatement<'c>,
}

impl<'c> Inserter<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Result<Self> {
        let statement = connection.prepare_cached(
            "INSERT OR IGNORE INTO messages(conversation, position, place, client_hash, client_msg_id, server_msg_id, send_id,
               recv_id, group_id, sender_platform_id, sender_nickname, sender_face_url, session_type, msg_from,
               content_type, content, is_read, status, send_time, create_time, attached_info, offline_push, ex,
               local_ex, send_error, counts_unread)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
               ?22, ?23, ?24, ?25, ?26)",
        )?;
        Ok(Self { connection, statement })
    }

    /// Inserts a row unless the conversation has its place or its client id already. Its id, or `None`.
    pub(crate) fn insert(&mut self, row: &MessageRow) -> Result<Option<i64>> {
        let hash = client_hash(&row.client_msg_id);
        if let Some(id) = self.insert_with_hash(row, hash)? {
            return Ok(Some(id));
        }
        // a refusal for a hash that another id has is none
        if find(self.connection, row.conversation, &row.client_msg_id)?.is_none() {
            return self.insert_with_hash(row, hash.wrapping_add(1));
        }
        Ok(None)
    }

    fn insert_with_hash(&mut self, row: &MessageRow, hash: i64) -> Result<Option<i64>> {
        let inserted = self.statement.execute(params![
            row.conversation,
            row.position,
            row.place,
            hash,
            row.client_msg_id,
            row.server_msg_id,
            row.send_id,
            row.recv_id,
            row.group_id,
            row.sender_platform_id,
            row.sender_nickname,
            row.sender_face_url,
            row.session_type,
            row.msg_from,
            row.content_type,
            row.content,
            row.is_read,
            row.status,
            row.send_time,
            row.create_time,
            row.attached_info,
            row.offline_push,
            row.ex,
            row.local_ex,
            row.send_error,
            row.counts_unread
        ])?;
        Ok((inserted > 0).then(|| self.connection.last_insert_rowid()))
    }
}

/// Like [`Inserter::insert`], for one row.
pub(crate) fn insert(connection: &Connection, row: &MessageRow) -> Result<Option<i64>> {
    Inserter::new(connection)?.insert(row)
}

pub(crate) fn get(connection: &Connection, id: i64) -> Result<Option<MessageRow>> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id], from_row).optional()?)
}

/// The row of a client id in a conversation.
pub(crate) fn find(connection: &Connection, conversation: i64, client_msg_id: &str) -> Result<Option<MessageRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages
         WHERE client_hash IN (?1, ?4) AND conversation = ?2 AND client_msg_id = ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let hash = client_hash(client_msg_id);
    let key = params![hash, conversation, client_msg_id, hash.wrapping_add(1)];
    Ok(statement.query_row(key, from_row).optional()?)
}

/// Whether a seq of a conversation is stored.
pub(crate) fn has_seq(connection: &Connection, conversation: i64, seq: i64) -> Result<bool> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM messages WHERE conversation = ?1 AND position = ?2 AND place = 0")?;
    Ok(statement.exists(params![conversation, seq])?)
}

/// Whether the message at a seq is stored and the user's own.
pub(crate) fn is_own(connection: &Connection, conversation: i64, seq: i64, me: &str) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM messages WHERE conversation = ?1 AND position = ?2 AND place = 0 AND send_id = ?3",
    )?;
    Ok(statement.exists(params![conversation, seq, me])?)
}

/// The newest `limit` seqs within a range that hold messages of others, ascending.
pub(crate) fn received_within(
    connection: &Connection,
    conversation: i64,
    (begin, end): (i64, i64),
    me: &str,
    limit: usize,
) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT position FROM messages
         WHERE conversation = ?1 AND position BETWEEN ?2 AND ?3 AND place = 0 AND send_id <> ?4
         ORDER BY position DESC LIMIT ?5",
    )?;
    let rows = statement.query_map(params![conversation, begin, end, me, limit as i64], |row| row.get(0))?;
    let mut seqs = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    seqs.reverse();
    Ok(seqs)
}

/// The seqs stored within a range, ascending.
pub(crate) fn seqs_within(connection: &Connection, conversation: i64, begin: i64, end: i64) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT position FROM messages WHERE conversation = ?1 AND position BETWEEN ?2 AND ?3 AND place = 0
         ORDER BY position",
    )?;
    let rows = statement.query_map(params![conversation, begin, end], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Place of an unsent message made now, behind every elder sibling: larger than any place given before.
pub(crate) fn next_place(connection: &Connection) -> Result<i64> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM messages")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// The server accepted the message. Does nothing to a row that is sent already; true if it did something.
pub(crate) fn acknowledge(connection: &Connection, id: i64, server_msg_id: &str, send_time: i64) -> Result<bool> {
    let changed = connection
        .prepare_cached(
            "UPDATE messages SET server_msg_id = ?2, send_time = ?3, status = 2, send_error = ''
             WHERE id = ?1 AND status <> 2",
        )?
        .execute(params![id, server_msg_id, send_time])?;
    Ok(changed > 0)
}

/// A hook on the server changed the message while accepting it.
pub(crate) fn replace_content(connection: &Connection, id: i64, modified: &MsgData) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE messages SET content_type = ?2, content = ?3, attached_info = ?4, ex = ?5 WHERE id = ?1",
        )?
        .execute(params![
            id,
            modified.content_type,
            String::from_utf8_lossy(&modified.content),
            modified.attached_info,
            modified.ex
        ])?;
    Ok(())
}

/// A failed message is sent again: its row takes the new content and becomes status 1.
pub(crate) fn revive(connection: &Connection, id: i64, row: &MessageRow) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE messages SET status = ?2, send_error = '', content_type = ?3, content = ?4, attached_info = ?5,
               offline_push = ?6, ex = ?7 WHERE id = ?1",
        )?
        .execute(params![id, row.status, row.content_type, row.content, row.attached_info, row.offline_push, row.ex])?;
    Ok(())
}

/// The server position of a message without one became known. Unsent messages that were made after it stay behind it.
pub(crate) fn set_seq(connection: &Connection, row: &MessageRow, seq: i64) -> Result<()> {
    if row.place > 0 {
        // one that lost its seq to a reset has nothing to do with what is unsent
        connection
            .prepare_cached(
                "UPDATE messages SET position = ?4
                 WHERE conversation = ?1 AND position >= ?2 AND position < ?4 AND place > ?3",
            )?
            .execute(params![row.conversation, row.position, row.place, seq])?;
    }
    connection
        .prepare_cached("UPDATE messages SET position = ?2, place = 0 WHERE id = ?1")?
        .execute(params![row.id, seq])?;
    Ok(())
}

/// Takes the seqs from the messages of a conversation: they stand before seq 1 then, in the order that they had. Their
/// places are below every place that an unsent message gets.
pub(crate) fn forget_seqs(connection: &Connection, conversation: i64) -> Result<()> {
    const BELOW: i64 = -(1 << 62);
    let oldest_first: Vec<i64> = connection
        .prepare_cached("SELECT id FROM messages WHERE conversation = ?1 AND status <> 1 ORDER BY position, place")?
        .query_map([conversation], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut update = connection.prepare_cached("UPDATE messages SET position = 0, place = ?2 WHERE id = ?1")?;
    // a second reset finds the places of the first one taken
    let lowest: i64 = connection
        .prepare_cached("SELECT coalesce(min(place), 0) FROM messages WHERE conversation = ?1 AND position = 0")?
        .query_row([conversation], |row| row.get(0))?;
    let begin = if lowest < 0 { lowest - oldest_first.len() as i64 } else { BELOW };
    for (place, id) in (begin..).zip(oldest_first) {
        update.execute(params![id, place])?;
    }
    // what is unsent comes after them
    connection
        .prepare_cached("UPDATE messages SET position = 0 WHERE conversation = ?1 AND status = 1")?
        .execute([conversation])?;
    Ok(())
}

/// Fails a message on its way, with the reason as JSON. Does nothing to any other row; true if it did something.
pub(crate) fn fail(connection: &Connection, id: i64, send_error: &str) -> Result<bool> {
    let changed = connection
        .prepare_cached("UPDATE messages SET status = 3, send_error = ?2 WHERE id = ?1 AND status = 1")?
        .execute(params![id, send_error])?;
    Ok(changed > 0)
}

/// Marks an own message as read by the peer; its row if that is news.
pub(crate) fn mark_read(
    connection: &Connection,
    conversation: i64,
    seq: i64,
    me: &str,
    read_time: i64,
) -> Result<Option<MessageRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages
         WHERE conversation = ?1 AND position = ?2 AND place = 0 AND send_id = ?3 AND is_read = 0"
    );
    let found = connection.prepare_cached(&sql)?.query_row(params![conversation, seq, me], from_row).optional()?;
    let Some(mut row) = found else { return Ok(None) };
    row.attached_info = with_read_time(&row.attached_info, read_time);
    row.is_read = true;
    connection
        .prepare_cached("UPDATE messages SET is_read = 1, attached_info = ?2 WHERE id = ?1")?
        .execute(params![row.id, row.attached_info])?;
    Ok(Some(row))
}

/// Id of the newest visible message, 0 if there is none.
pub(crate) fn newest_visible(connection: &Connection, conversation: i64) -> Result<i64> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM messages WHERE conversation = ?1 AND status < ?2 ORDER BY position DESC, place DESC LIMIT 1",
    )?;
    Ok(statement.query_row(params![conversation, status::DELETED], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// How many stored messages of a window can not raise unread.
pub(crate) fn uncounted_within(connection: &Connection, conversation: i64, begin: i64, end: i64) -> Result<i64> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM messages
         WHERE conversation = ?1 AND position BETWEEN ?2 AND ?3 AND counts_unread = 0 AND place = 0",
    )?;
    Ok(statement.query_row(params![conversation, begin, end], |row| row.get(0))?)
}

/// Up to `count` visible messages before an anchor (exclusive), newest first; messages below `min_seq` are invisible.
pub(crate) fn older(
    connection: &Connection,
    conversation: i64,
    anchor: (i64, i64),
    min_seq: i64,
    count: usize,
) -> Result<Vec<MessageRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE conversation = ?1 AND (position, place) < (?2, ?3) AND position >= ?4
           AND status < 4 ORDER BY position DESC, place DESC LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![conversation, anchor.0, anchor.1, min_seq, count as i64], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Up to `count` visible messages after an anchor (exclusive), oldest first; messages below `min_seq` are invisible.
pub(crate) fn newer(
    connection: &Connection,
    conversation: i64,
    anchor: (i64, i64),
    min_seq: i64,
    count: usize,
) -> Result<Vec<MessageRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE conversation = ?1 AND (position, place) > (?2, ?3) AND position >= ?4
           AND status < 4 ORDER BY position, place LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![conversation, anchor.0, anchor.1, min_seq, count as i64], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
