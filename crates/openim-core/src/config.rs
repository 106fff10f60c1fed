//! What `Client::open` takes.

use std::path::PathBuf;
use std::time::Duration;

use openim_proto::constants::platform;
use openim_proto::wire::{Wire, WireFormat};
use serde::{Deserialize, Deserializer};

use crate::error::{Error, Result};
use crate::sensitive::Sensitive;

/// Sizes that `cacheBudgetBytes` may have.
const CACHE_BUDGETS: std::ops::RangeInclusive<u64> = 1 << 20..=1 << 40;

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
    /// How long a message may be on its way before it is given up, ms.
    #[serde(default = "default_outbox_ttl")]
    pub outbox_ttl: u64,
    /// How many of its newest messages a sync fetches of each of the [`Config::sync_pull_conversations`] most recently
    /// active conversations; of the others it fetches the newest. The rest comes with the history.
    #[serde(default = "default_sync_pull_count")]
    pub sync_pull_count: u32,
    /// See [`Config::sync_pull_count`].
    #[serde(default = "default_sync_pull_conversations")]
    pub sync_pull_conversations: u32,
    /// Encoding of the frames (gateway.md 2.3, 2.4). Gob by default: writing and reading cost a fraction of JSON's, large
    /// frames are a quarter smaller, and every 3.8 server speaks it, while JSON came with 3.8.2. JSON is for reading along.
    #[serde(default = "default_wire_format")]
    pub wire_format: WireFormat,
    /// Whether frames are gzip members. Small frames are stored, not deflated.
    #[serde(default = "default_compression")]
    pub compression: bool,
    /// What to do with a damaged database.
    #[serde(default)]
    pub on_corrupt_database: OnCorruptDatabase,
    /// What the page caches of all databases of the process may hold together, bytes (R9). Of several clients' wishes the
    /// largest counts, as long as that client is logged in; 64 MiB where none has one.
    #[serde(default)]
    pub cache_budget_bytes: Option<u64>,
    /// Proxy for the socket and the REST API: `http://` (CONNECT) or `socks5://`, with optional `user:password@`. Nothing
    /// is read from the environment. Sensitive for the password.
    #[serde(default)]
    pub proxy: Option<Sensitive<String>>,
    /// Certificate authorities beside the built-in and the system's ones: each the text of a PEM file, or its path.
    #[serde(default, deserialize_with = "one_or_many")]
    pub ca_certificates: Vec<String>,
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

fn default_outbox_ttl() -> u64 {
    24 * 60 * 60 * 1000
}

fn default_sync_pull_count() -> u32 {
    20
}

fn default_sync_pull_conversations() -> u32 {
    50
}

fn default_wire_format() -> WireFormat {
    WireFormat::Gob
}

fn default_compression() -> bool {
    true
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a string or a list of strings")]
    enum Given {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Given::deserialize(deserializer)? {
        Given::One(one) => vec![one],
        Given::Many(many) => many,
    })
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
        for (field, address) in [("apiAddr", &self.api_addr), ("wsAddr", &self.ws_addr)] {
            if !address.split_once("://").is_some_and(|(_, rest)| rest.starts_with(|c: char| !"/?#:@".contains(c))) {
                return Err(Error::args(field, "must have a host"));
            }
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
        if self.outbox_ttl == 0 {
            return Err(Error::args("outboxTtl", "must be a positive number of milliseconds"));
        }
        if self.sync_pull_count == 0 || self.sync_pull_count > 10_000 {
            return Err(Error::args("syncPullCount", "must be from 1 to 10000"));
        }
        if self.cache_budget_bytes.is_some_and(|bytes| !CACHE_BUDGETS.contains(&bytes)) {
            return Err(Error::args("cacheBudgetBytes", "must be from 1048576 (1 MiB) to 1099511627776 (1 TiB)"));
        }
        Ok(())
    }

    /// The REST address without a trailing slash: paths start with one (http.md 1.1).
    pub(crate) fn api_base(&self) -> &str {
        self.api_addr.trim_end_matches('/')
    }

    /// How frames travel.
    pub(crate) fn wire(&self) -> Wire {
        Wire { format: self.wire_format, gzip: self.compression }
    }

    /// The data folder, or `None` for memory.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        (self.data_dir != ":memory:").then(|| PathBuf::from(&self.data_dir))
    }

    pub(crate) fn outbox_ttl_ms(&self) -> i64 {
        i64::try_from(self.outbox_ttl).unwrap_or(i64::MAX)
    }

    pub(crate) fn send_timeout(&self) -> Duration {
        Duration::from_millis(self.send_timeout)
    }
}
