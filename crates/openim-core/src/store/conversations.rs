//! Rows of the conversation list.

use openim_proto::ids;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::messages;
use crate::error::Result;
use crate::model::Conversation;

/// What sync needs to know of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SyncRow {
    pub(crate) id: i64,
    pub(crate) conversation_id: String,
    pub(crate) recv_msg_opt: i32,
    pub(crate) unread_count: i64,
    pub(crate) has_read_seq: i64,
    /// Up to here the senders have their receipts.
    pub(crate) read_told: i64,
    /// The server has not confirmed what was marked as read here.
    pub(crate) read_waits: bool,
    /// Nothing at or below this seq is unread.
    pub(crate) read_floor: i64,
    pub(crate) server_max_seq: i64,
    pub(crate) local_max_seq: i64,
    pub(crate) min_seq: i64,
    pub(crate) max_seq: i64,
    pub(crate) latest_message: i64,
    pub(crate) hidden: bool,
}

/// The synced settings of a conversation, as the server has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SettingsRow {
    pub(crate) conversation_id: String,
    pub(crate) kind: i32,
    pub(crate) user_id: String,
    pub(crate) group_id: String,
    pub(crate) recv_msg_opt: i32,
    pub(crate) group_at_type: i32,
    pub(crate) is_pinned: bool,
    pub(crate) is_private_chat: bool,
    pub(crate) burn_duration: i32,
    pub(crate) is_msg_destruct: bool,
    pub(crate) msg_destruct_time: i64,
    pub(crate) attached_info: String,
    pub(crate) ex: String,
    pub(crate) min_seq: i64,
    pub(crate) max_seq: i64,
}

const SYNC_COLUMNS: &str = "id, conversation_id, recv_msg_opt, unread_count, has_read_seq, server_max_seq, \
                            local_max_seq, min_seq, max_seq, latest_message, hidden, read_floor, read_told, read_waits";

fn sync_row(row: &Row<'_>) -> rusqlite::Result<SyncRow> {
    Ok(SyncRow {
        id: row.get(0)?,
        conversation_id: row.get(1)?,
        recv_msg_opt: row.get(2)?,
        unread_count: row.get(3)?,
        has_read_seq: row.get(4)?,
        server_max_seq: row.get(5)?,
        local_max_seq: row.get(6)?,
        min_seq: row.get(7)?,
        max_seq: row.get(8)?,
        latest_message: row.get(9)?,
        hidden: row.get(10)?,
        read_floor: row.get(11)?,
        read_told: row.get(12)?,
        read_waits: row.get(13)?,
    })
}

pub(crate) fn find(connection: &Connection, conversation_id: &str) -> Result<Option<SyncRow>> {
    let sql = format!("SELECT {SYNC_COLUMNS} FROM conversations WHERE conversation_id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([conversation_id], sync_row).optional()?)
}

pub(crate) fn get(connection: &Connection, id: i64) -> Result<SyncRow> {
    let sql = format!("SELECT {SYNC_COLUMNS} FROM conversations WHERE id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id], sync_row)?)
}

/// All conversations, for the comparison with the server.
pub(crate) fn all(connection: &Connection) -> Result<Vec<SyncRow>> {
    let sql = format!("SELECT {SYNC_COLUMNS} FROM conversations");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], sync_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl SyncRow {
    /// Moves the read cursor to where the server has it, never back. `by_reading`: and not because the user wrote there.
    pub(crate) fn read_on_server(&mut self, seq: i64, by_reading: bool) {
        // what was read here and not told stays to be told
        let told = self.read_told == self.has_read_seq;
        self.has_read_seq = self.has_read_seq.max(seq);
        if told && by_reading {
            self.read_told = self.has_read_seq;
        }
    }
}

/// Creates a hidden row; it appears with its first message or draft. `source` is the group of a group session, else the
/// peer.
pub(crate) fn create(connection: &Connection, conversation_id: &str, kind: i32, source: &str) -> Result<SyncRow> {
    let (user_id, group_id) = if ids::is_group(kind) { ("", source) } else { (source, "") };
    connection
        .prepare_cached("INSERT INTO conversations(conversation_id, type, user_id, group_id) VALUES(?1, ?2, ?3, ?4)")?
        .execute(params![conversation_id, kind, user_id, group_id])?;
    get(connection, connection.last_insert_rowid())
}

/// Writes back the sync state of a row.
pub(crate) fn update_sync(connection: &Connection, row: &SyncRow) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE conversations SET unread_count = ?2, has_read_seq = ?3, server_max_seq = ?4, local_max_seq = ?5,
               min_seq = ?6, max_seq = ?7, hidden = ?8, latest_message = ?9, read_floor = ?10, read_told = ?11,
               read_waits = ?12,
               latest_msg_send_time = coalesce((SELECT send_time FROM messages WHERE id = ?9), 0)
             WHERE id = ?1",
        )?
        .execute(params![
            row.id,
            row.unread_count,
            row.has_read_seq,
            row.server_max_seq,
            row.local_max_seq,
            row.min_seq,
            row.max_seq,
            row.hidden,
            row.latest_message,
            row.read_floor,
            row.read_told,
            row.read_waits
        ])?;
    Ok(())
}

