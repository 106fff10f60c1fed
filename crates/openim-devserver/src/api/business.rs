//! Business notifications, for the administrator (http.md 2.7). Like the sends, this call validates while it reads the
//! body, so that its refusal of a body has HTTP status 400.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;

use super::answer::{Answer, bad_request};
use super::send::Sent;
use super::{App, Reply, finish, json};
use crate::domain::{Business, Caller, Domain, Fault};

/// Pushed only; the default.
const UNRELIABLE: i32 = 1;

/// Stored with a seq.
const RELIABLE: i32 = 2;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/msg/send_business_notification", post(send_business_notification))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Notification {
    key: String,
    data: String,
    #[serde(rename = "sendUserID")]
    send_user_id: String,
    #[serde(rename = "recvUserID")]
    recv_user_id: String,
    #[serde(rename = "recvGroupID")]
    recv_group_id: String,
    send_msg: bool,
    reliability_level: Option<i32>,
}

async fn send_business_notification(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Response {
    match read(&body) {
        Ok(request) => {
            let reply = send(&app, &caller, request);
            finish(&app, reply).await
        }
        Err(fault) => bad_request(&fault),
    }
}

fn read(body: &[u8]) -> Result<Notification, Fault> {
    let request: Notification = json::parse(body).map_err(|error| Fault::args(error.to_string()))?;
    if request.send_user_id.is_empty() { Err(Fault::args("sendUserID is empty")) } else { Ok(request) }
}

fn send(app: &Domain, caller: &Caller, request: Notification) -> Reply {
    caller.must_be_admin()?;
    let reliable = match request.reliability_level {
        None | Some(UNRELIABLE) => false,
        Some(RELIABLE) => true,
        Some(_) => return Err(Fault::args("reliabilityLevel is invalid")),
    };
    let business = Business {
        send_user_id: request.send_user_id,
        recv_user_id: request.recv_user_id,
        recv_group_id: request.recv_group_id,
        key: request.key,
        data: request.data,
        chat_copy: request.send_msg,
        reliable,
    };
    Answer::of(&Sent::from(app.world().send_business_notification(caller, business)?))
}
