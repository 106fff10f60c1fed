//! The black list. A row is the entry; name and avatar are joined from `users`.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::error::Result;
use crate::model::Black;

/// A row of `blacks`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BlackRow {
    pub(crate) user_id: String,
    pub(crate) create_time: i64,
    pub(crate) add_source: i32,
    pub(crate) operator_user_id: String,
    pub(crate) ex: String,
}

/// The whole list, oldest entry first.
pub(crate) fn all(connection: &Connection, me: &str) -> Result<Vec<Black>> {
    let mut statement = connection.prepare_cached(
        "SELECT b.user_id, coalesce(u.nickname, ''), coalesce(u.face_url, ''), b.create_time, b.add_source,
           b.operator_user_id, b.ex
         FROM blacks b LEFT JOIN users u ON u.user_id = b.user_id ORDER BY b.create_time, b.user_id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Black {
            owner_user_id: me.to_owned(),
            user_id: row.get(0)?,
            nickname: row.get(1)?,
            face_url: row.get(2)?,
            create_time: row.get(3)?,
            add_source: row.get(4)?,
            operator_user_id: row.get(5)?,
            ex: row.get(6)?,
            attached_info: String::new(),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The whole list by user.
pub(crate) fn by_user(connection: &Connection, me: &str) -> Result<BTreeMap<String, Black>> {
    Ok(all(connection, me)?.into_iter().map(|black| (black.user_id.clone(), black)).collect())
}

/// Makes the list these rows.
pub(crate) fn replace(connection: &Connection, rows: &[BlackRow]) -> Result<()> {
    connection.prepare_cached("DELETE FROM blacks")?.execute([])?;
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO blacks(user_id, create_time, add_source, operator_user_id, ex)
         VALUES(?1, ?2, ?3, ?4, ?5)",
    )?;
    for row in rows {
        insert.execute(params![row.user_id, row.create_time, row.add_source, row.operator_user_id, row.ex])?;
    }
    Ok(())
}
