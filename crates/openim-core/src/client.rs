//! The client: configuration, events, and at most one session at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use serde::Deserialize;

use crate::change_stream::ChangeStream;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::event_queue::EventQueue;
use crate::model::{LoginStatus, Stats, Status};
use crate::net::Transport;
use crate::scope::{self, Scope};
use crate::sensitive::Sensitive;
use crate::session::Session;
use crate::store;
use crate::token::TokenProvider;

/// A result and the number of the last event that the call caused; 0 for reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Done<T> {
    /// The result.
    pub value: T,
    /// Number of the last event caused by the call.
    pub event: u64,
}

impl<T> Done<T> {
    /// A result that caused no event.
    pub fn quietly(value: T) -> Self {
        Self { value, event: 0 }
    }

    /// Another result of the same call.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Done<U> {
        Done { value: change(self.value), event: self.event }
    }
}

/// How far `login` waits (R4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WaitUntil {
    /// The database is open; usable offline.
    #[default]
    Local,
    /// The gateway has accepted the token.
    Connected,
    /// The first comparison with the server is through.
    Synced,
}

/// Parameters of `login`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginParams {
    /// Who logs in.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// Token for this user and the configured platform.
    pub token: Sensitive<String>,
    /// How far to wait.
    #[serde(default)]
    pub wait_until: WaitUntil,
}

