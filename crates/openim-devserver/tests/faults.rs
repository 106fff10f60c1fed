//! Levers on handshakes, requests, answers, pushes, storing and the clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use openim_devserver::{Config, DevServer, Effect, Environment, Error, Faults, Lever, Point, Scope};
use openim_proto::Message as _;
use openim_proto::constants::{content_type, operation, status};
use openim_proto::sdkws::{
    GetMaxSeqReq, GetMaxSeqResp, MsgData, PullMessageBySeqsReq, PullMessageBySeqsResp, SeqRange, SubUserOnlineStatus,
};
use serde_json::{Value, json};
use support::{Client, Folder, PATIENCE, admin_token, call, data, server, text_message};

async fn pair(server: &DevServer) -> (Client, Client) {
    (Client::login(server, "alice", 5).await, Client::login(server, "bob", 5).await)
}

fn text(message: &MsgData) -> String {
    serde_json::from_slice::<Value>(&message.content).unwrap()["content"].as_str().unwrap().to_owned()
}

/// Sends texts; each is answered.
async fn send(from: &mut Client, to: &str, texts: &[&str]) {
    for text in texts {
        assert_eq!(from.send_text(to, text).await.err_code, 0);
    }
}

/// The texts that the next pushes bring.
async fn pushed(client: &mut Client, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(text(&client.next_push().await.1));
    }
    texts
}

async fn newest(client: &mut Client, stream: &str) -> i64 {
    let request = GetMaxSeqReq { user_id: client.user.clone() };
    let answer: GetMaxSeqResp = client.ask(operation::GET_NEWEST_SEQ, &request).await;
    answer.max_seqs.get(stream).copied().unwrap_or(0)
}

async fn pull(client: &mut Client, stream: &str, begin: i64, end: i64) -> Vec<MsgData> {
    let range = SeqRange { conversation_id: stream.into(), begin, end, num: end };
    let request = PullMessageBySeqsReq { user_id: client.user.clone(), seq_ranges: vec![range], order: 0 };
    let mut pulled: PullMessageBySeqsResp = client.ask(operation::PULL_BY_RANGE, &request).await;
    pulled.msgs.remove(stream).unwrap_or_default().msgs
}

fn push(effect: Effect, to: &str) -> Lever {
    Lever::new(Point::Push, effect).user(to)
}

#[tokio::test]
async fn dropped_pushes_are_stored_all_the_same() {
    let server = server().await;
    let (mut alice, mut bob) = pair(&server).await;
    let mut phone = Client::login(&server, "bob", 2).await;
    let lever = server.faults().set(push(Effect::Drop, "bob").times(2)).unwrap();
    send(&mut alice, "bob", &["one", "two", "three"]).await;
    for client in [&mut bob, &mut phone] {
        let (_, message) = client.next_push().await;
        assert_eq!((message.seq, text(&message)), (3, "three".into()), "two messages for all devices together");
    }
    assert_eq!(pushed(&mut alice, 3).await, ["one", "two", "three"], "the sender is somebody else");
    assert!(server.faults().acted(lever, 2).await);
    assert!(server.faults().pending().is_empty());
    let stored: Vec<_> = pull(&mut bob, "si_alice_bob", 1, 3).await.iter().map(text).collect();
    assert_eq!(stored, ["one", "two", "three"]);
    server.stop().await;
}

#[tokio::test]
async fn a_scope_spares_other_platforms_types_and_conversations() {
    let server = server().await;
    let (mut alice, mut bob) = pair(&server).await;
    let mut phone = Client::login(&server, "bob", 2).await;
    let scope = Scope {
        user_id: Some("bob".into()),
        platform_id: Some(2),
        content_type: Some(content_type::TEXT),
        conversation_id: Some("si_alice_bob".into()),
        ..Scope::default()
    };
    server.faults().set(Lever { scope, ..Lever::new(Point::Push, Effect::Drop) }).unwrap();
    send(&mut alice, "bob", &["lost on the phone"]).await;
    let quiet = MsgData { content_type: content_type::CUSTOM, ..text_message("alice", "bob", "of another type") };
    assert_eq!(alice.request(operation::SEND_MSG, &quiet).await.err_code, 0);
    send(&mut bob, "bob", &["of another conversation"]).await;
    assert_eq!(pushed(&mut phone, 2).await, ["of another type", "of another conversation"]);
    assert_eq!(pushed(&mut bob, 3).await, ["lost on the phone", "of another type", "of another conversation"]);
    server.stop().await;
}

