//! Sending: one lane per conversation, strictly in order; lanes run side by side (R8). An entry lives in the database
//! until the server's answer, a refusal, or the message's own arrival ends it (R5).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openim_proto::Message as _;
use openim_proto::constants::{operation, status};
use openim_proto::msg::SendMsgResp;
use tokio::sync::oneshot;

use crate::client::Done;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{Message, MessageSendState, SendError};
use crate::session::Session;
use crate::store::outbox::OutboxRow;
use crate::store::{conversations, messages, outbox};
use crate::sync::changes::{Changes, FollowUp};

/// How a send ended.
#[derive(Debug)]
pub(crate) enum Settled {
    /// Accepted by the server.
    Accepted(Box<Done<Message>>),
    /// Found on the server; the number of the event that told it.
    Arrived(u64),
    /// Refused, or given up.
    Failed(Error),
}

/// Calls that wait for the end of a send.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<HashMap<i64, oneshot::Sender<Settled>>>);

impl Waiters {
    fn lock(&self) -> MutexGuard<'_, HashMap<i64, oneshot::Sender<Settled>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wait(&self, message: i64) -> oneshot::Receiver<Settled> {
        let (settled, waiting) = oneshot::channel();
        self.lock().insert(message, settled);
        waiting
    }

    /// Whether a call still waits.
    fn has(&self, message: i64) -> bool {
        self.lock().get(&message).is_some_and(|waiter| !waiter.is_closed())
    }

    /// Ends the wait; false if no call waits any more.
    pub(crate) fn settle(&self, message: i64, settled: Settled) -> bool {
        self.lock().remove(&message).is_some_and(|waiter| waiter.send(settled).is_ok())
    }

    pub(crate) fn forget(&self, message: i64) {
        self.lock().remove(&message);
    }
}

/// A queued message.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) message: i64,
    /// What to send, if it is at hand; else the database has it. At hand only with its attempt stored already.
    pub(crate) payload: Option<Vec<u8>>,
    /// The request may have left: the comparison with the server decides before it is sent again.
    pub(crate) may_have_left: bool,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Entry>,
    running: bool,
    /// The head may have left on a connection that is gone.
    blocked: bool,
}

/// A call's place among the sends to one peer or group. The next one's turn comes when it is dropped; a turn that is
/// given up before it came leaves its own wait to the next one.
#[derive(Debug)]
pub(crate) struct Turn {
    before: Option<TurnEnd>,
    after: Option<oneshot::Sender<GivenUp>>,
}

/// What a turn leaves behind: the turn that it was still waiting for, if any.
#[derive(Debug)]
struct GivenUp(Option<TurnEnd>);

type TurnEnd = oneshot::Receiver<GivenUp>;

impl Turn {
    /// Waits for the sends before this one to be queued.
    pub(crate) async fn come(&mut self) {
        while let Some(before) = &mut self.before {
            self.before = before.await.ok().and_then(|GivenUp(earlier)| earlier);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(after) = self.after.take() {
            // nobody may be waiting
            let _ = after.send(GivenUp(self.before.take()));
        }
    }
}

/// The sending side of a session.
#[derive(Debug)]
pub(crate) struct Outbox {
    lanes: Mutex<HashMap<i64, Lane>>,
    waiters: Arc<Waiters>,
    /// The end of the last turn taken, per receiver. As many entries as receivers of this session.
    turns: Mutex<HashMap<(String, String), TurnEnd>>,
}

impl Outbox {
    /// Lanes as the last run left them.
    pub(crate) fn new(pending: &[OutboxRow]) -> Self {
        let mut lanes: HashMap<i64, Lane> = HashMap::new();
        for row in pending {
            let lane = lanes.entry(row.conversation).or_default();
            lane.blocked |= row.attempt > 0;
            lane.queue.push_back(Entry { message: row.message, payload: None, may_have_left: row.attempt > 0 });
        }
        Self { lanes: Mutex::new(lanes), waiters: Arc::default(), turns: Mutex::default() }
    }

    /// Takes the next turn for a receiver: messages are queued in the order of the calls, whatever runs first.
    pub(crate) fn turn(&self, recv_id: &str, group_id: &str) -> Turn {
        let (after, end) = oneshot::channel();
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let before = turns.insert((recv_id.to_owned(), group_id.to_owned()), end);
        Turn { before, after: Some(after) }
    }

    pub(crate) fn waiters(&self) -> Arc<Waiters> {
        self.waiters.clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().values().map(|lane| lane.queue.len()).sum()
    }

    /// Queues a stored message and starts its lane if it may run.
    pub(crate) fn queue(session: &Arc<Session>, conversation: i64, entry: Entry) {
        let start = {
            let mut lanes = session.outbox.lock();
            let lane = lanes.entry(conversation).or_default();
            lane.queue.push_back(entry);
            lane.start(session.socket.is_connected())
        };
        if start {
            session.spawn(run(session.clone(), conversation));
        }
    }

    /// After a comparison with the server. After the first of a connection only lanes whose head never left go on,
    /// after the second all of them.
    pub(crate) fn resume(session: &Arc<Session>, all: bool) {
        let mut starting = Vec::new();
        for (conversation, lane) in session.outbox.lock().iter_mut() {
            if all || lane.queue.front().is_none_or(|head| !head.may_have_left) {
                lane.blocked = false;
            }
            if lane.start(session.socket.is_connected()) {
                starting.push(*conversation);
            }
        }
        for conversation in starting {
            session.spawn(run(session.clone(), conversation));
        }
    }

