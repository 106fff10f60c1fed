//! The change stream (R27): what happens on a client, in the order of its events. Not part of the JavaScript API.
//!
//! A stream has a bounded queue of its own: inbound work waits for the slowest one, as it waits for listeners.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;

use crate::change::Published;
use crate::event::Event;
use crate::event_queue::EventQueue;
use crate::queue::{Item, Queue};

impl Item for Published {
    fn bytes(&self) -> usize {
        match self {
            Self::Notification(notification) => 300 + notification.detail.len(),
            Self::Change(change) => change.event.bytes(),
        }
    }

    fn is_droppable(&self) -> bool {
        match self {
            Self::Notification(_) => true,
            Self::Change(change) => change.event.is_droppable(),
        }
    }

    fn dropped(count: u64) -> Self {
        Self::Change(Box::new(Event::EventsDropped { count }.into()))
    }
}

/// The sending end of a stream.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    state: Mutex<(Queue<Published>, bool)>,
    filled: Notify,
}

impl Tap {
    fn lock(&self) -> std::sync::MutexGuard<'_, (Queue<Published>, bool)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, number: u64, published: Published) {
        let mut state = self.lock();
        state.0.push(number, published);
        state.0.shed();
        drop(state);
        self.filled.notify_one();
    }

    /// A closed one keeps nobody waiting.
    pub(crate) fn has_room(&self) -> bool {
        let state = self.lock();
        state.1 || state.0.has_room()
    }

    pub(crate) fn close(&self) {
        self.lock().1 = true;
        self.filled.notify_one();
    }
}

/// What happens on a client from now on, in order.
#[derive(Debug)]
pub struct ChangeStream {
    tap: Arc<Tap>,
    queue: Weak<EventQueue>,
}

impl ChangeStream {
    pub(crate) fn new(tap: Arc<Tap>, queue: &Arc<EventQueue>) -> Self {
        Self { tap, queue: Arc::downgrade(queue) }
    }

    /// The next one, with the number of the event: a call that caused events up to number n is told by then. `None` once
    /// the client is closed and everything is out.
    pub async fn next(&mut self) -> Option<(u64, Published)> {
        loop {
            let (next, closed) = {
                let mut state = self.tap.lock();
                (state.0.pop(), state.1)
            };
            if let Some((number, mut published)) = next {
                self.drained();
                if let Published::Change(change) = &mut published {
                    change.event.unfold();
                }
                return Some((number, published));
            }
            if closed {
                return None;
            }
            self.tap.filled.notified().await;
        }
    }

    fn drained(&self) {
        if let Some(queue) = self.queue.upgrade() {
            queue.drained();
        }
    }
}

impl Drop for ChangeStream {
    fn drop(&mut self) {
        // whoever waits for room here waits for nobody now
        self.tap.close();
        self.drained();
    }
}
