//! Reading streams: newest seqs, pulls and last messages (gateway.md 11.8 to 11.13).

use std::collections::BTreeMap;

use openim_proto::constants::status;
use openim_proto::conversation::Conversation;
use openim_proto::ids;
use openim_proto::msg::{
    GetConversationsHasReadAndMaxSeqResp, GetLastMessageResp, GetSeqMessageReq, GetSeqMessageResp, Seqs,
};
use openim_proto::sdkws::{GetMaxSeqResp, MsgData, PullMessageBySeqsReq, PullMessageBySeqsResp, PullMsgs, PullOrder};
use rusqlite::Connection;

use super::{Domain, Fault, Selection, World};
use crate::store::{StoredMessage, sql};

/// A part of a stream that is to be read.
struct Piece {
    name: String,
    stream_id: i64,
    seqs: Wanted,
    is_end: bool,
    end_seq: i64,
}

enum Wanted {
    Range(i64, i64),
    List(Vec<i64>),
}

/// A user's conversation with its newest readable message.
pub(crate) struct Newest {
    /// The record.
    pub(crate) record: Conversation,
    /// Newest seq.
    pub(crate) max_seq: i64,
    /// When it was given, ms.
    pub(crate) max_seq_time: i64,
    /// The user's read cursor.
    pub(crate) read_seq: i64,
    /// The message; `None` if nothing is left to read.
    pub(crate) message: Option<MsgData>,
}

impl World {
    /// 1001: newest seq of every stream of a user that has one.
    pub(crate) fn newest_seqs(&self, user_id: &str) -> GetMaxSeqResp {
        let mut max_seqs = BTreeMap::new();
        let mut add = |name: String| {
            let newest = self.max_seq(&name);
            if newest > 0 {
                max_seqs.insert(name, newest);
            }
        };
        for record in self.conversations(user_id, Selection::ById) {
            add(ids::notification_of(&record.conversation_id));
            add(record.conversation_id.clone());
        }
        add(ids::notification_pair(user_id, user_id));
        GetMaxSeqResp { max_seqs, min_seqs: BTreeMap::new() }
    }

    /// 1006: newest seq, cursor and time of conversations; of all when none is named.
    pub(crate) fn read_states(
        &self,
        user_id: &str,
        conversation_ids: Vec<String>,
        with_pinned: bool,
    ) -> GetConversationsHasReadAndMaxSeqResp {
        let all = || self.conversations(user_id, Selection::ById).iter().map(|it| it.conversation_id.clone()).collect();
        let names: Vec<String> = if conversation_ids.is_empty() { all() } else { conversation_ids };
        let seqs = names
            .into_iter()
            .map(|name| {
                let (max_seq, max_seq_time) =
                    self.own_stream(user_id, &name).map_or((0, 0), |stream| (stream.max_seq, stream.max_seq_time));
                let ceiling = self.conversation(user_id, &name).map_or(0, |record| record.max_seq);
                let max_seq = if ceiling == 0 { max_seq } else { ceiling };
                let has_read_seq = self.read_cursor(user_id, &name);
                (name, Seqs { max_seq, has_read_seq, max_seq_time })
            })
            .collect();
        let pinned = |record: &&Conversation| record.conversation_id.clone();
        let pinned_conversation_i_ds = match with_pinned {
            true => self.conversations(user_id, Selection::Pinned).iter().map(pinned).collect(),
            false => Vec::new(),
        };
        GetConversationsHasReadAndMaxSeqResp { seqs, pinned_conversation_i_ds }
    }

    /// The seqs of a stream that a user may read: first, last, and database id.
    fn window(&self, user_id: &str, name: &str) -> Option<(i64, i64, i64)> {
        let stream = self.own_stream(user_id, name)?;
        let record = self.conversation(user_id, name);
        if record.is_none() && !ids::is_notification(name) {
            return None;
        }
        let (floor, ceiling) = record.map_or((0, 0), |record| (record.min_seq, record.max_seq));
        let first = floor.max(stream.min_seq).max(1);
        let last = if ceiling == 0 { stream.max_seq } else { ceiling.min(stream.max_seq) };
        Some((first, last, stream.id))
    }

    fn range_pieces(&self, user_id: &str, request: PullMessageBySeqsReq) -> Vec<Piece> {
        let ascending = request.order == PullOrder::Asc as i32;
        let mut pieces = Vec::new();
        for range in request.seq_ranges {
            let Some((first, last, stream_id)) = self.window(user_id, &range.conversation_id) else { continue };
            let (begin, end) = (range.begin.max(first), range.end.min(last));
            if end < begin {
                continue;
            }
            let is_end = if ascending { last <= range.end } else { range.begin <= first };
            let all = ids::is_notification(&range.conversation_id) || end - begin < range.num;
            let begin = if all { begin } else { end - range.num.max(0) + 1 };
            let seqs = Wanted::Range(begin, end);
            pieces.push(Piece { name: range.conversation_id, stream_id, seqs, is_end, end_seq: 0 });
        }
        pieces
    }

