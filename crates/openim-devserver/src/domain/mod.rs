//! The rules of the server. [`World`] holds everything but message bodies in memory, under one lock; each noun's file
//! adds its methods. A change alters memory and queues its rows and frames in one go, so that rows, frames and answers
//! of all connections have one order.

mod black;
mod business;
mod client_config;
mod conversation;
mod disturbance;
mod fault;
mod friend;
mod friend_notification;
mod friend_request;
#[cfg(test)]
mod friend_tests;
mod gate;
mod history;
mod jwt;
mod late;
mod message;
mod multi_login;
mod notification;
mod notification_account;
mod online;
mod outbox;
mod presence;
mod read_state;
mod send_outcome;
mod stream;
mod token;
mod user;
mod user_command;
pub(crate) mod version_log;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedReceiver;

use crate::config::Config;
use crate::environment::Environment;
use crate::error::Error;
use crate::store::{
    BlackRow, CommandRow, ConversationRow, CursorRow, EntryRow, FriendRequestRow, FriendRow, LogRow, Store, StreamRow,
    TokenRow, UserRow, sql,
};

pub(crate) use business::Business;
pub(crate) use conversation::{ConversationChange, Selection};
pub(crate) use disturbance::suffered;
pub(crate) use fault::Fault;
pub(crate) use friend::FriendChange;
pub(crate) use friend_request::Verdict;
pub(crate) use gate::Gate;
pub(crate) use history::Newest;
pub(crate) use jwt::Jwt;
pub(crate) use late::{Late, store_late};
pub(crate) use notification_account::NotificationAccount;
pub(crate) use online::{Delivery, Device, Handshake, deliver};
pub(crate) use outbox::{Frame, Outbox, Outgoing};
pub(crate) use user::ProfileChange;

use friend_request::FriendRequests;
use late::LateQueue;
use online::Online;
use presence::Subscriptions;
use send_outcome::SendOutcomes;
use stream::Stream;
use user::User;
use version_log::{Log, VersionLog};

/// Everything that requests, over HTTP or WebSocket, work on.
pub(crate) struct Domain {
    world: Mutex<World>,
    /// Signs and reads tokens; needs no lock.
    pub(crate) jwt: Jwt,
    /// The database.
    pub(crate) store: Store,
    /// Time and chance.
    pub(crate) environment: Environment,
    config: Arc<Config>,
}

/// The state of the server.
pub(crate) struct World {
    config: Arc<Config>,
    environment: Environment,
    store: Store,
    users: HashMap<Arc<str>, User>,
    streams: HashMap<Arc<str>, Stream>,
    versions: HashMap<(Log, Arc<str>), VersionLog>,
    client_configs: BTreeMap<(String, String), String>,
    send_outcomes: SendOutcomes,
    /// Messages that are accepted and not stored yet.
    late: LateQueue,
    friend_requests: FriendRequests,
    /// Newest place in the order of insertion of friends, applications, black lists and user commands.
    last_ordinal: i64,
    /// Connections.
    pub(crate) online: Online,
    subscriptions: Subscriptions<Arc<Device>>,
}

/// Who asks, and for which operation.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// User of the token; empty where none is needed.
    pub(crate) user_id: Arc<str>,
    /// Whether that is the IM administrator.
    pub(crate) is_admin: bool,
    /// Trace id of the request; goes into the pushes that it causes.
    pub(crate) operation_id: String,
}

impl Caller {
    /// Refuses everybody but the user himself and the administrator.
    pub(crate) fn must_be(&self, user_id: &str) -> Result<(), Fault> {
        if self.is_admin || *self.user_id == *user_id {
            return Ok(());
        }
        Err(Fault::no_permission(format!("ownerUserID, {user_id}=MISSING")))
    }

    /// Refuses everybody but two users and the administrator.
    pub(crate) fn must_be_one_of(&self, one: &str, other: &str) -> Result<(), Fault> {
        if self.is_admin || [one, other].contains(&&*self.user_id) {
            return Ok(());
        }
        Err(Fault::no_permission("opUser in ownerUserIDs"))
    }

    /// Refuses everybody but the administrator.
    pub(crate) fn must_be_admin(&self) -> Result<(), Fault> {
        if self.is_admin {
            Ok(())
        } else {
            Err(Fault::no_permission(format!("user {} is not admin userID", self.user_id)))
        }
    }
}

struct Loaded {
    users: Vec<UserRow>,
    tokens: Vec<TokenRow>,
    configs: Vec<crate::store::ConfigRow>,
    streams: Vec<StreamRow>,
    conversations: Vec<ConversationRow>,
    cursors: Vec<CursorRow>,
    logs: Vec<LogRow>,
    entries: Vec<EntryRow>,
    friends: Vec<FriendRow>,
    friend_requests: Vec<FriendRequestRow>,
    blacks: Vec<BlackRow>,
    commands: Vec<CommandRow>,
}

