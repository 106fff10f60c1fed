//! Push tokens and badges (http.md 2.8).

use axum::Router;
use serde::Deserialize;

use super::answer::Answer;
use super::{App, Reply, call};
use crate::domain::{Caller, Domain, Fault};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/third/fcm_update_token", call(fcm_update_token))
        .route("/third/set_app_badge", call(set_app_badge))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PushToken {
    #[serde(rename = "platformID")]
    platform_id: i32,
    fcm_token: String,
    account: String,
    expire_time: i64,
}

fn fcm_update_token(app: &Domain, _: &Caller, request: PushToken) -> Reply {
    let PushToken { platform_id, fcm_token, account, expire_time } = request;
    if !(1..=11).contains(&platform_id) {
        return Err(Fault::args("platformID is invalid"));
    }
    if account.is_empty() {
        return Err(Fault::args("account is empty"));
    }
    app.world().set_push_token(account, platform_id, fcm_token, expire_time);
    Ok(Answer::Empty)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Badge {
    #[serde(rename = "userID")]
    user_id: String,
}

/// There is no vendor push whose badge could change.
fn set_app_badge(_: &Domain, caller: &Caller, request: Badge) -> Reply {
    if request.user_id.is_empty() {
        return Err(Fault::args("userID is empty"));
    }
    caller.must_be(&request.user_id)?;
    Ok(Answer::Empty)
}
