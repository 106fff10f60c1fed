//! The options map of a message (gateway.md 6.1): **an absent key means on**, only an explicit `false` switches off.

use std::collections::BTreeMap;

/// Off: not stored, no seq, online delivery only.
pub const HISTORY: &str = "history";
/// Off: not kept for the archive; set together with [`HISTORY`].
pub const PERSISTENT: &str = "persistent";
/// Off: no vendor push.
pub const OFFLINE_PUSH: &str = "offlinePush";
/// Off: does not count as unread.
pub const UNREAD_COUNT: &str = "unreadCount";
/// Off: neither changes the conversation's latest message nor raises a new-message event.
pub const CONVERSATION_UPDATE: &str = "conversationUpdate";
/// Off: the sender's own connections get no copy.
pub const SENDER_SYNC: &str = "senderSync";
/// Off: burn after reading.
pub const NOT_PRIVATE: &str = "notPrivate";
/// Off: the sender's other devices do not update the conversation.
pub const SENDER_CONVERSATION_UPDATE: &str = "senderConversationUpdate";
/// Off: the message is a notification and lives in the `n_` stream.
pub const IS_NOT_NOTIFICATION: &str = "isNotNotification";
/// Off (on a notification): no chat copy.
pub const IS_SEND_MSG: &str = "isSendMsg";
/// Reserved.
pub const REACTION_FROM_CACHE: &str = "reactionFromCache";

/// The seven keys that an online-only message (typing, `isOnlineOnly`) switches off.
pub const ONLINE_ONLY: [&str; 7] =
    [HISTORY, PERSISTENT, SENDER_SYNC, CONVERSATION_UPDATE, SENDER_CONVERSATION_UPDATE, UNREAD_COUNT, OFFLINE_PUSH];

/// Whether the behaviour is on: true unless the key is there and false.
pub fn is_on(options: &BTreeMap<String, bool>, key: &str) -> bool {
    options.get(key).copied().unwrap_or(true)
}

/// The options of an online-only message.
pub fn online_only() -> BTreeMap<String, bool> {
    ONLINE_ONLY.iter().map(|key| ((*key).to_owned(), false)).collect()
}
