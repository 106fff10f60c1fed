//! Every refusal on users, friends, applications and black lists: its code, and that it changes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::HashMap;

use openim_devserver::{DevServer, NewUser};
use serde_json::{Value, json};
use support::{Client, admin_token, call, data, server};

const USERS: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

fn page() -> Value {
    json!({"pageNumber": 1, "showNumber": 100})
}

/// All that the server knows of people, as the administrator sees it.
async fn state(server: &DevServer, admin: &str) -> Vec<Value> {
    let mut state = Vec::new();
    for user in USERS {
        for (path, body) in [
            ("/friend/get_friend_list", json!({"userID": user, "pagination": page()})),
            ("/friend/get_friend_apply_list", json!({"userID": user, "pagination": page()})),
            ("/friend/get_self_friend_apply_list", json!({"userID": user, "pagination": page()})),
            ("/friend/get_black_list", json!({"userID": user, "pagination": page()})),
            ("/friend/get_full_friend_user_ids", json!({"userID": user, "idHash": 0})),
            ("/user/process_user_command_get_all", json!({"userID": user})),
            ("/user/get_user_client_config", json!({"userID": user})),
            ("/user/get_users_info", json!({"userIDs": [user]})),
        ] {
            state.push(data(server, admin, path, body).await);
        }
    }
    state.push(data(server, admin, "/user/get_all_users_uid", json!({"pagination": page()})).await);
    state
}

/// alice and bob are friends, carol's application to alice is refused and dave's to bob pending, alice has blocked erin.
async fn prepared() -> (DevServer, HashMap<&'static str, String>) {
    let server = server().await;
    let named = |user: &str| NewUser { user_id: user.into(), nickname: user.to_uppercase(), face_url: String::new() };
    server.register_users(USERS.map(named).into()).await.unwrap();
    let mut tokens = HashMap::from([("admin", admin_token(&server).await)]);
    for user in USERS {
        tokens.insert(user, server.token(user, 5).await.unwrap());
    }
    for (who, path, body) in [
        ("alice", "/friend/add_friend", json!({"fromUserID": "alice", "toUserID": "bob"})),
        ("bob", "/friend/add_friend_response", json!({"fromUserID": "alice", "toUserID": "bob", "handleResult": 1})),
        ("carol", "/friend/add_friend", json!({"fromUserID": "carol", "toUserID": "alice"})),
        (
            "alice",
            "/friend/add_friend_response",
            json!({"fromUserID": "carol", "toUserID": "alice", "handleResult": -1}),
        ),
        ("dave", "/friend/add_friend", json!({"fromUserID": "dave", "toUserID": "bob"})),
        ("alice", "/friend/add_black", json!({"ownerUserID": "alice", "blackUserID": "erin"})),
        ("alice", "/user/process_user_command_add", json!({"userID": "alice", "type": 1, "uuid": "u", "value": "v"})),
    ] {
        data(&server, &tokens[who], path, body).await;
    }
    (server, tokens)
}

