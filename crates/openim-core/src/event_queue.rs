//! The one ordered, bounded queue that carries events to the listener side.
//!
//! Every event gets a number under the lock that enqueues it, so "this call caused events up to number n" can be said
//! exactly. The queue is bounded by the bytes of what waits in it: inbound work waits for room ([`EventQueue::room`]);
//! what cannot wait merges with its neighbour or, past the hard bound, drops the oldest lists and says so. Change streams
//! branch off under the same lock, so all of them tell the same story in the same order.
//!
//! Until somebody listens events are only kept, the last [`EARLY_EVENTS`] of them (R11): nothing crosses into JavaScript
//! for nobody.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::Notify;

use crate::change::{Change, Notification, Published};
use crate::change_stream::{ChangeStream, Tap};
use crate::event::{EVENT_ITEMS, Event};
use crate::queue::{Item, Queue};

/// How many events wait for the first listener; then the oldest go.
pub const EARLY_EVENTS: usize = 1000;

/// The queue between a client and whoever delivers its events.
#[derive(Debug, Default)]
pub struct EventQueue {
    inner: std::sync::Mutex<Inner>,
    filled: Notify,
    drained: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    queue: Queue<Event>,
    last: u64,
    dropped: u64,
    /// Dropped before anybody listened.
    early_dropped: u64,
    listening: bool,
    closed: bool,
    /// Change streams of those who still follow.
    taps: Vec<Weak<Tap>>,
}

impl EventQueue {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // a panic while holding the lock leaves a consistent queue: every change is one push or pop
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Enqueues the events in order and returns the number of the last event so far.
    pub fn emit(&self, events: Vec<Event>) -> u64 {
        self.emit_if(&AtomicBool::new(true), Vec::new(), events.into_iter().map(Change::from).collect())
    }

    /// Like [`EventQueue::emit`], but only while `alive`: decided under the lock, so nothing of an ended session follows
    /// its end. Change streams hear of the notifications first.
    fn emit_if(&self, alive: &AtomicBool, notifications: Vec<Arc<Notification>>, changes: Vec<Change>) -> u64 {
        let mut inner = self.lock();
        if inner.closed || !alive.load(Ordering::SeqCst) {
            return inner.last;
        }
        for notification in notifications {
            inner.publish(&Published::Notification(notification));
        }
        for change in changes.into_iter().filter(|change| !change.event.is_empty()) {
            inner.push(change);
        }
        let (last, listening) = (inner.last, inner.listening);
        drop(inner);
        if listening {
            self.filled.notify_one();
        }
        last
    }

    /// Everything that happens from now on, with what the events leave out (R27).
    pub fn changes(self: &Arc<Self>) -> ChangeStream {
        let tap = Arc::new(Tap::default());
        let mut inner = self.lock();
        if inner.closed {
            tap.close();
        }
        inner.taps.push(Arc::downgrade(&tap));
        drop(inner);
        ChangeStream::new(tap, self)
    }

    /// Whether somebody follows the changes.
    pub(crate) fn is_followed(&self) -> bool {
        self.lock().taps.iter().any(|tap| tap.strong_count() > 0)
    }

    /// There may be room now.
    pub(crate) fn drained(&self) {
        self.drained.notify_waiters();
    }

    /// The first listener is there: what was kept is delivered, and from now on nothing is only kept.
    pub fn listen(&self) {
        let mut inner = self.lock();
        if inner.listening {
            return;
        }
        inner.listening = true;
        if inner.early_dropped > 0 {
            let count = inner.early_dropped;
            let last = inner.last;
            inner.queue.push_front(last, Event::EventsDropped { count });
        }
        drop(inner);
        self.filled.notify_one();
    }

    /// Ends a session under the lock: events that were enqueued before stay, later ones are discarded.
    pub(crate) fn silence(&self, alive: &AtomicBool) -> u64 {
        let inner = self.lock();
        alive.store(false, Ordering::SeqCst);
        inner.last
    }

    /// The next event once somebody listens, or `None` once the queue is closed and empty.
    pub async fn next(&self) -> Option<(u64, Event)> {
        loop {
            let filled = self.filled.notified();
            {
                let mut inner = self.lock();
                if let Some((number, mut event)) = inner.pop_within(usize::MAX) {
                    drop(inner);
                    self.drained.notify_waiters();
                    event.unfold();
                    return Some((number, event));
                }
                if inner.closed {
                    return None;
                }
            }
            filled.await;
        }
    }

    /// The next event, if one waits and has no more elements than `room`.
    pub fn try_next(&self, room: usize) -> Option<(u64, Event)> {
        let (number, mut event) = self.lock().pop_within(room)?;
        self.drained.notify_waiters();
        event.unfold();
        Some((number, event))
    }

