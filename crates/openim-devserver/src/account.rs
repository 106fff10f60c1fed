//! The account API. There are no accounts yet: every path is unknown.

use axum::Router;
use axum::http::StatusCode;

/// Answers 404 on everything.
pub(crate) fn router() -> Router {
    Router::new().fallback(|| async { (StatusCode::NOT_FOUND, "404 page not found") })
}
