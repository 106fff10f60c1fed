//! What can go wrong, as situations. Each has a stable string code, the OpenIM number and a retry class; the table is
//! the source of `docs/errors.md`.

use std::path::PathBuf;

use openim_proto::error_code;

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// Once the network is back.
    Network,
    /// After a while.
    Transient,
    /// Not without changing something.
    Permanent,
}

/// A row of the error table.
#[derive(Debug, PartialEq, Eq)]
pub struct Situation {
    /// Stable string code.
    pub code: &'static str,
    /// OpenIM's number: below 10000 the server's, from 10000 the SDK's (gateway.md 9.5).
    pub err_code: i32,
    /// Whether trying again can help.
    pub retry: Retry,
    /// One line for the glossary.
    pub meaning: &'static str,
}

macro_rules! situations {
    ($($name:ident = $code:literal, $number:literal, $retry:ident, $meaning:literal;)*) => {
        $(static $name: Situation =
            Situation { code: $code, err_code: $number, retry: Retry::$retry, meaning: $meaning };)*

        /// The whole table, in the order of the glossary.
        pub static SITUATIONS: &[&Situation] = &[$(&$name),*];
    };
}

situations! {
    ARGS = "OPENIM_ARGS", 10002, Permanent, "A parameter is missing or wrong; `field` names it.";
    NOT_LOGGED_IN = "OPENIM_NOT_LOGGED_IN", 10009, Permanent, "The call needs a login first.";
    CLOSED = "OPENIM_CLOSED", 10008, Permanent, "The client is closed.";
    LOGIN_REPEATED = "OPENIM_LOGIN_REPEATED", 10102, Permanent, "Another user is logged in on this client; log out first.";
    LOGGED_OUT = "OPENIM_LOGGED_OUT", 10101, Permanent, "The session ended while the call was running.";
    NETWORK = "OPENIM_NETWORK", 10000, Network, "The server cannot be reached, or the connection was lost.";
    TIMEOUT = "OPENIM_TIMEOUT", 10001, Network, "The server did not answer in time.";
    PROXY = "OPENIM_PROXY", 10000, Network, "The proxy cannot be reached, refuses the connection or the credentials, or does not answer; the text names it.";
    CERTIFICATE = "OPENIM_CERTIFICATE", 10000, Network, "The server's TLS certificate is not accepted; caCertificates adds authorities.";
    SEND_PENDING = "OPENIM_SEND_PENDING", 10003, Network, "The message is stored and queued but was not answered within sendTimeout; OnMessageSendStateChanged tells the outcome.";
    SEND_CANCELLED = "OPENIM_SEND_CANCELLED", 10003, Permanent, "The message was taken back by cancelSend, or by an AbortSignal before its request left.";
    SEND_EXPIRED = "OPENIM_SEND_EXPIRED", 10003, Permanent, "The message was on its way for longer than outboxTtl.";
    NOT_SENDING = "OPENIM_NOT_SENDING", 10204, Permanent, "The message is not on its way: it is sent or has failed.";
    ABORTED = "OPENIM_ABORTED", 10003, Permanent, "The caller's AbortSignal ended the wait.";
    PROTOCOL = "OPENIM_PROTOCOL", 10202, Transient, "The server's answer cannot be understood.";
    MESSAGE_TOO_LARGE = "OPENIM_MESSAGE_TOO_LARGE", 10002, Permanent, "The frame, as sent, would exceed what servers accept.";
    MESSAGE_REPEATED = "OPENIM_MESSAGE_REPEATED", 10204, Permanent, "The message was sent before; only failed ones can be sent again.";
    CONTENT_TYPE = "OPENIM_CONTENT_TYPE", 10205, Permanent, "Messages of this content type cannot be sent.";
    NOT_FOUND = "OPENIM_NOT_FOUND", 10200, Permanent, "The message, conversation or user is not in the local database.";
    NOT_SUPPORTED = "OPENIM_NOT_SUPPORTED", 10301, Permanent, "The server, or this build, does not offer the call.";
    DATA_DIR = "OPENIM_DATA_DIR", 10002, Permanent, "The data folder cannot be created or written.";
    DB_IN_USE = "OPENIM_DB_IN_USE", 10006, Permanent, "Another client or process has this user's database open.";
    DB_CORRUPT = "OPENIM_DB_CORRUPT", 10006, Permanent, "The local database is damaged; the file is untouched.";
    DB_TOO_NEW = "OPENIM_DB_TOO_NEW", 10006, Permanent, "The local database was written by a newer version of this package.";
    DISK_FULL = "OPENIM_DISK_FULL", 10006, Transient, "The disk is full; nothing was stored.";
    DATABASE = "OPENIM_DATABASE", 10006, Transient, "The local database failed.";
    INTERNAL = "OPENIM_INTERNAL", 10006, Permanent, "A defect of this package; the log has the details.";
    BINARY_MISSING = "OPENIM_BINARY_MISSING", 10301, Permanent, "The native binary for this platform cannot be loaded; the text tells how to repair it.";
    ADDRESS = "OPENIM_ADDRESS", 10000, Permanent, "The dev server cannot listen on an address.";
    TOKEN_EXPIRED = "OPENIM_TOKEN_EXPIRED", 1501, Permanent, "The token is expired; log in with a new one.";
    TOKEN_INVALID = "OPENIM_TOKEN_INVALID", 1502, Permanent, "The server does not accept the token (1502, 1503, 1504, 1505 or 1507).";
    KICKED_OFFLINE = "OPENIM_KICKED_OFFLINE", 1506, Permanent, "Another login took this one's place.";
    TOO_MANY_CONNECTIONS = "OPENIM_TOO_MANY_CONNECTIONS", 1601, Transient, "The gateway is full; the client tries again.";
    SERVER_INTERNAL = "OPENIM_SERVER_INTERNAL", 500, Transient, "The server failed inside.";
    SERVER_ARGS = "OPENIM_SERVER_ARGS", 1001, Permanent, "The server refused the arguments.";
    NO_PERMISSION = "OPENIM_NO_PERMISSION", 1002, Permanent, "The user may not do this.";
    RECORD_NOT_FOUND = "OPENIM_RECORD_NOT_FOUND", 1004, Permanent, "The server does not know the user, group or record.";
    NOT_IN_GROUP = "OPENIM_NOT_IN_GROUP", 1203, Permanent, "The user is not a member of the group.";
    GROUP_DISMISSED = "OPENIM_GROUP_DISMISSED", 1204, Permanent, "The group is dismissed.";
    BLOCKED_BY_PEER = "OPENIM_BLOCKED_BY_PEER", 1302, Permanent, "The receiver blocks the sender.";
    NOT_PEERS_FRIEND = "OPENIM_NOT_PEERS_FRIEND", 1303, Permanent, "The server demands friendship and the receiver's list lacks the sender.";
    MUTED_IN_GROUP = "OPENIM_MUTED_IN_GROUP", 1402, Permanent, "The sender is muted in the group.";
    MUTED_GROUP = "OPENIM_MUTED_GROUP", 1403, Permanent, "The whole group is muted.";
    SERVER = "OPENIM_SERVER", 1000, Permanent, "Any other refusal by the server; `errCode` is the server's number.";
}

