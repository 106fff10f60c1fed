//! The two ways to the server: the gateway's socket and the REST API. Knows frames and envelopes; nothing of what they
//! mean, of the database, or of events.

mod dial;
mod http;
mod link;
mod socket;

pub(crate) use http::Api;
pub(crate) use socket::{Socket, SocketConfig, SocketEvent};

/// rustls needs a process-wide provider before the first connection.
pub(crate) fn install_tls_provider() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // an error means that the host installed one already, which serves as well
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
