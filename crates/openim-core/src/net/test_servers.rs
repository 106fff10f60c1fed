//! Servers and proxies for the tests of this floor. Each runs on a free port of 127.0.0.1 until its test's runtime ends.

use std::sync::{Arc, Mutex, RwLock};

use futures_util::{SinkExt, StreamExt};
use openim_proto::wire::{Wire, WireFormat};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::socket::SocketConfig;
use super::transport::Transport;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Result;
use crate::sensitive::Sensitive;

/// A name that only the proxies of this file can resolve.
pub(super) const HOST: &str = "im.invalid";

/// A private authority and a server certificate of it.
pub(super) struct Authority {
    pub(super) pem: String,
    acceptor: TlsAcceptor,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), HOST.to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        Self { pem: issuer.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> std::io::Result<impl AsyncRead + AsyncWrite + Unpin + Send> {
        self.acceptor.accept(stream).await
    }
}

/// Runs `handle` for every connection; the port.
pub(super) async fn serve<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    port
}

/// A port that nobody listens on.
pub(super) async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// Reads until the other end has said `bytes` or more, then stops the clock: whoever waits for an answer gets his time
/// limit at once, and keeps the connection open.
pub(super) async fn silence(mut stream: impl AsyncRead + Unpin, bytes: usize) {
    let mut heard = vec![0; bytes];
    stream.read_exact(&mut heard).await.unwrap();
    tokio::time::pause();
    std::future::pending::<()>().await;
}

/// The gateway's side of a socket, greeted.
pub(super) async fn gateway<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> WebSocketStream<S> {
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    let greeting = r#"{"errCode":0,"errMsg":"","errDlt":""}"#;
    socket.send(Message::text(greeting)).await.unwrap();
    socket
}

/// A gateway that greets and then listens, over TLS where there is an authority.
pub(super) async fn gateway_port(authority: Option<&Arc<Authority>>) -> u16 {
    let authority = authority.cloned();
    serve(move |stream| {
        let authority = authority.clone();
        async move {
            match authority {
                // a client that does not trust the authority breaks off
                Some(authority) => {
                    if let Ok(stream) = authority.accept(stream).await {
                        drop(gateway(stream).await.next().await);
                    }
                }
                None => drop(gateway(stream).await.next().await),
            }
        }
    })
    .await
}

/// Reads the head of an HTTP message.
pub(super) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// Reads an HTTP request with its body; its head.
pub(super) async fn request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let head = head(stream).await;
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    stream.read_exact(&mut vec![0; length]).await.unwrap();
    head
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, v)| v)
}

/// What a proxy was asked for.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

/// An HTTP proxy that tunnels (CONNECT) and forwards to 127.0.0.1, whatever the host.
pub(super) async fn http_proxy(credentials: Option<&'static str>) -> (u16, Asked) {
    let asked = Asked::default();
    let log = asked.clone();
    let port = serve(move |mut client| {
        let log = log.clone();
        async move {
            let head = head(&mut client).await;
            let line = head.lines().next().unwrap().to_owned();
            log.lock().unwrap().push(line.clone());
            if header(&head, "proxy-authorization") != credentials {
                let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
                client.write_all(refusal.as_bytes()).await.unwrap();
                return;
            }
            let target = line.split(' ').nth(1).unwrap().trim_start_matches("http://");
            let port = target.split('/').next().unwrap().rsplit(':').next().unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).await.unwrap();
            if line.starts_with("CONNECT ") {
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            } else {
                server.write_all(head.as_bytes()).await.unwrap();
            }
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    })
    .await;
    (port, asked)
}

/// A SOCKS5 proxy to 127.0.0.1, whatever the host.
pub(super) async fn socks_proxy(credentials: Option<(&'static str, &'static str)>) -> (u16, Asked) {
    let asked = Asked::default();
    let log = asked.clone();
    let port = serve(move |mut client| {
        let log = log.clone();
        async move {
            let mut two = [0; 2];
            client.read_exact(&mut two).await.unwrap();
            let mut methods = vec![0; usize::from(two[1])];
            client.read_exact(&mut methods).await.unwrap();
            let method = if credentials.is_some() { 2 } else { 0 };
            if !methods.contains(&method) {
                client.write_all(&[5, 0xff]).await.unwrap();
                return;
            }
            client.write_all(&[5, method]).await.unwrap();
            if let Some((user, password)) = credentials {
                client.read_u8().await.unwrap();
                let given = (text(&mut client).await, text(&mut client).await);
                let accepted = given == (user.to_owned(), password.to_owned());
                client.write_all(&[1, u8::from(!accepted)]).await.unwrap();
                if !accepted {
                    return;
                }
            }
            let mut request = [0; 4];
            client.read_exact(&mut request).await.unwrap();
            assert_eq!(request, [5, 1, 0, 3], "a connection to a host by its name");
            let host = text(&mut client).await;
            let port = client.read_u16().await.unwrap();
            log.lock().unwrap().push(format!("{host}:{port}"));
            match TcpStream::connect(("127.0.0.1", port)).await {
                Ok(mut server) => {
                    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
                Err(_) => client.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap(),
            }
        }
    })
    .await;
    (port, asked)
}

/// A text behind its length.
async fn text(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; usize::from(stream.read_u8().await.unwrap())];
    stream.read_exact(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

/// A transport as configured.
pub(super) fn transport(proxy: Option<&str>, authorities: &[&str]) -> Result<Arc<Transport>> {
    let config = serde_json::json!({
        "apiAddr": "http://127.0.0.1:1", "wsAddr": "ws://127.0.0.1:1", "platformID": 7,
        "proxy": proxy, "caCertificates": authorities,
    });
    let config: Config = serde_json::from_value(config).unwrap();
    Ok(Arc::new(Transport::new(&config)?))
}

pub(super) fn direct() -> Arc<Transport> {
    transport(None, &[]).unwrap()
}

pub(super) fn token() -> Arc<RwLock<Sensitive<String>>> {
    Arc::new(RwLock::new(Sensitive::new("the-token".to_owned())))
}

pub(super) fn socket_config(ws_addr: String, transport: Arc<Transport>) -> SocketConfig {
    SocketConfig {
        ws_addr,
        user_id: "alice".to_owned(),
        platform_id: 7,
        token: token(),
        wire: Wire { format: WireFormat::Json, gzip: true },
        background: Arc::default(),
        transport,
        scope: crate::scope::Scope::session("alice", 7),
        clock: Clock::system(),
    }
}