    fn list_pieces(&self, user_id: &str, request: GetSeqMessageReq) -> Vec<Piece> {
        let ascending = request.order == PullOrder::Asc as i32;
        let mut pieces = Vec::new();
        for wanted in request.conversations {
            let Some((first, last, stream_id)) = self.window(user_id, &wanted.conversation_id) else { continue };
            let positive = || wanted.seqs.iter().copied().filter(|seq| *seq > 0);
            let is_end = positive().any(|seq| if ascending { seq > last } else { seq < first });
            let end_seq = match (is_end, ascending) {
                (false, _) => 0,
                (true, true) => last,
                (true, false) => first,
            };
            let seqs = Wanted::List(positive().filter(|seq| (first..=last).contains(seq)).collect());
            pieces.push(Piece { name: wanted.conversation_id, stream_id, seqs, is_end, end_seq });
        }
        pieces
    }
}

impl Domain {
    /// 1002: ranges of seqs.
    pub(crate) async fn pull_ranges(
        &self,
        user_id: &str,
        request: PullMessageBySeqsReq,
    ) -> Result<PullMessageBySeqsResp, Fault> {
        let pieces = self.world().range_pieces(user_id, request);
        let (msgs, notification_msgs) = self.read_pieces(pieces).await?;
        Ok(PullMessageBySeqsResp { msgs, notification_msgs })
    }

    /// 1005: lists of seqs.
    pub(crate) async fn pull_lists(
        &self,
        user_id: &str,
        request: GetSeqMessageReq,
    ) -> Result<GetSeqMessageResp, Fault> {
        let pieces = self.world().list_pieces(user_id, request);
        let (msgs, notification_msgs) = self.read_pieces(pieces).await?;
        Ok(GetSeqMessageResp { msgs, notification_msgs })
    }

    /// 1007: the newest message of conversations.
    pub(crate) async fn last_messages(
        &self,
        user_id: &str,
        conversation_ids: Vec<String>,
    ) -> Result<GetLastMessageResp, Fault> {
        let newest = self.newest_messages(user_id, Some(conversation_ids)).await?;
        let of = |it: Newest| it.message.map(|message| (it.record.conversation_id, message));
        Ok(GetLastMessageResp { msgs: newest.into_iter().filter_map(of).collect() })
    }

    /// The user's conversations that hold messages, with the newest one; of all when none is named. By id.
    pub(crate) async fn newest_messages(
        &self,
        user_id: &str,
        conversation_ids: Option<Vec<String>>,
    ) -> Result<Vec<Newest>, Fault> {
        let wanted: Vec<(Newest, i64, i64, i64)> = {
            let world = self.world();
            world
                .conversations(user_id, Selection::ById)
                .into_iter()
                .filter(|record| conversation_ids.as_ref().is_none_or(|ids| ids.contains(&record.conversation_id)))
                .filter_map(|record| {
                    let name = &record.conversation_id;
                    let (first, last, stream_id) = world.window(user_id, name)?;
                    let stream = world.streams.get(name.as_str()).filter(|stream| stream.max_seq > 0)?;
                    let newest = Newest {
                        record: record.clone(),
                        max_seq: stream.max_seq,
                        max_seq_time: stream.max_seq_time,
                        read_seq: world.read_cursor(user_id, name),
                        message: None,
                    };
                    Some((newest, stream_id, first, last))
                })
                .collect()
        };
        self.store
            .read(move |db| {
                wanted
                    .into_iter()
                    .map(|(newest, stream_id, first, last)| {
                        let stored = sql::newest_message(db, stream_id, last)?.filter(|stored| stored.seq >= first);
                        Ok(Newest { message: stored.map(as_pulled), ..newest })
                    })
                    .collect()
            })
            .await
            .ok_or_else(Fault::database)
    }

    async fn read_pieces(
        &self,
        pieces: Vec<Piece>,
    ) -> Result<(BTreeMap<String, PullMsgs>, BTreeMap<String, PullMsgs>), Fault> {
        if pieces.is_empty() {
            return Ok(Default::default());
        }
        let read = self.store.read(move |db| {
            pieces.into_iter().map(|piece| read_piece(db, piece)).collect::<rusqlite::Result<Vec<_>>>()
        });
        let pulled = read.await.ok_or_else(Fault::database)?;
        Ok(pulled.into_iter().partition(|(name, _)| !ids::is_notification(name)))
    }
}

fn read_piece(db: &Connection, piece: Piece) -> rusqlite::Result<(String, PullMsgs)> {
    let msgs = match piece.seqs {
        Wanted::Range(begin, end) => {
            let mut stored = sql::messages(db, piece.stream_id, begin, end)?.into_iter().peekable();
            (begin..=end)
                .map(|seq| stored.next_if(|stored| stored.seq == seq).map_or_else(|| placeholder(seq), as_pulled))
                .collect()
        }
        Wanted::List(seqs) => seqs
            .into_iter()
            .map(|seq| Ok(sql::message(db, piece.stream_id, seq)?.map_or_else(|| placeholder(seq), as_pulled)))
            .collect::<rusqlite::Result<_>>()?,
    };
    Ok((piece.name, PullMsgs { msgs, is_end: piece.is_end, end_seq: piece.end_seq }))
}

fn as_pulled(stored: StoredMessage) -> MsgData {
    MsgData { is_read: stored.is_read, ..stored.message }
}

/// What stands for a seq without a message.
fn placeholder(seq: i64) -> MsgData {
    MsgData { seq, status: status::DELETED, ..MsgData::default() }
}
