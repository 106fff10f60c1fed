//! The database: SQLite in a file or in memory, owned by one thread.
//!
//! Everything goes through one queue. The thread drains it into a transaction and commits; what was announced with
//! [`Batch::after`] runs then, in order. So what somebody is told is on disk, writes of many connections share a
//! commit, and a read sees every write that was queued before it.

mod conversation;
mod friend;
mod message;
mod open;
mod user;
mod user_command;
mod version_log;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, Result};
use tokio::sync::oneshot;

use crate::faults::{Event, Faults, Point};

pub(crate) use conversation::{ConversationRow, CursorRow};
pub(crate) use friend::{BlackRow, FriendRequestRow, FriendRow};
pub(crate) use message::{StoredMessage, StreamRow};
pub(crate) use user::{ConfigRow, TokenRow, UserRow};
pub(crate) use user_command::CommandRow;
pub(crate) use version_log::{EntryRow, LogRow};

/// The queries, one file per group of tables.
pub(crate) mod sql {
    pub(crate) use super::conversation::*;
    pub(crate) use super::friend::*;
    pub(crate) use super::message::*;
    pub(crate) use super::user::*;
    pub(crate) use super::user_command::*;
    pub(crate) use super::version_log::*;
}

/// Jobs per transaction: enough that a commit costs nothing per message, few enough that nobody waits for it.
const JOBS_PER_BATCH: usize = 256;

/// Jobs that may wait before connections are slowed down.
const BACKLOG: usize = 4096;

type Work = Box<dyn FnOnce(&mut Batch<'_>) -> Result<()> + Send>;

enum Job {
    Work(Work),
    Stop,
}

/// What a job sees of the transaction it runs in.
pub(crate) struct Batch<'a> {
    db: &'a Connection,
    begun: bool,
    cursors: HashMap<(Arc<str>, i64), i64>,
    after: Vec<Box<dyn FnOnce() + Send>>,
}

impl<'a> Batch<'a> {
    fn new(db: &'a Connection) -> Self {
        Self { db, begun: false, cursors: HashMap::new(), after: Vec::new() }
    }

    /// The connection, inside the transaction.
    pub(crate) fn db(&mut self) -> Result<&'a Connection> {
        if !self.begun {
            self.db.execute_batch("BEGIN")?;
            self.begun = true;
        }
        Ok(self.db)
    }

    /// Runs once everything so far is committed.
    pub(crate) fn after(&mut self, action: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(action));
    }

    /// Remembers a read cursor; only the last value per user and stream is written.
    pub(crate) fn set_cursor(&mut self, user_id: Arc<str>, stream_id: i64, seq: i64) {
        self.cursors.insert((user_id, stream_id), seq);
    }

    fn commit(mut self) -> Result<Vec<Box<dyn FnOnce() + Send>>> {
        for ((user_id, stream_id), seq) in std::mem::take(&mut self.cursors) {
            sql::write_cursor(self.db()?, &user_id, stream_id, seq)?;
        }
        if self.begun {
            self.db.execute_batch("COMMIT")?;
        }
        Ok(self.after)
    }
}

/// Handle of the database thread.
#[derive(Clone)]
pub(crate) struct Store {
    jobs: Sender<Job>,
    queued: Arc<AtomicUsize>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Store {
    /// Opens the database of a folder, or one in memory, reads what `load` wants of it and starts the thread.
    pub(crate) fn open<T>(
        folder: Option<&Path>,
        faults: Faults,
        load: impl FnOnce(&Connection) -> Result<T>,
    ) -> std::result::Result<(Self, T), crate::Error> {
        let (db, loaded) = open::open(folder, load)?;
        let (jobs, queue) = channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let taken = queued.clone();
        let thread = std::thread::Builder::new()
            .name("openim-devserver-db".into())
            .spawn(move || run(&db, &queue, &taken, &faults))
            .map_err(|error| crate::Error::Config { reason: format!("no thread for the database: {error}") })?;
        Ok((Self { jobs, queued, thread: Arc::new(Mutex::new(Some(thread))) }, loaded))
    }

    /// Queues work. After [`Store::close`] or a failure of the database it is dropped, and with it what it announced.
    pub(crate) fn submit(&self, work: impl FnOnce(&mut Batch<'_>) -> Result<()> + Send + 'static) {
        self.queued.fetch_add(1, Ordering::Relaxed);
        // a closed queue is noticed by whoever waits for the outcome
        let _ = self.jobs.send(Job::Work(Box::new(work)));
    }

    /// Whether more is queued than is good: whoever can wait should.
    pub(crate) fn is_behind(&self) -> bool {
        self.queued.load(Ordering::Relaxed) > BACKLOG
    }

    /// Runs `action` when everything that is queued now is committed.
    pub(crate) fn after(&self, action: impl FnOnce() + Send + 'static) {
        self.submit(|batch| {
            batch.after(action);
            Ok(())
        });
    }

    /// Waits until everything that is queued now is committed; false if the database failed or is closed.
    pub(crate) async fn committed(&self) -> bool {
        let (done, waiting) = oneshot::channel();
        self.after(move || {
            // nobody waits any more
            let _ = done.send(());
        });
        waiting.await.is_ok()
    }

    /// Reads; sees every write queued before. `None` if the database failed or is closed.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Option<T> {
        let (done, waiting) = oneshot::channel();
        self.submit(move |batch| {
            let found = query(batch.db()?)?;
            batch.after(move || drop(done.send(found)));
            Ok(())
        });
        waiting.await.ok()
    }

    /// Commits what is queued and closes the database. Blocks; idempotent.
    pub(crate) fn close(&self) {
        let _ = self.jobs.send(Job::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the database thread panicked");
        }
    }
}

fn run(db: &Connection, queue: &Receiver<Job>, queued: &AtomicUsize, faults: &Faults) {
    while let Ok(Job::Work(first)) = queue.recv() {
        let mut batch = Batch::new(db);
        let mut outcome = first(&mut batch);
        let (mut taken, mut stopping) = (1, false);
        for _ in 1..JOBS_PER_BATCH {
            if outcome.is_err() {
                break;
            }
            match queue.try_recv() {
                Ok(Job::Work(work)) => {
                    taken += 1;
                    outcome = work(&mut batch);
                }
                Ok(Job::Stop) => {
                    stopping = true;
                    break;
                }
                Err(_) => break,
            }
        }
        queued.fetch_sub(taken, Ordering::Relaxed);
        if batch.begun
            && let Some(delay) = faults.delay(Point::Disk, &Event::default())
        {
            std::thread::sleep(delay);
        }
        match outcome.and_then(|()| batch.commit()) {
            Ok(actions) => actions.into_iter().for_each(|action| action()),
            Err(error) => {
                // memory is ahead of the file now: nothing may be promised any more
                tracing::error!(%error, "the database failed; the server accepts nothing until it is restarted");
                return;
            }
        }
        if stopping {
            return;
        }
    }
}
