//! Where one database is written: its only writing connection, and the transaction that runs jobs on it.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::cache;
use super::checkpoint::Checkpoints;
use crate::error::{Error, Result};

/// A transaction that takes longer is worth a record: the disk, or a virus scanner, holds everything up.
const SLOW: Duration = Duration::from_millis(250);

/// Tells the job's owner how the commit went.
pub(super) type Finish = Box<dyn FnOnce(Result<()>) + Send>;
/// Runs inside the transaction; false asks to roll this job back.
pub(super) type Work = Box<dyn FnOnce(&Connection) -> (bool, Finish) + Send>;

/// One database's writing end. Whoever holds the lock writes.
pub(super) struct Desk {
    connection: Mutex<Option<Connection>>,
    /// Jobs that wait for the writer thread, or run there.
    queued: AtomicUsize,
    /// What the page cache may hold, KiB; 0 before the first transaction.
    cache_kib: AtomicU32,
    /// `None` in memory.
    checkpoints: Option<Checkpoints>,
}

impl Desk {
    pub(super) fn new(connection: Connection, checkpoints: Option<Checkpoints>) -> Self {
        Self {
            connection: Mutex::new(Some(connection)),
            queued: AtomicUsize::new(0),
            cache_kib: AtomicU32::new(0),
            checkpoints,
        }
    }

    /// Runs the job here and now if nobody writes and nothing waits: a change of threads costs more than a small
    /// transaction. Else the job comes back.
    pub(super) fn try_now(&self, work: Work) -> std::result::Result<(), Work> {
        if self.queued.load(Ordering::SeqCst) > 0 {
            return Err(work);
        }
        let Ok(connection) = self.connection.try_lock() else { return Err(work) };
        // looked at again under the lock: whoever queued in between goes first
        if self.queued.load(Ordering::SeqCst) > 0 {
            return Err(work);
        }
        match &*connection {
            Some(open) => {
                self.fit(open);
                commit(open, vec![work]);
            }
            // dropping the job answers its owner
            None => return Ok(()),
        }
        self.keep_log_small(connection);
        Ok(())
    }

    pub(super) fn queue_one(&self) {
        self.queued.fetch_add(1, Ordering::SeqCst);
    }

    /// Runs queued jobs in one transaction. What follows the commit happens under the lock, so in the order of commits.
    pub(super) fn run_queued(&self, works: Vec<Work>) {
        let count = works.len();
        let connection = self.lock();
        if let Some(open) = &*connection {
            self.fit(open);
            commit(open, works);
        }
        self.queued.fetch_sub(count, Ordering::SeqCst);
        self.keep_log_small(connection);
    }

    /// The connection, for what is no job.
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        // a panic under the lock was in code after a commit: the connection is as good as before
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the page cache as large as the database's share allows by now. In memory the cache is the database.
    fn fit(&self, connection: &Connection) {
        let kib = cache::writer_kib();
        if self.checkpoints.is_some()
            && self.cache_kib.swap(kib, Ordering::Relaxed) != kib
            && let Err(error) = connection.pragma_update(None, "cache_size", -i64::from(kib))
        {
            tracing::warn!(%error, kib, "the page cache keeps its size");
        }
    }

    /// The same for a database that nobody writes to at the moment; whoever writes does it himself.
    pub(super) fn fit_if_free(&self) {
        if let Ok(connection) = self.connection.try_lock()
            && let Some(open) = &*connection
        {
            self.fit(open);
        }
    }

    /// Drops what comes back by itself: prepared statements, and the pages of the cache.
    pub(super) fn let_go(&self) {
        if let Ok(connection) = self.connection.try_lock()
            && let Some(open) = &*connection
        {
            open.flush_prepared_statement_cache();
            if let Err(error) = open.execute_batch("PRAGMA shrink_memory") {
                tracing::warn!(%error, "an idle database keeps its pages");
            }
        }
    }

    fn keep_log_small(&self, connection: MutexGuard<'_, Option<Connection>>) {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.after_commit(connection);
        }
    }

    /// Ends the background work and empties the log into the file, so that the next open finds a clean one.
    pub(super) fn close(&self) {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.end();
        }
        let Some(connection) = self.lock().take() else { return };
        if let Err(error) = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);") {
            tracing::warn!(%error, "checkpoint at close failed");
        }
        if let Err((_, error)) = connection.close() {
            tracing::warn!(%error, "database did not close");
        }
    }
}

fn commit(connection: &Connection, works: Vec<Work>) {
    let started = Instant::now();
    let jobs = works.len();
    let begun = execute(connection, "BEGIN IMMEDIATE");
    let single = works.len() == 1;
    let mut finishes = Vec::with_capacity(works.len());
    for work in works {
        if begun.is_err() {
            // without a transaction the job must not run; dropping it answers its owner
            continue;
        }
        if single {
            let (keep, finish) = work(connection);
            finishes.push(finish);
            if !keep {
                rollback(connection, "ROLLBACK; BEGIN");
            }
        } else {
            let saved = execute(connection, "SAVEPOINT job");
            let (keep, finish) = work(connection);
            finishes.push(finish);
            if !keep {
                rollback(connection, "ROLLBACK TO job");
            }
            if saved.is_ok() {
                rollback(connection, "RELEASE job");
            }
        }
    }
    let worked = started.elapsed();
    let result = begun.and_then(|()| execute(connection, "COMMIT"));
    let elapsed = started.elapsed();
    if elapsed > SLOW {
        let (elapsed_ms, commit_ms) = (elapsed.as_millis() as u64, (elapsed - worked).as_millis() as u64);
        tracing::warn!(database = connection.path(), jobs, elapsed_ms, commit_ms, "slow transaction");
    }
    if let Err(error) = &result {
        tracing::warn!(database = connection.path(), jobs, %error, "transaction failed");
    }
    if result.is_err() && !connection.is_autocommit() {
        rollback(connection, "ROLLBACK");
    }
    for finish in finishes {
        finish(result.clone());
    }
}

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([]).map_err(Error::from)?;
    Ok(())
}

fn rollback(connection: &Connection, sql: &str) {
    if let Err(error) = connection.execute_batch(sql) {
        tracing::error!(%error, sql, "transaction control failed");
    }
}
