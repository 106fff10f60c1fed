//! Read receipts.

use serde::{Deserialize, Serialize};

/// A peer has read messages of the logged-in user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(rename = "ReceiptInfo"))]
#[serde(default)]
pub struct Receipt {
    /// Group id; empty in single chats.
    #[serde(rename = "groupID")]
    pub group_id: String,
    /// Who read.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// `clientMsgID`s of the messages read.
    #[serde(rename = "msgIDList")]
    pub msg_id_list: Vec<String>,
    /// When they were read, ms.
    #[serde(rename = "readTime")]
    pub read_time: i64,
    /// 100 user, 200 system.
    #[serde(rename = "msgFrom")]
    pub msg_from: i32,
    /// Content type of the notification that told it.
    #[serde(rename = "contentType")]
    pub content_type: i32,
    /// 1 single chat.
    #[serde(rename = "sessionType")]
    pub session_type: i32,
}
