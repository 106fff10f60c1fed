//! One login: owns its database, its socket, its tasks and its place in the event queue. When it is over, all of it is
//! gone and none of its events follows (I10).

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use openim_proto::Message as _;
use openim_proto::constants::operation;
use openim_proto::error_code;
use openim_proto::push::DelUserPushTokenReq;
use openim_proto::sdkws::MsgData;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client::{Done, WaitUntil};
use crate::clock::Clock;
use crate::config::{Config, OnCorruptDatabase};
use crate::connect;
use crate::error::{Error, Result};
use crate::event::{Event, EventQueue, SessionEvents};
use crate::listen;
use crate::model::{ConnectionStatus, LoginStatus, MessageSendState, SelfUserInfo, Stats, Status, SyncStatus};
use crate::net::{Api, Socket, SocketConfig};
use crate::outbox::{Outbox, Settled};
use crate::sensitive::Sensitive;
use crate::store::{Database, DatabaseConfig, Opened, conversations, meta, outbox, users};
use crate::sync::changes::{Changes, FollowUp, Outcome};

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

/// One login.
pub(crate) struct Session {
    pub(crate) user_id: String,
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Clock,
    pub(crate) socket: Socket,
    pub(crate) outbox: Outbox,
    store: Database,
    api: Api,
    token: Arc<RwLock<Sensitive<String>>>,
    profile: RwLock<SelfUserInfo>,
    /// Receivers whose profile this session has asked for.
    peers: Mutex<HashSet<String>>,
    announcer: Arc<Announcer>,
    progress: watch::Sender<Progress>,
    connection: Mutex<(ConnectionStatus, SyncStatus)>,
    over: AtomicBool,
    ended: CancellationToken,
    tasks: TaskTracker,
}