/// Every failure of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter is missing or wrong.
    #[error("{field} {reason}")]
    Args {
        /// Path of the parameter, as the caller wrote it.
        field: String,
        /// What it must be.
        reason: String,
    },
    /// No session.
    #[error("log in first")]
    NotLoggedIn,
    /// After `close`.
    #[error("the client is closed")]
    Closed,
    /// Another user is logged in.
    #[error("{user_id} is logged in; log out first")]
    LoginRepeated {
        /// Who is logged in.
        user_id: String,
    },
    /// The session ended while the call was running.
    #[error("the session ended")]
    LoggedOut,
    /// No connection, or a lost one.
    #[error("{0}")]
    Network(String),
    /// No answer in time.
    #[error("no answer to {0}")]
    Timeout(String),
    /// The proxy is in the way.
    #[error("proxy {proxy} {reason}")]
    Proxy {
        /// Its address, without credentials.
        proxy: String,
        /// What it does or does not.
        reason: String,
    },
    /// The server's certificate is not accepted.
    #[error("the certificate of {host} is not accepted: {reason}; caCertificates adds authorities")]
    Certificate {
        /// Whose certificate.
        host: String,
        /// The verifier's reason.
        reason: String,
    },
    /// Queued, outcome unknown.
    #[error("message {client_msg_id} is queued but not answered yet")]
    SendPending {
        /// The message.
        client_msg_id: String,
    },
    /// Taken back.
    #[error("the message was taken back")]
    SendCancelled,
    /// Too old.
    #[error("the message could not be sent in time")]
    SendExpired,
    /// Sent or failed already.
    #[error("message {client_msg_id} is not on its way")]
    NotSending {
        /// The message.
        client_msg_id: String,
    },
    /// The caller stopped waiting.
    #[error("the operation was aborted")]
    Aborted,
    /// An answer that cannot be understood.
    #[error("{0}")]
    Protocol(String),
    /// Frame above the limit.
    #[error("message is too large: {bytes} bytes as sent, at most {limit} are accepted")]
    MessageTooLarge {
        /// Size of the frame as it would be sent.
        bytes: usize,
        /// What is accepted.
        limit: usize,
    },
    /// Sent before.
    #[error("message {client_msg_id} was sent before")]
    MessageRepeated {
        /// The message.
        client_msg_id: String,
    },
    /// Cannot be sent.
    #[error("content type {0} cannot be sent")]
    ContentType(i32),
    /// Not in the local database.
    #[error("{what} {id} is not in the local database")]
    NotFound {
        /// Kind of record.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Not offered.
    #[error("{0} is not supported")]
    NotSupported(String),
    /// Folder not usable.
    #[error("data folder {} cannot be used: {reason}", path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// The operating system's reason.
        reason: String,
    },
    /// Locked by somebody else.
    #[error("database {} is in use by another client or process", path.display())]
    DbInUse {
        /// The file.
        path: PathBuf,
    },
    /// Damaged.
    #[error("database {} is damaged: {reason}", path.display())]
    DbCorrupt {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        reason: String,
    },
    /// Written by a newer version.
    #[error("database {} has schema {found}, this version knows {known}", path.display())]
    DbTooNew {
        /// The file.
        path: PathBuf,
        /// Schema of the file.
        found: i64,
        /// Newest schema known here.
        known: i64,
    },
    /// No space.
    #[error("the disk is full")]
    DiskFull,
    /// Anything else that SQLite says.
    #[error("database: {0}")]
    Database(String),
    /// A defect.
    #[error("{0}")]
    Internal(String),
    /// The server refused.
    #[error("{}", refusal(*code, name, detail))]
    Server {
        /// The server's number.
        code: i32,
        /// The server's name of it.
        name: String,
        /// The server's detail, may be empty.
        detail: String,
    },
}

