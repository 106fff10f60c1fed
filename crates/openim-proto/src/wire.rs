//! How envelopes travel on a connection: the encoding that `sdkType` names and the compression (gateway.md 2.3 to 2.6).
//! One front for both ends.

use serde::Deserialize;

use crate::envelope::{EnvelopeError, Request, Response, compress, decompress};

/// The encoding of envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WireFormat {
    /// `sdkType=js`. Servers before 3.8.2 do not speak it.
    Json,
    /// `sdkType=go`, a server's default.
    Gob,
}

impl WireFormat {
    /// The value of the handshake's `sdkType`.
    pub fn sdk_type(self) -> &'static str {
        match self {
            Self::Json => "js",
            Self::Gob => "go",
        }
    }

    /// What a handshake's `sdkType` asks for; empty means gob.
    pub fn from_sdk_type(value: &str) -> Option<Self> {
        match value {
            "js" => Some(Self::Json),
            "" | "go" => Some(Self::Gob),
            _ => None,
        }
    }
}

/// Encoding and compression of a connection: the same in both directions and for every binary frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    /// The encoding.
    pub format: WireFormat,
    /// Whether each frame is one gzip member.
    pub gzip: bool,
}

impl Wire {
    /// The frame of a request.
    pub fn encode_request(self, request: &Request) -> Vec<u8> {
        self.packed(match self.format {
            WireFormat::Json => request.to_json(),
            WireFormat::Gob => request.to_gob(),
        })
    }

    /// Reads a request. A frame that decompresses to more than `limit` bytes is refused; without gzip the frame itself is
    /// the bound.
    pub fn decode_request(self, frame: &[u8], limit: usize) -> Result<Request, EnvelopeError> {
        self.unpacked(
            frame,
            limit,
            match self.format {
                WireFormat::Json => Request::from_json,
                WireFormat::Gob => Request::from_gob,
            },
        )
    }

    /// The frame of an answer or a push.
    pub fn encode_response(self, response: &Response) -> Vec<u8> {
        self.packed(match self.format {
            WireFormat::Json => response.to_json(),
            WireFormat::Gob => response.to_gob(),
        })
    }

    /// Reads an answer or a push; `limit` as for [`Wire::decode_request`].
    pub fn decode_response(self, frame: &[u8], limit: usize) -> Result<Response, EnvelopeError> {
        self.unpacked(
            frame,
            limit,
            match self.format {
                WireFormat::Json => Response::from_json,
                WireFormat::Gob => Response::from_gob,
            },
        )
    }

    fn packed(self, envelope: Vec<u8>) -> Vec<u8> {
        if self.gzip { compress(&envelope) } else { envelope }
    }

    fn unpacked<E>(
        self,
        frame: &[u8],
        limit: usize,
        read: impl FnOnce(&[u8]) -> Result<E, EnvelopeError>,
    ) -> Result<E, EnvelopeError> {
        if self.gzip { read(&decompress(frame, limit)?) } else { read(frame) }
    }
}
