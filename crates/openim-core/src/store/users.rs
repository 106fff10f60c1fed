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
    /// When it was fetched, ms; 0 = only seen on a message; 1 = doubted: shown until it is fetched again.
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

/// Stores what the records of lists say of a user: his names and data, nothing else.
pub(crate) fn put_names(connection: &Connection, user: &UserRow) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO users(user_id, nickname, face_url, ex, fetched_at) VALUES(?1, ?2, ?3, ?4, ?5)
             ON CONFLICT(user_id) DO UPDATE SET nickname = ?2, face_url = ?3, ex = ?4, fetched_at = ?5",
        )?
        .execute(params![user.user_id, user.nickname, user.face_url, user.ex, user.fetched_at])?;
    Ok(())
}

/// The name and avatar under which a conversation with a user appears: the friend's remark goes before his name.
pub(crate) fn shown(connection: &Connection, user_id: &str) -> Result<Option<(String, String)>> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(nullif(f.remark, ''), u.nickname, ''), coalesce(u.face_url, '')
         FROM (SELECT ?1 AS user_id) AS who LEFT JOIN users u USING(user_id) LEFT JOIN friends f USING(user_id)
         WHERE u.user_id IS NOT NULL OR f.user_id IS NOT NULL",
    )?;
    Ok(statement.query_row([user_id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// Doubts a profile that was fetched before `before`, ms, if a message shows another name: it is fetched again, and shown
/// until then. Whether it is doubted now.
pub(crate) fn doubt(
    connection: &Connection,
    user_id: &str,
    (nickname, face_url): (&str, &str),
    before: i64,
) -> Result<bool> {
    let doubted = connection
        .prepare_cached(
            "UPDATE users SET fetched_at = 1
             WHERE user_id = ?1 AND (nickname <> ?2 OR face_url <> ?3) AND fetched_at BETWEEN 2 AND ?4",
        )?
        .execute(params![user_id, nickname, face_url, before])?;
    Ok(doubted > 0)
}

/// The name and avatar of a fetched profile.
pub(crate) fn names(connection: &Connection, user_id: &str) -> Result<Option<(String, String)>> {
    let mut statement =
        connection.prepare_cached("SELECT nickname, face_url FROM users WHERE user_id = ?1 AND fetched_at > 0")?;
    Ok(statement.query_row([user_id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
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

/// Peers of single chats whose profile was never fetched, or is doubted; at most `limit`.
pub(crate) fn unknown_peers(connection: &Connection, limit: usize) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT c.user_id FROM conversations c LEFT JOIN users u ON u.user_id = c.user_id
         WHERE c.user_id <> '' AND coalesce(u.fetched_at, 0) <= 1 LIMIT ?1",
    )?;
    let rows = statement.query_map([limit as i64], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
