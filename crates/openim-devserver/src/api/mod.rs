//! The REST API: one file per noun. Every request passes the same pipeline (http.md 8.1): CORS, headers, token, body,
//! rule, commit, envelope.

mod answer;
mod auth;
mod black;
mod business;
mod conversation;
mod disturbance;
mod friend;
mod friend_request;
mod group;
mod increment;
mod json;
mod jssdk;
mod msg;
mod notification_account;
mod page;
mod pipeline;
mod presence;
mod send;
mod third;
mod user;
mod user_command;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

use crate::domain::{Caller, Domain, Fault};
use answer::{Answer, failure, success};

/// Bytes of a request body at most.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// What handlers work on.
type App = Arc<Domain>;

/// What handlers give back.
type Reply = Result<Answer, Fault>;

/// All routes.
pub(crate) fn router(domain: App, ended: CancellationToken) -> Router {
    let disturbed = domain.clone();
    let disturb = move |request, next| disturbance::disturb(disturbed.clone(), ended.clone(), request, next);
    Router::new()
        .merge(auth::routes())
        .merge(user::routes())
        .merge(user_command::routes())
        .merge(presence::routes())
        .merge(notification_account::routes())
        .merge(friend::routes())
        .merge(friend_request::routes())
        .merge(black::routes())
        .merge(group::routes())
        .merge(conversation::routes())
        .merge(msg::routes())
        .merge(third::routes())
        .merge(jssdk::routes())
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::not_found)
        .layer(middleware::from_fn(disturb))
        .layer(middleware::from_fn_with_state(domain.clone(), pipeline::authenticate))
        .layer(CompressionLayer::new().gzip(true))
        .layer(middleware::from_fn_with_state(domain.clone(), pipeline::cross_origin))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(domain)
}

/// A handler that works in memory, whatever its request. One type for all of them: the machinery around a handler is then
/// in the addon once, not once for each.
type Handler = Arc<dyn Fn(&Domain, &Caller, &[u8]) -> Reply + Send + Sync>;

/// A handler that waits for the database, likewise.
type AsyncHandler = Arc<dyn Fn(App, Caller, Bytes) -> BoxFuture<'static, Reply> + Send + Sync>;

/// A route whose handler works in memory. Its rows are committed before the answer leaves.
fn call<T, F>(handler: F) -> MethodRouter<App>
where
    T: DeserializeOwned + Default + Send + 'static,
    F: Fn(&Domain, &Caller, T) -> Reply + Send + Sync + 'static,
{
    route(Arc::new(move |app, caller, body| handler(app, caller, parse(body)?)))
}

/// A route whose handler waits for the database.
fn call_async<T, F, R>(handler: F) -> MethodRouter<App>
where
    T: DeserializeOwned + Default + Send + 'static,
    F: Fn(App, Caller, T) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Reply> + Send,
{
    route_async(Arc::new(move |app, caller, body| {
        let handler = handler.clone();
        async move { handler(app, caller, parse(&body)?).await }.boxed()
    }))
}

fn route(handler: Handler) -> MethodRouter<App> {
    post(move |State(app): State<App>, Extension(caller): Extension<Caller>, body: Bytes| async move {
        let reply = handler(&app, &caller, &body);
        finish(&app, reply).await
    })
}

fn route_async(handler: AsyncHandler) -> MethodRouter<App> {
    post(move |State(app): State<App>, Extension(caller): Extension<Caller>, body: Bytes| async move {
        let reply = handler(app.clone(), caller, body).await;
        finish(&app, reply).await
    })
}

fn parse<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Fault> {
    json::parse(body).map_err(|error| answer::malformed(&error))
}

/// Waits for the commit and writes the envelope.
async fn finish(app: &Domain, reply: Reply) -> Response {
    match reply {
        Ok(_) if !app.store.committed().await => failure(&Fault::database()),
        Ok(data) => success(&data),
        Err(fault) => failure(&fault),
    }
}
