//! Accepting messages: checks, seq, rows and pushes (gateway.md 11.1 to 11.7).

use std::sync::Arc;
use std::time::Duration;

use openim_proto::Message as _;
use openim_proto::constants::{content_type, operation, recv_msg_opt, session, status};
use openim_proto::envelope::Response;
use openim_proto::msg::SendMsgResp;
use openim_proto::sdkws::{MsgData, PullMsgs, PushMessages};
use openim_proto::{error_code, ids, options};
use tokio::time::Instant;

use super::disturbance::{Deliveries, Pushed};
use super::online::{Delivery, deliver};
use super::{Caller, Fault, Frame, World};
use crate::faults::{Event, Point};
use crate::store::sql;

/// From this level on a sender is exempt from the receiver's lists.
const EXEMPT_LEVEL: i32 = 2;

/// A message that gets a row.
struct Row {
    stream_id: i64,
    seq: i64,
    stored_at: i64,
    payload: Vec<u8>,
}

/// What one accepted message causes.
#[derive(Default)]
struct Outcome {
    rows: Vec<Row>,
    cursors: Vec<(Arc<str>, i64, i64)>,
    deliveries: Deliveries,
}

impl World {
    /// Accepts a message: the answer that `first` makes of it leaves before its own pushes.
    pub(crate) fn send(
        &mut self,
        caller: &Caller,
        mut message: MsgData,
        first: impl FnOnce(&SendMsgResp) -> Vec<Delivery>,
    ) -> Result<SendMsgResp, Fault> {
        check_form(&message)?;
        if !caller.is_admin && message.send_id != *caller.user_id {
            return Err(Fault::no_permission("sendID is not the user of the connection"));
        }
        message.server_msg_id = self.environment.message_id();
        if message.send_time == 0 {
            message.send_time = self.environment.now_ms();
        }
        adjust_options(&mut message);
        match message.session_type {
            session::SINGLE => self.check_single(caller, &mut message)?,
            // there are no groups yet, so none is found
            session::GROUP => return Err(Fault::not_found("group not found")),
            session::NOTIFICATION => {}
            _ => return Err(Fault::args("unknown sessionType")),
        }
        let response = SendMsgResp {
            server_msg_id: message.server_msg_id.clone(),
            client_msg_id: message.client_msg_id.clone(),
            send_time: message.send_time,
            modify: None,
        };
        let first = first(&response);
        match self.storing_delay(&message) {
            None => self.dispatch(message, &caller.operation_id, first),
            Some(delay) => {
                self.store.after(move || deliver(first));
                self.store_later(Instant::now() + delay, message, &caller.operation_id);
            }
        }
        Ok(response)
    }

    /// How much later than its answer a message is stored. Whatever comes behind one that waits, waits behind it.
    fn storing_delay(&self, message: &MsgData) -> Option<Duration> {
        let faults = self.environment.faults();
        if !faults.any(Point::Store) && self.late.is_empty() {
            return None;
        }
        let conversation_id = ids::of_message(message).unwrap_or_default();
        let event = Event {
            user_id: &message.send_id,
            content_type: message.content_type,
            conversation_id: &conversation_id,
            ..Event::default()
        };
        faults.delay(Point::Store, &event).or_else(|| (!self.late.is_empty()).then_some(Duration::ZERO))
    }

    /// Whether the receiver takes this message of a single chat.
    fn check_single(&self, caller: &Caller, message: &mut MsgData) -> Result<(), Fault> {
        let is_notification = content_type::is_notification(message.content_type);
        if !caller.is_admin && !is_notification {
            let sender = self.user_info(&message.send_id).ok_or_else(|| Fault::not_found("sender not found"))?;
            if sender.app_manger_level < EXEMPT_LEVEL {
                self.check_relation(&message.send_id, &message.recv_id)?;
            }
        }
        if !options::is_on(&message.options, options::IS_NOT_NOTIFICATION) {
            return Ok(());
        }
        let receiver = self.user_info(&message.recv_id).ok_or_else(|| Fault::not_found("userID not found"))?;
        let conversation_id = ids::single(&message.send_id, &message.recv_id);
        let of_conversation =
            self.conversation(&message.recv_id, &conversation_id).map_or(0, |record| record.recv_msg_opt);
        match (receiver.global_recv_msg_opt, of_conversation) {
            (recv_msg_opt::NOT_RECEIVE, _) => return Err(Fault::args("message is not sent")),
            (recv_msg_opt::RECEIVE, recv_msg_opt::NOT_RECEIVE)
                if message.content_type != content_type::READ_RECEIPT =>
            {
                return Err(Fault::args("message is not sent"));
            }
            (recv_msg_opt::RECEIVE, recv_msg_opt::RECEIVE | recv_msg_opt::NOT_RECEIVE) => {}
            _ => {
                message.options.insert(options::OFFLINE_PUSH.into(), false);
            }
        }
        Ok(())
    }

    /// Whether the receiver's lists let the sender's messages in: his black list, and with the switch on his friends.
    fn check_relation(&self, sender: &str, receiver: &str) -> Result<(), Fault> {
        if self.black(receiver, sender).is_some() {
            return Err(Fault::new(error_code::BLOCKED_BY_PEER, "the receiver has blocked the sender"));
        }
        if self.config.friend_verify && !self.is_friend(receiver, sender) {
            return Err(Fault::new(error_code::NOT_PEERS_FRIEND, "not in the receiver's friend list"));
        }
        Ok(())
    }

