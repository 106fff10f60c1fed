//! Which logins end when another one begins: tokens, connections, kick frames, presence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use openim_devserver::{Config, DevServer, MultiLogin};
use openim_proto::Message as _;
use openim_proto::constants::operation;
use openim_proto::envelope::Response;
use openim_proto::sdkws::{
    GetMaxSeqReq, GetMaxSeqResp, SetAppBackgroundStatusReq, SubUserOnlineStatus, SubUserOnlineStatusTips,
};
use serde_json::{Value, json};
use support::{Client, Ended, Folder, admin_token, call, data};

const IOS: i32 = 1;
const ANDROID: i32 = 2;
const WINDOWS: i32 = 3;
const WEB: i32 = 5;
const LINUX: i32 = 7;

/// The kick frame as a real server sends it, byte for byte.
const KICK: &[u8] = br#"{"reqIdentifier":2002,"msgIncr":"","operationID":"","errCode":0,"errMsg":"","data":null}"#;

async fn server(policy: u8) -> DevServer {
    let multi_login = MultiLogin { policy, ..MultiLogin::default() };
    DevServer::start(Config { multi_login, ..Config::default() }).await.unwrap()
}

/// What a token is worth over REST.
async fn code(server: &DevServer, token: &str) -> i64 {
    let rest = call(server, token, "/user/get_users_info", json!({"userIDs": []})).await["errCode"].as_i64().unwrap();
    let parsed = call(server, "", "/auth/parse_token", json!({ "token": token })).await["errCode"].as_i64().unwrap();
    assert_eq!(rest, parsed, "parse_token says the same as every other call");
    rest
}

/// What a token is worth at the gateway.
async fn refusal(server: &DevServer, user: &str, platform: i32, token: &str) -> i64 {
    let url = support::url(server, user, platform, token, "");
    let answer = support::refusal(server, url.split_once('?').unwrap().1).await;
    answer.json()["errCode"].as_i64().unwrap()
}

/// Asserts that a connection is still served.
async fn is_served(client: &mut Client) {
    let request = GetMaxSeqReq { user_id: client.user.clone() };
    let _: GetMaxSeqResp = client.ask(operation::GET_NEWEST_SEQ, &request).await;
}

/// Asserts that a connection got one kick frame and then the bare end.
async fn is_kicked(client: &mut Client) {
    let (frames, end) = client.ended().await;
    assert_eq!(frames.iter().map(Response::to_json).collect::<Vec<_>>(), [KICK], "and nothing else");
    assert_eq!(end, Ended::Bare);
}

async fn platforms(server: &DevServer, token: &str, user: &str) -> Value {
    let asked = json!({"userID": user, "userIDs": [user]});
    data(server, token, "/user/get_users_status", asked).await["statusList"][0]["platformIDs"].clone()
}

/// The sequence of `golden/ws/kick.jsonl`.
#[tokio::test]
async fn policy_1_is_one_login_per_platform_in_two_stages() {
    let server = server(1).await;
    let first = server.token("erin", WEB).await.unwrap();
    let mut alice = Client::login(&server, "alice", WEB).await;
    let mut old = Client::open(&server, "erin", WEB, &first, "&isMsgResp=true").await;
    // a second token: no frame, and the connection goes on
    let second = server.token("erin", WEB).await.unwrap();
    assert_eq!((code(&server, &first).await, code(&server, &second).await), (1506, 0));
    is_served(&mut old).await;
    alice.send_text("erin", "still there").await;
    assert_eq!(old.next_push().await.1.seq, 1);
    // the second token connects
    let mut new = Client::open(&server, "erin", WEB, &second, "&isMsgResp=true").await;
    is_kicked(&mut old).await;
    assert_eq!(refusal(&server, "erin", WEB, &first).await, 1506);
    // the same token once more: both stay, both get pushes
    let mut twin = Client::open(&server, "erin", WEB, &second, "&isMsgResp=true").await;
    is_served(&mut twin).await;
    alice.send_text("erin", "both").await;
    assert_eq!((new.next_push().await.1.seq, twin.next_push().await.1.seq), (2, 2));
    // another platform: nobody goes
    let mut linux = Client::login(&server, "erin", LINUX).await;
    is_served(&mut linux).await;
    is_served(&mut new).await;
    // the administrator ends one platform
    let admin = admin_token(&server).await;
    let answer = call(&server, &admin, "/auth/force_logout", json!({"platformID": WEB, "userID": "erin"})).await;
    assert_eq!(answer, json!({"errCode": 0, "errMsg": "", "errDlt": ""}));
    is_kicked(&mut new).await;
    is_kicked(&mut twin).await;
    is_served(&mut linux).await;
    assert_eq!(code(&server, &second).await, 1506);
    server.stop().await;
}