impl Domain {
    /// Opens the database and reads the state; creates the administrator if he is new. Beside it the messages that
    /// [`store_late`] is to store.
    pub(crate) fn open(
        config: Arc<Config>,
        environment: Environment,
    ) -> Result<(Self, UnboundedReceiver<Late>), Error> {
        let (store, loaded) = Store::open(config.data_dir.as_deref(), environment.faults().clone(), |db| {
            Ok(Loaded {
                users: sql::users(db)?,
                tokens: sql::tokens(db)?,
                configs: sql::client_configs(db)?,
                streams: sql::streams(db)?,
                conversations: sql::conversations(db)?,
                cursors: sql::cursors(db)?,
                logs: sql::version_logs(db)?,
                entries: sql::version_entries(db)?,
                friends: sql::friends(db)?,
                friend_requests: sql::friend_requests(db)?,
                blacks: sql::blacks(db)?,
                commands: sql::user_commands(db)?,
            })
        })?;
        let jwt = Jwt::new(&config);
        let (late, waiting) = LateQueue::new();
        let mut world = World {
            config: config.clone(),
            environment: environment.clone(),
            store: store.clone(),
            users: HashMap::new(),
            streams: HashMap::new(),
            versions: HashMap::new(),
            client_configs: BTreeMap::new(),
            send_outcomes: SendOutcomes::default(),
            late,
            friend_requests: FriendRequests::default(),
            last_ordinal: 0,
            online: Online::default(),
            subscriptions: Subscriptions::default(),
        };
        world.fill(loaded);
        world.ensure_admin();
        Ok((Self { world: Mutex::new(world), jwt, store, environment, config }, waiting))
    }

    /// Whether the user is the IM administrator.
    pub(crate) fn is_admin(&self, user_id: &str) -> bool {
        user_id == self.config.admin_user_id
    }

    /// Connections that the gateway may hold.
    pub(crate) fn max_connections(&self) -> usize {
        self.config.max_connections.min(tokio::sync::Semaphore::MAX_PERMITS)
    }

    /// The state, exclusively. Never held across an await.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn fill(&mut self, loaded: Loaded) {
        for row in loaded.users {
            let user = User::new(row.ordinal, row.info);
            self.users.insert(user.id.clone(), user);
        }
        for row in loaded.tokens {
            if let Some(user) = self.users.get_mut(row.user_id.as_str()) {
                user.tokens.entry(row.platform_id).or_default().push((row.token, row.state));
            }
        }
        for row in loaded.configs {
            self.client_configs.insert((row.user_id, row.key), row.value);
        }
        for row in loaded.streams {
            let stream = Stream::from(row);
            self.streams.insert(stream.name.clone(), stream);
        }
        for row in loaded.conversations {
            if let Some(user) = self.users.get_mut(row.record.owner_user_id.as_str()) {
                user.conversations.insert(row.record.conversation_id.as_str().into(), row);
            }
        }
        for row in loaded.cursors {
            if let Some(user) = self.users.get_mut(row.user_id.as_str()) {
                user.cursors.insert(row.stream.into(), row.seq);
            }
        }
        self.fill_people(loaded.friends, loaded.friend_requests, loaded.blacks, loaded.commands);
        for row in loaded.logs {
            if let Some(log) = Log::of(row.log) {
                self.versions.insert((log, row.owner.into()), VersionLog::new(row.version_id, row.version));
            }
        }
        for row in loaded.entries {
            let Some(log) = Log::of(row.log) else { continue };
            if let Some(versions) = self.versions.get_mut(&(log, row.owner.into())) {
                versions.restore(row.element, row.state, row.version, row.ordinal);
            }
        }
    }

    fn fill_people(
        &mut self,
        friends: Vec<FriendRow>,
        requests: Vec<FriendRequestRow>,
        blacks: Vec<BlackRow>,
        commands: Vec<CommandRow>,
    ) {
        for row in friends {
            self.last_ordinal = self.last_ordinal.max(row.ordinal);
            if let Some(user) = self.users.get_mut(row.record.owner_user_id.as_str()) {
                user.friends.insert(row.record.friend_user_id.clone(), row);
            }
        }
        for row in requests {
            self.last_ordinal = self.last_ordinal.max(row.ordinal);
            self.friend_requests.put(row);
        }
        for row in blacks {
            self.last_ordinal = self.last_ordinal.max(row.ordinal);
            if let Some(user) = self.users.get_mut(row.owner_user_id.as_str()) {
                user.blacks.insert(row.black_user_id.clone(), row);
            }
        }
        for row in commands {
            self.last_ordinal = self.last_ordinal.max(row.ordinal);
            if let Some(user) = self.users.get_mut(row.user_id.as_str()) {
                user.commands.insert((row.kind, row.uuid.clone()), row);
            }
        }
    }

    /// The next place in the order of insertion.
    fn next_ordinal(&mut self) -> i64 {
        self.last_ordinal += 1;
        self.last_ordinal
    }
}
