//! The handshake (gateway.md section 1): one attempt to get a usable socket. Each step has a name, so that a failure
//! tells who did not answer: the proxy, the machine, its TLS, its HTTP, or the gateway behind it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use openim_proto::envelope::HandshakeReply;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tokio_util::either::Either;

use super::resolve::resolve;
use super::socket::SocketConfig;
use super::transport::{Transport, tls_failure};
use super::upgrade::Upgrade;
use crate::error::{Error, Result};
use crate::sensitive::Sensitive;

/// Frames above this are refused: servers split their answers to stay below 1 MiB (gateway.md 2.5).
pub(super) const MAX_INCOMING_BYTES: usize = 16 << 20;
/// Each connection keeps so much, and clears it before every read; a frame that is longer gets room of its own. With a
/// thousand accounts 64 kB would be a tenth of the memory.
const READ_BUFFER_BYTES: usize = 16 << 10;
/// For all steps together.
const TIMEOUT: Duration = Duration::from_secs(15);

pub(super) type Stream = WebSocketStream<Upgrade<Either<TcpStream, TlsStream<TcpStream>>>>;

/// Connects and reads the handshake reply. A refusal is `Error::Server` with the gateway's code.
pub(super) async fn dial(config: &SocketConfig, token: &Sensitive<String>) -> Result<Stream> {
    let deadline = Instant::now() + TIMEOUT;
    let request = address(config, token)
        .into_client_request()
        .map_err(|error| Error::args("wsAddr", format!("is no address: {error}")))?;
    let secure = request.uri().scheme_str() == Some("wss");
    let host = request.uri().host().unwrap_or_default().to_owned();
    let port = request.uri().port_u16().unwrap_or(if secure { 443 } else { 80 });

    let stream = reach(&config.transport, &host, port, deadline).await?;
    let stream = if secure {
        let tls = encrypt(&config.transport, &host, stream);
        Either::Right(within(deadline, tls, || Error::Timeout(format!("the TLS handshake with {host}"))).await?)
    } else {
        Either::Left(stream)
    };
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MAX_INCOMING_BYTES))
        .max_frame_size(Some(MAX_INCOMING_BYTES))
        .read_buffer_size(READ_BUFFER_BYTES);
    let upgrade =
        async { client_async_with_config(request, Upgrade::new(stream), Some(limits)).await.map_err(refusal) };
    let (stream, _) = within(deadline, upgrade, || Error::Timeout(format!("the upgrade by {host}:{port}"))).await?;
    within(deadline, greeting(stream), || Error::Timeout("the gateway's handshake".to_owned())).await
}

async fn within<T>(
    deadline: Instant,
    step: impl Future<Output = Result<T>>,
    late: impl FnOnce() -> Error,
) -> Result<T> {
    timeout_at(deadline, step).await.unwrap_or_else(|_| Err(late()))
}

/// A connection to the server, directly or through the proxy.
async fn reach(transport: &Transport, host: &str, port: u16, deadline: Instant) -> Result<TcpStream> {
    match transport.proxy() {
        None => {
            let connecting =
                async { connect(host, port).await.map_err(|error| Error::Network(format!("{host}:{port}: {error}"))) };
            within(deadline, connecting, || Error::Timeout(format!("connecting to {host}:{port}"))).await
        }
        Some(proxy) => {
            let tunnelling = async {
                let stream = connect(proxy.host(), proxy.port())
                    .await
                    .map_err(|error| proxy.fails(format!("cannot be reached: {error}")))?;
                proxy.tunnel(stream, host, port).await
            };
            within(deadline, tunnelling, || proxy.fails("does not answer")).await
        }
    }
}

