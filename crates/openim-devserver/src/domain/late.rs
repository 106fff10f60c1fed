//! Messages that were accepted and are stored later, as a real server does: it answers when a message is queued
//! (gateway.md 11.1). Here it happens only where a lever asks for it.

use std::sync::Arc;

use openim_proto::sdkws::MsgData;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Domain, World};

/// A message that waits.
pub(crate) struct Late {
    due: Instant,
    message: MsgData,
    operation_id: String,
}

/// The sending end of the queue.
pub(super) struct LateQueue {
    queue: UnboundedSender<Late>,
    waiting: usize,
}

impl LateQueue {
    /// An empty queue and its other end.
    pub(super) fn new() -> (Self, UnboundedReceiver<Late>) {
        let (queue, waiting) = unbounded_channel();
        (Self { queue, waiting: 0 }, waiting)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
    }
}

impl World {
    /// Queues a message behind those that wait already; stores it at once if the server stops.
    pub(super) fn store_later(&mut self, due: Instant, message: MsgData, operation_id: &str) {
        let late = Late { due, message, operation_id: operation_id.to_owned() };
        match self.late.queue.send(late) {
            Ok(()) => self.late.waiting += 1,
            Err(refused) => self.dispatch(refused.0.message, operation_id, Vec::new()),
        }
    }

    fn store_late(&mut self, late: Late) {
        self.late.waiting -= 1;
        self.dispatch(late.message, &late.operation_id, Vec::new());
    }
}

/// Stores what waits, one after the other when it is due, and the rest at once when the server stops.
pub(crate) async fn store_late(domain: Arc<Domain>, mut waiting: UnboundedReceiver<Late>, ended: CancellationToken) {
    loop {
        let late = tokio::select! {
            late = waiting.recv() => late,
            () = ended.cancelled() => break,
        };
        let Some(late) = late else { return };
        tokio::select! {
            () = sleep_until(late.due) => {}
            () = ended.cancelled() => {}
        }
        domain.world().store_late(late);
    }
    waiting.close();
    while let Some(late) = waiting.recv().await {
        domain.world().store_late(late);
    }
}
