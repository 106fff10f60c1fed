//! One login: owns its database, its socket, its tasks and its place in the event queue. When it is over, all of it is
//! gone and none of its events follows (I10).

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use openim_proto::Message as _;
use openim_proto::constants::operation;
use openim_proto::error_code;
use openim_proto::push::DelUserPushTokenReq;
use openim_proto::sdkws::MsgData;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::{Notify, OnceCell, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::announcer::Announcer;
use crate::change::{List, Notification};
use crate::client::{Done, WaitUntil};
use crate::clock::Clock;
use crate::config::Config;
use crate::connect;
use crate::database;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::event_queue::{EventQueue, SessionEvents};
use crate::listen;
use crate::model::{ConnectionStatus, LoginStatus, SelfUserInfo, Stats, Status, SyncStatus};
use crate::net::{self, Api, Socket, SocketConfig, Transport};
use crate::outbox::Outbox;
use crate::presence::Presence;
use crate::scope::Scope;
use crate::sensitive::Sensitive;
use crate::store::{Database, Opened, Weight, conversations, meta, outbox, users};
use crate::sync::changes::{Changes, FollowUp};
use crate::token::{Renewal, TokenProvider};
use crate::transmit;

/// Frames that may wait for the inbound pipeline; then the socket is no longer read.
const INBOUND_FRAMES: usize = 1024;
/// How long the gateway may take to hear of a logout.
const LOGOUT_PATIENCE: Duration = Duration::from_millis(400);

/// How far the login has come, for whoever waits.
#[derive(Debug, Clone)]
enum Progress {
    Starting,
    Offline(Error),
    Connected,
    Synced,
    Over(Error),
}

/// One reading of a list after another: an answer that is applied after a newer one would bring back what was.
#[derive(Debug, Default)]
pub(crate) struct ListTurns {
    pub(crate) profile: tokio::sync::Mutex<()>,
    pub(crate) conversations: tokio::sync::Mutex<()>,
    pub(crate) friends: tokio::sync::Mutex<()>,
    pub(crate) friend_requests: tokio::sync::Mutex<()>,
    pub(crate) blacks: tokio::sync::Mutex<()>,
}

/// One login.
pub(crate) struct Session {
    pub(crate) user_id: String,
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Clock,
    pub(crate) socket: Socket,
    pub(crate) outbox: Arc<Outbox>,
    store: Database,
    api: Api,
    pub(crate) token: Arc<RwLock<Sensitive<String>>>,
    pub(crate) renewal: Renewal,
    background: Arc<AtomicBool>,
    /// The first sync of this device is not through: what arrives is no news to anybody (client-behaviour.md 4.3).
    pub(crate) new_device: Arc<AtomicBool>,
    /// The application is back in the foreground: listeners want to hear what it missed.
    pub(crate) foreground: Notify,
    /// Something's outcome is open: the next comparison tells. Asked for while one runs, another follows.
    pub(crate) recheck: Notify,
    /// Held while the session compares itself with the server: one comparison after another.
    pub(crate) comparing: tokio::sync::Mutex<()>,
    /// Held while one of the lists is read and stored.
    pub(crate) turns: ListTurns,
    /// Whose presence the user wants to know.
    pub(crate) presence: Presence,
    profile: RwLock<SelfUserInfo>,
    /// Receivers whose profile this session has asked for.
    peers: Mutex<HashSet<String>>,
    announcer: Arc<Announcer>,
    progress: watch::Sender<Progress>,
    connection: Mutex<(ConnectionStatus, SyncStatus)>,
    over: AtomicBool,
    /// Why the server ended it.
    reason: Mutex<Option<Error>>,
    ended: CancellationToken,
    tasks: TaskTracker,
    /// Number of the last event, once nothing of the session is left.
    last: OnceCell<u64>,
    scope: Scope,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

impl Session {
    /// Opens the database and begins to connect.
    pub(crate) async fn start(
        config: Arc<Config>,
        clock: Clock,
        queue: Arc<EventQueue>,
        user_id: String,
        token: Sensitive<String>,
        provider: Option<TokenProvider>,
        transport: Arc<Transport>,
    ) -> Result<Arc<Self>> {
        let (store, opened) = database::open(&config, &user_id).await?;
        let me = user_id.clone();
        let (profile, total, pending, new_device) = store
            .read(move |connection| {
                let profile = users::get(connection, &me)?;
                let new_device = meta::get(connection, meta::INITIAL_SYNC_DONE)?.is_none();
                Ok((profile, conversations::total_unread(connection)?, outbox::all(connection)?, new_device))
            })
            .await?;
        tracing::info!(unsent = pending.len(), new_device, "session begins");
        let scope = Scope::session(&user_id, config.platform_id);
        let ended = CancellationToken::new();
        let token = Arc::new(RwLock::new(token));
        let (socket_events, inbound) = mpsc::channel(INBOUND_FRAMES);
        let outbox = Arc::new(Outbox::new(&pending));
        let announcer = Arc::new(Announcer::new(SessionEvents::new(queue), total, outbox.clone()));
        let background = Arc::new(AtomicBool::new(false));
        let socket_config = SocketConfig {
            ws_addr: config.ws_addr.clone(),
            user_id: user_id.clone(),
            platform_id: config.platform_id,
            token: token.clone(),
            wire: config.wire(),
            background: background.clone(),
            transport: transport.clone(),
            scope: scope.clone(),
            clock: clock.clone(),
        };
        let session = Arc::new(Self {
            api: Api::new(config.api_base(), token.clone(), clock.clone(), transport),
            socket: Socket::start(socket_config, socket_events, ended.child_token()),
            profile: RwLock::new(profile.map_or_else(
                || SelfUserInfo { user_id: user_id.clone(), ..SelfUserInfo::default() },
                SelfUserInfo::from,
            )),
            peers: Mutex::default(),
            user_id,
            config,
            clock,
            outbox,
            store,
            token,
            renewal: Renewal::new(provider),
            background,
            new_device: Arc::new(AtomicBool::new(new_device)),
            foreground: Notify::new(),
            recheck: Notify::new(),
            comparing: tokio::sync::Mutex::default(),
            turns: ListTurns::default(),
            presence: Presence::default(),
            announcer,
            progress: watch::Sender::new(Progress::Starting),
            connection: Mutex::default(),
            over: AtomicBool::new(false),
            reason: Mutex::default(),
            ended,
            tasks: TaskTracker::new(),
            last: OnceCell::new(),
            scope,
        });
        if let Opened::Reset { moved_to } = opened {
            tracing::warn!(moved_to = %moved_to.display(), "the damaged database was moved aside");
            session.emit(vec![Event::DatabaseReset { moved_to: moved_to.display().to_string() }]);
        }
        session.spawn(listen::listen(session.clone(), inbound));
        session.spawn(connect::follow(session.clone()));
        session.spawn(transmit::expire(session.clone()));
        let finishing = session.clone();
        tokio::spawn(session.scope.clone().run(async move {
            finishing.ended.cancelled().await;
            finishing.finish().await;
        }));
        Ok(session)
    }

    /// Runs a task that ends with the session.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let ended = self.ended.clone();
        self.tasks.spawn(self.scope.clone().run(async move {
            tokio::select! {
                biased;
                () = ended.cancelled() => {}
                () = task => {}
            }
        }));
    }

    /// Runs a job in a transaction and announces what it did; the result carries the number of its last event.
    pub(crate) async fn commit<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Changes<'_>) -> Result<R> + Send + 'static,
    ) -> Result<Done<R>> {
        self.commit_then(Weight::Light, job, |done| done).await
    }

    /// Like [`Session::commit`], for a job that may touch any number of rows.
    pub(crate) async fn commit_many<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Changes<'_>) -> Result<R> + Send + 'static,
    ) -> Result<Done<R>> {
        self.commit_then(Weight::Heavy, job, |done| done).await
    }

    /// Like [`Session::commit`]; `then` runs right after the events are out, without waiting for the caller's turn.
    pub(crate) async fn commit_then<R: Send + 'static, A: Send + 'static>(
        &self,
        weight: Weight,
        job: impl FnOnce(&mut Changes<'_>) -> Result<R> + Send + 'static,
        then: impl FnOnce(Done<R>) -> A + Send + 'static,
    ) -> Result<A> {
        let me = self.user_id.clone();
        let announcer = self.announcer.clone();
        let offline = self.background.load(Ordering::SeqCst) && self.profile().global_recv_msg_opt == 0;
        let followed = announcer.events.is_followed();
        let work = move |connection: &rusqlite::Connection| {
            let mut changes = Changes::new(connection, &me);
            changes.offline = offline;
            changes.followed = followed;
            let value = job(&mut changes)?;
            Ok((value, changes.finish()?))
        };
        self.store
            .write(weight, work, move |(value, outcome)| then(Done { value, event: announcer.announce(outcome) }))
            .await
    }

    /// Reads; never waits for the writer.
    pub(crate) async fn read<R: Send + 'static>(
        &self,
        query: impl FnOnce(&rusqlite::Connection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.store.read(query).await
    }

    /// A REST call. A refused token ends the session; the end of the session ends the call.
    pub(crate) async fn rest<T: DeserializeOwned + Default>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Internal(error.to_string()))?;
        net::data(path, self.rest_data(path, body.into()).await?)
    }

    /// Boxed and not generic: every call would hold a copy.
    fn rest_data<'a>(&'a self, path: &'a str, body: Bytes) -> BoxFuture<'a, Result<Option<Box<RawValue>>>> {
        let call = async move {
            let token = self.current_token();
            match self.api.call(path, body.clone()).await {
                Err(error) if error.is_token_error() => {
                    self.renew(&token, error).await?;
                    self.api.call(path, body).await
                }
                other => other,
            }
        };
        Box::pin(async move {
            tokio::select! {
                () = self.ended.cancelled() => Err(Error::LoggedOut),
                result = call => result,
            }
        })
    }

    /// A request over the socket. A refused token ends the session.
    pub(crate) async fn request(&self, operation: i32, payload: Vec<u8>) -> Result<Vec<u8>> {
        let token = self.current_token();
        match self.socket.request(operation, payload).await {
            Err(error) if error.is_token_error() => {
                self.renew(&token, error).await?;
                Err(Error::Network("the connection is made anew with a renewed token".to_owned()))
            }
            other => other,
        }
    }

    /// Enqueues events; the number of the last one.
    pub(crate) fn emit(&self, events: Vec<Event>) -> u64 {
        self.announcer.emit(events)
    }

    /// The notifications that asked for a reading of the list: what it shows is theirs.
    pub(crate) fn take_sources(&self, list: List) -> Vec<Arc<Notification>> {
        self.announcer.take_sources(list)
    }

    pub(crate) fn last_event(&self) -> u64 {
        self.announcer.last()
    }

    /// Waits until listeners have caught up enough for more messages.
    pub(crate) async fn room(&self) {
        self.announcer.events.room().await;
    }

    /// The next work that follows commits.
    pub(crate) async fn asked(&self) -> FollowUp {
        self.announcer.asked().await
    }

    pub(crate) fn profile(&self) -> SelfUserInfo {
        self.profile.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_profile(&self, profile: SelfUserInfo) {
        *self.profile.write().unwrap_or_else(PoisonError::into_inner) = profile;
    }

    /// Whether this device sent a message that comes back.
    pub(crate) fn sent_here(&self, message: &MsgData) -> bool {
        message.send_id == self.user_id && message.sender_platform_id == self.config.platform_id && message.seq > 0
    }

    pub(crate) fn knows_peer(&self, user_id: &str) -> bool {
        lock(&self.peers).contains(user_id)
    }

    pub(crate) fn remember_peer(&self, user_id: &str) {
        lock(&self.peers).insert(user_id.to_owned());
    }

    /// Waits as far as asked. A network error means logged in and retrying, a token error logged out (R4).
    pub(crate) async fn wait_until(&self, target: WaitUntil) -> Result<()> {
        if target == WaitUntil::Local {
            return Ok(());
        }
        let mut progress = self.progress.subscribe();
        let reached = progress
            .wait_for(|progress| match progress {
                Progress::Starting => false,
                Progress::Connected => target == WaitUntil::Connected,
                Progress::Offline(_) | Progress::Synced | Progress::Over(_) => true,
            })
            .await
            .map_err(|_| Error::LoggedOut)?;
        match &*reached {
            Progress::Offline(error) | Progress::Over(error) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Waits for the end of the session.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// The server ended the session. Only the first reason counts.
    pub(crate) fn end_with(&self, error: Error) {
        if self.over.swap(true, Ordering::SeqCst) {
            return;
        }
        tracing::warn!(code = error.code(), err_code = error.err_code(), "the server ended the session");
        *lock(&self.reason) = Some(error);
        self.ended.cancel();
    }

    /// Ends the session and waits until nothing of it is left. The number of its last event.
    pub(crate) async fn end(&self, tell_server: bool) -> u64 {
        if !self.over.swap(true, Ordering::SeqCst) && tell_server && self.socket.is_connected() {
            let request = DelUserPushTokenReq { user_id: self.user_id.clone(), platform_id: self.config.platform_id };
            let told = self.socket.request(operation::LOGOUT, request.encode_to_vec());
            if !matches!(tokio::time::timeout(LOGOUT_PATIENCE, told).await, Ok(Ok(_))) {
                tracing::debug!("the gateway did not confirm the logout");
            }
        }
        self.ended.cancel();
        self.finish().await
    }

    /// Waits for the end of all tasks, tells what they stored, and why the server ended the session if it did; then
    /// nothing more. What is stored would not be told again.
    async fn finish(&self) -> u64 {
        let finish = || async {
            tracing::info!(unsent = self.outbox.len(), "session ends");
            self.outbox.abandon();
            self.tasks.close();
            self.tasks.wait().await;
            self.store.close().await;
            let reason = lock(&self.reason).take();
            if let Some(error) = &reason {
                self.emit(vec![match error.err_code() {
                    error_code::TOKEN_EXPIRED => Event::UserTokenExpired,
                    error_code::TOKEN_KICKED => Event::KickedOffline,
                    _ => Event::UserTokenInvalid(error.to_string()),
                }]);
            }
            let last = self.announcer.events.silence();
            self.advance(Progress::Over(reason.unwrap_or(Error::LoggedOut)));
            last
        };
        *self.last.get_or_init(finish).await
    }

    /// Tells whoever waits how far the login is. A session that is ending comes no further, whatever is still under way.
    fn advance(&self, next: Progress) {
        self.progress.send_if_modified(|progress| {
            let (ended, ends) = (matches!(progress, Progress::Over(_)), matches!(next, Progress::Over(_)));
            let tell = !ended && (ends || !self.is_over());
            if tell {
                *progress = next;
            }
            tell
        });
    }

    pub(crate) fn set_sync_status(&self, status: SyncStatus) {
        lock(&self.connection).1 = status;
        if status == SyncStatus::Synced {
            self.advance(Progress::Synced);
        }
    }

    /// Whether the application was in the background before.
    pub(crate) fn set_background(&self, background: bool) -> bool {
        self.background.swap(background, Ordering::SeqCst)
    }

    /// Begins to connect with another token.
    pub(crate) fn starting(&self) {
        self.advance(Progress::Starting);
    }

    pub(crate) fn connecting(&self) {
        *lock(&self.connection) = (ConnectionStatus::Connecting, SyncStatus::Idle);
    }

    pub(crate) fn connected(&self) {
        *lock(&self.connection) = (ConnectionStatus::Connected, SyncStatus::Idle);
        self.advance(Progress::Connected);
    }

    /// Without a connection: after a failed attempt, or after losing one.
    pub(crate) fn disconnected(&self, failure: Option<Error>) {
        *lock(&self.connection) = (ConnectionStatus::Disconnected, SyncStatus::Idle);
        self.advance(failure.map_or(Progress::Starting, Progress::Offline));
    }

    pub(crate) fn status(&self) -> Status {
        let (connection_status, sync_status) = *lock(&self.connection);
        Status { login_status: LoginStatus::LoggedIn, connection_status, sync_status, user_id: self.user_id.clone() }
    }

    pub(crate) fn stats(&self) -> Stats {
        let (connections, rtt_micros, in_flight) = self.socket.figures();
        Stats {
            rtt_ms: rtt_micros as f64 / 1000.0,
            reconnects: connections.saturating_sub(1),
            requests_in_flight: in_flight as u32,
            outbox_queued: self.outbox.len() as u32,
            database_bytes: u32::try_from(self.store.bytes()).unwrap_or(u32::MAX),
            ..Stats::default()
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
