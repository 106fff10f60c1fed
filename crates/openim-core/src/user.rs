//! Profiles: the user's own and those of others.

use std::sync::Arc;
use std::time::Duration;

use openim_proto::sdkws::UserInfo;
use serde::{Deserialize, Serialize};

use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{PublicUserInfo, SelfUserInfo};
use crate::session::Session;
use crate::store::conversations;
use crate::store::users::{self, UserRow};

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

impl Client {
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
        let done = session
            .commit(move |changes| {
                for row in &rows {
                    if users::put(changes.connection, row)? {
                        for id in conversations::visible_with(changes.connection, &row.user_id)? {
                            changes.conversation_changed(id);
                        }
                    }
                }
                Ok(())
            })
            .await?;
        event = event.max(done.event);
    }
    Ok(event)
}

async fn request(session: &Session, user_ids: &[String]) -> Result<Vec<UserRow>> {
    let answer: UsersInfoAnswer = session.rest("/user/get_users_info", &UsersInfoRequest { user_ids }).await?;
    let now = session.clock.now();
    let users = answer.users_info.unwrap_or_default().into_iter();
    Ok(users
        .map(|user| UserRow {
            user_id: user.user_id,
            nickname: user.nickname,
            face_url: user.face_url,
            ex: user.ex,
            create_time: user.create_time,
            global_recv_msg_opt: user.global_recv_msg_opt,
            fetched_at: now,
        })
        .collect())
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

/// Fetches the own profile. `OnSelfInfoUpdated` if it differs from what was known, except on a new device.
pub(crate) async fn sync_self(session: &Session, first: bool) -> Result<()> {
    let me = [session.user_id.clone()];
    let Some(row) = request(session, &me).await?.into_iter().next() else { return Ok(()) };
    let profile = SelfUserInfo::from(row.clone());
    let news = profile != session.profile();
    session.set_profile(profile.clone());
    session
        .commit(move |changes| {
            users::put(changes.connection, &row)?;
            if news && !first {
                changes.first.push(Event::SelfInfoUpdated(profile));
            }
            Ok(())
        })
        .await?;
    Ok(())
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
