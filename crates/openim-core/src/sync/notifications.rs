//! Notifications: messages of the `n_` streams (client-behaviour.md section 5). The effects that need no network happen
//! here; the others are remembered as follow-ups.

use std::sync::Arc;

use openim_proto::constants::{MAX_SEQ, content_type, msg_from, session};
use openim_proto::content::NotificationElem;
use openim_proto::ids;
use openim_proto::sdkws::{MarkAsReadTips, MsgData};
use serde::Deserialize;

use super::changes::Changes;
use super::{inbound, people};
use crate::change::Notification;
use crate::error::Result;
use crate::model::Receipt;
use crate::store::{conversations, messages, receipts, seqs};

/// Applies one notification. Stored ones (seq > 0) move the stream's cursor in the same transaction (I3); every effect
/// is idempotent, so one that arrives by push and by pull is applied once.
pub(crate) fn apply(changes: &mut Changes<'_>, stream_id: &str, message: &MsgData) -> Result<()> {
    if message.seq > MAX_SEQ {
        tracing::warn!(seq = message.seq, "a notification with an impossible seq is passed over");
        return Ok(());
    }
    if message.seq > 0 {
        let cursor = seqs::cursor(changes.connection, stream_id)?.unwrap_or(0);
        if message.seq <= cursor {
            return Ok(());
        }
        if message.seq == cursor + 1 {
            seqs::advance_cursor(changes.connection, stream_id, message.seq)?;
        } else {
            // apply it now, fetch what is missing before it, and leave the cursor until then
            changes.follow_up.streams = true;
        }
    }
    note(changes, stream_id, message);
    match message.content_type {
        content_type::READ_RECEIPT => {
            if let Some(tips) = tips(message) {
                read(changes, message, &tips)?;
            }
        }
        content_type::CONVERSATION_CHANGED => changes.follow_up.conversations = true,
        kind if people::concerns(kind) => people::apply(changes, message)?,
        other => tracing::debug!(content_type = other, "notification without a local effect"),
    }
    Ok(())
}

/// Remembers a notification for those who follow the changes. Its copy in a chat shares its id: the first one counts.
pub(crate) fn note(changes: &mut Changes<'_>, stream: &str, message: &MsgData) {
    let id = &message.client_msg_id;
    if !changes.followed
        || changes.is_quiet()
        || changes.notifications.iter().any(|known| !id.is_empty() && known.client_msg_id == *id)
    {
        return;
    }
    let Ok(NotificationElem { detail }) = serde_json::from_slice(&message.content) else { return };
    let who: Who = serde_json::from_str(&detail).unwrap_or_default();
    changes.notifications.push(Arc::new(Notification {
        content_type: message.content_type,
        stream: stream.to_owned(),
        seq: message.seq,
        client_msg_id: id.clone(),
        send_time: message.send_time,
        operator: who
            .op_user
            .map(|user| user.user_id)
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| message.send_id.clone()),
        operator_platform_id: message.sender_platform_id,
        people: who
            .request
            .into_iter()
            .chain(who.from_to_user_id)
            .flat_map(Pair::into_ids)
            .chain(who.friend_ids.into_iter().flatten())
            .collect(),
        detail,
    }));
}

/// Whom tips may name (client-behaviour.md 5.3).
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Who {
    op_user: Option<OpUser>,
    #[serde(rename = "fromToUserID")]
    from_to_user_id: Option<Pair>,
    request: Option<Pair>,
    #[serde(rename = "friendIDs")]
    friend_ids: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OpUser {
    #[serde(rename = "userID")]
    user_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pair {
    #[serde(rename = "fromUserID")]
    from: String,
    #[serde(rename = "toUserID")]
    to: String,
}

impl Pair {
    fn into_ids(self) -> [String; 2] {
        [self.from, self.to]
    }
}

/// `{"detail": "<JSON of the tips>"}` (gateway.md 6.5). A notification that cannot be read is logged and passed over.
pub(super) fn tips<T: serde::de::DeserializeOwned>(message: &MsgData) -> Option<T> {
    let elem: NotificationElem = serde_json::from_slice(&message.content).ok()?;
    match serde_json::from_str(&elem.detail) {
        Ok(tips) => Some(tips),
        Err(error) => {
            // serde's own text would quote them
            let (content_type, column) = (message.content_type, error.column());
            tracing::warn!(content_type, seq = message.seq, column, "tips cannot be read");
            None
        }
    }
}

/// 2200: somebody has read. From another own device it moves the cursor, from the peer it marks own messages.
fn read(changes: &mut Changes<'_>, message: &MsgData, tips: &MarkAsReadTips) -> Result<()> {
    let known = conversations::find(changes.connection, &tips.conversation_id)?;
    if tips.mark_as_read_user_id == changes.me {
        let before = match known {
            Some(row) => row,
            // a device in its first sync: what it is about to read of the cursor may be from before
            None if is_about(message, tips, changes.me) => inbound::create(changes, &tips.conversation_id, message)?,
            None => return Ok(()),
        };
        let mut row = before.clone();
        let has_read_seq = tips.has_read_seq.min(MAX_SEQ);
        row.read_on_server(has_read_seq, true);
        row.server_max_seq = row.server_max_seq.max(has_read_seq);
        changes.settle(&before, row, false)?;
        return Ok(());
    }
    let Some(before) = known else { return Ok(()) };
    if message.session_type != session::SINGLE {
        // a group's receipt concerns the reader's own devices alone (R13k)
        return Ok(());
    }
    let mut read_ids = Vec::new();
    let mut latest_read = false;
    let gaps = seqs::gaps(changes.connection, before.id)?;
    for seq in tips.seqs.iter().filter(|seq| (1..=MAX_SEQ).contains(*seq)) {
        if let Some(row) = messages::mark_read(changes.connection, before.id, *seq, changes.me, message.send_time)? {
            latest_read |= row.id == before.latest_message;
            read_ids.push(row.client_msg_id);
        } else if *seq > before.local_max_seq || gaps.iter().any(|((begin, end), _)| (*begin..=*end).contains(seq)) {
            // the push that gives the message its seq is late or lost
            receipts::keep(changes.connection, before.id, *seq, message.send_time)?;
        }
    }
    if read_ids.is_empty() {
        return Ok(());
    }
    changes.receipts.push(receipt(&tips.mark_as_read_user_id, read_ids, message.send_time));
    if latest_read && !before.hidden {
        changes.conversation_changed(before.id);
    }
    Ok(())
}

/// Whether the chat that the tips name is the one in which the message stands.
fn is_about(message: &MsgData, tips: &MarkAsReadTips, me: &str) -> bool {
    let source = inbound::source(message, me);
    !source.is_empty() && ids::chat(message.session_type, me, source).as_deref() == Some(&tips.conversation_id)
}

/// The peer's receipt of a single chat.
pub(crate) fn receipt(reader: &str, msg_id_list: Vec<String>, read_time: i64) -> Receipt {
    Receipt {
        group_id: String::new(),
        user_id: reader.to_owned(),
        msg_id_list,
        read_time,
        msg_from: msg_from::SYSTEM,
        content_type: content_type::READ_RECEIPT,
        session_type: session::SINGLE,
    }
}
