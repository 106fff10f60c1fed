//! Profiles: the user's own and those of others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use openim_proto::sdkws::UserInfo;
use serde::{Deserialize, Serialize};

use crate::change::{List, differing};
use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{PublicUserInfo, SelfUserInfo};
use crate::session::Session;
use crate::store::users::{self, UserRow};
use crate::sync::people;

/// Ids in one request (http.md 1.9 caps lists at 1000).
const IDS_PER_REQUEST: usize = 100;

#[derive(Serialize)]
struct UsersInfoRequest<'a> {
    #[serde(rename = "userIDs")]
    user_ids: &'a [String],
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UsersInfoAnswer {
    #[serde(rename = "usersInfo")]
    users_info: Option<Vec<UserInfo>>,
}

/// Parameters of `setSelfInfo`: only what is given changes; an empty text clears.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SelfUpdate {
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Avatar URL.
    #[serde(rename = "faceURL", skip_serializing_if = "Option::is_none")]
    pub face_url: Option<String>,
    /// The application's own data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ex: Option<String>,
    /// 0 receive, 1 do not receive, 2 receive without offline push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_recv_msg_opt: Option<i32>,
}

#[derive(Serialize)]
struct SelfUpdateRequest<'a> {
    #[serde(rename = "userInfo")]
    user_info: OwnUpdate<'a>,
}

#[derive(Serialize)]
struct OwnUpdate<'a> {
    #[serde(rename = "userID")]
    user_id: &'a str,
    #[serde(flatten)]
    update: &'a SelfUpdate,
}

#[derive(Serialize)]
struct ClientConfigRequest<'a> {
    #[serde(rename = "userID")]
    user_id: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClientConfigAnswer {
    configs: Option<BTreeMap<String, String>>,
}

impl Client {
    /// Changes the user's own profile; `OnSelfInfoUpdated` on all of his devices, `OnFriendInfoChanged` at his friends.
    pub async fn set_self_info(&self, update: SelfUpdate) -> Result<Done<()>> {
        if update.global_recv_msg_opt.is_some_and(|option| !(0..=2).contains(&option)) {
            return Err(Error::args("globalRecvMsgOpt", "must be 0, 1 or 2"));
        }
        let SelfUpdate { nickname, face_url, ex, global_recv_msg_opt } = &update;
        if nickname.is_none() && face_url.is_none() && ex.is_none() && global_recv_msg_opt.is_none() {
            return Err(Error::args("nickname", "or faceURL or ex or globalRecvMsgOpt must be given"));
        }
        let session = self.session()?;
        let request = SelfUpdateRequest { user_info: OwnUpdate { user_id: &session.user_id, update: &update } };
        let _: serde::de::IgnoredAny = session.rest("/user/update_user_info_ex", &request).await?;
        Ok(Done { value: (), event: sync_self(&session, false).await? })
    }

    /// The configuration that the server has for clients of this user: key to text. Empty where it has none.
    pub async fn get_user_client_config(&self) -> Result<Done<BTreeMap<String, String>>> {
        let session = self.session()?;
        let request = ClientConfigRequest { user_id: &session.user_id };
        let answer: ClientConfigAnswer = session.rest("/user/get_user_client_config", &request).await?;
        Ok(Done::quietly(answer.configs.unwrap_or_default()))
    }

    /// The logged-in user's own profile, as last synced.
    pub async fn get_self_user_info(&self) -> Result<Done<SelfUserInfo>> {
        Ok(Done::quietly(self.session()?.profile()))
    }

    /// Profiles of users, in the order asked for; unknown ids are left out. Offline it answers from what is known here.
    pub async fn get_users_info(&self, user_ids: Vec<String>) -> Result<Done<Vec<PublicUserInfo>>> {
        if user_ids.len() > 1000 {
            return Err(Error::args("userIDs", "must have at most 1000 elements"));
        }
        if user_ids.iter().any(String::is_empty) {
            return Err(Error::args("userIDs", "must not contain an empty id"));
        }
        let session = self.session()?;
        let event = match fetch(&session, &user_ids).await {
            Ok(event) => event,
            Err(error) if error.is_connection_loss() => 0,
            Err(error) => return Err(error),
        };
        let value = session
            .read(move |connection| {
                let mut found = Vec::with_capacity(user_ids.len());
                for id in &user_ids {
                    found
                        .extend(users::get(connection, id)?.filter(|row| row.fetched_at > 0).map(PublicUserInfo::from));
                }
                Ok(found)
            })
            .await?;
        Ok(Done { value, event })
    }
}