impl Error {
    /// A wrong parameter.
    pub fn args(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Args { field: field.into(), reason: reason.into() }
    }

    /// A refusal by the server.
    pub fn server(code: i32, name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Server { code, name: name.into(), detail: detail.into() }
    }

    /// The row of the error table.
    pub fn situation(&self) -> &'static Situation {
        match self {
            Self::Args { .. } => &ARGS,
            Self::NotLoggedIn => &NOT_LOGGED_IN,
            Self::Closed => &CLOSED,
            Self::LoginRepeated { .. } => &LOGIN_REPEATED,
            Self::LoggedOut => &LOGGED_OUT,
            Self::Network(_) => &NETWORK,
            Self::Timeout(_) => &TIMEOUT,
            Self::Proxy { .. } => &PROXY,
            Self::Certificate { .. } => &CERTIFICATE,
            Self::SendPending { .. } => &SEND_PENDING,
            Self::SendCancelled => &SEND_CANCELLED,
            Self::SendExpired => &SEND_EXPIRED,
            Self::NotSending { .. } => &NOT_SENDING,
            Self::Aborted => &ABORTED,
            Self::Protocol(_) => &PROTOCOL,
            Self::MessageTooLarge { .. } => &MESSAGE_TOO_LARGE,
            Self::MessageRepeated { .. } => &MESSAGE_REPEATED,
            Self::ContentType(_) => &CONTENT_TYPE,
            Self::NotFound { .. } => &NOT_FOUND,
            Self::NotSupported(_) => &NOT_SUPPORTED,
            Self::DataDir { .. } => &DATA_DIR,
            Self::DbInUse { .. } => &DB_IN_USE,
            Self::DbCorrupt { .. } => &DB_CORRUPT,
            Self::DbTooNew { .. } => &DB_TOO_NEW,
            Self::DiskFull => &DISK_FULL,
            Self::Database(_) => &DATABASE,
            Self::Internal(_) => &INTERNAL,
            Self::Server { code, .. } => server_situation(*code),
        }
    }

    /// Stable string code.
    pub fn code(&self) -> &'static str {
        self.situation().code
    }

    /// OpenIM's number; for a refusal the server's own.
    pub fn err_code(&self) -> i32 {
        match self {
            Self::Server { code, .. } => *code,
            _ => self.situation().err_code,
        }
    }

    /// Whether trying again can help.
    pub fn retry(&self) -> Retry {
        self.situation().retry
    }

    /// Whether the request may or may not have reached the server, so that its outcome must be looked up.
    pub fn is_connection_loss(&self) -> bool {
        matches!(self, Self::Network(_) | Self::Timeout(_) | Self::Proxy { .. } | Self::Certificate { .. })
    }

    /// For log records: a server's own words may quote what a user wrote, and a refused argument may be one, so only
    /// their numbers and names appear.
    pub fn log_text(&self) -> String {
        match self {
            Self::Server { code, .. } => format!("refused with {code}"),
            Self::Args { field, .. } => format!("{field} is wrong"),
            other => other.to_string(),
        }
    }

    /// Whether the session cannot go on with this token (1501 to 1507).
    pub fn is_token_error(&self) -> bool {
        matches!(self, Self::Server { code, .. } if error_code::is_token_error(*code))
    }
}

