//! The handshake (gateway.md section 1): one attempt to get a usable socket.

use std::time::Duration;

use futures_util::StreamExt;
use openim_proto::envelope::HandshakeReply;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::socket::SocketConfig;
use crate::error::{Error, Result};

/// Frames above this are refused: servers split their answers to stay below 1 MiB (gateway.md 2.5).
pub(super) const MAX_INCOMING_BYTES: usize = 16 << 20;
const TIMEOUT: Duration = Duration::from_secs(15);

pub(super) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Connects and reads the handshake reply. A refusal is `Error::Server` with the gateway's code.
pub(super) async fn dial(config: &SocketConfig) -> Result<Stream> {
    match tokio::time::timeout(TIMEOUT, attempt(config)).await {
        Ok(result) => result,
        Err(_) => Err(Error::Timeout("the handshake".to_owned())),
    }
}

async fn attempt(config: &SocketConfig) -> Result<Stream> {
    super::install_tls_provider();
    let request = address(config)
        .into_client_request()
        .map_err(|error| Error::args("wsAddr", format!("is no address: {error}")))?;
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MAX_INCOMING_BYTES))
        .max_frame_size(Some(MAX_INCOMING_BYTES))
        .read_buffer_size(64 << 10);
    let (mut stream, _) =
        tokio_tungstenite::connect_async_with_config(request, Some(limits), true).await.map_err(refusal)?;
    match stream.next().await {
        Some(Ok(Message::Text(text))) => {
            let reply: HandshakeReply = serde_json::from_str(&text)
                .map_err(|error| Error::Protocol(format!("unreadable handshake reply: {error}")))?;
            match reply.err_code {
                0 => Ok(stream),
                code => Err(Error::server(code, reply.err_msg, reply.err_dlt)),
            }
        }
        Some(Ok(_)) => Err(Error::Protocol("the gateway did not begin with a handshake reply".to_owned())),
        Some(Err(error)) => Err(Error::Network(error.to_string())),
        None => Err(Error::Network("the gateway closed during the handshake".to_owned())),
    }
}

/// The query of gateway.md 1.2; the JSON codec is `sdkType=js`.
fn address(config: &SocketConfig) -> String {
    let separator = if config.ws_addr.contains('?') { '&' } else { '?' };
    let token = config.token();
    let mut address = format!("{}{separator}", config.ws_addr);
    for (key, value) in [
        ("sendID", config.user_id.as_str()),
        ("token", token.as_str()),
        ("platformID", &config.platform_id.to_string()),
        ("operationID", &config.clock.id()),
        ("isBackground", "false"),
        ("isMsgResp", "true"),
        ("sdkType", "js"),
        ("sdkVersion", concat!("openim-node/", env!("CARGO_PKG_VERSION"))),
    ] {
        address.push_str(key);
        address.push('=');
        percent_encode(value, &mut address);
        address.push('&');
    }
    if config.compression {
        address.push_str("compression=gzip");
    } else {
        address.pop();
    }
    address
}

fn percent_encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// A refusal without upgrade is HTTP with the same JSON in its body (gateway.md 1.3).
fn refusal(error: tungstenite::Error) -> Error {
    let tungstenite::Error::Http(response) = &error else { return Error::Network(error.to_string()) };
    let reply = response.body().as_deref().and_then(|body| serde_json::from_slice::<HandshakeReply>(body).ok());
    match reply {
        Some(reply) if reply.err_code != 0 => Error::server(reply.err_code, reply.err_msg, reply.err_dlt),
        _ => Error::Network(format!("the gateway answered HTTP {}", response.status())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_characters_travel_encoded() {
        let mut out = String::new();
        percent_encode("a b&c=张/~", &mut out);
        assert_eq!(out, "a%20b%26c%3D%E5%BC%A0%2F~");
    }
}
