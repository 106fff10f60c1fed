//! Messages that arrived: the decision table of client-behaviour.md 4.6, one conversation at a time.

use std::collections::BTreeMap;

use openim_proto::constants::{MAX_SEQ, content_type, msg_from, recv_msg_opt, session, status};
use openim_proto::sdkws::MsgData;
use openim_proto::{ids, options};

use super::changes::{Arrived, Changes};
use super::gaps::{Coverage, Range, missing};
use super::notifications;
use crate::error::Result;
use crate::store::conversations::{self, SyncRow};
use crate::store::messages::{self, MessageRow};
use crate::store::{outbox, receipts, seqs, users};

/// A push that skips more seqs than this does not make the client fetch them all at once: no connection loses so many
/// pushes. The server is asked whether it means it, and what is true of them comes with the history.
const MOST_SKIPPED: i64 = 100_000;

/// A profile that was fetched so shortly before a message with another name is not asked for again.
const PROFILE_DOUBTED_AFTER_MS: i64 = 60_000;

/// Whether listeners hear of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Pushed, or pulled because they are new.
    Announce,
    /// Pulled for the history or in a first sync.
    Silent,
}

/// Messages of one conversation.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) conversation_id: String,
    pub(crate) messages: Vec<MsgData>,
    /// The ranges that this answers: what the answer lacks does not exist.
    pub(crate) answered: Vec<Range>,
    pub(crate) delivery: Delivery,
}

/// Applies one arrival inside the transaction of `changes`.
pub(crate) fn apply(changes: &mut Changes<'_>, mut arrival: Arrival) -> Result<()> {
    if arrival.conversation_id.is_empty() {
        tracing::warn!("messages without a conversation are passed over");
        return Ok(());
    }
    arrival.messages.retain(|message| message.seq <= MAX_SEQ);
    let known = conversations::find(changes.connection, &arrival.conversation_id)?;
    let before = match (known, arrival.messages.iter().find(|message| message.session_type != 0)) {
        (Some(row), _) => row,
        (None, Some(message)) if is_stored(message) => create(changes, &arrival.conversation_id, message)?,
        (None, _) => {
            announce_unstored(changes, arrival.messages);
            return Ok(());
        }
    };
    arrival.messages.sort_by_key(|message| message.seq);
    if changes.is_quiet() {
        arrival.delivery = Delivery::Silent;
    }
    let mut pass = Pass::new(changes, before, arrival.delivery)?;
    // what lies below an answered range comes with the history; below a push it is fetched now
    for range in &arrival.answered {
        pass.cover(*range, false)?;
    }
    for message in arrival.messages {
        pass.message(message)?;
    }
    for range in arrival.answered {
        pass.answered(range)?;
    }
    pass.end()
}

/// Without `history` a message has no seq and leaves no trace.
fn is_stored(message: &MsgData) -> bool {
    message.seq > 0
}

/// The hidden row of the conversation that a message belongs to.
pub(super) fn create(changes: &Changes<'_>, conversation_id: &str, message: &MsgData) -> Result<SyncRow> {
    conversations::create(changes.connection, conversation_id, message.session_type, source(message, changes.me))
}

/// The group of a message, or who is at the other end.
pub(super) fn source<'m>(message: &'m MsgData, me: &str) -> &'m str {
    match message {
        message if ids::is_group(message.session_type) => &message.group_id,
        message if message.send_id == me => &message.recv_id,
        message => &message.send_id,
    }
}

fn announce_unstored(changes: &mut Changes<'_>, messages: Vec<MsgData>) {
    for message in messages {
        // typing is a state, not a message
        if message.send_id != changes.me && message.content_type != content_type::TYPING && message.seq == 0 {
            let row = message_row(0, message, changes.me);
            changes.online_only.push(row.into_api(0, changes.me));
        }
    }
}

/// One conversation's pass over what arrived.
struct Pass<'a, 'c> {
    changes: &'a mut Changes<'c>,
    before: SyncRow,
    row: SyncRow,
    delivery: Delivery,
    /// What pushes left out: listeners wait for it, whatever brings it.
    awaited: Vec<Range>,
    /// Receipts came before their messages; `None` until asked for.
    read_early: Option<bool>,
    /// Loaded when something does not simply continue the newest seq.
    coverage: Option<Coverage>,
    touched: bool,
    announced: Vec<MessageRow>,
    inserter: messages::Inserter<'c>,
    /// The peer, as the last message shows him whose conversation was hidden.
    seen: Option<Seen>,
}

/// Who wrote a message, by its own account.
struct Seen {
    user_id: String,
    nickname: String,
    face_url: String,
}

