//! Events and the one ordered, bounded queue that carries them to the listener side.
//!
//! Every event gets a number under the lock that enqueues it, so "this call caused events up to number n" can be said
//! exactly. The queue is bounded by the bytes of what waits in it: inbound work waits for room ([`EventQueue::room`]);
//! what cannot wait merges with its neighbour or, past the hard bound, drops the oldest lists and says so.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::ser::{Serialize, SerializeTuple, Serializer};
use tokio::sync::Notify;

use crate::model::{Conversation, Message, MessageSendState, Receipt, SelfUserInfo};

/// Inbound work waits while more than this waits to be delivered.
const ROOM_BYTES: usize = 8 << 20;
/// Past this, events are merged and dropped.
const HARD_BYTES: usize = 32 << 20;

/// Something that listeners hear of. Names are OpenIM's.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// `OnConnecting`: once per series of attempts.
    Connecting,
    /// `OnConnectSuccess`: the socket is usable.
    ConnectSuccess,
    /// `OnConnectFailed`: one attempt failed; the next follows by itself.
    ConnectFailed {
        /// OpenIM's number.
        err_code: i32,
        /// Text.
        err_msg: String,
    },
    /// `OnKickedOffline`: another login took this one's place; the session is over.
    KickedOffline,
    /// `OnUserTokenExpired`: the session is over.
    UserTokenExpired,
    /// `OnUserTokenInvalid`: the session is over.
    UserTokenInvalid(String),
    /// `OnSelfInfoUpdated`.
    SelfInfoUpdated(SelfUserInfo),
    /// `OnSyncServerStart`: true on the first sync of this device.
    SyncServerStart(bool),
    /// `OnSyncServerProgress`: 1 to 100, first sync only.
    SyncServerProgress(u8),
    /// `OnSyncServerFinish`.
    SyncServerFinish(bool),
    /// `OnSyncServerFailed`: once per sync; it goes on trying.
    SyncServerFailed(bool),
    /// `OnNewConversation`.
    NewConversation(Vec<Conversation>),
    /// `OnConversationChanged`.
    ConversationChanged(Vec<Conversation>),
    /// `OnTotalUnreadMessageCountChanged`.
    TotalUnreadMessageCountChanged(i64),
    /// `OnRecvNewMessages`, and `OnRecvNewMessage` for each.
    RecvNewMessages(Vec<Message>),
    /// `OnRecvOnlineOnlyMessages`, and `OnRecvOnlineOnlyMessage` for each.
    RecvOnlineOnlyMessages(Vec<Message>),
    /// `OnRecvC2CReadReceipt`.
    RecvC2CReadReceipt(Vec<Receipt>),
    /// `OnMessageSendStateChanged`: the outcome of a send whose call no longer waits.
    MessageSendStateChanged(MessageSendState),
    /// `OnDatabaseReset`: a damaged database was moved aside.
    DatabaseReset {
        /// Where the damaged file is now.
        moved_to: String,
    },
    /// `OnEventsDropped`: listeners fell too far behind; a query gives the truth.
    EventsDropped {
        /// How many events were dropped.
        count: u64,
    },
}

