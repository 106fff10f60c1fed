//! Friends, applications, the black list.

use serde::{Deserialize, Serialize};

/// A friend, as his owner sees him.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(rename = "FriendUserItem"))]
#[serde(default, rename_all = "camelCase")]
pub struct Friend {
    /// Whose friend.
    #[serde(rename = "ownerUserID")]
    pub owner_user_id: String,
    /// The friend.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// Display name.
    pub nickname: String,
    /// Avatar URL.
    #[serde(rename = "faceURL")]
    pub face_url: String,
    /// The owner's own name for the friend; empty if he gave none.
    pub remark: String,
    /// Since when, ms.
    pub create_time: i64,
    /// 1 imported by an administrator, 2 applied.
    pub add_source: i32,
    /// Who made them friends.
    #[serde(rename = "operatorUserID")]
    pub operator_user_id: String,
    /// The application's own data of this friendship.
    pub ex: String,
    /// Kept for older servers; empty.
    pub attached_info: String,
    /// At the top of the list.
    pub is_pinned: bool,
}

impl Friend {
    /// Estimate of the bytes that it holds and will cross as.
    pub(crate) fn bytes(&self) -> usize {
        400 + self.nickname.len() + self.face_url.len() + self.remark.len() + self.ex.len()
    }
}

/// A friend that a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FoundFriend {
    /// The friend.
    #[serde(flatten)]
    pub friend: Friend,
    /// 1 friend, 0 on the black list as well.
    pub relationship: i32,
}

/// What `checkFriend` says of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(rename = "FriendshipInfo"))]
pub struct Friendship {
    /// User.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// 1 a friend and not on the black list, 0 otherwise.
    pub result: i32,
}

/// Somebody on the black list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(rename = "BlackUserItem"))]
#[serde(default, rename_all = "camelCase")]
pub struct Black {
    /// Whose list.
    #[serde(rename = "ownerUserID")]
    pub owner_user_id: String,
    /// Who is on it.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// Display name.
    pub nickname: String,
    /// Avatar URL.
    #[serde(rename = "faceURL")]
    pub face_url: String,
    /// Since when, ms.
    pub create_time: i64,
    /// How it came about; the server's number.
    pub add_source: i32,
    /// Who put him there.
    #[serde(rename = "operatorUserID")]
    pub operator_user_id: String,
    /// The application's own data of this entry.
    pub ex: String,
    /// Kept for older servers; empty.
    pub attached_info: String,
}

/// An application for friendship, received or sent. Between two users there is at most one in each direction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(rename = "FriendApplicationItem"))]
#[serde(default, rename_all = "camelCase")]
pub struct FriendApplication {
    /// Applicant.
    #[serde(rename = "fromUserID")]
    pub from_user_id: String,
    /// His name as the server gave it last.
    pub from_nickname: String,
    /// His avatar as the server gave it last.
    #[serde(rename = "fromFaceURL")]
    pub from_face_url: String,
    /// Who is asked.
    #[serde(rename = "toUserID")]
    pub to_user_id: String,
    /// His name as the server gave it last.
    pub to_nickname: String,
    /// His avatar as the server gave it last.
    #[serde(rename = "toFaceURL")]
    pub to_face_url: String,
    /// 0 pending, 1 accepted, -1 refused.
    pub handle_result: i32,
    /// What the applicant wrote.
    pub req_msg: String,
    /// When he applied, ms.
    pub create_time: i64,
    /// Who answered; the server leaves it empty after a refusal.
    #[serde(rename = "handlerUserID")]
    pub handler_user_id: String,
    /// What the answer says.
    pub handle_msg: String,
    /// When it was answered, ms; 0 while pending.
    pub handle_time: i64,
    /// The application's own data.
    pub ex: String,
    /// Kept for older servers; empty.
    pub attached_info: String,
}

impl FriendApplication {
    /// Estimate of the bytes that it holds and will cross as.
    pub(crate) fn bytes(&self) -> usize {
        600 + self.req_msg.len() + self.handle_msg.len() + self.ex.len()
    }
}