impl<'a, 'c> Pass<'a, 'c> {
    fn new(changes: &'a mut Changes<'c>, before: SyncRow, delivery: Delivery) -> Result<Self> {
        let mut row = before.clone();
        if row.local_max_seq == 0 && row.min_seq > 1 {
            // nothing below the floor will ever be asked for
            row.local_max_seq = row.min_seq - 1;
        }
        let mut awaited = Vec::new();
        if delivery == Delivery::Silent {
            let gaps = seqs::gaps(changes.connection, row.id)?;
            awaited.extend(gaps.into_iter().filter(|(_, live)| *live).map(|(range, _)| range));
        }
        Ok(Self {
            inserter: messages::Inserter::new(changes.connection)?,
            changes,
            before,
            row,
            delivery,
            awaited,
            read_early: None,
            coverage: None,
            touched: false,
            announced: Vec::new(),
            seen: None,
        })
    }

    fn message(&mut self, message: MsgData) -> Result<()> {
        if !is_stored(&message) {
            announce_unstored(self.changes, vec![message]);
            return Ok(());
        }
        let seq = message.seq;
        if message.status >= status::DELETED {
            seqs::add_hole(self.changes.connection, self.row.id, (seq, seq))?;
        } else {
            self.store(message)?;
        }
        let live = self.delivery == Delivery::Announce;
        let believable = seq - self.row.local_max_seq <= MOST_SKIPPED;
        self.changes.follow_up.comparison |= live && !believable;
        self.cover((seq, seq), live && believable)
    }

    /// Stores the message, unless it is known: then it is an own message that comes back, or the same again. An own
    /// message does not move the read cursor here: what came before it was not read by sending it. The server does move
    /// its cursor; the next comparison brings that.
    fn store(&mut self, message: MsgData) -> Result<()> {
        let is_news = self.delivery == Delivery::Announce
            || self.awaited.iter().any(|(begin, end)| (*begin..=*end).contains(&message.seq));
        let announce = is_news
            && options::is_on(&message.options, options::CONVERSATION_UPDATE)
            && (message.send_id != self.changes.me
                || options::is_on(&message.options, options::SENDER_CONVERSATION_UPDATE));
        let row = message_row(self.row.id, message, self.changes.me);
        if self.inserter.insert(&row)?.is_none() {
            return self.known(&row);
        }
        self.read_before(&row)?;
        if self.before.hidden && row.send_id != self.changes.me && !ids::is_group(row.session_type) {
            self.seen = Some(Seen {
                user_id: row.send_id.clone(),
                nickname: row.sender_nickname.clone(),
                face_url: row.sender_face_url.clone(),
            });
        }
        if announce {
            self.announced.push(row);
        }
        Ok(())
    }

    fn known(&mut self, row: &MessageRow) -> Result<()> {
        let seq = row.position;
        match messages::find(self.changes.connection, self.row.id, &row.client_msg_id)? {
            // without a seq here: it waited for one, or lost its own when the server was reset
            Some(known) if known.place != 0 => self.arrived(known, row),
            // the same message again: at another seq that seq holds nothing to show (I4)
            Some(known) if known.seq() != seq => seqs::add_hole(self.changes.connection, self.row.id, (seq, seq)),
            // at its own seq nothing happens; and where another message holds the seq, the first one stays
            _ => Ok(()),
        }
    }

    /// An own message that waited for its seq is there.
    fn arrived(&mut self, known: MessageRow, row: &MessageRow) -> Result<()> {
        if messages::has_seq(self.changes.connection, self.row.id, row.position)? {
            return Ok(());
        }
        messages::set_seq(self.changes.connection, &known, row.position)?;
        self.read_before(row)?;
        self.touched |= messages::acknowledge(self.changes.connection, known.id, &row.server_msg_id, row.send_time)?;
        if outbox::remove(self.changes.connection, known.id)? {
            self.changes.arrived.push(Arrived {
                message: known.id,
                conversation: self.row.id,
                conversation_id: self.row.conversation_id.clone(),
                client_msg_id: known.client_msg_id,
            });
        }
        Ok(())
    }

    /// An own message has its seq now: perhaps its receipt is there already.
    fn read_before(&mut self, row: &MessageRow) -> Result<()> {
        let (connection, me) = (self.changes.connection, self.changes.me);
        if row.send_id != me || row.session_type != session::SINGLE {
            return Ok(());
        }
        let waiting = match self.read_early {
            Some(waiting) => waiting,
            None => *self.read_early.insert(receipts::any(connection, self.row.id)?),
        };
        if waiting
            && let Some(read_time) = receipts::take(connection, self.row.id, row.position)?
            && let Some(read) = messages::mark_read(connection, self.row.id, row.position, me, read_time)?
        {
            self.touched |= read.id == self.before.latest_message;
            self.changes.receipts.push(notifications::receipt(&read.recv_id, vec![read.client_msg_id], read_time));
        }
        Ok(())
    }

