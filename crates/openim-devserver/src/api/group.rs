//! Groups (http.md 2.5). No group can be made yet, so every list is truly empty and nobody is a member of anything.

use axum::Router;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::friend_request::Count;
use super::increment::{FullIds, Increment};
use super::page::{self, Pagination};
use super::{App, Reply, call};
use crate::domain::version_log::Log;
use crate::domain::{Caller, Domain, Fault};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/group/get_incremental_join_groups", call(get_incremental_join_groups))
        .route("/group/get_full_join_group_ids", call(get_full_join_group_ids))
        .route("/group/get_joined_group_list", call(get_joined_group_list))
        .route("/group/get_groups_info", call(get_groups_info))
        .route("/group/get_group_members_info", call(members_only))
        .route("/group/get_group_member_list", call(members_only))
        .route("/group/get_full_group_member_user_ids", call(members_only))
        .route("/group/get_incremental_group_members", call(members_only))
        .route("/group/get_incremental_group_members_batch", call(get_incremental_group_members_batch))
        .route("/group/get_recv_group_applicationList", call(get_recv_group_application_list))
        .route("/group/get_user_req_group_applicationList", call(get_user_req_group_application_list))
        .route("/group/get_group_application_unhandled_count", call(get_group_application_unhandled_count))
        .route("/group/get_specified_user_group_request_info", call(get_specified_user_group_request_info))
}

/// The members of all requests about groups.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "fromUserID")]
    from_user_id: String,
    #[serde(rename = "groupIDs")]
    group_ids: Vec<String>,
    #[serde(rename = "versionID")]
    version_id: String,
    version: u64,
    id_hash: u64,
    req_list: Vec<MembersVersion>,
    pagination: Option<Pagination>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MembersVersion {}

fn get_incremental_join_groups(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    let mut world = app.world();
    let delta = world.version_log(Log::JoinedGroups, &request.user_id).delta(&request.version_id, request.version);
    Answer::of(&Increment::<()>::of(delta, |_| Vec::new()))
}

fn get_full_join_group_ids(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    let mut world = app.world();
    let log = world.version_log(Log::JoinedGroups, &request.user_id);
    Answer::of(&FullIds::of("groupIDs", log, Vec::new(), request.id_hash))
}

fn get_joined_group_list(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    #[derive(Serialize)]
    struct Joined {
        total: u32,
        groups: Option<Vec<()>>,
    }
    page::check(request.pagination)?;
    caller.must_be(&request.from_user_id)?;
    Answer::of(&Joined { total: 0, groups: None })
}

fn get_groups_info(_: &Domain, _: &Caller, request: Wanted) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Infos {
        group_infos: Option<Vec<()>>,
    }
    if request.group_ids.is_empty() {
        return Err(Fault::args("groupID is empty"));
    }
    Answer::of(&Infos { group_infos: None })
}

fn members_only(_: &Domain, caller: &Caller, _: Wanted) -> Reply {
    Err(if caller.is_admin { Fault::not_found("group not found") } else { not_a_member() })
}

fn get_incremental_group_members_batch(_: &Domain, _: &Caller, request: Wanted) -> Reply {
    #[derive(Serialize)]
    struct NoLists {}
    if request.req_list.is_empty() { Answer::of(&NoLists {}) } else { Err(not_a_member()) }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Applications {
    total: u32,
    group_requests: Option<Vec<()>>,
}

fn get_recv_group_application_list(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    page::check(request.pagination)?;
    caller.must_be(&request.from_user_id)?;
    Answer::of(&Applications { total: 0, group_requests: None })
}

fn get_user_req_group_application_list(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    page::check(request.pagination)?;
    caller.must_be(&request.user_id)?;
    Answer::of(&Applications { total: 0, group_requests: None })
}

fn get_group_application_unhandled_count(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    Answer::of(&Count { count: 0 })
}

fn get_specified_user_group_request_info(_: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.user_id)?;
    Answer::of(&Applications { total: 0, group_requests: None })
}

fn not_a_member() -> Fault {
    Fault::no_permission("op user not in group")
}
