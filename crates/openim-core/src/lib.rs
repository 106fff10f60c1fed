//! The OpenIM client: sessions, sync, storage, outbox.
//!
//! A [`Client`] is what a user holds; each noun's file carries the calls on it. A login makes a session, which owns its
//! database, its connection and its tasks, and ends with all of them. Everything that arrives or is done goes through
//! one writer into SQLite and comes out as ordered events of an [`EventQueue`].
//!
//! Arrows: nouns -> sync -> store; nouns -> net. `model`, `event`, `change`, `error`, `config`, `clock`, `pool`, `scope`
//! serve all of them.

mod announcer;
mod ascii_json;
mod background;
mod black;
mod change;
mod change_stream;
mod client;
mod clock;
mod config;
mod connect;
mod conversation;
mod database;
mod device;
mod error;
mod event;
mod event_queue;
mod friend;
mod friend_request;
mod history;
mod increment;
mod listen;
mod message;
pub mod model;
mod net;
mod outbox;
mod paging;
mod pool;
mod presence;
mod pull;
mod queue;
mod scope;
mod send;
mod sensitive;
mod session;
mod sources;
mod store;
mod sync;
mod token;
mod transmit;
mod user;

pub use black::BlackParams;
pub use change::{Change, Notification, Published};
pub use change_stream::ChangeStream;
pub use client::{Client, Done, LoginParams, WaitUntil};
pub use clock::Clock;
pub use config::{Config, OnCorruptDatabase};
pub use conversation::{ConversationSource, Page};
pub use device::PushToken;
pub use error::{Error, Result, Retry, SITUATIONS, Situation};
pub use event::{EVENT_ITEMS, Event};
pub use event_queue::EventQueue;
pub use friend::{FriendPage, FriendSearch, FriendsUpdate, SpecifiedFriends};
pub use friend_request::{AddFriend, ApplicationKey, ApplicationPage, FriendAnswer, Since};
pub use history::HistoryParams;
pub use message::SendMessageParams;
pub use openim_proto::wire::WireFormat;
pub use scope::{Scope, Scoped};
pub use send::MessageKey;
pub use sensitive::Sensitive;
pub use token::TokenProvider;
pub use user::SelfUpdate;
