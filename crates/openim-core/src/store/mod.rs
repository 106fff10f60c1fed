//! The local database: one file per user and platform, one writing connection, read-only connections
//! on demand. Knows rows and SQL; nothing of the network or of what the rows mean together.

pub(crate) mod blacks;
mod cache;
mod checkpoint;
pub(crate) mod conversations;
mod desk;
mod file;
pub(crate) mod friend_requests;
pub(crate) mod friends;
mod idle;
pub(crate) mod messages;
pub(crate) mod meta;
pub(crate) mod outbox;
mod reader;
pub(crate) mod receipts;
mod release;
pub(crate) mod seqs;
#[cfg(test)]
mod tests;
pub(crate) mod users;
mod writer;

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::pool::Pool;
use cache::Seat;
use idle::Idle;
use reader::Readers;
use writer::Writer;

pub(crate) use file::{Opened, ensure_folder};
pub(crate) use writer::Weight;

/// How a database is opened.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseConfig {
    /// Folder, or `None` for memory.
    pub(crate) folder: Option<PathBuf>,
    /// File name inside the folder.
    pub(crate) name: String,
    /// Move a damaged file aside instead of failing.
    pub(crate) reset_if_corrupt: bool,
    /// What the page caches of all databases of the process may hold together, bytes; `None`: no wish.
    pub(crate) cache_budget: Option<u64>,
}

/// Opens databases and runs queries, of all clients of the process.
static THREADS: Pool = Pool::new("openim-store", 16);

/// What a job or a query gives. Boxed, like both of them: there are more than a hundred, and each would otherwise hold a
/// copy of all that runs it.
type Value = Box<dyn Any + Send>;
/// Runs inside a transaction; what it returns runs after the commit.
type Job = Box<dyn FnOnce(&Connection) -> Result<Box<dyn FnOnce() -> Value + Send>> + Send>;
type Query = Box<dyn FnOnce(&Connection) -> Result<Value> + Send>;

fn returned<R: 'static>(value: Value) -> Result<R> {
    value.downcast().map(|value| *value).map_err(|_| Error::Internal("a query gave something else".to_owned()))
}

/// One open database.
#[derive(Debug)]
pub(crate) struct Database {
    writer: Writer,
    /// `None` in memory: a memory database has one connection, so reads go through the writer.
    readers: Option<Arc<Readers>>,
    /// `None` in memory, where all of it is needed.
    idle: Option<Arc<Idle>>,
    path: Option<PathBuf>,
    held: std::sync::Mutex<Option<Held>>,
}

/// Held until close.
#[derive(Debug)]
struct Held {
    /// Tells other clients and processes to keep off.
    _lock: Option<std::fs::File>,
    _seat: Option<Seat>,
    _open: release::Open,
}

impl Database {
    /// Opens, locks, checks and migrates.
    pub(crate) async fn open(config: DatabaseConfig) -> Result<(Self, Opened)> {
        THREADS.run(move || Self::open_now(&config)).await?
    }

    fn open_now(config: &DatabaseConfig) -> Result<(Self, Opened)> {
        let file = file::open(config)?;
        let writer = Writer::start(file.connection, file.path.clone())?;
        let readers = file.path.clone().map(|path| Arc::new(Readers::new(path)));
        let held = Held {
            _lock: file.lock,
            _seat: readers.as_ref().map(|_| Seat::take(config.cache_budget, Arc::downgrade(writer.desk()))),
            _open: release::Open::count(),
        };
        let idle = readers.clone().map(|readers| Idle::new(writer.desk().clone(), readers));
        Ok((Self { writer, readers, idle, path: file.path, held: Some(held).into() }, file.opened))
    }

    /// Runs `job` in a transaction. `committed` runs right after the commit, in the order of commits; then the result is
    /// returned. An error rolls back this job alone.
    pub(crate) async fn write<R, A>(
        &self,
        weight: Weight,
        job: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
        committed: impl FnOnce(R) -> A + Send + 'static,
    ) -> Result<A>
    where
        R: Send + 'static,
        A: Send + 'static,
    {
        let job: Job = Box::new(move |connection| {
            let value = job(connection)?;
            Ok(Box::new(move || Box::new(committed(value)) as Value))
        });
        returned(self.write_boxed(weight, job).await?)
    }

    /// Runs `query` on a read-only connection; never waits for the writer.
    pub(crate) async fn read<R: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let query: Query = Box::new(move |connection| Ok(Box::new(query(connection)?)));
        returned(self.read_boxed(query).await?)
    }

    fn write_boxed(&self, weight: Weight, job: Job) -> BoxFuture<'_, Result<Value>> {
        Box::pin(async move {
            let _using = self.idle.as_ref().map(|idle| idle.using());
            self.writer.run(weight, job).await
        })
    }

    fn read_boxed(&self, query: Query) -> BoxFuture<'_, Result<Value>> {
        Box::pin(async move {
            let _using = self.idle.as_ref().map(|idle| idle.using());
            match &self.readers {
                Some(readers) => Readers::run(readers.clone(), query).await,
                None => {
                    let job: Job = Box::new(move |connection| {
                        let value = query(connection)?;
                        Ok(Box::new(move || value))
                    });
                    self.writer.run(Weight::Light, job).await
                }
            }
        })
    }

    /// Waits for everything queued, then closes every connection. Idempotent.
    pub(crate) async fn close(&self) {
        if let Some(idle) = &self.idle {
            idle.end();
        }
        if let Some(readers) = &self.readers {
            readers.close();
        }
        self.writer.close().await;
        let held = self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Err(error) = THREADS.run(move || drop(held)).await {
            tracing::warn!(%error, "the end of a database");
        }
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

/// A database of this schema, for tests of what uses it.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) fn in_memory() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    file::MIGRATIONS.iter().try_for_each(|sql| connection.execute_batch(sql)).unwrap();
    connection
}
