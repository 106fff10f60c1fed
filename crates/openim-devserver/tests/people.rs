//! Users, friends, applications and black lists, over REST and the gateway.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use openim_devserver::{Config, DevServer};
use openim_proto::constants::{content_type, session};
use openim_proto::sdkws::MsgData;
use serde_json::{Value, json};
use support::{Client, Folder, admin_token, call, data, server};

fn page() -> Value {
    json!({"pageNumber": 1, "showNumber": 100})
}

/// Makes two users friends by an application and its acceptance.
async fn befriend(server: &DevServer, one: &str, other: &str) {
    let admin = admin_token(server).await;
    data(server, &admin, "/friend/add_friend", json!({"fromUserID": one, "toUserID": other, "reqMsg": "hi"})).await;
    let agree = json!({"fromUserID": one, "toUserID": other, "handleResult": 1, "handleMsg": "ok"});
    data(server, &admin, "/friend/add_friend_response", agree).await;
}

/// Ids of a user's friends in the order of the list.
async fn friends(server: &DevServer, token: &str, user: &str) -> Vec<String> {
    let list = data(server, token, "/friend/get_friend_list", json!({"userID": user, "pagination": page()})).await;
    let list = list["friendsInfo"].as_array().cloned().unwrap_or_default();
    list.iter().map(|info| info["friendUser"]["userID"].as_str().unwrap().to_owned()).collect()
}

/// The tips of a notification.
fn tips(message: &MsgData) -> Value {
    let content: Value = serde_json::from_slice(&message.content).unwrap();
    serde_json::from_str(content["detail"].as_str().unwrap()).unwrap()
}

/// The next push: its type, and the tips.
async fn told(client: &mut Client) -> (i32, Value) {
    let (_, message) = client.next_push().await;
    (message.content_type, tips(&message))
}

