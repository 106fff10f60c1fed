//! Levers on open connections: kicks, closes, silence and frames out of turn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use futures_util::StreamExt as _;
use openim_devserver::{Config, DevServer, Disturbance, Error, MultiLogin, RawFrame};
use openim_proto::constants::operation;
use openim_proto::envelope::{Response, decompress};
use openim_proto::sdkws::{GetMaxSeqReq, GetMaxSeqResp};
use serde_json::json;
use support::{Client, Ended, PATIENCE, call, server};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

fn send(frame: RawFrame) -> Disturbance {
    Disturbance::Send { frame }
}

async fn newest(client: &mut Client) -> GetMaxSeqResp {
    client.ask(operation::GET_NEWEST_SEQ, &GetMaxSeqReq { user_id: client.user.clone() }).await
}

#[tokio::test]
async fn a_kick_reaches_whom_it_names_and_ends_the_token() {
    let server = server().await;
    let token = server.token("alice", 5).await.unwrap();
    let mut alice = Client::open(&server, "alice", 5, &token, "").await;
    let mut phone = Client::login(&server, "alice", 2).await;
    let mut bob = Client::login(&server, "bob", 5).await;
    assert_eq!(server.disturb(Some("nobody"), None, Disturbance::Kick).unwrap(), 0);
    assert_eq!(server.disturb(Some("alice"), Some(5), Disturbance::Kick).unwrap(), 1);
    let (frames, end) = alice.ended().await;
    assert_eq!((frames.len(), frames[0].req_identifier, end), (1, operation::KICK_ONLINE, Ended::Bare));
    assert_eq!(call(&server, &token, "/msg/get_server_time", json!({})).await["errCode"], 1506);
    newest(&mut phone).await;
    assert_eq!(server.disturb(None, None, Disturbance::Kick).unwrap(), 2);
    for client in [&mut phone, &mut bob] {
        assert_eq!(client.ended().await.0.len(), 1);
    }
    server.stop().await;
}

#[tokio::test]
async fn connections_are_closed_with_or_without_a_frame_and_may_come_back() {
    let server = server().await;
    let token = server.token("alice", 5).await.unwrap();
    let close = |code: Option<u16>, reason: &str| Disturbance::Close { code, reason: reason.into() };
    for (code, reason, expected) in [
        (None, "", Ended::Bare),
        (Some(1001), "going away", Ended::Code(1001, "going away".into())),
        (Some(4999), "", Ended::Code(4999, String::new())),
    ] {
        let mut alice = Client::open(&server, "alice", 5, &token, "").await;
        newest(&mut alice).await;
        assert_eq!(server.disturb(Some("alice"), None, close(code, reason)).unwrap(), 1);
        assert_eq!(alice.ended().await, (vec![], expected));
    }
    let refused = server.disturb(Some("alice"), None, close(Some(1006), ""));
    assert!(matches!(refused, Err(Error::Args { field, .. }) if field == "code"));
    server.stop().await;
}

