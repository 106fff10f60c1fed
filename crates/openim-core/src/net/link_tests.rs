use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{SinkExt, StreamExt};
use openim_proto::constants::operation;
use openim_proto::envelope::{Response, compress};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::socket::{Socket, SocketEvent};
use super::test_servers::{direct, gateway, serve, socket_config};
use crate::error::Error;

/// A socket that is connected to a server, and what it tells.
struct Connection {
    socket: Arc<Socket>,
    events: mpsc::Receiver<SocketEvent>,
    over: CancellationToken,
    _end: DropGuard,
}

async fn connect<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> Connection
where
    F: Future<Output = ()> + Send + 'static,
{
    let port = serve(handle).await;
    let (sender, mut events) = mpsc::channel(16);
    let end = CancellationToken::new();
    let config = socket_config(format!("ws://127.0.0.1:{port}"), direct());
    let socket = Arc::new(Socket::start(config, sender, end.clone()));
    assert!(matches!(events.recv().await, Some(SocketEvent::Connecting { first: true })));
    let Some(SocketEvent::Connected(over)) = events.recv().await else { panic!("not connected") };
    Connection { socket, events, over, _end: end.drop_guard() }
}

fn push(data: &[u8]) -> Message {
    let response = Response { req_identifier: operation::PUSH_MSG, data: data.to_vec(), ..Response::default() };
    Message::Binary(compress(&response.to_json()).into())
}

/// Writes raw bytes on an open socket, then reads until the client hangs up; the bytes that it took.
async fn raw(stream: TcpStream, head: &[u8], pieces: usize) -> usize {
    let mut stream = gateway(stream).await.into_inner();
    stream.write_all(head).await.unwrap();
    let piece = vec![0; 1 << 20];
    let mut written = 0;
    for _ in 0..pieces {
        if stream.write_all(&piece).await.is_err() {
            return written;
        }
        written += piece.len();
    }
    let _ = stream.read_to_end(&mut Vec::new()).await;
    written
}

#[tokio::test]
async fn a_frame_of_a_hundred_megabytes_is_refused_by_its_head() {
    let (report, mut reported) = mpsc::channel(4);
    let mut connection = connect(move |stream| {
        let report = report.clone();
        async move {
            let mut head = vec![0x82, 127];
            head.extend_from_slice(&(100u64 << 20).to_be_bytes());
            let _ = report.send(raw(stream, &head, 100).await).await;
        }
    })
    .await;
    assert!(matches!(connection.events.recv().await, Some(SocketEvent::Lost)));
    assert!(reported.recv().await.unwrap() < 50 << 20, "the client read on");
}

#[tokio::test]
async fn a_text_frame_that_is_no_text_ends_the_connection() {
    let mut connection = connect(|stream| async move {
        raw(stream, &[0x81, 2, 0xc3, 0x28], 0).await;
    })
    .await;
    assert!(matches!(connection.events.recv().await, Some(SocketEvent::Lost)));
    assert!(matches!(connection.events.recv().await, Some(SocketEvent::Connecting { first: true })));
}

#[tokio::test]
async fn frames_that_cannot_be_read_are_passed_over() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..100 {
        bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let mut connection = connect(move |stream| {
        let bomb = bomb.clone();
        async move {
            let mut socket = gateway(stream).await;
            for bad in [bomb, b"no gzip".to_vec(), compress(b"no envelope"), Vec::new()] {
                socket.send(Message::Binary(bad.into())).await.unwrap();
            }
            socket.send(Message::text("no pong")).await.unwrap();
            socket.send(push(b"after them")).await.unwrap();
            while socket.next().await.is_some() {}
        }
    })
    .await;
    let Some(SocketEvent::Push(push)) = connection.events.recv().await else { panic!("no push") };
    assert_eq!(push.payload, b"after them");
    assert!(!connection.over.is_cancelled());
}

#[tokio::test]
async fn a_request_without_an_answer_has_its_time_limit() {
    let connection = connect(|stream| async move {
        let mut socket = gateway(stream).await;
        socket.next().await;
        tokio::time::pause();
        while socket.next().await.is_some() {}
    })
    .await;
    let answer = connection.socket.request(operation::GET_NEWEST_SEQ, Vec::new()).await;
    assert_eq!(answer, Err(Error::Timeout(format!("request {}", operation::GET_NEWEST_SEQ))));
    assert!(!connection.over.is_cancelled(), "other requests go on");
}

#[tokio::test]
async fn a_gateway_without_a_sign_of_life_is_given_up() {
    let mut connection = connect(|stream| async move {
        let _held = gateway(stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    tokio::time::pause();
    assert!(matches!(connection.events.recv().await, Some(SocketEvent::Lost)));
}

#[tokio::test]
async fn a_gateway_that_takes_nothing_is_given_up_and_its_requests_end() {
    let connection = connect(|stream| async move {
        let _held = gateway(stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    // noise, which does not compress: more than the system buffers
    let mut state = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(16 << 20)
    .collect();
    let request = connection.socket.request(operation::SEND_MSG, noise).await;
    assert!(request.unwrap_err().is_connection_loss());
    connection.over.cancelled().await;
    assert!(started.elapsed() < Duration::from_secs(20), "not before silence would have told");
}

#[tokio::test]
async fn after_a_kick_nobody_connects_again_before_somebody_asks() {
    let mut connection = connect(|stream| async move {
        let mut socket = gateway(stream).await;
        let kick = Response { req_identifier: operation::KICK_ONLINE, ..Response::default() };
        socket.send(Message::Binary(compress(&kick.to_json()).into())).await.unwrap();
    })
    .await;
    assert!(matches!(connection.events.recv().await, Some(SocketEvent::Kicked)));
    assert!(matches!(connection.events.recv().await, Some(SocketEvent::Lost)));
    tokio::time::pause();
    let quiet = tokio::time::timeout(Duration::from_secs(3600), connection.events.recv()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    connection.socket.reconnect();
    assert!(matches!(connection.events.recv().await, Some(SocketEvent::Connecting { first: true })));
}

#[tokio::test]
async fn pushes_that_nobody_applies_are_not_read_without_end() {
    const PUSHES: usize = 20;
    let mut connection = connect(|stream| async move {
        let mut socket = gateway(stream).await;
        for _ in 0..PUSHES {
            socket.send(push(&vec![b'x'; 4 << 20])).await.unwrap();
        }
        while socket.next().await.is_some() {}
    })
    .await;
    let mut held = Vec::new();
    tokio::time::pause();
    while let Ok(event) = tokio::time::timeout(Duration::from_secs(3600), connection.events.recv()).await {
        held.push(event);
        if held.len() == PUSHES {
            break;
        }
    }
    assert_eq!(held.len(), 8, "there is room for 32 MiB");
    held.clear();
    for _ in 8..PUSHES {
        assert!(matches!(connection.events.recv().await, Some(SocketEvent::Push(_))));
    }
}
