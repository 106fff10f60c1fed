//! What the change stream tells (R27): events with what they leave out, for the facades that say more than OpenIM's
//! events do.

use std::sync::Arc;

use openim_proto::constants::content_type;
use serde::Serialize;

use crate::event::Event;

/// A notification that was applied, as it arrived (client-behaviour.md 5.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notification {
    /// Which one.
    pub content_type: i32,
    /// Its `n_` stream, or the chat whose copy of it came first.
    pub stream: String,
    /// Its place there; 0 if it is stored nowhere.
    pub seq: i64,
    /// Its own id, which its copy in a chat shares.
    pub client_msg_id: String,
    /// When the server sent it, ms.
    pub send_time: i64,
    /// Who did it: `opUser` of the tips, or who sent the notification.
    pub operator: String,
    /// The platform that it was done on; 0 if unknown.
    pub operator_platform_id: i32,
    /// JSON of the tips.
    pub detail: String,
    /// Users whom the tips name.
    pub(crate) people: Vec<String>,
}

/// A list that is read again after a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Profile,
    Friends,
    Blacks,
}

impl Notification {
    /// The list whose reading shows what the notification did.
    pub(crate) fn list(&self) -> Option<List> {
        match self.content_type {
            content_type::USER_INFO_UPDATED => Some(List::Profile),
            content_type::BLACK_ADDED | content_type::BLACK_DELETED => Some(List::Blacks),
            content_type::FRIEND_APPLICATION_APPROVED
            | content_type::FRIEND_ADDED
            | content_type::FRIEND_DELETED
            | content_type::FRIEND_REMARK_SET
            | content_type::FRIEND_INFO_UPDATED
            | content_type::FRIENDS_INFO_UPDATE => Some(List::Friends),
            _ => None,
        }
    }

    /// Whether this is why the event is told.
    pub(crate) fn explains(&self, event: &Event) -> bool {
        let names = |user_id: &String| self.people.contains(user_id);
        match (self.content_type, event) {
            (content_type::FRIEND_APPLICATION, Event::FriendApplicationAdded(application))
            | (content_type::FRIEND_APPLICATION_APPROVED, Event::FriendApplicationAccepted(application))
            | (content_type::FRIEND_APPLICATION_REJECTED, Event::FriendApplicationRejected(application)) => {
                names(&application.from_user_id) && names(&application.to_user_id)
            }
            (content_type::FRIEND_APPLICATION_APPROVED | content_type::FRIEND_ADDED, Event::FriendAdded(friend))
            | (content_type::FRIEND_DELETED, Event::FriendDeleted(friend))
            | (
                content_type::FRIEND_REMARK_SET | content_type::FRIEND_INFO_UPDATED | content_type::FRIENDS_INFO_UPDATE,
                Event::FriendInfoChanged(friend),
            ) => names(&friend.user_id),
            (content_type::BLACK_ADDED, Event::BlackAdded(black))
            | (content_type::BLACK_DELETED, Event::BlackDeleted(black)) => names(&black.user_id),
            (content_type::USER_INFO_UPDATED, Event::SelfInfoUpdated(_)) => true,
            _ => false,
        }
    }
}

/// An event with its background.
#[derive(Debug, Clone)]
pub struct Change {
    /// What listeners hear.
    pub event: Event,
    /// Which fields of the payload differ from before, by their names in the API; empty for what is new or gone, and for
    /// lists of several elements.
    pub fields: Vec<String>,
    /// The notification that tells why. None for what this device did itself and for what a comparison with the server
    /// brought to light; messages and conversations carry no source, what they are about stands in the messages.
    pub source: Option<Arc<Notification>>,
}

impl From<Event> for Change {
    fn from(event: Event) -> Self {
        Self { event, fields: Vec::new(), source: None }
    }
}

/// What a change stream yields.
#[derive(Debug, Clone)]
pub enum Published {
    /// A notification was applied, whether or not anything changed. What it changed at once follows; what had to be asked
    /// of the server first follows later.
    Notification(Arc<Notification>),
    /// Listeners hear of something.
    Change(Box<Change>),
}

/// The names under which two states of one thing differ.
pub(crate) fn differing(before: &impl Serialize, after: &impl Serialize) -> Vec<String> {
    let object = |state: serde_json::Result<serde_json::Value>| match state {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let before = object(serde_json::to_value(before));
    let after = object(serde_json::to_value(after));
    after.into_iter().filter(|(name, value)| before.get(name) != Some(value)).map(|(name, _)| name).collect()
}