#[tokio::test]
async fn policy_0_kicks_nobody_and_keeps_so_many_tokens_per_platform() {
    let multi_login = MultiLogin { policy: 0, max_num_one_end: 2 };
    let server = DevServer::start(Config { multi_login, ..Config::default() }).await.unwrap();
    let mut tokens = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..2 {
        tokens.push(server.token("erin", WEB).await.unwrap());
        clients.push(Client::open(&server, "erin", WEB, tokens.last().unwrap(), "").await);
    }
    let phone = server.token("erin", IOS).await.unwrap();
    tokens.push(server.token("erin", WEB).await.unwrap());
    clients.push(Client::open(&server, "erin", WEB, &tokens[2], "").await);
    let mut codes = Vec::new();
    for token in tokens.iter().chain([&phone]) {
        codes.push(code(&server, token).await);
    }
    assert_eq!(codes, [1506, 0, 0, 0], "the oldest of the platform is over");
    for client in &mut clients {
        is_served(client).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn policy_4_is_one_login_per_class() {
    let server = server(4).await;
    let ios = server.token("erin", IOS).await.unwrap();
    let windows = server.token("erin", WINDOWS).await.unwrap();
    let web = server.token("erin", WEB).await.unwrap();
    let mut phone = Client::open(&server, "erin", IOS, &ios, "").await;
    let mut pc = Client::open(&server, "erin", WINDOWS, &windows, "").await;
    let mut browser = Client::open(&server, "erin", WEB, &web, "").await;
    let android = server.token("erin", ANDROID).await.unwrap();
    assert_eq!((code(&server, &ios).await, code(&server, &windows).await, code(&server, &web).await), (1506, 0, 0));
    is_served(&mut phone).await;
    let mut other_phone = Client::open(&server, "erin", ANDROID, &android, "").await;
    is_kicked(&mut phone).await;
    assert_eq!(refusal(&server, "erin", IOS, &ios).await, 1506);
    let linux = server.token("erin", LINUX).await.unwrap();
    let mut other_pc = Client::open(&server, "erin", LINUX, &linux, "").await;
    is_kicked(&mut pc).await;
    assert_eq!(code(&server, &windows).await, 1506);
    for client in [&mut other_phone, &mut other_pc, &mut browser] {
        is_served(client).await;
    }
    assert_eq!(platforms(&server, &web, "erin").await, json!([ANDROID, WEB, LINUX]));
    server.stop().await;
}

#[tokio::test]
async fn policy_5_leaves_pcs_alone_and_gives_all_others_one_login() {
    let server = server(5).await;
    let ios = server.token("erin", IOS).await.unwrap();
    let mut phone = Client::open(&server, "erin", IOS, &ios, "").await;
    let windows = server.token("erin", WINDOWS).await.unwrap();
    let mut pc = Client::open(&server, "erin", WINDOWS, &windows, "").await;
    let again = server.token("erin", WINDOWS).await.unwrap();
    let mut second_pc = Client::open(&server, "erin", WINDOWS, &again, "").await;
    for client in [&mut phone, &mut pc, &mut second_pc] {
        is_served(client).await;
    }
    assert_eq!((code(&server, &ios).await, code(&server, &windows).await), (0, 0), "a PC keeps one other login");
    let web = server.token("erin", WEB).await.unwrap();
    assert_eq!((code(&server, &ios).await, code(&server, &windows).await), (1506, 0));
    let mut browser = Client::open(&server, "erin", WEB, &web, "").await;
    is_kicked(&mut phone).await;
    for client in [&mut pc, &mut second_pc, &mut browser] {
        is_served(client).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn who_watches_learns_of_kicks_and_the_api_tells_who_is_online() {
    let server = server(4).await;
    let admin = admin_token(&server).await;
    let mut alice = Client::login(&server, "alice", WEB).await;
    let watch = SubUserOnlineStatus { subscribe_user_id: vec!["erin".into()], ..SubUserOnlineStatus::default() };
    alice.request(operation::SUB_ONLINE_STATUS, &watch).await;
    let told = async |alice: &mut Client| {
        let push = alice.next_push_frame().await;
        assert_eq!(push.req_identifier, operation::SUB_ONLINE_STATUS);
        SubUserOnlineStatusTips::decode(push.data.as_slice()).unwrap().subscribers[0].online_platform_i_ds.clone()
    };
    let windows = server.token("erin", WINDOWS).await.unwrap();
    let mut pc = Client::open(&server, "erin", WINDOWS, &windows, "").await;
    assert_eq!(told(&mut alice).await, [WINDOWS]);
    let linux = server.token("erin", LINUX).await.unwrap();
    let mut other = Client::open(&server, "erin", LINUX, &linux, "").await;
    assert_eq!(told(&mut alice).await, [LINUX], "one push, although one went and one came");
    is_kicked(&mut pc).await;
    let background = SetAppBackgroundStatusReq { user_id: String::new(), is_background: true };
    other.request(operation::SET_BACKGROUND, &background).await;
    let asked = json!({"userIDs": ["erin", "nobody"]});
    let status = data(&server, &admin, "/user/get_users_online_status", asked.clone()).await;
    let detail = json!([{"platformID": LINUX, "connID": "op", "isBackground": true, "token": linux}]);
    assert_eq!(
        status,
        json!([
            {"userID": "erin", "status": 1, "detailPlatformStatus": detail},
            {"userID": "nobody", "status": 0, "detailPlatformStatus": null},
        ])
    );
    let tokens = data(&server, &admin, "/user/get_users_online_token_detail", asked.clone()).await;
    let single = json!([{"platformID": LINUX, "total": 1, "token": [linux]}]);
    assert_eq!(tokens, json!([{"userID": "erin", "status": 1, "singlePlatformToken": single}]));
    let own = data(&server, &linux, "/user/get_users_online_token_detail", asked).await;
    assert_eq!(own, Value::Null, "not for users");
    data(&server, &admin, "/auth/force_logout", json!({"platformID": LINUX, "userID": "erin"})).await;
    assert_eq!(told(&mut alice).await, [0; 0]);
    is_kicked(&mut other).await;
    server.stop().await;
}

#[tokio::test]
async fn tokens_keep_their_state_over_a_restart() {
    let folder = Folder::new("token-state");
    let server = DevServer::start(folder.config()).await.unwrap();
    let old = server.token("erin", WEB).await.unwrap();
    let new = server.token("erin", WEB).await.unwrap();
    let phone = server.token("erin", IOS).await.unwrap();
    let admin = admin_token(&server).await;
    data(&server, &admin, "/auth/force_logout", json!({"platformID": IOS, "userID": "erin"})).await;
    server.stop().await;
    // another policy for the next life: the states stay, the rule is the new one
    let multi_login = MultiLogin { policy: 5, ..MultiLogin::default() };
    let server = DevServer::start(Config { multi_login, ..folder.config() }).await.unwrap();
    let codes = [code(&server, &old).await, code(&server, &new).await, code(&server, &phone).await];
    assert_eq!(codes, [1506, 0, 1506]);
    assert_eq!(refusal(&server, "erin", IOS, &phone).await, 1506);
    server.token("erin", ANDROID).await.unwrap();
    assert_eq!(code(&server, &new).await, 1506);
    let answer = call(&server, &admin, "/auth/get_user_token", json!({"platformID": WEB, "userID": "erin"})).await;
    assert_eq!(answer["errCode"], 0, "the administrator's token lives on too");
    server.stop().await;
}

#[tokio::test]
async fn a_gateway_that_is_full_refuses_with_1601_until_somebody_leaves() {
    let server = DevServer::start(Config { max_connections: 1, ..Config::default() }).await.unwrap();
    let token = server.token("alice", WEB).await.unwrap();
    let other = server.token("bob", WEB).await.unwrap();
    let mut alice = Client::open(&server, "alice", WEB, &token, "").await;
    is_served(&mut alice).await;
    assert_eq!(refusal(&server, "bob", WEB, &other).await, 1601);
    drop(alice);
    let mut bob = loop {
        if let Some(bob) = Client::try_open(&server, "bob", WEB, &other, "").await {
            break bob;
        }
    };
    is_served(&mut bob).await;
    server.stop().await;
}
