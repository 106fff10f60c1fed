//! The rules of the server. [`World`] holds everything but message bodies in memory, under one lock; each noun's file
//! adds its methods. A change alters memory and queues its rows and frames in one go, so that rows, frames and answers
//! of all connections have one order.

mod client_config;
mod conversation;
mod fault;
mod history;
mod jwt;
mod message;
mod notification;
mod online;
mod outbox;
mod read_state;
mod stream;
mod token;
mod user;
pub(crate) mod version;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::Config;
use crate::environment::Environment;
use crate::error::Error;
use crate::store::{ConversationRow, CursorRow, EntryRow, LogRow, Store, StreamRow, TokenRow, UserRow, sql};

pub(crate) use conversation::{ConversationChange, Selection};
pub(crate) use fault::Fault;
pub(crate) use history::Newest;
pub(crate) use jwt::Jwt;
pub(crate) use online::{Device, Handshake};
pub(crate) use outbox::{Frame, Outbox, Outgoing};
pub(crate) use user::ProfileChange;

use online::Online;
use stream::Stream;
use user::User;
use version::{Log, VersionLog};

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
    /// Connections and who watches whom.
    pub(crate) online: Online,
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
}

impl Domain {
    /// Opens the database and reads the state; creates the administrator if he is new.
    pub(crate) fn open(config: Arc<Config>, environment: Environment) -> Result<Self, Error> {
        let (store, loaded) = Store::open(config.data_dir.as_deref(), |db| {
            Ok(Loaded {
                users: sql::users(db)?,
                tokens: sql::tokens(db)?,
                configs: sql::client_configs(db)?,
                streams: sql::streams(db)?,
                conversations: sql::conversations(db)?,
                cursors: sql::cursors(db)?,
                logs: sql::version_logs(db)?,
                entries: sql::version_entries(db)?,
            })
        })?;
        let jwt = Jwt::new(&config);
        let mut world = World {
            config: config.clone(),
            environment: environment.clone(),
            store: store.clone(),
            users: HashMap::new(),
            streams: HashMap::new(),
            versions: HashMap::new(),
            client_configs: BTreeMap::new(),
            online: Online::default(),
        };
        world.fill(loaded);
        world.ensure_admin();
        Ok(Self { world: Mutex::new(world), jwt, store, environment, config })
    }

    /// Whether the user is the IM administrator.
    pub(crate) fn is_admin(&self, user_id: &str) -> bool {
        user_id == self.config.admin_user_id
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
}
