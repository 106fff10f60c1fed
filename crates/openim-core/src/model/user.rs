//! Profiles.

use serde::{Deserialize, Serialize};

/// The logged-in user's own profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(rename = "SelfUserInfo"))]
#[serde(default)]
pub struct SelfUserInfo {
    /// User id.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// Display name.
    pub nickname: String,
    /// Avatar URL.
    #[serde(rename = "faceURL")]
    pub face_url: String,
    /// The application's own data.
    pub ex: String,
    /// When the account was made, ms.
    #[serde(rename = "createTime")]
    pub create_time: i64,
    /// 0 receive, 1 do not receive, 2 receive without offline push.
    #[serde(rename = "globalRecvMsgOpt")]
    pub global_recv_msg_opt: i32,
}

/// Another user's profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(rename = "PublicUserItem"))]
#[serde(default)]
pub struct PublicUserInfo {
    /// User id.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// Display name.
    pub nickname: String,
    /// Avatar URL.
    #[serde(rename = "faceURL")]
    pub face_url: String,
    /// The application's own data.
    pub ex: String,
    /// When the account was made, ms.
    #[serde(rename = "createTime")]
    pub create_time: i64,
}

/// Whether a user is online, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(rename = "UserOnlineState"))]
#[serde(default)]
pub struct UserOnlineState {
    /// User id.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// 1 online, 0 offline.
    pub status: i32,
    /// Platforms on which the user is online, ascending.
    #[serde(rename = "platformIDs")]
    pub platform_ids: Vec<i32>,
}
