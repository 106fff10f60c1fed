//! Conversation records: what a user has set for a chat.

use openim_proto::constants::session;
use openim_proto::conversation::Conversation;
use openim_proto::sdkws::{ConversationSetPrivateTips, ConversationUpdateTips};
use serde::Deserialize;

use super::notification::{CONVERSATION_CHANGED, PRIVATE_CHAT_SET};
use super::user::NEVER;
use super::version_log::{Change, Log};
use super::{Caller, Fault, World};
use crate::store::{ConversationRow, sql};

const DAY_MS: i64 = 86_400_000;

/// A change of a record; absent members stay as they are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ConversationChange {
    /// Which conversation.
    #[serde(rename = "conversationID")]
    pub(crate) conversation_id: String,
    /// Session type.
    pub(crate) conversation_type: i32,
    /// Peer of a single chat.
    #[serde(rename = "userID")]
    pub(crate) user_id: String,
    /// Group of a group chat.
    #[serde(rename = "groupID")]
    pub(crate) group_id: String,
    recv_msg_opt: Option<i32>,
    is_pinned: Option<bool>,
    attached_info: Option<String>,
    is_private_chat: Option<bool>,
    ex: Option<String>,
    burn_duration: Option<i32>,
    group_at_type: Option<i32>,
    msg_destruct_time: Option<i64>,
    is_msg_destruct: Option<bool>,
}

/// Which records a list call wants, and in which order they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All, oldest record first.
    All,
    /// All, by id.
    ById,
    /// The pinned ones, by id.
    Pinned,
    /// Those that ring nowhere, by id.
    NotNotify,
}

impl ConversationChange {
    /// Refuses a change that names no conversation.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.conversation_id.is_empty() {
            return Err(Fault::args("conversationID is empty"));
        }
        match self.conversation_type {
            session::SINGLE if self.user_id.is_empty() => Err(Fault::args("userID is empty")),
            session::GROUP if self.group_id.is_empty() => Err(Fault::args("groupID is empty")),
            session::SINGLE | session::GROUP | session::NOTIFICATION => Ok(()),
            _ => Err(Fault::args("conversationType is invalid")),
        }
    }

    /// Writes the given members, the private-chat flag apart; tells whether anything became different.
    fn apply(&self, record: &mut Conversation) -> bool {
        let before = record.clone();
        record.recv_msg_opt = self.recv_msg_opt.unwrap_or(record.recv_msg_opt);
        record.is_pinned = self.is_pinned.unwrap_or(record.is_pinned);
        record.group_at_type = self.group_at_type.unwrap_or(record.group_at_type);
        record.burn_duration = self.burn_duration.unwrap_or(record.burn_duration);
        record.msg_destruct_time = self.msg_destruct_time.unwrap_or(record.msg_destruct_time);
        record.is_msg_destruct = self.is_msg_destruct.unwrap_or(record.is_msg_destruct);
        if let Some(attached_info) = &self.attached_info {
            record.attached_info.clone_from(attached_info);
        }
        if let Some(ex) = &self.ex {
            record.ex.clone_from(ex);
        }
        *record != before
    }

    /// Whether any member that [`Self::apply`] writes is given.
    fn sets_something(&self) -> bool {
        self.recv_msg_opt.is_some()
            || self.is_pinned.is_some()
            || self.attached_info.is_some()
            || self.ex.is_some()
            || self.burn_duration.is_some()
            || self.group_at_type.is_some()
            || self.msg_destruct_time.is_some()
            || self.is_msg_destruct.is_some()
    }

    fn fresh(&self, owner: &str) -> Conversation {
        Conversation {
            user_id: self.user_id.clone(),
            group_id: self.group_id.clone(),
            ..fresh_record(owner, &self.conversation_id, self.conversation_type)
        }
    }
}

fn fresh_record(owner: &str, conversation_id: &str, conversation_type: i32) -> Conversation {
    Conversation {
        owner_user_id: owner.into(),
        conversation_id: conversation_id.into(),
        conversation_type,
        latest_msg_destruct_time: NEVER,
        ..Conversation::default()
    }
}

impl World {
    /// A record.
    pub(crate) fn conversation(&self, owner: &str, conversation_id: &str) -> Option<&Conversation> {
        self.users.get(owner)?.conversations.get(conversation_id).map(|row| &row.record)
    }

    /// The records of a user that a list call wants.
    pub(crate) fn conversations(&self, owner: &str, selection: Selection) -> Vec<&Conversation> {
        let Some(user) = self.users.get(owner) else { return Vec::new() };
        let mut rows: Vec<&ConversationRow> = user
            .conversations
            .values()
            .filter(|row| match selection {
                Selection::All | Selection::ById => true,
                Selection::Pinned => row.record.is_pinned,
                Selection::NotNotify => row.record.recv_msg_opt == 2,
            })
            .collect();
        if selection == Selection::All {
            rows.sort_by_key(|row| row.ordinal);
        }
        rows.into_iter().map(|row| &row.record).collect()
    }

    /// Makes the record of a chat that begins, if the user lacks it.
    pub(super) fn ensure_chat_record(&mut self, owner: &str, conversation_id: &str, session_type: i32, peer: &str) {
        if self.is_registered(owner) && self.conversation(owner, conversation_id).is_none() {
            self.put_conversation(Conversation {
                user_id: peer.into(),
                ..fresh_record(owner, conversation_id, session_type)
            });
        }
    }

