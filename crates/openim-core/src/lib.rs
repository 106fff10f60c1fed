//! The OpenIM client: sessions, sync, storage, outbox.
//!
//! A [`Client`] is what a user holds; each noun's file carries the calls on it. A login makes a session, which owns its
//! database, its connection and its tasks, and ends with all of them. Everything that arrives or is done goes through
//! one writer into SQLite and comes out as ordered events of an [`EventQueue`].
//!
//! Arrows: nouns -> sync -> store; nouns -> net. `model`, `event`, `error`, `config`, `clock` serve all of them.

mod client;
mod clock;
mod config;
mod connect;
mod conversation;
mod error;
mod event;
mod history;
mod listen;
mod message;
pub mod model;
mod net;
mod outbox;
mod pull;
mod sensitive;
mod session;
mod store;
mod sync;
mod user;

pub use client::{Client, Done, LoginParams, WaitUntil};
pub use clock::Clock;
pub use config::{Config, OnCorruptDatabase};
pub use conversation::{ConversationSource, Page};
pub use error::{Error, Result, Retry, SITUATIONS, Situation};
pub use event::{Event, EventQueue};
pub use history::HistoryParams;
pub use message::SendMessageParams;
pub use sensitive::Sensitive;
