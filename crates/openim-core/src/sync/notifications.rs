//! Notifications: messages of the `n_` streams (client-behaviour.md section 5). The effects that need no network happen
//! here; the others are remembered as follow-ups.

use openim_proto::constants::{content_type, session};
use openim_proto::content::NotificationElem;
use openim_proto::sdkws::{MarkAsReadTips, MsgData, UserInfoUpdatedTips};

use super::changes::Changes;
use crate::error::Result;
use crate::model::Receipt;
use crate::store::{conversations, messages, seqs};

/// Applies one notification. Stored ones (seq > 0) move the stream's cursor in the same transaction (I3); every effect
/// is idempotent, so one that arrives by push and by pull is applied once.
pub(crate) fn apply(changes: &mut Changes<'_>, stream_id: &str, message: &MsgData) -> Result<()> {
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
    match message.content_type {
        content_type::READ_RECEIPT => {
            if let Some(tips) = tips(message) {
                read(changes, message, &tips)?;
            }
        }
        content_type::CONVERSATION_CHANGED => changes.follow_up.conversations = true,
        content_type::USER_INFO_UPDATED => {
            if tips::<UserInfoUpdatedTips>(message).is_some_and(|tips| tips.user_id == changes.me) {
                changes.follow_up.self_info = true;
            }
        }
        other => tracing::debug!(content_type = other, "notification without a local effect"),
    }
    Ok(())
}

/// `{"detail": "<JSON of the tips>"}` (gateway.md 6.5). A notification that cannot be read is logged and passed over.
fn tips<T: serde::de::DeserializeOwned>(message: &MsgData) -> Option<T> {
    let elem: NotificationElem = serde_json::from_slice(&message.content).ok()?;
    match serde_json::from_str(&elem.detail) {
        Ok(tips) => Some(tips),
        Err(error) => {
            tracing::warn!(content_type = message.content_type, %error, "tips cannot be read");
            None
        }
    }
}

/// 2200: somebody has read. From another own device it moves the cursor, from the peer it marks own messages.
fn read(changes: &mut Changes<'_>, message: &MsgData, tips: &MarkAsReadTips) -> Result<()> {
    let Some(before) = conversations::find(changes.connection, &tips.conversation_id)? else { return Ok(()) };
    if tips.mark_as_read_user_id == changes.me {
        let mut row = before.clone();
        row.has_read_seq = row.has_read_seq.max(tips.has_read_seq);
        row.server_max_seq = row.server_max_seq.max(tips.has_read_seq);
        changes.settle(&before, row, false)?;
        return Ok(());
    }
    if message.session_type != session::SINGLE {
        // a group's receipt concerns the reader's own devices alone (R13k)
        return Ok(());
    }
    let mut read_ids = Vec::new();
    let mut latest_read = false;
    for seq in &tips.seqs {
        if let Some(row) = messages::mark_read(changes.connection, before.id, *seq, changes.me, message.send_time)? {
            latest_read |= row.id == before.latest_message;
            read_ids.push(row.client_msg_id);
        }
    }
    if read_ids.is_empty() {
        return Ok(());
    }
    changes.receipts.push(Receipt {
        group_id: String::new(),
        user_id: tips.mark_as_read_user_id.clone(),
        msg_id_list: read_ids,
        read_time: message.send_time,
        msg_from: message.msg_from,
        content_type: message.content_type,
        session_type: message.session_type,
    });
    if latest_read && !before.hidden {
        changes.conversation_changed(before.id);
    }
    Ok(())
}