/// Stores the server's settings. Answers the row's id and whether anything that listeners see has changed.
pub(crate) fn put_settings(connection: &Connection, settings: &SettingsRow) -> Result<(i64, bool)> {
    let changed: Option<(i64, bool)> = connection
        .prepare_cached(
            "SELECT id, recv_msg_opt <> ?2 OR group_at_type <> ?3 OR is_pinned <> ?4 OR is_private_chat <> ?5
               OR burn_duration <> ?6 OR is_msg_destruct <> ?7 OR msg_destruct_time <> ?8 OR attached_info <> ?9
               OR ex <> ?10 OR min_seq <> ?11 OR max_seq <> ?12
             FROM conversations WHERE conversation_id = ?1",
        )?
        .query_row(
            params![
                settings.conversation_id,
                settings.recv_msg_opt,
                settings.group_at_type,
                settings.is_pinned,
                settings.is_private_chat,
                settings.burn_duration,
                settings.is_msg_destruct,
                settings.msg_destruct_time,
                settings.attached_info,
                settings.ex,
                settings.min_seq,
                settings.max_seq
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let id: i64 = connection
        .prepare_cached(
            "INSERT INTO conversations(conversation_id, type, user_id, group_id, recv_msg_opt, group_at_type,
               is_pinned, is_private_chat, burn_duration, is_msg_destruct, msg_destruct_time, attached_info, ex,
               min_seq, max_seq)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             ON CONFLICT(conversation_id) DO UPDATE SET recv_msg_opt = ?5, group_at_type = ?6, is_pinned = ?7,
               is_private_chat = ?8, burn_duration = ?9, is_msg_destruct = ?10, msg_destruct_time = ?11,
               attached_info = ?12, ex = ?13, min_seq = ?14, max_seq = ?15
             RETURNING id",
        )?
        .query_row(
            params![
                settings.conversation_id,
                settings.kind,
                settings.user_id,
                settings.group_id,
                settings.recv_msg_opt,
                settings.group_at_type,
                settings.is_pinned,
                settings.is_private_chat,
                settings.burn_duration,
                settings.is_msg_destruct,
                settings.msg_destruct_time,
                settings.attached_info,
                settings.ex,
                settings.min_seq,
                settings.max_seq
            ],
            |row| row.get(0),
        )?;
    Ok((id, changed.is_some_and(|(_, changed)| changed)))
}

const ITEM: &str = "SELECT c.conversation_id, c.type, c.user_id, c.group_id,
    coalesce(nullif(f.remark, ''), nullif(u.nickname, ''), nullif(c.user_id, ''), c.group_id), coalesce(u.face_url, ''),
    c.recv_msg_opt, c.unread_count, c.group_at_type, c.latest_message, c.latest_msg_send_time, c.draft_text,
    c.draft_text_time, c.is_pinned, c.is_private_chat, c.burn_duration, c.is_not_in_group, c.is_msg_destruct,
    c.msg_destruct_time, c.max_seq, c.min_seq, c.has_read_seq, c.attached_info, c.ex
  FROM conversations c LEFT JOIN users u ON u.user_id = c.user_id LEFT JOIN friends f ON f.user_id = c.user_id";

/// The API's row and the id of its latest message.
fn item(row: &Row<'_>) -> rusqlite::Result<(Conversation, i64)> {
    let conversation = Conversation {
        conversation_id: row.get(0)?,
        conversation_type: row.get(1)?,
        user_id: row.get(2)?,
        group_id: row.get(3)?,
        show_name: row.get(4)?,
        face_url: row.get(5)?,
        recv_msg_opt: row.get(6)?,
        unread_count: row.get(7)?,
        group_at_type: row.get(8)?,
        latest_msg: None,
        latest_msg_send_time: row.get(10)?,
        draft_text: row.get(11)?,
        draft_text_time: row.get(12)?,
        is_pinned: row.get(13)?,
        is_private_chat: row.get(14)?,
        burn_duration: row.get(15)?,
        is_not_in_group: row.get(16)?,
        is_msg_destruct: row.get(17)?,
        msg_destruct_time: row.get(18)?,
        max_seq: row.get(19)?,
        min_seq: row.get(20)?,
        has_read_seq: row.get(21)?,
        attached_info: row.get(22)?,
        ex: row.get(23)?,
    };
    Ok((conversation, row.get(9)?))
}

fn with_latest(connection: &Connection, (mut row, latest): (Conversation, i64), me: &str) -> Result<Conversation> {
    if latest != 0 {
        row.latest_msg =
            messages::get(connection, latest)?.map(|message| Box::new(message.into_api(row.has_read_seq, me)));
    }
    Ok(row)
}

/// The API's view of a row.
pub(crate) fn item_by_key(connection: &Connection, id: i64, me: &str) -> Result<Conversation> {
    let found = connection.prepare_cached(&format!("{ITEM} WHERE c.id = ?1"))?.query_row([id], item)?;
    with_latest(connection, found, me)
}

/// The API's view of a row, hidden or not.
pub(crate) fn item_by_id(connection: &Connection, conversation_id: &str, me: &str) -> Result<Option<Conversation>> {
    let found = connection
        .prepare_cached(&format!("{ITEM} WHERE c.conversation_id = ?1"))?
        .query_row([conversation_id], item)
        .optional()?;
    found.map(|found| with_latest(connection, found, me)).transpose()
}

/// A page of the list: pinned first, then newest message or draft first. `limit` -1 = all.
pub(crate) fn page(connection: &Connection, offset: i64, limit: i64, me: &str) -> Result<Vec<Conversation>> {
    let sql = format!("{ITEM} WHERE c.hidden = 0 ORDER BY c.is_pinned DESC, c.sort_time DESC, c.id LIMIT ?2 OFFSET ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([offset, limit], item)?.collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter().map(|row| with_latest(connection, row, me)).collect()
}

/// Sum of what is unread in visible conversations that notify.
pub(crate) fn total_unread(connection: &Connection) -> Result<i64> {
    let mut statement = connection.prepare_cached(
        // the planner would rather walk the whole list
        "SELECT coalesce(sum(unread_count), 0) FROM conversations INDEXED BY conversations_unread
         WHERE unread_count > 0 AND hidden = 0 AND recv_msg_opt < 2",
    )?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Ids of the conversations with something unread.
pub(crate) fn unread_ids(connection: &Connection) -> Result<Vec<String>> {
    let mut statement =
        connection.prepare_cached("SELECT conversation_id FROM conversations WHERE unread_count > 0 ORDER BY id")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Keys of the visible conversations with this peer.
pub(crate) fn visible_with(connection: &Connection, user_id: &str) -> Result<Vec<i64>> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM conversations WHERE user_id = ?1 AND user_id <> '' AND hidden = 0")?;
    let rows = statement.query_map([user_id], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
