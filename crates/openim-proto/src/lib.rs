//! The OpenIM 3.8 wire, without I/O: what travels between a client and the gateway or the REST API.
//!
//! | module | what |
//! |---|---|
//! | [`sdkws`], [`msg`], [`conversation`], [`push`], [`jssdk`] | protobuf messages (gateway.md section 4); their serde form is the JSON of notifications and REST bodies |
//! | [`envelope`] | request and response envelopes, their JSON form, gzip (gateway.md section 2) |
//! | [`gob`] | their gob form (gateway.md 2.4) |
//! | [`wire`] | encoding and compression of a connection: from envelope to frame and back |
//! | [`content`] | content elements of user messages (gateway.md 6.4) |
//! | [`options`] | the options map of a message (gateway.md 6.1) |
//! | [`ids`] | conversation ids (gateway.md section 5) |
//! | [`constants`] | operations, content types, platforms and the rest of the numbers |
//! | [`error_code`] | the error numbers and their names (gateway.md 9.5, http.md section 7) |

pub mod constants;
pub mod content;
pub mod envelope;
pub mod error_code;
pub mod gob;
pub mod ids;
mod json;
pub mod options;
pub mod wire;

/// Generated from `proto/sdkws.proto`.
#[allow(missing_docs, clippy::all)]
pub mod sdkws {
    include!(concat!(env!("OUT_DIR"), "/openim.sdkws.rs"));
}

/// Generated from `proto/msg.proto`.
#[allow(missing_docs, clippy::all)]
pub mod msg {
    include!(concat!(env!("OUT_DIR"), "/openim.msg.rs"));
}

/// Generated from `proto/conversation.proto`.
#[allow(missing_docs, clippy::all)]
pub mod conversation {
    include!(concat!(env!("OUT_DIR"), "/openim.conversation.rs"));
}

/// Generated from `proto/push.proto`.
#[allow(missing_docs, clippy::all)]
pub mod push {
    include!(concat!(env!("OUT_DIR"), "/openim.push.rs"));
}

/// Generated from `proto/jssdk.proto`.
#[allow(missing_docs, clippy::all)]
pub mod jssdk {
    include!(concat!(env!("OUT_DIR"), "/openim.jssdk.rs"));
}

pub use prost::Message;
