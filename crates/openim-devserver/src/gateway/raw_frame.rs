//! Frames that no server sends by itself: what a client must survive.

use bytes::Bytes;
use openim_proto::envelope::{self, Response};
use openim_proto::wire::Wire;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::environment::Environment;
use crate::faults::RawFrame;

/// Bytes that a gzip bomb grows to: more than a careful reader takes.
const BOMB: usize = 80 << 20;

/// Bytes of noise.
const NOISE: usize = 64;

/// The WebSocket message of a frame, for a connection of this wire.
pub(super) fn message(frame: &RawFrame, wire: Wire, environment: &Environment) -> Message {
    let binary = |bytes: Vec<u8>| Message::binary(bytes);
    match frame {
        RawFrame::Text { text } => Message::text(text.clone()),
        RawFrame::Binary { bytes } => binary(bytes.clone()),
        RawFrame::UnknownAnswer { operation } => binary(wire.encode_response(&unknown_answer(*operation))),
        RawFrame::Truncated => {
            let whole = wire.encode_response(&unknown_answer(openim_proto::constants::operation::GET_NEWEST_SEQ));
            let half = whole.len() / 2;
            binary(whole.into_iter().take(half).collect())
        }
        RawFrame::InvalidUtf8 => {
            let bytes = Bytes::from_static(b"{\"type\":\"\xff\xfe\"}");
            Message::Frame(Frame::message(bytes, OpCode::Data(Data::Text), true))
        }
        RawFrame::Garbage => binary(environment.random::<NOISE>().to_vec()),
        RawFrame::GzipBomb => binary(envelope::compress(&vec![0; BOMB])),
        RawFrame::Oversized { bytes } => binary(vec![0; *bytes]),
    }
}

fn unknown_answer(operation: i32) -> Response {
    Response { req_identifier: operation, msg_incr: "never-asked".into(), ..Response::default() }
}
