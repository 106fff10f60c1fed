//! One transaction's work: the connection to work on, and a record of what happened that becomes events in the fixed
//! order (client-behaviour.md 4.7, R13d): receipts, messages, conversations, total unread.

use std::sync::Arc;

use rusqlite::Connection;

use super::{gaps, unread};
use crate::change::{Change, Notification};
use crate::error::Result;
use crate::event::Event;
use crate::model::{Message, Receipt};
use crate::store::conversations::{self, SyncRow};
use crate::store::{messages, seqs};

/// Work that needs the network and follows a commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FollowUp {
    /// Profiles of peers are unknown.
    pub(crate) profiles: bool,
    /// The conversation list changed on the server.
    pub(crate) conversations: bool,
    /// The user's own profile changed on the server.
    pub(crate) self_info: bool,
    /// Gaps are waiting to be fetched.
    pub(crate) gaps: bool,
    /// A notification stream has a gap.
    pub(crate) streams: bool,
    /// The friend list changed on the server.
    pub(crate) friends: bool,
    /// The black list changed on the server.
    pub(crate) blacks: bool,
    /// An application came or was answered, and the notification does not say which.
    pub(crate) friend_requests: bool,
    /// What the server said is hard to believe: it is asked again.
    pub(crate) comparison: bool,
}

impl FollowUp {
    pub(crate) fn merge(self, other: Self) -> Self {
        Self {
            profiles: self.profiles || other.profiles,
            conversations: self.conversations || other.conversations,
            self_info: self.self_info || other.self_info,
            gaps: self.gaps || other.gaps,
            streams: self.streams || other.streams,
            friends: self.friends || other.friends,
            blacks: self.blacks || other.blacks,
            friend_requests: self.friend_requests || other.friend_requests,
            comparison: self.comparison || other.comparison,
        }
    }
}

/// An own message that turned out to be on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// Key of its row.
    pub(crate) message: i64,
    /// Key of its conversation's row.
    pub(crate) conversation: i64,
    pub(crate) conversation_id: String,
    pub(crate) client_msg_id: String,
}

/// A running transaction.
pub(crate) struct Changes<'c> {
    pub(crate) connection: &'c Connection,
    /// The logged-in user.
    pub(crate) me: &'c str,
    pub(crate) follow_up: FollowUp,
    /// Own messages that turned out to be on the server: their sends are over.
    pub(crate) arrived: Vec<Arrived>,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) new_messages: Vec<Message>,
    /// Messages for an application in the background.
    pub(crate) offline_messages: Vec<Message>,
    pub(crate) online_only: Vec<Message>,
    /// Events that go after all others.
    pub(crate) last: Vec<Event>,
    /// Changes of lists: they go before all other events.
    lists: Vec<Change>,
    /// Somebody follows the changes: where they come from and which fields differ is worth the work.
    pub(crate) followed: bool,
    /// Notifications that are applied here, as far as somebody follows.
    pub(crate) notifications: Vec<Arc<Notification>>,
    /// Notifications that made the client ask the server for what is applied here.
    pub(crate) sources: Vec<Arc<Notification>>,
    /// The application is in the background and the user wants to be notified there.
    pub(crate) offline: bool,
    appeared: Vec<i64>,
    changed: Vec<i64>,
    quiet: bool,
}

/// What a committed transaction leaves to be told.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Change>,
    pub(crate) last: Vec<Change>,
    pub(crate) notifications: Vec<Arc<Notification>>,
    /// Set when the total may have changed.
    pub(crate) total_unread: Option<i64>,
    pub(crate) quiet: bool,
    pub(crate) follow_up: FollowUp,
    pub(crate) arrived: Vec<Arrived>,
}

impl<'c> Changes<'c> {
    pub(crate) fn new(connection: &'c Connection, me: &'c str) -> Self {
        Self {
            connection,
            me,
            follow_up: FollowUp::default(),
            arrived: Vec::new(),
            receipts: Vec::new(),
            new_messages: Vec::new(),
            offline_messages: Vec::new(),
            online_only: Vec::new(),
            last: Vec::new(),
            lists: Vec::new(),
            followed: false,
            notifications: Vec::new(),
            sources: Vec::new(),
            offline: false,
            appeared: Vec::new(),
            changed: Vec::new(),
            quiet: false,
        }
    }

