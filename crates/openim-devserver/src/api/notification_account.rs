//! Notification accounts, for the administrator (http.md 2.3).

use axum::Router;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::page::{self, Pagination, null_if_empty};
use super::{App, Reply, call};
use crate::domain::{Caller, Domain, NotificationAccount};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/user/add_notification_account", call(add_notification_account))
        .route("/user/update_notification_account", call(update_notification_account))
        .route("/user/search_notification_account", call(search_notification_account))
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Account {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "faceURL")]
    face_url: String,
    #[serde(rename = "nickName")]
    nickname: String,
    #[serde(rename = "appMangerLevel")]
    app_manger_level: i32,
}

impl From<Account> for NotificationAccount {
    fn from(account: Account) -> Self {
        let Account { user_id, face_url, nickname, app_manger_level } = account;
        Self { user_id, nickname, face_url, app_manger_level }
    }
}

impl From<NotificationAccount> for Account {
    fn from(account: NotificationAccount) -> Self {
        let NotificationAccount { user_id, nickname, face_url, app_manger_level } = account;
        Self { user_id, face_url, nickname, app_manger_level }
    }
}

fn add_notification_account(app: &Domain, caller: &Caller, request: Account) -> Reply {
    caller.must_be_admin()?;
    let account = app.world().add_notification_account(request.into())?;
    Answer::of(&Account::from(account))
}

fn update_notification_account(app: &Domain, caller: &Caller, request: Account) -> Reply {
    caller.must_be_admin()?;
    app.world().update_notification_account(caller, &request.user_id, request.nickname, request.face_url)?;
    Ok(Answer::Empty)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Search {
    keyword: String,
    app_manager_level: i32,
    pagination: Option<Pagination>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Accounts {
    total: usize,
    notification_accounts: Option<Vec<Account>>,
}

fn search_notification_account(app: &Domain, caller: &Caller, request: Search) -> Reply {
    caller.must_be_admin()?;
    let page = page::check(request.pagination)?;
    let found = app.world().find_notification_accounts(&request.keyword, request.app_manager_level);
    let total = found.len();
    let accounts = page.of(found).into_iter().map(Account::from).collect();
    Answer::of(&Accounts { total, notification_accounts: null_if_empty(accounts) })
}