#[tokio::test]
async fn a_gap_takes_the_pushes_of_stored_messages_alone() {
    let server = server().await;
    let (mut alice, mut bob) = pair(&server).await;
    let scope = Scope { user_id: Some("bob".into()), stored: true, ..Scope::default() };
    server.faults().set(Lever { scope, count: Some(1), ..Lever::new(Point::Push, Effect::Drop) }).unwrap();
    let typing = MsgData {
        content_type: content_type::TYPING,
        options: openim_proto::options::online_only(),
        ..text_message("alice", "bob", "typing")
    };
    alice.request(operation::SEND_MSG, &typing).await;
    send(&mut alice, "bob", &["lost", "found"]).await;
    assert_eq!(pushed(&mut bob, 2).await, ["typing", "found"]);
    server.stop().await;
}

#[tokio::test]
async fn delayed_pushes_are_overtaken() {
    let server = server().await;
    let (mut alice, mut bob) = pair(&server).await;
    server.faults().set(push(Effect::Delay { ms: 30 }, "bob").times(1)).unwrap();
    send(&mut alice, "bob", &["late", "punctual"]).await;
    assert_eq!(pushed(&mut bob, 2).await, ["punctual", "late"]);
    server.stop().await;
}

#[tokio::test]
async fn duplicated_pushes_come_twice_and_reordered_ones_backwards() {
    let server = server().await;
    let (mut alice, mut bob) = pair(&server).await;
    server.faults().set(push(Effect::Repeat, "bob").times(1)).unwrap();
    let reverse = server.faults().set(push(Effect::Reverse, "bob").times(3)).unwrap();
    send(&mut alice, "bob", &["twice", "1", "2"]).await;
    assert_eq!(pushed(&mut bob, 2).await, ["twice", "twice"]);
    send(&mut alice, "bob", &["3", "4"]).await;
    assert_eq!(pushed(&mut bob, 4).await, ["3", "2", "1", "4"]);
    assert_eq!(server.faults().hits(reverse), 3);
    // what is held is not lost when the lever is taken away
    server.faults().set(push(Effect::Reverse, "bob").times(9)).unwrap();
    send(&mut alice, "bob", &["5", "6"]).await;
    server.faults().clear_all();
    assert_eq!(pushed(&mut bob, 2).await, ["6", "5"]);
    server.stop().await;
}

#[tokio::test]
async fn presence_pushes_have_levers_of_their_own() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let watch = SubUserOnlineStatus { subscribe_user_id: vec!["bob".into()], ..SubUserOnlineStatus::default() };
    alice.request(operation::SUB_ONLINE_STATUS, &watch).await;
    server.faults().set(push(Effect::Drop, "alice").operation(operation::SUB_ONLINE_STATUS).times(1)).unwrap();
    let messages = server.faults().set(push(Effect::Drop, "alice").times(1)).unwrap();
    Client::login(&server, "bob", 5).await;
    let frame = alice.next_push_frame().await;
    assert_eq!(frame.req_identifier, operation::SUB_ONLINE_STATUS);
    let tips = openim_proto::sdkws::SubUserOnlineStatusTips::decode(frame.data.as_slice()).unwrap();
    assert!(tips.subscribers[0].online_platform_i_ds.is_empty(), "only his leaving was told");
    assert_eq!(server.faults().hits(messages), 0, "no message was pushed");
    server.stop().await;
}

#[tokio::test]
async fn a_young_connection_misses_pushes_and_its_elder_sister_does_not() {
    let now = Arc::new(AtomicI64::new(1_700_000_000_000));
    let clock = now.clone();
    let environment = Environment::new(move || clock.load(Ordering::Relaxed), |bytes| bytes.fill(7));
    let server = DevServer::start_in(Config::default(), environment).await.unwrap();
    let scope = Scope { younger_than_ms: Some(1000), ..Scope::default() };
    server.faults().set(Lever { scope, ..Lever::new(Point::Push, Effect::Drop) }).unwrap();
    let (mut alice, mut bob) = pair(&server).await;
    now.fetch_add(999, Ordering::Relaxed);
    let mut phone = Client::login(&server, "bob", 2).await;
    send(&mut alice, "bob", &["missed by all"]).await;
    now.fetch_add(1, Ordering::Relaxed);
    // the true age counts, whatever the server's clock says
    server.faults().shift_clock(3_600_000);
    send(&mut alice, "bob", &["missed by the phone"]).await;
    assert_eq!(pushed(&mut bob, 1).await, ["missed by the phone"]);
    now.fetch_add(999, Ordering::Relaxed);
    send(&mut alice, "bob", &["for all"]).await;
    assert_eq!(pushed(&mut phone, 1).await, ["for all"]);
    assert_eq!(newest(&mut phone, "si_alice_bob").await, 3);
    server.stop().await;
}