impl Event {
    /// OpenIM's name of the event.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connecting => "OnConnecting",
            Self::ConnectSuccess => "OnConnectSuccess",
            Self::ConnectFailed { .. } => "OnConnectFailed",
            Self::KickedOffline => "OnKickedOffline",
            Self::UserTokenExpired => "OnUserTokenExpired",
            Self::UserTokenInvalid(_) => "OnUserTokenInvalid",
            Self::SelfInfoUpdated(_) => "OnSelfInfoUpdated",
            Self::SyncServerStart(_) => "OnSyncServerStart",
            Self::SyncServerProgress(_) => "OnSyncServerProgress",
            Self::SyncServerFinish(_) => "OnSyncServerFinish",
            Self::SyncServerFailed(_) => "OnSyncServerFailed",
            Self::NewConversation(_) => "OnNewConversation",
            Self::ConversationChanged(_) => "OnConversationChanged",
            Self::TotalUnreadMessageCountChanged(_) => "OnTotalUnreadMessageCountChanged",
            Self::RecvNewMessages(_) => "OnRecvNewMessages",
            Self::RecvOnlineOnlyMessages(_) => "OnRecvOnlineOnlyMessages",
            Self::RecvC2CReadReceipt(_) => "OnRecvC2CReadReceipt",
            Self::MessageSendStateChanged(_) => "OnMessageSendStateChanged",
            Self::DatabaseReset { .. } => "OnDatabaseReset",
            Self::EventsDropped { .. } => "OnEventsDropped",
        }
    }

    /// How many list elements the event carries; 1 for events without a list.
    pub fn len(&self) -> usize {
        match self {
            Self::NewConversation(list) | Self::ConversationChanged(list) => list.len(),
            Self::RecvNewMessages(list) | Self::RecvOnlineOnlyMessages(list) => list.len(),
            Self::RecvC2CReadReceipt(list) => list.len(),
            _ => 1,
        }
    }

    /// Whether the event carries an empty list; such events are never enqueued.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Cuts a long list of messages: the first `count` elements stay, the rest is returned.
    pub fn split_off(&mut self, count: usize) -> Option<Self> {
        match self {
            Self::RecvNewMessages(list) if list.len() > count => Some(Self::RecvNewMessages(list.split_off(count))),
            Self::RecvOnlineOnlyMessages(list) if list.len() > count => {
                Some(Self::RecvOnlineOnlyMessages(list.split_off(count)))
            }
            Self::ConversationChanged(list) if list.len() > count => {
                Some(Self::ConversationChanged(list.split_off(count)))
            }
            Self::NewConversation(list) if list.len() > count => Some(Self::NewConversation(list.split_off(count))),
            _ => None,
        }
    }

    /// Estimate of the bytes that the event holds and will cross as.
    pub fn bytes(&self) -> usize {
        match self {
            Self::NewConversation(list) | Self::ConversationChanged(list) => list.iter().map(Conversation::bytes).sum(),
            Self::RecvNewMessages(list) | Self::RecvOnlineOnlyMessages(list) => list.iter().map(Message::bytes).sum(),
            Self::RecvC2CReadReceipt(list) => list.iter().map(|receipt| 100 + receipt.msg_id_list.len() * 40).sum(),
            _ => 100,
        }
    }

    /// Lists may be dropped when listeners fall behind: a query gives the truth. Session events may not.
    fn is_droppable(&self) -> bool {
        matches!(
            self,
            Self::NewConversation(_)
                | Self::ConversationChanged(_)
                | Self::RecvNewMessages(_)
                | Self::RecvOnlineOnlyMessages(_)
                | Self::RecvC2CReadReceipt(_)
        )
    }
}

/// `[name, payload]`, the form in which events cross into JavaScript.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(self.name())?;
        match self {
            Self::Connecting | Self::ConnectSuccess | Self::KickedOffline | Self::UserTokenExpired => {
                pair.serialize_element(&())?;
            }
            Self::ConnectFailed { err_code, err_msg } => {
                pair.serialize_element(&serde_json::json!({ "errCode": err_code, "errMsg": err_msg }))?;
            }
            Self::UserTokenInvalid(text) => pair.serialize_element(text)?,
            Self::SelfInfoUpdated(user) => pair.serialize_element(user)?,
            Self::SyncServerStart(first) | Self::SyncServerFinish(first) | Self::SyncServerFailed(first) => {
                pair.serialize_element(first)?;
            }
            Self::SyncServerProgress(progress) => pair.serialize_element(progress)?,
            Self::NewConversation(list) | Self::ConversationChanged(list) => pair.serialize_element(list)?,
            Self::TotalUnreadMessageCountChanged(total) => pair.serialize_element(total)?,
            Self::RecvNewMessages(list) | Self::RecvOnlineOnlyMessages(list) => pair.serialize_element(list)?,
            Self::RecvC2CReadReceipt(list) => pair.serialize_element(list)?,
            Self::MessageSendStateChanged(state) => pair.serialize_element(state)?,
            Self::DatabaseReset { moved_to } => {
                pair.serialize_element(&serde_json::json!({ "movedTo": moved_to }))?;
            }
            Self::EventsDropped { count } => pair.serialize_element(&serde_json::json!({ "count": count }))?,
        }
        pair.end()
    }
}