#[tokio::test]
async fn every_device_of_both_sides_is_told() {
    let server = server().await;
    let token = server.token("alice", 5).await.unwrap();
    let mut devices = vec![
        Client::open(&server, "alice", 5, &token, "").await,
        Client::login(&server, "alice", 7).await,
        Client::login(&server, "bob", 2).await,
        Client::login(&server, "bob", 7).await,
    ];
    befriend(&server, "alice", "bob").await;
    for device in &mut devices {
        let (kind, applied) = told(device).await;
        assert_eq!((kind, &applied["request"]["handleResult"]), (1203, &json!(0)));
        for stored in [true, false] {
            let (stream, message) = device.next_push().await;
            assert_eq!((message.content_type, message.seq > 0), (1201, stored), "the copy in the chat comes first");
            assert_eq!(stream, if stored { "si_alice_bob" } else { "n_alice_bob" });
            assert_eq!(tips(&message)["request"]["handlerUserID"], "imAdmin", "who handled it");
        }
    }
    let pin = json!({"ownerUserID": "alice", "friendUserIDs": ["bob"], "isPinned": true});
    data(&server, &token, "/friend/update_friends", pin).await;
    for device in &mut devices[..2] {
        assert_eq!(
            told(device).await,
            (
                1210,
                json!({"fromToUserID": {"fromUserID": "", "toUserID": "alice"},
            "friendIDs": ["bob"], "friendVersion": 0, "friendVersionID": ""})
            )
        );
    }
    data(&server, &token, "/friend/delete_friend", json!({"ownerUserID": "alice", "friendUserID": "bob"})).await;
    for device in &mut devices {
        assert_eq!(told(device).await.0, 1205, "and bob was not told of the pin");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_list_has_the_pinned_first_and_its_pages_and_changes_fit() {
    let server = server().await;
    let admin = admin_token(&server).await;
    for user in ["alice", "bob", "carol", "dave"] {
        server.token(user, 5).await.unwrap();
    }
    let import = json!({"ownerUserID": "alice", "friendUserIDs": ["bob", "carol", "dave"]});
    data(&server, &admin, "/friend/import_friend", import).await;
    assert_eq!(friends(&server, &admin, "alice").await, ["bob", "carol", "dave"]);
    let at = data(&server, &admin, "/friend/get_full_friend_user_ids", json!({"userID": "alice"})).await;
    let pin = json!({"ownerUserID": "alice", "friendUserIDs": ["dave", "nobody"], "isPinned": true, "remark": "D"});
    data(&server, &admin, "/friend/update_friends", pin).await;
    assert_eq!(friends(&server, &admin, "alice").await, ["dave", "bob", "carol"]);
    let page = json!({"userID": "alice", "pagination": {"pageNumber": 2, "showNumber": 2}});
    let page = data(&server, &admin, "/friend/get_friend_list", page).await;
    assert_eq!((&page["total"], &page["friendsInfo"][0]["friendUser"]["userID"]), (&json!(3), &json!("carol")));
    let since = json!({"userID": "alice", "versionID": at["versionID"], "version": at["version"]});
    let changes = data(&server, &admin, "/friend/get_incremental_friends", since).await;
    assert_eq!(changes["update"][0]["remark"], "D");
    assert_eq!((&changes["sortVersion"], &changes["update"][1]), (&changes["version"], &Value::Null));
    // one step for many friends, and none for nothing
    assert_eq!(changes["version"].as_i64().unwrap(), at["version"].as_i64().unwrap() + 1);
    data(&server, &admin, "/friend/update_friends", json!({"ownerUserID": "alice", "friendUserIDs": ["bob"]})).await;
    let now = data(&server, &admin, "/friend/get_full_friend_user_ids", json!({"userID": "alice"})).await;
    assert_eq!((&now["version"], &now["userIDs"]), (&changes["version"], &json!(["dave", "bob", "carol"])));
    server.stop().await;
}

#[tokio::test]
async fn friends_see_a_changed_name_and_nothing_else_of_a_profile() {
    let server = server().await;
    let admin = admin_token(&server).await;
    let token = server.token("bob", 5).await.unwrap();
    server.token("alice", 5).await.unwrap();
    befriend(&server, "alice", "bob").await;
    // carol has removed bob, so that her list must not get him back
    server.token("carol", 5).await.unwrap();
    befriend(&server, "bob", "carol").await;
    data(&server, &admin, "/friend/delete_friend", json!({"ownerUserID": "carol", "friendUserID": "bob"})).await;
    let at = data(&server, &admin, "/friend/get_full_friend_user_ids", json!({"userID": "alice"})).await;
    let of_carol = data(&server, &admin, "/friend/get_full_friend_user_ids", json!({"userID": "carol"})).await;
    let mut bob = Client::open(&server, "bob", 5, &token, "").await;
    let mut alice = Client::login(&server, "alice", 5).await;
    for (path, body) in [
        ("/user/update_user_info_ex", json!({"userInfo": {"userID": "bob", "ex": "mine"}})),
        ("/user/update_user_info", json!({"userInfo": {"userID": "bob", "nickname": "bob"}})),
        ("/user/set_global_msg_recv_opt", json!({"userID": "bob", "globalRecvMsgOpt": 2})),
    ] {
        data(&server, &token, path, body).await;
        assert_eq!(told(&mut bob).await, (1303, json!({"userID": "bob"})), "{path}");
    }
    data(&server, &token, "/user/update_user_info", json!({"userInfo": {"userID": "bob", "faceURL": "http://b"}}))
        .await;
    assert_eq!(told(&mut alice).await, (1209, json!({"userID": "bob"})), "and nothing before");
    assert_eq!(told(&mut bob).await.0, 1303);
    assert_eq!((told(&mut bob).await.0, told(&mut bob).await.0), (1209, 1209), "copies of what alice and carol get");
    let since =
        |at: &Value, user: &str| json!({"userID": user, "versionID": at["versionID"], "version": at["version"]});
    let changes = data(&server, &admin, "/friend/get_incremental_friends", since(&at, "alice")).await;
    assert_eq!(
        (&changes["update"][0]["friendUser"]["faceURL"], &changes["sortVersion"]),
        (&json!("http://b"), &json!(0))
    );
    assert_eq!(changes["update"][0]["friendUser"]["ex"], "mine");
    let changes = data(&server, &admin, "/friend/get_incremental_friends", since(&of_carol, "carol")).await;
    assert_eq!((&changes["version"], &changes["update"]), (&of_carol["version"], &Value::Null));
    server.stop().await;
}

#[tokio::test]
async fn an_import_skips_who_is_there_and_agreeing_closes_both_applications() {
    let server = server().await;
    let admin = admin_token(&server).await;
    for user in ["alice", "bob", "carol"] {
        server.token(user, 5).await.unwrap();
    }
    for (from, to) in [("alice", "bob"), ("bob", "alice")] {
        data(&server, &admin, "/friend/add_friend", json!({"fromUserID": from, "toUserID": to})).await;
    }
    let count = json!({"userID": "alice"});
    assert_eq!(data(&server, &admin, "/friend/get_self_unhandled_apply_count", count.clone()).await["count"], 1);
    let later = json!({"userID": "alice", "time": 9_000_000_000_000_i64});
    assert_eq!(data(&server, &admin, "/friend/get_self_unhandled_apply_count", later).await["count"], 0);
    let agree = json!({"fromUserID": "alice", "toUserID": "bob", "handleResult": 1});
    data(&server, &admin, "/friend/add_friend_response", agree).await;
    assert_eq!(data(&server, &admin, "/friend/get_self_unhandled_apply_count", count).await["count"], 0);
    let both = json!({"fromUserID": "bob", "toUserID": "alice"});
    let both = data(&server, &admin, "/friend/get_designated_friend_apply", both).await;
    let results: Vec<_> = both["friendRequests"].as_array().unwrap().iter().map(|it| &it["handleResult"]).collect();
    assert_eq!(results, [1, 1]);
    let handled = json!({"userID": "alice", "handleResults": [-1, 0], "pagination": page()});
    let handled = data(&server, &admin, "/friend/get_friend_apply_list", handled).await;
    assert_eq!(handled, json!({"FriendRequests": null, "total": 0}));

    let import = json!({"ownerUserID": "alice", "friendUserIDs": ["bob", "carol"]});
    data(&server, &admin, "/friend/import_friend", import).await;
    let ids = json!({"ownerUserID": "alice", "friendUserIDs": ["bob", "carol"]});
    let infos = data(&server, &admin, "/friend/get_designated_friends", ids).await;
    let of = |index: usize| (&infos["friendsInfo"][index]["addSource"], &infos["friendsInfo"][index]["operatorUserID"]);
    assert_eq!(of(0), (&json!(2), &json!("alice")), "as it was");
    assert_eq!(of(1), (&json!(1), &json!("imAdmin")));
    assert_eq!(friends(&server, &admin, "carol").await, ["alice"]);
    server.stop().await;
}

#[tokio::test]
async fn a_blocked_user_is_refused_and_nobody_else() {
    let server = server().await;
    let admin = admin_token(&server).await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let mut bob = Client::login(&server, "bob", 5).await;
    let token = server.token("alice", 7).await.unwrap();
    befriend(&server, "alice", "bob").await;
    data(&server, &token, "/friend/add_black", json!({"ownerUserID": "alice", "blackUserID": "bob", "ex": "e"})).await;
    let refused = bob.send_text("alice", "hello").await;
    assert_eq!((refused.err_code, refused.err_msg.as_str(), refused.data.len()), (1302, "BlockedByPeer", 0));
    assert_eq!(alice.send_text("bob", "the other way").await.err_code, 0);
    // the administrator's own sends, also in the name of the blocked user, and notifications
    let message = json!({"sendID": "bob", "recvID": "alice", "content": {"content": "x"}, "contentType": 101,
        "sessionType": 1});
    data(&server, &admin, "/msg/send_msg", message).await;
    let notification = MsgData {
        content_type: content_type::FRIEND_DELETED,
        session_type: session::SINGLE,
        ..support::text_message("bob", "alice", "n")
    };
    assert_eq!(bob.request(openim_proto::constants::operation::SEND_MSG, &notification).await.err_code, 0);
    // an account of the application is exempt
    let account = json!({"users": [{"userID": "desk", "nickname": "Desk", "appMangerLevel": 2}]});
    data(&server, &admin, "/user/user_register", account).await;
    data(&server, &token, "/friend/add_black", json!({"ownerUserID": "alice", "blackUserID": "desk"})).await;
    let mut desk = Client::login(&server, "desk", 5).await;
    assert_eq!(desk.send_text("alice", "maintenance").await.err_code, 0);
    // who is blocked stays a friend, may apply, and reads profiles
    assert_eq!(friends(&server, &token, "alice").await, ["bob"]);
    let infos = json!({"ownerUserID": "alice", "userIDList": ["bob"]});
    let infos = data(&server, &token, "/friend/get_specified_friends_info", infos).await;
    assert_eq!(
        (&infos["infos"][0]["blackInfo"]["ex"], infos["infos"][0]["friendInfo"].is_object()),
        (&json!("e"), true)
    );
    let blacks = json!({"userID": "alice", "pagination": page()});
    let blacks = data(&server, &token, "/friend/get_black_list", blacks).await;
    assert_eq!((&blacks["total"], &blacks["blacks"][1]["blackUserInfo"]["userID"]), (&json!(2), &json!("desk")));
    data(&server, &token, "/friend/remove_black", json!({"ownerUserID": "alice", "blackUserID": "bob"})).await;
    assert_eq!(bob.send_text("alice", "again").await.err_code, 0);
    server.stop().await;
}

#[tokio::test]
async fn with_the_switch_on_only_friends_of_the_receiver_may_write() {
    let server = DevServer::start(Config { friend_verify: true, ..Config::default() }).await.unwrap();
    let admin = admin_token(&server).await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let mut bob = Client::login(&server, "bob", 5).await;
    assert_eq!(alice.send_text("bob", "hello").await.err_code, 1303);
    befriend(&server, "alice", "bob").await;
    assert_eq!((alice.send_text("bob", "a").await.err_code, bob.send_text("alice", "b").await.err_code), (0, 0));
    // one-sided: alice has removed bob, and still stands in his list
    data(&server, &admin, "/friend/delete_friend", json!({"ownerUserID": "alice", "friendUserID": "bob"})).await;
    assert_eq!((alice.send_text("bob", "c").await.err_code, bob.send_text("alice", "d").await.err_code), (0, 1303));
    // the black list comes first
    data(&server, &admin, "/friend/add_black", json!({"ownerUserID": "alice", "blackUserID": "bob"})).await;
    assert_eq!(bob.send_text("alice", "e").await.err_code, 1302);
    server.stop().await;
}

#[tokio::test]
async fn a_restart_forgets_nothing_about_people() {
    let folder = Folder::new("people");
    let server = DevServer::start(folder.config()).await.unwrap();
    let token = server.token("alice", 5).await.unwrap();
    for user in ["bob", "carol", "dave", "erin"] {
        server.token(user, 5).await.unwrap();
    }
    befriend(&server, "alice", "bob").await;
    befriend(&server, "dave", "alice").await;
    for (path, body) in [
        ("/friend/add_friend", json!({"fromUserID": "alice", "toUserID": "carol", "reqMsg": "hi", "ex": "x"})),
        (
            "/friend/update_friends",
            json!({"ownerUserID": "alice", "friendUserIDs": ["dave"], "isPinned": true,
            "remark": "D", "ex": "e"}),
        ),
        ("/friend/add_black", json!({"ownerUserID": "alice", "blackUserID": "erin", "ex": "b"})),
        ("/friend/add_black", json!({"ownerUserID": "alice", "blackUserID": "bob"})),
        ("/friend/remove_black", json!({"ownerUserID": "alice", "blackUserID": "bob"})),
        ("/user/process_user_command_add", json!({"userID": "alice", "type": 3, "uuid": "u", "value": "v"})),
        ("/user/process_user_command_add", json!({"userID": "alice", "type": 4, "uuid": "gone", "value": "v"})),
        ("/user/process_user_command_update", json!({"userID": "alice", "type": 3, "uuid": "u", "value": "w"})),
        ("/user/process_user_command_delete", json!({"userID": "alice", "type": 4, "uuid": "gone"})),
    ] {
        data(&server, &token, path, body).await;
    }
    let asked = [
        ("/friend/get_friend_list", json!({"userID": "alice", "pagination": page()})),
        ("/friend/get_incremental_friends", json!({"userID": "alice"})),
        ("/friend/get_full_friend_user_ids", json!({"userID": "alice"})),
        ("/friend/get_friend_apply_list", json!({"userID": "alice", "pagination": page()})),
        ("/friend/get_self_friend_apply_list", json!({"userID": "alice", "pagination": page()})),
        ("/friend/get_black_list", json!({"userID": "alice", "pagination": page()})),
        ("/user/process_user_command_get_all", json!({"userID": "alice"})),
        ("/jssdk/get_active_conversations", json!({"ownerUserID": "alice", "count": 10})),
    ];
    let answers = async |server: &DevServer| {
        let mut answers = Vec::new();
        for (path, body) in &asked {
            answers.push(data(server, &token, path, body.clone()).await);
        }
        answers
    };
    let before = answers(&server).await;
    assert_eq!(friends(&server, &token, "alice").await, ["dave", "bob"]);
    assert_eq!(before[5]["total"], 1);
    assert_eq!(before[6]["CommandResp"].as_array().unwrap().len(), 1);
    assert_eq!(before[6]["CommandResp"][0]["value"], "w");
    let chats = before[7]["conversations"].as_array().unwrap();
    let of_dave = chats.iter().find(|chat| chat["user"]["userID"] == "dave").unwrap();
    assert_eq!((&of_dave["friend"]["remark"], &of_dave["friend"]["friendUserID"]), (&json!("D"), &json!("dave")));
    assert!(of_dave["friend"]["createTime"].as_i64().unwrap() > 1_000_000_000_000, "ms");
    server.stop().await;
    let server = DevServer::start(folder.config()).await.unwrap();
    assert_eq!(answers(&server).await, before);
    // places in the lists go on where they were
    befriend(&server, "alice", "erin").await;
    assert_eq!(friends(&server, &token, "alice").await, ["dave", "bob", "erin"]);
    server.stop().await;
}

#[tokio::test]
async fn more_than_two_hundred_changes_mean_reading_the_list_anew() {
    let server = server().await;
    let admin = admin_token(&server).await;
    server.token("alice", 5).await.unwrap();
    let ids: Vec<String> = (0..201).map(|number| format!("u{number:03}")).collect();
    let users: Vec<Value> = ids.iter().map(|id| json!({"userID": id, "nickname": id})).collect();
    data(&server, &admin, "/user/user_register", json!({ "users": users })).await;
    let at = data(&server, &admin, "/friend/get_full_friend_user_ids", json!({"userID": "alice"})).await;
    let since = json!({"userID": "alice", "versionID": at["versionID"], "version": at["version"]});
    let import = |ids: &[String]| json!({"ownerUserID": "alice", "friendUserIDs": ids});
    data(&server, &admin, "/friend/import_friend", import(&ids[..200])).await;
    let changes = data(&server, &admin, "/friend/get_incremental_friends", since.clone()).await;
    let inserted = changes["insert"].as_array().unwrap();
    assert_eq!((inserted.len(), &inserted[199]["friendUser"]["userID"]), (200, &json!("u199")));
    data(&server, &admin, "/friend/import_friend", import(&ids[200..])).await;
    let changes = data(&server, &admin, "/friend/get_incremental_friends", since).await;
    assert_eq!((&changes["full"], &changes["insert"]), (&json!(true), &Value::Null));
    let refused = call(&server, &admin, "/friend/get_incremental_blacks", json!({"userID": "alice"})).await;
    assert_eq!(refused["errCode"], 500);
    server.stop().await;
}
