//! One established connection: a task that writes, a task that reads, and the requests that wait for answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use openim_proto::constants::operation;
use openim_proto::envelope::{self, Request, Response};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::dial::{MAX_INCOMING_BYTES, Stream};
use super::socket::SocketEvent;
use crate::error::{Error, Result};

/// A WebSocket ping this often keeps servers from closing after 30 s (gateway.md 8.1).
const PING_EVERY: Duration = Duration::from_secs(24);
/// Silence after which the other end counts as dead: a ping and some time for its pong.
const DEAD_AFTER: Duration = Duration::from_secs(34);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Most that one frame may decompress to.
const MAX_DECOMPRESSED_BYTES: usize = 64 << 20;

type Pending = Mutex<HashMap<String, oneshot::Sender<Response>>>;

/// The requesting end of a connection.
#[derive(Debug)]
pub(super) struct Link {
    user_id: String,
    compression: bool,
    outgoing: mpsc::Sender<Message>,
    pending: Arc<Pending>,
    next: AtomicU64,
    rtt_micros: AtomicU64,
    ended: CancellationToken,
}

fn lock(pending: &Pending) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Response>>> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    /// Starts the two tasks. `ended` is cancelled when the connection is over, and ends it when cancelled.
    pub(super) fn start(
        stream: Stream,
        user_id: String,
        compression: bool,
        events: mpsc::Sender<SocketEvent>,
        ended: CancellationToken,
    ) -> Arc<Self> {
        let (sink, source) = stream.split();
        let (outgoing, queue) = mpsc::channel(256);
        let pending = Arc::new(Pending::default());
        tokio::spawn(write(sink, queue, ended.clone()));
        let reader = Reader { compression, events, pending: pending.clone(), ended: ended.clone() };
        tokio::spawn(reader.run(source));
        Arc::new(Self {
            user_id,
            compression,
            outgoing,
            pending,
            next: AtomicU64::new(1),
            rtt_micros: AtomicU64::new(0),
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
            operation_id,
            msg_incr: msg_incr.clone(),
            data,
        };
        let frame = encode(&request, self.compression);
        let (answer, answered) = oneshot::channel();
        lock(&self.pending).insert(msg_incr.clone(), answer);
        let guard = Forget { pending: &self.pending, msg_incr: &msg_incr };
        if self.ended.is_cancelled() {
            return Err(lost());
        }
        let started = Instant::now();
        self.outgoing.send(Message::Binary(frame.into())).await.map_err(|_| lost())?;
        let response = tokio::select! {
            response = answered => response.map_err(|_| lost())?,
            () = tokio::time::sleep(ANSWER_TIMEOUT) => return Err(Error::Timeout(format!("request {operation}"))),
            () = self.ended.cancelled() => return Err(lost()),
        };
        drop(guard);
        self.rtt_micros.store(started.elapsed().as_micros() as u64, Ordering::Relaxed);
        match response.err_code {
            0 => Ok(response.data),
            code => Err(Error::server(code, response.err_msg, "")),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        lock(&self.pending).len()
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

/// The frame of a request, as it is sent.
pub(super) fn encode(request: &Request, compression: bool) -> Vec<u8> {
    let json = request.to_json();
    if compression { envelope::compress(&json) } else { json }
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
        let mut result = sink.feed(message).await;
        // whatever else has queued up goes out with the same flush
        while let (Ok(()), Ok(next)) = (&result, queue.try_recv()) {
            result = sink.feed(next).await;
        }
        if result.is_ok() {
            result = sink.flush().await;
        }
        if let Err(error) = result {
            tracing::debug!(%error, "write failed");
            break;
        }
    }
    ended.cancel();
    let _ = tokio::time::timeout(Duration::from_millis(200), sink.close()).await;
}

struct Reader {
    compression: bool,
    events: mpsc::Sender<SocketEvent>,
    pending: Arc<Pending>,
    ended: CancellationToken,
}

impl Reader {
    async fn run(self, mut source: SplitStream<Stream>) {
        let ended = self.ended.clone();
        let reason = tokio::select! {
            () = ended.cancelled() => "closed here".to_owned(),
            reason = self.read(&mut source) => reason,
        };
        tracing::debug!(reason, "connection ended");
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
        let response = match self.decode(bytes) {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(%error, bytes = bytes.len(), "unreadable frame");
                return Ok(());
            }
        };
        match response.req_identifier {
            operation::PUSH_MSG => {
                let push = SocketEvent::Push(response.data);
                self.events.send(push).await.map_err(|_| "closed here".to_owned())
            }
            operation::KICK_ONLINE => {
                self.events.send(SocketEvent::Kicked).await.map_err(|_| "closed here".to_owned())?;
                Err("kicked".to_owned())
            }
            _ => {
                match lock(&self.pending).remove(&response.msg_incr) {
                    Some(waiting) => drop(waiting.send(response)),
                    None => tracing::debug!(operation = response.req_identifier, "answer to nothing that waits"),
                }
                Ok(())
            }
        }
    }

    fn decode(&self, bytes: &[u8]) -> std::result::Result<Response, envelope::EnvelopeError> {
        if self.compression {
            Response::from_json(&envelope::decompress(bytes, MAX_DECOMPRESSED_BYTES)?)
        } else {
            debug_assert!(bytes.len() <= MAX_INCOMING_BYTES);
            Response::from_json(bytes)
        }
    }
}
