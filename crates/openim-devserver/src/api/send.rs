//! Sending through the API, for the administrator (http.md 2.7.3). These calls validate while they read the body, so
//! that their refusals of a body have HTTP status 400.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::response::Response;
use axum::routing::post;
use openim_proto::constants::{content_type, msg_from, session, status};
use openim_proto::content::NotificationElem;
use openim_proto::msg::SendMsgResp;
use openim_proto::options;
use openim_proto::sdkws::{MsgData, OfflinePushInfo};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, bad_request};
use super::{App, Reply, call, finish, json};
use crate::domain::{Caller, Domain, Fault};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/msg/send_msg", post(send_msg))
        .route("/msg/batch_send_msg", post(batch_send_msg))
        .route("/msg/check_msg_is_send_success", call(check_msg_is_send_success))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Nothing {}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sending {
    #[serde(rename = "sendID")]
    send_id: String,
    #[serde(rename = "recvID")]
    recv_id: String,
    #[serde(rename = "groupID")]
    group_id: String,
    sender_nickname: String,
    #[serde(rename = "senderFaceURL")]
    sender_face_url: String,
    #[serde(rename = "senderPlatformID")]
    sender_platform_id: i32,
    content: Option<Value>,
    content_type: i32,
    session_type: i32,
    is_online_only: bool,
    not_offline_push: bool,
    send_time: i64,
    offline_push_info: Option<OfflinePushInfo>,
    ex: String,
    is_send_all: bool,
    #[serde(rename = "recvIDs")]
    recv_ids: Option<Vec<String>>,
}

async fn send_msg(State(app): State<App>, Extension(caller): Extension<Caller>, body: Bytes) -> Response {
    match read(&body, false) {
        Ok(request) => {
            let reply = send_one(&app, &caller, request);
            finish(&app, reply).await
        }
        Err(fault) => bad_request(&fault),
    }
}

async fn batch_send_msg(State(app): State<App>, Extension(caller): Extension<Caller>, body: Bytes) -> Response {
    match read(&body, true) {
        Ok(request) => {
            let reply = send_many(&app, &caller, request);
            finish(&app, reply).await
        }
        Err(fault) => bad_request(&fault),
    }
}

/// Reads a body and refuses what lacks a required member.
fn read(body: &[u8], to_many: bool) -> Result<Sending, Fault> {
    let request: Sending = json::parse(body).map_err(|error| Fault::args(error.to_string()))?;
    let missing = |name: &str| {
        let outer = if to_many { "BatchSendMsgReq" } else { "SendMsgReq" };
        let text =
            format!("Key: '{outer}.SendMsg.{name}' Error:Field validation for '{name}' failed on the 'required' tag");
        Err(Fault::args(text))
    };
    if request.send_id.is_empty() {
        return missing("SendID");
    }
    if request.content.is_none() {
        return missing("Content");
    }
    if request.content_type == 0 {
        return missing("ContentType");
    }
    if request.session_type == 0 {
        return missing("SessionType");
    }
    if to_many && request.recv_ids.is_none() {
        return missing("RecvIDs");
    }
    Ok(request)
}

/// The answer to everything that sends one message.
#[derive(Serialize)]
pub(super) struct Sent {
    #[serde(rename = "serverMsgID")]
    server_msg_id: String,
    #[serde(rename = "clientMsgID")]
    client_msg_id: String,
    #[serde(rename = "sendTime")]
    send_time: i64,
    #[serde(rename = "recvID", skip_serializing_if = "Option::is_none")]
    recv_id: Option<String>,
}

fn send_one(app: &Domain, caller: &Caller, request: Sending) -> Reply {
    if !caller.is_admin {
        return Err(Fault::no_permission("only app manager can send message"));
    }
    let outcome = message(app, request).and_then(|message| sent(app, caller, message, None));
    app.world().note_send_outcome(&caller.operation_id, outcome.is_ok());
    Answer::of(&outcome?)
}

/// How the send with the same operation id ended, for whoever got no answer to it.
fn check_msg_is_send_success(app: &Domain, caller: &Caller, _: Nothing) -> Reply {
    #[derive(Serialize)]
    struct Outcome {
        status: i32,
    }
    Answer::of(&Outcome { status: app.world().send_outcome(&caller.operation_id) })
}

