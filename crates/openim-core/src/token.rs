//! The login token: refused, renewed by the application's provider, or replaced by `updateToken`.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use openim_proto::error_code;

use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::sensitive::Sensitive;
use crate::session::Session;

/// Asks the application for a token for the logged-in user.
pub type TokenProvider = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<String>> + Send>> + Send + Sync>;

/// How long a provider may take.
const PROVIDER_PATIENCE: Duration = Duration::from_secs(30);

/// Renews the token of one session.
#[derive(Default)]
pub(crate) struct Renewal {
    provider: Option<TokenProvider>,
    /// Held while the provider is asked: it is asked once, however many calls were refused.
    one: tokio::sync::Mutex<()>,
    /// The token came from the provider and the gateway has not taken it yet: refused, it ends the session.
    unproven: AtomicBool,
}

impl Renewal {
    pub(crate) fn new(provider: Option<TokenProvider>) -> Self {
        Self { provider, ..Self::default() }
    }

    /// The gateway has taken the token.
    pub(crate) fn proven(&self) {
        self.unproven.store(false, Ordering::SeqCst);
    }
}

impl Session {
    /// The server refused `refused`. With a provider, and unless another login took this one's place, a new token is
    /// asked for and the session connects again with it; else the session is over. `Ok` means a new token is there.
    pub(crate) async fn renew(&self, refused: &Sensitive<String>, error: Error) -> Result<()> {
        let _one = self.renewal.one.lock().await;
        if self.current_token() != *refused {
            // somebody else was quicker
            return Ok(());
        }
        let kicked = error.err_code() == error_code::TOKEN_KICKED;
        let provider = self.renewal.provider.as_ref().filter(|_| !kicked && !self.is_over());
        let Some(provider) = provider else {
            self.end_with(error.clone());
            return Err(error);
        };
        if self.renewal.unproven.swap(true, Ordering::SeqCst) {
            tracing::warn!(error = error.log_text(), "the renewed token is refused as well");
            self.end_with(error.clone());
            return Err(error);
        }
        match tokio::time::timeout(PROVIDER_PATIENCE, provider()).await {
            Ok(Ok(token)) if !token.is_empty() && token != *refused.reveal() => {
                tracing::info!("token renewed");
                self.set_token(Sensitive::from(token));
                return Ok(());
            }
            Ok(Ok(_)) => tracing::warn!("the token provider gave no other token"),
            Ok(Err(reason)) => tracing::warn!(%reason, "the token provider failed"),
            Err(_) => tracing::warn!("the token provider did not answer"),
        }
        self.end_with(error.clone());
        Err(error)
    }

    pub(crate) fn current_token(&self) -> Sensitive<String> {
        self.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A new token for the same user: connects again with it. The same token changes nothing.
    pub(crate) fn set_token(&self, token: Sensitive<String>) {
        let mut current = self.token.write().unwrap_or_else(PoisonError::into_inner);
        if *current != token {
            *current = token;
            drop(current);
            self.starting();
            self.socket.reconnect();
        }
    }
}

impl Client {
    /// A new token for the user of the last login: a running session connects again with it; one that a refused token
    /// ended begins anew, with the same database and listeners. After a logout there is nobody to have a token.
    pub async fn update_token(&self, token: Sensitive<String>) -> Result<Done<()>> {
        if token.reveal().is_empty() {
            return Err(Error::args("token", "must not be empty"));
        }
        let user_id = self.last_user()?;
        let session = self.begin(user_id, token).await?;
        Ok(Done { value: (), event: session.last_event() })
    }
}