/// Fetches and stores profiles; names that changed show in the conversations at once. The number of the last event.
async fn fetch(session: &Session, user_ids: &[String]) -> Result<u64> {
    let mut event = 0;
    for part in user_ids.chunks(IDS_PER_REQUEST) {
        let rows = request(session, part).await?;
        let done =
            session.commit_many(move |changes| rows.iter().try_for_each(|row| people::profile(changes, row))).await?;
        event = event.max(done.event);
    }
    Ok(event)
}

async fn request(session: &Session, user_ids: &[String]) -> Result<Vec<UserRow>> {
    let answer: UsersInfoAnswer = session.rest("/user/get_users_info", &UsersInfoRequest { user_ids }).await?;
    let now = session.clock.now();
    let users = answer.users_info.unwrap_or_default().into_iter();
    Ok(users.map(|user| people::profile_row(user, now)).collect())
}

/// Fetches the profiles of peers that were never fetched.
pub(crate) async fn fetch_unknown(session: &Session) -> Result<()> {
    let unknown = session.read(|connection| users::unknown_peers(connection, 1000)).await?;
    fetch(session, &unknown).await?;
    Ok(())
}

/// Before a first message: gives the profile of the peer a moment to come, so that the new conversation has a name.
pub(crate) async fn expect_peer(session: &Arc<Session>, user_id: &str, patience: Duration) {
    if user_id.is_empty() || !session.socket.is_connected() || session.knows_peer(user_id) {
        return;
    }
    let id = user_id.to_owned();
    let known = session.read(move |connection| users::get(connection, &id)).await;
    if !matches!(known, Ok(Some(row)) if row.fetched_at > 0) {
        let wanted = [user_id.to_owned()];
        if !matches!(tokio::time::timeout(patience, fetch(session, &wanted)).await, Ok(Ok(_))) {
            tracing::debug!("the receiver's profile did not come in time");
            return;
        }
    }
    session.remember_peer(user_id);
}

/// Fetches the own profile. `OnSelfInfoUpdated` if it differs from what was known, except on a new device. The number of
/// the last event.
pub(crate) async fn sync_self(session: &Session, first: bool) -> Result<u64> {
    let _one = session.turns.profile.lock().await;
    let sources = session.take_sources(List::Profile);
    let me = [session.user_id.clone()];
    let Some(row) = request(session, &me).await?.into_iter().next() else { return Ok(0) };
    let profile = SelfUserInfo::from(row.clone());
    let before = session.profile();
    session.set_profile(profile.clone());
    let done = session
        .commit(move |changes| {
            changes.sources = sources;
            let known = users::names(changes.connection, changes.me)?.is_some();
            users::put(changes.connection, &row)?;
            if known && profile != before && !first {
                changes.tell_which(Event::SelfInfoUpdated(profile.clone()), || differing(&before, &profile));
            }
            Ok(())
        })
        .await?;
    Ok(done.event)
}

impl From<UserRow> for SelfUserInfo {
    fn from(row: UserRow) -> Self {
        Self {
            user_id: row.user_id,
            nickname: row.nickname,
            face_url: row.face_url,
            ex: row.ex,
            create_time: row.create_time,
            global_recv_msg_opt: row.global_recv_msg_opt,
        }
    }
}

impl From<UserRow> for PublicUserInfo {
    fn from(row: UserRow) -> Self {
        Self {
            user_id: row.user_id,
            nickname: row.nickname,
            face_url: row.face_url,
            ex: row.ex,
            create_time: row.create_time,
        }
    }
}
