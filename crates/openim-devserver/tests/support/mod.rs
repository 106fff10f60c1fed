//! What the tests share: a raw HTTP client and a raw gateway client.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::VecDeque;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use openim_devserver::{Config, DevServer};
use openim_proto::Message as _;
use openim_proto::constants::{content_type, msg_from, operation, session, status};
use openim_proto::envelope::{Request, Response};
use openim_proto::sdkws::{MsgData, PushMessages};
use openim_proto::wire::{Wire, WireFormat};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Nothing in these tests takes this long.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A server in memory.
pub async fn server() -> DevServer {
    DevServer::start(Config::default()).await.unwrap()
}

/// A folder of its own, gone with the value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("openim-devserver-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn config(&self) -> Config {
        Config { data_dir: Some(self.0.clone()), ..Config::default() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An HTTP answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn has_header(&self, line: &str) -> bool {
        self.head.lines().any(|it| it.eq_ignore_ascii_case(line))
    }
}

/// Sends one HTTP request on a connection of its own.
pub async fn http(addr: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let host = addr.split_once("//").unwrap().1;
    let mut stream = TcpStream::connect(host).await.unwrap();
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut raw = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut raw)).await.unwrap().unwrap();
    let end = raw.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(raw[..end].to_vec()).unwrap();
    let lower = head.to_lowercase();
    let mut body = raw[end + 4..].to_vec();
    if lower.contains("transfer-encoding: chunked") {
        body = dechunk(&body);
    }
    if lower.contains("content-encoding: gzip") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut plain).unwrap();
        body = plain;
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: String::from_utf8(body).unwrap() }
}

fn dechunk(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|it| it == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap().trim(), 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.extend(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
}

/// Calls the API and gives the envelope.
pub async fn call(server: &DevServer, token: &str, path: &str, body: Value) -> Value {
    let headers = [("operationID", "op"), ("token", token), ("Content-Type", "application/json")];
    http(&server.addresses().api_addr, "POST", path, &headers, body.to_string().as_bytes()).await.json()
}

/// Calls the API and gives the data of a success.
pub async fn data(server: &DevServer, token: &str, path: &str, body: Value) -> Value {
    let answer = call(server, token, path, body).await;
    assert_eq!(answer["errCode"], 0, "{path}: {answer}");
    answer["data"].clone()
}

/// A token of the administrator.
pub async fn admin_token(server: &DevServer) -> String {
    let login = json!({"secret": "openIM123", "userID": "imAdmin"});
    data(server, "", "/auth/get_admin_token", login).await["token"].as_str().unwrap().to_owned()
}

/// What ended a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Bare,
    Code(u16, String),
}

/// A gateway connection.
pub struct Client {
    pub user: String,
    pub platform: i32,
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub wire: Wire,
    requests: u32,
    pushes: VecDeque<Response>,
}

impl Client {
    /// Logs in with a fresh token.
    pub async fn login(server: &DevServer, user: &str, platform: i32) -> Self {
        let token = server.token(user, platform).await.unwrap();
        Self::open(server, user, platform, &token, "").await
    }

    /// Opens a connection; `more` is appended to the query. Without `sdkType` in it the connection speaks JSON.
    pub async fn open(server: &DevServer, user: &str, platform: i32, token: &str, more: &str) -> Self {
        Self::try_open(server, user, platform, token, more).await.expect("refused")
    }

