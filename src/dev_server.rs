//! The embedded dev server.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Result};
use napi_derive::napi;
use openim_devserver::{Config, DevServer, Error, NewUser};
use serde::{Deserialize, Serialize};

use crate::error::dev_server_answer;

#[derive(Deserialize)]
struct TokenRequest {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "platformID")]
    platform_id: i32,
}

/// A server that may be started again after it was stopped. The facade in `js/` is its only user.
#[napi]
#[derive(Default)]
pub struct NativeDevServer {
    server: Arc<tokio::sync::Mutex<Option<Arc<DevServer>>>>,
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
    pub fn start<'env>(&self, env: &'env Env, params: String) -> Result<PromiseRaw<'env, String>> {
        let slot = self.server.clone();
        env.spawn_future(async move {
            let mut slot = slot.lock().await;
            let started = match Config::from_json(&params) {
                Ok(config) => DevServer::start(config).await,
                Err(error) => Err(error),
            };
            Ok(answer(started.map(|server| {
                let addresses = server.addresses().clone();
                *slot = Some(Arc::new(server));
                addresses
            })))
        })
    }

    /// Stops and frees the ports; idempotent.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn stop<'env>(&self, env: &'env Env, _params: String) -> Result<PromiseRaw<'env, String>> {
        let slot = self.server.clone();
        env.spawn_future(async move {
            if let Some(server) = slot.lock().await.take() {
                server.stop().await;
            }
            Ok(answer(Ok(())))
        })
    }

    /// Creates accounts.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn register_users<'env>(&self, env: &'env Env, params: String) -> Result<PromiseRaw<'env, String>> {
        let slot = self.server.clone();
        env.spawn_future(async move {
            let result = async {
                let users: Vec<NewUser> = read(&params)?;
                running(&slot).await?.register_users(users).await
            };
            Ok(answer(result.await))
        })
    }

    /// A token of a user for a platform.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn token<'env>(&self, env: &'env Env, params: String) -> Result<PromiseRaw<'env, String>> {
        let slot = self.server.clone();
        env.spawn_future(async move {
            let result = async {
                let request: TokenRequest = read(&params)?;
                running(&slot).await?.token(&request.user_id, request.platform_id).await
            };
            Ok(answer(result.await))
        })
    }
}

async fn running(slot: &tokio::sync::Mutex<Option<Arc<DevServer>>>) -> std::result::Result<Arc<DevServer>, Error> {
    slot.lock().await.clone().ok_or(Error::Stopped)
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> std::result::Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Config { reason: error.to_string() })
}

fn answer<T: Serialize>(result: std::result::Result<T, Error>) -> String {
    match result {
        Ok(value) => format!("=0,{}", serde_json::to_string(&value).unwrap_or_else(|_| "null".to_owned())),
        Err(error) => dev_server_answer(&error),
    }
}