    /// Tells nobody about messages, conversations and totals: the first sync of a device (client-behaviour.md 4.3). What
    /// is stored nowhere is told all the same.
    pub(crate) fn quiet(&mut self) {
        self.quiet = true;
    }

    /// A list changed. Goes before messages and conversations; a new device hears of nothing.
    pub(crate) fn tell(&mut self, event: Event) {
        self.tell_which(event, Vec::new);
    }

    /// Like [`Changes::tell`], for something of which only some `fields` differ.
    pub(crate) fn tell_which(&mut self, event: Event, fields: impl FnOnce() -> Vec<String>) {
        if self.quiet {
            return;
        }
        let mut change = Change::from(event);
        if self.followed {
            change.fields = fields();
            let mut newest_first = self.notifications.iter().rev().chain(self.sources.iter().rev());
            change.source = newest_first.find(|notification| notification.explains(&change.event)).cloned();
        }
        self.lists.push(change);
    }

    /// A list of the user's is about to be applied. What a device reads for the first time is no news to anybody, whoever
    /// asked for it.
    pub(crate) fn begin_list(&mut self, list: &str, silent: bool) -> Result<()> {
        if silent || !seqs::is_listed(self.connection, list, self.me)? {
            self.quiet();
        }
        Ok(())
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// A visible conversation looks different now.
    pub(crate) fn conversation_changed(&mut self, id: i64) {
        if !self.appeared.contains(&id) && !self.changed.contains(&id) {
            self.changed.push(id);
        }
    }

    /// Derives latest message, unread count and visibility from the rows (I5, I6), stores them, and remembers what
    /// listeners must hear. `touched`: what the latest message shows has changed.
    pub(crate) fn settle(&mut self, before: &SyncRow, mut row: SyncRow, touched: bool) -> Result<SyncRow> {
        row.latest_message = messages::newest_visible(self.connection, row.id)?;
        self.count_unread(&mut row)?;
        row.hidden = before.hidden && row.latest_message == 0;
        if row != *before || touched {
            conversations::update_sync(self.connection, &row)?;
        }
        if before.hidden && !row.hidden {
            self.changed.retain(|id| *id != row.id);
            if !self.appeared.contains(&row.id) {
                self.appeared.push(row.id);
            }
        } else if !row.hidden
            && (touched || row.latest_message != before.latest_message || row.unread_count != before.unread_count)
        {
            self.conversation_changed(row.id);
        }
        Ok(row)
    }

    fn count_unread(&self, row: &mut SyncRow) -> Result<()> {
        row.unread_count = match unread::window(row) {
            None => 0,
            Some(window) => {
                let uncounted = messages::uncounted_within(self.connection, row.id, window.0, window.1)?;
                let holes = seqs::holes_touching(self.connection, row.id, window)?;
                let count = unread::count(window, uncounted + gaps::size_within(&holes, window));
                if count == 0 {
                    row.read_floor = window.1;
                }
                count
            }
        };
        Ok(())
    }

    /// Builds the events; payloads are what a query would return now (I2).
    pub(crate) fn finish(mut self) -> Result<Outcome> {
        let touched = !self.appeared.is_empty() || !self.changed.is_empty();
        if self.quiet {
            self.receipts.clear();
            self.new_messages.clear();
            self.offline_messages.clear();
            self.appeared.clear();
            self.changed.clear();
        }
        let list = |ids: &[i64]| {
            ids.iter().map(|id| conversations::item_by_key(self.connection, *id, self.me)).collect::<Result<Vec<_>>>()
        };
        let rest = Event::of_list(self.receipts, Event::RecvC2CReadReceipt)
            .chain(Event::of_list(self.new_messages, Event::RecvNewMessages))
            .chain(Event::of_list(self.offline_messages, Event::RecvOfflineNewMessages))
            .chain(Event::of_list(self.online_only, Event::RecvOnlineOnlyMessages))
            .chain(Event::of_list(list(&self.appeared)?, Event::NewConversation))
            .chain(Event::of_list(list(&self.changed)?, Event::ConversationChanged));
        let mut events = self.lists;
        events.extend(rest.map(Change::from));
        Ok(Outcome {
            events,
            last: self.last.into_iter().map(Change::from).collect(),
            notifications: self.notifications,
            total_unread: touched.then(|| conversations::total_unread(self.connection)).transpose()?,
            quiet: self.quiet,
            follow_up: self.follow_up,
            arrived: self.arrived,
        })
    }
}
