//! The forms in which envelopes travel (gateway.md 2.3 to 2.6).

use bytes::Bytes;
use openim_proto::envelope::{self, EnvelopeError, Request, Response};

/// How an envelope becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// `sdkType=js`.
    Json,
    /// `sdkType=go` or none.
    Gob,
}

/// Encoding and compression of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WireForm {
    /// The encoding.
    pub(super) codec: Codec,
    /// Whether every binary frame is one gzip member.
    pub(super) gzip: bool,
}

/// What a frame may grow to when it is decompressed.
const DECOMPRESSED_LIMIT: usize = 8 * 1024 * 1024;

/// Why a frame is not a request.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    /// It is damaged.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The encoding is not spoken here yet.
    #[error("gob envelopes are not supported")]
    Gob,
}

impl WireForm {
    /// Number of the form, below 4.
    pub(super) fn number(self) -> usize {
        usize::from(self.codec == Codec::Gob) * 2 + usize::from(self.gzip)
    }

    /// Reads a request.
    pub(super) fn decode(self, frame: &[u8]) -> Result<Request, DecodeError> {
        match self {
            Self { codec: Codec::Gob, .. } => Err(DecodeError::Gob),
            Self { gzip: true, .. } => Ok(Request::from_json(&envelope::decompress(frame, DECOMPRESSED_LIMIT)?)?),
            Self { gzip: false, .. } => Ok(Request::from_json(frame)?),
        }
    }

    /// Writes an answer or a push.
    pub(super) fn encode(self, response: &Response) -> Bytes {
        let json = response.to_json();
        if self.gzip { envelope::compress(&json).into() } else { json.into() }
    }
}
