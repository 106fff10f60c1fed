//! The event pump: core queue -> batches of text -> one weak ThreadsafeFunction, one batch in flight, credit returned by
//! the facade after it has dispatched the batch.

use std::sync::Arc;

use napi::bindgen_prelude::{FnArgs, Function, Result};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use openim_core::{EVENT_ITEMS, Event, EventQueue};
use tokio::sync::Semaphore;

/// Bytes in one crossing, about. List elements are [`EVENT_ITEMS`] at most.
const MAX_BYTES: usize = 50_000;

/// `(batch, last)`: JSON text of `[[name, payload], …]`, and the number of its last event.
type Deliver = ThreadsafeFunction<FnArgs<(String, i64)>, (), FnArgs<(String, i64)>, napi::Status, false, true, 2>;

pub(crate) struct Pump {
    deliver: Deliver,
    /// One permit: the right to have a batch in flight.
    credit: Arc<Semaphore>,
}

impl Pump {
    pub(crate) fn new(on_events: Function<'_, FnArgs<(String, i64)>, ()>) -> Result<Self> {
        let deliver = on_events
            .build_threadsafe_function()
            .callee_handled::<false>()
            .weak::<true>()
            .max_queue_size::<2>()
            .build()?;
        Ok(Self { deliver, credit: Arc::new(Semaphore::new(1)) })
    }

    pub(crate) fn credit(&self) -> Arc<Semaphore> {
        self.credit.clone()
    }

    /// Runs until the queue is closed and empty, or the environment is gone.
    pub(crate) async fn run(self, queue: Arc<EventQueue>) {
        while let Some(first) = queue.next().await {
            // written while JavaScript is still busy with the one before
            let (batch, last) = fill(first, &queue);
            let Ok(credit) = self.credit.acquire().await else { return };
            credit.forget();
            let call = self.deliver.call((batch, last as i64).into(), ThreadsafeFunctionCallMode::NonBlocking);
            if call != napi::Status::Ok {
                tracing::debug!(?call, "the environment no longer takes events");
                return;
            }
        }
    }
}

/// Takes what is queued up to the bounds, with the number of the last event.
fn fill(first: (u64, Event), queue: &EventQueue) -> (String, u64) {
    let mut batch = String::from("[");
    let mut last = 0;
    let mut room = EVENT_ITEMS;
    let mut next = Some(first);
    while let Some((number, event)) = next {
        match event.to_json() {
            Ok(text) => {
                if batch.len() > 1 {
                    batch.push(',');
                }
                batch.push_str(&text);
            }
            Err(error) => tracing::error!(%error, event = event.name(), "event cannot be written"),
        }
        last = number;
        room = room.saturating_sub(event.len());
        next = if room > 0 && batch.len() < MAX_BYTES { queue.try_next(room) } else { None };
    }
    batch.push(']');
    (batch, last)
}
