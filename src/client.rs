//! The class behind a client.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use napi::Env;
use napi::bindgen_prelude::{FnArgs, Function, Promise, PromiseRaw, Result};
use napi_derive::napi;
use openim_core::{Client, Clock, Config, Done, Error, Scope, TokenProvider};
use tokio::sync::Semaphore;

use crate::answer::{self, Work, done, parse};
use crate::cancel::Cancellations;
use crate::events::Pump;

/// State that methods share with the work that they start.
pub(crate) struct State {
    client: OnceLock<Client>,
    token_provider: OnceLock<TokenProvider>,
    cancellations: Cancellations,
    pump: Mutex<Option<Pump>>,
    credit: Arc<Semaphore>,
}

impl State {
    /// The client, once `open` was called.
    pub(crate) fn client(&self) -> std::result::Result<Client, Error> {
        self.client.get().cloned().ok_or(Error::NotLoggedIn)
    }

    fn last_event(&self) -> u64 {
        self.client.get().map_or(0, |client| client.events().last())
    }

    /// The promise of a call's answer.
    pub(crate) async fn answer(
        self: Arc<Self>,
        method: &'static str,
        operation_id: String,
        cancel: u32,
        work: Work,
    ) -> Result<String> {
        let token = self.cancellations.token(cancel);
        let scope = self.client.get().map_or_else(Scope::nobody, Client::scope).call(&operation_id);
        let text = scope.run(answer::run(method, work, token, &operation_id, || self.last_event())).await;
        self.cancellations.end(cancel);
        Ok(text)
    }

    /// The answer of a call that needs no waiting.
    pub(crate) fn answer_now(&self, result: std::result::Result<Done<String>, Error>) -> String {
        answer::text(result, "", || 0)
    }

    fn open(&self, params: &str) -> std::result::Result<Done<()>, Error> {
        let client = Client::open(parse::<Config>(params)?, Clock::system())?;
        if let Some(provider) = self.token_provider.get() {
            client.renew_tokens_with(provider.clone());
        }
        let pump = self.pump.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(Error::Closed)?;
        tokio::spawn(pump.run(client.events()));
        self.client.set(client).map_err(|_| Error::Internal("opened twice".to_owned()))?;
        Ok(Done::quietly(()))
    }

    async fn close(&self) -> std::result::Result<Done<()>, Error> {
        // a client that was never opened has nothing to close but its pump
        self.pump.lock().unwrap_or_else(PoisonError::into_inner).take();
        match self.client.get() {
            Some(client) => client.close().await,
            None => Ok(Done::quietly(())),
        }
    }
}

/// One client. The facade in `js/` is its only user.
#[napi]
pub struct NativeClient {
    pub(crate) state: Arc<State>,
}

#[napi]
impl NativeClient {
    /// `on_events(batch, last)` gets every batch; it returns the credit when it is through.
    #[napi(constructor)]
    pub fn new(on_events: Function<'_, FnArgs<(String, i64)>, ()>) -> Result<Self> {
        let pump = Pump::new(on_events)?;
        let credit = pump.credit();
        let state = State {
            client: OnceLock::new(),
            token_provider: OnceLock::new(),
            cancellations: Cancellations::default(),
            pump: Mutex::new(Some(pump)),
            credit,
        };
        Ok(Self { state: Arc::new(state) })
    }

    /// Opens the client: checks configuration and data folder.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn open<'env>(
        &self,
        env: &'env Env,
        params: String,
        operation_id: String,
        cancel: u32,
    ) -> Result<PromiseRaw<'env, String>> {
        let state = self.state.clone();
        let work: Work = Box::pin(async move { done(state.open(&params)) });
        env.spawn_future(self.state.clone().answer("open", operation_id, cancel, work))
    }

    /// Ends everything of this client.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn close<'env>(
        &self,
        env: &'env Env,
        _params: String,
        operation_id: String,
        cancel: u32,
    ) -> Result<PromiseRaw<'env, String>> {
        let state = self.state.clone();
        let work: Work = Box::pin(async move { done(state.close().await) });
        env.spawn_future(self.state.clone().answer("close", operation_id, cancel, work))
    }

    /// Asks `provider` for a new token when the server refuses one. It never rejects: `=<token>` or `!<reason>`.
    #[napi]
    pub fn renew_tokens_with(&self, provider: Function<'_, (), Promise<String>>) -> Result<()> {
        let ask = Arc::new(
            provider
                .build_threadsafe_function()
                .callee_handled::<false>()
                .weak::<true>()
                .max_queue_size::<1>()
                .build()?,
        );
        let provider: TokenProvider = Arc::new(move || {
            let ask = ask.clone();
            Box::pin(async move {
                let failed = |reason: napi::Error| Error::Internal(format!("the token provider failed: {reason}"));
                let answer = ask.call_async(()).await.map_err(failed)?.await.map_err(failed)?;
                match answer.split_at_checked(1) {
                    Some(("=", token)) => Ok(token.to_owned()),
                    Some((_, reason)) => Err(Error::args("tokenProvider", format!("failed: {reason}"))),
                    None => Err(Error::args("tokenProvider", "gave nothing")),
                }
            })
        });
        self.state.token_provider.set(provider).map_err(|_| napi::Error::from_reason("set twice"))
    }

    /// The first listener is there: events may come.
    #[napi]
    pub fn listen(&self) {
        if let Ok(client) = self.state.client() {
            client.events().listen();
        }
    }

    /// The facade has dispatched a batch.
    #[napi]
    pub fn credit(&self) {
        self.state.credit.add_permits(1);
    }

    /// An id for a call that can be cancelled.
    #[napi]
    pub fn begin(&self) -> u32 {
        self.state.cancellations.begin()
    }

    /// Cancels the call with this id, if it still runs.
    #[napi]
    pub fn cancel(&self, id: u32) {
        self.state.cancellations.cancel(id);
    }

    /// JSON text of the state.
    #[napi]
    pub fn status(&self) -> String {
        let status = self.state.client().map(|client| client.status()).unwrap_or_default();
        serde_json::to_string(&status).unwrap_or_default()
    }

    /// JSON text of the figures.
    #[napi]
    pub fn stats(&self) -> String {
        let stats = self.state.client().map(|client| client.stats()).unwrap_or_default();
        serde_json::to_string(&stats).unwrap_or_default()
    }
}
