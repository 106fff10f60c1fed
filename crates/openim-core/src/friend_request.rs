//! Applications for friendship: made, answered, listed. A stored copy of what the server has tells what is new, also to
//! one who was away when it happened.

use std::sync::Arc;

use openim_proto::sdkws::FriendRequest;
use serde::{Deserialize, Serialize};

use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::friend::{self, check_id};
use crate::model::FriendApplication;
use crate::paging::Pagination;
use crate::session::Session;
use crate::store::friend_requests::{self, Side};
use crate::store::seqs;
use crate::sync::changes::Changes;
use crate::sync::people;

/// Applications in one page.
const PAGE: usize = 100;

/// Parameters of `addFriend`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddFriend {
    /// Whose friend to become.
    #[serde(rename = "toUserID")]
    pub to_user_id: String,
    /// What to tell him.
    #[serde(default)]
    pub req_msg: String,
    /// The application's own data.
    #[serde(default)]
    pub ex: String,
}

/// Parameters of `acceptFriendApplication` and `refuseFriendApplication`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FriendAnswer {
    /// Who applied.
    #[serde(rename = "toUserID")]
    pub to_user_id: String,
    /// What to tell him.
    #[serde(default)]
    pub handle_msg: String,
}

/// Parameters of the lists of applications.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationPage {
    /// 0 pending, 1 accepted, -1 refused; empty = any.
    pub handle_results: Vec<i32>,
    /// How many to leave out.
    pub offset: u32,
    /// How many at most; 0 = all.
    pub count: u32,
}

/// Parameters of `getFriendApplicationUnhandledCount`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Since {
    /// Only what is newer, ms; 0 = all.
    pub time: i64,
}

/// An application by its two users.
#[derive(Debug, Clone, Deserialize)]
pub struct ApplicationKey {
    /// Applicant.
    #[serde(rename = "fromUserID")]
    pub from_user_id: String,
    /// Who was asked.
    #[serde(rename = "toUserID")]
    pub to_user_id: String,
}

impl Client {
    /// Applies for friendship. Again after an answer, or while one is awaited, it replaces the application before.
    pub async fn add_friend(&self, params: AddFriend) -> Result<Done<()>> {
        check_id("toUserID", &params.to_user_id)?;
        let session = self.session()?;
        let request = AddRequest {
            from_user_id: &session.user_id,
            to_user_id: &params.to_user_id,
            req_msg: &params.req_msg,
            ex: &params.ex,
        };
        let _: serde::de::IgnoredAny = session.rest("/friend/add_friend", &request).await?;
        Ok(Done { value: (), event: poll(&session, false).await? })
    }

    /// Accepts a received application: both are friends then.
    pub async fn accept_friend_application(&self, answer: FriendAnswer) -> Result<Done<()>> {
        let session = self.session()?;
        let told = respond(&session, answer, 1).await?;
        let event = friend::sync(&session, false).await?;
        Ok(Done { value: (), event: event.max(told) })
    }

    /// Refuses a received application.
    pub async fn refuse_friend_application(&self, answer: FriendAnswer) -> Result<Done<()>> {
        let session = self.session()?;
        Ok(Done { value: (), event: respond(&session, answer, -1).await? })
    }

    /// Applications that others made, newest first. Offline it answers from what is known here.
    pub async fn get_friend_application_list_as_recipient(
        &self,
        page: Option<ApplicationPage>,
    ) -> Result<Done<Vec<FriendApplication>>> {
        self.applications(Side::Received, page.unwrap_or_default()).await
    }

    /// Applications that the user made, newest first. Offline it answers from what is known here.
    pub async fn get_friend_application_list_as_applicant(
        &self,
        page: Option<ApplicationPage>,
    ) -> Result<Done<Vec<FriendApplication>>> {
        self.applications(Side::Sent, page.unwrap_or_default()).await
    }

