//! Conversations: lists, read state, the server's records of them.

use std::sync::Arc;

use openim_proto::constants::session as session_type;
use openim_proto::conversation::Conversation as Record;
use openim_proto::ids;
use openim_proto::msg::GetConversationsHasReadAndMaxSeqResp;
use serde::{Deserialize, Serialize};

use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::model::Conversation;
use crate::session::Session;
use crate::store::conversations::{self, SettingsRow};
use crate::store::{messages, seqs};
use crate::sync::changes::Changes;
use crate::sync::versions::{Step, Version, step};

/// Name of this list in `list_versions`.
const LIST: &str = "conversations";
/// Records in one page of the full list.
const PAGE: usize = 500;

/// Parameters of `getConversationListSplit`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Page {
    /// How many rows to leave out.
    pub offset: u32,
    /// How many rows at most.
    pub count: u32,
}

/// Parameters of `getOneConversation` and `getConversationIDBySessionType`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConversationSource {
    /// Peer's user id, or group id.
    #[serde(rename = "sourceID")]
    pub source_id: String,
    /// 1 single, 3 group, 4 notification.
    pub session_type: i32,
}

impl Client {
    /// Every visible conversation: pinned first, then the newest first.
    pub async fn get_all_conversation_list(&self) -> Result<Done<Vec<Conversation>>> {
        self.page(0, -1).await
    }

    /// A slice of the list.
    pub async fn get_conversation_list_split(&self, page: Page) -> Result<Done<Vec<Conversation>>> {
        self.page(i64::from(page.offset), i64::from(page.count)).await
    }

    async fn page(&self, offset: i64, limit: i64) -> Result<Done<Vec<Conversation>>> {
        let session = self.session()?;
        let me = session.user_id.clone();
        session.read(move |connection| conversations::page(connection, offset, limit, &me)).await.map(Done::quietly)
    }

    /// The conversation with a peer or group; made (hidden) if there is none yet. Asks no server, fires no event.
    pub async fn get_one_conversation(&self, source: ConversationSource) -> Result<Done<Conversation>> {
        let session = self.session()?;
        let conversation_id = conversation_id(&session.user_id, &source)?;
        let ConversationSource { source_id, session_type: kind } = source;
        session
            .commit(move |changes| {
                if conversations::find(changes.connection, &conversation_id)?.is_none() {
                    let (user_id, group_id) =
                        if kind == session_type::GROUP { ("", source_id.as_str()) } else { (source_id.as_str(), "") };
                    conversations::create(changes.connection, &conversation_id, kind, user_id, group_id)?;
                    changes.follow_up.profiles = true;
                }
                conversations::item_by_id(changes.connection, &conversation_id, changes.me)?
                    .ok_or(Error::NotFound { what: "conversation", id: conversation_id })
            })
            .await
    }

    /// Conversations by id; unknown ids are left out.
    pub async fn get_multiple_conversation(&self, conversation_ids: Vec<String>) -> Result<Done<Vec<Conversation>>> {
        let session = self.session()?;
        let me = session.user_id.clone();
        let rows = session
            .read(move |connection| {
                let mut rows = Vec::with_capacity(conversation_ids.len());
                for id in &conversation_ids {
                    rows.extend(conversations::item_by_id(connection, id, &me)?);
                }
                Ok(rows)
            })
            .await?;
        Ok(Done::quietly(rows))
    }

    /// The id of a conversation; computed, nothing is looked up.
    pub fn get_conversation_id_by_session_type(&self, source: &ConversationSource) -> Result<String> {
        conversation_id(&self.session()?.user_id, source)
    }

    /// Sum of what is unread in visible conversations that notify.
    pub async fn get_total_unread_msg_count(&self) -> Result<Done<i64>> {
        self.session()?.read(conversations::total_unread).await.map(Done::quietly)
    }

    /// Marks everything in the conversation as read: here at once, then on the server. Without a connection the server
    /// hears of it after the next connect.
    pub async fn mark_conversation_message_as_read(&self, conversation_id: String) -> Result<Done<()>> {
        if conversation_id.is_empty() {
            return Err(Error::args("conversationID", "must not be empty"));
        }
        let session = self.session()?;
        mark_read(&session, conversation_id).await
    }

