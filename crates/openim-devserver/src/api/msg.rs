//! Seqs, pulls and read state (http.md 2.7).

use axum::Router;
use openim_proto::msg::GetConversationsHasReadAndMaxSeqReq;
use openim_proto::sdkws::{GetMaxSeqReq, PullMessageBySeqsReq};
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::{App, Reply, business, call, call_async, send};
use crate::domain::{Caller, Domain, Fault};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/msg/get_server_time", call(get_server_time))
        .route("/msg/newest_seq", call(newest_seq))
        .route("/msg/pull_msg_by_seq", call_async(pull_msg_by_seq))
        .route("/msg/get_conversations_has_read_and_max_seq", call(get_conversations_has_read_and_max_seq))
        .route("/msg/mark_msgs_as_read", call(mark_msgs_as_read))
        .route("/msg/mark_conversation_as_read", call(mark_conversation_as_read))
        .route("/msg/set_conversation_has_read_seq", call(set_conversation_has_read_seq))
        .merge(send::routes())
        .merge(business::routes())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Nothing {}

fn get_server_time(app: &Domain, _: &Caller, _: Nothing) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Time {
        server_time: i64,
    }
    Answer::of(&Time { server_time: app.environment.now_ms() })
}

fn newest_seq(app: &Domain, caller: &Caller, request: GetMaxSeqReq) -> Reply {
    caller.must_be(&request.user_id)?;
    Answer::of(&app.world().newest_seqs(&request.user_id))
}

async fn pull_msg_by_seq(app: App, caller: Caller, request: PullMessageBySeqsReq) -> Reply {
    caller.must_be(&request.user_id)?;
    let user_id = request.user_id.clone();
    Answer::of(&app.pull_ranges(&user_id, request).await?)
}

fn get_conversations_has_read_and_max_seq(
    app: &Domain,
    caller: &Caller,
    request: GetConversationsHasReadAndMaxSeqReq,
) -> Reply {
    if request.user_id.is_empty() {
        return Err(Fault::args("userID is empty"));
    }
    caller.must_be(&request.user_id)?;
    Answer::of(&app.world().read_states(&request.user_id, request.conversation_i_ds, request.return_pinned))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Reading {
    #[serde(rename = "conversationID")]
    conversation_id: String,
    #[serde(rename = "userID")]
    user_id: String,
    has_read_seq: i64,
    seqs: Vec<i64>,
}

impl Reading {
    fn check(&self, caller: &Caller) -> Result<(), Fault> {
        if self.conversation_id.is_empty() {
            return Err(Fault::args("conversationID is empty"));
        }
        if self.user_id.is_empty() {
            return Err(Fault::args("userID is empty"));
        }
        if self.seqs.contains(&0) {
            return Err(Fault::args("seqs has 0 value is invalid"));
        }
        caller.must_be(&self.user_id)
    }

    fn check_cursor(&self, caller: &Caller) -> Result<(), Fault> {
        if self.has_read_seq < 1 {
            return Err(Fault::args("hasReadSeq is invalid"));
        }
        self.check(caller)
    }
}

fn mark_msgs_as_read(app: &Domain, caller: &Caller, request: Reading) -> Reply {
    if request.seqs.is_empty() {
        return Err(Fault::args("seqs is empty"));
    }
    request.check(caller)?;
    let Reading { conversation_id, user_id, seqs, .. } = request;
    app.world().mark_messages_read(caller, &user_id, &conversation_id, &seqs)?;
    Ok(Answer::Empty)
}

fn mark_conversation_as_read(app: &Domain, caller: &Caller, request: Reading) -> Reply {
    request.check_cursor(caller)?;
    let Reading { conversation_id, user_id, has_read_seq, seqs } = request;
    app.world().mark_conversation_read(caller, &user_id, &conversation_id, has_read_seq, &seqs)?;
    Ok(Answer::Empty)
}

fn set_conversation_has_read_seq(app: &Domain, caller: &Caller, request: Reading) -> Reply {
    request.check_cursor(caller)?;
    app.world().set_read_cursor(caller, &request.user_id, &request.conversation_id, request.has_read_seq)?;
    Ok(Answer::Empty)
}
