//! Threads for work that blocks: so many at most in the whole process, however many clients have work. Idle ones end by
//! themselves.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Result};

/// A bounded number of threads with one queue.
pub(crate) struct Pool {
    name: &'static str,
    threads: usize,
    /// Only its blocking threads are used: nothing drives it.
    runtime: OnceLock<std::io::Result<Runtime>>,
}

impl Pool {
    pub(crate) const fn new(name: &'static str, threads: usize) -> Self {
        Self { name, threads, runtime: OnceLock::new() }
    }

    /// Runs work on one of the threads, after the work that waits already. It is done even if nobody waits for it.
    pub(crate) async fn run<R: Send + 'static>(&self, work: impl FnOnce() -> R + Send + 'static) -> Result<R> {
        let name = self.name;
        let runtime = self
            .runtime
            .get_or_init(|| Builder::new_current_thread().max_blocking_threads(self.threads).thread_name(name).build())
            .as_ref()
            .map_err(|error| Error::Internal(format!("no threads for {name}: {error}")))?;
        runtime.spawn_blocking(work).await.map_err(|error| Error::Internal(format!("{name} was interrupted: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn work_beyond_the_threads_waits_and_a_panic_costs_one_result() {
        static POOL: Pool = Pool::new("test", 3);
        let running = Arc::new(std::sync::Barrier::new(3));
        let tasks = (0..30).map(|_| {
            let running = running.clone();
            // three at a time, or this never ends
            tokio::spawn(POOL.run(move || {
                running.wait();
                std::thread::current().id()
            }))
        });
        let mut threads = HashSet::new();
        for task in tasks.collect::<Vec<_>>() {
            threads.insert(task.await.unwrap().unwrap());
        }
        assert_eq!(threads.len(), 3);
        assert!(matches!(POOL.run(|| panic!("a defect")).await, Err::<(), _>(Error::Internal(_))));
        assert_eq!(POOL.run(|| 1).await.unwrap(), 1);
    }
}
