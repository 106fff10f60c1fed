//! The connection to the gateway as a session sees it: it comes, goes and comes back by itself.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use openim_proto::envelope::Request;
use openim_proto::wire::Wire;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::dial::dial;
use super::link::{Link, Push};
use super::transport::Transport;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::scope::{self, Scope};
use crate::sensitive::Sensitive;

/// Delays between failed attempts, seconds; the last one repeats.
const BACKOFF: [u64; 6] = [1, 2, 4, 8, 16, 30];

/// Who connects where.
#[derive(Debug, Clone)]
pub(crate) struct SocketConfig {
    pub(crate) ws_addr: String,
    pub(crate) user_id: String,
    pub(crate) platform_id: i32,
    pub(crate) token: Arc<RwLock<Sensitive<String>>>,
    pub(crate) wire: Wire,
    /// What the next handshake says of the application.
    pub(crate) background: Arc<AtomicBool>,
    pub(crate) transport: Arc<Transport>,
    pub(crate) scope: Scope,
    pub(crate) clock: Clock,
}

impl SocketConfig {
    pub(super) fn token(&self) -> Sensitive<String> {
        self.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a session hears of its socket, in order.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    /// An attempt begins; `first` of its series.
    Connecting {
        /// Not a repetition.
        first: bool,
    },
    /// Usable. The token is cancelled when this connection is over.
    Connected(CancellationToken),
    /// An attempt failed; the next follows.
    Failed(Error),
    /// The token is refused (1501 to 1507): no further attempt before somebody asks for one.
    Refused {
        /// Why.
        error: Error,
        /// The token that was used.
        token: Sensitive<String>,
    },
    /// The gateway says that another login took this one's place: no further attempt before somebody asks for one.
    Kicked,
    /// An established connection is over; the next attempt follows.
    Lost,
    /// Messages, unasked.
    Push(Push),
    /// Payload of a push about users that are subscribed to.
    OnlineStatus(Vec<u8>),
}

/// The socket of one session.
#[derive(Debug)]
pub(crate) struct Socket {
    config: SocketConfig,
    link: Arc<Mutex<Option<Arc<Link>>>>,
    again: Arc<Notify>,
    ended: CancellationToken,
    connections: Arc<AtomicU32>,
}

impl Socket {
    /// Starts connecting; what happens is told through `events`. Ends with `ended`.
    pub(crate) fn start(config: SocketConfig, events: mpsc::Sender<SocketEvent>, ended: CancellationToken) -> Self {
        let socket =
            Self { config, link: Arc::default(), again: Arc::new(Notify::new()), ended, connections: Arc::default() };
        let keeper = Keeper {
            config: socket.config.clone(),
            link: socket.link.clone(),
            again: socket.again.clone(),
            ended: socket.ended.clone(),
            connections: socket.connections.clone(),
            events,
        };
        tokio::spawn(socket.config.scope.clone().run(keeper.run()));
        socket
    }

    /// Sends a request over the current connection. Fails at once when there is none.
    pub(crate) async fn request(&self, operation: i32, data: Vec<u8>) -> Result<Vec<u8>> {
        let link = self.link().ok_or_else(|| Error::Network("not connected".to_owned()))?;
        link.request(operation, scope::operation_id(&self.config.clock), data).await
    }

    /// How many bytes a request would have as sent.
    pub(crate) fn frame_size(&self, operation: i32, data: Vec<u8>) -> usize {
        let request = Request {
            req_identifier: operation,
            send_id: self.config.user_id.clone(),
            operation_id: self.config.clock.id(),
            msg_incr: u32::MAX.to_string(),
            data,
            ..Request::default()
        };
        self.config.wire.encode_request(&request).len()
    }

    /// Drops the current connection, if any, and connects again without delay.
    pub(crate) fn reconnect(&self) {
        self.again.notify_one();
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.link().is_some()
    }

    /// Connections made so far; round trip of the last answer in microseconds; requests in flight.
    pub(crate) fn figures(&self) -> (u32, u64, usize) {
        let link = self.link();
        (
            self.connections.load(Ordering::Relaxed),
            link.as_ref().map_or(0, |link| link.rtt_micros()),
            link.as_ref().map_or(0, |link| link.in_flight()),
        )
    }

    fn link(&self) -> Option<Arc<Link>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn millis(since: Instant) -> u64 {
    since.elapsed().as_millis() as u64
}

/// The task that keeps a connection.
struct Keeper {
    config: SocketConfig,
    link: Arc<Mutex<Option<Arc<Link>>>>,
    again: Arc<Notify>,
    ended: CancellationToken,
    connections: Arc<AtomicU32>,
    events: mpsc::Sender<SocketEvent>,
}

impl Keeper {
    async fn run(self) {
        let ended = self.ended.clone();
        tokio::select! {
            () = ended.cancelled() => {}
            () = self.keep() => {}
        }
        self.set_link(None);
    }

    async fn keep(&self) {
        let mut failures = 0;
        loop {
            if self.tell(SocketEvent::Connecting { first: failures == 0 }).await.is_none() {
                return;
            }
            let begun = Instant::now();
            tracing::debug!(attempt = failures + 1, proxy = self.config.transport.proxy_name(), "connecting");
            let token = self.config.token();
            // apart: its state is large, and of no use once there is a connection
            match Box::pin(dial(&self.config, &token)).await {
                Ok(stream) => {
                    tracing::info!(attempt = failures + 1, elapsed_ms = millis(begun), "connected");
                    failures = 0;
                    let since = Instant::now();
                    let over = self.ended.child_token();
                    let link = Link::start(stream, &self.config, self.events.clone(), over.clone());
                    self.connections.fetch_add(1, Ordering::Relaxed);
                    self.set_link(Some(link.clone()));
                    if self.tell(SocketEvent::Connected(over.clone())).await.is_none() {
                        return;
                    }
                    tokio::select! {
                        () = over.cancelled() => {}
                        () = self.again.notified() => over.cancel(),
                    }
                    tracing::info!(connected_ms = millis(since), "connection lost");
                    self.set_link(None);
                    if self.tell(SocketEvent::Lost).await.is_none() {
                        return;
                    }
                    if link.was_kicked() {
                        self.again.notified().await;
                    }
                }
                Err(error) if error.is_token_error() => {
                    tracing::warn!(code = error.code(), err_code = error.err_code(), "the gateway refuses the token");
                    if self.tell(SocketEvent::Refused { error, token }).await.is_none() {
                        return;
                    }
                    self.again.notified().await;
                }
                Err(error) => {
                    let delay = self.delay(failures);
                    tracing::warn!(
                        attempt = failures + 1,
                        code = error.code(),
                        error = error.log_text(),
                        elapsed_ms = millis(begun),
                        retry_in_ms = delay.as_millis() as u64,
                        "cannot connect"
                    );
                    failures += 1;
                    if self.tell(SocketEvent::Failed(error)).await.is_none() {
                        return;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(delay) => {}
                        () = self.again.notified() => {}
                    }
                }
            }
        }
    }

    /// The table's delay, 20 % up or down so that clients of a failed server do not come back in step.
    fn delay(&self, failures: usize) -> Duration {
        let seconds = BACKOFF.get(failures).or(BACKOFF.last()).copied().unwrap_or(1);
        Duration::from_secs(seconds).mul_f64(0.8 + 0.4 * self.config.clock.fraction())
    }

    async fn tell(&self, event: SocketEvent) -> Option<()> {
        self.events.send(event).await.ok()
    }

    fn set_link(&self, link: Option<Arc<Link>>) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }
}
