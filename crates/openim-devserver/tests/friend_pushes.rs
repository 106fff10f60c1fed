//! What is pushed to whom about friends and black lists, compared with the captures of a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::{BTreeMap, HashMap};

use openim_devserver::NewUser;
use openim_proto::constants::operation;
use openim_proto::sdkws::MsgData;
use serde::Deserialize;
use serde_json::{Value, json};
use support::{Client, admin_token, call, server};

/// A part of the capture.
#[derive(Deserialize)]
struct Part {
    note: String,
    calls: Vec<Call>,
}

/// What somebody did, over REST or by sending a message, and what came of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    r#as: String,
    path: Option<String>,
    #[serde(default)]
    body: Value,
    send: Option<Value>,
    #[serde(default)]
    err_code: i32,
    #[serde(default)]
    err_msg: String,
    pushes: Vec<Push>,
}

#[derive(Deserialize)]
struct Push {
    to: String,
    stream: String,
    message: Value,
}

/// Members that differ from run to run.
const VARYING: [&str; 6] = ["clientMsgID", "serverMsgID", "sendTime", "createTime", "handleTime", "seq"];

/// A message as the captures write it: without zeros, and the tips as an object.
fn captured_form(message: &MsgData) -> Value {
    let mut form = serde_json::to_value(message).unwrap();
    let content: Value = serde_json::from_slice(&message.content).unwrap();
    form["content"] = content["detail"].as_str().map_or(content.clone(), |tips| serde_json::from_str(tips).unwrap());
    if let Some(info) = form["offlinePushInfo"].as_object_mut() {
        info.retain(|_, value| !is_zero(value));
    }
    form["options"] = json!(message.options);
    form.as_object_mut().unwrap().retain(|key, value| key == "options" || !is_zero(value));
    form
}

fn is_zero(value: &Value) -> bool {
    [json!(0), json!(""), json!(false), json!(null)].contains(value)
}

/// Puts a mark in the place of what varies; that it is there, and how large it is, stays.
fn masked(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            for (key, value) in members.iter_mut() {
                *value = match value.take() {
                    Value::Number(number) if VARYING.contains(&key.as_str()) => {
                        let digits = if key == "seq" { 0 } else { number.to_string().len() };
                        json!(format!("a number of {digits} digits"))
                    }
                    Value::String(text) if VARYING.contains(&key.as_str()) => {
                        json!(format!("a text of {} letters", text.len()))
                    }
                    other => masked(other),
                };
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| *element = masked(element.take())),
        _ => {}
    }
    value
}

#[tokio::test]
async fn both_sides_are_told_on_the_streams_and_in_the_form_of_the_captures() {
    let server = server().await;
    let names = [("alice", "Alice2"), ("bob", "Bob"), ("carol", "Carol"), ("dave", "Dave")];
    let users = names.map(|(user_id, nickname)| NewUser {
        user_id: user_id.into(),
        nickname: nickname.into(),
        face_url: String::new(),
    });
    server.register_users(users.into()).await.unwrap();
    let (mut clients, mut tokens) = (HashMap::new(), HashMap::from([("admin", admin_token(&server).await)]));
    for (user, _) in names {
        let token = server.token(user, 5).await.unwrap();
        clients.insert(user, Client::open(&server, user, 5, &token, "").await);
        tokens.insert(user, token);
    }
    let parts: Vec<Part> = serde_json::from_str(include_str!("golden/friend_pushes.json")).unwrap();
    assert_eq!(parts.len(), 8);
    let mut compared = 0;
    for Part { note, calls } in parts {
        for done in calls {
            let who = done.r#as.as_str();
            if let Some(path) = &done.path {
                let answer = call(&server, &tokens[who], path, done.body.clone()).await;
                assert_eq!(answer["errCode"], done.err_code, "{note}: {answer}");
            } else {
                let sent = done.send.as_ref().unwrap();
                let text = sent["content"]["json"]["content"].as_str().unwrap();
                let mut message = support::text_message(who, sent["recvID"].as_str().unwrap(), text);
                message.client_msg_id = sent["clientMsgID"].as_str().unwrap().into();
                message.create_time = sent["createTime"].as_i64().unwrap();
                let answer = clients.get_mut(who).unwrap().request(operation::SEND_MSG, &message).await;
                assert_eq!(
                    (answer.err_code, answer.err_msg.as_str()),
                    (done.err_code, done.err_msg.as_str()),
                    "{note}"
                );
            }
            // the order on a connection is the server's within a stream, and chance between streams
            let mut expected: BTreeMap<(String, String), Vec<Value>> = BTreeMap::new();
            for push in &done.pushes {
                let of_stream = expected.entry((push.to.clone(), push.stream.clone())).or_default();
                of_stream.push(masked(push.message.clone()));
            }
            let mut actual: BTreeMap<(String, String), Vec<Value>> = BTreeMap::new();
            let mut kinds = Vec::new();
            for push in &done.pushes {
                let (stream, message) = clients.get_mut(push.to.as_str()).unwrap().next_push().await;
                kinds.push((push.to.clone(), message.content_type, message.seq > 0));
                actual.entry((push.to.clone(), stream)).or_default().push(masked(captured_form(&message)));
                compared += 1;
            }
            assert_eq!(actual, expected, "{note}");
            // the chat copy always comes first
            for (user, _) in names {
                let approved: Vec<bool> =
                    kinds.iter().filter(|it| it.0 == user && it.1 == 1201).map(|it| it.2).collect();
                assert!([vec![], vec![true, false]].contains(&approved), "{note}: {kinds:?}");
            }
        }
    }
    assert_eq!(compared, 28);
    // and nothing came that was not captured
    for (user, _) in names {
        let client = clients.get_mut(user).unwrap();
        client.send_text(user, "mark").await;
        assert_eq!(client.next_push().await.0, format!("si_{user}_{user}"));
    }
    server.stop().await;
}