    /// The same; `None` if the upgrade is refused.
    pub async fn try_open(server: &DevServer, user: &str, platform: i32, token: &str, more: &str) -> Option<Self> {
        let url = url(server, user, platform, token, more);
        // frames leave at once: else one that follows an unanswered one waits for the server's delayed acknowledgement
        let (mut socket, _) = tokio_tungstenite::connect_async_with_config(&url, None, true).await.ok()?;
        if more.contains("isMsgResp=true") {
            let reply = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
            assert_eq!(reply, Message::text(r#"{"errCode":0,"errMsg":"","errDlt":""}"#));
        }
        let format = if url.contains("sdkType=js") { WireFormat::Json } else { WireFormat::Gob };
        let wire = Wire { format, gzip: url.contains("compression=gzip") };
        Some(Self { user: user.to_owned(), platform, socket, wire, requests: 0, pushes: VecDeque::new() })
    }

    /// Sends any WebSocket message.
    pub async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Writes what the library has queued.
    pub async fn flush(&mut self) {
        self.socket.flush().await.unwrap();
    }

    /// Whether nothing has arrived so far.
    pub async fn has_nothing(&mut self) -> bool {
        tokio::task::yield_now().await;
        futures_util::FutureExt::now_or_never(self.socket.next()).is_none()
    }

    /// Sends a request without waiting; gives its id.
    pub async fn post(&mut self, operation: i32, data: Vec<u8>) -> String {
        self.requests += 1;
        let id = format!("{}_{}_{}", self.user, self.platform, self.requests);
        let request = Request {
            req_identifier: operation,
            send_id: self.user.clone(),
            operation_id: format!("op_{id}"),
            msg_incr: id.clone(),
            data,
            ..Request::default()
        };
        self.send_raw(Message::binary(self.wire.encode_request(&request))).await;
        id
    }

    /// The next binary frame.
    pub async fn next_frame(&mut self) -> Response {
        loop {
            match self.next_message().await {
                Message::Binary(frame) => return self.wire.decode_response(&frame, 1 << 24).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// The next message of any kind.
    pub async fn next_message(&mut self) -> Message {
        tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("nothing came").unwrap().unwrap()
    }

    /// Sends a request and waits for its answer; pushes in between are kept.
    pub async fn request(&mut self, operation: i32, message: &impl openim_proto::Message) -> Response {
        self.request_bytes(operation, message.encode_to_vec()).await
    }

    /// The same with a payload that is no message.
    pub async fn request_bytes(&mut self, operation: i32, data: Vec<u8>) -> Response {
        let id = self.post(operation, data).await;
        loop {
            let response = self.next_frame().await;
            if response.msg_incr == id {
                return response;
            }
            self.pushes.push_back(response);
        }
    }

    /// Sends a request that must succeed and decodes its answer.
    pub async fn ask<T: openim_proto::Message + Default>(
        &mut self,
        operation: i32,
        message: &impl openim_proto::Message,
    ) -> T {
        let response = self.request(operation, message).await;
        assert_eq!(response.err_code, 0, "{response:?}");
        T::decode(response.data.as_slice()).unwrap()
    }

    /// The next push of messages: stream and message.
    pub async fn next_push(&mut self) -> (String, MsgData) {
        let response = self.next_push_frame().await;
        assert_eq!((response.req_identifier, response.msg_incr.as_str()), (operation::PUSH_MSG, ""));
        let push = PushMessages::decode(response.data.as_slice()).unwrap();
        let (name, mut pulled) = push.msgs.into_iter().chain(push.notification_msgs).next().unwrap();
        assert_eq!(pulled.msgs.len(), 1);
        (name, pulled.msgs.remove(0))
    }

    /// The next frame that answers nothing.
    pub async fn next_push_frame(&mut self) -> Response {
        match self.pushes.pop_front() {
            Some(push) => push,
            None => self.next_frame().await,
        }
    }

    /// Waits for the end; frames on the way are given back.
    pub async fn ended(&mut self) -> (Vec<Response>, Ended) {
        let mut frames = Vec::new();
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("the connection stays open") {
                Some(Ok(Message::Binary(frame))) => {
                    frames.push(self.wire.decode_response(&frame, 1 << 24).unwrap());
                }
                Some(Ok(Message::Close(Some(close)))) => {
                    return (frames, Ended::Code(close.code.into(), close.reason.to_string()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return (frames, Ended::Bare),
            }
        }
    }

    /// Sends a text to a user and gives the answer.
    pub async fn send_text(&mut self, to: &str, text: &str) -> Response {
        let message = text_message(&self.user, to, text);
        self.request(operation::SEND_MSG, &message).await
    }
}

/// Address of a connection; `sdkType=js` unless `more` says otherwise.
pub fn url(server: &DevServer, user: &str, platform: i32, token: &str, more: &str) -> String {
    let ws = &server.addresses().ws_addr;
    let sdk_type = if more.contains("sdkType=") { "" } else { "&sdkType=js" };
    format!("{ws}/?sendID={user}&token={token}&platformID={platform}&operationID=op&isBackground=false{sdk_type}{more}")
}

/// A text message as clients send it.
pub fn text_message(from: &str, to: &str, text: &str) -> MsgData {
    MsgData {
        send_id: from.into(),
        recv_id: to.into(),
        client_msg_id: format!("{from}_{to}_{text}"),
        sender_platform_id: 5,
        session_type: session::SINGLE,
        msg_from: msg_from::USER,
        content_type: content_type::TEXT,
        content: json!({ "content": text }).to_string().into_bytes(),
        create_time: 1,
        status: status::SENDING,
        ..MsgData::default()
    }
}

/// The plain HTTP answer to an upgrade that is refused.
pub async fn refusal(server: &DevServer, query: &str) -> Answer {
    let addr = server.addresses().ws_addr.replace("ws://", "http://");
    let upgrade = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    http(&addr, "GET", &format!("/?{query}"), &upgrade, b"").await
}
