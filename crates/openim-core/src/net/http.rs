//! The REST client (http.md section 1): POST, envelope, codes. The HTTP status is not consulted: the envelope tells.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::transport::{Transport, tls_failure};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::scope;
use crate::sensitive::Sensitive;

/// Longer answers are cut off: servers keep theirs below 8 MiB (http.md 1.6). Counted after decompression.
const MAX_ANSWER_BYTES: usize = 16 << 20;
/// A proxy wants credentials.
const PROXY_AUTHENTICATION_REQUIRED: u16 = 407;

/// A client for one session's REST calls.
#[derive(Debug)]
pub(crate) struct Api {
    base: String,
    token: Arc<RwLock<Sensitive<String>>>,
    clock: Clock,
    transport: Arc<Transport>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    err_code: i32,
    #[serde(default)]
    err_msg: String,
    #[serde(default)]
    err_dlt: String,
    data: Option<Box<RawValue>>,
}

/// Reads `data` of an answer; absent or `null` data is the default (http.md 1.4).
pub(crate) fn data<T: DeserializeOwned + Default>(path: &str, data: Option<Box<RawValue>>) -> Result<T> {
    let Some(data) = data else { return Ok(T::default()) };
    serde_json::from_str(data.get())
        .map_err(|error| Error::Protocol(format!("{path} answered with other data: {}", super::json_failure(&error))))
}

impl Api {
    pub(crate) fn new(
        base: &str,
        token: Arc<RwLock<Sensitive<String>>>,
        clock: Clock,
        transport: Arc<Transport>,
    ) -> Self {
        Self { base: base.to_owned(), token, clock, transport }
    }

    /// Calls `path` with a body of JSON; `data` of the answer, for [`data`] to be read. Not generic: one of these is large.
    pub(crate) async fn call(&self, path: &str, body: Bytes) -> Result<Option<Box<RawValue>>> {
        let operation_id = scope::operation_id(&self.clock);
        let started = Instant::now();
        let result = self.exchange(path, &operation_id, body).await;
        let elapsed_ms = started.elapsed().as_millis() as u64;
        match &result {
            Ok(_) => tracing::debug!(path, operation_id, elapsed_ms, "the API answered"),
            Err(error) => {
                let code = error.code();
                tracing::info!(path, operation_id, elapsed_ms, code, error = error.log_text(), "an API call failed");
            }
        }
        result
    }

    async fn exchange(&self, path: &str, operation_id: &str, body: Bytes) -> Result<Option<Box<RawValue>>> {
        let request = self
            .transport
            .http(&self.base)
            .await?
            .post(format!("{}{path}", self.base))
            .header("Content-Type", "application/json")
            .header("operationID", operation_id)
            .header("token", self.token())
            .body(body);
        let answer = request.send().await.map_err(|error| self.failure(path, &error))?;
        let status = answer.status();
        if status == PROXY_AUTHENTICATION_REQUIRED
            && let Some(proxy) = self.transport.proxy()
        {
            return Err(proxy.refused("proxy authorization required"));
        }
        let bytes = self.body(path, answer).await?;
        let envelope: Envelope = serde_json::from_slice(&bytes).map_err(|error| {
            let reason = super::json_failure(&error);
            Error::Protocol(format!("{path} answered HTTP {} without an envelope: {reason}", status.as_u16()))
        })?;
        match envelope.err_code {
            0 => Ok(envelope.data),
            code => Err(Error::server(code, envelope.err_msg, envelope.err_dlt)),
        }
    }

    async fn body(&self, path: &str, mut answer: reqwest::Response) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.failure(path, &error))? {
            if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(Error::Protocol(format!("{path} answered more than {MAX_ANSWER_BYTES} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn token(&self) -> String {
        self.token.read().unwrap_or_else(PoisonError::into_inner).reveal().clone()
    }

    fn failure(&self, path: &str, error: &reqwest::Error) -> Error {
        let host = self.base.split_once("://").map_or(self.base.as_str(), |(_, host)| host);
        let host = host.split('/').next().unwrap_or_default();
        if let Some(failure) = tls_failure(host, error) {
            return failure;
        }
        match self.transport.proxy() {
            Some(proxy) if error.is_connect() && error.is_timeout() => proxy.fails("does not answer"),
            Some(proxy) if error.is_connect() => proxy.refused(&super::root(error)),
            Some(proxy) if error.is_timeout() => Error::Timeout(format!("{path} through the proxy {}", proxy.name())),
            _ if error.is_timeout() => Error::Timeout(path.to_owned()),
            _ => Error::Network(format!("{path}: {}", super::root(error))),
        }
    }
}