/// The queue between a client and whoever delivers its events.
#[derive(Debug, Default)]
pub struct EventQueue {
    inner: std::sync::Mutex<Inner>,
    filled: Notify,
    drained: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<(u64, Event)>,
    bytes: usize,
    last: u64,
    dropped: u64,
    closed: bool,
}

impl EventQueue {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // a panic while holding the lock leaves a consistent queue: every change is one push or pop
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Enqueues the events in order and returns the number of the last event so far.
    pub fn emit(&self, events: Vec<Event>) -> u64 {
        self.emit_if(&AtomicBool::new(true), events)
    }

    /// Like [`EventQueue::emit`], but only while `alive`: decided under the lock, so nothing of an ended session follows
    /// its end.
    pub(crate) fn emit_if(&self, alive: &AtomicBool, events: Vec<Event>) -> u64 {
        let mut inner = self.lock();
        if inner.closed || !alive.load(Ordering::SeqCst) {
            return inner.last;
        }
        for event in events.into_iter().filter(|event| !event.is_empty()) {
            inner.push(event);
        }
        let last = inner.last;
        drop(inner);
        self.filled.notify_one();
        last
    }

    /// Ends a session under the lock: events that were enqueued before stay, later ones are discarded.
    pub(crate) fn silence(&self, alive: &AtomicBool) -> u64 {
        let inner = self.lock();
        alive.store(false, Ordering::SeqCst);
        inner.last
    }

    /// The next event, or `None` once the queue is closed and empty.
    pub async fn next(&self) -> Option<(u64, Event)> {
        loop {
            let filled = self.filled.notified();
            {
                let mut inner = self.lock();
                if let Some(next) = inner.pop() {
                    drop(inner);
                    self.drained.notify_waiters();
                    return Some(next);
                }
                if inner.closed {
                    return None;
                }
            }
            filled.await;
        }
    }

    /// The next event, if one waits.
    pub fn try_next(&self) -> Option<(u64, Event)> {
        let next = self.lock().pop();
        if next.is_some() {
            self.drained.notify_waiters();
        }
        next
    }

    /// Waits until there is room for more. Whoever brings in messages waits here before each batch.
    pub(crate) async fn room(&self) {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            {
                let inner = self.lock();
                if inner.closed || inner.bytes < ROOM_BYTES {
                    return;
                }
            }
            drained.await;
        }
    }

    /// Lets [`EventQueue::next`] end after what is queued.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
        self.drained.notify_waiters();
    }

    /// Number of the last event so far.
    pub fn last(&self) -> u64 {
        self.lock().last
    }

    /// Events waiting, and how many were dropped in all.
    pub fn depth(&self) -> (usize, u64) {
        let inner = self.lock();
        (inner.queue.len(), inner.dropped)
    }
}

impl Inner {
    fn push(&mut self, event: Event) {
        self.last += 1;
        let event = match self.queue.back_mut() {
            Some((number, Event::ConversationChanged(waiting))) => match event {
                Event::ConversationChanged(newer) => {
                    // The newer state of a conversation replaces the one that nobody has seen yet.
                    let ids: HashSet<_> = newer.iter().map(|row| row.conversation_id.clone()).collect();
                    let before: usize = waiting.iter().map(Conversation::bytes).sum();
                    waiting.retain(|row| !ids.contains(&row.conversation_id));
                    waiting.extend(newer);
                    let after: usize = waiting.iter().map(Conversation::bytes).sum();
                    *number = self.last;
                    self.bytes = self.bytes + after - before;
                    return;
                }
                other => other,
            },
            _ => event,
        };
        self.bytes += event.bytes();
        self.queue.push_back((self.last, event));
        if self.bytes > HARD_BYTES {
            self.shed();
        }
    }

