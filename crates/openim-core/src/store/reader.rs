//! Read-only connections: at most two per database, opened when first needed, used on the blocking pool.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

const MAX_READERS: usize = 2;

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default(), permits: Semaphore::new(MAX_READERS) }
    }

    pub(super) async fn run<R: Send + 'static>(
        readers: Arc<Self>,
        query: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let permit = readers.permits.acquire().await.map_err(|_| Error::LoggedOut)?;
        permit.forget();
        tokio::task::spawn_blocking(move || {
            let result = readers.query(query);
            readers.permits.add_permits(1);
            result
        })
        .await
        .map_err(|error| Error::Internal(format!("a read was interrupted: {error}")))?
    }

    fn query<R>(&self, query: impl FnOnce(&Connection) -> Result<R>) -> Result<R> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open()?,
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| query(&connection)))
            .unwrap_or_else(|_| Err(Error::Internal("a database query panicked".to_owned())));
        if !self.permits.is_closed() {
            self.idle().push(connection);
        }
        result
    }

    fn open(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection
            .execute_batch("PRAGMA cache_size = -8192; PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY;")?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        super::file::keep_statements(&connection)?;
        Ok(connection)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn close(&self) {
        self.permits.close();
        self.idle().clear();
    }
}
