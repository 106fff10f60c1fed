//! What `Client::open` takes.

use std::path::PathBuf;
use std::time::Duration;

use openim_proto::constants::platform;
use serde::Deserialize;

use crate::error::{Error, Result};

/// Configuration of a client. Names are the API's.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// REST address, `http://` or `https://`; may have a path.
    pub api_addr: String,
    /// Gateway address, `ws://` or `wss://`; any path.
    pub ws_addr: String,
    /// Platform of this device, 1 to 11; must be the token's.
    #[serde(rename = "platformID")]
    pub platform_id: i32,
    /// Folder of the databases, one file per user and platform; `:memory:` keeps everything in memory.
    #[serde(default = "default_data_dir")]
    pub data_dir: String,
    /// How long `sendMessage` waits for the server's answer, ms.
    #[serde(default = "default_send_timeout")]
    pub send_timeout: u64,
    /// How many of its newest messages a sync fetches of each of the [`Config::sync_pull_conversations`] most recently
    /// active conversations; of the others it fetches the newest. The rest comes with the history.
    #[serde(default = "default_sync_pull_count")]
    pub sync_pull_count: u32,
    /// See [`Config::sync_pull_count`].
    #[serde(default = "default_sync_pull_conversations")]
    pub sync_pull_conversations: u32,
    /// Whether frames are gzip members. Small frames are stored, not deflated.
    #[serde(default = "default_compression")]
    pub compression: bool,
    /// What to do with a damaged database.
    #[serde(default)]
    pub on_corrupt_database: OnCorruptDatabase,
}

/// What to do with a damaged database (R32).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnCorruptDatabase {
    /// Fail the login and leave the file untouched.
    #[default]
    Fail,
    /// Move the file aside and start as a new device; `OnDatabaseReset` tells.
    Reset,
}

fn default_data_dir() -> String {
    ".".to_owned()
}

fn default_send_timeout() -> u64 {
    60_000
}

fn default_sync_pull_count() -> u32 {
    20
}

fn default_sync_pull_conversations() -> u32 {
    50
}

fn default_compression() -> bool {
    true
}

impl Config {
    /// Refuses what cannot work, naming the field.
    pub fn validate(&self) -> Result<()> {
        let scheme = |address: &str, schemes: [&str; 2]| schemes.iter().any(|scheme| address.starts_with(scheme));
        if !scheme(&self.api_addr, ["http://", "https://"]) {
            return Err(Error::args("apiAddr", "must start with http:// or https://"));
        }
        if !scheme(&self.ws_addr, ["ws://", "wss://"]) {
            return Err(Error::args("wsAddr", "must start with ws:// or wss://"));
        }
        if platform::name(self.platform_id).is_none() {
            return Err(Error::args("platformID", "must be a platform number from 1 to 11"));
        }
        if self.data_dir.is_empty() {
            return Err(Error::args("dataDir", "must not be empty"));
        }
        if self.send_timeout == 0 {
            return Err(Error::args("sendTimeout", "must be a positive number of milliseconds"));
        }
        if self.sync_pull_count == 0 || self.sync_pull_count > 10_000 {
            return Err(Error::args("syncPullCount", "must be from 1 to 10000"));
        }
        Ok(())
    }

    /// The REST address without a trailing slash: paths start with one (http.md 1.1).
    pub(crate) fn api_base(&self) -> &str {
        self.api_addr.trim_end_matches('/')
    }

    /// The data folder, or `None` for memory.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        (self.data_dir != ":memory:").then(|| PathBuf::from(&self.data_dir))
    }

    pub(crate) fn send_timeout(&self) -> Duration {
        Duration::from_millis(self.send_timeout)
    }
}
