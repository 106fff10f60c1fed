//! Keeps the write-ahead log small without stopping the writer: SQLite's own checkpoint would run inside a commit and
//! hold up whoever sends by a tenth of a second.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::desk::Desk;
use crate::error::Result;

/// Pages that the log grows by before the background copies them; 4 kB each.
const BACKGROUND_PAGES: i32 = 4_000;
/// Past this the writer copies the log itself: whoever writes faster than the disk takes it must wait.
const MOST_PAGES: i32 = 64_000;

/// The checkpoints of one database file.
pub(super) struct Checkpoints {
    path: PathBuf,
    desk: Weak<Desk>,
    /// Length of the log after the last commit.
    pages: Arc<AtomicI32>,
    /// Length of the log when the background began the last time; 0 after the log began anew.
    copied: AtomicI32,
    running: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Checkpoints {
    /// Takes over from SQLite for this connection.
    pub(super) fn watch(connection: &mut Connection, path: PathBuf, desk: Weak<Desk>) -> Result<Self> {
        let pages = Arc::new(AtomicI32::new(0));
        let seen = pages.clone();
        connection.wal_hook(Some(move |_: &mut _, pages| {
            seen.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { path, desk, pages, copied: AtomicI32::new(0), running: Arc::default(), thread: Mutex::default() })
    }

    /// Looks at the log after a commit. Takes the lock along, to give it back before a thread is started.
    pub(super) fn after_commit(&self, connection: MutexGuard<'_, Option<Connection>>) {
        let pages = self.pages.load(Ordering::Relaxed);
        let copied = self.copied.load(Ordering::Relaxed);
        if pages < copied {
            // the log began anew
            self.copied.store(0, Ordering::Relaxed);
        } else if pages >= MOST_PAGES {
            if let Some(open) = &*connection {
                copy(open);
            }
        } else if pages - copied >= BACKGROUND_PAGES && !self.running.swap(true, Ordering::SeqCst) {
            self.copied.store(pages, Ordering::Relaxed);
            drop(connection);
            self.start();
        }
    }

    fn start(&self) {
        let running = self.running.clone();
        let path = self.path.clone();
        let desk = self.desk.clone();
        let work = move || {
            match Connection::open(path) {
                Ok(connection) => copy(&connection),
                Err(error) => tracing::warn!(%error, "checkpoint could not open the database"),
            }
            // What was written meanwhile is little. Only a log that is copied to its end begins anew, so nobody may
            // write while this is copied.
            if let Some(desk) = desk.upgrade()
                && let Some(connection) = &*desk.lock()
            {
                copy(connection);
            }
            running.store(false, Ordering::SeqCst);
        };
        match std::thread::Builder::new().name("openim-checkpoint".to_owned()).spawn(work) {
            Ok(thread) => *self.thread() = Some(thread),
            Err(error) => {
                tracing::warn!(%error, "no thread for a checkpoint");
                self.running.store(false, Ordering::SeqCst);
            }
        }
    }

    /// Waits for the background.
    pub(super) fn end(&self) {
        if let Some(thread) = self.thread().take()
            && thread.join().is_err()
        {
            tracing::error!("a checkpoint panicked");
        }
    }

    fn thread(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn copy(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!(%error, "checkpoint failed");
    }
}