    /// Stores and pushes an accepted message or a notification, after the frames in `first`.
    pub(super) fn dispatch(&mut self, mut message: MsgData, operation_id: &str, first: Vec<Delivery>) {
        let mut outcome = Outcome::default();
        outcome.deliveries.frames = first;
        let is_notification = !options::is_on(&message.options, options::IS_NOT_NOTIFICATION);
        if is_notification && options::is_on(&message.options, options::IS_SEND_MSG) {
            let kept = [options::OFFLINE_PUSH, options::UNREAD_COUNT];
            let of_copy = kept.map(|key| (key.to_owned(), options::is_on(&message.options, key)));
            let copy = MsgData { options: of_copy.into(), ..message.clone() };
            message.options.extend(kept.map(|key| (key.to_owned(), false)));
            self.place(copy, operation_id, &mut outcome);
        }
        self.place(message, operation_id, &mut outcome);
        let Outcome { rows, cursors, deliveries } = outcome;
        let environment = self.environment.clone();
        self.store.submit(move |batch| {
            if !rows.is_empty() {
                let db = batch.db()?;
                for row in &rows {
                    sql::insert_message(db, row.stream_id, row.seq, row.stored_at, &row.payload)?;
                }
            }
            for (user_id, stream_id, seq) in cursors {
                batch.set_cursor(user_id, stream_id, seq);
            }
            batch.after(move || deliveries.deliver(&environment));
            Ok(())
        });
    }

    /// Puts one message into its stream, if it is to be kept, and addresses its pushes.
    fn place(&mut self, mut message: MsgData, operation_id: &str, outcome: &mut Outcome) {
        let Some(conversation_id) = ids::of_message(&message) else { return };
        if message.status == status::SENDING {
            message.status = status::SENT;
        }
        if options::is_on(&message.options, options::HISTORY) {
            let (stream_id, seq, stored_at) = self.next_seq(&conversation_id, [&message.send_id, &message.recv_id]);
            message.seq = seq;
            outcome.rows.push(Row { stream_id, seq, stored_at, payload: message.encode_to_vec() });
            if !ids::is_notification(&conversation_id) {
                if seq == 1 {
                    self.begin_chat(&conversation_id, &message);
                }
                self.sender_has_read(&message.send_id, &conversation_id, stream_id, seq, outcome);
            }
        }
        let sender_too = options::is_on(&message.options, options::SENDER_SYNC) && message.send_id != message.recv_id;
        let mut targets: Vec<_> = self.online.push_targets(&message.recv_id).cloned().collect();
        let receivers = targets.len();
        let sender = sender_too.then_some(message.send_id.as_str());
        targets.extend(sender.into_iter().flat_map(|sender| self.online.push_targets(sender)).cloned());
        if targets.is_empty() {
            return;
        }
        let pushed = Pushed { conversation_id: &conversation_id, content_type: message.content_type, seq: message.seq };
        let frame = push_frame(&conversation_id, message, operation_id);
        let senders = targets.split_off(receivers);
        for devices in [targets, senders] {
            outcome.deliveries.push(&self.environment, &frame, pushed, devices);
        }
    }

    /// The first message of a chat gives both sides a record; a service account has none of its own.
    fn begin_chat(&mut self, conversation_id: &str, message: &MsgData) {
        let MsgData { send_id, recv_id, session_type, .. } = message;
        if *session_type == session::SINGLE {
            self.ensure_chat_record(send_id, conversation_id, *session_type, recv_id);
        }
        self.ensure_chat_record(recv_id, conversation_id, *session_type, send_id);
    }

    fn sender_has_read(&mut self, sender: &str, name: &str, stream_id: i64, seq: i64, outcome: &mut Outcome) {
        let Some(stream) = self.streams.get(name) else { return };
        let Some(user) = self.users.get_mut(sender) else { return };
        let cursor = user.cursors.entry(stream.name.clone()).or_insert(0);
        if *cursor < seq {
            *cursor = seq;
            outcome.cursors.push((user.id.clone(), stream_id, seq));
        }
    }
}

fn push_frame(conversation_id: &str, message: MsgData, operation_id: &str) -> Arc<Frame> {
    let is_notification = ids::is_notification(conversation_id);
    let pulled = PullMsgs { msgs: vec![message], ..PullMsgs::default() };
    let mut push = PushMessages::default();
    let map = if is_notification { &mut push.notification_msgs } else { &mut push.msgs };
    map.insert(conversation_id.to_owned(), pulled);
    Frame::new(Response {
        req_identifier: operation::PUSH_MSG,
        operation_id: operation_id.into(),
        data: push.encode_to_vec(),
        ..Response::default()
    })
}

/// Checks that need no state.
fn check_form(message: &MsgData) -> Result<(), Fault> {
    if message.send_id.is_empty() {
        return Err(Fault::args("sendID is empty"));
    }
    if message.recv_id.is_empty() && message.group_id.is_empty() {
        return Err(Fault::args("recvID and groupID are empty"));
    }
    if message.content.is_empty() {
        return Err(Fault::args("content is empty"));
    }
    if (message.session_type == session::NOTIFICATION) != (message.content_type == content_type::OA_NOTIFICATION) {
        return Err(Fault::args("sessionType and contentType do not fit"));
    }
    Ok(())
}

/// Switches off what a content type never does; a message without options is left without.
fn adjust_options(message: &mut MsgData) {
    if message.options.is_empty() {
        return;
    }
    let off: &[&str] = match message.content_type {
        content_type::REVOKE_LEGACY => &[options::UNREAD_COUNT, options::OFFLINE_PUSH],
        content_type::READ_RECEIPT => &[
            options::CONVERSATION_UPDATE,
            options::SENDER_CONVERSATION_UPDATE,
            options::UNREAD_COUNT,
            options::OFFLINE_PUSH,
        ],
        content_type::TYPING => &options::ONLINE_ONLY,
        _ => &[],
    };
    message.options.extend(off.iter().map(|key| ((*key).to_owned(), false)));
}