    /// Waits until there is room for more. Whoever brings in messages waits here before each batch.
    pub(crate) async fn room(&self) {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            {
                let inner = self.lock();
                let followers_keep_up = inner.taps.iter().filter_map(Weak::upgrade).all(|tap| tap.has_room());
                if inner.closed || (!inner.listening || inner.queue.has_room()) && followers_keep_up {
                    return;
                }
            }
            drained.await;
        }
    }

    /// Lets [`EventQueue::next`] end after what is queued.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.taps.iter().filter_map(Weak::upgrade).for_each(|tap| tap.close());
        drop(inner);
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
    fn push(&mut self, change: Change) {
        self.last += 1;
        let event = if self.taps.is_empty() {
            change.event
        } else {
            let event = change.event.clone();
            self.publish(&Published::Change(Box::new(change)));
            event
        };
        self.queue.push(self.last, event);
        if self.listening {
            let count = self.queue.shed();
            if count > 0 {
                self.dropped += count;
                tracing::warn!(count, total = self.dropped, "listeners are too slow: events were dropped");
            }
        } else {
            self.forget_oldest();
        }
    }

    fn publish(&mut self, published: &Published) {
        let number = self.last;
        self.taps.retain(|tap| match tap.upgrade() {
            Some(tap) => {
                tap.push(number, published.clone());
                true
            }
            None => false,
        });
    }

    /// Keeps to the bounds of what waits for the first listener.
    fn forget_oldest(&mut self) {
        while self.queue.len() > EARLY_EVENTS || !self.queue.has_room() && self.queue.len() > 1 {
            self.queue.pop();
            self.early_dropped += 1;
            self.dropped += 1;
        }
    }

    fn pop_within(&mut self, room: usize) -> Option<(u64, Event)> {
        let deliver = self.listening || self.closed;
        if deliver && self.queue.front()?.len() <= room { self.queue.pop() } else { None }
    }
}

impl Item for Event {
    fn bytes(&self) -> usize {
        Self::bytes(self)
    }

    fn is_droppable(&self) -> bool {
        Self::is_droppable(self)
    }

    fn dropped(count: u64) -> Self {
        Self::EventsDropped { count }
    }

    fn can_take_in(&self, next: &Self) -> bool {
        matches!((self, next), (Self::ConversationChanged(_), Self::ConversationChanged(_)))
            && self.len() + next.len() <= EVENT_ITEMS
    }

