//! One connection: reading requests in order, writing what waits, keeping alive, and closing (gateway.md 2 and 8).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use openim_proto::constants::{MAX_FRAME_BYTES, platform};
use openim_proto::envelope::TextPing;
use openim_proto::wire::Wire;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, interval_at, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use super::handshake::Opened;
use super::line::Line;
use super::{operations, raw_frame};
use crate::domain::{Device, Domain, Frame, Gate, Outbox, Outgoing};
use crate::environment::Environment;

type Socket = WebSocketStream<Line>;

/// A connection that sends nothing for this long is dead.
const READ_DEADLINE: Duration = Duration::from_secs(30);

/// Browsers cannot ping, so the server pings them, a little before the deadline.
const PING_EVERY: Duration = Duration::from_secs(27);

/// How long the last frame may take to leave.
const FAREWELL: Duration = Duration::from_secs(1);

/// Frames that are written with one system call at most.
const FRAMES_PER_WRITE: usize = 64;

/// Bytes that are read or written with one system call at most. Small, because every connection has its own.
const BUFFER: usize = 8 * 1024;

/// What a frame may grow to when it is decompressed.
const DECOMPRESSED_LIMIT: usize = 8 * 1024 * 1024;

/// Why reading ended.
enum End {
    /// Without a close frame: a rule was broken, the peer is gone, or the server stops.
    Bare,
    /// With the answer to the peer's close frame, which the library has queued.
    Echo,
    /// With a close frame 1009.
    TooLarge,
}

/// Serves an open connection until it ends.
pub(super) async fn run(stream: TcpStream, opened: Opened, domain: &Arc<Domain>, server_ended: CancellationToken) {
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(MAX_FRAME_BYTES))
        .max_frame_size(Some(MAX_FRAME_BYTES));
    let gate = Arc::new(Gate::default());
    let stream = Line::new(stream, gate.clone());
    let socket = WebSocketStream::from_partially_read(stream, opened.rest, Role::Server, Some(config)).await;
    let (sink, source) = socket.split();
    let ended = server_ended.child_token();
    let (outbox, waiting) = Outbox::new(ended.clone());
    let wire = opened.wire;
    let device = domain.world().connect(opened.handshake, outbox, gate);
    let writing = write(sink, waiting, wire, &device, &domain.environment);
    let reading = read(source, wire, &device, domain);
    tokio::pin!(writing, reading);
    let (sink, (source, end)) = tokio::select! {
        sink = &mut writing => {
            ended.cancel();
            (sink, reading.await)
        }
        end = &mut reading => {
            // what is queued may leave, unless the peer does not take it or the server stops
            let last = device.clone();
            domain.store.after(move || last.outbox.push(Outgoing::Close));
            let sink = tokio::select! {
                sink = timeout(FAREWELL, &mut writing) => sink.ok().flatten(),
                () = ended.cancelled() => None,
            };
            (sink, end)
        }
    };
    domain.world().disconnect(&device);
    if let Some(sink) = sink {
        tokio::select! {
            _ = timeout(FAREWELL, close(sink, source, end)) => {}
            () = server_ended.cancelled() => {}
        }
    }
}

/// Handles requests one after another until the connection ends.
async fn read(
    mut source: SplitStream<Socket>,
    wire: Wire,
    device: &Arc<Device>,
    domain: &Arc<Domain>,
) -> (SplitStream<Socket>, End) {
    let end = loop {
        let received = tokio::select! {
            received = timeout(READ_DEADLINE, source.next()) => received,
            () = device.outbox.ended.cancelled() => break End::Bare,
        };
        let message = match received {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(Error::Capacity(_)))) => break End::TooLarge,
            // a line that is silenced on purpose stays open
            Err(_) if device.gate.is_closed() => continue,
            Ok(Some(Err(_)) | None) | Err(_) => break End::Bare,
        };
        match message {
            Message::Binary(frame) => {
                let request = match wire.decode_request(&frame, DECOMPRESSED_LIMIT) {
                    Ok(request) => request,
                    Err(error) => {
                        tracing::warn!(%error, user = %device.user_id, "a frame cannot be read, the connection is closed");
                        break End::Bare;
                    }
                };
                if !operations::handle(request, device, domain).await {
                    break End::Bare;
                }
            }
            Message::Text(text) => match serde_json::from_str::<TextPing>(&text) {
                Ok(ping) if ping.r#type == "ping" => {
                    let pong = TextPing { r#type: "pong".into(), ..ping };
                    device.outbox.push(Outgoing::Text(serde_json::to_string(&pong).unwrap_or_default()));
                }
                Ok(pong) if pong.r#type == "pong" => {}
                _ => break End::Bare,
            },
            Message::Close(_) => break End::Echo,
            // the library answers pings; any frame renews the deadline
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    };
    (source, end)
}

/// Writes what waits until told to close; returns the sink if the socket still works.
async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut waiting: UnboundedReceiver<Outgoing>,
    wire: Wire,
    device: &Arc<Device>,
    environment: &Environment,
) -> Option<SplitSink<Socket, Message>> {
    let pings = device.handshake.platform_id == platform::WEB;
    let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            taken = waiting.recv_many(&mut batch, FRAMES_PER_WRITE) => if taken == 0 { return Some(sink) },
            _ = ping.tick(), if pings => sink.send(Message::Ping(Bytes::new())).await.ok()?,
        }
        let taken = batch.len();
        for outgoing in batch.drain(..) {
            let message = match outgoing {
                Outgoing::Frame(frame) => Message::Binary(frame.encoded(wire)),
                Outgoing::Text(text) => Message::Text(text.into()),
                Outgoing::Close => {
                    sink.flush().await.ok()?;
                    return Some(sink);
                }
                Outgoing::CloseWith { code, reason } => {
                    let frame = CloseFrame { code: code.into(), reason: reason.into() };
                    sink.send(Message::Close(Some(frame))).await.ok()?;
                    return Some(sink);
                }
                Outgoing::Later { ms, frame } => {
                    push_later(device.clone(), Duration::from_millis(ms.into()), frame);
                    continue;
                }
                Outgoing::Raw(raw) => raw_frame::message(&raw, wire, environment),
            };
            sink.feed(message).await.ok()?;
        }
        sink.flush().await.ok()?;
        device.outbox.written(taken);
    }
}

/// Queues a frame after a while, if the connection lives so long.
fn push_later(device: Arc<Device>, after: Duration, frame: Arc<Frame>) {
    tokio::spawn(async move {
        tokio::select! {
            () = sleep(after) => device.outbox.push(Outgoing::Frame(frame)),
            () = device.outbox.ended.cancelled() => {}
        }
    });
}

/// Ends the TCP connection in the way that fits.
async fn close(mut sink: SplitSink<Socket, Message>, source: SplitStream<Socket>, end: End) {
    match end {
        End::TooLarge => {
            let frame = CloseFrame { code: CloseCode::Size, reason: Default::default() };
            let _ = sink.send(Message::Close(Some(frame))).await;
        }
        End::Echo => drop(sink.flush().await),
        End::Bare => {}
    }
    if let Ok(socket) = sink.reunite(source) {
        let mut stream = socket.into_inner();
        let _ = stream.shutdown().await;
        // unread bytes would turn the end into a reset, and the peer would lose the last frames
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
    }
}