async fn connect(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let addresses = resolve(unbracketed(host), port).await?;
    let stream = TcpStream::connect(addresses.as_slice()).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn encrypt(transport: &Transport, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(unbracketed(host).to_owned())
        .map_err(|_| Error::args("wsAddr", "has a host name that no certificate can carry"))?;
    let connector = tokio_rustls::TlsConnector::from(transport.tls().await?);
    connector
        .connect(name, stream)
        .await
        .map_err(|error| tls_failure(host, &error).unwrap_or_else(|| Error::Network(format!("{host}: {error}"))))
}

/// `[::1]` of an address is `::1` to everybody else.
fn unbracketed(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// The first frame says whether the gateway takes the connection.
async fn greeting(mut stream: Stream) -> Result<Stream> {
    match stream.next().await {
        Some(Ok(Message::Text(text))) => {
            let reply: HandshakeReply = serde_json::from_str(&text).map_err(|error| {
                Error::Protocol(format!("unreadable handshake reply: {}", super::json_failure(&error)))
            })?;
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

/// The query of gateway.md 1.2. An address without a path gets one: a request line cannot begin with the query.
fn address(config: &SocketConfig, token: &Sensitive<String>) -> String {
    let (place, query) = config.ws_addr.split_once('?').unwrap_or((&config.ws_addr, ""));
    let has_path = place.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    let (slash, separator) = (if has_path { "" } else { "/" }, if query.is_empty() { "" } else { "&" });
    let mut address = format!("{place}{slash}?{query}{separator}");
    for (key, value) in [
        ("sendID", config.user_id.as_str()),
        ("token", token.reveal().as_str()),
        ("platformID", &config.platform_id.to_string()),
        ("operationID", &config.clock.id()),
        ("isBackground", if config.background.load(Ordering::SeqCst) { "true" } else { "false" }),
        ("isMsgResp", "true"),
        ("sdkType", config.wire.format.sdk_type()),
        ("sdkVersion", concat!("openim-node/", env!("CARGO_PKG_VERSION"))),
    ] {
        address.push_str(key);
        address.push('=');
        percent_encode(value, &mut address);
        address.push('&');
    }
    if config.wire.gzip {
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
    use std::sync::Arc;

    use openim_proto::wire::{Wire, WireFormat};

    use super::*;
    use crate::clock::Clock;

    fn address_of(ws_addr: &str, format: WireFormat, gzip: bool) -> String {
        let config = SocketConfig {
            ws_addr: ws_addr.to_owned(),
            user_id: "u".to_owned(),
            platform_id: 7,
            token: Arc::default(),
            wire: Wire { format, gzip },
            background: Arc::default(),
            transport: super::super::test_servers::direct(),
            scope: crate::scope::Scope::session("u", 7),
            clock: Clock::system(),
        };
        address(&config, &config.token()).replace(concat!("sdkVersion=openim-node%2F", env!("CARGO_PKG_VERSION")), "*")
    }

    #[test]
    fn the_handshake_asks_for_the_configured_wire() {
        assert!(address_of("ws://h", WireFormat::Gob, true).ends_with("&sdkType=go&*&compression=gzip"));
        assert!(address_of("ws://h", WireFormat::Json, false).ends_with("&sdkType=js&*"));
    }

    #[test]
    fn path_and_query_of_the_address_stay_and_a_missing_path_is_the_root() {
        for (given, begin) in [
            ("ws://h:1", "ws://h:1/?sendID=u&"),
            ("ws://h:1/", "ws://h:1/?sendID=u&"),
            ("wss://h/msg_gateway", "wss://h/msg_gateway?sendID=u&"),
            ("ws://h:1?a=/b", "ws://h:1/?a=/b&sendID=u&"),
            ("ws://h/p?a=1&b=2", "ws://h/p?a=1&b=2&sendID=u&"),
        ] {
            let address = address_of(given, WireFormat::Gob, true);
            assert!(address.starts_with(begin), "{address}");
        }
    }

    #[test]
    fn reserved_characters_travel_encoded() {
        let mut out = String::new();
        percent_encode("a b&c=张/~", &mut out);
        assert_eq!(out, "a%20b%26c%3D%E5%BC%A0%2F~");
    }
}
