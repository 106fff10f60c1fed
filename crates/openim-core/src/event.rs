//! Events: what listeners hear of, and the form in which it crosses into JavaScript.

use serde::ser::{Serialize, SerializeTuple, Serializer};

use crate::ascii_json;
use crate::error::Error;
use crate::model::{
    Black, Conversation, Friend, FriendApplication, Keyless, Message, MessageSendState, Receipt, SelfUserInfo,
    UserOnlineState,
};

/// How many elements a list in an event has at most; a longer one is several events. As much as crosses into JavaScript at
/// once without holding up the application.
pub const EVENT_ITEMS: usize = 50;

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
    /// `OnUserStatusChanged`: a subscribed user came online or went.
    UserStatusChanged(UserOnlineState),
    /// `OnFriendApplicationAdded`: somebody applied, on both sides.
    FriendApplicationAdded(FriendApplication),
    /// `OnFriendApplicationDeleted`.
    FriendApplicationDeleted(FriendApplication),
    /// `OnFriendApplicationAccepted`, on both sides.
    FriendApplicationAccepted(FriendApplication),
    /// `OnFriendApplicationRejected`, on both sides.
    FriendApplicationRejected(FriendApplication),
    /// `OnFriendAdded`.
    FriendAdded(Friend),
    /// `OnFriendDeleted`: the friend as he was.
    FriendDeleted(Friend),
    /// `OnFriendInfoChanged`: name, avatar, remark, or whatever else the list shows.
    FriendInfoChanged(Friend),
    /// `OnBlackAdded`.
    BlackAdded(Black),
    /// `OnBlackDeleted`.
    BlackDeleted(Black),
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
    /// `OnRecvOfflineNewMessages`, and `OnRecvOfflineNewMessage` for each: the application is in the background.
    RecvOfflineNewMessages(Vec<Message>),
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
            Self::UserStatusChanged(_) => "OnUserStatusChanged",
            Self::FriendApplicationAdded(_) => "OnFriendApplicationAdded",
            Self::FriendApplicationDeleted(_) => "OnFriendApplicationDeleted",
            Self::FriendApplicationAccepted(_) => "OnFriendApplicationAccepted",
            Self::FriendApplicationRejected(_) => "OnFriendApplicationRejected",
            Self::FriendAdded(_) => "OnFriendAdded",
            Self::FriendDeleted(_) => "OnFriendDeleted",
            Self::FriendInfoChanged(_) => "OnFriendInfoChanged",
            Self::BlackAdded(_) => "OnBlackAdded",
            Self::BlackDeleted(_) => "OnBlackDeleted",
            Self::SyncServerStart(_) => "OnSyncServerStart",
            Self::SyncServerProgress(_) => "OnSyncServerProgress",
            Self::SyncServerFinish(_) => "OnSyncServerFinish",
            Self::SyncServerFailed(_) => "OnSyncServerFailed",
            Self::NewConversation(_) => "OnNewConversation",
            Self::ConversationChanged(_) => "OnConversationChanged",
            Self::TotalUnreadMessageCountChanged(_) => "OnTotalUnreadMessageCountChanged",
            Self::RecvNewMessages(_) => "OnRecvNewMessages",
            Self::RecvOfflineNewMessages(_) => "OnRecvOfflineNewMessages",
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
            Self::RecvNewMessages(list) | Self::RecvOfflineNewMessages(list) | Self::RecvOnlineOnlyMessages(list) => {
                list.len()
            }
            Self::RecvC2CReadReceipt(list) => list.len(),
            _ => 1,
        }
    }

    /// Whether the event carries an empty list; such events are never enqueued.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The events of a list: one for at most [`EVENT_ITEMS`] elements each, none for an empty list.
    pub(crate) fn of_list<T>(list: Vec<T>, event: fn(Vec<T>) -> Self) -> impl Iterator<Item = Self> {
        let mut rest = list.into_iter();
        std::iter::from_fn(move || {
            let part: Vec<T> = rest.by_ref().take(EVENT_ITEMS).collect();
            (!part.is_empty()).then(|| event(part))
        })
    }

    /// The event as it crosses into JavaScript: JSON of `[name, payload]`, in ASCII.
    pub fn to_json(&self) -> Result<String, Error> {
        ascii_json::to_string(self).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Reads the texts of messages: whoever takes an event has the time for it, the writer has not.
    pub(crate) fn unfold(&mut self) {
        if let Self::RecvNewMessages(list) | Self::RecvOfflineNewMessages(list) | Self::RecvOnlineOnlyMessages(list) =
            self
        {
            list.iter_mut().for_each(Message::unfold);
        }
    }

    /// Estimate of the bytes that the event holds and will cross as.
    pub fn bytes(&self) -> usize {
        match self {
            Self::NewConversation(list) | Self::ConversationChanged(list) => list.iter().map(Conversation::bytes).sum(),
            Self::RecvNewMessages(list) | Self::RecvOfflineNewMessages(list) | Self::RecvOnlineOnlyMessages(list) => {
                list.iter().map(Message::bytes).sum()
            }
            Self::RecvC2CReadReceipt(list) => list.iter().map(|receipt| 100 + receipt.msg_id_list.len() * 40).sum(),
            Self::FriendAdded(friend) | Self::FriendDeleted(friend) | Self::FriendInfoChanged(friend) => friend.bytes(),
            Self::BlackAdded(black) | Self::BlackDeleted(black) => 500 + black.ex.len(),
            Self::FriendApplicationAdded(application)
            | Self::FriendApplicationDeleted(application)
            | Self::FriendApplicationAccepted(application)
            | Self::FriendApplicationRejected(application) => application.bytes(),
            _ => 100,
        }
    }

    /// Lists may be dropped when listeners fall behind: a query gives the truth. Session events may not.
    pub(crate) fn is_droppable(&self) -> bool {
        matches!(
            self,
            Self::NewConversation(_)
                | Self::ConversationChanged(_)
                | Self::RecvNewMessages(_)
                | Self::RecvOfflineNewMessages(_)
                | Self::RecvOnlineOnlyMessages(_)
                | Self::RecvC2CReadReceipt(_)
                | Self::FriendAdded(_)
                | Self::FriendDeleted(_)
                | Self::FriendInfoChanged(_)
                | Self::BlackAdded(_)
                | Self::BlackDeleted(_)
                | Self::FriendApplicationAdded(_)
                | Self::FriendApplicationDeleted(_)
                | Self::FriendApplicationAccepted(_)
                | Self::FriendApplicationRejected(_)
                | Self::UserStatusChanged(_)
        )
    }
}

