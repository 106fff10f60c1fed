//! Black lists (http.md 2.4).

use axum::Router;
use openim_proto::sdkws::BlackInfo;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::friend::check_unique;
use super::page::{self, Pagination, null_if_empty};
use super::{App, Reply, call};
use crate::domain::{Caller, Domain, Fault};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/friend/add_black", call(add_black))
        .route("/friend/remove_black", call(remove_black))
        .route("/friend/get_black_list", call(get_black_list))
        .route("/friend/get_specified_blacks", call(get_specified_blacks))
        .route("/friend/get_incremental_blacks", call(get_incremental_blacks))
}

/// The members of all requests about black lists.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "ownerUserID")]
    owner_user_id: String,
    #[serde(rename = "blackUserID")]
    black_user_id: String,
    #[serde(rename = "userIDList")]
    user_id_list: Vec<String>,
    ex: String,
    pagination: Option<Pagination>,
}

#[derive(Serialize)]
struct Blacks {
    blacks: Option<Vec<BlackInfo>>,
    total: usize,
}

fn add_black(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.owner_user_id)?;
    app.world().add_black(caller, &request.owner_user_id, &request.black_user_id, request.ex)?;
    Ok(Answer::Empty)
}

fn remove_black(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    caller.must_be(&request.owner_user_id)?;
    app.world().remove_black(caller, &request.owner_user_id, &request.black_user_id)?;
    Ok(Answer::Empty)
}

fn get_black_list(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    let page = page::check(request.pagination)?;
    caller.must_be(&request.user_id)?;
    let world = app.world();
    let rows = world.blacks(&request.user_id);
    let total = rows.len();
    // here, and only here, times are in seconds (http.md 1.8)
    let seconds = |info: BlackInfo| BlackInfo { create_time: info.create_time / 1000, ..info };
    let blacks = page.of(rows).into_iter().map(|row| seconds(world.black_info(row))).collect();
    Answer::of(&Blacks { blacks: null_if_empty(blacks), total })
}

fn get_specified_blacks(app: &Domain, caller: &Caller, request: Wanted) -> Reply {
    if request.user_id_list.is_empty() {
        return Err(Fault::args("userIDList is empty"));
    }
    check_unique(&request.user_id_list, "userIDList repeated")?;
    caller.must_be(&request.owner_user_id)?;
    let world = app.world();
    let rows = request.user_id_list.iter().filter_map(|user_id| world.black(&request.owner_user_id, user_id));
    let blacks: Vec<_> = rows.map(|row| world.black_info(row)).collect();
    Answer::of(&Blacks { total: blacks.len(), blacks: null_if_empty(blacks) })
}

/// Routed and not there, as on the real server.
fn get_incremental_blacks(_: &Domain, _: &Caller, _: Wanted) -> Reply {
    Err(Fault::internal("black lists have no versions"))
}