/// Who asks, which path, with what, and the code of the refusal.
fn refusals() -> Vec<(&'static str, &'static str, Value, i32)> {
    let many: Vec<String> = (0..1001).map(|number| format!("u{number}")).collect();
    let profile = |user: &str| json!({"userInfo": {"userID": user, "nickname": "x"}});
    let account = |user: &str, nickname: &str| json!({"users": [{"userID": user, "nickname": nickname}]});
    let answer =
        |from: &str, to: &str, result: i32| json!({"fromUserID": from, "toUserID": to, "handleResult": result});
    let mut rows = vec![
        ("admin", "/user/user_register", json!({"users": null}), 1001),
        ("admin", "/user/user_register", json!({"users": []}), 1001),
        ("admin", "/user/user_register", account("frank", ""), 1001),
        ("admin", "/user/user_register", account("", "Frank"), 1001),
        ("admin", "/user/user_register", account("a:b", "Frank"), 1001),
        ("admin", "/user/user_register", account("a-b", "Frank"), 1001),
        (
            "admin",
            "/user/user_register",
            json!({"users": [{"userID": "f", "nickname": "F"}, {"userID": "f", "nickname": "F"}]}),
            1001,
        ),
        (
            "admin",
            "/user/user_register",
            json!({"users": [{"userID": "frank", "nickname": "F"}, {"userID": "alice", "nickname": "A"}]}),
            1102,
        ),
        ("alice", "/user/user_register", account("frank", "Frank"), 1002),
        ("alice", "/user/get_users_info", json!({"userIDs": null}), 1001),
        ("alice", "/user/update_user_info", json!({}), 1001),
        ("alice", "/user/update_user_info", profile(""), 1001),
        ("alice", "/user/update_user_info", profile("bob"), 1002),
        ("admin", "/user/update_user_info", profile("nobody"), 1004),
        ("alice", "/user/update_user_info_ex", profile("bob"), 1002),
        ("admin", "/user/update_user_info_ex", profile("nobody"), 1004),
        ("alice", "/user/set_global_msg_recv_opt", json!({"userID": "alice", "globalRecvMsgOpt": 3}), 1001),
        ("alice", "/user/set_global_msg_recv_opt", json!({"userID": "nobody", "globalRecvMsgOpt": 1}), 1004),
        ("alice", "/user/account_check", json!({"checkUserIDs": ["alice"]}), 1002),
        ("admin", "/user/account_check", json!({"checkUserIDs": ["alice", "alice"]}), 1001),
        ("alice", "/user/get_users_online_status", json!({"userIDs": ["bob"]}), 1002),
        ("alice", "/user/process_user_command_add", json!({"userID": "bob", "type": 1, "uuid": "u"}), 1002),
        ("alice", "/user/process_user_command_add", json!({"userID": "alice", "type": 0, "uuid": "u"}), 1001),
        ("alice", "/user/process_user_command_add", json!({"userID": "alice", "type": 1, "uuid": ""}), 1001),
        ("admin", "/user/process_user_command_add", json!({"userID": "nobody", "type": 1, "uuid": "u"}), 1004),
        ("alice", "/user/process_user_command_update", json!({"userID": "alice", "type": 2, "uuid": "u"}), 1004),
        ("alice", "/user/process_user_command_delete", json!({"userID": "bob", "type": 1, "uuid": "u"}), 1002),
        ("alice", "/user/process_user_command_get", json!({"userID": "bob", "type": 1}), 1002),
        ("alice", "/user/process_user_command_get_all", json!({"userID": "bob"}), 1002),
        ("alice", "/user/get_user_client_config", json!({"userID": "bob"}), 1002),
        ("admin", "/user/get_user_client_config", json!({"userID": "nobody"}), 1004),
        ("alice", "/user/set_user_client_config", json!({"userID": "alice", "configs": {"k": "v"}}), 1002),
        ("admin", "/user/set_user_client_config", json!({"userID": "nobody", "configs": {"k": "v"}}), 1004),
        ("alice", "/user/del_user_client_config", json!({"userID": "alice", "keys": ["k"]}), 1002),
        ("alice", "/user/page_user_client_config", json!({"pagination": page()}), 1002),
        ("alice", "/friend/add_friend", json!({"fromUserID": "alice", "toUserID": "alice"}), 1301),
        ("alice", "/friend/add_friend", json!({"fromUserID": "alice", "toUserID": "nobody"}), 1004),
        ("admin", "/friend/add_friend", json!({"fromUserID": "nobody", "toUserID": "alice"}), 1004),
        ("alice", "/friend/add_friend", json!({"fromUserID": "alice", "toUserID": "bob"}), 1304),
        ("bob", "/friend/add_friend", json!({"fromUserID": "bob", "toUserID": "alice"}), 1304),
        ("alice", "/friend/add_friend", json!({"fromUserID": "bob", "toUserID": "carol"}), 1002),
        ("bob", "/friend/add_friend_response", answer("dave", "bob", 0), 1001),
        ("bob", "/friend/add_friend_response", answer("dave", "bob", 2), 1001),
        ("dave", "/friend/add_friend_response", answer("dave", "bob", 1), 1002),
        ("bob", "/friend/add_friend_response", answer("erin", "bob", 1), 1004),
        ("bob", "/friend/add_friend_response", answer("alice", "bob", 1), 1001),
        ("bob", "/friend/add_friend_response", answer("alice", "bob", -1), 1305),
        ("alice", "/friend/add_friend_response", answer("carol", "alice", 1), 1001),
        ("alice", "/friend/add_friend_response", answer("carol", "alice", -1), 1305),
        ("alice", "/friend/delete_friend", json!({"ownerUserID": "bob", "friendUserID": "alice"}), 1002),
        ("alice", "/friend/delete_friend", json!({"ownerUserID": "alice", "friendUserID": ""}), 1001),
        ("admin", "/friend/delete_friend", json!({"ownerUserID": "nobody", "friendUserID": "alice"}), 1004),
        ("alice", "/friend/set_friend_remark", json!({"ownerUserID": "bob", "friendUserID": "alice"}), 1002),
        ("alice", "/friend/set_friend_remark", json!({"ownerUserID": "alice", "friendUserID": "carol"}), 1004),
        ("alice", "/friend/update_friends", json!({"ownerUserID": "alice", "friendUserIDs": null, "ex": "e"}), 1001),
        ("alice", "/friend/update_friends", json!({"ownerUserID": "alice", "friendUserIDs": [], "ex": "e"}), 1001),
        (
            "alice",
            "/friend/update_friends",
            json!({"ownerUserID": "alice", "friendUserIDs": ["bob", "bob"], "ex": "e"}),
            1001,
        ),
        ("alice", "/friend/update_friends", json!({"ownerUserID": "alice", "friendUserIDs": many, "ex": "e"}), 1001),
        ("alice", "/friend/update_friends", json!({"ownerUserID": "bob", "friendUserIDs": ["alice"], "ex": "e"}), 1002),
        ("admin", "/friend/update_friends", json!({"ownerUserID": "nobody", "friendUserIDs": ["bob"]}), 1004),
        ("alice", "/friend/import_friend", json!({"ownerUserID": "alice", "friendUserIDs": ["dave"]}), 1002),
        ("admin", "/friend/import_friend", json!({"ownerUserID": "alice", "friendUserIDs": null}), 1001),
        ("admin", "/friend/import_friend", json!({"ownerUserID": "alice", "friendUserIDs": ["dave", "dave"]}), 1001),
        ("admin", "/friend/import_friend", json!({"ownerUserID": "alice", "friendUserIDs": many}), 1001),
        ("admin", "/friend/import_friend", json!({"ownerUserID": "alice", "friendUserIDs": ["dave", "alice"]}), 1004),
        ("admin", "/friend/import_friend", json!({"ownerUserID": "alice", "friendUserIDs": ["dave", "nobody"]}), 1004),
        ("admin", "/friend/import_friend", json!({"ownerUserID": "nobody", "friendUserIDs": ["dave"]}), 1004),
        ("alice", "/friend/get_designated_friends", json!({"ownerUserID": "alice", "friendUserIDs": null}), 1001),
        ("alice", "/friend/get_designated_friends", json!({"ownerUserID": "alice", "friendUserIDs": ["b", "b"]}), 1001),
        ("alice", "/friend/get_designated_friends", json!({"ownerUserID": "bob", "friendUserIDs": ["alice"]}), 1002),
        ("alice", "/friend/get_specified_friends_info", json!({"ownerUserID": "alice", "userIDList": []}), 1001),
        (
            "alice",
            "/friend/get_specified_friends_info",
            json!({"ownerUserID": "alice", "userIDList": ["b", "b"]}),
            1001,
        ),
        ("alice", "/friend/get_specified_friends_info", json!({"ownerUserID": "bob", "userIDList": ["alice"]}), 1002),
        ("alice", "/friend/get_friend_id", json!({"userID": "bob"}), 1002),
        ("carol", "/friend/is_friend", json!({"userID1": "alice", "userID2": "bob"}), 1002),
        ("carol", "/friend/get_designated_friend_apply", json!({"fromUserID": "alice", "toUserID": "bob"}), 1002),
        ("alice", "/friend/get_self_unhandled_apply_count", json!({"userID": "bob"}), 1002),
        ("alice", "/friend/get_incremental_friends", json!({"userID": "bob"}), 1002),
        ("alice", "/friend/get_full_friend_user_ids", json!({"userID": "bob"}), 1002),
        ("alice", "/friend/add_black", json!({"ownerUserID": "alice", "blackUserID": "nobody"}), 1004),
        ("alice", "/friend/add_black", json!({"ownerUserID": "alice", "blackUserID": "alice"}), 1004),
        ("alice", "/friend/add_black", json!({"ownerUserID": "alice", "blackUserID": "erin", "ex": "new"}), 500),
        ("alice", "/friend/add_black", json!({"ownerUserID": "bob", "blackUserID": "erin"}), 1002),
        ("admin", "/friend/add_black", json!({"ownerUserID": "nobody", "blackUserID": "erin"}), 1004),
        ("alice", "/friend/remove_black", json!({"ownerUserID": "bob", "blackUserID": "erin"}), 1002),
        ("admin", "/friend/remove_black", json!({"ownerUserID": "nobody", "blackUserID": "erin"}), 1004),
        ("alice", "/friend/get_specified_blacks", json!({"ownerUserID": "alice", "userIDList": []}), 1001),
        ("alice", "/friend/get_specified_blacks", json!({"ownerUserID": "alice", "userIDList": ["b", "b"]}), 1001),
        ("alice", "/friend/get_specified_blacks", json!({"ownerUserID": "bob", "userIDList": ["erin"]}), 1002),
        ("alice", "/friend/get_incremental_blacks", json!({"userID": "alice"}), 500),
    ];
    for path in ["/user/get_all_users_uid", "/user/get_users"] {
        rows.push(("alice", path, json!({}), 1001));
        rows.push(("alice", path, json!({"pagination": {"pageNumber": 0, "showNumber": 5}}), 1001));
    }
    for path in [
        "/friend/get_friend_list",
        "/friend/get_friend_apply_list",
        "/friend/get_self_friend_apply_list",
        "/friend/get_black_list",
    ] {
        rows.push(("alice", path, json!({"userID": "alice"}), 1001));
        rows.push(("alice", path, json!({"userID": "alice", "pagination": {"pageNumber": 0, "showNumber": 5}}), 1001));
        rows.push(("alice", path, json!({"userID": "bob", "pagination": page()}), 1002));
    }
    rows
}

#[tokio::test]
async fn every_refusal_has_its_code_and_changes_nothing() {
    let (server, tokens) = prepared().await;
    let mut devices = Vec::new();
    for user in USERS {
        devices.push(Client::open(&server, user, 5, &tokens[user], "").await);
    }
    let before = state(&server, &tokens["admin"]).await;
    for (who, path, body, code) in refusals() {
        let answer = call(&server, &tokens[who], path, body.clone()).await;
        assert_eq!(answer["errCode"], code, "{who} {path} {body}: {answer}");
        assert_eq!(answer["errMsg"], openim_proto::error_code::name(code), "{path} {body}");
        assert_eq!(answer.get("data"), None, "{path} {body}");
    }
    assert_eq!(state(&server, &tokens["admin"]).await, before);
    for device in &mut devices {
        let user = device.user.clone();
        device.send_text(&user, "mark").await;
        assert_eq!(device.next_push().await.0, format!("si_{user}_{user}"), "nobody was told of anything");
    }
    server.stop().await;
}
