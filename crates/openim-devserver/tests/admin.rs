//! What the administrator does through the API for the application's back-end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;

use openim_proto::constants::{content_type, msg_from, operation, session};
use openim_proto::options;
use openim_proto::sdkws::{
    GetMaxSeqReq, GetMaxSeqResp, MsgData, PullMessageBySeqsReq, PullMessageBySeqsResp, SeqRange,
};
use serde_json::{Value, json};
use support::{Client, admin_token, call, data, http, server};

const BUSINESS: &str = "/msg/send_business_notification";

/// The tips of a notification.
fn detail(message: &MsgData) -> Value {
    let content: Value = serde_json::from_slice(&message.content).unwrap();
    serde_json::from_str(content["detail"].as_str().unwrap()).unwrap()
}

/// All eleven keys of a notification, with the ones that are on.
fn all_options(on: &[&str]) -> BTreeMap<String, bool> {
    let keys = [
        options::HISTORY,
        options::PERSISTENT,
        options::OFFLINE_PUSH,
        options::UNREAD_COUNT,
        options::CONVERSATION_UPDATE,
        options::SENDER_SYNC,
        options::NOT_PRIVATE,
        options::SENDER_CONVERSATION_UPDATE,
        options::IS_NOT_NOTIFICATION,
        options::IS_SEND_MSG,
        options::REACTION_FROM_CACHE,
    ];
    keys.into_iter().map(|key| (key.to_owned(), on.contains(&key))).collect()
}

