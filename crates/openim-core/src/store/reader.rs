//! Read-only connections: at most two per database, opened when first needed, closed when the database is idle.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::{Query, Value, cache};
use crate::error::{Error, Result};

const MAX_READERS: usize = 2;

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Idle>,
    permits: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Idle {
    readers: Vec<Reader>,
    closed: bool,
}

#[derive(Debug)]
struct Reader {
    connection: Connection,
    /// What its page cache may hold, KiB.
    cache_kib: u32,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default(), permits: Arc::new(Semaphore::new(MAX_READERS)) }
    }

    pub(super) async fn run(readers: Arc<Self>, query: Query) -> Result<Value> {
        let permit = readers.permits.clone().acquire_owned().await.map_err(|_| Error::LoggedOut)?;
        let work = move || {
            let _permit = permit;
            readers.query(query)
        };
        super::THREADS.run(work).await?
    }

    fn query(&self, query: Query) -> Result<Value> {
        let idle = self.idle().readers.pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => self.open()?,
        };
        reader.fit()?;
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| query(&reader.connection)))
            .unwrap_or_else(|_| Err(Error::Internal("a database query panicked".to_owned())));
        let mut idle = self.idle();
        if !idle.closed {
            idle.readers.push(reader);
        }
        result
    }

    fn open(&self) -> Result<Reader> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.execute_batch("PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY;")?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        super::file::keep_statements(&connection)?;
        Ok(Reader { connection, cache_kib: 0 })
    }

    /// Closes those that nobody uses.
    pub(super) fn let_go(&self) {
        let idle = std::mem::take(&mut self.idle().readers);
        drop(idle);
    }

    #[cfg(test)]
    pub(super) fn open_count(&self) -> usize {
        self.idle().readers.len()
    }

    pub(super) fn close(&self) {
        self.permits.close();
        self.idle().closed = true;
        self.let_go();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// Makes the page cache as large as the database's share allows by now.
    fn fit(&mut self) -> Result<()> {
        let kib = cache::reader_kib();
        if self.cache_kib != kib {
            self.connection.pragma_update(None, "cache_size", -i64::from(kib))?;
            self.cache_kib = kib;
        }
        Ok(())
    }
}
