//! Streams: the numbered sequences of messages, chat or notification.

use std::sync::Arc;

use super::World;
use crate::store::{StreamRow, sql};

/// Counter and parties of one stream.
pub(crate) struct Stream {
    /// Number in the database.
    pub(super) id: i64,
    /// Conversation id.
    pub(super) name: Arc<str>,
    parties: [String; 2],
    /// Oldest seq that anybody may read; 0 or 1 means all.
    pub(super) min_seq: i64,
    /// Newest seq.
    pub(super) max_seq: i64,
    /// When it was given, ms.
    pub(super) max_seq_time: i64,
}

impl From<StreamRow> for Stream {
    fn from(row: StreamRow) -> Self {
        Self {
            id: row.id,
            name: row.name.into(),
            parties: [row.party_a, row.party_b],
            min_seq: row.min_seq,
            max_seq: row.max_seq,
            max_seq_time: row.max_seq_time,
        }
    }
}

impl Stream {
    /// Whether the user may read it.
    pub(super) fn belongs_to(&self, user_id: &str) -> bool {
        self.parties.iter().any(|party| party == user_id)
    }
}

impl World {
    /// Gives the next seq of a stream, which is made if it is new: database id, seq and time.
    pub(super) fn next_seq(&mut self, name: &str, parties: [&str; 2]) -> (i64, i64, i64) {
        let now = self.environment.now_ms();
        if !self.streams.contains_key(name) {
            self.insert_stream(name, parties);
        }
        match self.streams.get_mut(name) {
            Some(stream) => {
                stream.max_seq += 1;
                stream.max_seq_time = now;
                (stream.id, stream.max_seq, now)
            }
            // just inserted
            None => (0, 0, now),
        }
    }

    /// Database id of a stream, which is made if it is new.
    pub(super) fn stream_id(&mut self, name: &str, parties: [&str; 2]) -> i64 {
        match self.streams.get(name) {
            Some(stream) => stream.id,
            None => self.insert_stream(name, parties),
        }
    }

    /// A stream that the user may read.
    pub(super) fn own_stream(&self, user_id: &str, name: &str) -> Option<&Stream> {
        self.streams.get(name).filter(|stream| stream.belongs_to(user_id))
    }

    /// Newest seq of a stream; 0 if there is none.
    pub(crate) fn max_seq(&self, name: &str) -> i64 {
        self.streams.get(name).map_or(0, |stream| stream.max_seq)
    }

    fn insert_stream(&mut self, name: &str, parties: [&str; 2]) -> i64 {
        let id = self.streams.len() as i64 + 1;
        let name: Arc<str> = name.into();
        let [party_a, party_b] = parties.map(str::to_owned);
        let stream = Stream {
            id,
            name: name.clone(),
            parties: [party_a.clone(), party_b.clone()],
            min_seq: 0,
            max_seq: 0,
            max_seq_time: 0,
        };
        self.streams.insert(name.clone(), stream);
        self.store.submit(move |batch| sql::insert_stream(batch.db()?, id, &name, &party_a, &party_b));
        id
    }
}
