//! Friends: the list, what the user does with it, and its sync.

use std::collections::BTreeSet;
use std::sync::Arc;

use openim_proto::sdkws::FriendInfo;
use serde::{Deserialize, Serialize};

use crate::change::List;
use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::friend_request;
use crate::increment::Increment;
use crate::model::{FoundFriend, Friend, Friendship};
use crate::session::Session;
use crate::store::{blacks, friend_requests, friends, seqs};
use crate::sync::people::{self, FriendList};
use crate::sync::versions::Step;

/// Name of this list in `list_versions`.
const LIST: &str = "friends";
/// Friends in one page of the full list.
const PAGE: usize = 500;
/// Ids in one call (http.md 8.8).
pub(crate) const MOST_IDS: usize = 1000;

/// Parameters of `getFriendListPage`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FriendPage {
    /// How many friends to leave out.
    pub offset: u32,
    /// How many friends at most.
    pub count: u32,
    /// Without those on the black list.
    #[serde(default)]
    pub filter_black: bool,
}

/// Parameters of `getSpecifiedFriendsInfo`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpecifiedFriends {
    /// Who to look for.
    #[serde(rename = "friendUserIDList")]
    pub friend_user_ids: Vec<String>,
    /// Without those on the black list.
    #[serde(default)]
    pub filter_black: bool,
}

/// Parameters of `updateFriends`: only what is given changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FriendsUpdate {
    /// Which friends; at most 1,000.
    #[serde(rename = "friendUserIDs")]
    pub friend_user_ids: Vec<String>,
    /// At the top of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_pinned: Option<bool>,
    /// The user's own name for them; empty takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// The application's own data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ex: Option<String>,
}

/// Parameters of `searchFriends`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FriendSearch {
    /// All of them must occur, in whatever case, each in one of the fields that are searched.
    pub keyword_list: Vec<String>,
    /// Search user ids.
    #[serde(rename = "isSearchUserID", default)]
    pub user_id: bool,
    /// Search names.
    #[serde(rename = "isSearchNickname", default)]
    pub nickname: bool,
    /// Search remarks.
    #[serde(rename = "isSearchRemark", default)]
    pub remark: bool,
}

pub(crate) fn check_id(field: &'static str, user_id: &str) -> Result<()> {
    if user_id.is_empty() { Err(Error::args(field, "must not be empty")) } else { Ok(()) }
}

pub(crate) fn check_ids(field: &'static str, user_ids: &[String]) -> Result<()> {
    if user_ids.len() > MOST_IDS {
        return Err(Error::args(field, "must have at most 1000 elements"));
    }
    if user_ids.iter().any(String::is_empty) {
        return Err(Error::args(field, "must not contain an empty id"));
    }
    Ok(())
}

impl Client {
    /// Every friend, in the server's order: pinned first, then the oldest friendship first. With `filter_black` without
    /// those on the black list.
    pub async fn get_friend_list(&self, filter_black: Option<bool>) -> Result<Done<Vec<Friend>>> {
        self.friends(0, -1, filter_black.unwrap_or_default()).await
    }

    /// A slice of the list.
    pub async fn get_friend_list_page(&self, page: FriendPage) -> Result<Done<Vec<Friend>>> {
        self.friends(i64::from(page.offset), i64::from(page.count), page.filter_black).await
    }

    async fn friends(&self, offset: i64, limit: i64, filter_black: bool) -> Result<Done<Vec<Friend>>> {
        let session = self.session()?;
        let me = session.user_id.clone();
        let query =
            move |connection: &rusqlite::Connection| friends::page(connection, offset, limit, filter_black, &me);
        session.read(query).await.map(Done::quietly)
    }

    /// Those of the users who are friends, in the order asked for. Asks the server if one of them is not known as a
    /// friend here.
    pub async fn get_specified_friends_info(&self, wanted: SpecifiedFriends) -> Result<Done<Vec<Friend>>> {
        check_ids("friendUserIDList", &wanted.friend_user_ids)?;
        let session = self.session()?;
        let wanted = Arc::new(wanted);
        let (found, complete) = specified(&session, &wanted).await?;
        if complete || !session.socket.is_connected() {
            return Ok(Done::quietly(found));
        }
        let event = sync(&session, false).await?;
        Ok(Done { value: specified(&session, &wanted).await?.0, event })
    }

    /// Whether users are friends and not on the black list, in the order asked for.
    pub async fn check_friend(&self, user_ids: Vec<String>) -> Result<Done<Vec<Friendship>>> {
        check_ids("userIDList", &user_ids)?;
        let check = move |connection: &rusqlite::Connection| {
            let result = |user_id: String| {
                let result = i32::from(friends::is_friend(connection, &user_id)?);
                Ok(Friendship { user_id, result })
            };
            user_ids.into_iter().map(result).collect()
        };
        self.session()?.read(check).await.map(Done::quietly)
    }

