//! What a session tells after its commits.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use openim_proto::constants::status;
use tokio::sync::Notify;

use crate::change::{Change, List, Notification};
use crate::event::Event;
use crate::event_queue::SessionEvents;
use crate::model::MessageSendState;
use crate::outbox::{Outbox, Settled};
use crate::sources::Sources;
use crate::sync::changes::{FollowUp, Outcome};

/// What a commit does after it: events, follow-ups, sends that are over. Runs in commit order.
pub(crate) struct Announcer {
    pub(crate) events: SessionEvents,
    /// The total that listeners know.
    total: AtomicI64,
    follow_up: Mutex<FollowUp>,
    follow: Notify,
    sources: Mutex<Sources>,
    outbox: Arc<Outbox>,
    /// Number of the session's last event.
    last: AtomicU64,
}

impl Announcer {
    pub(crate) fn new(events: SessionEvents, total_unread: i64, outbox: Arc<Outbox>) -> Self {
        Self {
            events,
            total: AtomicI64::new(total_unread),
            follow_up: Mutex::default(),
            follow: Notify::new(),
            sources: Mutex::default(),
            outbox,
            last: AtomicU64::new(0),
        }
    }

    /// Tells what a committed transaction did; the number of the last event.
    pub(crate) fn announce(&self, mut outcome: Outcome) -> u64 {
        lock(&self.sources).admit(&mut outcome.notifications);
        let mut events = outcome.events;
        if let Some(total) = outcome.total_unread
            && self.total.swap(total, Ordering::SeqCst) != total
            && !outcome.quiet
        {
            events.push(Event::TotalUnreadMessageCountChanged(total).into());
        }
        events.extend(outcome.last);
        let silent = events.is_empty() && outcome.notifications.is_empty();
        let mut event = if silent { 0 } else { self.publish(outcome.notifications, events) };
        self.ask(outcome.follow_up);
        for arrived in outcome.arrived {
            self.outbox.arrived(arrived.conversation, arrived.message);
            let state = MessageSendState {
                conversation_id: arrived.conversation_id,
                client_msg_id: arrived.client_msg_id,
                status: status::SENT,
                send_error: None,
            };
            if let Some(untold) = self.outbox.settle(arrived.message, Settled::Arrived(event), state) {
                event = self.emit(vec![Event::MessageSendStateChanged(untold)]);
            }
        }
        event
    }

    /// Enqueues events; the number of the last one.
    pub(crate) fn emit(&self, events: Vec<Event>) -> u64 {
        self.publish(Vec::new(), events.into_iter().map(Change::from).collect())
    }

    /// The notifications that asked for a reading of the list: what it shows is theirs.
    pub(crate) fn take_sources(&self, list: List) -> Vec<Arc<Notification>> {
        lock(&self.sources).take(list)
    }

    fn publish(&self, notifications: Vec<Arc<Notification>>, changes: Vec<Change>) -> u64 {
        let last = self.events.emit(notifications, changes);
        self.last.fetch_max(last, Ordering::SeqCst);
        last
    }

    fn ask(&self, follow_up: FollowUp) {
        if follow_up != FollowUp::default() {
            let mut asked = lock(&self.follow_up);
            *asked = asked.merge(follow_up);
            drop(asked);
            self.follow.notify_one();
        }
    }

    /// The next work that follows commits.
    pub(crate) async fn asked(&self) -> FollowUp {
        loop {
            let asked = std::mem::take(&mut *lock(&self.follow_up));
            if asked != FollowUp::default() {
                return asked;
            }
            self.follow.notified().await;
        }
    }

    /// Number of the session's last event.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
