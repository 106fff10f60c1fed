//! Conversation records (http.md 2.6, 3.3).

use axum::Router;
use openim_proto::conversation::Conversation;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::increment::{FullIds, Increment};
use super::page::{self, Pagination, null_if_empty};
use super::{App, Reply, call, call_async};
use crate::domain::version_log::Log;
use crate::domain::{Caller, ConversationChange, Domain, Fault, Newest, Selection, World};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/conversation/get_all_conversations", call(get_all_conversations))
        .route("/conversation/get_conversations", call(get_conversations))
        .route("/conversation/get_conversation", call(get_conversation))
        .route("/conversation/set_conversations", call(set_conversations))
        .route("/conversation/get_owner_conversation", call(get_owner_conversation))
        .route("/conversation/get_incremental_conversations", call(get_incremental_conversations))
        .route("/conversation/get_full_conversation_ids", call(get_full_conversation_ids))
        .route("/conversation/get_not_notify_conversation_ids", call(get_not_notify_conversation_ids))
        .route("/conversation/get_pinned_conversation_ids", call(get_pinned_conversation_ids))
        .route("/conversation/get_sorted_conversation_list", call_async(get_sorted_conversation_list))
        .route("/conversation/delete_conversations", call(delete_conversations))
        .route("/conversation/update_conversations_by_user", call(update_conversations_by_user))
}

/// The members of all requests about records.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    #[serde(rename = "ownerUserID")]
    owner_user_id: String,
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "conversationID")]
    conversation_id: String,
    #[serde(rename = "conversationIDs")]
    conversation_ids: Option<Vec<String>>,
    need_delete_time: i64,
    pagination: Option<Pagination>,
    #[serde(rename = "versionID")]
    version_id: String,
    version: u64,
    id_hash: u64,
    ex: Option<String>,
}

#[derive(Serialize)]
struct Conversations {
    conversations: Option<Vec<Conversation>>,
}

fn get_all_conversations(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.owner_user_id)?;
    let world = app.world();
    let all = world.conversations(&request.owner_user_id, Selection::All).into_iter().cloned().collect();
    Answer::of(&Conversations { conversations: null_if_empty(all) })
}

fn get_conversations(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    let ids = request.conversation_ids.ok_or_else(|| Fault::args("conversationIDs is empty"))?;
    caller.must_be(&request.owner_user_id)?;
    let conversations = null_if_empty(found(&app.world(), &request.owner_user_id, &ids));
    Answer::of(&Conversations { conversations })
}

fn get_conversation(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    #[derive(Serialize)]
    struct One<'a> {
        conversation: &'a Conversation,
    }
    caller.must_be(&request.owner_user_id)?;
    let world = app.world();
    let record = world.conversation(&request.owner_user_id, &request.conversation_id);
    let conversation = record.ok_or_else(|| Fault::not_found("conversation not found"))?;
    Answer::of(&One { conversation })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Setting {
    #[serde(rename = "userIDs")]
    user_ids: Option<Vec<String>>,
    conversation: Option<ConversationChange>,
}

fn set_conversations(app: &Domain, caller: &Caller, request: Setting) -> Reply {
    let user_ids = request.user_ids.ok_or_else(|| Fault::args("userID is empty"))?;
    let change = request.conversation.ok_or_else(|| Fault::args("conversation is empty"))?;
    change.check()?;
    user_ids.iter().try_for_each(|user_id| caller.must_be(user_id))?;
    app.world().set_conversations(caller, &user_ids, &change)?;
    Ok(Answer::Empty)
}

fn get_owner_conversation(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    #[derive(Serialize)]
    struct Page {
        total: usize,
        conversations: Option<Vec<Conversation>>,
    }
    let page = page::check(request.pagination)?;
    caller.must_be(&request.user_id)?;
    let world = app.world();
    let all = world.conversations(&request.user_id, Selection::ById);
    let total = all.len();
    let conversations = null_if_empty(page.of(all).into_iter().cloned().collect());
    Answer::of(&Page { total, conversations })
}

fn get_incremental_conversations(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    let mut world = app.world();
    let delta = world.version_log(Log::Conversations, &request.user_id).delta(&request.version_id, request.version);
    Answer::of(&Increment::of(delta, |ids| found(&world, &request.user_id, ids)).unsorted())
}

fn get_full_conversation_ids(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    let mut world = app.world();
    let ids = ids(&world, &request.user_id, Selection::ById);
    let log = world.version_log(Log::Conversations, &request.user_id);
    Answer::of(&FullIds::of("conversationIDs", log, ids, request.id_hash))
}

#[derive(Serialize)]
struct Ids {
    #[serde(rename = "conversationIDs")]
    conversation_ids: Option<Vec<String>>,
}