    /// Drops the oldest lists until half of the bound is free and leaves one `EventsDropped` in their place.
    fn shed(&mut self) {
        let mut count = 0;
        let mut kept = VecDeque::with_capacity(self.queue.len());
        let mut last_dropped = 0;
        while let Some((number, event)) = self.queue.pop_front() {
            if self.bytes > HARD_BYTES / 2 && event.is_droppable() {
                self.bytes -= event.bytes();
                count += 1;
                last_dropped = number;
            } else {
                kept.push_back((number, event));
            }
        }
        self.queue = kept;
        if count > 0 {
            self.dropped += count;
            let at = self.queue.partition_point(|(number, _)| *number < last_dropped);
            self.queue.insert(at, (last_dropped, Event::EventsDropped { count }));
        }
    }

    fn pop(&mut self) -> Option<(u64, Event)> {
        let next = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(next.1.bytes());
        Some(next)
    }
}

/// Where one session's events go; ends with it.
#[derive(Debug, Clone)]
pub(crate) struct SessionEvents {
    queue: Arc<EventQueue>,
    alive: Arc<AtomicBool>,
}

impl SessionEvents {
    pub(crate) fn new(queue: Arc<EventQueue>) -> Self {
        Self { queue, alive: Arc::new(AtomicBool::new(true)) }
    }

    /// Enqueues unless the session is over; the number of the last event so far.
    pub(crate) fn emit(&self, events: Vec<Event>) -> u64 {
        self.queue.emit_if(&self.alive, events)
    }

    /// After this nothing of the session is enqueued any more.
    pub(crate) fn silence(&self) -> u64 {
        self.queue.silence(&self.alive)
    }

    pub(crate) async fn room(&self) {
        self.queue.room().await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn changed(id: &str, unread: i64) -> Event {
        let row = Conversation { conversation_id: id.into(), unread_count: unread, ..Conversation::default() };
        Event::ConversationChanged(vec![row])
    }

    #[test]
    fn adjacent_changes_of_a_conversation_merge_and_numbers_go_on() {
        let queue = EventQueue::default();
        assert_eq!(queue.emit(vec![changed("si_a_b", 1), changed("si_a_c", 1), changed("si_a_b", 2)]), 3);
        let (number, event) = queue.try_next().unwrap();
        assert_eq!(number, 3);
        let Event::ConversationChanged(rows) = event else { panic!("{event:?}") };
        let seen: Vec<_> = rows.iter().map(|row| (row.conversation_id.as_str(), row.unread_count)).collect();
        assert_eq!(seen, [("si_a_c", 1), ("si_a_b", 2)]);
        assert!(queue.try_next().is_none());
    }

    #[test]
    fn past_the_hard_bound_lists_go_and_the_loss_is_told_in_place() {
        let queue = EventQueue::default();
        let big = || Message { ex: "x".repeat(1 << 20), ..Message::default() };
        for _ in 0..40 {
            queue.emit(vec![Event::RecvNewMessages(vec![big()]), Event::TotalUnreadMessageCountChanged(1)]);
        }
        let mut dropped = 0;
        let mut totals = 0;
        let mut lists = 0;
        let mut last = 0;
        while let Some((number, event)) = queue.try_next() {
            assert!(number >= last, "{number} after {last}");
            last = number;
            match event {
                Event::EventsDropped { count } => dropped += count,
                Event::TotalUnreadMessageCountChanged(_) => totals += 1,
                Event::RecvNewMessages(_) => lists += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((totals, last), (40, 80));
        assert_eq!(dropped + lists, 40);
        assert!(dropped > 0);
    }

    #[test]
    fn nothing_follows_the_end_of_a_session() {
        let queue = Arc::new(EventQueue::default());
        let session = SessionEvents::new(queue.clone());
        session.emit(vec![Event::Connecting]);
        assert_eq!(session.silence(), 1);
        assert_eq!(session.emit(vec![Event::ConnectSuccess]), 1);
        assert_eq!(queue.depth().0, 1);
    }
}
