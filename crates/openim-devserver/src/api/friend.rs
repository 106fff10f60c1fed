//! Friends (http.md 2.4, 3.3).

use std::collections::BTreeSet;

use axum::Router;
use openim_proto::sdkws::{BlackInfo, FriendInfo, UserInfo};
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::increment::{FullIds, Increment};
use super::page::{self, Pagination, null_if_empty};
use super::{App, Reply, call};
use crate::domain::version_log::Log;
use crate::domain::{Caller, Domain, Fault, FriendChange};

/// Ids that a list of a request may have (http.md 8.8).
const IDS_LIMIT: usize = 1000;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/friend/delete_friend", call(delete_friend))
        .route("/friend/set_friend_remark", call(set_friend_remark))
        .route("/friend/update_friends", call(update_friends))
        .route("/friend/import_friend", call(import_friend))
        .route("/friend/get_friend_list", call(get_friend_list))
        .route("/friend/get_designated_friends", call(get_designated_friends))
        .route("/friend/get_specified_friends_info", call(get_specified_friends_info))
        .route("/friend/get_friend_id", call(get_friend_id))
        .route("/friend/is_friend", call(is_friend))
        .route("/friend/get_incremental_friends", call(get_incremental_friends))
        .route("/friend/get_full_friend_user_ids", call(get_full_friend_user_ids))
}

/// The members of all requests about friends.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "ownerUserID")]
    owner_user_id: String,
    #[serde(rename = "friendUserID")]
    friend_user_id: String,
    #[serde(rename = "friendUserIDs")]
    friend_user_ids: Option<Vec<String>>,
    #[serde(rename = "userIDList")]
    user_id_list: Vec<String>,
    #[serde(rename = "userID1")]
    user_id1: String,
    #[serde(rename = "userID2")]
    user_id2: String,
    remark: Option<String>,
    is_pinned: Option<bool>,
    ex: Option<String>,
    #[serde(rename = "versionID")]
    version_id: String,
    version: u64,
    id_hash: u64,
    pagination: Option<Pagination>,
}

/// Refuses a list in which an id stands twice.
pub(super) fn check_unique(ids: &[String], detail: &'static str) -> Result<(), Fault> {
    let unique: BTreeSet<&String> = ids.iter().collect();
    if unique.len() == ids.len() { Ok(()) } else { Err(Fault::args(detail)) }
}

/// The ids of a call that takes so many at most, each once.
fn friend_ids(ids: Option<Vec<String>>) -> Result<Vec<String>, Fault> {
    let ids = ids.ok_or_else(|| Fault::args("friendUserIDS is empty"))?;
    if ids.len() > IDS_LIMIT {
        return Err(Fault::args(format!("friendUserIDS has more than {IDS_LIMIT} ids")));
    }
    check_unique(&ids, "friend userID repeated")?;
    Ok(ids)
}

fn delete_friend(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    if request.friend_user_id.is_empty() {
        return Err(Fault::args("friendUserID is empty"));
    }
    caller.must_be(&request.owner_user_id)?;
    app.world().delete_friend(caller, &request.owner_user_id, &request.friend_user_id)?;
    Ok(Answer::Empty)
}

fn set_friend_remark(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.owner_user_id)?;
    let remark = request.remark.unwrap_or_default();
    app.world().set_friend_remark(caller, &request.owner_user_id, &request.friend_user_id, remark)?;
    Ok(Answer::Empty)
}

fn update_friends(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    let ids = friend_ids(request.friend_user_ids)?;
    if ids.is_empty() {
        return Err(Fault::args("friendUserIDS is empty"));
    }
    caller.must_be(&request.owner_user_id)?;
    let change = FriendChange { remark: request.remark, is_pinned: request.is_pinned, ex: request.ex };
    app.world().update_friends(caller, &request.owner_user_id, &ids, &change)?;
    Ok(Answer::Empty)
}

fn import_friend(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be_admin()?;
    let ids = friend_ids(request.friend_user_ids)?;
    app.world().import_friends(caller, &request.owner_user_id, &ids)?;
    Ok(Answer::Empty)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Friends {
    friends_info: Option<Vec<FriendInfo>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
}

fn get_friend_list(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    let page = page::check(request.pagination)?;
    caller.must_be(&request.user_id)?;
    let world = app.world();
    let friends = world.friends(&request.user_id);
    let total = friends.len();
    let infos = page.of(friends).into_iter().map(|record| world.friend_info(record)).collect();
    Answer::of(&Friends { friends_info: null_if_empty(infos), total: Some(total) })
}

fn get_designated_friends(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    let wanted = request.friend_user_ids.ok_or_else(|| Fault::args("friendUserIDS is empty"))?;
    caller.must_be(&request.owner_user_id)?;
    check_unique(&wanted, "friend userID repeated")?;
    let found = app.world().find_friends(&request.owner_user_id, &wanted);
    Answer::of(&Friends { friends_info: null_if_empty(found), total: None })
}

fn get_specified_friends_info(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    #[derive(Serialize)]
    struct Infos {
        infos: Option<Vec<Info>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Info {
        user_info: UserInfo,
        friend_info: Option<FriendInfo>,
        black_info: Option<BlackInfo>,
    }
    if request.user_id_list.is_empty() {
        return Err(Fault::args("userIDList is empty"));
    }
    check_unique(&request.user_id_list, "userIDList repeated")?;
    caller.must_be(&request.owner_user_id)?;
    let world = app.world();
    let owner = &request.owner_user_id;
    // here times are in ms, and the profile stands beside the relations rather than in them
    let info = |user_id: &String| {
        let friend = world.friend(owner, user_id);
        let black = world.black(owner, user_id);
        Some(Info {
            user_info: world.user_info(user_id)?.clone(),
            friend_info: friend.map(|record| FriendInfo {
                create_time: record.create_time,
                friend_user: None,
                ..world.friend_info(record)
            }),
            black_info: black.map(|row| BlackInfo { black_user_info: None, ..world.black_info(row) }),
        })
    };
    Answer::of(&Infos { infos: null_if_empty(request.user_id_list.iter().filter_map(info).collect()) })
}

fn get_friend_id(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    #[derive(Serialize)]
    struct FriendIds {
        #[serde(rename = "friendIDs")]
        friend_ids: Option<Vec<String>>,
    }
    caller.must_be(&request.user_id)?;
    Answer::of(&FriendIds { friend_ids: null_if_empty(app.world().friend_ids(&request.user_id)) })
}

fn is_friend(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Friendship {
        in_user1_friends: bool,
        in_user2_friends: bool,
    }
    let (one, other) = (&request.user_id1, &request.user_id2);
    caller.must_be_one_of(one, other)?;
    let world = app.world();
    let (in_user1_friends, in_user2_friends) = (world.is_friend(one, other), world.is_friend(other, one));
    Answer::of(&Friendship { in_user1_friends, in_user2_friends })
}

fn get_incremental_friends(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    let mut world = app.world();
    let delta = world.version_log(Log::Friends, &request.user_id).delta(&request.version_id, request.version);
    Answer::of(&Increment::of(delta, |ids| world.find_friends(&request.user_id, ids)))
}

fn get_full_friend_user_ids(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    let mut world = app.world();
    let ids = world.friend_ids(&request.user_id);
    let log = world.version_log(Log::Friends, &request.user_id);
    Answer::of(&FullIds::of("userIDs", log, ids, request.id_hash))
}