fn get_not_notify_conversation_ids(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    let found = ids(&app.world(), &request.user_id, Selection::NotNotify);
    Answer::of(&Ids { conversation_ids: null_if_empty(found) })
}

fn get_pinned_conversation_ids(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    let found = ids(&app.world(), &request.user_id, Selection::Pinned);
    Answer::of(&Ids { conversation_ids: null_if_empty(found) })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SortedList {
    conversation_total: usize,
    unread_total: i64,
    conversation_elems: Option<Vec<SortedElem>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SortedElem {
    #[serde(rename = "conversationID")]
    conversation_id: String,
    recv_msg_opt: i32,
    unread_count: i64,
    #[serde(rename = "IsPinned")]
    is_pinned: bool,
    msg_info: Option<MsgInfo>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MsgInfo {
    #[serde(rename = "serverMsgID")]
    server_msg_id: String,
    #[serde(rename = "clientMsgID")]
    client_msg_id: String,
    session_type: i32,
    #[serde(rename = "sendID")]
    send_id: String,
    #[serde(rename = "recvID")]
    recv_id: String,
    sender_name: String,
    #[serde(rename = "faceURL")]
    face_url: String,
    #[serde(rename = "groupID")]
    group_id: String,
    group_name: String,
    #[serde(rename = "groupFaceURL")]
    group_face_url: String,
    group_type: i32,
    group_member_count: u32,
    #[serde(rename = "LatestMsgRecvTime")]
    latest_msg_recv_time: i64,
    msg_from: i32,
    content_type: i32,
    content: String,
    ex: String,
}

async fn get_sorted_conversation_list(app: App, caller: Caller, request: Wanted) -> Reply {
    let page = page::check(request.pagination)?;
    caller.must_be(&request.user_id)?;
    let wanted = request.conversation_ids.filter(|ids| !ids.is_empty());
    let mut newest = app.newest_messages(&request.user_id, wanted).await?;
    if newest.is_empty() {
        return Err(Fault::not_found("no conversations"));
    }
    newest.sort_by_key(|it| (!it.record.is_pinned, std::cmp::Reverse(it.message.as_ref().map(|it| it.send_time))));
    let conversation_total = newest.len();
    let world = app.world();
    let elems: Vec<SortedElem> = newest.into_iter().map(|newest| sorted_elem(&world, newest)).collect();
    let unread_total = elems.iter().map(|it| it.unread_count).sum();
    let conversation_elems = null_if_empty(page.of(elems));
    Answer::of(&SortedList { conversation_total, unread_total, conversation_elems })
}

fn sorted_elem(world: &World, newest: Newest) -> SortedElem {
    let msg_info = newest.message.map(|message| {
        let sender = world.user_info(&message.send_id).filter(|_| message.session_type == 1);
        MsgInfo {
            server_msg_id: message.server_msg_id,
            client_msg_id: message.client_msg_id,
            session_type: message.session_type,
            sender_name: sender.map_or_else(String::new, |it| it.nickname.clone()),
            face_url: sender.map_or_else(String::new, |it| it.face_url.clone()),
            send_id: message.send_id,
            recv_id: message.recv_id,
            group_id: message.group_id,
            group_name: String::new(),
            group_face_url: String::new(),
            group_type: 0,
            group_member_count: 0,
            latest_msg_recv_time: message.send_time,
            msg_from: message.msg_from,
            content_type: message.content_type,
            content: String::from_utf8_lossy(&message.content).into_owned(),
            ex: message.ex,
        }
    });
    SortedElem {
        conversation_id: newest.record.conversation_id,
        recv_msg_opt: newest.record.recv_msg_opt,
        unread_count: newest.max_seq - newest.read_seq,
        is_pinned: newest.record.is_pinned,
        msg_info,
    }
}

fn delete_conversations(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.owner_user_id)?;
    let named = request.conversation_ids.unwrap_or_default();
    match (named.is_empty(), request.need_delete_time > 0) {
        (false, false) => app.world().delete_conversations(&request.owner_user_id, &named),
        (true, true) => app.world().delete_quiet_conversations(&request.owner_user_id, request.need_delete_time),
        _ => return Err(Fault::args("need_delete_time or conversationIDs need be set")),
    }
    Ok(Answer::Empty)
}

fn update_conversations_by_user(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    if let Some(ex) = request.ex {
        app.world().set_ex_of_peer(&request.user_id, &ex);
    }
    Ok(Answer::Empty)
}

fn ids(world: &World, owner: &str, selection: Selection) -> Vec<String> {
    world.conversations(owner, selection).into_iter().map(|record| record.conversation_id.clone()).collect()
}

/// The records of ids, in the order asked; missing ones are left out.
fn found(world: &World, owner: &str, ids: &[String]) -> Vec<Conversation> {
    ids.iter().filter_map(|id| world.conversation(owner, id).cloned()).collect()
}
