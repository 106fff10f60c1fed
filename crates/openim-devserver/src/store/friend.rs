//! Friends, friend applications and black lists.

use openim_proto::jssdk::FriendInfoOnly;
use openim_proto::sdkws::FriendRequest;
use rusqlite::{Connection, Result, params};

/// A friend in somebody's list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FriendRow {
    /// Place in the order of insertion.
    pub(crate) ordinal: i64,
    /// The relation; times in ms.
    pub(crate) record: FriendInfoOnly,
}

/// A friend application, of which there is one per ordered pair.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FriendRequestRow {
    /// Place in the order of application; a renewed one is a new one.
    pub(crate) ordinal: i64,
    /// The application; names and avatars are empty, for they belong to the profiles.
    pub(crate) record: FriendRequest,
}

/// An entry of a black list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlackRow {
    /// Place in the order of insertion.
    pub(crate) ordinal: i64,
    /// Whose list.
    pub(crate) owner_user_id: String,
    /// Who is in it.
    pub(crate) black_user_id: String,
    /// Since when, ms.
    pub(crate) create_time: i64,
    /// Who put him there.
    pub(crate) operator_user_id: String,
    /// Opaque extension.
    pub(crate) ex: String,
}

/// Every friend of everybody.
pub(crate) fn friends(db: &Connection) -> Result<Vec<FriendRow>> {
    db.prepare(
        "SELECT ordinal, owner_user_id, friend_user_id, remark, create_time, add_source, operator_user_id, ex, is_pinned
         FROM friend",
    )?
    .query_map([], |row| {
        Ok(FriendRow {
            ordinal: row.get(0)?,
            record: FriendInfoOnly {
                owner_user_id: row.get(1)?,
                friend_user_id: row.get(2)?,
                remark: row.get(3)?,
                create_time: row.get(4)?,
                add_source: row.get(5)?,
                operator_user_id: row.get(6)?,
                ex: row.get(7)?,
                is_pinned: row.get(8)?,
            },
        })
    })?
    .collect()
}

/// Inserts or replaces a friend.
pub(crate) fn write_friend(db: &Connection, row: &FriendRow) -> Result<()> {
    let FriendRow { ordinal, record } = row;
    db.prepare_cached(
        "INSERT OR REPLACE INTO friend (owner_user_id, friend_user_id, ordinal, remark, create_time, add_source,
             operator_user_id, ex, is_pinned) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        record.owner_user_id,
        record.friend_user_id,
        ordinal,
        record.remark,
        record.create_time,
        record.add_source,
        record.operator_user_id,
        record.ex,
        record.is_pinned
    ])?;
    Ok(())
}

/// Removes a friend.
pub(crate) fn delete_friend(db: &Connection, owner: &str, friend: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM friend WHERE owner_user_id = ?1 AND friend_user_id = ?2")?
        .execute(params![owner, friend])?;
    Ok(())
}

/// Every application.
pub(crate) fn friend_requests(db: &Connection) -> Result<Vec<FriendRequestRow>> {
    db.prepare(
        "SELECT ordinal, from_user_id, to_user_id, req_msg, ex, create_time, handle_result, handler_user_id, handle_msg,
                handle_time
         FROM friend_request",
    )?
    .query_map([], |row| {
        Ok(FriendRequestRow {
            ordinal: row.get(0)?,
            record: FriendRequest {
                from_user_id: row.get(1)?,
                to_user_id: row.get(2)?,
                req_msg: row.get(3)?,
                ex: row.get(4)?,
                create_time: row.get(5)?,
                handle_result: row.get(6)?,
                handler_user_id: row.get(7)?,
                handle_msg: row.get(8)?,
                handle_time: row.get(9)?,
                ..FriendRequest::default()
            },
        })
    })?
    .collect()
}

/// Inserts or replaces an application.
pub(crate) fn write_friend_request(db: &Connection, row: &FriendRequestRow) -> Result<()> {
    let FriendRequestRow { ordinal, record } = row;
    db.prepare_cached(
        "INSERT OR REPLACE INTO friend_request (from_user_id, to_user_id, ordinal, req_msg, ex, create_time,
             handle_result, handler_user_id, handle_msg, handle_time) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        record.from_user_id,
        record.to_user_id,
        ordinal,
        record.req_msg,
        record.ex,
        record.create_time,
        record.handle_result,
        record.handler_user_id,
        record.handle_msg,
        record.handle_time
    ])?;
    Ok(())
}

/// Every black list.
pub(crate) fn blacks(db: &Connection) -> Result<Vec<BlackRow>> {
    db.prepare("SELECT ordinal, owner_user_id, black_user_id, create_time, operator_user_id, ex FROM black")?
        .query_map([], |row| {
            Ok(BlackRow {
                ordinal: row.get(0)?,
                owner_user_id: row.get(1)?,
                black_user_id: row.get(2)?,
                create_time: row.get(3)?,
                operator_user_id: row.get(4)?,
                ex: row.get(5)?,
            })
        })?
        .collect()
}

/// Puts somebody on a black list.
pub(crate) fn insert_black(db: &Connection, row: &BlackRow) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO black (owner_user_id, black_user_id, ordinal, create_time, operator_user_id, ex)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        row.owner_user_id,
        row.black_user_id,
        row.ordinal,
        row.create_time,
        row.operator_user_id,
        row.ex
    ])?;
    Ok(())
}

/// Takes somebody off a black list.
pub(crate) fn delete_black(db: &Connection, owner: &str, black: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM black WHERE owner_user_id = ?1 AND black_user_id = ?2")?
        .execute(params![owner, black])?;
    Ok(())
}
