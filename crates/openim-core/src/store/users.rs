//! Profiles: the user's own and the cache of others.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::Result;

/// A row of `users`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UserRow {
    pub(crate) user_id: String,
    pub(crate) nickname: String,
    pub(crate) face_url: String,
    pub(crate) ex: String,
    pub(crate) create_time: i64,
    pub(crate) global_recv_msg_opt: i32,
    /// 0 = only seen on a message, never fetched.
    pub(crate) fetched_at: i64,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        user_id: row.get(0)?,
        nickname: row.get(1)?,
        face_url: row.get(2)?,
        ex: row.get(3)?,
        create_time: row.get(4)?,
        global_recv_msg_opt: row.get(5)?,
        fetched_at: row.get(6)?,
    })
}

pub(crate) fn get(connection: &Connection, user_id: &str) -> Result<Option<UserRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT user_id, nickname, face_url, ex, create_time, global_recv_msg_opt, fetched_at
         FROM users WHERE user_id = ?1",
    )?;
    Ok(statement.query_row([user_id], from_row).optional()?)
}

/// Stores a fetched profile. True if name or avatar differ from what was known.
pub(crate) fn put(connection: &Connection, user: &UserRow) -> Result<bool> {
    let before = get(connection, &user.user_id)?;
    connection
        .prepare_cached(
            "INSERT INTO users(user_id, nickname, face_url, ex, create_time, global_recv_msg_opt, fetched_at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT(user_id) DO UPDATE SET nickname = ?2, face_url = ?3, ex = ?4, create_time = ?5,
               global_recv_msg_opt = ?6, fetched_at = ?7",
        )?
        .execute(params![
            user.user_id,
            user.nickname,
            user.face_url,
            user.ex,
            user.create_time,
            user.global_recv_msg_opt,
            user.fetched_at
        ])?;
    Ok(before.is_none_or(|before| before.nickname != user.nickname || before.face_url != user.face_url))
}

/// Remembers the name on a message of somebody whose profile is not known; a fetched profile stays as it is.
pub(crate) fn seen(connection: &Connection, user_id: &str, nickname: &str, face_url: &str) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO users(user_id, nickname, face_url) VALUES(?1, ?2, ?3)
             ON CONFLICT(user_id) DO UPDATE SET nickname = ?2, face_url = ?3 WHERE fetched_at = 0",
        )?
        .execute(params![user_id, nickname, face_url])?;
    Ok(())
}

/// Peers of single chats whose profile was never fetched, at most `limit`.
pub(crate) fn unknown_peers(connection: &Connection, limit: usize) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT c.user_id FROM conversations c LEFT JOIN users u ON u.user_id = c.user_id
         WHERE c.user_id <> '' AND coalesce(u.fetched_at, 0) = 0 LIMIT ?1",
    )?;
    let rows = statement.query_map([limit as i64], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
