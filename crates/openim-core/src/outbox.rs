//! The queue of messages on their way: one lane per conversation, strictly in order; lanes run side by side (R8). What a
//! lane does with its head is in `transmit`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::client::Done;
use crate::error::Error;
use crate::model::{Message, MessageSendState};
use crate::session::Session;
use crate::store::outbox::OutboxRow;
use crate::transmit;

/// How long a server may take to store what it accepted, at most.
pub(crate) const STORED_WITHIN: Duration = Duration::from_millis(1500);

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

/// How a send ended, and what an event says of it if no call waits.
pub(crate) type Settlement = (Settled, MessageSendState);

/// A queued message.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) message: i64,
    /// What to send, if it is at hand; else the database has it. At hand only with its attempt stored already.
    pub(crate) payload: Option<Vec<u8>>,
    /// The request may have left: the comparison with the server decides before it is sent again.
    pub(crate) may_have_left: bool,
    /// How often the server failed over it.
    pub(crate) failures: u32,
}

impl Entry {
    pub(crate) fn new(message: i64, payload: Option<Vec<u8>>, may_have_left: bool) -> Self {
        Self { message, payload, may_have_left, failures: 0 }
    }
}

/// The messages of a conversation, oldest first.
#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Entry>,
    running: bool,
    /// Since when it waits for a comparison with the server. The head may have left before.
    stopped: Option<Instant>,
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
    /// Calls that wait for the end of a send.
    waiters: Mutex<HashMap<i64, oneshot::Sender<Settlement>>>,
    /// The end of the last turn taken, per receiver. As many entries as receivers of this session.
    turns: Mutex<HashMap<(String, String), TurnEnd>>,
}

impl Outbox {
    /// Lanes as the last run left them.
    pub(crate) fn new(pending: &[OutboxRow]) -> Self {
        let mut lanes: HashMap<i64, Lane> = HashMap::new();
        for row in pending {
            let lane = lanes.entry(row.conversation).or_default();
            lane.stopped = Some(Instant::now());
            lane.queue.push_back(Entry::new(row.message, None, row.attempt > 0));
        }
        Self { lanes: Mutex::new(lanes), waiters: Mutex::default(), turns: Mutex::default() }
    }

    /// Takes the next turn for a receiver: messages are queued in the order of the calls, whatever runs first.
    pub(crate) fn turn(&self, recv_id: &str, group_id: &str) -> Turn {
        let (after, end) = oneshot::channel();
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let before = turns.insert((recv_id.to_owned(), group_id.to_owned()), end);
        Turn { before, after: Some(after) }
    }

    /// Waits for the end of a send.
    pub(crate) fn wait(&self, message: i64) -> oneshot::Receiver<Settlement> {
        let (settled, waiting) = oneshot::channel();
        self.waiters().insert(message, settled);
        waiting
    }

    /// Ends the wait. Where no call waits, the state comes back: an event must tell it.
    pub(crate) fn settle(&self, message: i64, settled: Settled, state: MessageSendState) -> Option<MessageSendState> {
        match self.waiters().remove(&message) {
            Some(waiter) => waiter.send((settled, state)).err().map(|(_, state)| state),
            None => Some(state),
        }
    }

