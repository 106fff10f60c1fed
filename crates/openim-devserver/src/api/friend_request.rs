//! Friend applications (http.md 2.4).

use axum::Router;
use openim_proto::sdkws::FriendRequest;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::page::{self, Pagination, null_if_empty};
use super::{App, Reply, call};
use crate::domain::{Caller, Domain, Verdict};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/friend/add_friend", call(add_friend))
        .route("/friend/add_friend_response", call(add_friend_response))
        .route("/friend/get_friend_apply_list", call(get_friend_apply_list))
        .route("/friend/get_self_friend_apply_list", call(get_self_friend_apply_list))
        .route("/friend/get_designated_friend_apply", call(get_designated_friend_apply))
        .route("/friend/get_self_unhandled_apply_count", call(get_self_unhandled_apply_count))
}

/// The members of all requests about applications.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "fromUserID")]
    from_user_id: String,
    #[serde(rename = "toUserID")]
    to_user_id: String,
    req_msg: String,
    ex: String,
    handle_result: i32,
    handle_msg: String,
    handle_results: Vec<i32>,
    time: i64,
    pagination: Option<Pagination>,
}

fn add_friend(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    let Wanted { from_user_id, to_user_id, req_msg, ex, .. } = request;
    caller.must_be(&from_user_id)?;
    app.world().apply_for_friendship(caller, &from_user_id, &to_user_id, req_msg, ex)?;
    Ok(Answer::Empty)
}

fn add_friend_response(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    let Wanted { from_user_id, to_user_id, handle_msg, .. } = request;
    let verdict = Verdict::of(request.handle_result)?;
    caller.must_be(&to_user_id)?;
    app.world().handle_application(caller, &from_user_id, &to_user_id, verdict, &handle_msg)?;
    Ok(Answer::Empty)
}

fn get_friend_apply_list(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    // the capital letter is the protocol's
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Received {
        friend_requests: Option<Vec<FriendRequest>>,
        #[serde(rename = "total")]
        total: usize,
    }
    let page = page::check(request.pagination)?;
    caller.must_be(&request.user_id)?;
    let found = app.world().received_applications(&request.user_id, &request.handle_results);
    Answer::of(&Received { total: found.len(), friend_requests: null_if_empty(page.of(found)) })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Applications {
    friend_requests: Option<Vec<FriendRequest>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
}

fn get_self_friend_apply_list(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    let page = page::check(request.pagination)?;
    caller.must_be(&request.user_id)?;
    let found = app.world().sent_applications(&request.user_id, &request.handle_results);
    Answer::of(&Applications { total: Some(found.len()), friend_requests: null_if_empty(page.of(found)) })
}

fn get_designated_friend_apply(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be_one_of(&request.from_user_id, &request.to_user_id)?;
    let found = app.world().applications_between(&request.from_user_id, &request.to_user_id);
    Answer::of(&Applications { friend_requests: null_if_empty(found), total: None })
}

fn get_self_unhandled_apply_count(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    Answer::of(&Count { count: app.world().unhandled_applications(&request.user_id, request.time) })
}

/// A number of things.
#[derive(Serialize)]
pub(super) struct Count {
    /// How many.
    pub(super) count: usize,
}