    /// Marks every conversation as read; goes on after a failure and reports the first one.
    pub async fn mark_all_conversation_message_as_read(&self) -> Result<Done<()>> {
        let session = self.session()?;
        let mut event = 0;
        let mut failure = None;
        for id in session.read(conversations::unread_ids).await? {
            match mark_read(&session, id).await {
                Ok(done) => event = event.max(done.event),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(Done { value: (), event }), Err)
    }
}

fn conversation_id(me: &str, source: &ConversationSource) -> Result<String> {
    if source.source_id.is_empty() {
        return Err(Error::args("sourceID", "must not be empty"));
    }
    match source.session_type {
        session_type::SINGLE | session_type::GROUP | session_type::NOTIFICATION => {
            ids::chat(source.session_type, me, &source.source_id)
                .ok_or_else(|| Error::args("sessionType", "must be 1, 3 or 4"))
        }
        _ => Err(Error::args("sessionType", "must be 1, 3 or 4")),
    }
}

async fn mark_read(session: &Arc<Session>, conversation_id: String) -> Result<Done<()>> {
    let id = conversation_id.clone();
    let marked = session.commit(move |changes| move_cursor(changes, &id, None)).await?;
    let Some((old, new)) = marked.value else { return Ok(Done { value: (), event: marked.event }) };
    match tell_cursor(session, &conversation_id, new).await {
        Err(error) if !error.is_connection_loss() => {
            session.commit(move |changes| move_cursor(changes, &conversation_id, Some((new, old)))).await?;
            Err(error)
        }
        _ => Ok(Done { value: (), event: marked.event }),
    }
}

/// Moves the read cursor to the newest seq, or back from one value to another if it still stands there. Old and new
/// value if it moved.
fn move_cursor(changes: &mut Changes<'_>, id: &str, back: Option<(i64, i64)>) -> Result<Option<(i64, i64)>> {
    let before = conversations::find(changes.connection, id)?
        .ok_or_else(|| Error::NotFound { what: "conversation", id: id.to_owned() })?;
    let target = match back {
        Some((from, to)) if before.has_read_seq == from => to,
        Some(_) => return Ok(None),
        None => before.has_read_seq.max(before.server_max_seq),
    };
    if target == before.has_read_seq {
        return Ok(None);
    }
    let mut row = before.clone();
    row.has_read_seq = target;
    if back.is_some() {
        row.read_floor = 0;
    }
    changes.settle(&before, row, false)?;
    Ok(Some((before.has_read_seq, target)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MarkReadRequest<'a> {
    #[serde(rename = "conversationID")]
    conversation_id: &'a str,
    #[serde(rename = "userID")]
    user_id: &'a str,
    has_read_seq: i64,
    seqs: [i64; 0],
}

async fn tell_cursor(session: &Session, conversation_id: &str, has_read_seq: i64) -> Result<()> {
    let request = MarkReadRequest { conversation_id, user_id: &session.user_id, has_read_seq, seqs: [] };
    let _: serde::de::IgnoredAny = session.rest("/msg/mark_conversation_as_read", &request).await?;
    Ok(())
}

/// Read cursors that the server has not heard of, because there was no connection when they moved.
pub(crate) async fn tell_read_cursors(session: &Session, behind: Vec<(String, i64)>) -> Result<()> {
    for (id, has_read_seq) in behind {
        match tell_cursor(session, &id, has_read_seq).await {
            Err(error) if error.is_connection_loss() => return Err(error),
            Err(error) => tracing::warn!(%error, "the server refused a read cursor"),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Applies 1006: newest seqs and read cursors. Answers the conversations whose cursor here is ahead of the server's.
/// The server moves the cursor of whoever sends. `again`: not the first comparison of this session, so a cursor that
/// stands on an own message tells of a send that this device knows, and of nothing read.
pub(crate) async fn apply_seqs(
    session: &Arc<Session>,
    answer: GetConversationsHasReadAndMaxSeqResp,
    first: bool,
    again: bool,
) -> Result<Vec<(String, i64)>> {
    let ids: Vec<String> = answer.seqs.keys().cloned().collect();
    let unknown = session
        .read(move |connection| {
            let mut unknown = Vec::new();
            for id in ids {
                if conversations::find(connection, &id)?.is_none() {
                    unknown.push(id);
                }
            }
            Ok(unknown)
        })
        .await?;
    let records = if unknown.is_empty() { Vec::new() } else { records_of(session, &unknown).await? };
    let done = session
        .commit(move |changes| {
            if first {
                changes.quiet();
            }
            for record in &records {
                put(changes, record)?;
            }
            let mut behind = Vec::new();
            for (id, seqs) in answer.seqs {
                let Some(before) = conversations::find(changes.connection, &id)? else { continue };
                let mut row = before.clone();
                row.server_max_seq = row.server_max_seq.max(seqs.max_seq);
                if !again || !messages::is_own(changes.connection, row.id, seqs.has_read_seq, changes.me)? {
                    row.has_read_seq = row.has_read_seq.max(seqs.has_read_seq);
                }
                if row.has_read_seq > seqs.has_read_seq && seqs.max_seq > seqs.has_read_seq {
                    behind.push((id, row.has_read_seq.min(seqs.max_seq)));
                }
                if row != before {
                    changes.settle(&before, row, false)?;
                }
            }
            Ok(behind)
        })
        .await?;
    Ok(done.value)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordsRequest<'a> {
    #[serde(rename = "ownerUserID")]
    owner_user_id: &'a str,
    #[serde(rename = "conversationIDs")]
    conversation_ids: &'a [String],
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RecordsAnswer {
    conversations: Option<Vec<Record>>,
}

async fn records_of(session: &Session, ids: &[String]) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for part in ids.chunks(PAGE) {
        let request = RecordsRequest { owner_user_id: &session.user_id, conversation_ids: part };
        let answer: RecordsAnswer = session.rest("/conversation/get_conversations", &request).await?;
        records.extend(answer.conversations.unwrap_or_default());
    }
    Ok(records)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IncrementalRequest<'a> {
    #[serde(rename = "userID")]
    user_id: &'a str,
    #[serde(rename = "versionID")]
    version_id: &'a str,
    version: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IncrementalAnswer {
    version: u64,
    #[serde(rename = "versionID")]
    version_id: String,
    full: bool,
    insert: Option<Vec<Record>>,
    update: Option<Vec<Record>>,
}

/// Syncs the records of the conversations (http.md section 3): settings here become what the server has. A record that
/// the server deleted leaves the conversation with its messages as they are.
pub(crate) async fn sync_list(session: &Arc<Session>, first: bool) -> Result<()> {
    let me = session.user_id.clone();
    let (id, number) = session.read(move |connection| seqs::list_version(connection, LIST, &me)).await?;
    let request = IncrementalRequest { user_id: &session.user_id, version_id: &id, version: number };
    let answer: IncrementalAnswer = session.rest("/conversation/get_incremental_conversations", &request).await?;
    let newest = Version { id: answer.version_id, number: answer.version };
    let (records, version) = match step(&Version { id, number }, &newest, answer.full) {
        Step::Same => return Ok(()),
        Step::Full(version) => (all_records(session).await?, version),
        Step::Apply(version) => {
            let mut records = answer.insert.unwrap_or_default();
            records.extend(answer.update.unwrap_or_default());
            (records, version)
        }
    };
    let me = session.user_id.clone();
    session
        .commit(move |changes| {
            if first {
                changes.quiet();
            }
            records.iter().try_for_each(|record| put(changes, record))?;
            seqs::set_list_version(changes.connection, LIST, &me, &version.id, version.number)
        })
        .await?;
    Ok(())
}

#[derive(Serialize)]
struct PageRequest<'a> {
    #[serde(rename = "userID")]
    user_id: &'a str,
    pagination: Pagination,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    page_number: usize,
    show_number: usize,
}

async fn all_records(session: &Session) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for page_number in 1.. {
        let request =
            PageRequest { user_id: &session.user_id, pagination: Pagination { page_number, show_number: PAGE } };
        let page: RecordsAnswer = session.rest("/conversation/get_owner_conversation", &request).await?;
        let page = page.conversations.unwrap_or_default();
        let last = page.len() < PAGE;
        records.extend(page);
        if last {
            break;
        }
    }
    Ok(records)
}

fn put(changes: &mut Changes<'_>, record: &Record) -> Result<()> {
    let settings = SettingsRow {
        conversation_id: record.conversation_id.clone(),
        kind: record.conversation_type,
        user_id: record.user_id.clone(),
        group_id: record.group_id.clone(),
        recv_msg_opt: record.recv_msg_opt,
        group_at_type: record.group_at_type,
        is_pinned: record.is_pinned,
        is_private_chat: record.is_private_chat,
        burn_duration: record.burn_duration,
        is_msg_destruct: record.is_msg_destruct,
        msg_destruct_time: record.msg_destruct_time,
        attached_info: record.attached_info.clone(),
        ex: record.ex.clone(),
        min_seq: record.min_seq,
        max_seq: record.max_seq,
    };
    let (id, changed) = conversations::put_settings(changes.connection, &settings)?;
    if changed {
        let before = conversations::get(changes.connection, id)?;
        changes.settle(&before, before.clone(), true)?;
    }
    Ok(())
}