    /// No call waits any longer.
    pub(crate) fn forget(&self, message: i64) {
        self.waiters().remove(&message);
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
            session.spawn(transmit::run(session.clone(), conversation));
        }
    }

    /// After a comparison with the server that began at `compared`: what it settled goes on. When the next comparison is
    /// due for the rest, if there is any.
    pub(crate) fn resume(session: &Arc<Session>, compared: Instant) -> Option<Instant> {
        let (mut starting, mut doubtful) = (Vec::new(), 0_usize);
        let mut due = None;
        for (conversation, lane) in session.outbox.lock().iter_mut() {
            if let Some(waits_until) = lane.compared(compared) {
                doubtful += 1;
                due = due.max(Some(waits_until));
            }
            if lane.start(session.socket.is_connected()) {
                starting.push(*conversation);
            }
        }
        if doubtful > 0 || !starting.is_empty() {
            tracing::info!(lanes = starting.len(), doubtful, "sending goes on");
        }
        for conversation in starting {
            session.spawn(transmit::run(session.clone(), conversation));
        }
        due
    }

    /// A message is on the server: its lane need not send it, and the next one need not wait for a comparison.
    pub(crate) fn arrived(&self, conversation: i64, message: i64) {
        if let Some(lane) = self.lock().get_mut(&conversation) {
            lane.forget(message);
        }
    }

    /// The session ends: calls that wait are told, the entries stay in the database.
    pub(crate) fn abandon(&self) {
        self.lock().clear();
        self.waiters().clear();
    }

    fn waiters(&self) -> MutexGuard<'_, HashMap<i64, oneshot::Sender<Settlement>>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message out whose request has not left; false if it may have.
    pub(crate) fn withdraw(&self, conversation: i64, message: i64) -> bool {
        let mut lanes = self.lock();
        let Some(lane) = lanes.get_mut(&conversation) else { return false };
        let Some(at) = lane.queue.iter().position(|entry| entry.message == message && !entry.may_have_left) else {
            return false;
        };
        lane.queue.remove(at);
        true
    }

    /// Forgets a message that is parked; the next one of its lane may go on.
    pub(crate) fn drop_entry(session: &Arc<Session>, conversation: i64, message: i64) {
        let start = {
            let mut lanes = session.outbox.lock();
            let Some(lane) = lanes.get_mut(&conversation) else { return };
            lane.forget(message);
            lane.start(session.socket.is_connected())
        };
        if start {
            session.spawn(transmit::run(session.clone(), conversation));
        }
    }

    /// The server failed over the head of a lane; how often by now.
    pub(crate) fn count_failure(&self, conversation: i64, message: i64) -> u32 {
        let mut lanes = self.lock();
        let head = lanes.get_mut(&conversation).and_then(|lane| lane.queue.front_mut());
        head.filter(|entry| entry.message == message).map_or(0, |entry| {
            entry.failures += 1;
            entry.failures
        })
    }

    /// The next message of a lane, with its payload if at hand; an empty lane is given up.
    pub(crate) fn head(&self, conversation: i64) -> Option<(i64, Option<Vec<u8>>)> {
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

    pub(crate) fn done(&self, conversation: i64, message: i64) {
        if let Some(lane) = self.lock().get_mut(&conversation)
            && lane.queue.front().is_some_and(|entry| entry.message == message)
        {
            lane.queue.pop_front();
        }
    }

    pub(crate) fn stop(&self, conversation: i64) {
        if let Some(lane) = self.lock().get_mut(&conversation) {
            lane.running = false;
            lane.stopped = Some(Instant::now());
        }
    }
}

impl Lane {
    fn is_doubtful(&self) -> bool {
        self.queue.front().is_some_and(|head| head.may_have_left)
    }

    /// Takes a message out. Without a head that may have left there is nothing to wait for.
    fn forget(&mut self, message: i64) {
        self.queue.retain(|entry| entry.message != message);
        if !self.is_doubtful() {
            self.stopped = None;
        }
    }

    /// Lets the lane go on if a comparison that began at `compared` settled what became of its head; else tells when
    /// the next one may begin. The server stores a message some time after it accepted it, and twice if it is sent
    /// twice (R5): only what a late comparison lacks is not there.
    fn compared(&mut self, compared: Instant) -> Option<Instant> {
        let settled_from = self.stopped? + STORED_WITHIN;
        if self.is_doubtful() && compared < settled_from {
            return Some(settled_from);
        }
        self.stopped = None;
        None
    }

    fn start(&mut self, connected: bool) -> bool {
        let start = connected && !self.running && self.stopped.is_none() && !self.queue.is_empty();
        self.running |= start;
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONVERSATION: i64 = 7;

    fn stopped(attempt: i64) -> (Lane, Instant) {
        let rows = [1, 2].map(|message| OutboxRow { message, conversation: CONVERSATION, attempt, created_at: 0 });
        let outbox = Outbox::new(&rows);
        let lane = outbox.lock().remove(&CONVERSATION).expect("a lane");
        let since = lane.stopped.expect("nothing leaves before a comparison");
        (lane, since)
    }

    #[tokio::test]
    async fn what_may_have_left_is_sent_again_after_a_comparison_that_surely_would_have_found_it() {
        let (mut lane, since) = stopped(1);
        let due = since + STORED_WITHIN;
        assert_eq!(lane.compared(due - Duration::from_millis(1)), Some(due));
        assert!(!lane.start(true));
        assert_eq!(lane.compared(due), None);
        assert!(!lane.start(false), "not without a connection");
        assert!(lane.start(true));
    }

    #[tokio::test]
    async fn what_never_left_goes_after_any_comparison() {
        let (mut lane, since) = stopped(0);
        assert!(!lane.start(true));
        assert_eq!(lane.compared(since), None);
        assert!(lane.start(true));
    }

    #[tokio::test]
    async fn what_arrived_makes_way() {
        let rows = [(1, 1), (2, 0)].map(|(message, attempt)| OutboxRow {
            message,
            conversation: CONVERSATION,
            attempt,
            created_at: 0,
        });
        let outbox = Outbox::new(&rows);
        outbox.arrived(CONVERSATION, 1);
        let mut lane = outbox.lock().remove(&CONVERSATION).expect("a lane");
        assert!(lane.start(true), "nothing is doubtful any more");
        assert_eq!(lane.queue.front().map(|head| head.message), Some(2));
    }

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
