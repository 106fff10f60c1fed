//! Connections with `sdkType=go`, the default: the same server in another encoding (gateway.md 2.4).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use openim_proto::Message as _;
use openim_proto::constants::operation;
use openim_proto::envelope::{Request, Response, compress};
use openim_proto::error_code;
use openim_proto::push::DelUserPushTokenReq;
use openim_proto::sdkws::{GetMaxSeqReq, GetMaxSeqResp, PushMessages};
use openim_proto::wire::{Wire, WireFormat};
use serde_json::Value;
use support::{Client, Ended, admin_token, data, server, text_message};
use tokio_tungstenite::tungstenite::Message;

/// Every way to connect, as the query says it.
const WIRES: [&str; 6] = [
    "&sdkType=js",
    "&sdkType=js&compression=gzip",
    "&sdkType=go",
    "&sdkType=go&compression=gzip",
    "&sdkType=&isMsgResp=true",
    "&sdkType=go&compression=gzip&isMsgResp=true",
];

#[tokio::test]
async fn devices_of_all_encodings_hear_the_same() {
    let server = server().await;
    let alice_token = server.token("alice", 7).await.unwrap();
    let mut devices = Vec::new();
    for (wire, platform) in WIRES.into_iter().zip([1, 2, 3, 4, 7, 8]) {
        let token = server.token("bob", platform).await.unwrap();
        devices.push(Client::open(&server, "bob", platform, &token, wire).await);
    }
    for (round, wire) in WIRES.into_iter().enumerate() {
        let mut alice = Client::open(&server, "alice", 7, &alice_token, wire).await;
        let text = format!("{wire} 你好");
        let id = alice.post(operation::SEND_MSG, text_message("alice", "bob", &text).encode_to_vec()).await;
        let answer = alice.next_frame().await;
        assert_eq!((answer.msg_incr.as_str(), answer.err_code), (id.as_str(), 0), "{wire}");
        let mut pushes = Vec::new();
        for device in &mut devices {
            pushes.push(device.next_frame().await);
        }
        assert_eq!(pushes[0].operation_id, format!("op_{id}"));
        let push = PushMessages::decode(pushes[0].data.as_slice()).unwrap();
        let message = &push.msgs["si_alice_bob"].msgs[0];
        assert_eq!(
            (message.client_msg_id.as_str(), message.seq),
            (format!("alice_bob_{text}").as_str(), round as i64 + 1)
        );
        assert!(pushes.iter().all(|push| push == &pushes[0]), "{wire}: {pushes:?}");

        let newest: GetMaxSeqResp =
            alice.ask(operation::GET_NEWEST_SEQ, &GetMaxSeqReq { user_id: "alice".into() }).await;
        assert_eq!(newest.max_seqs["si_alice_bob"], round as i64 + 1);
        let refused = alice.request(operation::GET_NEWEST_SEQ, &GetMaxSeqReq { user_id: "bob".into() }).await;
        let expected = (error_code::NO_PERMISSION, "NoPermissionError", 0);
        assert_eq!((refused.err_code, refused.err_msg.as_str(), refused.data.len()), expected, "{wire}");
        alice.send_raw(Message::text(r#"{"type":"ping","body":"abc"}"#)).await;
        assert_eq!(alice.next_message().await, Message::text(r#"{"type":"pong","body":"abc"}"#), "{wire}");
        alice
            .post(operation::LOGOUT, DelUserPushTokenReq { user_id: "alice".into(), platform_id: 7 }.encode_to_vec())
            .await;
        let (frames, end) = alice.ended().await;
        assert_eq!((frames.len(), frames[0].req_identifier, frames[0].err_code, end), (1, 2003, 0, Ended::Bare));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_kick_is_told_in_the_connections_own_encoding() {
    let server = server().await;
    let admin = admin_token(&server).await;
    for wire in WIRES {
        let token = server.token("erin", 5).await.unwrap();
        let mut erin = Client::open(&server, "erin", 5, &token, wire).await;
        let logout = serde_json::json!({"platformID": 5, "userID": "erin"});
        data(&server, &admin, "/auth/force_logout", logout).await;
        let kick = Response { req_identifier: operation::KICK_ONLINE, ..Response::default() };
        assert_eq!(erin.ended().await, (vec![kick], Ended::Bare), "{wire}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_frame_that_is_not_in_the_connections_encoding_ends_it_without_a_close_frame() {
    let server = server().await;
    let token = server.token("alice", 7).await.unwrap();
    let request = Request {
        req_identifier: operation::GET_NEWEST_SEQ,
        send_id: "alice".into(),
        data: GetMaxSeqReq { user_id: "alice".into() }.encode_to_vec(),
        ..Request::default()
    };
    let another = Request { send_id: "bob".into(), ..request.clone() };
    let unknown = Request { req_identifier: 1999, ..request.clone() };
    let (json, gob) = (request.to_json(), request.to_gob());
    let breaches = [
        ("&sdkType=go", json.clone()),
        ("&sdkType=go", compress(&gob)),
        ("&sdkType=go", gob[..gob.len() - 1].to_vec()),
        ("&sdkType=go", vec![1, 2, 3]),
        ("&sdkType=go", Vec::new()),
        ("&sdkType=go", another.to_gob()),
        ("&sdkType=go", unknown.to_gob()),
        ("&sdkType=go", Response { req_identifier: 1001, ..Response::default() }.to_gob()),
        ("&sdkType=go&compression=gzip", gob.clone()),
        ("&sdkType=go&compression=gzip", compress(&json)),
        ("&sdkType=js", gob),
    ];
    for (wire, frame) in breaches {
        let mut alice = Client::open(&server, "alice", 7, &token, wire).await;
        alice.send_raw(Message::binary(frame.clone())).await;
        assert_eq!(alice.ended().await, (vec![], Ended::Bare), "{wire}: {frame:02x?}");
    }
    server.stop().await;
}

/// `golden/native_client.jsonl`: the frames that three native clients sent to a real server, in order.
#[tokio::test]
async fn the_captured_frames_of_native_clients_are_answered() {
    let server = server().await;
    let wire = Wire { format: WireFormat::Gob, gzip: true };
    let mut sockets = BTreeMap::new();
    for user in ["evnA", "evnB", "evnC"] {
        let token = server.token(user, 7).await.unwrap();
        // the query as these clients write it: no sdkType, no isMsgResp
        let url = format!(
            "{}/?sendID={user}&token={token}&platformID=7&operationID=1795564853776872613&isBackground=false&compression=gzip",
            server.addresses().ws_addr
        );
        sockets.insert(user.to_owned(), tokio_tungstenite::connect_async(url).await.unwrap().0);
    }
    let (mut codes, mut pushed) = (Vec::new(), Vec::new());
    for row in include_str!("golden/native_client.jsonl").lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let frame = STANDARD.decode(row["payload_base64"].as_str().unwrap()).unwrap();
        let socket = sockets.get_mut(row["user"].as_str().unwrap()).unwrap();
        socket.send(Message::binary(frame)).await.unwrap();
        loop {
            let frame = tokio::time::timeout(support::PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
            let Message::Binary(frame) = frame else { panic!("{frame:?}") };
            let response = wire.decode_response(&frame, 1 << 20).unwrap();
            if response.req_identifier == operation::PUSH_MSG {
                let push = PushMessages::decode(response.data.as_slice()).unwrap();
                pushed.extend(
                    push.msgs.into_values().flat_map(|pulled| pulled.msgs).map(|message| message.client_msg_id),
                );
                continue;
            }
            assert_eq!(row["msgIncr"], response.msg_incr);
            assert_eq!(row["operationID"], response.operation_id);
            codes.push((response.req_identifier, response.err_code));
            break;
        }
    }
    // a text of each to another; in the capture carol was blocked by then, and the group existed
    let queries = [(1001, 0), (1006, 0)].repeat(3);
    let rest = [(1003, 0), (1003, 0), (1003, 0), (1003, 0), (1003, error_code::RECORD_NOT_FOUND), (1002, 0), (2003, 0)];
    assert_eq!(codes, [queries, rest.to_vec()].concat());
    assert!(pushed.contains(&"ffeb537399fbb2658586befb1bf74942".to_owned()), "{pushed:?}");
    server.stop().await;
}