fn send_many(app: &Domain, caller: &Caller, mut request: Sending) -> Reply {
    #[derive(Serialize)]
    struct Results {
        results: Option<Vec<Sent>>,
        #[serde(rename = "failedUserIDs")]
        failed_user_ids: Option<Vec<String>>,
    }
    if !caller.is_admin {
        return Err(Fault::no_permission("only app manager can send message"));
    }
    let named = request.recv_ids.take().unwrap_or_default();
    let receivers = if request.is_send_all { app.world().user_ids() } else { named };
    let message = message(app, request)?;
    let (mut results, mut failed) = (Vec::new(), Vec::new());
    for receiver in receivers {
        let message = MsgData { recv_id: receiver.clone(), ..message.clone() };
        match sent(app, caller, message, Some(receiver.clone())) {
            Ok(sent) => results.push(sent),
            Err(_) => failed.push(receiver),
        }
    }
    let none_if_empty = |list: Vec<String>| if list.is_empty() { None } else { Some(list) };
    let results = if results.is_empty() { None } else { Some(results) };
    Answer::of(&Results { results, failed_user_ids: none_if_empty(failed) })
}

fn sent(app: &Domain, caller: &Caller, message: MsgData, recv_id: Option<String>) -> Result<Sent, Fault> {
    let accepted = app.world().send(caller, message, |_| Vec::new())?;
    Ok(Sent { recv_id, ..Sent::from(accepted) })
}

impl From<SendMsgResp> for Sent {
    fn from(accepted: SendMsgResp) -> Self {
        let SendMsgResp { server_msg_id, client_msg_id, send_time, .. } = accepted;
        Self { server_msg_id, client_msg_id, send_time, recv_id: None }
    }
}

fn message(app: &Domain, request: Sending) -> Result<MsgData, Fault> {
    let content = request.content.unwrap_or_default();
    check_content(request.content_type, &content)?;
    let is_oa = request.content_type == content_type::OA_NOTIFICATION;
    let text = content.to_string();
    let text = match is_oa {
        true => serde_json::to_string(&NotificationElem { detail: text }).unwrap_or_default(),
        false => text,
    };
    let mut switches = if request.is_online_only { options::online_only() } else { Default::default() };
    if request.not_offline_push {
        switches.insert(options::OFFLINE_PUSH.into(), false);
    }
    Ok(MsgData {
        at_user_id_list: mentioned(request.content_type, &content),
        send_id: request.send_id,
        recv_id: request.recv_id,
        group_id: request.group_id,
        client_msg_id: app.environment.message_id(),
        sender_platform_id: request.sender_platform_id,
        sender_nickname: request.sender_nickname,
        sender_face_url: request.sender_face_url,
        session_type: if is_oa { session::NOTIFICATION } else { request.session_type },
        msg_from: msg_from::SYSTEM,
        content_type: request.content_type,
        content: text.into_bytes(),
        send_time: request.send_time,
        create_time: app.environment.now_ms(),
        status: status::SENDING,
        options: switches,
        offline_push_info: request.offline_push_info,
        ex: request.ex,
        ..MsgData::default()
    })
}

fn mentioned(content_type: i32, content: &Value) -> Vec<String> {
    if content_type != content_type::AT_TEXT {
        return Vec::new();
    }
    let listed = content.get("atUserList").and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The members that a content element must have: the struct's name in the refusal, then the keys.
fn required(content_type: i32) -> Option<(&'static str, &'static [&'static str])> {
    Some(match content_type {
        content_type::TEXT => ("TextElem", &["content"]),
        content_type::PICTURE => ("PictureElem", &["sourcePicture", "bigPicture", "snapshotPicture"]),
        content_type::SOUND => ("SoundElem", &["sourceUrl", "duration"]),
        content_type::VIDEO => (
            "VideoElem",
            &["videoUrl", "videoType", "videoSize", "duration", "snapshotUrl", "snapshotWidth", "snapshotHeight"],
        ),
        content_type::FILE => ("FileElem", &["sourceUrl", "fileName", "fileSize"]),
        content_type::AT_TEXT => ("AtElem", &["atUserList"]),
        content_type::CUSTOM => ("CustomElem", &["data"]),
        content_type::QUOTE => ("QuoteElem", &[]),
        content_type::MARKDOWN_TEXT => ("MarkdownTextElem", &["content"]),
        content_type::OA_NOTIFICATION => ("OANotificationElem", &["notificationName", "notificationType", "text"]),
        _ => return None,
    })
}

fn check_content(content_type: i32, content: &Value) -> Result<(), Fault> {
    let Some((name, keys)) = required(content_type) else { return Err(Fault::args("")) };
    for key in keys {
        let is_set = match content.get(key) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(_) => true,
        };
        if !is_set {
            let mut letters = key.chars();
            let field: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
            return Err(Fault::internal(format!(
                "Key: '{name}.{field}' Error:Field validation for '{field}' failed on the 'required' tag"
            )));
        }
    }
    Ok(())
}