#[tokio::test]
async fn gateway_requests_are_refused_or_lost_and_nothing_is_stored() {
    let server = server().await;
    let (mut alice, mut bob) = pair(&server).await;
    let refuse = |code, message: Option<&str>| {
        let effect = Effect::Refuse { code, message: message.map(str::to_owned) };
        Lever::new(Point::Request, effect).user("alice").operation(operation::SEND_MSG).times(1)
    };
    server.faults().set(refuse(1302, None)).unwrap();
    server.faults().set(refuse(80000, Some("a webhook said no"))).unwrap();
    let refused = alice.send_text("bob", "1").await;
    assert_eq!((refused.err_code, refused.err_msg.as_str(), refused.data.len()), (1302, "BlockedByPeer", 0));
    let refused = alice.send_text("bob", "2").await;
    assert_eq!((refused.err_code, refused.err_msg.as_str()), (80000, "a webhook said no"));
    let lost = Lever::new(Point::Request, Effect::Drop).user("alice").operation(operation::SEND_MSG).times(1);
    server.faults().set(lost).unwrap();
    alice.post(operation::SEND_MSG, text_message("alice", "bob", "3").encode_to_vec()).await;
    assert_eq!(newest(&mut alice, "si_alice_bob").await, 0, "the next answer is that of the next request");
    send(&mut alice, "bob", &["4"]).await;
    assert_eq!(pushed(&mut bob, 1).await, ["4"]);
    server.stop().await;
}

#[tokio::test]
async fn gateway_answers_are_lost_late_or_doubled_and_the_message_is_stored_all_the_same() {
    let server = server().await;
    let (mut alice, mut bob) = pair(&server).await;
    let answer = |effect| Lever::new(Point::Answer, effect).user("alice").operation(operation::SEND_MSG).times(1);
    server.faults().set(answer(Effect::Drop)).unwrap();
    server.faults().set(answer(Effect::Repeat)).unwrap();
    server.faults().set(answer(Effect::Delay { ms: 30 })).unwrap();
    let mut ids = Vec::new();
    for text in ["lost", "doubled", "late"] {
        ids.push(alice.post(operation::SEND_MSG, text_message("alice", "bob", text).encode_to_vec()).await);
    }
    assert_eq!(pushed(&mut bob, 3).await, ["lost", "doubled", "late"]);
    let mut frames = Vec::new();
    for _ in 0..6 {
        frames.push(alice.next_frame().await);
    }
    let answers: Vec<_> = frames.iter().filter(|it| !it.msg_incr.is_empty()).map(|it| it.msg_incr.clone()).collect();
    assert_eq!(answers, [ids[1].clone(), ids[1].clone(), ids[2].clone()]);
    assert_eq!(frames.last().unwrap().msg_incr, ids[2], "its own push overtook it");
    // others than sends, and refusals, have answers too
    server.faults().set(Lever::new(Point::Answer, Effect::Repeat).times(2)).unwrap();
    let id = alice.post(operation::GET_NEWEST_SEQ, GetMaxSeqReq { user_id: "bob".into() }.encode_to_vec()).await;
    for _ in 0..2 {
        let frame = alice.next_frame().await;
        assert_eq!((&frame.msg_incr, frame.err_code), (&id, 1002));
    }
    server.stop().await;
}

