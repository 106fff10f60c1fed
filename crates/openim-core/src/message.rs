//! Messages: making them, and checking what is to be sent.

use std::collections::BTreeMap;

use openim_proto::constants::{content_type, msg_from, operation, session, status};
use openim_proto::content::TextElem;
use openim_proto::sdkws::{MsgData, OfflinePushInfo};
use openim_proto::{ids, options};
use serde::Deserialize;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::model::{Body, Message, OfflinePush};
use crate::session::Session;

/// Servers close on frames above 51,200 bytes (gateway.md 2.5); this leaves room for what proxies add.
const MAX_FRAME_BYTES: usize = 45 << 10;
/// Below this size of the payload no encoding of it comes near the limit.
const SURELY_SMALL_BYTES: usize = 30 << 10;
/// Parameters of `sendMessage`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendMessageParams {
    /// Receiver of a single chat; empty for a group.
    #[serde(rename = "recvID", default)]
    pub recv_id: String,
    /// Group; empty for a single chat.
    #[serde(rename = "groupID", default)]
    pub group_id: String,
    /// What a create function made.
    pub message: Message,
    /// Text of the vendor push.
    #[serde(default)]
    pub offline_push_info: Option<OfflinePush>,
    /// Reaches only connected devices and is stored nowhere.
    #[serde(default)]
    pub is_online_only: bool,
}

impl Client {
    /// Makes a text message (101). Nothing is stored or sent.
    pub fn create_text_message(&self, text: String) -> Result<Message> {
        self.create(content_type::TEXT, Body::TextElem(TextElem { content: text }))
    }

    /// The fields that every create function sets (client-behaviour.md 2.1).
    fn create(&self, content_type: i32, body: Body) -> Result<Message> {
        let profile = self.session()?.profile();
        let now = self.clock().now();
        Ok(Message {
            client_msg_id: self.clock().id(),
            create_time: now,
            send_time: now,
            send_id: profile.user_id,
            msg_from: msg_from::USER,
            content_type,
            sender_platform_id: self.config().platform_id,
            sender_nickname: profile.nickname,
            sender_face_url: profile.face_url,
            status: status::SENDING,
            body,
            ..Message::default()
        })
    }
}

/// A checked message on its way.
pub(crate) struct Outgoing {
    pub(crate) conversation_id: String,
    pub(crate) wire: MsgData,
    pub(crate) online_only: bool,
}

impl Outgoing {
    pub(crate) fn new(session: &Session, params: SendMessageParams) -> Result<Self> {
        let SendMessageParams { recv_id, group_id, message, offline_push_info, is_online_only } = params;
        let (session_type, source) = match (recv_id.as_str(), group_id.as_str()) {
            ("", "") => return Err(Error::args("recvID", "or groupID must not be empty")),
            (peer, "") => (session::SINGLE, peer),
            ("", group) => (session::GROUP, group),
            _ => return Err(Error::args("recvID", "and groupID must not both be set")),
        };
        if message.client_msg_id.is_empty() || message.client_msg_id.len() > 64 {
            return Err(Error::args("message.clientMsgID", "must have 1 to 64 characters"));
        }
        if !is_sendable(message.content_type) {
            return Err(Error::ContentType(message.content_type));
        }
        let content = message.body.to_content();
        if Body::from_content(message.content_type, content.clone()) != message.body {
            return Err(Error::args("message", format!("lacks the element of content type {}", message.content_type)));
        }
        let conversation_id = ids::chat(session_type, &session.user_id, source)
            .ok_or_else(|| Error::Internal("no conversation for a session type".to_owned()))?;
        let at_user_id_list = match &message.body {
            Body::AtTextElem(elem) => elem.at_user_list.clone(),
            _ => Vec::new(),
        };
        let wire = MsgData {
            send_id: session.user_id.clone(),
            recv_id,
            group_id,
            client_msg_id: message.client_msg_id,
            sender_platform_id: session.config.platform_id,
            sender_nickname: message.sender_nickname,
            sender_face_url: message.sender_face_url,
            session_type,
            msg_from: msg_from::USER,
            content_type: message.content_type,
            content: content.into_bytes(),
            create_time: message.create_time,
            status: status::SENDING,
            options: if is_online_only { options::online_only() } else { BTreeMap::new() },
            offline_push_info: offline_push_info.or(message.offline_push.map(|push| *push)).map(|push| {
                OfflinePushInfo {
                    title: push.title,
                    desc: push.desc,
                    ex: push.ex,
                    i_os_push_sound: push.ios_push_sound,
                    i_os_badge_count: push.ios_badge_count,
                    signal_info: String::new(),
                }
            }),
            at_user_id_list,
            attached_info: message.attached_info,
            ex: message.ex,
            ..MsgData::default()
        };
        Ok(Self { conversation_id, wire, online_only: is_online_only })
    }
}

/// Media (102 to 105) are sent once uploads exist; the rest of the numbers is for the server alone.
fn is_sendable(number: i32) -> bool {
    matches!(
        number,
        content_type::TEXT
            | content_type::AT_TEXT
            | content_type::MERGER
            | content_type::CARD
            | content_type::LOCATION
            | content_type::CUSTOM
            | content_type::QUOTE
            | content_type::FACE
            | content_type::ADVANCED_TEXT
    )
}

pub(crate) fn check_size(session: &Session, payload: &[u8]) -> Result<()> {
    if payload.len() < SURELY_SMALL_BYTES {
        return Ok(());
    }
    let bytes = session.socket.frame_size(operation::SEND_MSG, payload.to_vec());
    if bytes > MAX_FRAME_BYTES {
        return Err(Error::MessageTooLarge { bytes, limit: MAX_FRAME_BYTES });
    }
    Ok(())
}
