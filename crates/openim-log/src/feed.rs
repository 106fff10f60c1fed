//! Records on their way to the application. The core never waits for it: what does not fit is dropped and counted.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::record::Record;

/// Records that wait at most; then the oldest go.
const MAX_RECORDS: usize = 1000;
/// Records in one batch.
const BATCH: usize = 100;

/// Tells the application that there is something to take; false if the application is gone. Must not block.
pub type Wake = Box<dyn Fn() -> bool + Send + Sync>;

/// A bounded queue whose consumer is woken once and then takes until nothing is left.
pub(crate) struct Feed {
    state: Mutex<State>,
    wake: Wake,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<String>,
    dropped: u64,
    /// The consumer was woken and has not seen the end yet.
    awake: bool,
    gone: bool,
}

impl Feed {
    pub(crate) fn new(wake: Wake) -> Self {
        Self { state: Mutex::default(), wake }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, line: String) {
        let mut state = self.lock();
        if state.gone {
            return;
        }
        if state.waiting.len() == MAX_RECORDS {
            state.waiting.pop_front();
            state.dropped += 1;
        }
        state.waiting.push_back(line);
        let wake = !std::mem::replace(&mut state.awake, true);
        drop(state);
        if wake && !(self.wake)() {
            let mut state = self.lock();
            state.gone = true;
            state.waiting.clear();
        }
    }

    /// The next batch as a JSON list; `None` if nothing is left. A gap is told by a record of its own.
    pub(crate) fn take(&self) -> Option<String> {
        let mut state = self.lock();
        if state.waiting.is_empty() {
            state.awake = false;
            return None;
        }
        let dropped = std::mem::take(&mut state.dropped);
        let count = state.waiting.len().min(BATCH);
        let mut batch = Vec::with_capacity(count + 1);
        if dropped > 0 {
            batch.push(Record::own(tracing::Level::WARN, "records dropped", &[("count", json!(dropped))]));
        }
        batch.extend(state.waiting.drain(..count));
        drop(state);
        Some(format!("[{}]", batch.join(",")))
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Feed")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn counted(alive: bool) -> (Feed, Arc<AtomicUsize>) {
        let woken = Arc::new(AtomicUsize::new(0));
        let count = woken.clone();
        let wake = move || {
            count.fetch_add(1, Ordering::SeqCst);
            alive
        };
        (Feed::new(Box::new(wake)), woken)
    }

    fn taken(feed: &Feed) -> Vec<serde_json::Value> {
        let mut all = Vec::new();
        while let Some(batch) = feed.take() {
            let batch: Vec<serde_json::Value> = serde_json::from_str(&batch).unwrap();
            assert!(batch.len() <= BATCH + 1);
            all.extend(batch);
        }
        all
    }

    #[test]
    fn the_consumer_is_woken_once_until_it_has_seen_the_end() {
        let (feed, woken) = counted(true);
        for number in 0..250 {
            feed.push(number.to_string());
        }
        assert_eq!(woken.load(Ordering::SeqCst), 1);
        assert_eq!(taken(&feed), (0..250).map(|number| json!(number)).collect::<Vec<_>>());
        feed.push("250".to_owned());
        assert_eq!(woken.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let (feed, _) = counted(true);
        for number in 0..MAX_RECORDS + 7 {
            feed.push(number.to_string());
        }
        let all = taken(&feed);
        assert_eq!(all[0]["fields"]["count"], 7);
        assert_eq!(all[1..], (7..MAX_RECORDS + 7).map(|number| json!(number)).collect::<Vec<_>>());
    }

    #[test]
    fn a_consumer_that_is_gone_costs_nothing_more() {
        let (feed, woken) = counted(false);
        feed.push("1".to_owned());
        feed.push("2".to_owned());
        assert_eq!((woken.load(Ordering::SeqCst), feed.take()), (1, None));
    }
}
