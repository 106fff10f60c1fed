//! The one writer of each database. Threads are shared: at most four in the process, each database pinned to one (R9).
//! A thread drains what has queued up, runs the jobs of each database in one transaction and commits at once when its
//! queue is empty.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};

const MAX_THREADS: usize = 4;
/// Jobs that may wait for one thread; whoever adds more waits.
const QUEUE: usize = 1024;
/// Jobs in one transaction at most. A job of the inbound pipeline holds up to 500 messages.
const MAX_JOBS: usize = 256;

/// Tells the job's owner how the commit went.
type Finish = Box<dyn FnOnce(Result<()>) + Send>;
/// Runs inside the transaction; false asks to roll this job back.
type Work = Box<dyn FnOnce(&Connection) -> (bool, Finish) + Send>;

enum Command {
    Open { database: u64, connection: Connection },
    Run { database: u64, work: Work },
    Close { database: u64, done: oneshot::Sender<()> },
}

struct Thread {
    commands: mpsc::Sender<Command>,
}

static THREADS: OnceLock<Mutex<Vec<Weak<Thread>>>> = OnceLock::new();
static NEXT_DATABASE: AtomicU64 = AtomicU64::new(1);

/// The writing end of one database.
pub(super) struct Writer {
    database: u64,
    /// `None` after close. The last owner of a thread ends it.
    thread: Mutex<Option<Arc<Thread>>>,
}

impl Writer {
    /// Hands the connection to the least loaded thread.
    pub(super) fn start(connection: Connection) -> Result<Self> {
        let database = NEXT_DATABASE.fetch_add(1, Ordering::Relaxed);
        let thread = thread()?;
        thread
            .commands
            .blocking_send(Command::Open { database, connection })
            .map_err(|_| Error::Internal("the writer thread ended".to_owned()))?;
        Ok(Self { database, thread: Mutex::new(Some(thread)) })
    }

    pub(super) async fn run<R, A>(
        &self,
        job: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
        committed: impl FnOnce(R) -> A + Send + 'static,
    ) -> Result<A>
    where
        R: Send + 'static,
        A: Send + 'static,
    {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::LoggedOut)?;
        let (answer, result) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let outcome = catch_unwind(AssertUnwindSafe(|| job(connection)))
                .unwrap_or_else(|_| Err(Error::Internal("a database job panicked".to_owned())));
            (
                outcome.is_ok(),
                Box::new(move |commit| {
                    // a caller that went away does not take its transaction with it
                    let _ = answer.send(outcome.and_then(|value| commit.map(|()| committed(value))));
                }),
            )
        });
        thread.commands.send(Command::Run { database: self.database, work }).await.map_err(|_| Error::LoggedOut)?;
        drop(thread);
        // dropped without an answer: the transaction did not begin
        result.await.map_err(|_| Error::Database("the transaction did not begin".to_owned()))?
    }

    pub(super) async fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let (done, closed) = oneshot::channel();
            if thread.commands.send(Command::Close { database: self.database, done }).await.is_ok() {
                let _ = closed.await;
            }
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("database", &self.database).finish_non_exhaustive()
    }
}

fn thread() -> Result<Arc<Thread>> {
    let mut threads = THREADS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    threads.retain(|thread| thread.strong_count() > 0);
    if threads.len() >= MAX_THREADS
        && let Some(thread) = threads.iter().filter_map(Weak::upgrade).min_by_key(Arc::strong_count)
    {
        return Ok(thread);
    }
    let (commands, queue) = mpsc::channel(QUEUE);
    std::thread::Builder::new()
        .name("openim-writer".to_owned())
        .spawn(move || serve(queue))
        .map_err(|error| Error::Internal(format!("cannot start the writer thread: {error}")))?;
    let thread = Arc::new(Thread { commands });
    threads.push(Arc::downgrade(&thread));
    Ok(thread)
}

fn serve(mut queue: mpsc::Receiver<Command>) {
    let mut databases: HashMap<u64, Connection> = HashMap::new();
    while let Some(first) = queue.blocking_recv() {
        let mut batches: Vec<(u64, Vec<Work>)> = Vec::new();
        let mut closing = Vec::new();
        let mut next = Some(first);
        let mut jobs = 0;
        while let Some(command) = next {
            match command {
                Command::Open { database, connection } => {
                    databases.insert(database, connection);
                }
                Command::Run { database, work } => {
                    jobs += 1;
                    match batches.iter_mut().find(|(id, _)| *id == database) {
                        Some((_, works)) => works.push(work),
                        None => batches.push((database, vec![work])),
                    }
                }
                // nothing of this database can follow: its sender closed the door before it asked
                Command::Close { database, done } => closing.push((database, done)),
            }
            next = if jobs < MAX_JOBS { queue.try_recv().ok() } else { None };
        }
        for (database, works) in batches {
            match databases.get(&database) {
                Some(connection) => commit(connection, works),
                None => works.into_iter().for_each(|work| drop(work)),
            }
        }
        for (database, done) in closing {
            if let Some(connection) = databases.remove(&database) {
                close(connection);
            }
            let _ = done.send(());
        }
    }
}

/// Empties the log into the file, so that the next open finds a clean one.
fn close(connection: Connection) {
    if let Err(error) = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);") {
        tracing::warn!(%error, "checkpoint at close failed");
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "database did not close");
    }
}

fn commit(connection: &Connection, works: Vec<Work>) {
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
    let result = begun.and_then(|()| execute(connection, "COMMIT"));
    if result.is_err() && !connection.is_autocommit() {
        rollback(connection, "ROLLBACK");
    }
    for finish in finishes {
        finish(result.clone());
    }
}

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn rollback(connection: &Connection, sql: &str) {
    if let Err(error) = connection.execute_batch(sql) {
        tracing::error!(%error, sql, "transaction control failed");
    }
}
