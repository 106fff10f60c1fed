//! Answers about versioned lists, of whatever they are (http.md 3.3).

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::page::null_if_empty;
use crate::domain::version_log::{Delta, VersionLog, id_hash};

/// What changed in a list since a client last asked.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Increment<T> {
    version: u64,
    #[serde(rename = "versionID")]
    version_id: String,
    full: bool,
    delete: Option<Vec<String>>,
    insert: Option<Vec<T>>,
    update: Option<Vec<T>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_version: Option<u64>,
}

impl<T> Increment<T> {
    /// Looks the elements up as they are now; those that are gone meanwhile are left out.
    pub(super) fn of(delta: Delta, find: impl Fn(&[String]) -> Vec<T>) -> Self {
        Self {
            version: delta.version,
            version_id: delta.version_id,
            full: delta.full,
            insert: null_if_empty(find(&delta.insert)),
            update: null_if_empty(find(&delta.update)),
            delete: null_if_empty(delta.delete),
            sort_version: Some(delta.sort_version),
        }
    }

    /// The same for a list whose order has no version.
    pub(super) fn unsorted(self) -> Self {
        Self { sort_version: None, ..self }
    }
}

/// All ids of a list in its order, unless the client has them.
pub(super) struct FullIds {
    key: &'static str,
    version: u64,
    version_id: String,
    equal: bool,
    ids: Option<Vec<String>>,
}

impl FullIds {
    /// `key` is the name of the member that carries the ids, `known` the hash of those that the client has.
    pub(super) fn of(key: &'static str, log: &VersionLog, ids: Vec<String>, known: u64) -> Self {
        let (version, version_id) = log.head();
        let equal = id_hash(&ids) == known;
        Self { key, version, version_id, equal, ids: if equal { None } else { null_if_empty(ids) } }
    }
}

impl Serialize for FullIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("version", &self.version)?;
        map.serialize_entry("versionID", &self.version_id)?;
        map.serialize_entry("equal", &self.equal)?;
        map.serialize_entry(self.key, &self.ids)?;
        map.end()
    }
}
