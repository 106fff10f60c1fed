//! Users and their profiles.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use openim_proto::error_code;
use openim_proto::sdkws::{UserInfo, UserInfoUpdatedTips};

use super::friend::Friends;
use super::multi_login::Tokens;
use super::notification::USER_INFO_UPDATED;
use super::{Caller, Fault, World};
use crate::store::{BlackRow, CommandRow, ConversationRow, UserRow, sql};

/// A time that was never set, as the protocol writes it: the year 1.
pub(crate) const NEVER: i64 = -62_135_596_800_000;

/// Level of the built-in administrator.
const APP_ADMIN: i32 = 2;

/// A user with what belongs to him.
pub(super) struct User {
    /// Shared spelling of the id.
    pub(super) id: Arc<str>,
    /// Place in the order of registration.
    pub(super) ordinal: i64,
    /// Profile.
    pub(super) info: UserInfo,
    /// Token and state per platform, oldest first.
    pub(super) tokens: Tokens,
    /// Conversation records by id.
    pub(super) conversations: BTreeMap<Arc<str>, ConversationRow>,
    /// Read cursors by conversation id.
    pub(super) cursors: HashMap<Arc<str>, i64>,
    /// Friends by id.
    pub(super) friends: Friends,
    /// Black list by id.
    pub(super) blacks: BTreeMap<String, BlackRow>,
    /// Records of the application by kind and name.
    pub(super) commands: BTreeMap<(i32, String), CommandRow>,
}

/// Which members of a profile to write; `None` leaves one alone.
#[derive(Debug, Default)]
pub(crate) struct ProfileChange {
    /// Name.
    pub(crate) nickname: Option<String>,
    /// Avatar URL.
    pub(crate) face_url: Option<String>,
    /// Opaque extension.
    pub(crate) ex: Option<String>,
    /// 0 receive, 1 do not receive, 2 receive without offline push.
    pub(crate) global_recv_msg_opt: Option<i32>,
}

impl ProfileChange {
    /// Writes the given members; tells whether name or avatar became different, which others see.
    fn apply(self, info: &mut UserInfo) -> bool {
        let before = (info.nickname.clone(), info.face_url.clone());
        info.nickname = self.nickname.unwrap_or_else(|| std::mem::take(&mut info.nickname));
        info.face_url = self.face_url.unwrap_or_else(|| std::mem::take(&mut info.face_url));
        info.ex = self.ex.unwrap_or_else(|| std::mem::take(&mut info.ex));
        info.global_recv_msg_opt = self.global_recv_msg_opt.unwrap_or(info.global_recv_msg_opt);
        (&info.nickname, &info.face_url) != (&before.0, &before.1)
    }
}

impl User {
    /// A user without anything.
    pub(super) fn new(ordinal: i64, info: UserInfo) -> Self {
        Self {
            id: info.user_id.as_str().into(),
            ordinal,
            info,
            tokens: Tokens::new(),
            conversations: BTreeMap::new(),
            cursors: HashMap::new(),
            friends: Friends::new(),
            blacks: BTreeMap::new(),
            commands: BTreeMap::new(),
        }
    }
}

impl World {
    /// Creates the administrator in a new database.
    pub(super) fn ensure_admin(&mut self) {
        let user_id = self.config.admin_user_id.clone();
        if !self.users.contains_key(user_id.as_str()) {
            self.insert_user(UserInfo {
                user_id,
                nickname: "superAdmin".into(),
                create_time: NEVER,
                app_manger_level: APP_ADMIN,
                ..UserInfo::default()
            });
        }
    }

    /// Registers users, all or none.
    pub(crate) fn register(&mut self, users: Vec<UserInfo>) -> Result<(), Fault> {
        let mut seen = BTreeSet::new();
        for user in &users {
            check_new_user(user)?;
            if !seen.insert(user.user_id.as_str()) {
                return Err(Fault::args("userID repeated"));
            }
        }
        if users.iter().any(|user| self.users.contains_key(user.user_id.as_str())) {
            return Err(Fault::new(error_code::REGISTERED_ALREADY, "userID registered already"));
        }
        let create_time = self.environment.now_ms();
        for user in users {
            self.insert_user(UserInfo { create_time, ..user });
        }
        Ok(())
    }

