//! Records that an application keeps with its users (http.md 2.3).

use axum::Router;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::page::null_if_empty;
use super::{App, Reply, call};
use crate::domain::{Caller, Domain, Fault};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/user/process_user_command_add", call(process_user_command_add))
        .route("/user/process_user_command_update", call(process_user_command_update))
        .route("/user/process_user_command_delete", call(process_user_command_delete))
        .route("/user/process_user_command_get", call(process_user_command_get))
        .route("/user/process_user_command_get_all", call(process_user_command_get_all))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Command {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "type")]
    kind: i32,
    uuid: String,
    value: Option<String>,
    ex: Option<String>,
}

impl Command {
    fn check(&self, caller: &Caller) -> Result<(), Fault> {
        self.check_owner(caller)?;
        if self.kind == 0 {
            return Err(Fault::args("type is empty"));
        }
        if self.uuid.is_empty() {
            return Err(Fault::args("uuid is empty"));
        }
        Ok(())
    }

    fn check_owner(&self, caller: &Caller) -> Result<(), Fault> {
        if self.user_id.is_empty() {
            return Err(Fault::args("userID is empty"));
        }
        caller.must_be(&self.user_id)
    }

    /// What is kept. As on the real server, an `ex` takes the value's place.
    fn kept(self) -> Option<String> {
        self.ex.or(self.value)
    }
}

fn process_user_command_add(app: &Domain, caller: &Caller, request: Command) -> Reply {
    request.check(caller)?;
    let (user_id, kind, uuid) = (request.user_id.clone(), request.kind, request.uuid.clone());
    app.world().add_user_command(&user_id, kind, &uuid, request.kept().unwrap_or_default())?;
    Ok(Answer::Empty)
}

fn process_user_command_update(app: &Domain, caller: &Caller, request: Command) -> Reply {
    request.check(caller)?;
    let (user_id, kind, uuid) = (request.user_id.clone(), request.kind, request.uuid.clone());
    app.world().update_user_command(&user_id, kind, &uuid, request.kept())?;
    Ok(Answer::Empty)
}

fn process_user_command_delete(app: &Domain, caller: &Caller, request: Command) -> Reply {
    request.check(caller)?;
    app.world().delete_user_command(&request.user_id, request.kind, &request.uuid)?;
    Ok(Answer::Empty)
}

fn process_user_command_get(app: &Domain, caller: &Caller, request: Command) -> Reply {
    request.check_owner(caller)?;
    kept(app, &request.user_id, Some(request.kind))
}

fn process_user_command_get_all(app: &Domain, caller: &Caller, request: Command) -> Reply {
    request.check_owner(caller)?;
    kept(app, &request.user_id, None)
}

fn kept(app: &Domain, user_id: &str, kind: Option<i32>) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Commands {
        // the capital letter is the protocol's
        command_resp: Option<Vec<Kept>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Kept {
        r#type: i32,
        /// Seconds, unlike most times (http.md 1.8).
        create_time: i64,
        uuid: String,
        value: String,
        ex: &'static str,
    }
    let world = app.world();
    let rows = world.user_commands(user_id, kind).into_iter().map(|row| Kept {
        r#type: row.kind,
        create_time: row.create_time / 1000,
        uuid: row.uuid.clone(),
        value: row.value.clone(),
        ex: "",
    });
    Answer::of(&Commands { command_resp: null_if_empty(rows.collect()) })
}
