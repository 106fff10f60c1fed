//! The black list: whose messages the server refuses. It has no versions; it is always read as a whole.

use std::sync::Arc;

use openim_proto::sdkws::BlackInfo;
use serde::{Deserialize, Serialize};

use crate::change::List;
use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::friend::check_id;
use crate::model::Black;
use crate::session::Session;
use crate::store::{blacks, seqs};
use crate::sync::people;

/// Name of this list in `list_versions`, where it has no version.
const LIST: &str = "blacks";
/// Entries in one page; most lists are one page, which no change can tear.
const PAGE: usize = 1000;

/// Parameters of `addBlack`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlackParams {
    /// Whose messages are unwanted.
    #[serde(rename = "toUserID")]
    pub to_user_id: String,
    /// The application's own data.
    #[serde(default)]
    pub ex: String,
}

impl Client {
    /// Puts a user on the black list: his messages are refused with 1302. Friendship and groups stay as they are. One who
    /// is on it already stays there, with the data that he has.
    pub async fn add_black(&self, params: BlackParams) -> Result<Done<()>> {
        check_id("toUserID", &params.to_user_id)?;
        let session = self.session()?;
        if params.to_user_id == session.user_id {
            return Err(Error::args("toUserID", "must be somebody else"));
        }
        let request = AddRequest { owner_user_id: &session.user_id, black_user_id: &params.to_user_id, ex: &params.ex };
        let added: Result<serde::de::IgnoredAny> = session.rest("/friend/add_black", &request).await;
        let event = sync(&session, false).await;
        if let Err(error) = added
            // he is on it already: the server has no code for that (http.md 2.4)
            && !is_listed(&session, &params.to_user_id).await?
        {
            return Err(error);
        }
        Ok(Done { value: (), event: event? })
    }

    /// Takes a user off the black list.
    pub async fn remove_black(&self, user_id: String) -> Result<Done<()>> {
        check_id("userID", &user_id)?;
        let session = self.session()?;
        let request = RemoveRequest { owner_user_id: &session.user_id, black_user_id: &user_id };
        let _: serde::de::IgnoredAny = session.rest("/friend/remove_black", &request).await?;
        Ok(Done { value: (), event: sync(&session, false).await? })
    }

    /// The black list, oldest entry first.
    pub async fn get_black_list(&self) -> Result<Done<Vec<Black>>> {
        let session = self.session()?;
        let me = session.user_id.clone();
        session.read(move |connection| blacks::all(connection, &me)).await.map(Done::quietly)
    }
}

async fn is_listed(session: &Session, user_id: &str) -> Result<bool> {
    let (me, user_id) = (session.user_id.clone(), user_id.to_owned());
    session.read(move |connection| Ok(blacks::by_user(connection, &me)?.contains_key(&user_id))).await
}

#[derive(Serialize)]
struct AddRequest<'a> {
    #[serde(rename = "ownerUserID")]
    owner_user_id: &'a str,
    #[serde(rename = "blackUserID")]
    black_user_id: &'a str,
    ex: &'a str,
}

#[derive(Serialize)]
struct RemoveRequest<'a> {
    #[serde(rename = "ownerUserID")]
    owner_user_id: &'a str,
    #[serde(rename = "blackUserID")]
    black_user_id: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListAnswer {
    blacks: Option<Vec<BlackInfo>>,
}

/// Brings the black list to the server's. The number of the last event.
pub(crate) async fn sync(session: &Arc<Session>, first: bool) -> Result<u64> {
    let _one = session.turns.blacks.lock().await;
    let sources = session.take_sources(List::Blacks);
    let list =
        session.pages("/friend/get_black_list", PAGE, |page: ListAnswer| page.blacks.unwrap_or_default()).await?;
    let done = session
        .commit_many(move |changes| {
            changes.sources = sources;
            changes.begin_list(LIST, first)?;
            people::black_list(changes, list)?;
            seqs::set_list_version(changes.connection, LIST, changes.me, "", 0)
        })
        .await?;
    Ok(done.event)
}
