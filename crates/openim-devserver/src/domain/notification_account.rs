//! Notification accounts: service accounts that send OA notifications and cannot log in (http.md 2.3).

use openim_proto::sdkws::UserInfo;

use super::token::SERVICE_ACCOUNT;
use super::user::check_user_id;
use super::{Caller, Fault, ProfileChange, World};

/// How many generated ids there can be.
const IDS: u64 = 10_000_000_000;

/// A notification account, or what one is to become.
#[derive(Debug, Clone)]
pub(crate) struct NotificationAccount {
    /// Id; empty asks for a generated one.
    pub(crate) user_id: String,
    /// Name.
    pub(crate) nickname: String,
    /// Avatar URL.
    pub(crate) face_url: String,
    /// 3 notification account, 4 robot.
    pub(crate) app_manger_level: i32,
}

impl World {
    /// Creates an account; gives it back with its id.
    pub(crate) fn add_notification_account(
        &mut self,
        mut account: NotificationAccount,
    ) -> Result<NotificationAccount, Fault> {
        if account.nickname.is_empty() {
            return Err(Fault::args("nickName is empty"));
        }
        if account.app_manger_level < SERVICE_ACCOUNT {
            return Err(Fault::args("app level is error"));
        }
        if account.user_id.is_empty() {
            account.user_id = self.free_account_id();
        }
        check_user_id(&account.user_id)?;
        if self.is_registered(&account.user_id) {
            return Err(Fault::args("user is registered already"));
        }
        self.insert_user(UserInfo {
            user_id: account.user_id.clone(),
            nickname: account.nickname.clone(),
            face_url: account.face_url.clone(),
            app_manger_level: account.app_manger_level,
            create_time: self.environment.now_ms(),
            ..UserInfo::default()
        });
        Ok(account)
    }

    /// Changes name and avatar; an empty text leaves one alone.
    pub(crate) fn update_notification_account(
        &mut self,
        caller: &Caller,
        user_id: &str,
        nickname: String,
        face_url: String,
    ) -> Result<(), Fault> {
        let account = self.user_info(user_id).filter(|info| info.app_manger_level >= SERVICE_ACCOUNT);
        account.ok_or_else(|| Fault::not_found("notification account not found"))?;
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        let change = ProfileChange { nickname: given(nickname), face_url: given(face_url), ..ProfileChange::default() };
        self.update_user(caller, user_id, change)
    }

    /// Accounts in order of creation whose id or name contains the keyword; `level` 0 is any.
    pub(crate) fn find_notification_accounts(&self, keyword: &str, level: i32) -> Vec<NotificationAccount> {
        self.profiles()
            .filter(|info| info.app_manger_level >= SERVICE_ACCOUNT)
            .filter(|info| level == 0 || info.app_manger_level == level)
            .filter(|info| info.user_id.contains(keyword) || info.nickname.contains(keyword))
            .map(|info| NotificationAccount {
                user_id: info.user_id.clone(),
                nickname: info.nickname.clone(),
                face_url: info.face_url.clone(),
                app_manger_level: info.app_manger_level,
            })
            .collect()
    }

    /// Ten decimal digits that nobody has.
    fn free_account_id(&self) -> String {
        let mut number = u64::from_le_bytes(self.environment.random()) % IDS;
        loop {
            let user_id = format!("{number:010}");
            if !self.is_registered(&user_id) {
                return user_id;
            }
            number = (number + 1) % IDS;
        }
    }
}
