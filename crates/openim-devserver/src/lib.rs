//! An OpenIM server in one process: the 3.8 protocol over REST and WebSocket, on SQLite in a folder or in memory.
//!
//! ```no_run
//! # async fn example() -> Result<(), openim_devserver::Error> {
//! use openim_devserver::{Config, DevServer};
//! let server = DevServer::start(Config::default()).await?;
//! let token = server.token("alice", 5).await?;
//! println!("{} {token}", server.addresses().api_addr);
//! server.stop().await;
//! # Ok(())
//! # }
//! ```

mod account;
mod api;
mod config;
mod domain;
mod environment;
mod error;
mod faults;
mod gateway;
mod server;
mod store;

pub use config::{Config, DEFAULT_SECRET, MultiLogin};
pub use environment::Environment;
pub use error::Error;
pub use faults::{Disturbance, Effect, Faults, Lever, Pending, Point, RawFrame, Scope};
pub use server::{Addresses, DevServer, NewUser};
