//! Messages: making, sending.

use std::collections::BTreeMap;

use openim_proto::constants::{content_type, msg_from, operation, session, status};
use openim_proto::content::TextElem;
use openim_proto::msg::SendMsgResp;
use openim_proto::sdkws::{MsgData, OfflinePushInfo};
use openim_proto::{Message as _, ids, options};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::model::{Body, Message, OfflinePush};
use crate::outbox::{Entry, Outbox, Settled, Turn};
use crate::session::Session;
use crate::store::messages::MessageRow;
use crate::store::outbox::OutboxRow;
use crate::store::{conversations, messages, outbox, users};
use crate::sync::changes::Changes;
use crate::sync::inbound::message_row;
use crate::user;

/// Servers close on frames above 51,200 bytes (gateway.md 2.5); this leaves room for what proxies add.
const MAX_FRAME_BYTES: usize = 45 << 10;
/// Below this size of the payload no encoding of it comes near the limit.
const SURELY_SMALL_BYTES: usize = 30 << 10;
/// How long a first message to somebody waits for the name of the new conversation.
const PROFILE_PATIENCE: Duration = Duration::from_secs(2);

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

    /// Sends a message. It is stored first; the promise settles with the server's answer. Without one within
    /// `sendTimeout` it fails with [`Error::SendPending`] and goes on by itself (R5). The place in the conversation's
    /// order is taken by the call itself, not by the first poll of the future.
    pub fn send_message(
        &self,
        params: SendMessageParams,
    ) -> impl Future<Output = Result<Done<Message>>> + Send + use<> {
        let session = self.session().map(|session| {
            let turn = session.outbox.turn(&params.recv_id, &params.group_id);
            (session, turn)
        });
        async move {
            let (session, turn) = session?;
            send(&session, turn, params).await
        }
    }
}

async fn send(session: &Arc<Session>, mut turn: Turn, params: SendMessageParams) -> Result<Done<Message>> {
    let outgoing = Outgoing::new(session, params)?;
    let payload = outgoing.wire.encode_to_vec();
    check_size(session, &payload)?;
    if outgoing.online_only {
        return send_online_only(session, outgoing, payload).await;
    }
    turn.come().await;
    user::expect_peer(session, &outgoing.wire.recv_id, PROFILE_PATIENCE).await;
    let client_msg_id = outgoing.wire.client_msg_id.clone();
    // with a connection the request leaves right after the commit: the attempt is stored with the message
    let attempt = i64::from(session.socket.is_connected());
    let created_at = session.clock.now();
    let stored_payload = payload.clone();
    let stored =
        session.commit(move |changes| store(changes, &outgoing, attempt, created_at, &stored_payload)).await?.value;
    let settled = session.outbox.waiters().wait(stored.message);
    let forget = Forget { session, message: stored.message };
    let entry = Entry { message: stored.message, payload: (attempt > 0).then_some(payload), may_have_left: false };
    Outbox::queue(session, stored.conversation, entry);
    drop(turn);
    let outcome = tokio::time::timeout(session.config.send_timeout(), settled).await;
    drop(forget);
    match outcome {
        Err(_) => Err(Error::SendPending { client_msg_id }),
        // the session ended: the message stays queued for the next one
        Ok(Err(_)) => Err(Error::SendPending { client_msg_id }),
        Ok(Ok(Settled::Accepted(done))) => Ok(*done),
        Ok(Ok(Settled::Failed(error))) => Err(error),
        Ok(Ok(Settled::Arrived(event))) => {
            let me = session.user_id.clone();
            let message = stored.message;
            let value = session
                .read(move |connection| {
                    let row = messages::get(connection, message)?
                        .ok_or(Error::NotFound { what: "message", id: client_msg_id })?;
                    let read_seq = conversations::get(connection, row.conversation)?.has_read_seq;
                    Ok(row.into_api(read_seq, &me))
                })
                .await?;
            Ok(Done { value, event })
        }
    }
}

/// A call that goes away no longer waits: the outcome is told by an event then.
struct Forget<'a> {
    session: &'a Arc<Session>,
    message: i64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.session.outbox.waiters().forget(self.message);
    }
}

/// A checked message on its way.
struct Outgoing {
    conversation_id: String,
    wire: MsgData,
    online_only: bool,
}

impl Outgoing {
    fn new(session: &Session, params: SendMessageParams) -> Result<Self> {
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
        if Body::from_content(message.content_type, &content) != message.body {
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
            offline_push_info: offline_push_info.or(message.offline_push).map(|push| OfflinePushInfo {
                title: push.title,
                desc: push.desc,
                ex: push.ex,
                i_os_push_sound: push.ios_push_sound,
                i_os_badge_count: push.ios_badge_count,
                signal_info: String::new(),
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

fn check_size(session: &Session, payload: &[u8]) -> Result<()> {
    if payload.len() < SURELY_SMALL_BYTES {
        return Ok(());
    }
    let bytes = session.socket.frame_size(operation::SEND_MSG, payload.to_vec());
    if bytes > MAX_FRAME_BYTES {
        return Err(Error::MessageTooLarge { bytes, limit: MAX_FRAME_BYTES });
    }
    Ok(())
}

async fn send_online_only(session: &Arc<Session>, outgoing: Outgoing, payload: Vec<u8>) -> Result<Done<Message>> {
    let answer = session.request(operation::SEND_MSG, payload).await?;
    let answer = SendMsgResp::decode(answer.as_slice())
        .map_err(|error| Error::Protocol(format!("unreadable answer to a send: {error}")))?;
    let mut message = message_row(0, outgoing.wire, &session.user_id).into_api(0, &session.user_id);
    message.server_msg_id = answer.server_msg_id;
    message.send_time = answer.send_time;
    Ok(Done::quietly(message))
}

struct Stored {
    message: i64,
    conversation: i64,
}

/// Row with status 1, outbox entry and conversation in one transaction.
fn store(
    changes: &mut Changes<'_>,
    outgoing: &Outgoing,
    attempt: i64,
    created_at: i64,
    payload: &[u8],
) -> Result<Stored> {
    let wire = &outgoing.wire;
    let before = match conversations::find(changes.connection, &outgoing.conversation_id)? {
        Some(row) => row,
        None => conversations::create(
            changes.connection,
            &outgoing.conversation_id,
            wire.session_type,
            &wire.recv_id,
            &wire.group_id,
        )?,
    };
    if before.hidden && users::get(changes.connection, &wire.recv_id)?.is_none_or(|user| user.fetched_at == 0) {
        changes.follow_up.profiles = true;
    }
    let position = before.local_max_seq.max(before.server_max_seq);
    let row = MessageRow {
        position,
        place: messages::next_place(changes.connection)?,
        status: status::SENDING,
        send_time: wire.create_time,
        ..message_row(before.id, wire.clone(), changes.me)
    };
    let message = match messages::find(changes.connection, before.id, &wire.client_msg_id)? {
        None => messages::insert(changes.connection, &row)?
            .ok_or_else(|| Error::Internal("the place of a new message is taken".to_owned()))?,
        Some(known) if known.status == status::FAILED => {
            messages::revive(changes.connection, known.id, &row)?;
            known.id
        }
        Some(_) => return Err(Error::MessageRepeated { client_msg_id: wire.client_msg_id.clone() }),
    };
    let entry = OutboxRow { message, conversation: before.id, attempt };
    outbox::insert(changes.connection, entry, created_at, payload)?;
    changes.settle(&before, before.clone(), true)?;
    Ok(Stored { message, conversation: before.id })
}