    /// How many received applications wait for an answer.
    pub async fn get_friend_application_unhandled_count(&self, since: Option<Since>) -> Result<Done<i64>> {
        let session = self.session()?;
        let event = refresh(&session, Side::Received).await?;
        let (me, time) = (session.user_id.clone(), since.unwrap_or_default().time);
        let value = session.read(move |connection| friend_requests::unhandled(connection, &me, time)).await?;
        Ok(Done { value, event })
    }

    /// Hides applications on this device; newer ones of the same two users show again.
    pub async fn delete_friend_requests(&self, keys: Vec<ApplicationKey>) -> Result<Done<()>> {
        let session = self.session()?;
        session
            .commit(move |changes| {
                for key in keys {
                    let known = friend_requests::get(changes.connection, &key.from_user_id, &key.to_user_id)?;
                    let Some((application, false)) = known else { continue };
                    friend_requests::hide(changes.connection, &key.from_user_id, &key.to_user_id)?;
                    changes.tell(crate::event::Event::FriendApplicationDeleted(application));
                }
                Ok(())
            })
            .await
    }

    async fn applications(&self, side: Side, page: ApplicationPage) -> Result<Done<Vec<FriendApplication>>> {
        if page.handle_results.iter().any(|result| !(-1..=1).contains(result)) {
            return Err(Error::args("handleResults", "must be -1, 0 or 1"));
        }
        let session = self.session()?;
        let event = refresh(&session, side).await?;
        let me = session.user_id.clone();
        let count = if page.count == 0 { -1 } else { i64::from(page.count) };
        let range = (i64::from(page.offset), count);
        let value = session
            .read(move |connection| friend_requests::page(connection, side, &me, &page.handle_results, range))
            .await?;
        Ok(Done { value, event })
    }
}

/// Answers an application and brings both lists up to date. The number of the last event.
async fn respond(session: &Arc<Session>, answer: FriendAnswer, handle_result: i32) -> Result<u64> {
    check_id("toUserID", &answer.to_user_id)?;
    let request = AnswerRequest {
        from_user_id: &answer.to_user_id,
        to_user_id: &session.user_id,
        handle_result,
        handle_msg: &answer.handle_msg,
    };
    let _: serde::de::IgnoredAny = session.rest("/friend/add_friend_response", &request).await?;
    // the server closes an application in the other direction as well (http.md 2.4)
    let (them, me) = (answer.to_user_id.as_str(), session.user_id.as_str());
    read_these(session, &[(them, me), (me, them)]).await
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AddRequest<'a> {
    #[serde(rename = "fromUserID")]
    from_user_id: &'a str,
    #[serde(rename = "toUserID")]
    to_user_id: &'a str,
    req_msg: &'a str,
    ex: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerRequest<'a> {
    #[serde(rename = "fromUserID")]
    from_user_id: &'a str,
    #[serde(rename = "toUserID")]
    to_user_id: &'a str,
    handle_result: i32,
    handle_msg: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListRequest<'a> {
    #[serde(rename = "userID")]
    user_id: &'a str,
    pagination: Pagination,
    handle_results: [i32; 0],
}

#[derive(Serialize)]
struct PairRequest<'a> {
    #[serde(rename = "fromUserID")]
    from_user_id: &'a str,
    #[serde(rename = "toUserID")]
    to_user_id: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListAnswer {
    /// The list of received applications has this name (http.md 2.4).
    #[serde(rename = "FriendRequests")]
    received: Option<Vec<FriendRequest>>,
    #[serde(rename = "friendRequests")]
    sent: Option<Vec<FriendRequest>>,
}

/// Names of these lists in `list_versions`; the version is the time of the newest application that was read, ms.
const fn list(side: Side) -> &'static str {
    match side {
        Side::Received => "received_friend_requests",
        Side::Sent => "sent_friend_requests",
    }
}

const fn path(side: Side) -> &'static str {
    match side {
        Side::Received => "/friend/get_friend_apply_list",
        Side::Sent => "/friend/get_self_friend_apply_list",
    }
}

