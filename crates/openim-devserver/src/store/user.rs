//! Users, their login tokens, push tokens and client configuration.

use openim_proto::sdkws::UserInfo;
use rusqlite::{Connection, Result, params};

/// A user with his place in the order of registration.
pub(crate) struct UserRow {
    /// Place in the order of registration.
    pub(crate) ordinal: i64,
    /// Profile.
    pub(crate) info: UserInfo,
}

/// A login token that the server has issued.
pub(crate) struct TokenRow {
    /// Whose.
    pub(crate) user_id: String,
    /// For which platform.
    pub(crate) platform_id: i32,
    /// The JWT.
    pub(crate) token: String,
    /// 0 normal, 2 kicked.
    pub(crate) state: i32,
}

/// One setting handed to clients; an empty user means everybody.
pub(crate) struct ConfigRow {
    /// Whose, or empty.
    pub(crate) user_id: String,
    /// Name.
    pub(crate) key: String,
    /// Value.
    pub(crate) value: String,
}

/// Every user in order of registration.
pub(crate) fn users(db: &Connection) -> Result<Vec<UserRow>> {
    db.prepare(
        "SELECT ordinal, user_id, nickname, face_url, ex, create_time, app_manager_level, global_recv_msg_opt
         FROM user ORDER BY ordinal",
    )?
    .query_map([], |row| {
        Ok(UserRow {
            ordinal: row.get(0)?,
            info: UserInfo {
                user_id: row.get(1)?,
                nickname: row.get(2)?,
                face_url: row.get(3)?,
                ex: row.get(4)?,
                create_time: row.get(5)?,
                app_manger_level: row.get(6)?,
                global_recv_msg_opt: row.get(7)?,
            },
        })
    })?
    .collect()
}

/// Inserts a user or replaces the profile.
pub(crate) fn write_user(db: &Connection, row: &UserRow) -> Result<()> {
    let UserRow { ordinal, info } = row;
    db.prepare_cached("INSERT OR REPLACE INTO user VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
        ordinal,
        info.user_id,
        info.nickname,
        info.face_url,
        info.ex,
        info.create_time,
        info.app_manger_level,
        info.global_recv_msg_opt
    ])?;
    Ok(())
}

/// Every token, oldest first.
pub(crate) fn tokens(db: &Connection) -> Result<Vec<TokenRow>> {
    db.prepare("SELECT user_id, platform_id, token, state FROM token ORDER BY ordinal")?
        .query_map([], |row| {
            Ok(TokenRow { user_id: row.get(0)?, platform_id: row.get(1)?, token: row.get(2)?, state: row.get(3)? })
        })?
        .collect()
}

/// Inserts a token or sets its state.
pub(crate) fn write_token(db: &Connection, row: &TokenRow) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO token (user_id, platform_id, token, state) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (user_id, platform_id, token) DO UPDATE SET state = excluded.state",
    )?
    .execute(params![row.user_id, row.platform_id, row.token, row.state])?;
    Ok(())
}

/// Forgets a token.
pub(crate) fn delete_token(db: &Connection, user_id: &str, platform_id: i32, token: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM token WHERE user_id = ?1 AND platform_id = ?2 AND token = ?3")?.execute(params![
        user_id,
        platform_id,
        token
    ])?;
    Ok(())
}

/// Stores the vendor's push token of a device.
pub(crate) fn write_push_token(
    db: &Connection,
    user_id: &str,
    platform_id: i32,
    token: &str,
    expire_time: i64,
) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO push_token VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        user_id,
        platform_id,
        token,
        expire_time
    ])?;
    Ok(())
}

/// Forgets the vendor's push token of a device.
pub(crate) fn delete_push_token(db: &Connection, user_id: &str, platform_id: i32) -> Result<()> {
    db.prepare_cached("DELETE FROM push_token WHERE user_id = ?1 AND platform_id = ?2")?
        .execute(params![user_id, platform_id])?;
    Ok(())
}

/// Every setting for clients.
pub(crate) fn client_configs(db: &Connection) -> Result<Vec<ConfigRow>> {
    db.prepare("SELECT user_id, key, value FROM client_config")?
        .query_map([], |row| Ok(ConfigRow { user_id: row.get(0)?, key: row.get(1)?, value: row.get(2)? }))?
        .collect()
}

/// Sets a setting for clients.
pub(crate) fn write_client_config(db: &Connection, row: &ConfigRow) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO client_config VALUES (?1, ?2, ?3)")?.execute(params![
        row.user_id,
        row.key,
        row.value
    ])?;
    Ok(())
}

/// Removes a setting for clients.
pub(crate) fn delete_client_config(db: &Connection, user_id: &str, key: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM client_config WHERE user_id = ?1 AND key = ?2")?.execute(params![user_id, key])?;
    Ok(())
}
