//! The writer of each database. A small job runs at once where it is called, if nobody else writes; everything else
//! goes to a thread. Threads are shared: at most four in the process, each database pinned to one (R9). A thread drains
//! what has queued up, runs the jobs of each database in one transaction and commits at once when its queue is empty.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpoints;
use super::desk::{Desk, Work};
use super::{Job, Value};
use crate::error::{Error, Result};

const MAX_THREADS: usize = 4;
/// Jobs that may wait for one thread; whoever adds more waits.
const QUEUE: usize = 1024;
/// Jobs in one transaction at most. A job of the inbound pipeline holds up to 500 messages.
const MAX_JOBS: usize = 256;

/// How much a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// A few rows: well below a millisecond.
    Light,
    /// As many rows as there are: never on a thread that others wait for.
    Heavy,
}

enum Command {
    Run { desk: Arc<Desk>, work: Work },
    Close { desk: Arc<Desk>, done: oneshot::Sender<()> },
}

struct Thread {
    commands: mpsc::Sender<Command>,
}

static THREADS: OnceLock<Mutex<Vec<Weak<Thread>>>> = OnceLock::new();

/// The writing end of one database.
pub(super) struct Writer {
    desk: Arc<Desk>,
    /// `None` after close. The last owner of a thread ends it.
    thread: Mutex<Option<Arc<Thread>>>,
}

impl Writer {
    /// Takes the connection, and the file's path unless it is in memory.
    pub(super) fn start(mut connection: Connection, path: Option<PathBuf>) -> Result<Self> {
        let mut failure = None;
        let desk = Arc::new_cyclic(|desk| {
            let checkpoints = path.map(|path| Checkpoints::watch(&mut connection, path, desk.clone()));
            let checkpoints = checkpoints.transpose().unwrap_or_else(|error| {
                failure = Some(error);
                None
            });
            Desk::new(connection, checkpoints)
        });
        match failure {
            Some(error) => Err(error),
            None => Ok(Self { desk, thread: Mutex::new(Some(thread()?)) }),
        }
    }

    pub(super) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    pub(super) async fn run(&self, weight: Weight, job: Job) -> Result<Value> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::LoggedOut)?;
        let (answer, result) = oneshot::channel();
        let span = tracing::Span::current();
        let work: Work = Box::new(move |connection| {
            let outcome = catch_unwind(AssertUnwindSafe(|| span.in_scope(|| job(connection))))
                .unwrap_or_else(|_| Err(Error::Internal("a database job panicked".to_owned())));
            (
                outcome.is_ok(),
                Box::new(move |commit| {
                    let told = outcome.and_then(|committed| commit.map(|()| span.in_scope(committed)));
                    // a caller that went away does not take its transaction with it
                    let _ = answer.send(told);
                }),
            )
        });
        let refused = if weight == Weight::Light { self.desk.try_now(work) } else { Err(work) };
        if let Err(work) = refused {
            let place = thread.commands.reserve().await.map_err(|_| Error::LoggedOut)?;
            self.desk.queue_one();
            place.send(Command::Run { desk: self.desk.clone(), work });
        }
        drop(thread);
        // dropped without an answer: the transaction did not begin
        result.await.map_err(|_| Error::Database("the transaction did not begin".to_owned()))?
    }

    pub(super) async fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let (done, closed) = oneshot::channel();
            if thread.commands.send(Command::Close { desk: self.desk.clone(), done }).await.is_ok() {
                let _ = closed.await;
            }
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
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
    while let Some(first) = queue.blocking_recv() {
        let mut batches: Vec<(Arc<Desk>, Vec<Work>)> = Vec::new();
        let mut closing = Vec::new();
        let mut next = Some(first);
        let mut jobs = 0;
        while let Some(command) = next {
            match command {
                Command::Run { desk, work } => {
                    jobs += 1;
                    match batches.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &desk)) {
                        Some((_, works)) => works.push(work),
                        None => batches.push((desk, vec![work])),
                    }
                }
                // nothing of this database can follow: its sender closed the door before it asked
                Command::Close { desk, done } => closing.push((desk, done)),
            }
            next = if jobs < MAX_JOBS { queue.try_recv().ok() } else { None };
        }
        for (desk, works) in batches {
            desk.run_queued(works);
        }
        for (desk, done) in closing {
            desk.close();
            let _ = done.send(());
        }
    }
}