    /// The session ends: calls that wait are told, the entries stay in the database.
    pub(crate) fn abandon(&self) {
        self.lock().clear();
        self.waiters.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message of a lane, with its payload if at hand; an empty lane is given up.
    fn head(&self, conversation: i64) -> Option<(i64, Option<Vec<u8>>)> {
        let mut lanes = self.lock();
        let head = lanes.get_mut(&conversation)?.queue.front_mut();
        match head {
            Some(entry) => {
                entry.may_have_left = true;
                Some((entry.message, entry.payload.take()))
            }
            None => {
                lanes.remove(&conversation);
                None
            }
        }
    }

    fn done(&self, conversation: i64, message: i64) {
        if let Some(lane) = self.lock().get_mut(&conversation)
            && lane.queue.front().is_some_and(|entry| entry.message == message)
        {
            lane.queue.pop_front();
        }
    }

    fn stop(&self, conversation: i64) {
        if let Some(lane) = self.lock().get_mut(&conversation) {
            lane.running = false;
            lane.blocked = true;
        }
    }
}

impl Lane {
    fn start(&mut self, connected: bool) -> bool {
        let start = connected && !self.running && !self.blocked && !self.queue.is_empty();
        self.running |= start;
        start
    }
}

/// Sends a lane's messages one after another until it is empty or the connection fails.
async fn run(session: Arc<Session>, conversation: i64) {
    while let Some((message, payload)) = session.outbox.head(conversation) {
        match transmit(&session, message, payload).await {
            Ok(()) => session.outbox.done(conversation, message),
            Err(error) => {
                session.outbox.stop(conversation);
                if !matches!(error, Error::Network(_)) {
                    // not a lost connection, whose successor compares anyway: nobody else would look whether it arrived
                    session.ask(FollowUp { comparison: true, ..FollowUp::default() });
                }
                tracing::debug!(%error, message, "lane stopped");
                return;
            }
        }
    }
}

/// Sends one message. `Err` means that its outcome is not known.
async fn transmit(session: &Arc<Session>, message: i64, payload: Option<Vec<u8>>) -> Result<()> {
    let payload = match payload {
        Some(payload) => payload,
        None => {
            let begun = session.commit(move |changes| outbox::begin_attempt(changes.connection, message)).await?;
            match begun.value {
                Some(payload) => payload,
                // it arrived in the meantime
                None => return Ok(()),
            }
        }
    };
    match session.request(operation::SEND_MSG, payload).await {
        Ok(answer) => {
            let answer = SendMsgResp::decode(answer.as_slice())
                .map_err(|error| Error::Protocol(format!("unreadable answer to a send: {error}")))?;
            accepted(session, message, answer).await
        }
        Err(error @ Error::Server { .. }) if !error.is_token_error() => refused(session, message, error).await,
        Err(error) => Err(error),
    }
}

async fn accepted(session: &Arc<Session>, message: i64, answer: SendMsgResp) -> Result<()> {
    let waited_for = session.outbox.waiters.has(message);
    let waiters = session.outbox.waiters();
    let job = move |changes: &mut Changes<'_>| {
        if let Some(modified) = &answer.modify {
            messages::replace_content(changes.connection, message, modified)?;
        }
        let news = messages::acknowledge(changes.connection, message, &answer.server_msg_id, answer.send_time)?;
        outbox::remove(changes.connection, message)?;
        conclude(changes, message, news, waited_for)
    };
    session.commit_then(job, move |done| waiters.settle(message, Settled::Accepted(Box::new(done)))).await?;
    Ok(())
}

async fn refused(session: &Arc<Session>, message: i64, error: Error) -> Result<()> {
    let waited_for = session.outbox.waiters.has(message);
    let reason = SendError { code: error.code().to_owned(), err_code: error.err_code(), err_msg: error.to_string() };
    session
        .commit(move |changes| {
            let text = serde_json::to_string(&reason).map_err(|error| Error::Internal(error.to_string()))?;
            messages::set_status(changes.connection, message, status::FAILED, &text)?;
            outbox::remove(changes.connection, message)?;
            conclude(changes, message, true, waited_for)
        })
        .await?;
    session.outbox.waiters.settle(message, Settled::Failed(error));
    Ok(())
}

/// Refreshes the conversation and tells the outcome to those who cannot hear it from the call.
fn conclude(changes: &mut Changes<'_>, message: i64, news: bool, waited_for: bool) -> Result<Message> {
    let row = messages::get(changes.connection, message)?
        .ok_or_else(|| Error::NotFound { what: "message", id: message.to_string() })?;
    let before = conversations::get(changes.connection, row.conversation)?;
    let touched = news && before.latest_message == row.id;
    let after = changes.settle(&before, before.clone(), touched)?;
    let api = row.into_api(after.has_read_seq, changes.me);
    if news && !waited_for {
        changes.last.push(Event::MessageSendStateChanged(MessageSendState {
            conversation_id: after.conversation_id,
            client_msg_id: api.client_msg_id.clone(),
            status: api.status,
            send_error: api.send_error.clone(),
        }));
    }
    Ok(api)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn turns_come_in_the_order_in_which_they_were_taken_even_if_one_is_given_up() {
        let outbox = Outbox::new(&[]);
        let mut first = outbox.turn("bob", "");
        let second = outbox.turn("bob", "");
        let mut third = outbox.turn("bob", "");
        let mut other = outbox.turn("carol", "");
        let soon = Duration::from_millis(20);
        tokio::time::timeout(soon, other.come()).await.expect("receivers do not wait for each other");
        tokio::time::timeout(soon, first.come()).await.expect("nobody is before the first");
        drop(second);
        assert!(tokio::time::timeout(soon, third.come()).await.is_err(), "the first is still at it");
        drop(first);
        tokio::time::timeout(soon, third.come()).await.expect("the way is free");
    }
}