    /// Whether the user is registered.
    pub(crate) fn is_registered(&self, user_id: &str) -> bool {
        self.users.contains_key(user_id)
    }

    /// A profile.
    pub(crate) fn user_info(&self, user_id: &str) -> Option<&UserInfo> {
        self.users.get(user_id).map(|user| &user.info)
    }

    /// Every user id in order of registration.
    pub(crate) fn user_ids(&self) -> Vec<String> {
        self.profiles().map(|info| info.user_id.clone()).collect()
    }

    /// Profiles of ordinary users in order of registration whose id or name contains what is given; of two texts either
    /// is enough, none finds everybody.
    pub(crate) fn find_users(&self, user_id: &str, nickname: &str) -> Vec<UserInfo> {
        let everybody = user_id.is_empty() && nickname.is_empty();
        let contains = |text: &str, part: &str| !part.is_empty() && text.contains(part);
        self.profiles()
            .filter(|info| info.app_manger_level < APP_ADMIN)
            .filter(|info| everybody || contains(&info.user_id, user_id) || contains(&info.nickname, nickname))
            .cloned()
            .collect()
    }

    /// Every profile in order of registration.
    pub(super) fn profiles(&self) -> impl Iterator<Item = &UserInfo> {
        let mut users: Vec<&User> = self.users.values().collect();
        users.sort_by_key(|user| user.ordinal);
        users.into_iter().map(|user| &user.info)
    }

    /// Changes a profile and tells the user's devices (1303), and his friends if they see it (1209).
    pub(crate) fn update_user(&mut self, caller: &Caller, user_id: &str, change: ProfileChange) -> Result<(), Fault> {
        let user = self.users.get_mut(user_id).ok_or_else(|| Fault::not_found("user not found"))?;
        let is_seen = change.apply(&mut user.info);
        let row = UserRow { ordinal: user.ordinal, info: user.info.clone() };
        self.store.submit(move |batch| sql::write_user(batch.db()?, &row));
        let tips = UserInfoUpdatedTips { user_id: user_id.into() };
        self.notify(&USER_INFO_UPDATED, &caller.user_id, user_id, &tips, &caller.operation_id);
        if is_seen {
            self.tell_friends_of_profile(caller, user_id);
        }
        Ok(())
    }

    /// Remembers the vendor's push token of a device.
    pub(crate) fn set_push_token(&mut self, user_id: String, platform_id: i32, token: String, expire_time: i64) {
        self.store.submit(move |batch| sql::write_push_token(batch.db()?, &user_id, platform_id, &token, expire_time));
    }

    /// Forgets the vendor's push token of a device.
    pub(crate) fn forget_push_token(&mut self, user_id: String, platform_id: i32) {
        self.store.submit(move |batch| sql::delete_push_token(batch.db()?, &user_id, platform_id));
    }

    /// Adds a user whose id is free.
    pub(super) fn insert_user(&mut self, info: UserInfo) {
        let user = User::new(self.users.len() as i64 + 1, info);
        let row = UserRow { ordinal: user.ordinal, info: user.info.clone() };
        self.users.insert(user.id.clone(), user);
        self.store.submit(move |batch| sql::write_user(batch.db()?, &row));
    }
}

fn check_new_user(user: &UserInfo) -> Result<(), Fault> {
    if user.nickname.is_empty() {
        return Err(Fault::args("user name is empty"));
    }
    if user.user_id.is_empty() {
        return Err(Fault::args("userID is empty"));
    }
    check_user_id(&user.user_id)
}

/// Refuses letters that no user id has (http.md 5.3).
pub(super) fn check_user_id(user_id: &str) -> Result<(), Fault> {
    if !user_id.chars().all(|letter| letter.is_alphabetic() || letter.is_numeric() || letter == '_') {
        return Err(Fault::args("userID is legal"));
    }
    Ok(())
}
