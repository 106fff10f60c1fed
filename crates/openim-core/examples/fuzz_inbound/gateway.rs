//! A server that says anything: the REST half refuses everything, the gateway answers and pushes soundly or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use openim_proto::Message as _;
use openim_proto::constants::operation;
use openim_proto::envelope::{Request, Response, compress};
use openim_proto::error_code;
use openim_proto::msg::{GetConversationsHasReadAndMaxSeqResp, GetSeqMessageReq, GetSeqMessageResp, Seqs};
use openim_proto::sdkws::{MsgData, PullMessageBySeqsReq, PullMessageBySeqsResp, PullMsgs, PushMessages};
use openim_proto::wire::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use crate::USER;
use crate::mutation;
use crate::random::Random;
use crate::seeds::Seeds;

const LIMIT: usize = 1 << 20;
/// Seqs of one range that are answered at most.
const ANSWERED: i64 = 20;
const CONVERSATIONS: [&str; 4] = ["si_alice_bob", "si_alice_carol", "sg_1234567890", "n_alice_bob"];

/// The server of one case.
pub struct Gateway {
    /// Where REST calls are refused.
    pub api_addr: String,
    /// Where the gateway listens.
    pub ws_addr: String,
    wire: Wire,
    seeds: Arc<Seeds>,
    frames: mpsc::Sender<Vec<u8>>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Gateway {
    /// Listens for one client, which may come again; ends when this is dropped.
    pub async fn start(wire: Wire, seed: u64, seeds: Arc<Seeds>) -> Self {
        let rest = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let gateway = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let api_addr = format!("http://{}", rest.local_addr().expect("it is bound"));
        let ws_addr = format!("ws://{}", gateway.local_addr().expect("it is bound"));
        let (frames, mut queue) = mpsc::channel(64);
        let mut answers = Answers { wire, random: Random::of_case(seed, 0), seeds: seeds.clone() };
        let answering = async move {
            while let Ok((stream, _)) = gateway.accept().await {
                answers.serve(stream, &mut queue).await;
            }
        };
        let tasks = [tokio::spawn(refuse(rest)), tokio::spawn(answering)];
        Self { api_addr, ws_addr, wire, seeds, frames, tasks }
    }

    /// A push that may be damaged at any level.
    pub async fn push_anything(&self, random: &mut Random) {
        let mut push = if random.once_in(2) {
            let pushes: Vec<&Response> =
                self.seeds.responses.iter().filter(|it| it.req_identifier == operation::PUSH_MSG).collect();
            (*random.pick(&pushes)).clone()
        } else {
            let messages: Vec<MsgData> = (0..1 + random.below(5)).map(|_| message(random, &self.seeds)).collect();
            let id = (*random.pick(&CONVERSATIONS)).to_owned();
            let pulled = BTreeMap::from([(id.clone(), PullMsgs { msgs: messages, ..PullMsgs::default() })]);
            let push = match id.starts_with("n_") {
                true => PushMessages { notification_msgs: pulled, ..PushMessages::default() },
                false => PushMessages { msgs: pulled, ..PushMessages::default() },
            };
            Response { req_identifier: operation::PUSH_MSG, data: push.encode_to_vec(), ..Response::default() }
        };
        for _ in 0..random.below(3) {
            push.data = mutation::protobuf(random, &push.data, &self.seeds.payloads);
        }
        let frame = damaged(random, self.wire, &push, 16);
        self.send(frame).await;
    }

    /// A message that is stored nowhere, which listeners must hear of.
    pub async fn push_sound(&self, id: &str) {
        let message = MsgData {
            send_id: "fence".into(),
            recv_id: USER.into(),
            client_msg_id: id.into(),
            session_type: 1,
            content_type: 101,
            content: br#"{"content":"sound"}"#.to_vec(),
            ..MsgData::default()
        };
        let pulled = PullMsgs { msgs: vec![message], ..PullMsgs::default() };
        let push = PushMessages { msgs: [("si_alice_fence".to_owned(), pulled)].into(), ..PushMessages::default() };
        let response =
            Response { req_identifier: operation::PUSH_MSG, data: push.encode_to_vec(), ..Response::default() };
        self.send(self.wire.encode_response(&response)).await;
    }

    async fn send(&self, frame: Vec<u8>) {
        // a connection that is gone shows when the client falls silent
        let _ = self.frames.send(frame).await;
    }
}

/// The frame of a response; one in `times` is damaged as bytes. Never one that rightly ends the session.
fn damaged(random: &mut Random, wire: Wire, response: &Response, times: usize) -> Vec<u8> {
    let sound = wire.encode_response(response);
    let frame = if random.once_in(times) {
        let plain = Wire { gzip: false, ..wire }.encode_response(response);
        match random.below(3) {
            0 => mutation::bytes(random, sound, &[]),
            _ if wire.gzip => compress(&mutation::bytes(random, plain, &[])),
            _ => mutation::bytes(random, plain, &[]),
        }
    } else {
        sound
    };
    match wire.decode_response(&frame, LIMIT) {
        Ok(read) if read.req_identifier == operation::KICK_ONLINE || error_code::is_token_error(read.err_code) => {
            Vec::new()
        }
        _ => frame,
    }
}

/// One of a few, so that messages meet.
pub fn message_id(random: &mut Random) -> String {
    format!("m{}", random.below(60))
}

/// The content of a read receipt that concerns what is here.
fn receipt(random: &mut Random) -> Vec<u8> {
    let seqs: Vec<i64> = (0..random.below(30)).map(|seq| seq as i64).collect();
    let has_read_seq = if random.once_in(4) { random.number() as i64 } else { random.below(50) as i64 };
    let (reader, conversation) = (random.pick(&[USER, "bob"]), random.pick(&CONVERSATIONS));
    let detail = serde_json::json!({
        "markAsReadUserID": reader, "conversationID": conversation, "seqs": seqs, "hasReadSeq": has_read_seq,
    });
    serde_json::json!({ "detail": detail.to_string() }).to_string().into_bytes()
}

/// A captured message at some seq.
fn message(random: &mut Random, seeds: &Seeds) -> MsgData {
    let payload = random.pick(&seeds.payloads);
    let mut message = MsgData::decode(payload.as_slice()).unwrap_or_default();
    message.client_msg_id = message_id(random);
    message.session_type = [1, 1, 3, 4, 0][random.below(5)];
    message.seq = if random.once_in(10) { random.number() as i64 } else { random.below(40) as i64 };
    if random.once_in(2) {
        message.content = random.pick(&seeds.contents).clone();
        message.content_type = *random.pick(&[101, 106, 114, 1201, 1303, 1501, 2101, 2200]);
    }
    if random.once_in(6) {
        message.content = receipt(random);
        message.content_type = 2200;
    }
    if random.once_in(3) {
        message.send_id = USER.into();
    }
    message
}

struct Answers {
    wire: Wire,
    random: Random,
    seeds: Arc<Seeds>,
}

impl Answers {
    async fn serve(&mut self, stream: TcpStream, queue: &mut mpsc::Receiver<Vec<u8>>) {
        // a client that ends may break off
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
        let mut sent = socket.send(Message::text(r#"{"errCode":0,"errMsg":"","errDlt":""}"#)).await;
        while sent.is_ok() {
            sent = tokio::select! {
                Some(frame) = queue.recv() => socket.send(Message::binary(frame)).await,
                received = socket.next() => match received {
                    Some(Ok(Message::Binary(frame))) => {
                        let request = self.wire.decode_request(&frame, LIMIT).expect("the client writes sound frames");
                        for frame in self.answers(&request) {
                            if socket.feed(Message::binary(frame)).await.is_err() {
                                return;
                            }
                        }
                        socket.flush().await
                    }
                    Some(Ok(_)) => Ok(()),
                    Some(Err(_)) | None => return,
                },
            };
        }
    }

    /// Something that may be an answer, and then a refusal, so that nothing waits for ten seconds.
    fn answers(&mut self, request: &Request) -> [Vec<u8>; 2] {
        let random = &mut self.random;
        let mut answer = Response {
            req_identifier: request.req_identifier,
            msg_incr: request.msg_incr.clone(),
            operation_id: request.operation_id.clone(),
            ..Response::default()
        };
        let refusal = Response { err_code: 500, err_msg: "ServerInternalError".into(), ..answer.clone() };
        answer.data = match request.req_identifier {
            operation::PULL_BY_RANGE => range(random, &self.seeds, request),
            operation::PULL_BY_SEQS => list(random, &self.seeds, request),
            operation::GET_CONV_MAX_READ_SEQ => newest(random),
            other => {
                let kind = |it: &&Response| it.req_identifier == other && it.err_code == 0;
                let captured: Vec<&Response> = self.seeds.responses.iter().filter(kind).collect();
                if captured.is_empty() { Vec::new() } else { random.pick(&captured).data.clone() }
            }
        };
        if random.once_in(2) {
            answer.data = mutation::protobuf(random, &answer.data, &self.seeds.payloads);
        }
        if random.once_in(10) {
            answer.err_code = random.number() as i32;
        }
        [damaged(random, self.wire, &answer, 10), self.wire.encode_response(&refusal)]
    }
}

/// Newest seqs and read cursors.
fn newest(random: &mut Random) -> Vec<u8> {
    let mut seq = || if random.once_in(8) { random.number() as i64 } else { random.below(60) as i64 };
    let seqs =
        CONVERSATIONS.map(|id| (id.to_owned(), Seqs { max_seq: seq(), has_read_seq: seq(), max_seq_time: seq() }));
    GetConversationsHasReadAndMaxSeqResp { seqs: seqs.into(), ..Default::default() }.encode_to_vec()
}

/// Messages for the ranges that were asked for.
fn range(random: &mut Random, seeds: &Seeds, request: &Request) -> Vec<u8> {
    let asked = PullMessageBySeqsReq::decode(request.data.as_slice()).expect("the client writes sound payloads");
    let mut answer = PullMessageBySeqsResp::default();
    for range in asked.seq_ranges {
        let end = range.end.min(range.begin.saturating_add(ANSWERED));
        let msgs = (range.begin..=end).map(|seq| MsgData { seq, ..message(random, seeds) }).collect();
        answer.msgs.insert(range.conversation_id, PullMsgs { msgs, ..PullMsgs::default() });
    }
    answer.encode_to_vec()
}

fn list(random: &mut Random, seeds: &Seeds, request: &Request) -> Vec<u8> {
    let asked = GetSeqMessageReq::decode(request.data.as_slice()).expect("the client writes sound payloads");
    let mut answer = GetSeqMessageResp::default();
    for list in asked.conversations {
        let seqs = list.seqs.into_iter().take(ANSWERED as usize);
        let msgs = seqs.map(|seq| MsgData { seq, ..message(random, seeds) }).collect();
        let end_seq = random.below(50) as i64;
        let pulled = PullMsgs { msgs, is_end: random.once_in(2), end_seq };
        answer.msgs.insert(list.conversation_id, pulled);
    }
    answer.encode_to_vec()
}

/// Answers every REST call with an error of the server.
async fn refuse(listener: TcpListener) {
    let body = r#"{"errCode":500,"errMsg":"ServerInternalError","errDlt":""}"#;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    while let Ok((mut stream, _)) = listener.accept().await {
        let answer = answer.clone();
        tokio::spawn(async move {
            let mut bytes = Vec::new();
            while stream.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
                let Some(length) = request_length(&bytes).filter(|length| *length <= bytes.len()) else { continue };
                drop(bytes.drain(..length));
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// Bytes of the first HTTP request, once its head is complete.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let body = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    Some(end + body.unwrap_or(0))
}
