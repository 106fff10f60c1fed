//! Users (http.md 2.3).

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use openim_proto::sdkws::UserInfo;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::page::{self, Pagination, null_if_empty};
use super::{App, Reply, call};
use crate::domain::{Caller, Domain, Fault, ProfileChange};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/user/user_register", call(user_register))
        .route("/user/get_users_info", call(get_users_info))
        .route("/user/update_user_info", call(update_user_info))
        .route("/user/update_user_info_ex", call(update_user_info_ex))
        .route("/user/set_global_msg_recv_opt", call(set_global_msg_recv_opt))
        .route("/user/get_all_users_uid", call(get_all_users_uid))
        .route("/user/get_users", call(get_users))
        .route("/user/account_check", call(account_check))
        .route("/user/get_user_client_config", call(get_user_client_config))
        .route("/user/set_user_client_config", call(set_user_client_config))
        .route("/user/del_user_client_config", call(del_user_client_config))
        .route("/user/page_user_client_config", call(page_user_client_config))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Registration {
    users: Option<Vec<UserInfo>>,
}

fn user_register(app: &Domain, caller: &Caller, request: Registration) -> Reply {
    let users = request.users.ok_or_else(|| Fault::args("users are empty"))?;
    caller.must_be_admin()?;
    if users.is_empty() {
        return Err(Fault::args("users is empty"));
    }
    app.world().register(users)?;
    Ok(Answer::Empty)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserIds {
    #[serde(rename = "userIDs")]
    user_ids: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsersInfo {
    users_info: Option<Vec<UserInfo>>,
}

fn get_users_info(app: &Domain, _: &Caller, request: UserIds) -> Reply {
    let user_ids = request.user_ids.ok_or_else(|| Fault::args("UserIDs is empty"))?;
    let world = app.world();
    let found = user_ids.iter().filter_map(|user_id| world.user_info(user_id).cloned()).collect();
    Answer::of(&UsersInfo { users_info: null_if_empty(found) })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProfileUpdate {
    user_info: Option<Profile>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Profile {
    #[serde(rename = "userID")]
    user_id: String,
    nickname: Option<String>,
    #[serde(rename = "faceURL")]
    face_url: Option<String>,
    ex: Option<String>,
    global_recv_msg_opt: Option<i32>,
}

fn update_user_info(app: &Domain, caller: &Caller, request: ProfileUpdate) -> Reply {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let user_info = request.user_info.map(|profile| Profile {
        nickname: given(profile.nickname),
        face_url: given(profile.face_url),
        ex: given(profile.ex),
        global_recv_msg_opt: profile.global_recv_msg_opt.filter(|option| *option != 0),
        ..profile
    });
    update_user_info_ex(app, caller, ProfileUpdate { user_info })
}

fn update_user_info_ex(app: &Domain, caller: &Caller, request: ProfileUpdate) -> Reply {
    let profile = request.user_info.ok_or_else(|| Fault::args("userInfo is empty"))?;
    if profile.user_id.is_empty() {
        return Err(Fault::args("userID is empty"));
    }
    caller.must_be(&profile.user_id)?;
    let Profile { user_id, nickname, face_url, ex, global_recv_msg_opt } = profile;
    let change = ProfileChange { nickname, face_url, ex, global_recv_msg_opt };
    app.world().update_user(caller, &user_id, change)?;
    Ok(Answer::Empty)
}

fn set_global_msg_recv_opt(app: &Domain, caller: &Caller, request: Profile) -> Reply {
    let option = request.global_recv_msg_opt.unwrap_or(0);
    if !(0..=2).contains(&option) {
        return Err(Fault::args("GlobalRecvMsgOpt is invalid"));
    }
    let change = ProfileChange { global_recv_msg_opt: Some(option), ..ProfileChange::default() };
    app.world().update_user(caller, &request.user_id, change)?;
    Ok(Answer::Empty)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Paged {
    pagination: Option<Pagination>,
}

#[derive(Serialize)]
struct AllUserIds {
    total: usize,
    #[serde(rename = "userIDs")]
    user_ids: Option<Vec<String>>,
}

fn get_all_users_uid(app: &Domain, _: &Caller, request: Paged) -> Reply {
    let page = page::check(request.pagination)?;
    let user_ids = app.world().user_ids();
    Answer::of(&AllUserIds { total: user_ids.len(), user_ids: null_if_empty(page.of(user_ids)) })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UserSearch {
    pagination: Option<Pagination>,
    #[serde(rename = "userID")]
    user_id: String,
    nick_name: String,
}

#[derive(Serialize)]
struct UserPage {
    total: usize,
    users: Option<Vec<UserInfo>>,
}

fn get_users(app: &Domain, _: &Caller, request: UserSearch) -> Reply {
    let page = page::check(request.pagination)?;
    let found = app.world().find_users(&request.user_id, &request.nick_name);
    Answer::of(&UserPage { total: found.len(), users: null_if_empty(page.of(found)) })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AccountCheck {
    #[serde(rename = "checkUserIDs")]
    check_user_ids: Vec<String>,
}

#[derive(Serialize)]
struct CheckedAccounts {
    results: Option<Vec<CheckedAccount>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckedAccount {
    #[serde(rename = "userID")]
    user_id: String,
    account_status: i32,
}

fn account_check(app: &Domain, caller: &Caller, request: AccountCheck) -> Reply {
    let unique: BTreeSet<&String> = request.check_user_ids.iter().collect();
    if unique.len() != request.check_user_ids.len() {
        return Err(Fault::args("userID repeated"));
    }
    caller.must_be_admin()?;
    let world = app.world();
    let checked = |user_id: String| CheckedAccount { account_status: world.is_registered(&user_id).into(), user_id };
    Answer::of(&CheckedAccounts { results: null_if_empty(request.check_user_ids.into_iter().map(checked).collect()) })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigChange {
    #[serde(rename = "userID")]
    user_id: String,
    configs: BTreeMap<String, String>,
    keys: Vec<String>,
    key: String,
    pagination: Option<Pagination>,
}

#[derive(Serialize)]
struct Configs {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    configs: BTreeMap<String, String>,
}

fn get_user_client_config(app: &Domain, caller: &Caller, request: ConfigChange) -> Reply {
    if !request.user_id.is_empty() {
        caller.must_be(&request.user_id)?;
    }
    Answer::of(&Configs { configs: app.world().client_config(&request.user_id)? })
}

fn set_user_client_config(app: &Domain, caller: &Caller, request: ConfigChange) -> Reply {
    caller.must_be_admin()?;
    app.world().set_client_config(&request.user_id, request.configs)?;
    Ok(Answer::Empty)
}

fn del_user_client_config(app: &Domain, caller: &Caller, request: ConfigChange) -> Reply {
    caller.must_be_admin()?;
    app.world().delete_client_config(&request.user_id, request.keys);
    Ok(Answer::Empty)
}

#[derive(Serialize)]
struct ConfigPage {
    total: usize,
    configs: Option<Vec<ConfigEntry>>,
}

#[derive(Serialize)]
struct ConfigEntry {
    key: String,
    #[serde(rename = "userID")]
    user_id: String,
    value: String,
}

fn page_user_client_config(app: &Domain, caller: &Caller, request: ConfigChange) -> Reply {
    caller.must_be_admin()?;
    let page = page::check(request.pagination)?;
    let found = app.world().find_client_configs(&request.user_id, &request.key);
    let total = found.len();
    let entry = |(user_id, key, value)| ConfigEntry { key, user_id, value };
    Answer::of(&ConfigPage { total, configs: null_if_empty(page.of(found).into_iter().map(entry).collect()) })
}
