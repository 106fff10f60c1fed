//! The gob form of envelopes (gateway.md 2.4): what connections with `sdkType=go`, the default, speak.
//!
//! Each frame is a stream of its own: the sender's type definitions, then one value. A reader matches fields by name and
//! takes numbers and types from the definition, since senders differ in the fields they have, and in their order and ids.

mod read;
mod write;

use crate::envelope::{EnvelopeError, Request, Response};

/// Ids below are the format's own.
const FIRST_USER_TYPE: i64 = 64;

/// Why a frame is not an envelope in gob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GobError {
    /// The frame ends early, or a length leads past its end.
    #[error("gob ends too early")]
    Truncated,
    /// A number with more than eight bytes, or one that no position can have.
    #[error("gob number is out of range")]
    Number,
    /// A type definition that means nothing.
    #[error("gob type definition is malformed: {0}")]
    Definition(&'static str),
    /// A value of a type that was not defined.
    #[error("gob type {0} is not defined")]
    UnknownType(i64),
    /// The value is no struct.
    #[error("gob value is not a struct")]
    NotAStruct,
    /// No field of the value's definition is one of the envelope's.
    #[error("gob struct has none of the envelope's fields")]
    NoField,
    /// The sender defines a field with another type.
    #[error("gob field {0} has the wrong type")]
    WrongType(&'static str),
    /// An integer that does not fit into 32 bits.
    #[error("gob field {0} is out of range")]
    OutOfRange(&'static str),
    /// Text that is not UTF-8.
    #[error("gob field {0} is not UTF-8")]
    NotUtf8(&'static str),
    /// The value names a field that its definition lacks.
    #[error("gob struct has no field number {0}")]
    UnknownField(u64),
    /// A foreign field holds an interface value. It cannot be passed over: definitions may stand in its middle.
    #[error("gob interface values are not supported")]
    Interface,
    /// A foreign field holds values nested deeper than any reader needs.
    #[error("gob values are nested too deeply")]
    TooDeep,
}

/// A field to write.
#[derive(Clone, Copy)]
enum Value<'a> {
    Int(i32),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// A field to fill.
enum Slot<'a> {
    Int(&'a mut i32),
    Text(&'a mut String),
    Bytes(&'a mut Vec<u8>),
}

/// What travels as a struct.
trait Record: Default {
    /// The definition that this side sends, with its length. Stock peers send the same bytes (gateway.md 2.4.4, 2.4.5).
    const DEFINITION: &'static [u8];

    /// The values in the order of the definition.
    fn values(&self) -> [Value<'_>; 6];

    /// Where a sender's field of this name goes. Names are compared as Go does it, with case.
    fn slot(&mut self, name: &[u8]) -> Option<(&'static str, Slot<'_>)>;
}

impl Record for Request {
    const DEFINITION: &'static [u8] = b"\x65\x7f\x03\x01\x01\x0cGeneralWsReq\x01\xff\x80\x00\x01\x06\
        \x01\x0dReqIdentifier\x01\x04\x00\
        \x01\x05Token\x01\x0c\x00\
        \x01\x06SendID\x01\x0c\x00\
        \x01\x0bOperationID\x01\x0c\x00\
        \x01\x07MsgIncr\x01\x0c\x00\
        \x01\x04Data\x01\x0a\x00\
        \x00\x00";

    fn values(&self) -> [Value<'_>; 6] {
        [
            Value::Int(self.req_identifier),
            Value::Text(&self.token),
            Value::Text(&self.send_id),
            Value::Text(&self.operation_id),
            Value::Text(&self.msg_incr),
            Value::Bytes(&self.data),
        ]
    }

    fn slot(&mut self, name: &[u8]) -> Option<(&'static str, Slot<'_>)> {
        Some(match name {
            b"ReqIdentifier" => ("ReqIdentifier", Slot::Int(&mut self.req_identifier)),
            b"Token" => ("Token", Slot::Text(&mut self.token)),
            b"SendID" => ("SendID", Slot::Text(&mut self.send_id)),
            b"OperationID" => ("OperationID", Slot::Text(&mut self.operation_id)),
            b"MsgIncr" => ("MsgIncr", Slot::Text(&mut self.msg_incr)),
            b"Data" => ("Data", Slot::Bytes(&mut self.data)),
            _ => return None,
        })
    }
}

impl Record for Response {
    const DEFINITION: &'static [u8] = b"\x5f\x7f\x03\x01\x01\x04Resp\x01\xff\x80\x00\x01\x06\
        \x01\x0dReqIdentifier\x01\x04\x00\
        \x01\x07MsgIncr\x01\x0c\x00\
        \x01\x0bOperationID\x01\x0c\x00\
        \x01\x07ErrCode\x01\x04\x00\
        \x01\x06ErrMsg\x01\x0c\x00\
        \x01\x04Data\x01\x0a\x00\
        \x00\x00";

    fn values(&self) -> [Value<'_>; 6] {
        [
            Value::Int(self.req_identifier),
            Value::Text(&self.msg_incr),
            Value::Text(&self.operation_id),
            Value::Int(self.err_code),
            Value::Text(&self.err_msg),
            Value::Bytes(&self.data),
        ]
    }

    fn slot(&mut self, name: &[u8]) -> Option<(&'static str, Slot<'_>)> {
        Some(match name {
            b"ReqIdentifier" => ("ReqIdentifier", Slot::Int(&mut self.req_identifier)),
            b"MsgIncr" => ("MsgIncr", Slot::Text(&mut self.msg_incr)),
            b"OperationID" => ("OperationID", Slot::Text(&mut self.operation_id)),
            b"ErrCode" => ("ErrCode", Slot::Int(&mut self.err_code)),
            b"ErrMsg" => ("ErrMsg", Slot::Text(&mut self.err_msg)),
            b"Data" => ("Data", Slot::Bytes(&mut self.data)),
            _ => return None,
        })
    }
}

impl Request {
    /// Reads one gob envelope. What follows its value is ignored, as Go does (gateway.md 2.4.3).
    pub fn from_gob(frame: &[u8]) -> Result<Self, EnvelopeError> {
        Ok(read::decode(frame)?)
    }

    /// Writes the gob envelope.
    pub fn to_gob(&self) -> Vec<u8> {
        write::encode(self)
    }
}

impl Response {
    /// Reads one gob envelope. What follows its value is ignored, as Go does (gateway.md 2.4.3).
    pub fn from_gob(frame: &[u8]) -> Result<Self, EnvelopeError> {
        Ok(read::decode(frame)?)
    }

    /// Writes the gob envelope.
    pub fn to_gob(&self) -> Vec<u8> {
        write::encode(self)
    }
}
