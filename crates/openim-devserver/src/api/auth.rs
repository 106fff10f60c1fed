//! Tokens (http.md 5).

use axum::Router;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::{App, Reply, call};
use crate::domain::{Caller, Domain, Fault};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/auth/get_admin_token", call(get_admin_token))
        .route("/auth/get_user_token", call(get_user_token))
        .route("/auth/parse_token", call(parse_token))
        .route("/auth/force_logout", call(force_logout))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AdminLogin {
    secret: String,
    #[serde(rename = "userID")]
    user_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Login {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "platformID")]
    platform_id: i32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Token {
    token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Issued {
    token: String,
    expire_time_seconds: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Parsed {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "platformID")]
    platform_id: i32,
    expire_time_seconds: i64,
}

fn get_admin_token(app: &Domain, _: &Caller, request: AdminLogin) -> Reply {
    let token = app.world().issue_admin_token(&app.jwt, &request.secret, &request.user_id)?;
    Answer::of(&Issued { token, expire_time_seconds: app.jwt.lifetime })
}

fn get_user_token(app: &Domain, caller: &Caller, request: Login) -> Reply {
    caller.must_be_admin()?;
    let token = app.world().issue_user_token(&app.jwt, &request.user_id, request.platform_id)?;
    Answer::of(&Issued { token, expire_time_seconds: app.jwt.lifetime })
}

fn parse_token(app: &Domain, _: &Caller, request: Token) -> Reply {
    if request.token.is_empty() {
        return Err(Fault::args("userID is empty"));
    }
    let claims = app.jwt.read(&request.token, app.environment.now_ms())?;
    app.world().check_token(&claims, &request.token)?;
    let (user_id, platform_id) = (claims.user_id, claims.platform_id);
    Answer::of(&Parsed { user_id, platform_id, expire_time_seconds: claims.exp })
}

fn force_logout(app: &Domain, caller: &Caller, request: Login) -> Reply {
    caller.must_be_admin()?;
    if !(1..=11).contains(&request.platform_id) {
        return Err(Fault::args("platformID is invalid"));
    }
    app.world().force_logout(&request.user_id, request.platform_id);
    Ok(Answer::Empty)
}
