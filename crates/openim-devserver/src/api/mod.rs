//! The REST API: one file per noun. Every request passes the same pipeline (http.md 8.1): CORS, headers, token, body,
//! rule, commit, envelope.

mod answer;
mod auth;
mod conversation;
mod friend;
mod group;
mod json;
mod jssdk;
mod msg;
mod page;
mod pipeline;
mod send;
mod third;
mod user;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use serde::de::DeserializeOwned;
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
pub(crate) fn router(domain: App) -> Router {
    Router::new()
        .merge(auth::routes())
        .merge(user::routes())
        .merge(friend::routes())
        .merge(group::routes())
        .merge(conversation::routes())
        .merge(msg::routes())
        .merge(third::routes())
        .merge(jssdk::routes())
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::not_found)
        .layer(middleware::from_fn_with_state(domain.clone(), pipeline::authenticate))
        .layer(CompressionLayer::new().gzip(true))
        .layer(middleware::from_fn_with_state(domain.clone(), pipeline::cross_origin))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(domain)
}

/// A route whose handler works in memory. Its rows are committed before the answer leaves.
fn call<T, F>(handler: F) -> MethodRouter<App>
where
    T: DeserializeOwned + Default + Send + 'static,
    F: Fn(&Domain, &Caller, T) -> Reply + Clone + Send + Sync + 'static,
{
    post(move |State(app): State<App>, Extension(caller): Extension<Caller>, body: Bytes| async move {
        let reply = match json::parse(&body) {
            Ok(request) => handler(&app, &caller, request),
            Err(error) => return failure(&answer::malformed(&error)),
        };
        finish(&app, reply).await
    })
}

/// A route whose handler waits for the database.
fn call_async<T, F, R>(handler: F) -> MethodRouter<App>
where
    T: DeserializeOwned + Default + Send + 'static,
    F: Fn(App, Caller, T) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Reply> + Send,
{
    post(move |State(app): State<App>, Extension(caller): Extension<Caller>, body: Bytes| async move {
        let reply = match json::parse(&body) {
            Ok(request) => handler(app.clone(), caller, request).await,
            Err(error) => return failure(&answer::malformed(&error)),
        };
        finish(&app, reply).await
    })
}

/// Waits for the commit and writes the envelope.
async fn finish(app: &Domain, reply: Reply) -> Response {
    match reply {
        Ok(_) if !app.store.committed().await => failure(&Fault::database()),
        Ok(data) => success(&data),
        Err(fault) => failure(&fault),
    }
}
