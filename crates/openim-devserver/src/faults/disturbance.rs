//! What can be done to open connections at once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::error::Error;

/// Bytes of a frame that a lever sends at most.
const MOST_BYTES: usize = 64 << 20;

/// Bytes of the reason in a close frame at most (RFC 6455 5.5).
const REASON_BYTES: usize = 123;

/// Something that happens to connections.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", tag = "what")]
pub enum Disturbance {
    /// A kick frame, the end, and their tokens are ended too.
    Kick,
    /// The end of the TCP connection; with a code a close frame goes before it.
    #[serde(rename_all = "camelCase")]
    Close {
        /// Code of the close frame, 1000 to 4999 without those that never travel.
        #[serde(default)]
        code: Option<u16>,
        /// Its reason, at most 123 bytes.
        #[serde(default)]
        reason: String,
    },
    /// Silence: the socket stays open, but nothing is read or written any more, pongs included.
    Stall,
    /// The end of the silence; what waited goes on.
    Resume,
    /// A frame out of turn.
    #[serde(rename_all = "camelCase")]
    Send {
        /// Which.
        #[serde(flatten)]
        frame: RawFrame,
    },
}

/// A frame that the server would never send by itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum RawFrame {
    /// A text frame.
    #[serde(rename_all = "camelCase")]
    Text {
        /// Its text.
        text: String,
    },
    /// A binary frame with exactly these bytes.
    #[serde(rename_all = "camelCase")]
    Binary {
        /// Its bytes, at most 64 MiB; in JSON standard base64 called `base64`.
        #[serde(rename = "base64", deserialize_with = "from_base64")]
        bytes: Vec<u8>,
    },
    /// An answer, well-formed, to a request that was never made.
    #[serde(rename_all = "camelCase")]
    UnknownAnswer {
        /// `reqIdentifier`.
        operation: i32,
    },
    /// An answer that stops in the middle.
    Truncated,
    /// A text frame that is not UTF-8.
    InvalidUtf8,
    /// A binary frame of noise.
    Garbage,
    /// A gzip member of less than 1 MiB that grows to 80 MiB.
    GzipBomb,
    /// A binary frame of zeros.
    #[serde(rename_all = "camelCase")]
    Oversized {
        /// Its length, at most 64 MiB.
        bytes: usize,
    },
}

impl Disturbance {
    /// Refuses what cannot be written.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |field: &str, reason: String| Err(Error::Args { field: field.into(), reason });
        match self {
            Self::Close { code: Some(code), .. } if !travels(*code) => {
                wrong("code", format!("is {code}, which no close frame can carry"))
            }
            Self::Close { code: None, reason } if !reason.is_empty() => {
                wrong("reason", "needs a code: without one there is no close frame".into())
            }
            Self::Close { reason, .. } if reason.len() > REASON_BYTES => {
                wrong("reason", format!("must be at most {REASON_BYTES} bytes long"))
            }
            Self::Send { frame: RawFrame::Oversized { bytes } } if *bytes > MOST_BYTES => {
                wrong("bytes", format!("must be at most {MOST_BYTES}"))
            }
            Self::Send { frame: RawFrame::Binary { bytes } } if bytes.len() > MOST_BYTES => {
                wrong("bytes", format!("must be at most {MOST_BYTES} bytes long"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a close frame may carry a code (RFC 6455 7.4).
fn travels(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

fn from_base64<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(source)?).map_err(D::Error::custom)
}