#[tokio::test]
async fn rest_calls_are_refused_by_path_and_user() {
    let server = server().await;
    let token = server.token("alice", 5).await.unwrap();
    let other = server.token("bob", 5).await.unwrap();
    let path = "/user/get_users_info";
    let refuse = Lever::new(Point::Request, Effect::Refuse { code: 1004, message: None }).path(path).user("alice");
    let lever = server.faults().set(refuse.times(1)).unwrap();
    data(&server, &token, "/msg/get_server_time", json!({})).await;
    data(&server, &other, path, json!({"userIDs": []})).await;
    let refused = call(&server, &token, path, json!({"userIDs": []})).await;
    assert_eq!(refused, json!({"errCode": 1004, "errMsg": "RecordNotFoundError", "errDlt": ""}));
    data(&server, &token, path, json!({"userIDs": []})).await;
    assert_eq!(server.faults().hits(lever), 1);
    // one answer cannot be doubled: the call passes and the lever waits for the gateway
    server.faults().set(Lever::new(Point::Answer, Effect::Repeat).times(1)).unwrap();
    data(&server, &token, path, json!({"userIDs": []})).await;
    assert_eq!(server.faults().pending().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn rest_answers_are_late_or_never_come_and_stopping_does_not_wait() {
    let server = server().await;
    let (mut alice, _bob) = pair(&server).await;
    let admin = admin_token(&server).await;
    let path = "/msg/send_msg";
    let message =
        json!({"sendID": "bob", "recvID": "alice", "content": {"content": "x"}, "contentType": 101, "sessionType": 1});
    server.faults().set(Lever::new(Point::Answer, Effect::Delay { ms: 30 }).path(path).times(1)).unwrap();
    data(&server, &admin, path, message.clone()).await;
    assert_eq!(alice.next_push().await.1.seq, 1);
    let lost = server.faults().set(Lever::new(Point::Answer, Effect::Drop).path(path).times(1)).unwrap();
    let unheard = server.faults().set(Lever::new(Point::Request, Effect::Drop).path("/msg/get_server_time")).unwrap();
    let calls = async {
        tokio::join!(
            call(&server, &admin, path, message.clone()),
            call(&server, &admin, "/msg/get_server_time", json!({})),
        )
    };
    let stop = async {
        assert_eq!(alice.next_push().await.1.seq, 2, "handled, although the answer is lost");
        assert!(server.faults().acted(lost, 1).await && server.faults().acted(unheard, 1).await);
        tokio::time::timeout(PATIENCE, server.stop()).await.expect("stopping waits");
    };
    let ((first, second), ()) = tokio::join!(calls, stop);
    assert_eq!((&first["errCode"], &second["errCode"]), (&json!(500), &json!(500)));
}

#[tokio::test]
async fn handshakes_are_refused_in_the_form_that_the_code_has() {
    let server = server().await;
    let token = server.token("alice", 5).await.unwrap();
    let url = support::url(&server, "alice", 5, &token, "");
    let query = url.split_once('?').unwrap().1;
    let refuse = |code| Lever::new(Point::Handshake, Effect::Refuse { code, message: None }).user("alice").times(1);
    for (code, name) in [(1501, "TokenExpiredError"), (1601, "ConnOverMaxNumLimit"), (500, "ServerInternalError")] {
        server.faults().set(refuse(code)).unwrap();
        let answer = support::refusal(&server, query).await.json();
        assert_eq!(answer, json!({"errCode": code, "errMsg": name, "errDlt": ""}));
    }
    // asked for a reply: token codes come in the frame, others before the upgrade
    server.faults().set(refuse(1506)).unwrap();
    use futures_util::StreamExt as _;
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("{url}&isMsgResp=true")).await.unwrap();
    let reply: Value = serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    assert_eq!(reply["errCode"], 1506);
    server.faults().set(refuse(1602)).unwrap();
    assert_eq!(support::refusal(&server, &format!("{query}&isMsgResp=true")).await.json()["errCode"], 1602);
    Client::login(&server, "bob", 5).await;
    Client::open(&server, "alice", 5, &token, "&isMsgResp=true").await;
    server.stop().await;
}

#[tokio::test]
async fn a_message_can_be_accepted_first_and_stored_later_and_then_twice() {
    let server = server().await;
    let (mut alice, mut bob) = pair(&server).await;
    let late = Lever::new(Point::Store, Effect::Delay { ms: 300 }).user("alice").times(1);
    server.faults().set(late).unwrap();
    let message = text_message("alice", "bob", "same");
    let first = alice.request(operation::SEND_MSG, &message).await;
    assert_eq!(first.err_code, 0);
    assert_eq!(newest(&mut alice, "si_alice_bob").await, 0, "acknowledged, and nowhere to be seen");
    assert!(pull(&mut bob, "si_alice_bob", 1, 9).await.is_empty());
    // a client that resends in between has it twice; the second waits behind the first
    assert_eq!(alice.request(operation::SEND_MSG, &message).await.err_code, 0);
    let (_, one) = bob.next_push().await;
    let (_, two) = bob.next_push().await;
    assert_eq!((one.seq, two.seq), (1, 2));
    assert_eq!(one.client_msg_id, two.client_msg_id);
    assert_ne!(one.server_msg_id, two.server_msg_id);
    assert_eq!(pull(&mut bob, "si_alice_bob", 1, 9).await.len(), 2);
    send(&mut alice, "bob", &["at once again"]).await;
    assert_eq!(newest(&mut alice, "si_alice_bob").await, 3);
    server.stop().await;
}

#[tokio::test]
async fn what_waits_to_be_stored_is_stored_when_the_server_stops() {
    let folder = Folder::new("late");
    let server = DevServer::start(folder.config()).await.unwrap();
    let (mut alice, bob) = pair(&server).await;
    server.faults().set(Lever::new(Point::Store, Effect::Delay { ms: 600_000 })).unwrap();
    send(&mut alice, "bob", &["one", "two"]).await;
    drop(bob);
    tokio::time::timeout(PATIENCE, server.stop()).await.expect("stopping waits");
    let server = DevServer::start(folder.config()).await.unwrap();
    let mut bob = Client::login(&server, "bob", 5).await;
    let texts: Vec<_> = pull(&mut bob, "si_alice_bob", 1, 9).await.iter().map(text).collect();
    assert_eq!(texts, ["one", "two"]);
    server.stop().await;
}

#[tokio::test]
async fn a_hole_has_placeholders_and_survives_a_restart() {
    let folder = Folder::new("hole");
    let server = DevServer::start(folder.config()).await.unwrap();
    let (mut alice, mut bob) = pair(&server).await;
    let field = |count| match server.make_hole("si_alice_bob", count) {
        Err(Error::Args { field, .. }) => field,
        other => format!("{other:?}"),
    };
    assert_eq!((field(1), field(0)), ("conversationID".into(), "count".into()));
    send(&mut alice, "bob", &["one"]).await;
    assert_eq!(server.make_hole("si_alice_bob", 3).unwrap(), 4);
    assert_eq!(newest(&mut bob, "si_alice_bob").await, 4, "announced at once");
    send(&mut alice, "bob", &["five"]).await;
    assert_eq!((bob.next_push().await.1.seq, bob.next_push().await.1.seq), (1, 5));
    server.make_hole("si_alice_bob", 2).unwrap();
    server.stop().await;
    let server = DevServer::start(folder.config()).await.unwrap();
    let mut bob = Client::login(&server, "bob", 5).await;
    assert_eq!(newest(&mut bob, "si_alice_bob").await, 7);
    let pulled = pull(&mut bob, "si_alice_bob", 1, 9).await;
    let shape: Vec<_> =
        pulled.iter().map(|it| (it.seq, it.status == status::DELETED && it.content.is_empty())).collect();
    assert_eq!(shape, [(1, false), (2, true), (3, true), (4, true), (5, false), (6, true), (7, true)]);
    server.stop().await;
}

#[tokio::test]
async fn a_slow_disk_delays_commits_and_what_depends_on_them() {
    let server = server().await;
    let (mut alice, mut bob) = pair(&server).await;
    let lever = server.faults().set(Lever::new(Point::Disk, Effect::Delay { ms: 30 }).times(1)).unwrap();
    let began = std::time::Instant::now();
    send(&mut alice, "bob", &["slow"]).await;
    assert!(began.elapsed().as_millis() >= 30, "the answer waits for the commit");
    assert!(server.faults().acted(lever, 1).await);
    assert_eq!(pushed(&mut bob, 1).await, ["slow"]);
    server.stop().await;
}

#[tokio::test]
async fn a_shifted_clock_ends_tokens_and_stamps_messages() {
    let server = server().await;
    let token = server.token("alice", 5).await.unwrap();
    let mut alice = Client::open(&server, "alice", 5, &token, "").await;
    send(&mut alice, "alice", &["now"]).await;
    let before = alice.next_push().await.1.send_time;
    let days = 91 * 86_400_000;
    server.faults().shift_clock(days);
    send(&mut alice, "alice", &["then"]).await;
    assert!(alice.next_push().await.1.send_time >= before + days);
    let code = async || call(&server, &token, "/msg/get_server_time", json!({})).await["errCode"].clone();
    assert_eq!(code().await, 1501);
    server.faults().clear_all();
    assert_eq!(code().await, 0);
    server.stop().await;
}

#[tokio::test]
async fn levers_that_somebody_holds_outlive_a_server() {
    let faults = Faults::default();
    let start = || DevServer::start_in(Config::default(), Environment::default().with_faults(faults.clone()));
    let server = start().await.unwrap();
    faults.set(Lever::new(Point::Handshake, Effect::Refuse { code: 1601, message: None }).times(1)).unwrap();
    server.stop().await;
    let server = start().await.unwrap();
    let token = server.token("alice", 5).await.unwrap();
    assert!(Client::try_open(&server, "alice", 5, &token, "").await.is_none());
    assert!(Client::try_open(&server, "alice", 5, &token, "").await.is_some());
    server.stop().await;
}
