//! Read cursors and receipts (http.md 2.7.1).

use std::sync::Arc;

use openim_proto::constants::session;
use openim_proto::sdkws::MarkAsReadTips;

use super::notification::{READ_BY_PEER, READ_ELSEWHERE};
use super::{Caller, Fault, World};
use crate::store::sql;

impl World {
    /// How far a user has read a conversation.
    pub(crate) fn read_cursor(&self, user_id: &str, conversation_id: &str) -> i64 {
        self.users.get(user_id).and_then(|user| user.cursors.get(conversation_id)).copied().unwrap_or(0)
    }

    /// Raises the cursor; in a single chat the messages on the way and the listed ones become read for the peer.
    pub(crate) fn mark_conversation_read(
        &mut self,
        caller: &Caller,
        user_id: &str,
        conversation_id: &str,
        has_read_seq: i64,
        listed: &[i64],
    ) -> Result<(), Fault> {
        let (session_type, peer) = self.chat_of(user_id, conversation_id)?;
        let old = self.read_cursor(user_id, conversation_id);
        let newest = old.max(has_read_seq);
        self.set_cursor(user_id, conversation_id, newest, &peer);
        if session_type != session::SINGLE {
            self.notify_read(caller, user_id, user_id, conversation_id, Vec::new(), newest);
            return Ok(());
        }
        // a cursor may lie beyond the newest message, but only messages can be read
        let mut seqs: Vec<i64> = (old + 1..=has_read_seq.min(self.max_seq(conversation_id))).collect();
        let passed = seqs.len();
        seqs.extend(listed.iter().filter(|seq| !(old + 1..=old + passed as i64).contains(seq)));
        self.mark_messages(user_id, conversation_id, &seqs);
        self.notify_read(caller, user_id, &peer, conversation_id, seqs, newest);
        Ok(())
    }

    /// Marks listed messages as read and raises the cursor to the last one.
    pub(crate) fn mark_messages_read(
        &mut self,
        caller: &Caller,
        user_id: &str,
        conversation_id: &str,
        seqs: &[i64],
    ) -> Result<(), Fault> {
        let last = seqs.last().copied().ok_or_else(|| Fault::args("seqs is empty"))?;
        if last > self.max_seq(conversation_id) {
            return Err(Fault::args("hasReadSeq must not be bigger than maxSeq"));
        }
        let (_, peer) = self.chat_of(user_id, conversation_id)?;
        self.mark_messages(user_id, conversation_id, seqs);
        let newest = self.read_cursor(user_id, conversation_id).max(last);
        self.set_cursor(user_id, conversation_id, newest, &peer);
        self.notify_read(caller, user_id, &peer, conversation_id, seqs.to_vec(), last);
        Ok(())
    }

    /// Sets the cursor, backwards too, and tells the user's devices.
    pub(crate) fn set_read_cursor(
        &mut self,
        caller: &Caller,
        user_id: &str,
        conversation_id: &str,
        seq: i64,
    ) -> Result<(), Fault> {
        if seq > self.max_seq(conversation_id) {
            return Err(Fault::args("hasReadSeq must not be bigger than maxSeq"));
        }
        self.set_cursor(user_id, conversation_id, seq, user_id);
        self.notify_read(caller, user_id, user_id, conversation_id, Vec::new(), seq);
        Ok(())
    }

    /// Session type and peer of a conversation that the user has a record of.
    fn chat_of(&self, user_id: &str, conversation_id: &str) -> Result<(i32, String), Fault> {
        let record = self.conversation(user_id, conversation_id);
        let record = record.ok_or_else(|| Fault::not_found("conversation not found"))?;
        Ok((record.conversation_type, record.user_id.clone()))
    }

    fn mark_messages(&mut self, reader: &str, conversation_id: &str, seqs: &[i64]) {
        let Some(stream) = self.own_stream(reader, conversation_id) else { return };
        let (stream_id, reader, seqs) = (stream.id, reader.to_owned(), seqs.to_vec());
        self.store.submit(move |batch| sql::mark_read(batch.db()?, stream_id, &reader, &seqs));
    }

    fn set_cursor(&mut self, user_id: &str, conversation_id: &str, seq: i64, peer: &str) {
        let stream_id = self.stream_id(conversation_id, [user_id, peer]);
        let Some(user) = self.users.get_mut(user_id) else { return };
        let name: Arc<str> = conversation_id.into();
        user.cursors.insert(name, seq);
        let user_id = user.id.clone();
        self.store.submit(move |batch| {
            batch.set_cursor(user_id, stream_id, seq);
            Ok(())
        });
    }

    fn notify_read(
        &mut self,
        caller: &Caller,
        reader: &str,
        to: &str,
        conversation_id: &str,
        seqs: Vec<i64>,
        has_read_seq: i64,
    ) {
        let tips = MarkAsReadTips {
            mark_as_read_user_id: reader.into(),
            conversation_id: conversation_id.into(),
            seqs,
            has_read_seq,
        };
        // to oneself it is never stored
        let kind = if reader == to { &READ_ELSEWHERE } else { &READ_BY_PEER };
        self.notify(kind, reader, to, &tips, &caller.operation_id);
    }
}
