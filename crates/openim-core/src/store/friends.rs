//! The friend list. A row is the relation; name and avatar are joined from `users`.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::Result;
use crate::model::Friend;

/// A row of `friends`, without its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FriendRow {
    pub(crate) user_id: String,
    pub(crate) remark: String,
    pub(crate) create_time: i64,
    pub(crate) add_source: i32,
    pub(crate) operator_user_id: String,
    pub(crate) ex: String,
    pub(crate) is_pinned: bool,
}

const COLUMNS: &str = "f.user_id, coalesce(u.nickname, ''), coalesce(u.face_url, ''), f.remark, f.create_time,
    f.add_source, f.operator_user_id, f.ex, f.is_pinned";
const NAMED: &str = "LEFT JOIN users u ON u.user_id = f.user_id";

/// Only those who are not on the black list.
const NOT_BLACK: &str = "f.user_id NOT IN (SELECT user_id FROM blacks)";

fn item(row: &Row<'_>, me: &str) -> rusqlite::Result<Friend> {
    Ok(Friend {
        owner_user_id: me.to_owned(),
        user_id: row.get(0)?,
        nickname: row.get(1)?,
        face_url: row.get(2)?,
        remark: row.get(3)?,
        create_time: row.get(4)?,
        add_source: row.get(5)?,
        operator_user_id: row.get(6)?,
        ex: row.get(7)?,
        attached_info: String::new(),
        is_pinned: row.get(8)?,
    })
}

/// The API's view of a friend.
pub(crate) fn get(connection: &Connection, user_id: &str, me: &str) -> Result<Option<Friend>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM friends f {NAMED} WHERE f.user_id = ?1"))?;
    Ok(statement.query_row([user_id], |row| item(row, me)).optional()?)
}

/// A page of the list in the server's order; `limit` -1 = all.
pub(crate) fn page(
    connection: &Connection,
    offset: i64,
    limit: i64,
    filter_black: bool,
    me: &str,
) -> Result<Vec<Friend>> {
    let only = if filter_black { format!("WHERE {NOT_BLACK}") } else { String::new() };
    let sql = if offset == 0 {
        format!("SELECT {COLUMNS} FROM friends f {NAMED} {only} ORDER BY f.sort_index LIMIT ?2 OFFSET ?1")
    } else {
        // what is left out is passed over in the index alone
        format!(
            "SELECT {COLUMNS} FROM
               (SELECT f.user_id, f.sort_index FROM friends f {only} ORDER BY f.sort_index LIMIT ?2 OFFSET ?1) page
             CROSS JOIN friends f ON f.user_id = page.user_id {NAMED} ORDER BY page.sort_index"
        )
    };
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([offset, limit], |row| item(row, me))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Stores a friend; a new one, or one whose friendship began anew, goes to the end of the list.
pub(crate) fn put(connection: &Connection, friend: &FriendRow) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO friends(user_id, remark, create_time, add_source, operator_user_id, ex, is_pinned, sort_index)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT coalesce(max(sort_index), -1) + 1 FROM friends))
             ON CONFLICT(user_id) DO UPDATE SET remark = ?2, create_time = ?3, add_source = ?4, operator_user_id = ?5,
               ex = ?6, is_pinned = ?7,
               sort_index = CASE WHEN create_time = ?3 THEN sort_index ELSE excluded.sort_index END",
        )?
        .execute(params![
            friend.user_id,
            friend.remark,
            friend.create_time,
            friend.add_source,
            friend.operator_user_id,
            friend.ex,
            friend.is_pinned
        ])?;
    Ok(())
}

pub(crate) fn remove(connection: &Connection, user_id: &str) -> Result<()> {
    connection.prepare_cached("DELETE FROM friends WHERE user_id = ?1")?.execute([user_id])?;
    Ok(())
}

/// Gives the list the server's order. Whoever the order does not name stays behind those it names.
pub(crate) fn set_order(connection: &Connection, user_ids: &[String]) -> Result<()> {
    connection.prepare_cached("UPDATE friends SET sort_index = sort_index + ?1")?.execute([user_ids.len() as i64])?;
    let mut update = connection.prepare_cached("UPDATE friends SET sort_index = ?2 WHERE user_id = ?1")?;
    for (place, user_id) in user_ids.iter().enumerate() {
        update.execute(params![user_id, place as i64])?;
    }
    Ok(())
}

/// Which of the users are friends and not on the black list.
pub(crate) fn is_friend(connection: &Connection, user_id: &str) -> Result<bool> {
    let sql = format!("SELECT 1 FROM friends f WHERE f.user_id = ?1 AND {NOT_BLACK}");
    Ok(connection.prepare_cached(&sql)?.exists([user_id])?)
}
