//! The calls that send: a message is stored, queued, and waited for.

use std::sync::Arc;
use std::time::Duration;

use openim_proto::constants::{operation, status};
use openim_proto::msg::SendMsgResp;
use openim_proto::{Message as _, ids};
use serde::Deserialize;
use tokio::sync::oneshot;

use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::message::{Outgoing, SendMessageParams, check_size};
use crate::model::Message;
use crate::outbox::{Entry, Outbox, Settled, Settlement, Turn};
use crate::session::Session;
use crate::store::messages::MessageRow;
use crate::store::outbox::OutboxRow;
use crate::store::{conversations, messages, outbox, users};
use crate::sync::changes::Changes;
use crate::sync::inbound::message_row;
use crate::{transmit, user};

/// How long a first message to somebody waits for the name of the new conversation.
const PROFILE_PATIENCE: Duration = Duration::from_secs(2);

/// A message of a conversation.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageKey {
    /// Conversation.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// Message.
    #[serde(rename = "clientMsgID")]
    pub client_msg_id: String,
}

impl Client {
    /// Sends a message. It is stored first; the promise settles with the server's answer. Without one within
    /// `sendTimeout` it fails with [`Error::SendPending`] and goes on by itself (R5). A caller that drops the future
    /// before the request left takes the message back; afterwards only its waiting ends. The place in the conversation's
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

    /// Sends a failed message again, under its id and with what it held. Like [`Client::send_message`] in all else.
    pub async fn resend_message(&self, key: MessageKey) -> Result<Done<Message>> {
        let session = self.session()?;
        let me = session.user_id.clone();
        let (message, source, is_group) = session
            .read(move |connection| {
                let (row, found) = locate(connection, &key)?;
                if found.status != status::FAILED {
                    return Err(Error::MessageRepeated { client_msg_id: key.client_msg_id });
                }
                let item = conversations::item_by_id(connection, &key.conversation_id, &me)?;
                let item = item.ok_or(Error::NotFound { what: "conversation", id: key.conversation_id })?;
                let is_group = ids::is_group(item.conversation_type);
                let source = if is_group { item.group_id } else { item.user_id };
                Ok((found.into_api(row.has_read_seq, &me), source, is_group))
            })
            .await?;
        let (recv_id, group_id) = if is_group { (String::new(), source) } else { (source, String::new()) };
        self.send_message(SendMessageParams {
            recv_id,
            group_id,
            message,
            offline_push_info: None,
            is_online_only: false,
        })
        .await
    }

    /// Gives up a message that is on its way: status 3 with `OPENIM_SEND_CANCELLED`, and so does the call that waits for
    /// it. If its request has left already the server may have it all the same: then it becomes status 2 when it comes
    /// back, and `OnMessageSendStateChanged` tells.
    pub async fn cancel_send(&self, key: MessageKey) -> Result<Done<()>> {
        let session = self.session()?;
        let (conversation, message) = session
            .read(move |connection| {
                let (row, found) = locate(connection, &key)?;
                if found.status != status::SENDING {
                    return Err(Error::NotSending { client_msg_id: key.client_msg_id });
                }
                Ok((row.id, found.id))
            })
            .await?;
        transmit::park(&session, message, Error::SendCancelled).await?;
        Outbox::drop_entry(&session, conversation, message);
        Ok(Done { value: (), event: session.last_event() })
    }
}

fn locate(connection: &rusqlite::Connection, key: &MessageKey) -> Result<(conversations::SyncRow, MessageRow)> {
    let row = conversations::find(connection, &key.conversation_id)?
        .ok_or_else(|| Error::NotFound { what: "conversation", id: key.conversation_id.clone() })?;
    let found = messages::find(connection, row.id, &key.client_msg_id)?
        .ok_or_else(|| Error::NotFound { what: "message", id: key.client_msg_id.clone() })?;
    Ok((row, found))
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
    let Stored { message, conversation } =
        session.commit(move |changes| store(changes, &outgoing, attempt, created_at, &stored_payload)).await?.value;
    tracing::debug!(client_msg_id, message, conversation, leaves_now = attempt > 0, "queued");
    let wait = Wait::begin(session, conversation, message);
    Outbox::queue(session, conversation, Entry::new(message, (attempt > 0).then_some(payload), false));
    drop(turn);
    match wait.outcome().await {
        // late, or the session ended: the message stays queued
        None => {
            tracing::info!(client_msg_id, message, over = session.is_over(), "not answered in time: stays queued");
            Err(Error::SendPending { client_msg_id })
        }
        Some(Settled::Accepted(done)) => Ok(*done),
        Some(Settled::Failed(error)) => Err(error),
        Some(Settled::Arrived(event)) => {
            let me = session.user_id.clone();
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

/// A call that waits for the end of a send.
struct Wait<'a> {
    session: &'a Arc<Session>,
    conversation: i64,
    message: i64,
    settled: oneshot::Receiver<Settlement>,
    /// The call ended by itself, not by its caller going away.
    over: bool,
}

impl<'a> Wait<'a> {
    fn begin(session: &'a Arc<Session>, conversation: i64, message: i64) -> Self {
        let settled = session.outbox.wait(message);
        Self { session, conversation, message, settled, over: false }
    }

    /// How the send ended; `None` without an answer in time, or in this session.
    async fn outcome(mut self) -> Option<Settled> {
        let outcome = tokio::select! {
            settled = &mut self.settled => settled.ok(),
            () = tokio::time::sleep(self.session.config.send_timeout()) => self.leave(),
            () = self.session.ended() => self.leave(),
        };
        self.over = true;
        outcome.map(|(settled, _)| settled)
    }

    /// Stops waiting. What settled in this very moment is not lost.
    fn leave(&mut self) -> Option<Settlement> {
        self.session.outbox.forget(self.message);
        self.settled.close();
        self.settled.try_recv().ok()
    }
}

impl Drop for Wait<'_> {
    /// The caller went away: what has not left is taken back, of the rest an event tells the outcome.
    fn drop(&mut self) {
        if self.over {
            return;
        }
        if let Some((_, state)) = self.leave() {
            self.session.tell_outcome(Some(state));
        } else if !self.session.is_over() && self.session.outbox.withdraw(self.conversation, self.message) {
            let (session, message) = (self.session.clone(), self.message);
            self.session.spawn(async move {
                if let Err(error) = transmit::park(&session, message, Error::SendCancelled).await {
                    tracing::warn!(%error, "a message that was taken back could not be parked");
                }
            });
        }
    }
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
        None => {
            let source = if ids::is_group(wire.session_type) { &wire.group_id } else { &wire.recv_id };
            conversations::create(changes.connection, &outgoing.conversation_id, wire.session_type, source)?
        }
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
    let message = match messages::insert(changes.connection, &row)? {
        Some(message) => message,
        None => match messages::find(changes.connection, before.id, &wire.client_msg_id)? {
            Some(known) if known.status == status::FAILED => {
                messages::revive(changes.connection, known.id, &row)?;
                known.id
            }
            Some(_) => return Err(Error::MessageRepeated { client_msg_id: wire.client_msg_id.clone() }),
            None => return Err(Error::Internal("the place of a new message is taken".to_owned())),
        },
    };
    let entry = OutboxRow { message, conversation: before.id, attempt, created_at };
    outbox::insert(changes.connection, entry, payload)?;
    changes.settle(&before, before.clone(), true)?;
    Ok(Stored { message, conversation: before.id })
}