    fn answered(&mut self, range: Range) -> Result<()> {
        let stored = messages::seqs_within(self.changes.connection, self.row.id, range.0, range.1)?;
        for hole in missing(range, &stored) {
            seqs::add_hole(self.changes.connection, self.row.id, hole)?;
        }
        Ok(())
    }

    fn cover(&mut self, range: Range, live: bool) -> Result<()> {
        if self.coverage.is_none() && range == (self.row.local_max_seq + 1, self.row.local_max_seq + 1) {
            self.row.local_max_seq += 1;
            return Ok(());
        }
        if self.coverage.is_none() {
            let gaps = seqs::gaps(self.changes.connection, self.row.id)?;
            self.coverage = Some(Coverage::new(self.row.local_max_seq, gaps));
        }
        if let Some(coverage) = &mut self.coverage {
            coverage.cover(range, live);
            self.row.local_max_seq = coverage.local_max;
        }
        Ok(())
    }

    fn end(self) -> Result<()> {
        let Self { changes, before, mut row, coverage, touched, announced, seen, .. } = self;
        if let Some(Seen { user_id, nickname, face_url }) = seen {
            users::seen(changes.connection, &user_id, &nickname, &face_url)?;
        }
        let is_of_peer = |message: &&MessageRow| {
            // in groups one may have another name, and the system's messages carry none
            message.send_id != changes.me
                && message.group_id.is_empty()
                && message.msg_from == msg_from::USER
                && !message.sender_nickname.is_empty()
        };
        if let Some(message) = announced.iter().rev().find(is_of_peer) {
            // a name that the known profile does not have: the profile changed, or the sender does not know his own
            let shown = (message.sender_nickname.as_str(), message.sender_face_url.as_str());
            let before = message.send_time - PROFILE_DOUBTED_AFTER_MS;
            changes.follow_up.profiles |= users::doubt(changes.connection, &message.send_id, shown, before)?;
        }
        if let Some(coverage) = coverage {
            seqs::set_gaps(changes.connection, row.id, &coverage.gaps)?;
            changes.follow_up.gaps |= coverage.gaps.iter().any(|(_, live)| *live);
        }
        row.server_max_seq = row.server_max_seq.max(row.local_max_seq);
        let row = changes.settle(&before, row, touched)?;
        changes.follow_up.profiles |= before.hidden && !row.hidden;
        let me = changes.me;
        let list = if changes.offline && row.recv_msg_opt == recv_msg_opt::RECEIVE {
            &mut changes.offline_messages
        } else {
            &mut changes.new_messages
        };
        list.reserve(announced.len());
        let (mut sender, mut names) = (String::new(), None);
        for mut message in announced {
            if message.group_id.is_empty() {
                if message.send_id != sender {
                    sender.clone_from(&message.send_id);
                    names = users::names(changes.connection, &sender)?;
                }
                if let Some((nickname, face_url)) = &names {
                    // as a query shows it
                    message.sender_nickname.clone_from(nickname);
                    message.sender_face_url.clone_from(face_url);
                }
            }
            list.push(message.into_folded(row.has_read_seq, me));
        }
        Ok(())
    }
}

/// From the wire to a row.
pub(crate) fn message_row(conversation: i64, message: MsgData, me: &str) -> MessageRow {
    let counts_unread = message.send_id != me && options::is_on(&message.options, options::UNREAD_COUNT);
    MessageRow {
        id: 0,
        conversation,
        position: message.seq,
        place: 0,
        client_msg_id: message.client_msg_id,
        server_msg_id: message.server_msg_id,
        send_id: message.send_id,
        recv_id: message.recv_id,
        group_id: message.group_id,
        sender_platform_id: message.sender_platform_id,
        sender_nickname: message.sender_nickname,
        sender_face_url: message.sender_face_url,
        session_type: message.session_type,
        msg_from: message.msg_from,
        content_type: message.content_type,
        content: String::from_utf8(message.content)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        is_read: message.is_read,
        status: status::SENT,
        send_time: message.send_time,
        create_time: message.create_time,
        attached_info: message.attached_info,
        offline_push: message
            .offline_push_info
            .map_or_else(String::new, |push| serde_json::to_string(&push).unwrap_or_default()),
        ex: message.ex,
        local_ex: String::new(),
        send_error: String::new(),
        counts_unread,
    }
}

/// Joins the messages of several frames per conversation, in the order in which conversations first appear.
pub(crate) fn group(frames: impl IntoIterator<Item = (String, Vec<MsgData>)>, delivery: Delivery) -> Vec<Arrival> {
    let mut order: Vec<Arrival> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (conversation_id, messages) in frames {
        let place = *places.entry(conversation_id.clone()).or_insert(order.len());
        match order.get_mut(place) {
            Some(arrival) => arrival.messages.extend(messages),
            None => order.push(Arrival { conversation_id, messages, answered: Vec::new(), delivery }),
        }
    }
    order
}
