//! Operations, fan-out, keep-alive and the ways in which the server closes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use openim_proto::Message as _;
use openim_proto::constants::{content_type, operation, recv_msg_opt, session};
use openim_proto::envelope::Request;
use openim_proto::msg::{
    ConversationSeqs, GetConversationsHasReadAndMaxSeqReq, GetConversationsHasReadAndMaxSeqResp, GetLastMessageReq,
    GetLastMessageResp, GetSeqMessageReq, GetSeqMessageResp, SendMsgResp,
};
use openim_proto::push::DelUserPushTokenReq;
use openim_proto::sdkws::{
    GetMaxSeqReq, GetMaxSeqResp, MsgData, PullMessageBySeqsReq, PullMessageBySeqsResp, SeqRange,
    SetAppBackgroundStatusReq, SubUserOnlineStatus, SubUserOnlineStatusTips,
};
use openim_proto::{error_code, options};
use serde_json::json;
use support::{Client, Ended, admin_token, data, server, text_message};
use tokio_tungstenite::tungstenite::Message;

fn newest_seq_request(user: &str, msg_incr: &str) -> Vec<u8> {
    let data = GetMaxSeqReq { user_id: user.into() }.encode_to_vec();
    let (req_identifier, send_id, msg_incr) = (operation::GET_NEWEST_SEQ, user.into(), msg_incr.into());
    Request { req_identifier, send_id, msg_incr, data, ..Request::default() }.to_json()
}

#[tokio::test]
async fn a_message_reaches_every_device_of_both_sides_after_its_answer() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let mut alice_phone = Client::login(&server, "alice", 2).await;
    let mut bob = Client::login(&server, "bob", 5).await;
    let mut bob_phone = Client::login(&server, "bob", 1).await;
    let id = alice.post(operation::SEND_MSG, text_message("alice", "bob", "hello").encode_to_vec()).await;
    let answer = alice.next_frame().await;
    assert_eq!((answer.msg_incr.as_str(), answer.err_code), (id.as_str(), 0));
    let accepted = SendMsgResp::decode(answer.data.as_slice()).unwrap();
    assert_eq!((accepted.client_msg_id.as_str(), accepted.server_msg_id.len()), ("alice_bob_hello", 32));
    for client in [&mut alice, &mut alice_phone, &mut bob, &mut bob_phone] {
        let push = client.next_push_frame().await;
        assert_eq!(push.operation_id, format!("op_{id}"));
        let push = openim_proto::sdkws::PushMessages::decode(push.data.as_slice()).unwrap();
        let message = &push.msgs["si_alice_bob"].msgs[0];
        assert_eq!((message.seq, message.status, message.send_time), (1, 2, accepted.send_time));
        assert_eq!(message.server_msg_id, accepted.server_msg_id);
    }
    // to oneself: one push, a stream of one's own
    alice.send_text("alice", "note").await;
    assert_eq!(alice.next_push().await.0, "si_alice_alice");
    assert_eq!(alice_phone.next_push().await.0, "si_alice_alice");
    server.stop().await;
}

#[tokio::test]
async fn pipelined_sends_are_answered_in_order_and_numbered_without_gaps() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let mut bob = Client::login(&server, "bob", 5).await;
    let mut ids = Vec::new();
    for number in 0..100 {
        ids.push(
            alice.post(operation::SEND_MSG, text_message("alice", "bob", &number.to_string()).encode_to_vec()).await,
        );
        if number % 10 == 9 {
            let read = GetMaxSeqReq { user_id: "alice".into() }.encode_to_vec();
            ids.push(alice.post(operation::GET_NEWEST_SEQ, read).await);
        }
    }
    let (mut answered, mut pushed) = (Vec::new(), 0);
    while answered.len() < ids.len() || pushed < 100 {
        let frame = alice.next_frame().await;
        if frame.req_identifier == operation::PUSH_MSG {
            pushed += 1;
            let own = format!("op_{}", ids[answered.len().saturating_sub(1)]);
            assert!(answered.contains(&frame.operation_id.replace("op_", "")), "push before answer {own}");
        } else {
            answered.push(frame.msg_incr);
        }
    }
    assert_eq!(answered, ids);
    for seq in 1..=100 {
        assert_eq!(bob.next_push().await.1.seq, seq);
    }
    server.stop().await;
}

