//! Calls that can be cancelled: an id from `begin`, a token while the call runs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

#[derive(Default)]
pub(crate) struct Cancellations {
    inner: Mutex<(u32, HashMap<u32, CancellationToken>)>,
}

impl Cancellations {
    fn lock(&self) -> MutexGuard<'_, (u32, HashMap<u32, CancellationToken>)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new id; the call that gets it ends it.
    pub(crate) fn begin(&self) -> u32 {
        let mut inner = self.lock();
        inner.0 = inner.0.wrapping_add(1).max(1);
        let id = inner.0;
        inner.1.insert(id, CancellationToken::new());
        id
    }

    pub(crate) fn cancel(&self, id: u32) {
        if let Some(token) = self.lock().1.get(&id) {
            token.cancel();
        }
    }

    /// The token of an id; 0 is never cancelled.
    pub(crate) fn token(&self, id: u32) -> CancellationToken {
        self.lock().1.get(&id).cloned().unwrap_or_default()
    }

    pub(crate) fn end(&self, id: u32) {
        self.lock().1.remove(&id);
    }
}
