//! Conversations.

use serde::{Deserialize, Serialize};

use super::Message;

/// A row of the conversation list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(rename = "ConversationItem"))]
#[serde(rename_all = "camelCase", default)]
pub struct Conversation {
    /// `si_…` single, `sg_…` group, `sn_…` notification account.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// 1 single, 3 group, 4 notification.
    pub conversation_type: i32,
    /// Peer; empty for groups.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// Group; empty otherwise.
    #[serde(rename = "groupID")]
    pub group_id: String,
    /// Name to show: the peer's or the group's; the id until a name is known.
    pub show_name: String,
    /// Avatar URL to show.
    #[serde(rename = "faceURL")]
    pub face_url: String,
    /// 0 receive, 1 do not receive, 2 receive without offline push and without counting in the total.
    pub recv_msg_opt: i32,
    /// Messages not read yet.
    pub unread_count: i64,
    /// 0 none, 1 me, 2 all, 3 both, 4 announcement.
    pub group_at_type: i32,
    /// Newest visible message, or null.
    #[cfg_attr(feature = "types", ts(type = "MessageItem | null"))]
    pub latest_msg: Option<Box<Message>>,
    /// Its time, ms; 0 if there is none.
    pub latest_msg_send_time: i64,
    /// Draft; on this device only.
    pub draft_text: String,
    /// When the draft was written, ms; 0 if there is none.
    pub draft_text_time: i64,
    /// Pinned to the top.
    pub is_pinned: bool,
    /// Burn after reading is on.
    pub is_private_chat: bool,
    /// Burn after reading: seconds after reading.
    pub burn_duration: i32,
    /// The user is no longer in the group.
    pub is_not_in_group: bool,
    /// Periodic deletion is on.
    pub is_msg_destruct: bool,
    /// Periodic deletion: age in seconds.
    pub msg_destruct_time: i64,
    /// The user's ceiling; 0 = none. Set when the user left the group.
    pub max_seq: i64,
    /// The user's floor; 0 = none.
    pub min_seq: i64,
    /// The user's read cursor.
    pub has_read_seq: i64,
    /// Opaque, synced.
    pub attached_info: String,
    /// The application's own data, synced.
    pub ex: String,
}

impl Conversation {
    /// Estimate of the memory it holds.
    pub fn bytes(&self) -> usize {
        600 + self.ex.len() + self.draft_text.len() + self.latest_msg.as_deref().map_or(0, Message::bytes)
    }
}
