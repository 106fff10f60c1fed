//! One established connection: a task that writes, a task that reads, and the requests that wait for answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use openim_proto::constants::operation;
use openim_proto::envelope::{Request, Response};
use openim_proto::wire::Wire;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::dial::Stream;
use super::socket::{SocketConfig, SocketEvent};
use crate::error::{Error, Result};

/// A WebSocket ping this often keeps servers from closing after 30 s (gateway.md 8.1).
const PING_EVERY: Duration = Duration::from_secs(24);
/// Silence after which the other end counts as dead: a ping and some time for its pong.
const DEAD_AFTER: Duration = Duration::from_secs(34);
/// From the call to its answer (gateway.md 8.4).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// A socket that takes nothing for so long is dead (gateway.md 8.4).
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Most that one frame may decompress to.
const MAX_DECOMPRESSED_BYTES: usize = 64 << 20;
/// Pushes of more bytes than this wait on the socket until earlier ones are applied.
const MAX_WAITING_BYTES: u32 = 32 << 20;

type Pending = Mutex<HashMap<String, oneshot::Sender<Response>>>;

/// A push that waits to be applied.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) payload: Vec<u8>,
    /// Its share of what may wait, given back when this is dropped.
    pub(crate) room: OwnedSemaphorePermit,
}

/// The requesting end of a connection.
#[derive(Debug)]
pub(super) struct Link {
    user_id: String,
    wire: Wire,
    outgoing: mpsc::Sender<Message>,
    pending: Arc<Pending>,
    next: AtomicU64,
    rtt_micros: AtomicU64,
    kicked: Arc<AtomicBool>,
    ended: CancellationToken,
}

fn lock(pending: &Pending) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Response>>> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    /// Starts the two tasks. `ended` is cancelled when the connection is over, and ends it when cancelled.
    pub(super) fn start(
        stream: Stream,
        config: &SocketConfig,
        events: mpsc::Sender<SocketEvent>,
        ended: CancellationToken,
    ) -> Arc<Self> {
        let (sink, source) = stream.split();
        let (outgoing, queue) = mpsc::channel(256);
        let pending = Arc::new(Pending::default());
        let wire = config.wire;
        tokio::spawn(config.scope.clone().run(write(sink, queue, ended.clone())));
        let kicked = Arc::<AtomicBool>::default();
        let reader = Reader {
            wire,
            events,
            room: Arc::new(Semaphore::new(MAX_WAITING_BYTES as usize)),
            pending: pending.clone(),
            kicked: kicked.clone(),
            ended: ended.clone(),
        };
        tokio::spawn(config.scope.clone().run(reader.run(source)));
        Arc::new(Self {
            user_id: config.user_id.clone(),
            wire,
            outgoing,
            pending,
            next: AtomicU64::new(1),
            rtt_micros: AtomicU64::new(0),
            kicked,
            ended,
        })
    }

    /// Sends a request and waits for its answer; requests are pipelined.
    pub(super) async fn request(&self, operation: i32, operation_id: String, data: Vec<u8>) -> Result<Vec<u8>> {
        let msg_incr = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        let request = Request {
            req_identifier: operation,
            token: String::new(),
            send_id: self.user_id.clone(),
            operation_id: operation_id.clone(),
            msg_incr: msg_incr.clone(),
            data,
        };
        let frame = self.wire.encode_request(&request);
        tracing::trace!(operation, operation_id, bytes = frame.len(), "frame out");
        let (answer, answered) = oneshot::channel();
        lock(&self.pending).insert(msg_incr.clone(), answer);
        let guard = Forget { pending: &self.pending, msg_incr: &msg_incr };
        if self.ended.is_cancelled() {
            return Err(lost());
        }
        let started = Instant::now();
        let exchange = async {
            self.outgoing.send(Message::Binary(frame.into())).await.map_err(|_| lost())?;
            answered.await.map_err(|_| lost())
        };
        let response = tokio::select! {
            response = exchange => response?,
            () = tokio::time::sleep(ANSWER_TIMEOUT) => {
                tracing::warn!(operation, operation_id, "the gateway does not answer");
                return Err(Error::Timeout(format!("request {operation}")));
            }
            () = self.ended.cancelled() => return Err(lost()),
        };
        drop(guard);
        let rtt_micros = started.elapsed().as_micros() as u64;
        self.rtt_micros.store(rtt_micros, Ordering::Relaxed);
        let (bytes, err_code) = (response.data.len(), response.err_code);
        tracing::debug!(operation, operation_id, err_code, bytes, rtt_micros, "the gateway answered");
        match response.err_code {
            0 => Ok(response.data),
            code => Err(Error::server(code, response.err_msg, "")),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        lock(&self.pending).len()
    }

    /// Whether the gateway ended the connection for good.
    pub(super) fn was_kicked(&self) -> bool {
        self.kicked.load(Ordering::SeqCst)
    }

    pub(super) fn rtt_micros(&self) -> u64 {
        self.rtt_micros.load(Ordering::Relaxed)
    }
}

