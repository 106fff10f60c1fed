//! The embedded dev server.

use std::sync::{Arc, Mutex, PoisonError};

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;
use openim_devserver::{Config, DevServer, Disturbance, Environment, Error, Faults, Lever, NewUser};
use serde::{Deserialize, Serialize};

use crate::error::dev_server_answer;

#[derive(Deserialize)]
struct TokenRequest {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "platformID")]
    platform_id: i32,
}

#[derive(Deserialize)]
struct LeverRequest {
    id: Option<u64>,
    #[serde(default)]
    times: u64,
}

#[derive(Deserialize)]
struct DisturbRequest {
    #[serde(rename = "userID")]
    user_id: Option<String>,
    #[serde(rename = "platformID")]
    platform_id: Option<i32>,
    #[serde(flatten)]
    disturbance: Disturbance,
}

#[derive(Deserialize)]
struct HoleRequest {
    #[serde(rename = "conversationID")]
    conversation_id: String,
    count: i64,
}

/// A server that may be started again after it was stopped. The facade in `js/` is its only user.
#[napi]
#[derive(Default)]
pub struct NativeDevServer {
    slot: Arc<Slot>,
    /// They outlive a restart, so that what happens right after it can be disturbed.
    faults: Faults,
}

#[derive(Default)]
struct Slot {
    server: Mutex<Option<Arc<DevServer>>>,
    /// Starting and stopping take turns.
    turn: tokio::sync::Mutex<()>,
}

impl Slot {
    fn put(&self, server: Option<Arc<DevServer>>) -> Option<Arc<DevServer>> {
        std::mem::replace(&mut *self.server.lock().unwrap_or_else(PoisonError::into_inner), server)
    }

    fn running(&self) -> Result<Arc<DevServer>, Error> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Stopped)
    }
}

#[napi]
impl NativeDevServer {
    /// A server that is not started yet.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts; the answer carries the addresses.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn start<'env>(&self, env: &'env Env, params: String) -> napi::Result<PromiseRaw<'env, String>> {
        let (slot, faults) = (self.slot.clone(), self.faults.clone());
        env.spawn_future(async move {
            let _turn = slot.turn.lock().await;
            let started = match Config::from_json(&params) {
                Ok(config) => DevServer::start_in(config, Environment::default().with_faults(faults)).await,
                Err(error) => Err(error),
            };
            Ok(answer(started.map(|server| {
                let addresses = server.addresses().clone();
                slot.put(Some(Arc::new(server)));
                addresses
            })))
        })
    }

    /// Stops and frees the ports; idempotent.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn stop<'env>(&self, env: &'env Env, _params: String) -> napi::Result<PromiseRaw<'env, String>> {
        let slot = self.slot.clone();
        env.spawn_future(async move {
            let _turn = slot.turn.lock().await;
            if let Some(server) = slot.put(None) {
                server.stop().await;
            }
            Ok(answer(Ok(())))
        })
    }

    /// Creates accounts.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn register_users<'env>(&self, env: &'env Env, params: String) -> napi::Result<PromiseRaw<'env, String>> {
        let slot = self.slot.clone();
        env.spawn_future(async move {
            let result = async {
                let users: Vec<NewUser> = read(&params)?;
                slot.running()?.register_users(users).await
            };
            Ok(answer(result.await))
        })
    }

    /// A token of a user for a platform.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn token<'env>(&self, env: &'env Env, params: String) -> napi::Result<PromiseRaw<'env, String>> {
        let slot = self.slot.clone();
        env.spawn_future(async move {
            let result = async {
                let request: TokenRequest = read(&params)?;
                slot.running()?.token(&request.user_id, request.platform_id).await
            };
            Ok(answer(result.await))
        })
    }

    /// Sets a lever; the answer carries its number.
    #[napi]
    pub fn set_lever(&self, params: String) -> String {
        answer(read::<Lever>(&params).and_then(|lever| self.faults.set(lever)))
    }

    /// How far a lever is.
    #[napi]
    pub fn lever(&self, params: String) -> String {
        answer(read::<LeverRequest>(&params).map(|request| self.faults.state(request.id.unwrap_or(0))))
    }

    /// The levers that will act.
    #[napi]
    pub fn levers(&self, _params: String) -> String {
        answer(Ok(self.faults.pending()))
    }

    /// Takes a lever away; without a number all of them, and what else can be undone.
    #[napi]
    pub fn clear_levers(&self, params: String) -> String {
        answer(read::<LeverRequest>(&params).and_then(|request| {
            match (request.id, self.slot.running()) {
                (Some(id), _) => self.faults.clear(id),
                (None, Ok(server)) => server.clear_faults()?,
                (None, Err(_)) => self.faults.clear_all(),
            }
            Ok(())
        }))
    }

    /// Resolves when a lever has acted so often, with false if it is over, or the server stops, before.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn acted<'env>(&self, env: &'env Env, params: String) -> napi::Result<PromiseRaw<'env, String>> {
        let (slot, faults) = (self.slot.clone(), self.faults.clone());
        env.spawn_future(async move {
            let result = async {
                let LeverRequest { id, times } = read(&params)?;
                let id = id.unwrap_or(0);
                match slot.running() {
                    Ok(server) => Ok(server.acted(id, times).await),
                    Err(_) => Ok(faults.hits(id) >= times),
                }
            };
            Ok(answer(result.await))
        })
    }

    /// Moves the server's clock.
    #[napi]
    pub fn shift_clock(&self, params: String) -> String {
        answer(read::<i64>(&params).map(|ms| self.faults.shift_clock(ms)))
    }

    /// Does something to open connections; the answer carries their number.
    #[napi]
    pub fn disturb(&self, params: String) -> String {
        answer(read::<DisturbRequest>(&params).and_then(|request| {
            let DisturbRequest { user_id, platform_id, disturbance } = request;
            self.slot.running()?.disturb(user_id.as_deref(), platform_id, disturbance)
        }))
    }

    /// Skips seqs; the answer carries the newest one.
    #[napi]
    pub fn make_hole(&self, params: String) -> String {
        answer(
            read::<HoleRequest>(&params)
                .and_then(|request| self.slot.running()?.make_hole(&request.conversation_id, request.count)),
        )
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Config { reason: error.to_string() })
}

fn answer<T: Serialize>(result: Result<T, Error>) -> String {
    match result {
        Ok(value) => format!("=0,{}", serde_json::to_string(&value).unwrap_or_else(|_| "null".to_owned())),
        Err(error) => dev_server_answer(&error),
    }
}
