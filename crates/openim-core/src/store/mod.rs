//! The local database: one file per user and platform, one writing connection on a shared thread, read-only connections
//! on demand. Knows rows and SQL; nothing of the network or of what the rows mean together.

pub(crate) mod conversations;
mod file;
pub(crate) mod messages;
pub(crate) mod meta;
pub(crate) mod outbox;
mod reader;
pub(crate) mod seqs;
#[cfg(test)]
mod tests;
pub(crate) mod users;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;

use crate::error::{Error, Result};
use reader::Readers;
use writer::Writer;

pub(crate) use file::{Opened, ensure_folder};

/// How a database is opened.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseConfig {
    /// Folder, or `None` for memory.
    pub(crate) folder: Option<PathBuf>,
    /// File name inside the folder.
    pub(crate) name: String,
    /// Move a damaged file aside instead of failing.
    pub(crate) reset_if_corrupt: bool,
}

/// One open database.
#[derive(Debug)]
pub(crate) struct Database {
    writer: Writer,
    /// `None` in memory: a memory database has one connection, so reads go through the writer.
    readers: Option<Arc<Readers>>,
    path: Option<PathBuf>,
    /// Held until close; tells other clients and processes to keep off.
    lock: std::sync::Mutex<Option<std::fs::File>>,
}

impl Database {
    /// Opens, locks, checks and migrates. Blocks: call it where blocking is allowed.
    pub(crate) fn open(config: &DatabaseConfig) -> Result<(Self, Opened)> {
        let file = file::open(config)?;
        let readers = file.path.clone().map(|path| Arc::new(Readers::new(path)));
        let database =
            Self { writer: Writer::start(file.connection)?, readers, path: file.path, lock: file.lock.into() };
        Ok((database, file.opened))
    }

    /// Runs `job` in a transaction on the writer thread. `committed` runs on that thread right after the commit, in the
    /// order of commits; then the result is returned. An error rolls back this job alone.
    pub(crate) async fn write<R, A>(
        &self,
        job: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
        committed: impl FnOnce(R) -> A + Send + 'static,
    ) -> Result<A>
    where
        R: Send + 'static,
        A: Send + 'static,
    {
        self.writer.run(job, committed).await
    }

    /// Runs `query` on a read-only connection; never waits for the writer.
    pub(crate) async fn read<R: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        match &self.readers {
            Some(readers) => Readers::run(readers.clone(), query).await,
            None => self.writer.run(query, |result| result).await,
        }
    }

    /// Waits for everything queued, then closes every connection. Idempotent.
    pub(crate) async fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.close();
        }
        self.writer.close().await;
        self.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    }

    /// Bytes on disk: the file and its log.
    pub(crate) fn bytes(&self) -> u64 {
        let size = |path: PathBuf| std::fs::metadata(path).map_or(0, |meta| meta.len());
        self.path.as_ref().map_or(0, |path| size(path.clone()) + size(file::beside(path, "-wal")))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ffi::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::DbCorrupt { path: PathBuf::new(), reason: error.to_string() }
            }
            _ => Self::Database(error.to_string()),
        }
    }
}