/// One client. Cheap to clone; all clones are the same client.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    config: Arc<Config>,
    /// `None` once closed: the last client of a transport ends its connections, also while the object is still held.
    transport: RwLock<Option<Arc<Transport>>>,
    clock: Clock,
    events: Arc<EventQueue>,
    session: RwLock<Option<Arc<Session>>>,
    /// Held while a session begins or ends, so that these never overlap.
    turn: tokio::sync::Mutex<()>,
    token_provider: OnceLock<TokenProvider>,
    logging_in: AtomicBool,
    closed: AtomicBool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Client {
    /// Checks the configuration and the data folder. No connection and no database before `login`.
    pub fn open(config: Config, clock: Clock) -> Result<Self> {
        config.validate()?;
        let transport = Transport::shared(&config)?;
        if let Some(folder) = config.folder() {
            store::ensure_folder(&folder)?;
        }
        tracing::info!(
            api_addr = address_without_query(&config.api_addr),
            ws_addr = address_without_query(&config.ws_addr),
            platform_id = config.platform_id,
            proxy = transport.proxy_name(),
            version = env!("CARGO_PKG_VERSION"),
            "client opened"
        );
        Ok(Self {
            inner: Arc::new(Inner {
                config: Arc::new(config),
                transport: RwLock::new(Some(transport)),
                clock,
                events: Arc::default(),
                session: RwLock::default(),
                turn: tokio::sync::Mutex::default(),
                token_provider: OnceLock::new(),
                logging_in: AtomicBool::new(false),
                closed: AtomicBool::new(false),
            }),
        })
    }

    /// The queue to take events from.
    pub fn events(&self) -> Arc<EventQueue> {
        self.inner.events.clone()
    }

    /// What happens from now on, with what the events leave out (R27).
    pub fn changes(&self) -> ChangeStream {
        self.inner.events.changes()
    }

    /// Logs in (R4). The same user and token join the running login; the same user with another token refreshes the
    /// token and connects again; another user is refused.
    pub async fn login(&self, params: LoginParams) -> Result<Done<()>> {
        if params.user_id.is_empty() {
            return Err(Error::args("userID", "must not be empty"));
        }
        if params.token.reveal().is_empty() {
            return Err(Error::args("token", "must not be empty"));
        }
        let session = self.begin(params.user_id, params.token).await?;
        session.wait_until(params.wait_until).await?;
        Ok(Done { value: (), event: session.last_event() })
    }

    /// Asks `provider` for a token when the server refuses one that a session has. Set once, before the first login.
    pub fn renew_tokens_with(&self, provider: TokenProvider) {
        if self.inner.token_provider.set(provider).is_err() {
            tracing::error!("a client has one token provider");
        }
    }

    /// The user of the running session, or of the one that a refused token ended.
    pub(crate) fn last_user(&self) -> Result<String> {
        self.check_open()?;
        self.current().map(|session| session.user_id.clone()).ok_or(Error::NotLoggedIn)
    }

    /// The running session of this user, with this token; begun if there is none.
    pub(crate) async fn begin(&self, user_id: String, token: Sensitive<String>) -> Result<Arc<Session>> {
        let client = self.clone();
        let scope =
            Scope::session(&user_id, self.inner.config.platform_id).call(&scope::operation_id(&self.inner.clock));
        // a caller that stops waiting must not leave half a session
        tokio::spawn(scope.run(async move { client.begin_now(user_id, token).await }))
            .await
            .map_err(|error| Error::Internal(format!("the login was interrupted: {error}")))?
    }

    async fn begin_now(&self, user_id: String, token: Sensitive<String>) -> Result<Arc<Session>> {
        let _turn = self.inner.turn.lock().await;
        self.check_open()?;
        if let Some(running) = self.current() {
            if running.is_over() {
                // its end may still be under way: its database closes, and its last event comes
                running.end(false).await;
            } else if running.user_id != user_id {
                return Err(Error::LoginRepeated { user_id: running.user_id.clone() });
            } else {
                running.set_token(token);
                return Ok(running);
            }
        }
        let transport = self.inner.transport.read().unwrap_or_else(PoisonError::into_inner).clone();
        let transport = transport.ok_or(Error::Closed)?;
        self.inner.logging_in.store(true, Ordering::SeqCst);
        let started = Session::start(
            self.inner.config.clone(),
            self.inner.clock.clone(),
            self.inner.events.clone(),
            user_id,
            token,
            self.inner.token_provider.get().cloned(),
            transport,
        )
        .await;
        if let Ok(session) = &started {
            self.set_current(Some(session.clone()));
        }
        self.inner.logging_in.store(false, Ordering::SeqCst);
        started
    }

    /// Ends the session. Takes at most about a second whatever the server does; idempotent. The local data stay.
    pub async fn logout(&self) -> Result<Done<()>> {
        let _turn = self.inner.turn.lock().await;
        self.check_open()?;
        let Some(session) = self.current() else { return Ok(Done::quietly(())) };
        let event = session.end(true).await;
        self.set_current(None);
        Ok(Done { value: (), event })
    }

    /// Ends everything. Idempotent; afterwards every call fails with [`Error::Closed`].
    pub async fn close(&self) -> Result<Done<()>> {
        let _turn = self.inner.turn.lock().await;
        self.inner.closed.store(true, Ordering::SeqCst);
        let mut event = 0;
        if let Some(session) = self.current() {
            event = session.end(false).await;
        }
        self.set_current(None);
        self.inner.transport.write().unwrap_or_else(PoisonError::into_inner).take();
        self.inner.events.close();
        Ok(Done { value: (), event })
    }

    /// Tells that the network has changed: connects again at once instead of waiting.
    pub async fn network_status_changed(&self) -> Result<Done<()>> {
        tracing::info!("the application tells that the network changed");
        self.session()?.socket.reconnect();
        Ok(Done::quietly(()))
    }

    /// State for the status functions; never fails.
    pub fn status(&self) -> Status {
        let mut status = match self.current().filter(|session| !session.is_over()) {
            Some(session) => session.status(),
            None => Status::default(),
        };
        if self.inner.logging_in.load(Ordering::SeqCst) {
            status.login_status = LoginStatus::LoggingIn;
        }
        status
    }

    /// Figures; zeros without a session.
    pub fn stats(&self) -> Stats {
        let (queued, dropped) = self.inner.events.depth();
        let stats = self.current().filter(|session| !session.is_over()).map_or_else(Stats::default, |s| s.stats());
        Stats { events_queued: queued as u32, events_dropped: dropped as u32, ..stats }
    }

    /// The scope of work on this client.
    pub fn scope(&self) -> Scope {
        let session = self.current();
        Scope::session(session.as_ref().map_or("", |session| &session.user_id), self.inner.config.platform_id)
    }

    /// The running session, or why there is none.
    pub(crate) fn session(&self) -> Result<Arc<Session>> {
        self.check_open()?;
        self.current().filter(|session| !session.is_over()).ok_or(Error::NotLoggedIn)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    fn check_open(&self) -> Result<()> {
        if self.inner.closed.load(Ordering::SeqCst) { Err(Error::Closed) } else { Ok(()) }
    }

    fn current(&self) -> Option<Arc<Session>> {
        self.inner.session.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_current(&self, session: Option<Arc<Session>>) {
        *self.inner.session.write().unwrap_or_else(PoisonError::into_inner) = session;
    }
}

/// A query could hold a secret of the application's.
fn address_without_query(address: &str) -> &str {
    address.split_once('?').map_or(address, |(address, _)| address)
}
