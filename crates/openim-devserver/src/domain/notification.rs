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
    pub(super) content_type: i32,
    /// Stored with a seq in the `n_` stream; otherwise only online devices see it.
    pub(super) reliable: bool,
    /// Comes as a chat message too.
    pub(super) chat_copy: bool,
    /// Devices that are offline get a vendor's push.
    pub(super) offline_push: bool,
    /// Text of the vendor's push.
    pub(super) title: &'static str,
}

impl Kind {
    /// Seen by online devices only.
    pub(super) const fn pushed(content_type: i32, title: &'static str) -> Self {
        Self { content_type, reliable: false, chat_copy: false, offline_push: false, title }
    }

    /// The same, as a chat message too.
    pub(super) const fn with_chat_copy(self) -> Self {
        Self { chat_copy: true, ..self }
    }

    /// The same, with a vendor's push to devices that are offline.
    pub(super) const fn with_offline_push(self) -> Self {
        Self { offline_push: true, ..self }
    }

    /// The same, stored with a seq.
    pub(super) const fn stored(self) -> Self {
        Self { reliable: true, ..self }
    }
}

/// 1300: settings of conversations changed.
pub(super) const CONVERSATION_CHANGED: Kind = Kind::pushed(content_type::CONVERSATION_CHANGED, "conversation changed");

/// 1303: a profile changed.
pub(super) const USER_INFO_UPDATED: Kind = Kind::pushed(content_type::USER_INFO_UPDATED, "userInfo updated");

/// 1701: burning after reading switched.
pub(super) const PRIVATE_CHAT_SET: Kind =
    Kind::pushed(content_type::PRIVATE_CHAT_SET, "burn after reading").with_chat_copy();

/// 2200 to the peer of a single chat.
pub(super) const READ_BY_PEER: Kind = Kind::pushed(content_type::READ_RECEIPT, "").stored();

/// 2200 to the reader's own devices.
pub(super) const READ_ELSEWHERE: Kind = Kind::pushed(content_type::READ_RECEIPT, "");

impl World {
    /// Sends a notification of a user to a user, who may be himself.
    pub(super) fn notify(&mut self, kind: &Kind, from: &str, to: &str, tips: &impl Serialize, operation_id: &str) {
        let message = self.notification(kind, from, to, tips);
        self.dispatch(message, operation_id, Vec::new());
    }

    /// The message of such a notification.
    pub(super) fn notification(&self, kind: &Kind, from: &str, to: &str, tips: &impl Serialize) -> MsgData {
        let now = self.environment.now_ms();
        let detail = serde_json::to_string(tips).unwrap_or_default();
        MsgData {
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
        }
    }
}

impl Kind {
    fn options(&self) -> BTreeMap<String, bool> {
        [
            (options::IS_NOT_NOTIFICATION, false),
            (options::IS_SEND_MSG, self.chat_copy),
            (options::HISTORY, self.reliable),
            (options::PERSISTENT, self.reliable),
            (options::OFFLINE_PUSH, self.offline_push),
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
