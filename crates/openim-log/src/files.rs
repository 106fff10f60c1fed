//! The files' thread: whoever logs hands over a line and goes on.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

use crate::record::Record;
use crate::rotation::Rotation;
use crate::{Error, Result};

/// Lines that wait for the disk at most.
const QUEUE: usize = 4096;

enum Command {
    Line(String),
    Bounds(u64, u32),
    Flush(SyncSender<()>),
    Snapshot(SyncSender<std::io::Result<Vec<(File, u64)>>>),
}

/// Rotating files in a folder, written by a thread of their own. Dropped: what is queued is written, the thread ends.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    commands: Option<SyncSender<Command>>,
    dropped: Arc<AtomicU64>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Keeps other processes from writing the same files.
    _lock: File,
}

impl Files {
    pub(crate) fn open(folder: &Path, max_bytes: u64, max_files: u32) -> Result<Self> {
        let failed = |source| Error::io(folder, source);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("openim.log.lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let reason = format!("is used by another process: {}", folder.display());
                return Err(Error::Setting { field: "logDir", reason });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let rotation = Rotation::open(folder, max_bytes, max_files).map_err(failed)?;
        let (commands, queue) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let count = dropped.clone();
        let thread = std::thread::Builder::new()
            .name("openim-log".to_owned())
            .spawn(move || serve(&queue, rotation, &count))
            .map_err(failed)?;
        let thread = Mutex::new(Some(thread));
        Ok(Self { folder: folder.to_owned(), commands: Some(commands), dropped, thread, _lock: lock })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Hands over a line. A full queue drops it and counts.
    pub(crate) fn push(&self, line: String) {
        if let Some(commands) = &self.commands
            && commands.try_send(Command::Line(line)).is_err()
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn set_bounds(&self, max_bytes: u64, max_files: u32) {
        self.send(Command::Bounds(max_bytes, max_files));
    }

    pub(crate) fn flush(&self, patience: Duration) {
        let (done, waiting) = sync_channel(1);
        if let Some(commands) = &self.commands
            && commands.try_send(Command::Flush(done)).is_ok()
        {
            let _ = waiting.recv_timeout(patience);
        }
    }

    /// All files as they are once everything logged so far is in them, oldest first.
    pub(crate) fn snapshot(&self) -> Result<Vec<(File, u64)>> {
        let (reply, answer) = sync_channel(1);
        self.send(Command::Snapshot(reply));
        let gone = || std::io::Error::other("the log's thread ended");
        answer.recv().unwrap_or_else(|_| Err(gone())).map_err(|error| Error::io(&self.folder, error))
    }

    fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // fails only if the thread ended; whoever waits for an answer hears that
            let _ = commands.send(command);
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.commands.take();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

/// Writes until nobody can send any more. Nothing here may trace: it would come back. What the disk refuses counts as
/// dropped.
fn serve(queue: &Receiver<Command>, mut rotation: Rotation, dropped: &AtomicU64) {
    while let Ok(first) = queue.recv() {
        let mut next = Some(first);
        while let Some(command) = next {
            match command {
                Command::Line(line) => {
                    let lost = dropped.swap(0, Ordering::Relaxed);
                    let told = lost == 0 || {
                        let fields = [("count", json!(lost))];
                        rotation.write(&Record::own(tracing::Level::WARN, "records dropped", &fields)).is_ok()
                    };
                    if !told {
                        dropped.fetch_add(lost, Ordering::Relaxed);
                    }
                    if rotation.write(&line).is_err() {
                        dropped.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Command::Bounds(max_bytes, max_files) => rotation.set_bounds(max_bytes, max_files),
                Command::Flush(done) => {
                    let _ = rotation.flush();
                    let _ = done.send(());
                }
                Command::Snapshot(reply) => drop(reply.send(rotation.snapshot())),
            }
            next = queue.try_recv().ok();
        }
        // a failure shows with the next line
        let _ = rotation.flush();
    }
}