/// What a commit does after it: events, follow-ups, sends that are over. Runs on the writer thread in commit order.
struct Announcer {
    events: SessionEvents,
    /// The total that listeners know.
    total: AtomicI64,
    follow_up: Mutex<FollowUp>,
    follow: Notify,
    outbox: Arc<crate::outbox::Waiters>,
    last: AtomicU64,
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
    ) -> Result<Arc<Self>> {
        let (store, opened) = open_database(&config, &user_id).await?;
        let me = user_id.clone();
        let (profile, total, pending) = store
            .read(move |connection| {
                let profile = users::get(connection, &me)?;
                Ok((profile, conversations::total_unread(connection)?, outbox::all(connection)?))
            })
            .await?;
        let ended = CancellationToken::new();
        let token = Arc::new(RwLock::new(token));
        let (socket_events, inbound) = mpsc::channel(INBOUND_FRAMES);
        let outbox = Outbox::new(&pending);
        let announcer = Arc::new(Announcer {
            events: SessionEvents::new(queue),
            total: AtomicI64::new(total),
            follow_up: Mutex::default(),
            follow: Notify::new(),
            outbox: outbox.waiters(),
            last: AtomicU64::new(0),
        });
        let socket_config = SocketConfig {
            ws_addr: config.ws_addr.clone(),
            user_id: user_id.clone(),
            platform_id: config.platform_id,
            token: token.clone(),
            compression: config.compression,
            clock: clock.clone(),
        };
        let session = Arc::new(Self {
            api: Api::new(config.api_base(), token.clone(), clock.clone()),
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
            announcer,
            progress: watch::Sender::new(Progress::Starting),
            connection: Mutex::default(),
            over: AtomicBool::new(false),
            ended,
            tasks: TaskTracker::new(),
        });
        if let Opened::Reset { moved_to } = opened {
            session.emit(vec![Event::DatabaseReset { moved_to: moved_to.display().to_string() }]);
        }
        session.spawn(listen::listen(session.clone(), inbound));
        session.spawn(connect::follow(session.clone()));
        Ok(session)
    }

    /// Runs a task that ends with the session.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let ended = self.ended.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Runs a job in a transaction and announces what it did; the result carries the number of its last event.
    pub(crate) async fn commit<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Changes<'_>) -> Result<R> + Send + 'static,
    ) -> Result<Done<R>> {
        self.commit_then(job, |done| done).await
    }

    /// Like [`Session::commit`]; `then` runs on the writer thread right after the events are out, without waiting for the
    /// caller's turn.
    pub(crate) async fn commit_then<R: Send + 'static, A: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Changes<'_>) -> Result<R> + Send + 'static,
        then: impl FnOnce(Done<R>) -> A + Send + 'static,
    ) -> Result<A> {
        let me = self.user_id.clone();
        let announcer = self.announcer.clone();
        let work = move |connection: &rusqlite::Connection| {
            let mut changes = Changes::new(connection, &me);
            let value = job(&mut changes)?;
            Ok((value, changes.finish()?))
        };
        self.store.write(work, move |(value, outcome)| then(Done { value, event: announcer.announce(outcome) })).await
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
        let result = tokio::select! {
            () = self.ended.cancelled() => return Err(Error::LoggedOut),
            result = self.api.call(path, body) => result,
        };
        self.watch_token(result)
    }

    /// A request over the socket. A refused token ends the session.
    pub(crate) async fn request(&self, operation: i32, payload: Vec<u8>) -> Result<Vec<u8>> {
        let result = self.socket.request(operation, payload).await;
        self.watch_token(result)
    }

    fn watch_token<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result
            && error.is_token_error()
        {
            self.end_with(error.clone());
        }
        result
    }

    /// Enqueues events; the number of the last one.
    pub(crate) fn emit(&self, events: Vec<Event>) -> u64 {
        self.announcer.emit(events)
    }

    pub(crate) fn last_event(&self) -> u64 {
        self.announcer.last.load(Ordering::SeqCst)
    }

    /// Waits until listeners have caught up enough for more messages.
    pub(crate) async fn room(&self) {
        self.announcer.events.room().await;
    }

    /// Asks for work that follows a commit.
    pub(crate) fn ask(&self, follow_up: FollowUp) {
        self.announcer.ask(follow_up);
    }

    /// The next work that follows commits.
    pub(crate) async fn asked(&self) -> FollowUp {
        loop {
            let asked = std::mem::take(&mut *lock(&self.announcer.follow_up));
            if asked != FollowUp::default() {
                return asked;
            }
            self.announcer.follow.notified().await;
        }
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

    /// A new token for the same user: connects again with it. The same token changes nothing.
    pub(crate) fn set_token(&self, token: Sensitive<String>) {
        let mut current = self.token.write().unwrap_or_else(PoisonError::into_inner);
        if *current != token {
            *current = token;
            drop(current);
            self.progress.send_replace(Progress::Starting);
            self.socket.reconnect();
        }
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

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// The server ended the session: one event, then silence. Only the first reason counts.
    pub(crate) fn end_with(&self, error: Error) {
        if self.over.swap(true, Ordering::SeqCst) {
            return;
        }
        tracing::info!(user_id = self.user_id, code = error.err_code(), "session ended by the server");
        self.emit(vec![match error.err_code() {
            error_code::TOKEN_EXPIRED => Event::UserTokenExpired,
            error_code::TOKEN_KICKED => Event::KickedOffline,
            _ => Event::UserTokenInvalid(error.to_string()),
        }]);
        self.announcer.events.silence();
        self.progress.send_replace(Progress::Over(error));
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
        let last = self.announcer.events.silence();
        self.progress.send_if_modified(|progress| {
            let running = !matches!(progress, Progress::Over(_));
            if running {
                *progress = Progress::Over(Error::LoggedOut);
            }
            running
        });
        self.ended.cancel();
        self.outbox.abandon();
        self.tasks.close();
        self.tasks.wait().await;
        self.store.close().await;
        last
    }

    pub(crate) fn set_sync_status(&self, status: SyncStatus) {
        lock(&self.connection).1 = status;
        if status == SyncStatus::Synced {
            self.progress.send_replace(Progress::Synced);
        }
    }

    pub(crate) fn connecting(&self) {
        *lock(&self.connection) = (ConnectionStatus::Connecting, SyncStatus::Idle);
    }

    pub(crate) fn connected(&self) {
        *lock(&self.connection) = (ConnectionStatus::Connected, SyncStatus::Idle);
        self.progress.send_replace(Progress::Connected);
    }

    /// Without a connection: after a failed attempt, or after losing one.
    pub(crate) fn disconnected(&self, failure: Option<Error>) {
        *lock(&self.connection) = (ConnectionStatus::Disconnected, SyncStatus::Idle);
        self.progress.send_replace(failure.map_or(Progress::Starting, Progress::Offline));
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

impl Announcer {
    fn announce(&self, outcome: Outcome) -> u64 {
        let mut events = outcome.events;
        if let Some(total) = outcome.total_unread
            && self.total.swap(total, Ordering::SeqCst) != total
            && !outcome.quiet
        {
            events.push(Event::TotalUnreadMessageCountChanged(total));
        }
        events.extend(outcome.last);
        let mut event = if events.is_empty() { 0 } else { self.emit(events) };
        self.ask(outcome.follow_up);
        for arrived in outcome.arrived {
            if !self.outbox.settle(arrived.message, Settled::Arrived(event)) {
                event = self.emit(vec![Event::MessageSendStateChanged(MessageSendState {
                    conversation_id: arrived.conversation_id,
                    client_msg_id: arrived.client_msg_id,
                    status: openim_proto::constants::status::SENT,
                    send_error: None,
                })]);
            }
        }
        event
    }

    fn emit(&self, events: Vec<Event>) -> u64 {
        let last = self.events.emit(events);
        self.last.fetch_max(last, Ordering::SeqCst);
        last
    }

    fn ask(&self, follow_up: FollowUp) {
        if follow_up != FollowUp::default() {
            let mut asked = lock(&self.follow_up);
            *asked = asked.merge(follow_up);
            drop(asked);
            self.follow.notify_one();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn open_database(config: &Config, user_id: &str) -> Result<(Database, Opened)> {
    let database = DatabaseConfig {
        folder: config.folder(),
        name: file_name(user_id, config.platform_id),
        reset_if_corrupt: config.on_corrupt_database == OnCorruptDatabase::Reset,
    };
    let identity = format!("{user_id} {} {}", config.api_addr, config.ws_addr);
    let (store, opened) = tokio::task::spawn_blocking(move || Database::open(&database))
        .await
        .map_err(|error| Error::Internal(format!("opening the database was interrupted: {error}")))??;
    store.write(move |connection| meta::set(connection, meta::SERVER_IDENTITY, &identity), |()| ()).await?;
    Ok((store, opened))
}

/// `<percent-encoded userID>.<platformID>.db` (R10). An id cannot leave the folder.
fn file_name(user_id: &str, platform_id: i32) -> String {
    let mut name = String::with_capacity(user_id.len() + 8);
    for byte in user_id.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{name}.{platform_id}.db")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_cannot_leave_the_folder() {
        assert_eq!(file_name("alice", 7), "alice.7.db");
        assert_eq!(file_name("../张.3", 5), "%2E%2E%2F%E5%BC%A0%2E3.5.db");
    }
}
