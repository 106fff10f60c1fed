//! The event pump: core queue -> batches of text -> one weak ThreadsafeFunction, one batch in flight, credit returned by
//! the facade after it has dispatched the batch.

use std::sync::Arc;

use napi::bindgen_prelude::{FnArgs, Function, Result};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use openim_core::{Event, EventQueue};
use tokio::sync::Semaphore;

/// List elements in one crossing at most.
const MAX_ITEMS: usize = 50;
/// Bytes in one crossing, about.
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
        let mut waiting: Option<(u64, Event)> = None;
        let mut delivered = 0;
        loop {
            let next = match waiting.take() {
                Some(next) => Some(next),
                None => queue.next().await,
            };
            let Some(next) = next else { return };
            // written while JavaScript is still busy with the one before
            let (batch, last) = fill(next, delivered, &queue, &mut waiting);
            let Ok(credit) = self.credit.acquire().await else { return };
            credit.forget();
            delivered = last;
            let call = self.deliver.call((batch, last as i64).into(), ThreadsafeFunctionCallMode::NonBlocking);
            if call != napi::Status::Ok {
                tracing::debug!(?call, "the environment no longer takes events");
                return;
            }
        }
    }
}

/// Takes what is queued up to the bounds. A list that is too long is cut: its rest opens the next batch, and the number
/// of the event is reached only with its last part. `delivered` is the number that was reached before: merged events
/// have taken the numbers in between with them.
fn fill(first: (u64, Event), delivered: u64, queue: &EventQueue, rest: &mut Option<(u64, Event)>) -> (String, u64) {
    let mut batch = String::from("[");
    let mut last = delivered;
    let mut items = 0;
    let mut next = Some(first);
    while let Some((number, mut event)) = next.take() {
        let room = MAX_ITEMS.saturating_sub(items).max(1);
        let tail = event.split_off(room);
        items += event.len();
        if batch.len() > 1 {
            batch.push(',');
        }
        match event.to_json() {
            Ok(text) => push_ascii(&mut batch, &text),
            Err(error) => {
                tracing::error!(%error, event = event.name(), "event cannot be written");
                batch.push_str("null");
            }
        }
        if let Some(tail) = tail {
            *rest = Some((number, tail));
            break;
        }
        last = number;
        if items >= MAX_ITEMS || batch.len() >= MAX_BYTES {
            break;
        }
        next = queue.try_next();
    }
    batch.push(']');
    (batch, last)
}

/// Non-ASCII characters as `\uXXXX`: V8 parses a one-byte string in 0.63 of the time.
fn push_ascii(out: &mut String, text: &str) {
    if text.is_ascii() {
        out.push_str(text);
        return;
    }
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.reserve(text.len());
    let mut units = [0; 2];
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut units) {
            out.push_str("\\u");
            for shift in [12, 8, 4, 0] {
                let digit = usize::from((*unit >> shift) & 0xf);
                out.push(HEX.get(digit).map_or('0', |digit| char::from(*digit)));
            }
        }
    }
}
