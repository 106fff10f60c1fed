//! Request and response envelopes (gateway.md section 2), their JSON form, and gzip. The gob form is in [`crate::gob`]; a
//! connection's choice among them is a [`crate::wire::Wire`].

use std::borrow::Cow;
use std::io::{Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use crate::constants::operation;
use crate::gob::GobError;

/// Below this many bytes a gzip member is stored, not deflated: deflating costs 28 us to save a fifth of a small frame.
const DEFLATE_FROM_BYTES: usize = 1024;

/// Why a frame could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not the JSON of an envelope. The text does not quote the frame, as serde's would.
    #[error("frame is not an envelope (line {}, column {})", .0.line(), .0.column())]
    Json(#[from] serde_json::Error),
    /// Not the gob of an envelope.
    #[error("frame is not an envelope: {0}")]
    Gob(#[from] GobError),
    /// `data` is not standard padded base64.
    #[error("data is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// Not a gzip member, or a truncated one.
    #[error("frame cannot be decompressed: {0}")]
    Gzip(#[from] std::io::Error),
    /// Decompresses to more than the reader accepts.
    #[error("frame decompresses to more than {limit} bytes")]
    TooLarge {
        /// The limit that was passed.
        limit: usize,
    },
}

/// Client to server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Operation, see [`crate::constants::operation`].
    pub req_identifier: i32,
    /// Unused by the gateway; stock clients leave it empty.
    pub token: String,
    /// Must be the connection's user, or the server closes.
    pub send_id: String,
    /// For logs; echoed.
    pub operation_id: String,
    /// Request id, unique per connection; echoed.
    pub msg_incr: String,
    /// Protobuf payload.
    pub data: Vec<u8>,
}

/// Server to client: an answer, or a push with an empty `msg_incr`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The request's operation, or the push's.
    pub req_identifier: i32,
    /// Echoed request id; empty for pushes.
    pub msg_incr: String,
    /// Echoed; for a push of messages the id of the operation that caused it.
    pub operation_id: String,
    /// 0 = success, see [`crate::error_code`].
    pub err_code: i32,
    /// Name of the code.
    pub err_msg: String,
    /// Protobuf payload; empty on errors and for empty answers.
    pub data: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonRequest<'a> {
    req_identifier: i32,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    token: Cow<'a, str>,
    #[serde(borrow, default, rename = "sendID")]
    send_id: Cow<'a, str>,
    #[serde(borrow, default, rename = "operationID")]
    operation_id: Cow<'a, str>,
    #[serde(borrow, default)]
    msg_incr: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonResponse<'a> {
    req_identifier: i32,
    #[serde(borrow, default)]
    msg_incr: Cow<'a, str>,
    #[serde(borrow, default, rename = "operationID")]
    operation_id: Cow<'a, str>,
    #[serde(default)]
    err_code: i32,
    #[serde(borrow, default)]
    err_msg: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<Cow<'a, str>>,
}

fn bytes(data: Option<Cow<'_, str>>) -> Result<Vec<u8>, EnvelopeError> {
    Ok(data.map_or(Ok(Vec::new()), |text| STANDARD.decode(text.as_bytes()))?)
}

impl Request {
    /// Reads one JSON envelope (gateway.md 2.3).
    pub fn from_json(frame: &[u8]) -> Result<Self, EnvelopeError> {
        let json: JsonRequest<'_> = serde_json::from_slice(frame)?;
        Ok(Self {
            req_identifier: json.req_identifier,
            token: json.token.into_owned(),
            send_id: json.send_id.into_owned(),
            operation_id: json.operation_id.into_owned(),
            msg_incr: json.msg_incr.into_owned(),
            data: bytes(json.data)?,
        })
    }

    /// Writes the JSON envelope.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(&JsonRequest {
            req_identifier: self.req_identifier,
            token: Cow::Borrowed(&self.token),
            send_id: Cow::Borrowed(&self.send_id),
            operation_id: Cow::Borrowed(&self.operation_id),
            msg_incr: Cow::Borrowed(&self.msg_incr),
            data: Some(Cow::Owned(STANDARD.encode(&self.data))),
        })
    }
}

impl Response {
    /// Reads one JSON envelope (gateway.md 2.3).
    pub fn from_json(frame: &[u8]) -> Result<Self, EnvelopeError> {
        let json: JsonResponse<'_> = serde_json::from_slice(frame)?;
        Ok(Self {
            req_identifier: json.req_identifier,
            msg_incr: json.msg_incr.into_owned(),
            operation_id: json.operation_id.into_owned(),
            err_code: json.err_code,
            err_msg: json.err_msg.into_owned(),
            data: bytes(json.data)?,
        })
    }

    /// Writes the JSON envelope: all six keys in the server's order. Where a reply has no message at all (errors, 2002,
    /// 2004) `data` is `null`, an empty message is `""`.
    pub fn to_json(&self) -> Vec<u8> {
        let no_message =
            self.err_code != 0 || matches!(self.req_identifier, operation::KICK_ONLINE | operation::SET_BACKGROUND);
        to_json(&JsonResponse {
            req_identifier: self.req_identifier,
            msg_incr: Cow::Borrowed(&self.msg_incr),
            operation_id: Cow::Borrowed(&self.operation_id),
            err_code: self.err_code,
            err_msg: Cow::Borrowed(&self.err_msg),
            data: (!no_message).then(|| Cow::Owned(STANDARD.encode(&self.data))),
        })
    }
}

