//! Version logs: how a client learns what changed in a list since it last asked (http.md section 3). Pure, except for
//! the methods of [`World`] at the end, which keep the rows.

use std::collections::HashMap;

use md5::{Digest as _, Md5};

use super::World;
use crate::environment::hex;
use crate::store::{EntryRow, LogRow, sql};

/// More changes than this are answered with "read the list anew".
const SYNC_LIMIT: usize = 200;

/// Element that stands for a changed order of the list.
pub(crate) const SORT_ELEMENT: &str = "____S_O_R_T_I_D____";

/// The versioned lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Log {
    /// Friends of a user.
    Friends = 1,
    /// Groups that a user has joined.
    JoinedGroups = 2,
    /// Conversation records of a user.
    Conversations = 4,
}

impl Log {
    /// The list of a number in the database.
    pub(crate) fn of(number: i64) -> Option<Self> {
        [Self::Friends, Self::JoinedGroups, Self::Conversations].into_iter().find(|log| *log as i64 == number)
    }
}

/// What happened to an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It came in.
    Insert = 1,
    /// It went.
    Delete = 2,
    /// It is different.
    Update = 3,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    change: Change,
    version: i64,
    ordinal: i64,
}

/// The log of one list: the last change of every element that ever changed.
#[derive(Debug, Clone)]
pub(crate) struct VersionLog {
    id: [u8; 12],
    version: i64,
    ordinal: i64,
    entries: HashMap<String, Entry>,
}

/// What a client has to do to catch up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    /// Current version.
    pub(crate) version: u64,
    /// Current incarnation, 24 hexadecimal digits.
    pub(crate) version_id: String,
    /// Read the whole list; the rest is empty.
    pub(crate) full: bool,
    /// Ids that left.
    pub(crate) delete: Vec<String>,
    /// Ids that came.
    pub(crate) insert: Vec<String>,
    /// Ids that changed.
    pub(crate) update: Vec<String>,
    /// Version of the last change of order within the delta, or 0.
    pub(crate) sort_version: u64,
}

impl VersionLog {
    /// A log at a version, without entries.
    pub(crate) fn new(id: [u8; 12], version: i64) -> Self {
        Self { id, version, ordinal: 0, entries: HashMap::new() }
    }

    /// Puts an entry back that was stored.
    pub(crate) fn restore(&mut self, element: String, state: i64, version: i64, ordinal: i64) {
        let change = match state {
            1 => Change::Insert,
            2 => Change::Delete,
            _ => Change::Update,
        };
        self.ordinal = self.ordinal.max(ordinal);
        self.entries.insert(element, Entry { change, version, ordinal });
    }

    /// One step: one new version, however many elements. [`SORT_ELEMENT`] stands first where the order changes too.
    fn step(&mut self, elements: &[&str], change: Change) {
        self.version += 1;
        for element in elements {
            self.ordinal += 1;
            self.entries.insert((*element).to_owned(), Entry { change, version: self.version, ordinal: self.ordinal });
        }
    }

    /// Current version and incarnation.
    pub(crate) fn head(&self) -> (u64, String) {
        (self.version.unsigned_abs(), hex(&self.id))
    }

    /// What changed since `version` of the incarnation `version_id`.
    pub(crate) fn delta(&self, version_id: &str, version: u64) -> Delta {
        let (current, current_id) = self.head();
        let mut delta = Delta { version: current, version_id: current_id, ..Delta::default() };
        if version == 0 || !version_id.eq_ignore_ascii_case(&delta.version_id) || current < version {
            delta.full = true;
            return delta;
        }
        let mut newer: Vec<_> =
            self.entries.iter().filter(|(_, entry)| entry.version.unsigned_abs() > version).collect();
        if newer.len() > SYNC_LIMIT {
            delta.full = true;
            return delta;
        }
        newer.sort_by_key(|(_, entry)| entry.ordinal);
        for (element, entry) in newer {
            match entry.change {
                _ if element == SORT_ELEMENT => delta.sort_version = entry.version.unsigned_abs(),
                Change::Insert => delta.insert.push(element.clone()),
                Change::Delete => delta.delete.push(element.clone()),
                Change::Update => delta.update.push(element.clone()),
            }
        }
        delta
    }
}

