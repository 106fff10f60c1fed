//! Who is online, and where (http.md 2.3). Subscriptions are an operation of the gateway.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use axum::Router;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::page::null_if_empty;
use super::{App, Reply, call};
use crate::domain::{Caller, Domain, Fault};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/user/get_users_online_status", call(get_users_online_status))
        .route("/user/get_users_online_token_detail", call(get_users_online_token_detail))
        .route("/user/get_users_status", call(get_users_status))
        .route("/user/subscribe_users_status", call(no_statuses))
        .route("/user/get_subscribe_users_status", call(no_statuses))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserIds {
    #[serde(rename = "userIDs")]
    user_ids: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OnlineStatus {
    #[serde(rename = "userID")]
    user_id: String,
    status: i32,
    detail_platform_status: Option<Vec<PlatformStatus>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlatformStatus {
    #[serde(rename = "platformID")]
    platform_id: i32,
    #[serde(rename = "connID")]
    conn_id: String,
    is_background: bool,
    token: String,
}

fn get_users_online_status(app: &Domain, caller: &Caller, request: UserIds) -> Reply {
    if !caller.is_admin {
        return Err(Fault::no_permission("only app manager"));
    }
    let world = app.world();
    let status = |user_id: String| {
        let devices = world.online.devices(&user_id).iter();
        let detail: Vec<PlatformStatus> = devices
            .map(|device| PlatformStatus {
                platform_id: device.handshake.platform_id,
                conn_id: device.handshake.operation_id.clone(),
                is_background: device.in_background.load(Ordering::Relaxed),
                token: device.handshake.token.clone(),
            })
            .collect();
        let status = i32::from(!detail.is_empty());
        OnlineStatus { user_id, status, detail_platform_status: null_if_empty(detail) }
    };
    let statuses = request.user_ids.into_iter().map(status).collect();
    Answer::of(&null_if_empty(statuses))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OnlineTokens {
    #[serde(rename = "userID")]
    user_id: String,
    status: i32,
    single_platform_token: Vec<PlatformTokens>,
}

#[derive(Serialize)]
struct PlatformTokens {
    #[serde(rename = "platformID")]
    platform_id: i32,
    total: usize,
    token: Vec<String>,
}

/// Whoever is no administrator is not refused, and sees nobody.
fn get_users_online_token_detail(app: &Domain, caller: &Caller, request: UserIds) -> Reply {
    let world = app.world();
    let detail = |user_id: String| {
        let mut tokens: BTreeMap<i32, Vec<String>> = BTreeMap::new();
        for device in world.online.devices(&user_id) {
            tokens.entry(device.handshake.platform_id).or_default().push(device.handshake.token.clone());
        }
        let of = |(platform_id, token): (i32, Vec<String>)| PlatformTokens { platform_id, total: token.len(), token };
        let single_platform_token: Vec<_> = tokens.into_iter().map(of).collect();
        (!single_platform_token.is_empty()).then_some(OnlineTokens { user_id, status: 1, single_platform_token })
    };
    let user_ids = request.user_ids.into_iter().filter(|_| caller.is_admin);
    Answer::of(&null_if_empty(user_ids.filter_map(detail).collect()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statuses {
    status_list: Option<Vec<Status>>,
}

#[derive(Serialize)]
struct Status {
    #[serde(rename = "userID")]
    user_id: String,
    status: i32,
    #[serde(rename = "platformIDs")]
    platform_ids: Option<Vec<i32>>,
}

fn get_users_status(app: &Domain, _: &Caller, request: UserIds) -> Reply {
    let world = app.world();
    let status = |user_id: String| {
        let platforms = world.online.platforms(&user_id);
        Status { user_id, status: i32::from(!platforms.is_empty()), platform_ids: null_if_empty(platforms) }
    };
    let statuses = request.user_ids.into_iter().map(status).collect();
    Answer::of(&Statuses { status_list: null_if_empty(statuses) })
}

/// Subscribing over HTTP does nothing in 3.8: the gateway has its own operation.
fn no_statuses(_: &Domain, _: &Caller, _: UserIds) -> Reply {
    Answer::of(&Statuses { status_list: None })
}