    /// Changes remark, pin or data of friends. Who is no friend is passed over.
    pub async fn update_friends(&self, update: FriendsUpdate) -> Result<Done<()>> {
        check_ids("friendUserIDs", &update.friend_user_ids)?;
        if update.friend_user_ids.is_empty() {
            return Err(Error::args("friendUserIDs", "must not be empty"));
        }
        if update.is_pinned.is_none() && update.remark.is_none() && update.ex.is_none() {
            return Err(Error::args("isPinned", "or remark or ex must be given"));
        }
        let session = self.session()?;
        let request = UpdateRequest { owner_user_id: &session.user_id, update: &update };
        let _: serde::de::IgnoredAny = session.rest("/friend/update_friends", &request).await?;
        Ok(Done { value: (), event: sync(&session, false).await? })
    }

    /// Takes a friend off the list. One-sided: the user stays on the other's list.
    pub async fn delete_friend(&self, user_id: String) -> Result<Done<()>> {
        check_id("userID", &user_id)?;
        let session = self.session()?;
        let request = DeleteRequest { owner_user_id: &session.user_id, friend_user_id: &user_id };
        let _: serde::de::IgnoredAny = session.rest("/friend/delete_friend", &request).await?;
        Ok(Done { value: (), event: sync(&session, false).await? })
    }

    /// Friends in whose id, name or remark every keyword occurs, in the order of the list.
    pub async fn search_friends(&self, search: FriendSearch) -> Result<Done<Vec<FoundFriend>>> {
        let keywords: Vec<String> = search.keyword_list.iter().map(|keyword| keyword.to_lowercase()).collect();
        if keywords.is_empty() || keywords.iter().any(String::is_empty) {
            return Err(Error::args("keywordList", "must have keywords, and no empty one"));
        }
        if !search.user_id && !search.nickname && !search.remark {
            return Err(Error::args("isSearchUserID", "or isSearchNickname or isSearchRemark must be true"));
        }
        let session = self.session()?;
        let me = session.user_id.clone();
        let find = move |connection: &rusqlite::Connection| {
            let black = blacks::by_user(connection, &me)?;
            let found = friends::page(connection, 0, -1, false, &me)?.into_iter().filter(|friend| {
                let fields = [
                    (search.user_id, &friend.user_id),
                    (search.nickname, &friend.nickname),
                    (search.remark, &friend.remark),
                ];
                let texts: Vec<String> =
                    fields.into_iter().filter(|(searched, _)| *searched).map(|(_, text)| text.to_lowercase()).collect();
                keywords.iter().all(|keyword| texts.iter().any(|text| text.contains(keyword)))
            });
            let found = found
                .map(|friend| FoundFriend { relationship: i32::from(!black.contains_key(&friend.user_id)), friend });
            Ok(found.collect())
        };
        session.read(find).await.map(Done::quietly)
    }
}

/// Those who are friends and wanted, and whether all of the users are friends.
async fn specified(session: &Session, wanted: &Arc<SpecifiedFriends>) -> Result<(Vec<Friend>, bool)> {
    let (wanted, me) = (wanted.clone(), session.user_id.clone());
    session
        .read(move |connection| {
            let mut found = Vec::with_capacity(wanted.friend_user_ids.len());
            let mut complete = true;
            for user_id in &wanted.friend_user_ids {
                let friend = friends::get(connection, user_id, &me)?;
                complete &= friend.is_some();
                if !wanted.filter_black || friends::is_friend(connection, user_id)? {
                    found.extend(friend);
                }
            }
            Ok((found, complete))
        })
        .await
}

#[derive(Serialize)]
struct UpdateRequest<'a> {
    #[serde(rename = "ownerUserID")]
    owner_user_id: &'a str,
    #[serde(flatten)]
    update: &'a FriendsUpdate,
}

#[derive(Serialize)]
struct DeleteRequest<'a> {
    #[serde(rename = "ownerUserID")]
    owner_user_id: &'a str,
    #[serde(rename = "friendUserID")]
    friend_user_id: &'a str,
}

#[derive(Serialize)]
struct IdsRequest<'a> {
    #[serde(rename = "userID")]
    user_id: &'a str,
    #[serde(rename = "idHash")]
    id_hash: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IdsAnswer {
    #[serde(rename = "userIDs")]
    user_ids: Option<Vec<String>>,
}

