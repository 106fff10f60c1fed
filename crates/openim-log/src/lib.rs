//! Where the log records of a process go: rotating files in a folder, the application's own log, and an export of the
//! files for whoever looks into an incident.
//!
//! Logs belong to the process, not to a client: `tracing` has one subscriber, many clients share threads, and what one
//! of them does explains what happens to another. Whom a record is about stands in the record.
//!
//! A record never waits: it goes into bounded queues, and what does not fit is counted. Without a configuration, and at
//! level `off`, a record costs one comparison.

mod config;
mod export;
mod feed;
mod files;
mod layer;
mod record;
mod rotation;
mod time;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

pub use config::{Level, LogConfig};
pub use feed::Wake;

use feed::Feed;
use files::Files;
use layer::{Records, Sinks};

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong with logs. Records themselves cannot fail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A wrong setting.
    #[error("{field} {reason}")]
    Setting {
        /// Its name.
        field: &'static str,
        /// What it must be.
        reason: String,
    },
    /// A folder or file that cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// There is no folder, so nothing to export.
    #[error("logs are not written to a folder")]
    NoFolder,
    /// Another subscriber is installed in this process.
    #[error("another subscriber takes the records of this process")]
    Occupied,
}

impl Error {
    fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// The logs of a process. One that is not [installed](Logs::install) is for tests.
#[derive(Debug, Default)]
pub struct Logs {
    sinks: Arc<Sinks>,
    /// Held while the configuration changes.
    turn: Mutex<()>,
}

impl Logs {
    /// The logs of this process; installed by the first call.
    pub fn install() -> Result<&'static Self> {
        static LOGS: OnceLock<Option<Logs>> = OnceLock::new();
        let installed = LOGS.get_or_init(|| {
            let logs = Self::default();
            tracing::subscriber::set_global_default(logs.subscriber()).ok().map(|()| logs)
        });
        installed.as_ref().ok_or(Error::Occupied)
    }

    /// Takes records where it is the default.
    pub fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        Registry::default().with(Records::new(self.sinks.clone()))
    }

    /// Replaces the whole configuration. What the old one had queued is in its files before this returns. An error
    /// leaves the old one in place. Blocks: call it where blocking is allowed.
    pub fn configure(&self, config: &LogConfig, wake: Option<Wake>) -> Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        config.validate()?;
        let level = config.log_level;
        let folder = config.log_dir.as_ref().filter(|_| level != Level::Off);
        let same = self.sinks.files().filter(|files| folder == Some(&files.folder().to_owned()));
        let files = match (folder, same) {
            (None, _) => None,
            (Some(_), Some(files)) => {
                files.set_bounds(config.max_file_bytes, config.max_files);
                Some(files)
            }
            (Some(folder), None) => Some(Arc::new(Files::open(folder, config.max_file_bytes, config.max_files)?)),
        };
        let feed = wake.filter(|_| level != Level::Off).map(|wake| Arc::new(Feed::new(wake)));
        let old = self.sinks.replace(level, files, feed);
        // waits for its queue, unless it goes on
        drop(old);
        tracing::callsite::rebuild_interest_cache();
        Ok(())
    }

    /// Waits until everything logged so far is in the files, at most for `patience`.
    pub fn flush(&self, patience: Duration) {
        if let Some(files) = self.sinks.files() {
            files.flush(patience);
        }
    }

    /// Writes everything that the files have, oldest first, into one gzip file of JSON lines: to `path`, or beside the
    /// files. The path. Blocks.
    pub fn export(&self, path: Option<&Path>) -> Result<PathBuf> {
        let files = self.sinks.files().ok_or(Error::NoFolder)?;
        export::write(&files, path)
    }

    /// Records for the application as a JSON list, at most a batch; `None` once there are no more: the next record wakes
    /// again.
    pub fn take(&self) -> Option<String> {
        self.sinks.feed().and_then(|feed| feed.take())
    }
}
