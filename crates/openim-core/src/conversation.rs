//! Conversations: lists, read state, the server's records of them.

use std::sync::Arc;

use openim_proto::constants::MAX_SEQ;
use openim_proto::constants::session as session_type;
use openim_proto::conversation::Conversation as Record;
use openim_proto::ids;
use openim_proto::msg::GetConversationsHasReadAndMaxSeqResp;
use serde::{Deserialize, Serialize};

use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::model::Conversation;
use crate::pull;
use crate::session::Session;
use crate::store::conversations::{self, SettingsRow, SyncRow};
use crate::store::{messages, seqs};
use crate::sync::Comparison;
use crate::sync::changes::Changes;
use crate::sync::versions::Step;

/// Name of this list in `list_versions`.
const LIST: &str = "conversations";
/// Messages that a receipt names at most; beyond them the server counts from its own cursor.
const MOST_SEQS: usize = 1000;
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
                    conversations::create(changes.connection, &conversation_id, kind, &source_id)?;
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
    let marked = session
        .commit(move |changes| {
            let Some(moved) = move_cursor(changes, &id)? else { return Ok(None) };
            Ok(Some((moved, Reading::find(changes.connection, &id, moved.to, changes.me)?)))
        })
        .await?;
    let Some((moved, reading)) = marked.value else { return Ok(Done { value: (), event: marked.event }) };
    match reading.tell(session).await {
        Err(error) if !error.is_connection_loss() => {
            session.commit(move |changes| move_back(changes, &conversation_id, moved)).await?;
            Err(error)
        }
        _ => Ok(Done { value: (), event: marked.event }),
    }
}

/// How a call moved a read cursor.
#[derive(Debug, Clone, Copy)]
struct Moved {
    from: i64,
    to: i64,
    /// The server had not heard of an earlier move.
    waited: bool,
}

/// Moves the read cursor to the newest seq, if there is something to tell.
fn move_cursor(changes: &mut Changes<'_>, id: &str) -> Result<Option<Moved>> {
    let before = conversations::find(changes.connection, id)?
        .ok_or_else(|| Error::NotFound { what: "conversation", id: id.to_owned() })?;
    let to = before.has_read_seq.max(before.server_max_seq);
    // without receipts where the user's own messages moved the cursor
    if to == before.has_read_seq && to <= before.read_told {
        return Ok(None);
    }
    let moved = Moved { from: before.has_read_seq, to, waited: before.read_waits };
    changes.settle(&before, SyncRow { has_read_seq: to, read_waits: true, ..before.clone() }, false)?;
    Ok(Some(moved))
}

/// The server refused the move: the cursor goes back if it still stands there. What was read before the call is read, and
/// told once the server takes it.
fn move_back(changes: &mut Changes<'_>, id: &str, Moved { from, to, waited }: Moved) -> Result<()> {
    let Some(before) = conversations::find(changes.connection, id)?.filter(|row| row.has_read_seq == to) else {
        return Ok(());
    };
    let read_waits = waited && before.read_told < from;
    changes.settle(&before, SyncRow { has_read_seq: from, read_waits, read_floor: 0, ..before.clone() }, false)?;
    Ok(())
}

/// What was read and the server has to be told.
#[derive(Debug)]
pub(crate) struct Reading {
    conversation_id: String,
    has_read_seq: i64,
    /// Messages whose sender has no receipt yet. The server's own cursor may have passed them because this user wrote
    /// something.
    seqs: Vec<i64>,
}

impl Reading {
    fn find(connection: &rusqlite::Connection, id: &str, has_read_seq: i64, me: &str) -> Result<Self> {
        let mut seqs = Vec::new();
        // receipts of groups name nobody's messages (client-behaviour.md 7.5)
        if let Some(row) = conversations::find(connection, id)?
            && id.starts_with("si_")
        {
            seqs = messages::received_within(connection, row.id, (row.read_told + 1, has_read_seq), me, MOST_SEQS)?;
        }
        Ok(Self { conversation_id: id.to_owned(), has_read_seq, seqs })
    }