async fn page(session: &Session, side: Side, page_number: usize) -> Result<Vec<FriendRequest>> {
    let pagination = Pagination { page_number, show_number: PAGE };
    let request = ListRequest { user_id: &session.user_id, pagination, handle_results: [] };
    let answer: ListAnswer = session.rest(path(side), &request).await?;
    Ok(answer.received.or(answer.sent).unwrap_or_default())
}

/// Reads the newest applications of both sides, as far back as there is news. The number of the last event.
pub(crate) async fn poll(session: &Arc<Session>, first: bool) -> Result<u64> {
    let _one = session.turns.friend_requests.lock().await;
    let mut event = 0;
    for side in [Side::Received, Side::Sent] {
        event = event.max(read(session, side, first, false).await?);
    }
    Ok(event)
}

/// Reads the applications of pairs, applicant first, however old they are. The number of the last event.
pub(crate) async fn read_these(session: &Arc<Session>, pairs: &[(&str, &str)]) -> Result<u64> {
    let _one = session.turns.friend_requests.lock().await;
    let mut found = Vec::new();
    for (from_user_id, to_user_id) in pairs {
        let answer: ListAnswer =
            session.rest("/friend/get_designated_friend_apply", &PairRequest { from_user_id, to_user_id }).await?;
        found.extend(answer.sent.unwrap_or_default());
    }
    let tell = move |changes: &mut Changes<'_>| {
        found.into_iter().try_for_each(|request| people::application(changes, request, i64::MIN))
    };
    Ok(session.commit(tell).await?.event)
}

/// Reads the whole list of a side, so that what the server no longer has goes here as well. Offline it does nothing.
async fn refresh(session: &Arc<Session>, side: Side) -> Result<u64> {
    let _one = session.turns.friend_requests.lock().await;
    match read(session, side, false, true).await {
        Err(error) if error.is_connection_loss() => Ok(0),
        other => other,
    }
}

/// `whole`: all of it and not only what is new. What was read before says what is new, not what is stored: a push may
/// have brought the newest one and older ones may have been missed.
async fn read(session: &Arc<Session>, side: Side, first: bool, whole: bool) -> Result<u64> {
    let (me, list) = (session.user_id.clone(), list(side));
    let (read_up_to, stored_up_to) = session
        .read(move |connection| {
            let (_, read_up_to) = seqs::list_version(connection, list, &me)?;
            Ok((i64::try_from(read_up_to).unwrap_or(i64::MAX), friend_requests::newest(connection, side, &me)?))
        })
        .await?;
    let mut requests = Vec::new();
    for page_number in 1.. {
        let found = page(session, side, page_number).await?;
        let last = found.len() < PAGE;
        let news = found.iter().any(|request| request.create_time > read_up_to);
        requests.extend(found);
        if last || !(whole || news) {
            break;
        }
    }
    let me = session.user_id.clone();
    let now_read = requests.iter().map(|request| request.create_time).fold(read_up_to, i64::max);
    let done = session
        .commit_many(move |changes| {
            changes.begin_list(list, first)?;
            if whole {
                let exists = |known: &FriendApplication| {
                    requests.iter().any(|request| {
                        request.from_user_id == known.from_user_id && request.to_user_id == known.to_user_id
                    })
                };
                let pending = friend_requests::page(changes.connection, side, &me, &[0], (0, -1))?;
                // one that was made since the read began is no loss
                for known in pending.into_iter().filter(|known| known.create_time <= stored_up_to) {
                    if !exists(&known) {
                        people::application_gone(changes, known)?;
                    }
                }
            }
            // oldest first, as they happened
            requests.into_iter().rev().try_for_each(|request| people::application(changes, request, read_up_to))?;
            seqs::set_list_version(changes.connection, list, &me, "", now_read.unsigned_abs())
        })
        .await?;
    Ok(done.event)
}
