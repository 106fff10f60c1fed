//! What waits to be written to a connection.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use openim_proto::envelope::Response;
use openim_proto::wire::{Wire, WireFormat};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::faults::RawFrame;

/// Frames that may wait for a peer who takes nothing.
const WAITING_LIMIT: usize = 256;

/// How long a peer may take nothing while more than that waits. A commit hands over many frames at once, so the number
/// alone would end healthy connections.
const STALL_LIMIT: Duration = Duration::from_secs(1);

/// A frame that goes to any number of connections and is encoded once per encoding and compression.
pub(crate) struct Frame {
    /// The envelope.
    pub(crate) response: Response,
    encoded: [OnceLock<Bytes>; 4],
}

impl Frame {
    /// Wraps an envelope.
    pub(crate) fn new(response: Response) -> Arc<Self> {
        Arc::new(Self { response, encoded: Default::default() })
    }

    /// The bytes as a connection of this kind takes them, made when first asked for.
    pub(crate) fn encoded(&self, wire: Wire) -> Bytes {
        let [json, json_gzip, gob, gob_gzip] = &self.encoded;
        let cell = match (wire.format, wire.gzip) {
            (WireFormat::Json, false) => json,
            (WireFormat::Json, true) => json_gzip,
            (WireFormat::Gob, false) => gob,
            (WireFormat::Gob, true) => gob_gzip,
        };
        cell.get_or_init(|| wire.encode_response(&self.response).into()).clone()
    }
}

/// One thing to write.
pub(crate) enum Outgoing {
    /// An answer or a push.
    Frame(Arc<Frame>),
    /// A text frame.
    Text(String),
    /// Nothing more: close the connection.
    Close,
    /// A close frame, and nothing more.
    CloseWith {
        /// Its code.
        code: u16,
        /// Its reason.
        reason: String,
    },
    /// An answer or a push that has to wait, while others overtake it.
    Later {
        /// Milliseconds.
        ms: u32,
        /// What waits.
        frame: Arc<Frame>,
    },
    /// A frame that no server sends by itself.
    Raw(RawFrame),
}

/// The sending half of a connection.
pub(crate) struct Outbox {
    queue: UnboundedSender<Outgoing>,
    waiting: AtomicUsize,
    /// Milliseconds from `since` to the moment the peer last took everything.
    progress: AtomicU64,
    since: Instant,
    /// Ends the connection.
    pub(crate) ended: CancellationToken,
}

impl Outbox {
    /// An empty queue and its other end.
    pub(crate) fn new(ended: CancellationToken) -> (Self, UnboundedReceiver<Outgoing>) {
        let (queue, receiver) = unbounded_channel();
        let (waiting, progress) = (AtomicUsize::new(0), AtomicU64::new(0));
        (Self { queue, waiting, progress, since: Instant::now(), ended }, receiver)
    }

    /// Queues; ends the connection if the peer does not keep up.
    pub(crate) fn push(&self, outgoing: Outgoing) {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        if waiting >= WAITING_LIMIT && self.stalled() {
            tracing::warn!("a connection takes no frames and is closed");
            self.ended.cancel();
        } else {
            // nobody reads any more: the connection is ending
            let _ = self.queue.send(outgoing);
        }
    }

    /// The peer took `count` frames.
    pub(crate) fn written(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        self.progress.store(self.since.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    fn stalled(&self) -> bool {
        let last = Duration::from_millis(self.progress.load(Ordering::Relaxed));
        self.since.elapsed().saturating_sub(last) > STALL_LIMIT
    }
}
