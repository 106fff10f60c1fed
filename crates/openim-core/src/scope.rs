//! Whom work is done for. Log records say it, and requests carry the operation id to the server.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tracing::Span;

use crate::clock::Clock;

tokio::task_local! {
    static OPERATION: Arc<str>;
}

/// A user's client, or one call on it.
#[derive(Debug, Clone)]
pub struct Scope {
    user_id: Arc<str>,
    platform_id: i32,
    operation_id: Arc<str>,
}

impl Scope {
    /// Work of a user's session, or of a client that nobody is logged in on (empty).
    pub(crate) fn session(user_id: &str, platform_id: i32) -> Self {
        Self { user_id: user_id.into(), platform_id, operation_id: Arc::default() }
    }

    /// A call with this id.
    pub fn call(self, operation_id: &str) -> Self {
        Self { operation_id: operation_id.into(), ..self }
    }

    /// Work before there is a client.
    pub fn nobody() -> Self {
        Self::session("", 0)
    }

    /// Runs `work` in this scope.
    pub fn run<F: Future>(self, work: F) -> Scoped<F> {
        Scoped { work: Box::pin(work), scope: self, span: Span::none() }
    }

    /// At the level of errors: a span is there whenever anything is logged.
    fn span(&self) -> Span {
        let Self { user_id, platform_id, operation_id } = self;
        tracing::error_span!("scope", user_id = &**user_id, platform_id, operation_id = &**operation_id)
    }
}

/// The id of the call that this work belongs to, or a new one.
pub(crate) fn operation_id(clock: &Clock) -> String {
    let id = OPERATION.try_with(|id| id.to_string()).unwrap_or_default();
    if id.is_empty() { clock.id() } else { id }
}

/// Work in a scope. Its span is made when it runs, so that logs may be switched on in the middle of a session.
#[derive(Debug)]
pub struct Scoped<F> {
    work: Pin<Box<F>>,
    scope: Scope,
    span: Span,
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if self.span.is_disabled() {
            self.span = self.scope.span();
        }
        let Self { work, scope, span } = &mut *self;
        let _inside = span.enter();
        OPERATION.sync_scope(scope.operation_id.clone(), || work.as_mut().poll(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_carry_the_id_of_their_call() {
        let clock = Clock::new(|| 0, || 5);
        assert_eq!(operation_id(&clock), format!("{:032x}", 5));
        let scope = Scope::session("alice", 7);
        let inside = scope.clone().call("op-1").run(async {
            tokio::task::yield_now().await;
            operation_id(&clock)
        });
        assert_eq!(inside.await, "op-1");
        assert_eq!(scope.run(async { operation_id(&clock) }).await, format!("{:032x}", 5));
    }
}
