//! What a database that nobody uses can do without: its readers, its prepared statements and its page cache, three
//! quarters of an account's memory. All of it comes back with the next use, for half a millisecond.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::desk::Desk;
use super::reader::Readers;
use super::release;

/// How long a database is kept ready after its last use.
const PATIENCE: Duration = Duration::from_secs(10);

/// Watches over the use of one database file.
pub(super) struct Idle {
    desk: Arc<Desk>,
    readers: Arc<Readers>,
    /// Uses that have not ended.
    in_use: AtomicUsize,
    /// The end of the last use.
    used: Mutex<Instant>,
    watched: AtomicBool,
    watch: Mutex<Option<AbortHandle>>,
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idle").finish_non_exhaustive()
    }
}

/// A use of the database, until it is dropped.
pub(super) struct Using<'a>(&'a Idle);

impl Drop for Using<'_> {
    fn drop(&mut self) {
        *lock(&self.0.used) = Instant::now();
        self.0.in_use.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Idle {
    pub(super) fn new(desk: Arc<Desk>, readers: Arc<Readers>) -> Arc<Self> {
        Arc::new(Self {
            desk,
            readers,
            in_use: AtomicUsize::new(0),
            used: Mutex::new(Instant::now()),
            watched: AtomicBool::new(false),
            watch: Mutex::default(),
        })
    }

    /// Begins a use of the database.
    pub(super) fn using(self: &Arc<Self>) -> Using<'_> {
        self.in_use.fetch_add(1, Ordering::SeqCst);
        if !self.watched.swap(true, Ordering::SeqCst) {
            *lock(&self.watch) = Some(tokio::spawn(watch(Arc::downgrade(self))).abort_handle());
        }
        Using(self)
    }

    /// Ends the watch.
    pub(super) fn end(&self) {
        self.watched.store(true, Ordering::SeqCst);
        if let Some(watch) = lock(&self.watch).take() {
            watch.abort();
        }
    }

    /// When the database counts as idle, unless it is used until then.
    fn idle_at(&self) -> Instant {
        let since = if self.in_use.load(Ordering::SeqCst) > 0 { Instant::now() } else { *lock(&self.used) };
        since + PATIENCE
    }

    fn let_go(&self) {
        self.readers.let_go();
        self.desk.let_go();
        release::one();
    }
}

async fn watch(idle: Weak<Idle>) {
    loop {
        let Some(now) = idle.upgrade() else { return };
        let at = now.idle_at();
        if at > Instant::now() {
            drop(now);
            tokio::time::sleep_until(at).await;
            continue;
        }
        let watched = now.clone();
        if let Err(error) = super::THREADS.run(move || watched.let_go()).await {
            tracing::warn!(%error, "an idle database keeps its memory");
        }
        now.watched.store(false, Ordering::SeqCst);
        // a use that began meanwhile took this watch for its own
        if now.idle_at() <= Instant::now() || now.watched.swap(true, Ordering::SeqCst) {
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
