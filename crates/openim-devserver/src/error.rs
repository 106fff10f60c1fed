//! Why a server does not start or answer: one situation per variant, one clear line each.

use std::path::PathBuf;

/// Failures of [`crate::DevServer`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is unknown, missing or senseless.
    #[error("configuration: {reason}")]
    Config {
        /// Which, and what is wrong with it.
        reason: String,
    },
    /// A value is out of its range, or does not fit the others.
    #[error("{field} {reason}")]
    Args {
        /// Which, as the caller wrote it.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The host is reachable from elsewhere and that was not asked for, or the secret is the well-known one.
    #[error("{host} is not a loopback address: this needs allowRemote and a secret of your own")]
    RemoteNotAllowed {
        /// The host of the configuration.
        host: String,
    },
    /// Somebody listens there already.
    #[error("{addr} is in use")]
    AddressInUse {
        /// Host and port.
        addr: String,
    },
    /// The address cannot be bound for another reason.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// Host and port.
        addr: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The folder cannot be made or written.
    #[error("cannot use the folder {}: {reason}", path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// Another server has the database open.
    #[error("{} is in use by another server", path.display())]
    DatabaseInUse {
        /// The database file.
        path: PathBuf,
    },
    /// The file is not a database, or its pages are broken.
    #[error("the database {} is damaged", path.display())]
    DatabaseDamaged {
        /// The database file.
        path: PathBuf,
    },
    /// A newer version of this server wrote the file.
    #[error("the database {} has schema {found}, this server knows up to {known}", path.display())]
    DatabaseTooNew {
        /// The database file.
        path: PathBuf,
        /// Schema of the file.
        found: i64,
        /// Newest known schema.
        known: i64,
    },
    /// SQLite failed otherwise.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A request of the embedding program was refused.
    #[error("{message} ({code}) {detail}")]
    Refused {
        /// Number of the protocol, see `openim_proto::error_code`.
        code: i32,
        /// Its name.
        message: String,
        /// What was wrong.
        detail: String,
    },
    /// The server is stopped.
    #[error("the server is stopped")]
    Stopped,
}
