//! Applications for friendship, sent and received.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::Result;
use crate::model::FriendApplication;

/// Whose applications: those that the user received, or those that he sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Received,
    Sent,
}

impl Side {
    const fn column(self) -> &'static str {
        match self {
            Self::Received => "to_user_id",
            Self::Sent => "from_user_id",
        }
    }
}

const COLUMNS: &str = "from_user_id, from_nickname, from_face_url, to_user_id, to_nickname, to_face_url, handle_result, \
                       req_msg, create_time, handler_user_id, handle_msg, handle_time, ex";

fn from_row(row: &Row<'_>) -> rusqlite::Result<FriendApplication> {
    Ok(FriendApplication {
        from_user_id: row.get(0)?,
        from_nickname: row.get(1)?,
        from_face_url: row.get(2)?,
        to_user_id: row.get(3)?,
        to_nickname: row.get(4)?,
        to_face_url: row.get(5)?,
        handle_result: row.get(6)?,
        req_msg: row.get(7)?,
        create_time: row.get(8)?,
        handler_user_id: row.get(9)?,
        handle_msg: row.get(10)?,
        handle_time: row.get(11)?,
        ex: row.get(12)?,
        attached_info: String::new(),
    })
}

/// The application of two users, hidden or not, and whether it is hidden.
pub(crate) fn get(connection: &Connection, from: &str, to: &str) -> Result<Option<(FriendApplication, bool)>> {
    let sql = format!("SELECT {COLUMNS}, hidden FROM friend_requests WHERE from_user_id = ?1 AND to_user_id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([from, to], |row| Ok((from_row(row)?, row.get(13)?))).optional()?)
}

/// A page, newest first, without the hidden ones. `results` empty = any; `count` -1 = all.
pub(crate) fn page(
    connection: &Connection,
    side: Side,
    me: &str,
    results: &[i32],
    (offset, count): (i64, i64),
) -> Result<Vec<FriendApplication>> {
    // a bit per result: -1, 0, 1
    let wanted = results.iter().fold(0, |wanted, result| wanted | 1 << (result.clamp(&-1, &1) + 1));
    let sql = format!(
        "SELECT {COLUMNS} FROM friend_requests
         WHERE {} = ?1 AND hidden = 0 AND (?2 = 0 OR (1 << (handle_result + 1)) & ?2 <> 0)
         ORDER BY create_time DESC, from_user_id, to_user_id LIMIT ?4 OFFSET ?3",
        side.column()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![me, wanted, offset, count], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the newest stored application of a side was made; 0 if there is none.
pub(crate) fn newest(connection: &Connection, side: Side, me: &str) -> Result<i64> {
    let sql = format!("SELECT coalesce(max(create_time), 0) FROM friend_requests WHERE {} = ?1", side.column());
    Ok(connection.prepare_cached(&sql)?.query_row([me], |row| row.get(0))?)
}

/// How many received applications wait for an answer that are newer than `time`, ms.
pub(crate) fn unhandled(connection: &Connection, me: &str, time: i64) -> Result<i64> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM friend_requests
         WHERE to_user_id = ?1 AND handle_result = 0 AND hidden = 0 AND create_time > ?2",
    )?;
    Ok(statement.query_row(params![me, time], |row| row.get(0))?)
}

/// Stores an application and shows it.
pub(crate) fn put(connection: &Connection, application: &FriendApplication) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO friend_requests(from_user_id, from_nickname, from_face_url, to_user_id, to_nickname,
               to_face_url, handle_result, req_msg, create_time, handler_user_id, handle_msg, handle_time, ex, hidden)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0)",
        )?
        .execute(params![
            application.from_user_id,
            application.from_nickname,
            application.from_face_url,
            application.to_user_id,
            application.to_nickname,
            application.to_face_url,
            application.handle_result,
            application.req_msg,
            application.create_time,
            application.handler_user_id,
            application.handle_msg,
            application.handle_time,
            application.ex
        ])?;
    Ok(())
}

/// Hides an application on this device.
pub(crate) fn hide(connection: &Connection, from: &str, to: &str) -> Result<()> {
    connection
        .prepare_cached("UPDATE friend_requests SET hidden = 1 WHERE from_user_id = ?1 AND to_user_id = ?2")?
        .execute([from, to])?;
    Ok(())
}

/// The server no longer has it.
pub(crate) fn remove(connection: &Connection, from: &str, to: &str) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM friend_requests WHERE from_user_id = ?1 AND to_user_id = ?2")?
        .execute([from, to])?;
    Ok(())
}