/// Fingerprint of a list of ids (http.md 3.6): the first eight bytes of the MD5 of its JSON as Go writes it.
pub(crate) fn id_hash<T: AsRef<str>>(ids: &[T]) -> u64 {
    if ids.is_empty() {
        return 0;
    }
    let mut json = serde_json::to_string(&ids.iter().map(AsRef::as_ref).collect::<Vec<&str>>()).unwrap_or_default();
    for (raw, escaped) in
        [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")]
    {
        if json.contains(raw) {
            json = json.replace(raw, escaped);
        }
    }
    Md5::digest(json.as_bytes()).iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

impl World {
    /// The log of a list; made at version 1 when first read.
    pub(crate) fn version_log(&mut self, log: Log, owner: &str) -> &VersionLog {
        let environment = &self.environment;
        let store = &self.store;
        self.versions.entry((log, owner.into())).or_insert_with(|| {
            let fresh = VersionLog::new(environment.random(), 1);
            let row = LogRow { log: log as i64, owner: owner.into(), version_id: fresh.id, version: 1 };
            store.submit(move |batch| sql::write_version_log(batch.db()?, &row));
            fresh
        })
    }

    /// Records a change of elements of a list: one version, one entry each.
    pub(crate) fn log_change(&mut self, log: Log, owner: &str, elements: &[&str], change: Change) {
        let environment = &self.environment;
        let versions =
            self.versions.entry((log, owner.into())).or_insert_with(|| VersionLog::new(environment.random(), 0));
        versions.step(elements, change);
        let head = LogRow { log: log as i64, owner: owner.into(), version_id: versions.id, version: versions.version };
        let entries: Vec<EntryRow> = elements
            .iter()
            .filter_map(|element| {
                let entry = versions.entries.get(*element)?;
                Some(EntryRow {
                    log: log as i64,
                    owner: owner.into(),
                    element: (*element).into(),
                    state: entry.change as i64,
                    version: entry.version,
                    ordinal: entry.ordinal,
                })
            })
            .collect();
        self.store.submit(move |batch| {
            let db = batch.db()?;
            sql::write_version_log(db, &head)?;
            entries.iter().try_for_each(|entry| sql::write_version_entry(db, entry))
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const ID: &str = "000102030405060708090a0b";

    fn log() -> VersionLog {
        VersionLog::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 1)
    }

    #[test]
    fn the_id_hash_has_the_published_values() {
        assert_eq!(id_hash::<&str>(&[]), 0);
        assert_eq!(id_hash(&["u1"]), 7_752_955_785_994_369_517);
        assert_eq!(id_hash(&["u1", "u2"]), 9_194_020_308_628_654_040);
        assert_eq!(id_hash(&["u2", "u1"]), 2_170_532_237_559_490_439);
        assert_eq!(id_hash(&["a&b"]), 10_057_479_126_767_406_615);
    }

    #[test]
    fn strangers_and_those_ahead_read_the_list_anew() {
        let log = log();
        for (id, version) in [("", 0), (ID, 0), ("xyz", 1), ("0123456789abcdef01234567", 1), (ID, 7)] {
            let delta = log.delta(id, version);
            assert!(delta.full && delta.version == 1 && delta.version_id == ID, "{id} {version}");
        }
        assert_eq!(log.delta(ID, 1), Delta { version: 1, version_id: ID.into(), ..Delta::default() });
    }

    #[test]
    fn an_element_appears_once_with_its_last_change() {
        let mut log = log();
        log.step(&["a", "b"], Change::Insert);
        log.step(&["a"], Change::Update);
        log.step(&[SORT_ELEMENT, "b"], Change::Delete);
        let delta = log.delta(ID, 1);
        assert_eq!((delta.version, delta.full, delta.sort_version), (4, false, 4));
        assert_eq!((delta.insert, delta.update, delta.delete), (vec![], vec!["a".to_owned()], vec!["b".to_owned()]));
        assert_eq!(log.delta(ID, 3).delete, ["b"]);
    }

    #[test]
    fn two_hundred_changes_are_told_one_more_is_not() {
        let mut log = log();
        let names: Vec<String> = (0..201).map(|number| number.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        log.step(&names[..200], Change::Insert);
        assert_eq!(log.delta(ID, 1).insert.len(), 200);
        log.step(&names[200..], Change::Insert);
        assert!(log.delta(ID, 1).full);
        assert_eq!(log.delta(ID, 2).insert, ["200"]);
    }

    proptest! {
        #[test]
        fn a_client_that_follows_the_deltas_has_the_servers_list(
            steps in prop::collection::vec((prop::collection::vec(0u8..8, 1..4), 0u8..3, any::<bool>()), 1..60)
        ) {
            let mut log = log();
            let mut server = BTreeSet::new();
            let mut client = BTreeSet::new();
            let mut seen = 1;
            for (elements, kind, sync) in steps {
                let names: Vec<String> = elements.iter().map(u8::to_string).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let change = [Change::Insert, Change::Delete, Change::Update][usize::from(kind)];
                log.step(&names, change);
                for name in &names {
                    if change == Change::Delete { server.remove(*name); } else { server.insert((*name).to_owned()); }
                }
                if sync {
                    let delta = log.delta(ID, seen);
                    prop_assert!(!delta.full);
                    for gone in &delta.delete { client.remove(gone); }
                    client.extend(delta.insert.iter().chain(&delta.update).cloned());
                    seen = delta.version;
                    prop_assert_eq!(&client, &server);
                }
            }
        }
    }
}
