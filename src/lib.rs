//! N-API bindings of openim-node: convert, forward, return. No rule of instant messaging lives here.
//!
//! | file | what |
//! |---|---|
//! | `client.rs` | the class behind a client: open, close, status, credit, cancellation |
//! | `methods/` | one list of methods per noun |
//! | `answer.rs` | results and errors as text, panics, cancellation of a running call |
//! | `error.rs` | the error record |
//! | `events.rs` | the event pump |
//! | `logs.rs` | the log records of the process |
//! | `dev_server.rs` | the embedded dev server |

mod answer;
mod cancel;
mod client;
#[cfg(feature = "devserver")]
mod dev_server;
mod error;
mod events;
pub mod logs;
mod methods;

use napi_derive::napi;

/// Version of this package.
#[napi]
pub fn sdk_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Panics are told by the promise that they reject; their text belongs into the log, not on standard error. Only a
/// literal text: one that was put together may quote what a user wrote.
#[napi_derive::module_init]
fn init() {
    std::panic::set_hook(Box::new(|panic| {
        let reason = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or_default();
        let place = panic.location().map(ToString::to_string);
        tracing::error!(reason, place, "panic");
    }));
}