/// Plain structs of strings and numbers cannot fail to serialise into memory.
fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// First text frame of a connection that asked for `isMsgResp`, and the body of a refused handshake (gateway.md 1.3, 1.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HandshakeReply {
    /// 0 = accepted.
    pub err_code: i32,
    /// Name of the code.
    pub err_msg: String,
    /// Detail.
    pub err_dlt: String,
}

/// Text ping and pong (gateway.md 8.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextPing {
    /// `ping` or `pong`.
    pub r#type: String,
    /// Any JSON; comes back unchanged.
    #[serde(default)]
    pub body: serde_json::Value,
}

/// Makes one gzip member of a frame (gateway.md 2.6). Small frames are stored.
pub fn compress(frame: &[u8]) -> Vec<u8> {
    if frame.len() < DEFLATE_FROM_BYTES {
        return stored::write(frame);
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(frame.len() / 2 + 64), Compression::fast());
    // writing into a Vec cannot fail
    let _ = encoder.write_all(frame);
    encoder.finish().unwrap_or_default()
}

/// Opens one gzip member and refuses to grow past `limit` bytes.
pub fn decompress(frame: &[u8], limit: usize) -> Result<Vec<u8>, EnvelopeError> {
    if let Some(content) = stored::read(frame)
        && content.len() <= limit
    {
        return Ok(content.to_vec());
    }
    let mut out = Vec::with_capacity(frame.len().saturating_mul(4).min(limit));
    GzDecoder::new(frame).take(limit as u64 + 1).read_to_end(&mut out)?;
    if out.len() > limit { Err(EnvelopeError::TooLarge { limit }) } else { Ok(out) }
}

/// Gzip members with one stored block (RFC 1952, RFC 1951 3.2.4). The library's coders set up a quarter of a megabyte of
/// state per member, which for a small frame costs more than everything else that happens to it.
mod stored {
    use flate2::Crc;

    /// Magic, deflate, no flags, no time, no extra flags, unknown system; then: last block, stored.
    const HEADER: [u8; 11] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1];

    fn checksum(content: &[u8]) -> u32 {
        let mut crc = Crc::new();
        crc.update(content);
        crc.sum()
    }

    pub(super) fn write(content: &[u8]) -> Vec<u8> {
        // callers stay far below the 65,535 bytes that one block may hold
        let length = content.len() as u16;
        let mut member = Vec::with_capacity(content.len() + 23);
        member.extend_from_slice(&HEADER);
        member.extend_from_slice(&length.to_le_bytes());
        member.extend_from_slice(&(!length).to_le_bytes());
        member.extend_from_slice(content);
        member.extend_from_slice(&checksum(content).to_le_bytes());
        member.extend_from_slice(&u32::from(length).to_le_bytes());
        member
    }

    /// The content of a member in exactly this form; anything else is for the library.
    pub(super) fn read(member: &[u8]) -> Option<&[u8]> {
        let rest = member.strip_prefix(&HEADER)?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = u16::from_le_bytes(*length);
        let (complement, rest) = rest.split_first_chunk()?;
        let (content, tail) = rest.split_at_checked(usize::from(length))?;
        let (crc, tail) = tail.split_first_chunk()?;
        let sound = u16::from_le_bytes(*complement) == !length
            && u32::from_le_bytes(*crc) == checksum(content)
            && tail == u32::from(length).to_le_bytes();
        sound.then_some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_both_ways() {
        let request = Request {
            req_identifier: 1001,
            send_id: "u1".into(),
            operation_id: "op1".into(),
            msg_incr: "u1_1".into(),
            data: vec![0x0a, 0x02, 0x75, 0x31],
            ..Default::default()
        };
        let text = r#"{"reqIdentifier":1001,"sendID":"u1","operationID":"op1","msgIncr":"u1_1","data":"CgJ1MQ=="}"#;
        assert_eq!(String::from_utf8(request.to_json()).unwrap(), text);
        assert_eq!(Request::from_json(text.as_bytes()).unwrap(), request);
    }

    #[test]
    fn absent_and_null_data_are_empty_and_odd_base64_is_refused() {
        for text in [r#"{"reqIdentifier":2002,"data":null}"#, r#"{"reqIdentifier":2002}"#] {
            assert_eq!(Response::from_json(text.as_bytes()).unwrap().data, Vec::<u8>::new());
        }
        assert!(Request::from_json(br#"{"reqIdentifier":1001,"data":"CgJ1MQ"}"#).is_err());
        assert!(Request::from_json(br#"{"reqIdentifier":"1001"}"#).is_err());
    }

    #[test]
    fn gzip_round_trips_and_a_bomb_is_stopped() {
        for size in [0, 10, 1023, 1024, 200_000] {
            let frame = vec![b'x'; size];
            assert_eq!(decompress(&compress(&frame), 200_000).unwrap(), frame);
        }
        let member = compress(b"small");
        let mut by_the_library = Vec::new();
        GzDecoder::new(member.as_slice()).read_to_end(&mut by_the_library).unwrap();
        assert_eq!(by_the_library, b"small");
        let mut broken = member;
        if let Some(byte) = broken.get_mut(16) {
            *byte ^= 1;
        }
        assert!(decompress(&broken, 100).is_err());
        let bomb = compress(&vec![0; 5_000_000]);
        assert!(matches!(decompress(&bomb, 1_000_000), Err(EnvelopeError::TooLarge { limit: 1_000_000 })));
        assert!(matches!(decompress(b"not gzip", 10), Err(EnvelopeError::Gzip(_))));
    }
}