    /// Tells the server, and remembers that it knows.
    async fn tell(self, session: &Session) -> Result<()> {
        let Self { conversation_id, has_read_seq, seqs } = self;
        let request =
            MarkReadRequest { conversation_id: &conversation_id, user_id: &session.user_id, has_read_seq, seqs: &seqs };
        let _: serde::de::IgnoredAny = session.rest("/msg/mark_conversation_as_read", &request).await?;
        session
            .commit(move |changes| {
                let Some(mut row) = conversations::find(changes.connection, &conversation_id)? else { return Ok(()) };
                row.read_told = row.read_told.max(has_read_seq);
                row.read_waits &= row.read_told < row.has_read_seq;
                conversations::update_sync(changes.connection, &row)
            })
            .await?;
        Ok(())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MarkReadRequest<'a> {
    #[serde(rename = "conversationID")]
    conversation_id: &'a str,
    #[serde(rename = "userID")]
    user_id: &'a str,
    has_read_seq: i64,
    seqs: &'a [i64],
}

/// Read cursors that the server has not heard of, because there was no connection when they moved.
pub(crate) async fn tell_read_cursors(session: &Session, behind: Vec<Reading>) -> Result<()> {
    for reading in behind {
        let conversation_id = reading.conversation_id.clone();
        match reading.tell(session).await {
            Err(error) if error.is_connection_loss() => return Err(error),
            Err(error) => {
                tracing::warn!(conversation_id, error = error.log_text(), "the server refused a read cursor");
            }
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Applies 1006: newest seqs and read cursors. Answers what was read here and the server has not been told.
/// The server moves the cursor of whoever sends. When it is not the first comparison of this session, a cursor that
/// stands on an own message tells of a send, from this device or another, and of nothing read.
pub(crate) async fn apply_seqs(
    session: &Arc<Session>,
    answer: GetConversationsHasReadAndMaxSeqResp,
    Comparison { first, again }: Comparison,
) -> Result<Vec<Reading>> {
    let read: Vec<(String, i64)> = answer.seqs.iter().map(|(id, seqs)| (id.clone(), seqs.has_read_seq)).collect();
    let (unknown, unsure) = session
        .read(move |connection| {
            let (mut unknown, mut unsure) = (Vec::new(), Vec::new());
            for (id, seq) in read {
                match conversations::find(connection, &id)? {
                    None => unknown.push(id),
                    Some(row) if !first && seq > row.has_read_seq && !messages::has_seq(connection, row.id, seq)? => {
                        unsure.push((id, seq));
                    }
                    Some(_) => {}
                }
            }
            Ok((unknown, unsure))
        })
        .await?;
    let records = if unknown.is_empty() { Vec::new() } else { records_of(session, &unknown).await? };
    let written = pull::own(session, unsure).await?;
    let done = session
        .commit_many(move |changes| {
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
                // the server's word of now: an earlier one, or a receipt, may have said too much
                row.server_max_seq = row.local_max_seq.max(seqs.max_seq);
                // a new device does not ask: its first receipts are perhaps not the first ones
                let by_reading = !first
                    && !written.contains(&id)
                    && !messages::is_own(changes.connection, row.id, seqs.has_read_seq, changes.me)?;
                if by_reading || !again || first {
                    row.read_on_server(seqs.has_read_seq, by_reading);
                }
                row.has_read_seq = row.has_read_seq.min(row.server_max_seq);
                row.read_told = row.read_told.min(row.server_max_seq);
                if row != before {
                    changes.settle(&before, row, false)?;
                }
                let read = before.has_read_seq.min(seqs.max_seq);
                if before.read_waits || read > seqs.has_read_seq {
                    behind.push(Reading::find(changes.connection, &id, read, changes.me)?);
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

/// Syncs the records of the conversations (http.md section 3): settings here become what the server has. A record that
/// the server deleted leaves the conversation with its messages as they are.
pub(crate) async fn sync_list(session: &Arc<Session>, first: bool) -> Result<()> {
    let _one = session.turns.conversations.lock().await;
    let (step, mut increment) = session.increment("/conversation/get_incremental_conversations", LIST).await?;
    let (records, version) = match step {
        Step::Same => return Ok(()),
        Step::Full(version) => (whole_list(session).await?, version),
        Step::Apply(version) => {
            increment.insert.append(&mut increment.update);
            (increment.insert, version)
        }
    };
    let me = session.user_id.clone();
    session
        .commit_many(move |changes| {
            changes.begin_list(LIST, first)?;
            records.iter().try_for_each(|record| put(changes, record))?;
            seqs::set_list_version(changes.connection, LIST, &me, &version.id, version.number)
        })
        .await?;
    Ok(())
}

async fn whole_list(session: &Session) -> Result<Vec<Record>> {
    let records = |page: RecordsAnswer| page.conversations.unwrap_or_default();
    session.pages("/conversation/get_owner_conversation", PAGE, records).await
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
        min_seq: record.min_seq.clamp(0, MAX_SEQ),
        max_seq: record.max_seq.clamp(0, MAX_SEQ),
    };
    let (id, changed) = conversations::put_settings(changes.connection, &settings)?;
    if changed {
        let before = conversations::get(changes.connection, id)?;
        changes.settle(&before, before.clone(), true)?;
    }
    Ok(())
}