#[tokio::test]
async fn a_business_notification_is_pushed_to_both_as_captured() {
    let server = server().await;
    let admin = admin_token(&server).await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let mut bob = Client::login(&server, "bob", 5).await;
    let body = json!({"key": "k", "data": "{\"a\":1}", "sendUserID": "bob", "recvUserID": "alice"});
    let sent = data(&server, &admin, BUSINESS, body).await;
    for client in [&mut alice, &mut bob] {
        let (stream, message) = client.next_push().await;
        assert_eq!(stream, "n_alice_bob");
        assert_eq!(detail(&message), json!({"key": "k", "data": "{\"a\":1}"}));
        // the fields of golden/ws/single-chat.jsonl, "business notification from the API"
        let expected = MsgData {
            send_id: "bob".into(),
            recv_id: "alice".into(),
            client_msg_id: sent["clientMsgID"].as_str().unwrap().into(),
            server_msg_id: sent["serverMsgID"].as_str().unwrap().into(),
            session_type: session::SINGLE,
            msg_from: msg_from::SYSTEM,
            content_type: content_type::BUSINESS_NOTIFICATION,
            content: message.content.clone(),
            send_time: sent["sendTime"].as_i64().unwrap(),
            create_time: sent["sendTime"].as_i64().unwrap(),
            options: all_options(&[options::SENDER_SYNC]),
            ..MsgData::default()
        };
        assert_eq!(message, expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_reliable_business_notification_is_stored_in_the_notification_stream() {
    let server = server().await;
    let admin = admin_token(&server).await;
    server.token("bob", 5).await.unwrap();
    let mut alice = Client::login(&server, "alice", 5).await;
    let body =
        json!({"key": "order", "data": "paid", "sendUserID": "bob", "recvUserID": "alice", "reliabilityLevel": 2});
    data(&server, &admin, BUSINESS, body).await;
    let (stream, pushed) = alice.next_push().await;
    assert_eq!((stream.as_str(), pushed.seq), ("n_alice_bob", 1));
    assert_eq!(pushed.options, all_options(&[options::SENDER_SYNC, options::HISTORY, options::PERSISTENT]));
    let range = SeqRange { conversation_id: stream.clone(), begin: 1, end: 1, num: 1 };
    let pull = PullMessageBySeqsReq { user_id: "alice".into(), seq_ranges: vec![range], order: 0 };
    let pulled: PullMessageBySeqsResp = alice.ask(operation::PULL_BY_RANGE, &pull).await;
    let stored = &pulled.notification_msgs[&stream].msgs[0];
    assert_eq!((detail(stored), stored.seq), (json!({"key": "order", "data": "paid"}), 1));
    // it is no message of the chat
    let seqs: GetMaxSeqResp = alice.ask(operation::GET_NEWEST_SEQ, &GetMaxSeqReq { user_id: "alice".into() }).await;
    assert_eq!(seqs.max_seqs.get("si_alice_bob"), None);
    server.stop().await;
}

#[tokio::test]
async fn a_business_notification_with_a_chat_copy_comes_first_as_a_message_that_counts() {
    let server = server().await;
    let admin = admin_token(&server).await;
    server.token("bob", 5).await.unwrap();
    let mut alice = Client::login(&server, "alice", 5).await;
    let body = json!({"key": "k", "data": "d", "sendUserID": "bob", "recvUserID": "alice", "sendMsg": true});
    let sent = data(&server, &admin, BUSINESS, body).await;
    let (chat, copy) = alice.next_push().await;
    let (stream, notification) = alice.next_push().await;
    assert_eq!((chat.as_str(), copy.seq), ("si_alice_bob", 1));
    assert_eq!((stream.as_str(), notification.seq), ("n_alice_bob", 0));
    let kept = [(options::UNREAD_COUNT.to_owned(), true), (options::OFFLINE_PUSH.to_owned(), false)];
    assert_eq!(copy.options, kept.into());
    assert_eq!(notification.options, all_options(&[options::SENDER_SYNC, options::IS_SEND_MSG]));
    for message in [&copy, &notification] {
        assert_eq!(message.client_msg_id, sent["clientMsgID"]);
        assert_eq!(detail(message), json!({"key": "k", "data": "d"}));
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_business_notification_is_said_and_nothing_is_sent() {
    let server = server().await;
    let admin = admin_token(&server).await;
    let user = server.token("carol", 5).await.unwrap();
    let mut alice = Client::login(&server, "alice", 5).await;
    let whole = json!({"key": "k", "data": "d", "sendUserID": "bob", "recvUserID": "alice"});
    let with = |name: &str, value: Value| {
        let mut body = whole.clone();
        body[name] = value;
        body
    };
    for (token, body, code) in [
        (&user, whole.clone(), 1002),
        (&admin, with("recvUserID", json!("")), 1001),
        (&admin, with("recvGroupID", json!("g")), 1001),
        (&admin, json!({"key": "k", "data": "d", "sendUserID": "bob", "recvGroupID": "nosuch"}), 1004),
        (&admin, with("reliabilityLevel", json!(3)), 1001),
    ] {
        let answer = call(&server, token, BUSINESS, body.clone()).await;
        assert_eq!(answer["errCode"], code, "{body}: {answer}");
        assert_eq!(answer.get("data"), None);
    }
    for body in [with("sendUserID", json!("")), with("key", json!(1))] {
        let headers = [("operationID", "op"), ("token", admin.as_str())];
        let answer = http(&server.addresses().api_addr, "POST", BUSINESS, &headers, body.to_string().as_bytes()).await;
        assert_eq!((answer.status, &answer.json()["errCode"]), (400, &json!(1001)), "{body}");
    }
    data(&server, &admin, BUSINESS, with("data", json!("the only one"))).await;
    assert_eq!(detail(&alice.next_push().await.1)["data"], "the only one");
    server.stop().await;
}

#[tokio::test]
async fn how_a_send_ended_is_known_by_its_operation_id() {
    let server = server().await;
    let admin = admin_token(&server).await;
    for user in ["alice", "bob"] {
        server.token(user, 5).await.unwrap();
    }
    let post = async |operation_id: &str, path: &str, body: Value| {
        let headers = [("operationID", operation_id), ("token", admin.as_str())];
        http(&server.addresses().api_addr, "POST", path, &headers, body.to_string().as_bytes()).await.json()
    };
    let message = |to: &str| json!({"sendID": "bob", "recvID": to, "content": {"content": "x"}, "contentType": 101, "sessionType": 1});
    assert_eq!(post("good", "/msg/send_msg", message("alice")).await["errCode"], 0);
    assert_eq!(post("bad", "/msg/send_msg", message("nobody")).await["errCode"], 1004);
    for (operation_id, status) in [("good", 2), ("bad", 3), ("never", 0)] {
        let answer = post(operation_id, "/msg/check_msg_is_send_success", json!({})).await;
        assert_eq!(answer["data"]["status"], status, "{operation_id}");
    }
    server.stop().await;
}

#[tokio::test]
async fn notification_accounts_are_made_changed_and_found_and_are_no_ordinary_users() {
    let server = server().await;
    let admin = admin_token(&server).await;
    let user = server.token("alice", 5).await.unwrap();
    let add = "/user/add_notification_account";
    for (token, body, code) in [
        (&user, json!({"nickName": "N", "appMangerLevel": 3}), 1002),
        (&admin, json!({"nickName": "", "appMangerLevel": 3}), 1001),
        (&admin, json!({"nickName": "N", "appMangerLevel": 2}), 1001),
        (&admin, json!({"userID": "alice", "nickName": "N", "appMangerLevel": 3}), 1001),
        (&admin, json!({"userID": "a:b", "nickName": "N", "appMangerLevel": 3}), 1001),
    ] {
        assert_eq!(call(&server, token, add, body.clone()).await["errCode"], code, "{body}");
    }
    let news = json!({"userID": "news", "nickName": "News", "faceURL": "http://n", "appMangerLevel": 3});
    assert_eq!(data(&server, &admin, add, news.clone()).await, news);
    let generated = data(&server, &admin, add, json!({"nickName": "Robot", "appMangerLevel": 4})).await;
    let robot = generated["userID"].as_str().unwrap();
    assert!(robot.len() == 10 && robot.bytes().all(|digit| digit.is_ascii_digit()), "{robot}");

    let update = "/user/update_notification_account";
    data(&server, &admin, update, json!({"userID": "news", "nickName": "Daily news", "faceURL": ""})).await;
    let unknown = call(&server, &admin, update, json!({"userID": "alice", "nickName": "x"})).await;
    assert_eq!(unknown["errCode"], 1004);

    let search = async |keyword: &str, level: i32, page: i32| {
        let pagination = json!({"pageNumber": page, "showNumber": 1});
        let body = json!({"keyword": keyword, "appManagerLevel": level, "pagination": pagination});
        data(&server, &admin, "/user/search_notification_account", body).await
    };
    let daily = json!({"userID": "news", "nickName": "Daily news", "faceURL": "http://n", "appMangerLevel": 3});
    assert_eq!(search("daily", 0, 1).await, json!({"total": 0, "notificationAccounts": null}));
    assert_eq!(search("Daily", 0, 1).await, json!({"total": 1, "notificationAccounts": [daily]}));
    assert_eq!(search("", 4, 1).await["notificationAccounts"][0]["userID"], robot);
    assert_eq!(search("", 0, 2).await, json!({"total": 2, "notificationAccounts": [generated]}));

    let users = json!({"pagination": {"pageNumber": 1, "showNumber": 10}});
    let found = data(&server, &admin, "/user/get_users", users).await;
    assert_eq!((&found["total"], &found["users"][0]["userID"]), (&json!(1), &json!("alice")));
    server.stop().await;
}

#[tokio::test]
async fn users_are_found_by_a_part_of_id_or_name() {
    let server = server().await;
    let admin = admin_token(&server).await;
    let users = json!([{"userID": "u1", "nickname": "Ann"}, {"userID": "u2", "nickname": "Ben"}, {"userID": "x3", "nickname": "Annette"}]);
    data(&server, &admin, "/user/user_register", json!({ "users": users })).await;
    let search = async |user_id: &str, nickname: &str| {
        let pagination = json!({"pageNumber": 1, "showNumber": 10});
        let body = json!({"userID": user_id, "nickName": nickname, "pagination": pagination});
        let found = data(&server, &admin, "/user/get_users", body).await;
        let users = found["users"].as_array().cloned().unwrap_or_default();
        users.iter().map(|user| user["userID"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(search("", "").await, ["u1", "u2", "x3"]);
    assert_eq!(search("u", "").await, ["u1", "u2"]);
    assert_eq!(search("", "Ann").await, ["u1", "x3"]);
    assert_eq!(search("u2", "Annette").await, ["u2", "x3"]);
    assert_eq!(search("zzz", "").await, [""; 0]);
    server.stop().await;
}
