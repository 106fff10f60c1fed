//! Which database a session has: one per user and platform (R10).

use crate::config::{Config, OnCorruptDatabase};
use crate::error::Result;
use crate::store::{Database, DatabaseConfig, Opened, Weight, meta};

/// Opens it; a second owner is refused.
pub(crate) async fn open(config: &Config, user_id: &str) -> Result<(Database, Opened)> {
    let database = DatabaseConfig {
        folder: config.folder(),
        name: file_name(user_id, config.platform_id),
        reset_if_corrupt: config.on_corrupt_database == OnCorruptDatabase::Reset,
        cache_budget: config.cache_budget_bytes,
    };
    let identity = format!("{user_id} {} {}", config.api_addr, config.ws_addr);
    let (store, opened) = Database::open(database).await?;
    store
        .write(Weight::Light, move |connection| meta::set(connection, meta::SERVER_IDENTITY, &identity), |()| ())
        .await?;
    Ok((store, opened))
}

/// `<percent-encoded userID>.<platformID>.db` (R10). An id cannot leave the folder.
fn file_name(user_id: &str, platform_id: i32) -> String {
    let mut name = String::with_capacity(user_id.len() + 8);
    for byte in user_id.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{name}.{platform_id}.db")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_cannot_leave_the_folder() {
        assert_eq!(file_name("alice", 7), "alice.7.db");
        assert_eq!(file_name("../张.3", 5), "%2E%2E%2F%E5%BC%A0%2E3.5.db");
    }
}