fn lost() -> Error {
    Error::Network("the connection was lost".to_owned())
}

/// Takes a request off the list however its wait ends.
struct Forget<'a> {
    pending: &'a Pending,
    msg_incr: &'a str,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        lock(self.pending).remove(self.msg_incr);
    }
}

async fn write(mut sink: SplitSink<Stream, Message>, mut queue: mpsc::Receiver<Message>, ended: CancellationToken) {
    let mut ping = tokio::time::interval_at(tokio::time::Instant::now() + PING_EVERY, PING_EVERY);
    loop {
        let message = tokio::select! {
            () = ended.cancelled() => break,
            message = queue.recv() => match message {
                Some(message) => message,
                None => break,
            },
            _ = ping.tick() => Message::Ping(Vec::new().into()),
        };
        let writing = async {
            sink.feed(message).await?;
            // whatever else has queued up goes out with the same flush
            while let Ok(next) = queue.try_recv() {
                sink.feed(next).await?;
            }
            sink.flush().await
        };
        match tokio::time::timeout(WRITE_TIMEOUT, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::info!(%error, "the connection cannot be written to");
                break;
            }
            Err(_) => {
                tracing::info!("the gateway takes nothing any more");
                break;
            }
        }
    }
    ended.cancel();
    let _ = tokio::time::timeout(Duration::from_millis(200), sink.close()).await;
}

struct Reader {
    wire: Wire,
    events: mpsc::Sender<SocketEvent>,
    room: Arc<Semaphore>,
    pending: Arc<Pending>,
    kicked: Arc<AtomicBool>,
    ended: CancellationToken,
}

impl Reader {
    async fn run(self, mut source: SplitStream<Stream>) {
        let ended = self.ended.clone();
        let reason = tokio::select! {
            () = ended.cancelled() => "closed here".to_owned(),
            reason = self.read(&mut source) => reason,
        };
        tracing::info!(reason, "the connection is over");
        self.ended.cancel();
        lock(&self.pending).clear();
    }

    async fn read(&self, source: &mut SplitStream<Stream>) -> String {
        loop {
            let frame = match tokio::time::timeout(DEAD_AFTER, source.next()).await {
                Err(_) => return "no sign of life".to_owned(),
                Ok(None) => return "closed by the gateway".to_owned(),
                Ok(Some(Err(error))) => return error.to_string(),
                Ok(Some(Ok(frame))) => frame,
            };
            match frame {
                Message::Binary(bytes) => {
                    if let Err(reason) = self.frame(&bytes).await {
                        return reason;
                    }
                }
                Message::Close(_) => return "closed by the gateway".to_owned(),
                // pongs of text pings and whatever else: a sign of life
                Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// An unreadable frame is logged and passed over: the comparison of seqs finds what it held (gateway.md 7.12 no. 6).
    async fn frame(&self, bytes: &[u8]) -> std::result::Result<(), String> {
        let response = match self.wire.decode_response(bytes, MAX_DECOMPRESSED_BYTES) {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(%error, bytes = bytes.len(), "a frame cannot be read and is passed over");
                return Ok(());
            }
        };
        let (operation, operation_id) = (response.req_identifier, &response.operation_id);
        tracing::trace!(operation, operation_id, bytes = bytes.len(), "frame in");
        match response.req_identifier {
            operation::PUSH_MSG => {
                let payload = response.data;
                let bytes = u32::try_from(payload.len()).unwrap_or(u32::MAX).min(MAX_WAITING_BYTES);
                let room = self.room.clone().acquire_many_owned(bytes).await.map_err(|_| "closed here".to_owned())?;
                let push = SocketEvent::Push(Push { payload, room });
                self.events.send(push).await.map_err(|_| "closed here".to_owned())
            }
            // with an id it answers a request
            operation::SUB_ONLINE_STATUS if response.msg_incr.is_empty() => {
                let states = SocketEvent::OnlineStatus(response.data);
                self.events.send(states).await.map_err(|_| "closed here".to_owned())
            }
            operation::KICK_ONLINE => {
                self.kicked.store(true, Ordering::SeqCst);
                self.events.send(SocketEvent::Kicked).await.map_err(|_| "closed here".to_owned())?;
                Err("kicked".to_owned())
            }
            _ => {
                match lock(&self.pending).remove(&response.msg_incr) {
                    Some(waiting) => drop(waiting.send(response)),
                    None => {
                        let (operation, operation_id) = (response.req_identifier, response.operation_id);
                        tracing::info!(operation, operation_id, "an answer that nobody waits for any more");
                    }
                }
                Ok(())
            }
        }
    }
}
