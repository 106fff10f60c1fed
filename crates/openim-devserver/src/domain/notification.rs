//! Notifications: messages that the server writes itself (http.md 2.10, gateway.md 11.14).

use std::collections::BTreeMap;

use openim_proto::constants::{content_type, msg_from, session};
use openim_proto::content::NotificationElem;
use openim_proto::options;
use openim_proto::sdkws::{MsgData, OfflinePushInfo};
use serde::Serialize;

use super::World;

/// How one kind of notification travels.
pub(super) struct Kind {
    content_type: i32,
    /// Stored with a seq in the `n_` stream; otherwise only online devices see it.
    reliable: bool,
    /// Comes as a chat message too.
    chat_copy: bool,
    /// Text of the vendor's push.
    title: &'static str,
}

/// 1300: settings of conversations changed.
pub(super) const CONVERSATION_CHANGED: Kind = Kind {
    content_type: content_type::CONVERSATION_CHANGED,
    reliable: false,
    chat_copy: false,
    title: "conversation changed",
};

/// 1303: a profile changed.
pub(super) const USER_INFO_UPDATED: Kind = Kind {
    content_type: content_type::USER_INFO_UPDATED,
    reliable: false,
    chat_copy: false,
    title: "userInfo updated",
};

/// 1701: burning after reading switched.
pub(super) const PRIVATE_CHAT_SET: Kind = Kind {
    content_type: content_type::PRIVATE_CHAT_SET,
    reliable: false,
    chat_copy: true,
    title: "burn after reading",
};

/// 2200 to the peer of a single chat.
pub(super) const READ_BY_PEER: Kind =
    Kind { content_type: content_type::READ_RECEIPT, reliable: true, chat_copy: false, title: "" };

/// 2200 to the reader's own devices.
pub(super) const READ_ELSEWHERE: Kind =
    Kind { content_type: content_type::READ_RECEIPT, reliable: false, chat_copy: false, title: "" };

impl World {
    /// Sends a notification of a user to a user, who may be himself.
    pub(super) fn notify(&mut self, kind: &Kind, from: &str, to: &str, tips: &impl Serialize, operation_id: &str) {
        let now = self.environment.now_ms();
        let detail = serde_json::to_string(tips).unwrap_or_default();
        let message = MsgData {
            send_id: from.into(),
            recv_id: to.into(),
            client_msg_id: self.environment.message_id(),
            server_msg_id: self.environment.message_id(),
            session_type: session::SINGLE,
            msg_from: msg_from::SYSTEM,
            content_type: kind.content_type,
            content: serde_json::to_vec(&NotificationElem { detail }).unwrap_or_default(),
            send_time: now,
            create_time: now,
            options: kind.options(),
            offline_push_info: Some(OfflinePushInfo {
                title: kind.title.into(),
                desc: kind.title.into(),
                ex: kind.title.into(),
                ..OfflinePushInfo::default()
            }),
            ..MsgData::default()
        };
        self.dispatch(message, operation_id, Vec::new());
    }
}

impl Kind {
    fn options(&self) -> BTreeMap<String, bool> {
        [
            (options::IS_NOT_NOTIFICATION, false),
            (options::IS_SEND_MSG, self.chat_copy),
            (options::HISTORY, self.reliable),
            (options::PERSISTENT, self.reliable),
            (options::OFFLINE_PUSH, false),
            (options::UNREAD_COUNT, self.chat_copy),
            (options::CONVERSATION_UPDATE, false),
            (options::SENDER_SYNC, true),
            (options::NOT_PRIVATE, false),
            (options::SENDER_CONVERSATION_UPDATE, false),
            (options::REACTION_FROM_CACHE, false),
        ]
        .into_iter()
        .map(|(key, on)| (key.to_owned(), on))
        .collect()
    }
}
