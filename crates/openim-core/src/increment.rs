//! Lists of which the server tells what happened since a version (http.md section 3).

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::session::Session;
use crate::store::seqs;
use crate::sync::versions::{Step, Version, step};

#[derive(Serialize)]
struct SinceRequest<'a> {
    #[serde(rename = "userID")]
    user_id: &'a str,
    #[serde(rename = "versionID")]
    version_id: &'a str,
    version: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SinceAnswer<T> {
    version: u64,
    #[serde(rename = "versionID")]
    version_id: String,
    full: bool,
    delete: Option<Vec<String>>,
    insert: Option<Vec<T>>,
    update: Option<Vec<T>>,
    #[serde(rename = "sortVersion")]
    sort_version: u64,
}

/// What happened to a list; nothing is said where all of it is to be read.
#[derive(Debug)]
pub(crate) struct Increment<T> {
    /// Ids of what went.
    pub(crate) delete: Vec<String>,
    /// What came. A server may name here what the device has already.
    pub(crate) insert: Vec<T>,
    /// What differs.
    pub(crate) update: Vec<T>,
    /// Its order changed.
    pub(crate) sorted: bool,
}

impl Session {
    /// What happened to one of the user's lists since the version that this device has.
    pub(crate) async fn increment<T: DeserializeOwned + Default>(
        &self,
        path: &str,
        list: &'static str,
    ) -> Result<(Step, Increment<T>)> {
        let me = self.user_id.clone();
        let (id, number) = self.read(move |connection| seqs::list_version(connection, list, &me)).await?;
        let request = SinceRequest { user_id: &self.user_id, version_id: &id, version: number };
        let answer: SinceAnswer<T> = self.rest(path, &request).await?;
        let newest = Version { id: answer.version_id, number: answer.version };
        let step = step(&Version { id, number }, &newest, answer.full);
        let increment = Increment {
            delete: answer.delete.unwrap_or_default(),
            insert: answer.insert.unwrap_or_default(),
            update: answer.update.unwrap_or_default(),
            sorted: answer.sort_version > 0,
        };
        Ok((step, increment))
    }
}