/// `[name, payload]`, the form in which events cross into JavaScript. Messages cross without keys.
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
            Self::UserStatusChanged(state) => pair.serialize_element(state)?,
            Self::FriendApplicationAdded(application)
            | Self::FriendApplicationDeleted(application)
            | Self::FriendApplicationAccepted(application)
            | Self::FriendApplicationRejected(application) => pair.serialize_element(application)?,
            Self::FriendAdded(friend) | Self::FriendDeleted(friend) | Self::FriendInfoChanged(friend) => {
                pair.serialize_element(friend)?;
            }
            Self::BlackAdded(black) | Self::BlackDeleted(black) => pair.serialize_element(black)?,
            Self::SyncServerStart(first) | Self::SyncServerFinish(first) | Self::SyncServerFailed(first) => {
                pair.serialize_element(first)?;
            }
            Self::SyncServerProgress(progress) => pair.serialize_element(progress)?,
            Self::NewConversation(list) | Self::ConversationChanged(list) => pair.serialize_element(list)?,
            Self::TotalUnreadMessageCountChanged(total) => pair.serialize_element(total)?,
            Self::RecvNewMessages(list) | Self::RecvOfflineNewMessages(list) | Self::RecvOnlineOnlyMessages(list) => {
                pair.serialize_element(&list.iter().map(Keyless).collect::<Vec<_>>())?;
            }
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