    /// Changes the records of users and tells their devices (1300, 1701).
    pub(crate) fn set_conversations(
        &mut self,
        caller: &Caller,
        user_ids: &[String],
        change: &ConversationChange,
    ) -> Result<(), Fault> {
        if let Some(unknown) = user_ids.iter().find(|user_id| !self.is_registered(user_id)) {
            return Err(Fault::not_found(format!("user {unknown} not found")));
        }
        for user_id in user_ids {
            self.set_own_conversation(caller, user_id, change);
        }
        let Some(is_private) = change.is_private_chat else { return Ok(()) };
        if change.conversation_type != session::GROUP {
            for user_id in user_ids {
                self.set_private_chat(caller, user_id, change, is_private);
            }
        }
        Ok(())
    }

    fn set_own_conversation(&mut self, caller: &Caller, user_id: &str, change: &ConversationChange) {
        let known = self.conversation(user_id, &change.conversation_id).cloned();
        let is_new = known.is_none();
        let mut record = known.unwrap_or_else(|| change.fresh(user_id));
        if (change.apply(&mut record) || is_new) && change.sets_something() {
            self.put_conversation(record);
            self.notify_conversations_changed(caller, user_id, &[&change.conversation_id]);
        }
    }

    fn set_private_chat(&mut self, caller: &Caller, user_id: &str, change: &ConversationChange, is_private: bool) {
        for (owner, peer) in [(user_id, change.user_id.as_str()), (change.user_id.as_str(), user_id)] {
            if !self.is_registered(owner) {
                continue;
            }
            let known = self.conversation(owner, &change.conversation_id).cloned();
            let fresh = || fresh_record(owner, &change.conversation_id, change.conversation_type);
            let record = known.unwrap_or_else(|| Conversation { user_id: peer.into(), ..fresh() });
            self.put_conversation(Conversation { is_private_chat: is_private, ..record });
        }
        let tips = ConversationSetPrivateTips {
            recv_id: change.user_id.clone(),
            send_id: user_id.into(),
            is_private,
            conversation_id: change.conversation_id.clone(),
        };
        self.notify(&PRIVATE_CHAT_SET, user_id, &change.user_id, &tips, &caller.operation_id);
    }

    /// Removes records; the messages stay.
    pub(crate) fn delete_conversations(&mut self, owner: &str, conversation_ids: &[String]) {
        let Some(user) = self.users.get_mut(owner) else { return };
        let gone: Vec<&str> = conversation_ids
            .iter()
            .map(String::as_str)
            .filter(|conversation_id| user.conversations.remove(*conversation_id).is_some())
            .collect();
        if gone.is_empty() {
            return;
        }
        self.log_change(Log::Conversations, owner, &gone, Change::Delete);
        let (owner, gone) = (owner.to_owned(), gone.into_iter().map(str::to_owned).collect::<Vec<_>>());
        self.store.submit(move |batch| {
            let db = batch.db()?;
            gone.iter().try_for_each(|conversation_id| sql::delete_conversation(db, &owner, conversation_id))
        });
    }

    /// Removes the records of conversations that have been quiet for so many days.
    pub(crate) fn delete_quiet_conversations(&mut self, owner: &str, days: i64) {
        let since = self.environment.now_ms() - days.saturating_mul(DAY_MS);
        let newest = |id: &str| self.streams.get(id).map_or(0, |stream| stream.max_seq_time);
        let records = self.conversations(owner, Selection::ById).into_iter().map(|record| &record.conversation_id);
        let quiet: Vec<String> = records.filter(|id| newest(id) < since).cloned().collect();
        self.delete_conversations(owner, &quiet);
    }

    /// Sets `ex` of every record whose peer is the user, in the lists of others.
    pub(crate) fn set_ex_of_peer(&mut self, peer: &str, ex: &str) {
        let records: Vec<Conversation> = self
            .users
            .values()
            .flat_map(|user| user.conversations.values())
            .filter(|row| row.record.user_id == peer)
            .map(|row| Conversation { ex: ex.into(), ..row.record.clone() })
            .collect();
        records.into_iter().for_each(|record| self.put_conversation(record));
    }

    /// Tells a user's devices that records changed (1300).
    fn notify_conversations_changed(&mut self, caller: &Caller, user_id: &str, conversation_ids: &[&str]) {
        let tips = ConversationUpdateTips {
            user_id: user_id.into(),
            conversation_id_list: conversation_ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        self.notify(&CONVERSATION_CHANGED, user_id, user_id, &tips, &caller.operation_id);
    }

    /// Inserts or replaces a record, with its entry in the version log.
    fn put_conversation(&mut self, record: Conversation) {
        let Some(user) = self.users.get_mut(record.owner_user_id.as_str()) else { return };
        let known = user.conversations.get(record.conversation_id.as_str()).map(|row| row.ordinal);
        let newest = || user.conversations.values().map(|row| row.ordinal).max().unwrap_or(0);
        let ordinal = known.unwrap_or_else(|| newest() + 1);
        let row = ConversationRow { ordinal, record: record.clone() };
        user.conversations
            .insert(record.conversation_id.as_str().into(), ConversationRow { ordinal, record: record.clone() });
        self.store.submit(move |batch| sql::write_conversation(batch.db()?, &row));
        let change = if known.is_some() { Change::Update } else { Change::Insert };
        self.log_change(Log::Conversations, &record.owner_user_id, &[&record.conversation_id], change);
    }
}