    /// The newer state of a conversation replaces the one that nobody has seen yet.
    fn take_in(&mut self, next: Self) {
        if let (Self::ConversationChanged(waiting), Self::ConversationChanged(newer)) = (self, next) {
            let ids: HashSet<_> = newer.iter().map(|row| row.conversation_id.clone()).collect();
            waiting.retain(|row| !ids.contains(&row.conversation_id));
            waiting.extend(newer);
        }
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
    pub(crate) fn emit(&self, notifications: Vec<Arc<Notification>>, changes: Vec<Change>) -> u64 {
        self.queue.emit_if(&self.alive, notifications, changes)
    }

    /// Whether somebody follows the changes.
    pub(crate) fn is_followed(&self) -> bool {
        self.queue.is_followed()
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
    use crate::model::{Conversation, Message};

    fn changed(id: &str, unread: i64) -> Event {
        let row = Conversation { conversation_id: id.into(), unread_count: unread, ..Conversation::default() };
        Event::ConversationChanged(vec![row])
    }

    #[test]
    fn adjacent_changes_of_a_conversation_merge_and_numbers_go_on() {
        let queue = EventQueue::default();
        queue.listen();
        assert_eq!(queue.emit(vec![changed("si_a_b", 1), changed("si_a_c", 1), changed("si_a_b", 2)]), 3);
        let (number, event) = queue.try_next(EVENT_ITEMS).unwrap();
        assert_eq!(number, 3);
        let Event::ConversationChanged(rows) = event else { panic!("{event:?}") };
        let seen: Vec<_> = rows.iter().map(|row| (row.conversation_id.as_str(), row.unread_count)).collect();
        assert_eq!(seen, [("si_a_c", 1), ("si_a_b", 2)]);
        assert!(queue.try_next(EVENT_ITEMS).is_none());
    }

    #[tokio::test]
    async fn what_does_not_fit_into_a_batch_opens_the_next_one_however_long_it_is() {
        let queue = EventQueue::default();
        queue.listen();
        let long = Event::RecvNewMessages(vec![Message::default(); EVENT_ITEMS + 1]);
        queue.emit(vec![long, Event::TotalUnreadMessageCountChanged(1)]);
        assert!(queue.try_next(EVENT_ITEMS).is_none());
        assert!(matches!(queue.next().await, Some((1, Event::RecvNewMessages(_)))));
        assert!(matches!(queue.try_next(1), Some((2, Event::TotalUnreadMessageCountChanged(1)))));
    }

    #[test]
    fn past_the_hard_bound_lists_go_and_the_loss_is_told_in_place() {
        let queue = EventQueue::default();
        queue.listen();
        let big = || Message { ex: "x".repeat(1 << 20), ..Message::default() };
        for _ in 0..40 {
            queue.emit(vec![Event::RecvNewMessages(vec![big()]), Event::TotalUnreadMessageCountChanged(1)]);
        }
        let mut dropped = 0;
        let mut totals = 0;
        let mut lists = 0;
        let mut last = 0;
        while let Some((number, event)) = queue.try_next(EVENT_ITEMS) {
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
    fn what_comes_before_the_first_listener_is_kept_within_bounds_and_delivered_in_order() {
        let queue = EventQueue::default();
        for total in 0..1003 {
            queue.emit(vec![Event::TotalUnreadMessageCountChanged(total)]);
        }
        assert!(queue.try_next(EVENT_ITEMS).is_none(), "nobody listens");
        queue.listen();
        let (number, first) = queue.try_next(EVENT_ITEMS).unwrap();
        assert!(matches!(first, Event::EventsDropped { count: 3 }), "{first:?}");
        assert_eq!(number, 3);
        let totals: Vec<_> = std::iter::from_fn(|| queue.try_next(EVENT_ITEMS)).collect();
        assert!(matches!(totals.first(), Some((4, Event::TotalUnreadMessageCountChanged(3)))));
        assert!(matches!(totals.last(), Some((1003, Event::TotalUnreadMessageCountChanged(1002)))));
        assert_eq!(totals.len(), EARLY_EVENTS);
    }

    #[test]
    fn large_early_events_give_way_to_newer_ones() {
        let queue = EventQueue::default();
        let big = || Message { ex: "x".repeat(1 << 20), ..Message::default() };
        for _ in 0..20 {
            queue.emit(vec![Event::RecvNewMessages(vec![big()])]);
        }
        queue.listen();
        let Some((_, Event::EventsDropped { count })) = queue.try_next(EVENT_ITEMS) else { panic!("a loss is told") };
        let kept = std::iter::from_fn(|| queue.try_next(EVENT_ITEMS)).count() as u64;
        assert_eq!(count + kept, 20);
        assert!((5..9).contains(&kept), "{kept}");
    }

    #[tokio::test]
    async fn a_change_stream_tells_the_same_in_the_same_order_with_the_numbers_of_the_events() {
        let queue = Arc::new(EventQueue::default());
        assert!(!queue.is_followed());
        queue.emit(vec![Event::Connecting]);
        let mut stream = queue.changes();
        assert!(queue.is_followed());
        let notification = Arc::new(Notification { content_type: 1207, seq: 3, ..Notification::default() });
        let changes = vec![changed("si_a_b", 1).into(), changed("si_a_b", 2).into()];
        queue.emit_if(&AtomicBool::new(true), vec![notification.clone()], changes);
        queue.emit_if(&AtomicBool::new(false), Vec::new(), vec![Event::KickedOffline.into()]);
        let Some((1, Published::Notification(first))) = stream.next().await else { panic!("the notification first") };
        assert_eq!(first, notification);
        for (expected, unread) in [(2, 1), (3, 2)] {
            let Some((number, Published::Change(change))) = stream.next().await else { panic!("a change") };
            let Event::ConversationChanged(rows) = change.event else { panic!("{:?}", change.event) };
            assert_eq!((number, rows[0].unread_count), (expected, unread), "nothing is merged");
        }
        queue.close();
        assert!(stream.next().await.is_none());
        drop(stream);
        assert!(!queue.is_followed());
    }

    #[tokio::test]
    async fn inbound_work_waits_for_a_slow_follower_and_for_nobody_once_he_is_gone() {
        let queue = Arc::new(EventQueue::default());
        let mut stream = queue.changes();
        let big = || Message { ex: "x".repeat(1 << 20), ..Message::default() };
        for _ in 0..9 {
            queue.emit(vec![Event::RecvNewMessages(vec![big()])]);
        }
        let room = tokio::spawn({
            let queue = queue.clone();
            async move { queue.room().await }
        });
        tokio::task::yield_now().await;
        assert!(!room.is_finished());
        for _ in 0..3 {
            stream.next().await.unwrap();
        }
        room.await.unwrap();
        for _ in 0..40 {
            queue.emit(vec![Event::RecvNewMessages(vec![big()]), Event::SyncServerFinish(false)]);
        }
        let mut told = Vec::new();
        while let Ok(Some((_, Published::Change(change)))) =
            tokio::time::timeout(std::time::Duration::from_millis(1), stream.next()).await
        {
            told.push(change.event);
        }
        let lost: u64 =
            told.iter().map(|event| if let Event::EventsDropped { count } = event { *count } else { 0 }).sum();
        let of = |name: &str| told.iter().filter(|event| event.name() == name).count() as u64;
        assert!(lost > 0);
        assert_eq!((lost + of("OnRecvNewMessages"), of("OnSyncServerFinish")), (46, 40));
        for _ in 0..9 {
            queue.emit(vec![Event::RecvNewMessages(vec![big()])]);
        }
        drop(stream);
        queue.room().await;
    }

    #[test]
    fn nothing_follows_the_end_of_a_session() {
        let queue = Arc::new(EventQueue::default());
        let session = SessionEvents::new(queue.clone());
        session.emit(Vec::new(), vec![Event::Connecting.into()]);
        assert_eq!(session.silence(), 1);
        assert_eq!(session.emit(Vec::new(), vec![Event::ConnectSuccess.into()]), 1);
        assert_eq!(queue.depth().0, 1);
    }
}