#[derive(Serialize)]
struct DesignatedRequest<'a> {
    #[serde(rename = "ownerUserID")]
    owner_user_id: &'a str,
    #[serde(rename = "friendUserIDs")]
    friend_user_ids: &'a [String],
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListAnswer {
    #[serde(rename = "friendsInfo")]
    friends_info: Option<Vec<FriendInfo>>,
}

impl ListAnswer {
    fn friends(self) -> Vec<FriendInfo> {
        self.friends_info.unwrap_or_default()
    }
}

/// Brings the friend list to the server's (http.md section 3). The number of the last event.
pub(crate) async fn sync(session: &Arc<Session>, first: bool) -> Result<u64> {
    let _one = session.turns.friends.lock().await;
    let sources = session.take_sources(List::Friends);
    let (step, increment) = session.increment::<FriendInfo>("/friend/get_incremental_friends", LIST).await?;
    let (list, version) = match step {
        Step::Same => return Ok(0),
        Step::Full(version) => (whole_list(session).await?, version),
        Step::Apply(version) => {
            let Increment { delete, insert: mut put, update, sorted } = increment;
            let inserted = put.len();
            put.extend(update);
            let unclear = people::order_is_unclear(&put, inserted, &known(session, &put).await?);
            let order = if sorted || unclear { Some(ids(session).await?) } else { None };
            (FriendList { delete, put, whole: false, order }, version)
        }
    };
    if !first {
        tell_acceptances(session, &list).await?;
    }
    let (me, now) = (session.user_id.clone(), session.clock.now());
    let done = session
        .commit_many(move |changes| {
            changes.sources = sources;
            changes.begin_list(LIST, first)?;
            people::friend_list(changes, list, now)?;
            seqs::set_list_version(changes.connection, LIST, &me, &version.id, version.number)
        })
        .await?;
    Ok(done.event)
}

/// Which of the friends are on the list already.
async fn known(session: &Session, friends: &[FriendInfo]) -> Result<BTreeSet<String>> {
    let ids: Vec<String> = friends.iter().filter_map(people::friend_id).map(str::to_owned).collect();
    let me = session.user_id.clone();
    session
        .read(move |connection| {
            let mut known = BTreeSet::new();
            for id in ids {
                if friends::get(connection, &id, &me)?.is_some() {
                    known.insert(id);
                }
            }
            Ok(known)
        })
        .await
}

/// The acceptance of an application is told before the friend that it made (R13d).
async fn tell_acceptances(session: &Arc<Session>, list: &FriendList) -> Result<()> {
    let friends: Arc<[String]> = list.put.iter().filter_map(people::friend_id).map(str::to_owned).collect();
    if pending_with(session, friends.clone()).await?.is_empty() {
        return Ok(());
    }
    friend_request::poll(session, false).await?;
    // those that are not among the newest
    let rest = pending_with(session, friends).await?;
    let pairs: Vec<_> = rest.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    if !pairs.is_empty() {
        friend_request::read_these(session, &pairs).await?;
    }
    Ok(())
}

/// Applications that are pending as far as is known here, between the user and these: applicant first.
async fn pending_with(session: &Session, friends: Arc<[String]>) -> Result<Vec<(String, String)>> {
    let me = session.user_id.clone();
    session
        .read(move |connection| {
            let mut pending = Vec::new();
            for friend in friends.iter() {
                for (from, to) in [(&me, friend), (friend, &me)] {
                    let known = friend_requests::get(connection, from, to)?;
                    if known.is_some_and(|(application, _)| application.handle_result == 0) {
                        pending.push((from.clone(), to.clone()));
                    }
                }
            }
            Ok(pending)
        })
        .await
}

/// The whole list. It may change while its pages are read; the ids, read last, tell whom they left out.
async fn whole_list(session: &Session) -> Result<FriendList> {
    let pages: Vec<FriendInfo> = session.pages("/friend/get_friend_list", PAGE, ListAnswer::friends).await?;
    let ids = ids(session).await?;
    let mut missing = Vec::new();
    for friend_user_ids in people::missing(&pages, &ids).chunks(PAGE) {
        let request = DesignatedRequest { owner_user_id: &session.user_id, friend_user_ids };
        let answer: ListAnswer = session.rest("/friend/get_designated_friends", &request).await?;
        missing.extend(answer.friends());
    }
    Ok(FriendList::whole(pages, missing, ids))
}

async fn ids(session: &Session) -> Result<Vec<String>> {
    let request = IdsRequest { user_id: &session.user_id, id_hash: 0 };
    let answer: IdsAnswer = session.rest("/friend/get_full_friend_user_ids", &request).await?;
    Ok(answer.user_ids.unwrap_or_default())
}
