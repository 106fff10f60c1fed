//! Conversation lists with their newest message (http.md 2.9), in JSON and in protobuf.

use std::cmp::Reverse;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openim_proto::Message;
use openim_proto::constants::session;
use openim_proto::jssdk::{
    ConversationMsg, GetActiveConversationsReq, GetActiveConversationsResp, GetConversationsReq, GetConversationsResp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{self, Answer, failure};
use super::{App, Reply, finish, json};
use crate::domain::{Caller, Domain, Fault, Newest};

/// Conversations of a list when the client does not say how many, or too many.
const DEFAULT_COUNT: usize = 100;

/// Conversations of a list at most.
const COUNT_LIMIT: i64 = 500;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/jssdk/get_active_conversations", post(get_active_conversations))
        .route("/jssdk/get_conversations", post(get_conversations))
}

/// Encoding of a request and of the `data` of its answer.
#[derive(Clone, Copy)]
enum Encoding {
    Json,
    Protobuf,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match kind {
            kind if kind.is_empty() || kind.contains("application/json") => Ok(Self::Json),
            kind if kind.contains("application/protobuf") || kind.contains("application/x-protobuf") => {
                Ok(Self::Protobuf)
            }
            _ => Err(Fault::args("unsupported content type")),
        }
    }

    fn read<T: Message + DeserializeOwned + Default>(self, body: &[u8]) -> Result<T, Fault> {
        match self {
            Self::Json => json::parse(body).map_err(|error| answer::malformed(&error)),
            Self::Protobuf => T::decode(body).map_err(|error| Fault::args(error.to_string())),
        }
    }

    fn write<T: Message + Serialize>(self, value: &T) -> Reply {
        match self {
            Self::Json => Answer::of(value),
            Self::Protobuf => Answer::of(&STANDARD.encode(value.encode_to_vec())),
        }
    }
}

async fn get_active_conversations(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let encoding = match Encoding::of(&headers) {
        Ok(encoding) => encoding,
        Err(fault) => return failure(&fault),
    };
    let reply = active(&app, &caller, encoding, &body).await;
    finish(&app, reply).await
}

async fn active(app: &Domain, caller: &Caller, encoding: Encoding, body: &[u8]) -> Reply {
    let request: GetActiveConversationsReq = encoding.read(body)?;
    let mut newest = app.newest_messages(&caller.user_id, None).await?;
    let unread_count = unread(&newest);
    newest.sort_by_key(|it| (!it.record.is_pinned, Reverse(it.max_seq_time)));
    let count = match request.count {
        1..=COUNT_LIMIT => usize::try_from(request.count).unwrap_or(DEFAULT_COUNT),
        _ => DEFAULT_COUNT,
    };
    newest.truncate(count);
    encoding.write(&GetActiveConversationsResp { unread_count, conversations: messages(app, caller, newest) })
}

async fn get_conversations(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let encoding = match Encoding::of(&headers) {
        Ok(encoding) => encoding,
        Err(fault) => return failure(&fault),
    };
    let reply = listed(&app, &caller, encoding, &body).await;
    finish(&app, reply).await
}

async fn listed(app: &Domain, caller: &Caller, encoding: Encoding, body: &[u8]) -> Reply {
    let request: GetConversationsReq = encoding.read(body)?;
    let newest = app.newest_messages(&caller.user_id, Some(request.conversation_i_ds)).await?;
    let unread_count = unread(&newest);
    encoding.write(&GetConversationsResp { unread_count, conversations: messages(app, caller, newest) })
}

fn unread(newest: &[Newest]) -> i64 {
    newest.iter().map(|it| (it.max_seq - it.read_seq).max(0)).sum()
}

fn messages(app: &Domain, caller: &Caller, newest: Vec<Newest>) -> Vec<ConversationMsg> {
    let world = app.world();
    let with_message = newest.into_iter().filter(|it| it.message.is_some());
    with_message
        .map(|it| ConversationMsg {
            user: match it.record.conversation_type {
                session::GROUP => None,
                _ => world.user_info(&it.record.user_id).cloned(),
            },
            friend: world.friend(&caller.user_id, &it.record.user_id).cloned(),
            conversation: Some(it.record),
            last_msg: it.message,
            group: None,
            max_seq: it.max_seq,
            read_seq: it.read_seq,
        })
        .collect()
}