/// The most telling of a server's words; some give none.
fn refusal(code: i32, name: &str, detail: &str) -> String {
    match (name, detail) {
        ("", "") => format!("the server refused with code {code}"),
        (name, "") => name.to_owned(),
        (_, detail) => detail.to_owned(),
    }
}

fn server_situation(code: i32) -> &'static Situation {
    match code {
        error_code::TOKEN_EXPIRED => &TOKEN_EXPIRED,
        error_code::TOKEN_KICKED => &KICKED_OFFLINE,
        code if error_code::is_token_error(code) => &TOKEN_INVALID,
        error_code::USER_ID_NOT_FOUND | error_code::GROUP_ID_NOT_FOUND => &RECORD_NOT_FOUND,
        code => SITUATIONS.iter().copied().find(|row| row.err_code == code && row.err_code < 10_000).unwrap_or(&SERVER),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn string_codes_are_unique_and_server_numbers_survive() {
        let mut codes: Vec<_> = SITUATIONS.iter().map(|row| row.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), SITUATIONS.len());
        let refused = Error::server(1302, "BlockedByPeer", "");
        assert_eq!((refused.code(), refused.err_code()), ("OPENIM_BLOCKED_BY_PEER", 1302));
        let full = Error::server(1601, "ConnOverMaxNumLimit", "");
        assert_eq!((full.code(), full.retry()), ("OPENIM_TOO_MANY_CONNECTIONS", Retry::Transient));
        let unknown = Error::server(80123, "hook", "no");
        assert_eq!((unknown.code(), unknown.err_code()), ("OPENIM_SERVER", 80123));
    }

    #[test]
    fn a_refusal_says_the_most_telling_of_the_servers_words_and_its_number_where_there_are_none() {
        assert_eq!(
            Error::server(1502, "TokenInvalidError", "token uid a != userID b").to_string(),
            "token uid a != userID b"
        );
        assert_eq!(Error::server(1501, "TokenExpiredError", "").to_string(), "TokenExpiredError");
        assert_eq!(Error::server(14, "", "").to_string(), "the server refused with code 14");
    }

    #[test]
    fn log_records_do_not_repeat_what_a_server_or_a_caller_wrote() {
        assert_eq!(Error::server(80123, "said: secret", "secret").log_text(), "refused with 80123");
        assert_eq!(Error::args("userID", "is not valid: secret").log_text(), "userID is wrong");
        assert_eq!(Error::DiskFull.log_text(), "the disk is full");
    }

    #[test]
    fn every_token_refusal_ends_the_session_under_one_of_three_codes() {
        for (code, expected) in [
            (1501, "OPENIM_TOKEN_EXPIRED"),
            (1502, "OPENIM_TOKEN_INVALID"),
            (1503, "OPENIM_TOKEN_INVALID"),
            (1505, "OPENIM_TOKEN_INVALID"),
            (1506, "OPENIM_KICKED_OFFLINE"),
            (1507, "OPENIM_TOKEN_INVALID"),
        ] {
            let error = Error::server(code, "", "");
            assert!(error.is_token_error());
            assert_eq!(error.code(), expected);
        }
    }
}