#[tokio::test]
async fn options_decide_about_storing_and_about_ones_own_devices() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let mut bob = Client::login(&server, "bob", 5).await;
    let typing = MsgData {
        content_type: content_type::TYPING,
        options: options::online_only(),
        ..text_message("alice", "bob", "typing")
    };
    assert_eq!(alice.request(operation::SEND_MSG, &typing).await.err_code, 0);
    let quiet =
        MsgData { options: [(options::SENDER_SYNC.to_owned(), false)].into(), ..text_message("alice", "bob", "quiet") };
    assert_eq!(alice.request(operation::SEND_MSG, &quiet).await.err_code, 0);
    alice.send_text("bob", "loud").await;
    let seqs = [bob.next_push().await.1.seq, bob.next_push().await.1.seq, bob.next_push().await.1.seq];
    assert_eq!(seqs, [0, 1, 2]);
    assert_eq!(alice.next_push().await.1.seq, 2, "neither typing nor quiet came back");
    server.stop().await;
}

#[tokio::test]
async fn a_text_ping_comes_back_as_a_pong_and_a_pong_is_taken() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    for (ping, pong) in [
        (r#"{"type":"ping"}"#, r#"{"type":"pong","body":null}"#),
        (r#"{"type":"ping","body":"abc"}"#, r#"{"type":"pong","body":"abc"}"#),
        (r#"{"type":"ping","body":{"a":1}}"#, r#"{"type":"pong","body":{"a":1}}"#),
    ] {
        alice.send_raw(Message::text(ping)).await;
        assert_eq!(alice.next_message().await, Message::text(pong));
    }
    alice.send_raw(Message::text(r#"{"type":"pong"}"#)).await;
    alice.send_raw(Message::Ping(b"24".as_slice().into())).await;
    assert_eq!(alice.next_message().await, Message::Pong(b"24".as_slice().into()));
    server.stop().await;
}

#[tokio::test]
async fn broken_rules_end_the_connection_without_a_close_frame() {
    let server = server().await;
    let request = |operation: i32, sender: &str| {
        Message::binary(Request { req_identifier: operation, send_id: sender.into(), ..Request::default() }.to_json())
    };
    let breaches = [
        request(1999, "alice"),
        request(operation::KICK_ONLINE, "alice"),
        request(operation::PUSH_MSG, "alice"),
        request(operation::GET_NEWEST_SEQ, "bob"),
        request(operation::GET_NEWEST_SEQ, ""),
        Message::binary(b"not JSON".as_slice()),
        Message::binary(br#"{"reqIdentifier":"1001","sendID":"alice"}"#.as_slice()),
        Message::binary(br#"{"reqIdentifier":1001,"sendID":"alice","data":"CgVhbGljZQ"}"#.as_slice()),
        Message::text(r#"{"reqIdentifier":1001,"sendID":"alice"}"#),
        Message::text("hello"),
        Message::text(r#"{"type":"hello"}"#),
    ];
    for breach in breaches {
        let mut alice = Client::login(&server, "alice", 5).await;
        alice.send_raw(breach.clone()).await;
        assert_eq!(alice.ended().await, (vec![], Ended::Bare), "{breach:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn fifty_thousand_bytes_pass_and_one_more_closes_with_1009() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let mut frame = newest_seq_request("alice", "big");
    frame.resize(51_200, b' ');
    alice.send_raw(Message::binary(frame.clone())).await;
    assert_eq!(alice.next_frame().await.msg_incr, "big");
    frame.push(b' ');
    alice.send_raw(Message::binary(frame)).await;
    assert_eq!(alice.ended().await, (vec![], Ended::Code(1009, String::new())));
    server.stop().await;
}

#[tokio::test]
async fn every_reading_operation_answers_as_the_protocol_says() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let mut bob = Client::login(&server, "bob", 5).await;
    let mut carol = Client::login(&server, "carol", 5).await;
    for text in ["one", "two", "three"] {
        alice.send_text("bob", text).await;
    }
    let chat = || "si_alice_bob".to_owned();
    let newest: GetMaxSeqResp = alice.ask(operation::GET_NEWEST_SEQ, &GetMaxSeqReq { user_id: "alice".into() }).await;
    assert_eq!(newest.max_seqs, [(chat(), 3)].into());

    let states: GetConversationsHasReadAndMaxSeqResp = alice
        .ask(
            operation::GET_CONV_MAX_READ_SEQ,
            &GetConversationsHasReadAndMaxSeqReq { user_id: "alice".into(), ..Default::default() },
        )
        .await;
    assert_eq!((states.seqs["si_alice_bob"].max_seq, states.seqs["si_alice_bob"].has_read_seq), (3, 3));

    let range = |begin, end, num| PullMessageBySeqsReq {
        user_id: "bob".into(),
        seq_ranges: vec![SeqRange { conversation_id: chat(), begin, end, num }],
        order: 0,
    };
    let pulled: PullMessageBySeqsResp = bob.ask(operation::PULL_BY_RANGE, &range(2, 100, 10)).await;
    let seqs: Vec<i64> = pulled.msgs["si_alice_bob"].msgs.iter().map(|message| message.seq).collect();
    assert_eq!((seqs, pulled.msgs["si_alice_bob"].is_end), (vec![2, 3], true));
    let pulled: PullMessageBySeqsResp = bob.ask(operation::PULL_BY_RANGE, &range(1, 3, 1)).await;
    assert_eq!(pulled.msgs["si_alice_bob"].msgs[0].seq, 3);
    let pulled: PullMessageBySeqsResp = bob.ask(operation::PULL_BY_RANGE, &range(50, 60, 10)).await;
    assert!(pulled.msgs.is_empty());

    let list = |user: &str, seqs: &[i64], order| GetSeqMessageReq {
        user_id: user.into(),
        conversations: vec![ConversationSeqs { conversation_id: chat(), seqs: seqs.to_vec() }],
        order,
    };
    let pulled: GetSeqMessageResp = bob.ask(operation::PULL_BY_SEQS, &list("bob", &[3, 1, 0, -1], 1)).await;
    let seqs: Vec<i64> = pulled.msgs["si_alice_bob"].msgs.iter().map(|message| message.seq).collect();
    assert_eq!((seqs, pulled.msgs["si_alice_bob"].is_end), (vec![3, 1], false));
    let pulled: GetSeqMessageResp = bob.ask(operation::PULL_BY_SEQS, &list("bob", &[2, 9, 10], 0)).await;
    let part = &pulled.msgs["si_alice_bob"];
    assert_eq!((part.msgs.len(), part.is_end, part.end_seq), (1, true, 3));

    let last = |user: &str| GetLastMessageReq { user_id: user.into(), conversation_i_ds: vec![chat()] };
    let messages: GetLastMessageResp = bob.ask(operation::PULL_CONV_LAST_MESSAGE, &last("bob")).await;
    assert_eq!(messages.msgs["si_alice_bob"].client_msg_id, "alice_bob_three");

    // foreign streams are left out, other people's ids refused
    let pulled: GetSeqMessageResp = carol.ask(operation::PULL_BY_SEQS, &list("carol", &[1], 0)).await;
    assert!(pulled.msgs.is_empty());
    let messages: GetLastMessageResp = carol.ask(operation::PULL_CONV_LAST_MESSAGE, &last("carol")).await;
    assert!(messages.msgs.is_empty());
    for (operation, request) in [
        (operation::GET_NEWEST_SEQ, GetMaxSeqReq { user_id: "bob".into() }.encode_to_vec()),
        (operation::PULL_BY_RANGE, range(1, 3, 10).encode_to_vec()),
        (operation::PULL_BY_SEQS, list("bob", &[1], 0).encode_to_vec()),
        (operation::PULL_CONV_LAST_MESSAGE, last("bob").encode_to_vec()),
    ] {
        let refused = carol.request_bytes(operation, request).await;
        assert_eq!((refused.err_code, refused.err_msg.as_str()), (1002, "NoPermissionError"), "{operation}");
    }
    for operation in [operation::GET_NEWEST_SEQ, operation::PULL_BY_RANGE, operation::SEND_MSG] {
        let refused = carol.request_bytes(operation, vec![0xff; 3]).await;
        assert_eq!((refused.err_code, refused.err_msg.as_str()), (500, "ServerInternalError"));
    }
    let signal = carol.request_bytes(operation::SEND_SIGNAL_MSG, Vec::new()).await;
    assert_eq!((signal.err_code, signal.err_msg.as_str()), (1001, "ArgsError"));
    server.stop().await;
}

#[tokio::test]
async fn messages_that_nobody_wants_are_refused_with_their_code() {
    let server = server().await;
    let admin = admin_token(&server).await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let bob_token = server.token("bob", 5).await.unwrap();
    let base = || text_message("alice", "bob", "x");
    let refused = [
        (MsgData { send_id: String::new(), ..base() }, error_code::ARGS),
        (MsgData { recv_id: String::new(), ..base() }, error_code::ARGS),
        (MsgData { content: Vec::new(), ..base() }, error_code::ARGS),
        (MsgData { session_type: session::NOTIFICATION, ..base() }, error_code::ARGS),
        (MsgData { content_type: content_type::OA_NOTIFICATION, ..base() }, error_code::ARGS),
        (MsgData { session_type: session::GROUP_LEGACY, ..base() }, error_code::ARGS),
        (MsgData { session_type: 0, ..base() }, error_code::ARGS),
        (MsgData { send_id: "bob".into(), ..base() }, error_code::NO_PERMISSION),
        (MsgData { recv_id: "nobody".into(), ..base() }, error_code::RECORD_NOT_FOUND),
        (MsgData { session_type: session::GROUP, group_id: "g".into(), ..base() }, error_code::RECORD_NOT_FOUND),
    ];
    for (message, code) in refused {
        assert_eq!(alice.request(operation::SEND_MSG, &message).await.err_code, code, "{message:?}");
    }
    assert_eq!(alice.send_text("bob", "first").await.err_code, 0);
    let option = |value| json!({"userID": "bob", "globalRecvMsgOpt": value});
    data(&server, &bob_token, "/user/set_global_msg_recv_opt", option(recv_msg_opt::NOT_RECEIVE)).await;
    assert_eq!(alice.send_text("bob", "unwanted").await.err_code, error_code::ARGS);
    data(&server, &bob_token, "/user/set_global_msg_recv_opt", option(recv_msg_opt::RECEIVE)).await;
    let conversation = |value| {
        json!({"userIDs": ["bob"], "conversation": {"conversationID": "si_alice_bob", "conversationType": 1,
            "userID": "alice", "recvMsgOpt": value}})
    };
    data(&server, &admin, "/conversation/set_conversations", conversation(recv_msg_opt::NOT_RECEIVE)).await;
    assert_eq!(alice.send_text("bob", "unwanted").await.err_code, error_code::ARGS);
    data(&server, &admin, "/conversation/set_conversations", conversation(recv_msg_opt::RECEIVE_NOT_NOTIFY)).await;
    assert_eq!(alice.send_text("bob", "silent").await.err_code, 0);
    alice.next_push().await;
    let (_, silent) = alice.next_push().await;
    assert_eq!((silent.seq, silent.options.get(options::OFFLINE_PUSH)), (2, Some(&false)));
    server.stop().await;
}

#[tokio::test]
async fn who_watches_a_user_is_told_when_his_platforms_change() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let watch = |on: &[&str], off: &[&str]| SubUserOnlineStatus {
        subscribe_user_id: on.iter().map(|it| (*it).to_owned()).collect(),
        unsubscribe_user_id: off.iter().map(|it| (*it).to_owned()).collect(),
    };
    let states: SubUserOnlineStatusTips =
        alice.ask(operation::SUB_ONLINE_STATUS, &watch(&["bob", "nobody"], &[])).await;
    assert_eq!(states.subscribers.len(), 2);
    assert!(states.subscribers.iter().all(|state| state.online_platform_i_ds.is_empty()));
    let told = async |alice: &mut Client| {
        let push = alice.next_push_frame().await;
        assert_eq!((push.req_identifier, push.msg_incr.as_str()), (operation::SUB_ONLINE_STATUS, ""));
        let tips = SubUserOnlineStatusTips::decode(push.data.as_slice()).unwrap();
        assert_eq!((tips.subscribers.len(), tips.subscribers[0].user_id.as_str()), (1, "bob"));
        tips.subscribers[0].online_platform_i_ds.clone()
    };
    let bob = Client::login(&server, "bob", 7).await;
    assert_eq!(told(&mut alice).await, [7]);
    let phone = Client::login(&server, "bob", 2).await;
    assert_eq!(told(&mut alice).await, [2, 7]);
    drop(bob);
    assert_eq!(told(&mut alice).await, [2]);
    let empty: SubUserOnlineStatusTips = alice.ask(operation::SUB_ONLINE_STATUS, &watch(&[], &["bob"])).await;
    assert!(empty.subscribers.is_empty());
    drop(phone);
    alice.send_text("alice", "mark").await;
    assert_eq!(alice.next_push_frame().await.req_identifier, operation::PUSH_MSG, "nothing about bob any more");
    server.stop().await;
}

#[tokio::test]
async fn an_ios_application_in_the_background_gets_no_pushes() {
    let server = server().await;
    let mut phone = Client::login(&server, "bob", 1).await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let background = |is_background| SetAppBackgroundStatusReq { user_id: "bob".into(), is_background };
    let answer = phone.request(operation::SET_BACKGROUND, &background(true)).await;
    assert_eq!((answer.err_code, answer.data.is_empty()), (0, true));
    alice.send_text("bob", "asleep").await;
    phone.request(operation::SET_BACKGROUND, &background(false)).await;
    alice.send_text("bob", "awake").await;
    assert_eq!(phone.next_push().await.1.seq, 2);
    server.stop().await;
}

#[tokio::test]
async fn logout_is_answered_and_closes_and_the_token_lives_on() {
    let server = server().await;
    let token = server.token("bob", 5).await.unwrap();
    let mut bob = Client::open(&server, "bob", 5, &token, "").await;
    let request = DelUserPushTokenReq { user_id: "bob".into(), platform_id: 5 };
    bob.post(operation::LOGOUT, request.encode_to_vec()).await;
    let (frames, end) = bob.ended().await;
    assert_eq!((frames.len(), frames[0].req_identifier, frames[0].err_code, end), (1, 2003, 0, Ended::Bare));
    let mut bob = Client::open(&server, "bob", 5, &token, "").await;
    let request = DelUserPushTokenReq { user_id: "bob".into(), platform_id: 11 };
    bob.post(operation::LOGOUT, request.encode_to_vec()).await;
    let (frames, end) = bob.ended().await;
    assert_eq!((frames[0].err_code, end), (1001, Ended::Bare));
    server.stop().await;
}

#[tokio::test]
async fn force_logout_kicks_one_platform_and_ends_its_tokens() {
    let server = server().await;
    let admin = admin_token(&server).await;
    let token = server.token("erin", 5).await.unwrap();
    let mut web = Client::open(&server, "erin", 5, &token, "").await;
    let mut twin = Client::open(&server, "erin", 5, &token, "").await;
    let mut linux = Client::login(&server, "erin", 7).await;
    data(&server, &admin, "/auth/force_logout", json!({"platformID": 5, "userID": "erin"})).await;
    for kicked in [&mut web, &mut twin] {
        let (frames, end) = kicked.ended().await;
        assert_eq!((frames.len(), frames[0].req_identifier, end), (1, operation::KICK_ONLINE, Ended::Bare));
    }
    let refused = support::call(&server, &token, "/user/get_users_info", json!({"userIDs": []})).await;
    assert_eq!(refused["errCode"], 1506);
    assert_eq!(linux.send_text("erin", "still here").await.err_code, 0);
    server.stop().await;
}

#[tokio::test]
async fn a_close_frame_is_answered_with_its_code() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let close = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: 3001.into(), reason: "".into() };
    alice.send_raw(Message::Close(Some(close))).await;
    assert_eq!(alice.ended().await.1, Ended::Code(3001, String::new()));
    server.stop().await;
}

#[tokio::test]
async fn a_peer_who_takes_nothing_is_closed_and_harms_nobody() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let slow = Client::login(&server, "bob", 5).await;
    let watch = SubUserOnlineStatus { subscribe_user_id: vec!["bob".into()], ..SubUserOnlineStatus::default() };
    alice.request(operation::SUB_ONLINE_STATUS, &watch).await;
    let text = "x".repeat(10_000);
    loop {
        assert_eq!(alice.send_text("bob", &text).await.err_code, 0);
        if alice.next_push_frame().await.req_identifier == operation::SUB_ONLINE_STATUS {
            break;
        }
    }
    drop(slow);
    server.stop().await;
}
