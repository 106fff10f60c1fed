//! What happens before a handler: CORS, the required headers, the token.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::App;
use super::answer::{failure, success_text};
use crate::domain::{Caller, Fault};
use crate::environment::hex;

/// Prefixes of paths that need no token.
const OPEN_PATHS: [&str; 2] = ["/auth/get_admin_token", "/auth/parse_token"];

const CORS: [(HeaderName, HeaderValue); 6] = [
    (HeaderName::from_static("access-control-allow-origin"), HeaderValue::from_static("*")),
    (HeaderName::from_static("access-control-allow-methods"), HeaderValue::from_static("*")),
    (HeaderName::from_static("access-control-allow-headers"), HeaderValue::from_static("*")),
    (
        HeaderName::from_static("access-control-expose-headers"),
        HeaderValue::from_static(
            "Content-Length, Access-Control-Allow-Origin, Access-Control-Allow-Headers,Cache-Control,Content-Language,Content-Type,Expires,Last-Modified,Pragma,FooBar",
        ),
    ),
    (HeaderName::from_static("access-control-max-age"), HeaderValue::from_static("172800")),
    (HeaderName::from_static("access-control-allow-credentials"), HeaderValue::from_static("false")),
];

/// Name of the log id that every answer carries.
const HTTP_ID: HeaderName = HeaderName::from_static("x-http-id");

/// Lets browsers of any origin call, and answers their preflight.
pub(super) async fn cross_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = match *request.method() {
        Method::OPTIONS => success_text("Options Request!"),
        _ => next.run(request).await,
    };
    response.headers_mut().extend(CORS);
    if let Ok(id) = HeaderValue::from_str(&hex(&app.environment.random::<16>())) {
        response.headers_mut().insert(HTTP_ID, id);
    }
    response
}

/// Finds out who calls; refuses whoever does not say it.
pub(super) async fn authenticate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    match caller(&app, request.headers(), request.uri().path()) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(fault) => failure(&fault),
    }
}

fn caller(app: &App, headers: &HeaderMap, path: &str) -> Result<Caller, Fault> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation_id = header("operationID").to_owned();
    if operation_id.is_empty() {
        return Err(Fault::args("header must have operationID"));
    }
    if OPEN_PATHS.iter().any(|open| path.starts_with(open)) {
        return Ok(Caller { user_id: "".into(), is_admin: false, operation_id });
    }
    let token = header("token");
    if token.is_empty() {
        return Err(Fault::args("header must have token"));
    }
    let claims = app.jwt.read(token, app.environment.now_ms())?;
    app.world().check_token(&claims, token)?;
    Ok(Caller { is_admin: app.is_admin(&claims.user_id), user_id: claims.user_id.into(), operation_id })
}
