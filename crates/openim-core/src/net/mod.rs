//! The two ways to the server: the gateway's socket and the REST API. Knows frames and envelopes; nothing of what they
//! mean, of the database, or of events.

mod dial;
mod http;
mod link;
mod proxy;
mod resolve;
mod socket;
mod transport;
mod upgrade;

#[cfg(test)]
mod dial_tests;
#[cfg(test)]
mod http_tests;
#[cfg(test)]
mod link_tests;
#[cfg(test)]
mod test_servers;

pub(crate) use http::{Api, data};
pub(crate) use link::Push;
pub(crate) use socket::{Socket, SocketConfig, SocketEvent};
pub(crate) use transport::Transport;

/// The innermost reason: the outer texts repeat addresses.
fn root(error: &dyn std::error::Error) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

/// What is wrong with a JSON text, without its content: serde's own text quotes what it found.
fn json_failure(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Data => "another shape than expected",
        serde_json::error::Category::Eof => "the text ends too early",
        _ => "no JSON",
    };
    format!("{kind} (line {}, column {})", error.line(), error.column())
}
