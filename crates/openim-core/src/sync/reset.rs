//! A server that was installed anew, or restored from an old backup (client-behaviour.md 10.8): its newest seq lies below
//! what this device has. Seqs count from the beginning again, so the old ones mean nothing any more; the messages stay.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::error::Result;
use crate::store::conversations::SyncRow;
use crate::store::{conversations, messages, seqs};

/// What this device had before it asked the server: whatever arrives meanwhile is no sign of a reset.
pub(crate) struct Known {
    chats: Vec<SyncRow>,
    streams: Vec<(String, i64)>,
}

impl Known {
    pub(crate) fn read(connection: &Connection) -> Result<Self> {
        let chats = conversations::all(connection)?.into_iter().filter(|row| row.local_max_seq > 0).collect();
        Ok(Self { chats, streams: seqs::cursors(connection)? })
    }
}

/// What the server forgot.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Forgotten {
    /// Keys of conversations.
    pub(crate) chats: Vec<i64>,
    /// Streams with their newest seq now.
    pub(crate) streams: Vec<(String, i64)>,
    /// It forgot more than half of what this device has: this is another server.
    pub(crate) most: bool,
}

/// Compares with the newest seqs of the server. What it does not name may be what this user no longer sees, such as a group
/// that was left; only a server that lost most of what it had lost that too.
pub(crate) fn forgotten(known: &Known, newest: &BTreeMap<String, i64>) -> Forgotten {
    let newest_of = |id: &str| newest.get(id).copied().unwrap_or(0);
    let behind = known.chats.iter().filter(|row| newest_of(&row.conversation_id) < row.local_max_seq).count();
    let most = behind * 2 > known.chats.len();
    let lost = |id: &str, seq: i64| newest.get(id).map_or(most, |newest| *newest < seq);
    let chats = known.chats.iter().filter(|row| lost(&row.conversation_id, row.local_max_seq)).map(|row| row.id);
    let streams = known.streams.iter().filter(|(id, seq)| lost(id, *seq)).map(|(id, _)| (id.clone(), newest_of(id)));
    Forgotten { chats: chats.collect(), streams: streams.collect(), most }
}

/// Forgets the seqs as well. The messages stay, in their order, before everything that the server has now.
pub(crate) fn forget(connection: &Connection, forgotten: &Forgotten) -> Result<()> {
    for id in &forgotten.chats {
        let before = conversations::get(connection, *id)?;
        tracing::warn!(conversation_id = before.conversation_id, had = before.local_max_seq, "the server lost seqs");
        messages::forget_seqs(connection, *id)?;
        seqs::forget(connection, *id)?;
        let row = SyncRow {
            unread_count: 0,
            server_max_seq: 0,
            local_max_seq: 0,
            has_read_seq: 0,
            read_told: 0,
            read_waits: false,
            read_floor: 0,
            min_seq: 0,
            max_seq: 0,
            ..before
        };
        conversations::update_sync(connection, &row)?;
    }
    forgotten.streams.iter().try_for_each(|(id, seq)| seqs::set_cursor(connection, id, *seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(id: i64, local_max_seq: i64) -> SyncRow {
        SyncRow { id, conversation_id: format!("si_{id}"), local_max_seq, ..SyncRow::default() }
    }

    #[test]
    fn a_newest_seq_below_the_own_one_is_a_sign_and_an_absent_one_only_when_most_are_gone() {
        let known = Known {
            chats: vec![chat(1, 5), chat(2, 5), chat(3, 5), chat(4, 5), chat(5, 5)],
            streams: vec![("n_a_b".into(), 4), ("n_a_c".into(), 2)],
        };
        let newest = [("si_1", 5), ("si_2", 9), ("si_3", 4), ("si_4", 5), ("n_a_b", 1)];
        let newest = newest.map(|(id, seq)| (id.to_owned(), seq)).into();
        let one = forgotten(&known, &newest);
        assert_eq!(one, Forgotten { chats: vec![3], streams: vec![("n_a_b".into(), 1)], most: false });
        let all = forgotten(&known, &BTreeMap::new());
        assert_eq!(all.chats, [1, 2, 3, 4, 5]);
        assert_eq!(all.streams, [("n_a_b".to_owned(), 0), ("n_a_c".to_owned(), 0)]);
        assert!(all.most);
    }

    #[test]
    fn a_device_without_messages_knows_of_no_reset() {
        let known = Known { chats: Vec::new(), streams: Vec::new() };
        assert_eq!(forgotten(&known, &BTreeMap::new()), Forgotten::default());
    }
}