#[tokio::test]
async fn a_stalled_connection_is_silent_open_and_goes_on_afterwards() {
    let multi_login = MultiLogin { policy: 0, ..MultiLogin::default() };
    let server = DevServer::start(Config { multi_login, ..Config::default() }).await.unwrap();
    let mut alice = Client::login(&server, "alice", 5).await;
    newest(&mut alice).await;
    assert_eq!(server.disturb(Some("alice"), None, Disturbance::Stall).unwrap(), 1);
    alice.send_raw(Message::Ping(b"anybody there?".as_slice().into())).await;
    alice.send_raw(Message::text(r#"{"type":"ping"}"#)).await;
    // a connection that opens later is not concerned
    let mut other = Client::login(&server, "alice", 5).await;
    let mut bob = Client::login(&server, "bob", 5).await;
    assert_eq!(bob.send_text("alice", "hello").await.err_code, 0);
    assert_eq!(other.next_push().await.1.seq, 1);
    assert!(alice.has_nothing().await, "neither pongs nor the push");
    assert_eq!(server.disturb(Some("alice"), None, Disturbance::Resume).unwrap(), 2);
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(match alice.next_message().await {
            Message::Pong(payload) => String::from_utf8(payload.to_vec()).unwrap(),
            Message::Text(text) => text.to_string(),
            Message::Binary(frame) => Response::from_json(&frame).unwrap().req_identifier.to_string(),
            other => format!("{other:?}"),
        });
    }
    kinds.sort();
    assert_eq!(kinds, ["2001", "anybody there?", r#"{"type":"pong","body":null}"#]);
    newest(&mut alice).await;
    server.stop().await;
}

#[tokio::test]
async fn a_server_stops_although_connections_are_stalled() {
    let server = server().await;
    let _alice = Client::login(&server, "alice", 5).await;
    server.disturb(None, None, Disturbance::Stall).unwrap();
    tokio::time::timeout(PATIENCE, server.stop()).await.expect("stopping waits");
}

#[tokio::test]
async fn frames_out_of_turn_arrive_as_they_are() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    let disturb = |frame| assert_eq!(server.disturb(Some("alice"), Some(5), send(frame)).unwrap(), 1);
    disturb(RawFrame::Text { text: "no JSON".into() });
    assert_eq!(alice.next_message().await, Message::text("no JSON"));
    disturb(RawFrame::Binary { bytes: vec![0, 1, 2] });
    assert_eq!(alice.next_message().await, Message::binary(vec![0, 1, 2]));
    disturb(RawFrame::UnknownAnswer { operation: operation::SEND_MSG });
    let answer = alice.next_frame().await;
    assert_eq!((answer.req_identifier, answer.err_code), (operation::SEND_MSG, 0));
    assert!(!answer.msg_incr.is_empty());
    disturb(RawFrame::Garbage);
    let Message::Binary(noise) = alice.next_message().await else { panic!("not binary") };
    assert!(Response::from_json(&noise).is_err());
    disturb(RawFrame::Truncated);
    let Message::Binary(half) = alice.next_message().await else { panic!("not binary") };
    assert!(half.starts_with(b"{\"reqIdentifier\":") && Response::from_json(&half).is_err());
    disturb(RawFrame::Oversized { bytes: 3_000_000 });
    assert_eq!(alice.next_message().await.len(), 3_000_000);
    newest(&mut alice).await;
    server.stop().await;
}

#[tokio::test]
async fn a_text_that_is_not_utf8_breaks_the_protocol() {
    let server = server().await;
    let mut alice = Client::login(&server, "alice", 5).await;
    newest(&mut alice).await;
    server.disturb(Some("alice"), None, send(RawFrame::InvalidUtf8)).unwrap();
    assert!(matches!(alice.socket.next().await, Some(Err(WsError::Utf8(_)))));
    server.stop().await;
}

#[tokio::test]
async fn compressed_connections_get_their_own_kind_of_damage() {
    let server = server().await;
    let token = server.token("alice", 5).await.unwrap();
    let mut alice = Client::open(&server, "alice", 5, &token, "&compression=gzip").await;
    newest(&mut alice).await;
    server.disturb(Some("alice"), None, send(RawFrame::Truncated)).unwrap();
    let Message::Binary(half) = alice.next_message().await else { panic!("not binary") };
    assert!(half.starts_with(&[0x1f, 0x8b]) && decompress(&half, 1 << 20).is_err());
    server.disturb(Some("alice"), None, send(RawFrame::GzipBomb)).unwrap();
    let Message::Binary(bomb) = alice.next_message().await else { panic!("not binary") };
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    assert!(decompress(&bomb, 64 << 20).is_err(), "too large");
    assert_eq!(decompress(&bomb, 80 << 20).unwrap().len(), 80 << 20);
    server.stop().await;
}
