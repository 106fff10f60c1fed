//! What becomes of a queued message (R5): it is sent, and the server's answer, a refusal, its own arrival, its age or its
//! user ends it.

use std::sync::Arc;
use std::time::Duration;

use openim_proto::Message as _;
use openim_proto::constants::{operation, status};
use openim_proto::msg::SendMsgResp;

use crate::client::Done;
use crate::error::{Error, Result, Retry};
use crate::event::Event;
use crate::model::{Message, MessageSendState, SendError};
use crate::outbox::{Outbox, Settled};
use crate::session::Session;
use crate::store::{Weight, conversations, messages, outbox};
use crate::sync::changes::Changes;

/// How often a message is sent again after the server failed over it.
const MOST_FAILURES: u32 = 5;
/// How often entries are looked at that have become too old.
const AGE_CHECK_EVERY: Duration = Duration::from_secs(600);

/// Sends a lane's messages one after another until it is empty or the connection fails.
pub(crate) async fn run(session: Arc<Session>, conversation: i64) {
    while let Some((message, payload)) = session.outbox.head(conversation) {
        match transmit(&session, conversation, message, payload).await {
            Ok(()) => session.outbox.done(conversation, message),
            Err(error) => {
                session.outbox.stop(conversation);
                // a comparison tells whether it arrived: that of the next connection, if this one is lost
                session.recheck.notify_one();
                tracing::info!(error = error.log_text(), conversation, message, "sending pauses");
                return;
            }
        }
    }
}

/// Sends one message. `Err` means that its outcome is not known.
async fn transmit(session: &Arc<Session>, conversation: i64, message: i64, payload: Option<Vec<u8>>) -> Result<()> {
    let payload = match payload {
        Some(payload) => payload,
        None => {
            let begun = session.commit(move |changes| outbox::begin_attempt(changes.connection, message)).await?;
            match begun.value {
                Some(payload) => payload,
                // it arrived or was parked in the meantime
                None => return Ok(()),
            }
        }
    };
    match session.request(operation::SEND_MSG, payload).await {
        Ok(answer) => {
            let answer = SendMsgResp::decode(answer.as_slice())
                .map_err(|error| Error::Protocol(format!("unreadable answer to a send: {error}")))?;
            tracing::debug!(message, server_msg_id = answer.server_msg_id, "accepted");
            accepted(session, message, answer).await
        }
        Err(error @ Error::Server { .. }) if !error.is_token_error() => {
            let failures = session.outbox.count_failure(conversation, message);
            // a server that fails inside may have stored the message: the comparison tells, then it is sent again
            if error.retry() == Retry::Permanent || failures > MOST_FAILURES {
                park(session, message, error).await
            } else {
                Err(error)
            }
        }
        Err(error) => Err(error),
    }
}

async fn accepted(session: &Arc<Session>, message: i64, answer: SendMsgResp) -> Result<()> {
    let job = move |changes: &mut Changes<'_>| {
        if let Some(modified) = &answer.modify {
            messages::replace_content(changes.connection, message, modified)?;
        }
        let news = messages::acknowledge(changes.connection, message, &answer.server_msg_id, answer.send_time)?;
        outbox::remove(changes.connection, message)?;
        conclude(changes, message, news)
    };
    let telling = session.clone();
    let tell = move |Done { value: Concluded { news, state, api }, event }: Done<Concluded>| {
        let settled = Settled::Accepted(Box::new(Done { value: api, event }));
        let untold = telling.outbox.settle(message, settled, state);
        telling.tell_outcome(untold.filter(|_| news));
    };
    session.commit_then(Weight::Light, job, tell).await
}

/// Gives a message up: status 3 with the reason, out of the outbox. Does nothing to one that is not on its way.
pub(crate) async fn park(session: &Arc<Session>, message: i64, error: Error) -> Result<()> {
    let reason = SendError { code: error.code().to_owned(), err_code: error.err_code(), err_msg: error.to_string() };
    let job = move |changes: &mut Changes<'_>| {
        let text = serde_json::to_string(&reason).map_err(|error| Error::Internal(error.to_string()))?;
        let news = messages::fail(changes.connection, message, &text)?;
        outbox::remove(changes.connection, message)?;
        conclude(changes, message, news)
    };
    let telling = session.clone();
    let tell = move |Done { value: Concluded { news, state, .. }, .. }: Done<Concluded>| {
        let (code, err_code) = (error.code(), error.err_code());
        tracing::warn!(code, err_code, client_msg_id = state.client_msg_id, "parked");
        if news {
            telling.tell_outcome(telling.outbox.settle(message, Settled::Failed(error), state));
        }
    };
    session.commit_then(Weight::Light, job, tell).await
}

/// Parks what has been on its way for longer than `outboxTtl`, now and from time to time.
pub(crate) async fn expire(session: Arc<Session>) {
    loop {
        let born_before = session.clock.now() - session.config.outbox_ttl_ms();
        match session.read(move |connection| outbox::older_than(connection, born_before)).await {
            Ok(rows) => {
                for row in rows {
                    match park(&session, row.message, Error::SendExpired).await {
                        Ok(()) => Outbox::drop_entry(&session, row.conversation, row.message),
                        Err(error) => tracing::warn!(%error, "an expired message could not be parked"),
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the outbox could not be read"),
        }
        let ttl = Duration::from_millis(session.config.outbox_ttl);
        tokio::time::sleep(AGE_CHECK_EVERY.min(ttl)).await;
    }
}

/// A send that is over, as its conversation shows it.
struct Concluded {
    /// Whether its state changed.
    news: bool,
    state: MessageSendState,
    api: Message,
}

/// Refreshes the conversation.
fn conclude(changes: &mut Changes<'_>, message: i64, news: bool) -> Result<Concluded> {
    let row = messages::get(changes.connection, message)?
        .ok_or_else(|| Error::NotFound { what: "message", id: message.to_string() })?;
    let before = conversations::get(changes.connection, row.conversation)?;
    let touched = news && before.latest_message == row.id;
    let after = changes.settle(&before, before.clone(), touched)?;
    let api = row.into_api(after.has_read_seq, changes.me);
    let state = MessageSendState {
        conversation_id: after.conversation_id,
        client_msg_id: api.client_msg_id.clone(),
        status: api.status,
        send_error: api.send_error.clone(),
    };
    Ok(Concluded { news, state, api })
}

impl Session {
    /// Tells the outcome of a send that no call waits for.
    pub(crate) fn tell_outcome(&self, untold: Option<MessageSendState>) {
        if let Some(state) = untold {
            debug_assert_ne!(state.status, status::SENDING);
            self.emit(vec![Event::MessageSendStateChanged(state)]);
        }
    }
}
