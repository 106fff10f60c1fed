//! The handle of a running server.

use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use openim_proto::sdkws::UserInfo;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::domain::{Domain, store_late};
use crate::environment::Environment;
use crate::error::Error;
use crate::faults::{Disturbance, Faults};
use crate::{account, api, gateway};

/// How long a REST answer may take to leave while the server stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Addresses {
    /// The REST API, `http://host:port`.
    pub api_addr: String,
    /// The message gateway, `ws://host:port`.
    pub ws_addr: String,
    /// The account API, `http://host:port`.
    pub account_addr: String,
}

/// A user to register.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewUser {
    /// Letters, digits and `_`.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// Not empty.
    pub nickname: String,
    /// Avatar URL, may be empty.
    #[serde(rename = "faceURL")]
    pub face_url: String,
}

/// A running server. Dropping it ends the connections in the background; [`DevServer::stop`] waits for the end.
pub struct DevServer {
    domain: Arc<Domain>,
    addresses: Addresses,
    ended: CancellationToken,
    tasks: TaskTracker,
}

impl DevServer {
    /// Starts a server on the current tokio runtime.
    pub async fn start(config: Config) -> Result<Self, Error> {
        Self::start_in(config, Environment::default()).await
    }

    /// The same with a clock and randomness of one's own.
    pub async fn start_in(config: Config, environment: Environment) -> Result<Self, Error> {
        config.check()?;
        let api = listen(&config.host, config.api_port).await?;
        let gateway = listen(&config.host, config.ws_port).await?;
        let account = listen(&config.host, config.account_port).await?;
        let addresses = Addresses {
            api_addr: format!("http://{}", address(&api)?),
            ws_addr: format!("ws://{}", address(&gateway)?),
            account_addr: format!("http://{}", address(&account)?),
        };
        let (domain, waiting) = Domain::open(Arc::new(config), environment)?;
        let domain = Arc::new(domain);
        let (ended, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(serve(api, api::router(domain.clone(), ended.clone()), ended.clone()));
        tasks.spawn(serve(account, account::router(), ended.clone()));
        tasks.spawn(gateway::serve(gateway, domain.clone(), ended.clone(), tasks.clone()));
        tasks.spawn(store_late(domain.clone(), waiting, ended.clone()));
        tasks.close();
        tracing::info!(api = addresses.api_addr, ws = addresses.ws_addr, "dev server is ready");
        Ok(Self { domain, addresses, ended, tasks })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Registers users, all or none.
    pub async fn register_users(&self, users: Vec<NewUser>) -> Result<(), Error> {
        let users = users.into_iter().map(UserInfo::from).collect();
        self.domain.world().register(users)?;
        self.settled().await
    }

    /// A fresh token; a user who does not exist yet is registered with his id as nickname.
    pub async fn token(&self, user_id: &str, platform_id: i32) -> Result<String, Error> {
        let token = {
            let mut world = self.domain.world();
            if !world.is_registered(user_id) {
                let user = NewUser { user_id: user_id.into(), nickname: user_id.into(), face_url: String::new() };
                world.register(vec![user.into()])?;
            }
            world.issue_user_token(&self.domain.jwt, user_id, platform_id)?
        };
        self.settled().await?;
        Ok(token)
    }

    /// The levers that make faults.
    pub fn faults(&self) -> &Faults {
        self.domain.environment.faults()
    }

    /// Waits until a lever has acted so often; false if it is over, or the server stops, before.
    pub async fn acted(&self, id: u64, times: u64) -> bool {
        tokio::select! {
            acted = self.faults().acted(id, times) => acted,
            () = self.ended.cancelled() => false,
        }
    }

    /// Undoes what can be undone: takes every lever away, sets the clock right and lets stalled connections go on.
    pub fn clear_faults(&self) -> Result<(), Error> {
        self.faults().clear_all();
        self.disturb(None, None, Disturbance::Resume).map(drop)
    }

    /// Does something to the open connections of a user, or of all users, on a platform, or on all; gives their number.
    pub fn disturb(
        &self,
        user_id: Option<&str>,
        platform_id: Option<i32>,
        disturbance: Disturbance,
    ) -> Result<usize, Error> {
        self.domain.world().disturb(user_id, platform_id, disturbance)
    }

    /// Skips `count` seqs of a conversation that has messages: they exist nowhere, and pulls answer a placeholder for
    /// each. Gives the newest seq.
    pub fn make_hole(&self, conversation_id: &str, count: i64) -> Result<i64, Error> {
        self.domain.world().make_hole(conversation_id, count)
    }

    /// Ends every connection and task, commits what is queued and closes the database. Idempotent.
    pub async fn stop(&self) {
        self.ended.cancel();
        self.tasks.wait().await;
        let store = self.domain.store.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || store.close()).await {
            tracing::error!(%error, "closing the database failed");
        }
    }

    async fn settled(&self) -> Result<(), Error> {
        if self.domain.store.committed().await { Ok(()) } else { Err(Error::Stopped) }
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

impl std::fmt::Debug for DevServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DevServer").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl From<NewUser> for UserInfo {
    fn from(user: NewUser) -> Self {
        Self { user_id: user.user_id, nickname: user.nickname, face_url: user.face_url, ..Self::default() }
    }
}

async fn listen(host: &str, port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((host, port)).await.map_err(|source| {
        let addr = format!("{host}:{port}");
        if source.kind() == std::io::ErrorKind::AddrInUse {
            Error::AddressInUse { addr }
        } else {
            Error::Listen { addr, source }
        }
    })
}

fn address(listener: &TcpListener) -> Result<std::net::SocketAddr, Error> {
    listener.local_addr().map_err(|source| Error::Listen { addr: "a free port".into(), source })
}

/// Serves HTTP until the end; answers under way may leave.
async fn serve(listener: TcpListener, router: axum::Router, ended: CancellationToken) {
    let stopping = ended.clone();
    // answers are small and written at once: waiting for more would only delay them
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move { stopping.cancelled().await });
    let patience = async {
        ended.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        outcome = serving => if let Err(error) = outcome { tracing::error!(%error, "HTTP listener failed") },
        () = patience => tracing::warn!("HTTP connections outlive the server"),
    }
}
