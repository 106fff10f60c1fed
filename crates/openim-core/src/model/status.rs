//! State that can be asked for at any time.

use serde::{Serialize, Serializer};

/// OpenIM's login status numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoginStatus {
    /// 1
    #[default]
    LoggedOut = 1,
    /// 2
    LoggingIn = 2,
    /// 3
    LoggedIn = 3,
}

impl Serialize for LoginStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

/// State of the connection to the gateway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum ConnectionStatus {
    /// No session, or waiting for the next attempt.
    #[default]
    Disconnected,
    /// An attempt is running.
    Connecting,
    /// Usable.
    Connected,
}

/// State of the sync that follows each connect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum SyncStatus {
    /// Not begun since the last connect.
    #[default]
    Idle,
    /// Running.
    Syncing,
    /// As far as the server.
    Synced,
    /// Failed; tried again by itself.
    Failed,
}

/// What the status functions answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Login status.
    #[serde(rename = "loginStatus")]
    pub login_status: LoginStatus,
    /// Connection status.
    #[serde(rename = "connectionStatus")]
    pub connection_status: ConnectionStatus,
    /// Sync status.
    #[serde(rename = "syncStatus")]
    pub sync_status: SyncStatus,
    /// The logged-in user; empty if none.
    #[serde(rename = "userID")]
    pub user_id: String,
}

/// Figures of a running client.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Stats {
    /// Round trip of the last answered request, ms; 0 before the first.
    #[serde(rename = "rttMs")]
    pub rtt_ms: f64,
    /// Connections made after the first.
    pub reconnects: u32,
    /// Requests without an answer yet.
    #[serde(rename = "requestsInFlight")]
    pub requests_in_flight: u32,
    /// Messages waiting to be sent.
    #[serde(rename = "outboxQueued")]
    pub outbox_queued: u32,
    /// Events waiting for the listener side.
    #[serde(rename = "eventsQueued")]
    pub events_queued: u32,
    /// Events dropped since the client was opened.
    #[serde(rename = "eventsDropped")]
    pub events_dropped: u32,
    /// Bytes of the database file and its log; 0 in memory.
    #[serde(rename = "databaseBytes")]
    pub database_bytes: u32,
}
