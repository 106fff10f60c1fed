//! Business notifications: the application's own data from its back-end to a user (http.md 2.7, gateway.md 11.14).

use openim_proto::constants::content_type;
use openim_proto::msg::SendMsgResp;
use serde::Serialize;

use super::notification::Kind;
use super::{Caller, Fault, World};

/// What a back-end wants delivered, and how.
#[derive(Debug)]
pub(crate) struct Business {
    /// In whose name.
    pub(crate) send_user_id: String,
    /// To whom; this or the group.
    pub(crate) recv_user_id: String,
    /// To which group.
    pub(crate) recv_group_id: String,
    /// What it is about, in the application's words.
    pub(crate) key: String,
    /// The application's data.
    pub(crate) data: String,
    /// It comes as a chat message too.
    pub(crate) chat_copy: bool,
    /// It is stored with a seq; otherwise only online devices see it.
    pub(crate) reliable: bool,
}

/// Body of a 2001.
#[derive(Serialize)]
struct BusinessTips {
    key: String,
    data: String,
}

impl World {
    /// Sends a business notification. Like every notification it asks nothing of the receiver (http.md 8.6).
    pub(crate) fn send_business_notification(
        &mut self,
        caller: &Caller,
        business: Business,
    ) -> Result<SendMsgResp, Fault> {
        match (business.recv_user_id.is_empty(), business.recv_group_id.is_empty()) {
            (false, false) => return Err(Fault::args("recvUserID and recvGroupID cannot be set at the same time")),
            (true, true) => return Err(Fault::args("recvUserID and recvGroupID are empty")),
            // there are no groups yet, so none is found
            (true, false) => return Err(Fault::not_found("group not found")),
            (false, true) => {}
        }
        let Business { send_user_id, recv_user_id, key, data, chat_copy, reliable, .. } = business;
        let kind = Kind { reliable, chat_copy, ..Kind::pushed(content_type::BUSINESS_NOTIFICATION, "") };
        let mut message = self.notification(&kind, &send_user_id, &recv_user_id, &BusinessTips { key, data });
        // unlike the configured kinds it has no text for a vendor's push
        message.offline_push_info = None;
        let response = SendMsgResp {
            server_msg_id: message.server_msg_id.clone(),
            client_msg_id: message.client_msg_id.clone(),
            send_time: message.send_time,
            modify: None,
        };
        self.dispatch(message, &caller.operation_id, Vec::new());
        Ok(response)
    }
}
