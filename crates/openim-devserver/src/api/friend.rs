//! Friends, black lists and applications (http.md 2.4). Nobody can make a friend yet, so every list is truly empty.

use std::collections::BTreeSet;

use axum::Router;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::page::{self, Pagination};
use super::{App, Reply, call};
use crate::domain::version::Log;
use crate::domain::{Caller, Domain, Fault};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/friend/get_incremental_friends", call(get_incremental_friends))
        .route("/friend/get_full_friend_user_ids", call(get_full_friend_user_ids))
        .route("/friend/get_friend_list", call(get_friend_list))
        .route("/friend/get_designated_friends", call(get_designated_friends))
        .route("/friend/is_friend", call(is_friend))
        .route("/friend/get_friend_apply_list", call(get_friend_apply_list))
        .route("/friend/get_self_friend_apply_list", call(get_self_friend_apply_list))
        .route("/friend/get_designated_friend_apply", call(get_designated_friend_apply))
        .route("/friend/get_self_unhandled_apply_count", call(get_self_unhandled_apply_count))
        .route("/friend/get_black_list", call(get_black_list))
        .route("/friend/get_specified_blacks", call(get_specified_blacks))
}

/// An element of a list that has none.
type Nobody = Option<Vec<()>>;

/// The members of all requests about friends.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "ownerUserID")]
    owner_user_id: String,
    #[serde(rename = "fromUserID")]
    from_user_id: String,
    #[serde(rename = "toUserID")]
    to_user_id: String,
    #[serde(rename = "userID1")]
    user_id1: String,
    #[serde(rename = "userID2")]
    user_id2: String,
    #[serde(rename = "friendUserIDs")]
    friend_user_ids: Option<Vec<String>>,
    #[serde(rename = "userIDList")]
    user_id_list: Option<Vec<String>>,
    #[serde(rename = "versionID")]
    version_id: String,
    version: u64,
    id_hash: u64,
    pagination: Option<Pagination>,
}

/// Answer of the incremental lists that have a sort version.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmptyIncrement {
    version: u64,
    #[serde(rename = "versionID")]
    version_id: String,
    full: bool,
    delete: Nobody,
    insert: Nobody,
    update: Nobody,
    sort_version: u64,
}

impl EmptyIncrement {
    /// What changed in a list without elements: nothing, or everything for a stranger.
    pub(super) fn of(app: &Domain, log: Log, owner: &str, version_id: &str, version: u64) -> Self {
        let delta = app.world().version_log(log, owner).delta(version_id, version);
        let (version, version_id, full, sort_version) =
            (delta.version, delta.version_id, delta.full, delta.sort_version);
        Self { version, version_id, full, delete: None, insert: None, update: None, sort_version }
    }
}

fn get_incremental_friends(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    Answer::of(&EmptyIncrement::of(app, Log::Friends, &request.user_id, &request.version_id, request.version))
}

fn get_full_friend_user_ids(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    #[derive(Serialize)]
    struct FullIds {
        version: u64,
        #[serde(rename = "versionID")]
        version_id: String,
        equal: bool,
        #[serde(rename = "userIDs")]
        user_ids: Nobody,
    }
    caller.must_be(&request.user_id)?;
    let delta = app.world().version_log(Log::Friends, &request.user_id).delta("", 0);
    let (equal, user_ids) = equal_to_nothing(request.id_hash);
    Answer::of(&FullIds { version: delta.version, version_id: delta.version_id, equal, user_ids })
}

/// Whether a hash is that of no ids, and the ids to send if it is not.
pub(super) fn equal_to_nothing(id_hash: u64) -> (bool, Nobody) {
    (id_hash == 0, None)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Friends {
    friends_info: Nobody,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i32>,
}

fn get_friend_list(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    page::check(request.pagination)?;
    caller.must_be(&request.user_id)?;
    Answer::of(&Friends { friends_info: None, total: Some(0) })
}

fn get_designated_friends(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    let wanted = request.friend_user_ids.ok_or_else(|| Fault::args("friendUserIDS is empty"))?;
    caller.must_be(&request.owner_user_id)?;
    if wanted.iter().collect::<BTreeSet<_>>().len() != wanted.len() {
        return Err(Fault::args("friend userID repeated"));
    }
    Answer::of(&Friends { friends_info: None, total: None })
}

fn is_friend(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Friendship {
        in_user1_friends: bool,
        in_user2_friends: bool,
    }
    must_be_one_of(caller, &request.user_id1, &request.user_id2)?;
    Answer::of(&Friendship { in_user1_friends: false, in_user2_friends: false })
}

fn get_friend_apply_list(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    // the capital letter is the protocol's
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Received {
        friend_requests: Nobody,
        #[serde(rename = "total")]
        total: i32,
    }
    page::check(request.pagination)?;
    caller.must_be(&request.user_id)?;
    Answer::of(&Received { friend_requests: None, total: 0 })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Applications {
    friend_requests: Nobody,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i32>,
}

fn get_self_friend_apply_list(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    page::check(request.pagination)?;
    caller.must_be(&request.user_id)?;
    Answer::of(&Applications { friend_requests: None, total: Some(0) })
}

fn get_designated_friend_apply(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    must_be_one_of(caller, &request.from_user_id, &request.to_user_id)?;
    Answer::of(&Applications { friend_requests: None, total: None })
}

fn get_self_unhandled_apply_count(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    Answer::of(&Count { count: 0 })
}

/// A number of things.
#[derive(Serialize)]
pub(super) struct Count {
    /// How many.
    pub(super) count: i64,
}

#[derive(Serialize)]
struct Blacks {
    blacks: Nobody,
    total: i32,
}

fn get_black_list(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    page::check(request.pagination)?;
    caller.must_be(&request.user_id)?;
    Answer::of(&Blacks { blacks: None, total: 0 })
}

fn get_specified_blacks(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    if request.user_id_list.is_none_or(|list| list.is_empty()) {
        return Err(Fault::args("userIDList is empty"));
    }
    caller.must_be(&request.owner_user_id)?;
    Answer::of(&Blacks { blacks: None, total: 0 })
}

fn must_be_one_of(caller: &Caller, one: &str, other: &str) -> Result<(), Fault> {
    if caller.is_admin || [one, other].contains(&&*caller.user_id) {
        return Ok(());
    }
    Err(Fault::no_permission("opUser in ownerUserIDs"))
}
