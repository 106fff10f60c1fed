//! The REST client (http.md section 1): POST, envelope, codes. The HTTP status is not consulted: the envelope tells.

use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::sensitive::Sensitive;

const TIMEOUT: Duration = Duration::from_secs(10);

/// A client for one session's REST calls.
#[derive(Debug)]
pub(crate) struct Api {
    base: String,
    token: Arc<RwLock<Sensitive<String>>>,
    clock: Clock,
    /// Built at the first call: it costs milliseconds that an offline start does not need.
    client: OnceLock<reqwest::Client>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    err_code: i32,
    #[serde(default)]
    err_msg: String,
    #[serde(default)]
    err_dlt: String,
    data: Option<T>,
}

impl Api {
    pub(crate) fn new(base: &str, token: Arc<RwLock<Sensitive<String>>>, clock: Clock) -> Self {
        Self { base: base.to_owned(), token, clock, client: OnceLock::new() }
    }

    /// Calls `path` and reads `data`; absent or `null` data is the default (http.md 1.4).
    pub(crate) async fn call<T: DeserializeOwned + Default>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Internal(error.to_string()))?;
        let operation_id = self.clock.id();
        let request = self
            .client()?
            .post(format!("{}{path}", self.base))
            .header("Content-Type", "application/json")
            .header("operationID", &operation_id)
            .header("token", self.token())
            .body(body);
        let started = std::time::Instant::now();
        let answer = request.send().await.map_err(|error| unreachable(path, &error))?;
        let bytes = answer.bytes().await.map_err(|error| unreachable(path, &error))?;
        tracing::debug!(path, operation_id, elapsed = ?started.elapsed(), bytes = bytes.len(), "answered");
        let envelope: Envelope<T> = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Protocol(format!("{path} did not answer with an envelope: {error}")))?;
        match envelope.err_code {
            0 => Ok(envelope.data.unwrap_or_default()),
            code => Err(Error::server(code, envelope.err_msg, envelope.err_dlt)),
        }
    }

    fn client(&self) -> Result<&reqwest::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        super::install_tls_provider();
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| Error::Internal(format!("cannot build the HTTP client: {error}")))?;
        Ok(self.client.get_or_init(|| client))
    }

    fn token(&self) -> String {
        self.token.read().unwrap_or_else(std::sync::PoisonError::into_inner).reveal().clone()
    }
}

fn unreachable(path: &str, error: &reqwest::Error) -> Error {
    if error.is_timeout() {
        Error::Timeout(path.to_owned())
    } else {
        Error::Network(format!("{path}: {}", root(error)))
    }
}

/// The innermost reason: reqwest's own text repeats the address.
fn root(error: &dyn std::error::Error) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}
