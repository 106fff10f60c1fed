//! Starting, stopping and starting again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use openim_devserver::{Config, DevServer, Environment, Error, NewUser};
use openim_proto::constants::operation;
use openim_proto::sdkws::{PullMessageBySeqsReq, PullMessageBySeqsResp, SeqRange};
use serde_json::json;
use support::{Client, Ended, Folder, data, server};

fn port(address: &str) -> u16 {
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn a_restart_on_the_same_folder_and_ports_forgets_nothing() {
    let folder = Folder::new("restart");
    let server = DevServer::start(folder.config()).await.unwrap();
    let addresses = server.addresses().clone();
    let alice_token = server.token("alice", 5).await.unwrap();
    let bob_token = server.token("bob", 5).await.unwrap();
    let mut alice = Client::open(&server, "alice", 5, &alice_token, "").await;
    let mut bob = Client::open(&server, "bob", 5, &bob_token, "").await;
    for text in ["one", "two", "three"] {
        assert_eq!(alice.send_text("bob", text).await.err_code, 0);
    }
    let read = json!({"conversationID": "si_alice_bob", "userID": "bob", "hasReadSeq": 2});
    data(&server, &bob_token, "/msg/mark_conversation_as_read", read).await;
    let pin = json!({"userIDs": ["bob"], "conversation": {"conversationID": "si_alice_bob", "conversationType": 1,
        "userID": "alice", "isPinned": true}});
    data(&server, &bob_token, "/conversation/set_conversations", pin).await;
    let version = json!({"userID": "bob", "versionID": "", "version": 0});
    let before = data(&server, &bob_token, "/conversation/get_incremental_conversations", version.clone()).await;
    server.stop().await;
    server.stop().await;
    assert_eq!(bob.ended().await.1, Ended::Bare);

    let config = Config {
        api_port: port(&addresses.api_addr),
        ws_port: port(&addresses.ws_addr),
        account_port: port(&addresses.account_addr),
        ..folder.config()
    };
    let server = DevServer::start(config).await.unwrap();
    assert_eq!(*server.addresses(), addresses);
    let mut bob = Client::open(&server, "bob", 5, &bob_token, "").await;
    let range = SeqRange { conversation_id: "si_alice_bob".into(), begin: 1, end: 9, num: 9 };
    let pull = PullMessageBySeqsReq { user_id: "bob".into(), seq_ranges: vec![range], order: 0 };
    let pulled: PullMessageBySeqsResp = bob.ask(operation::PULL_BY_RANGE, &pull).await;
    let messages = &pulled.msgs["si_alice_bob"].msgs;
    assert_eq!(messages.iter().map(|it| it.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(messages.iter().map(|it| it.is_read).collect::<Vec<_>>(), [true, true, false]);
    let states = data(
        &server,
        &bob_token,
        "/msg/get_conversations_has_read_and_max_seq",
        json!({"userID": "bob", "returnPinned": true}),
    )
    .await;
    assert_eq!(states["seqs"]["si_alice_bob"]["hasReadSeq"], 2);
    assert_eq!(states["pinnedConversationIDs"], json!(["si_alice_bob"]));
    let after = data(&server, &bob_token, "/conversation/get_incremental_conversations", version).await;
    assert_eq!(after, before);
    let mut alice = Client::open(&server, "alice", 5, &alice_token, "").await;
    alice.send_text("bob", "four").await;
    assert_eq!(bob.next_push().await.1.seq, 4);
    server.stop().await;
}

#[tokio::test]
async fn a_server_is_ready_at_once_and_all_its_listeners_answer() {
    let began = Instant::now();
    let server = server().await;
    println!("ready after {:?}", began.elapsed());
    let answer = support::http(&server.addresses().account_addr, "POST", "/account/login", &[], b"{}").await;
    assert_eq!(answer.status, 404);
    let users = vec![
        NewUser { user_id: "ann".into(), nickname: "Ann".into(), face_url: "http://a".into() },
        NewUser { user_id: "ben".into(), nickname: "Ben".into(), face_url: String::new() },
    ];
    server.register_users(users.clone()).await.unwrap();
    assert!(matches!(server.register_users(users).await, Err(Error::Refused { code: 1102, .. })));
    let token = server.token("ann", 7).await.unwrap();
    let found = data(&server, &token, "/user/get_users_info", json!({"userIDs": ["ann"]})).await;
    assert_eq!(
        (&found["usersInfo"][0]["nickname"], &found["usersInfo"][0]["faceURL"]),
        (&json!("Ann"), &json!("http://a"))
    );
    server.stop().await;
    assert!(matches!(server.token("ann", 7).await, Err(Error::Stopped)));
}

#[tokio::test]
async fn what_cannot_work_is_one_clear_line() {
    let first = server().await;
    let taken = Config { api_port: port(&first.addresses().api_addr), ..Config::default() };
    let error = DevServer::start(taken).await.unwrap_err();
    assert!(matches!(&error, Error::AddressInUse { addr } if addr.starts_with("127.0.0.1:")), "{error}");
    first.stop().await;

    let folder = Folder::new("errors");
    let running = DevServer::start(folder.config()).await.unwrap();
    assert!(matches!(DevServer::start(folder.config()).await, Err(Error::DatabaseInUse { .. })));
    running.stop().await;
    let file = folder.path().join("openim.db");
    std::fs::write(&file, vec![b'x'; 8192]).unwrap();
    let error = DevServer::start(folder.config()).await.unwrap_err();
    assert!(matches!(error, Error::DatabaseDamaged { .. }), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), vec![b'x'; 8192], "the file is untouched");
    let inside = Config { data_dir: Some(file), ..Config::default() };
    assert!(matches!(DevServer::start(inside).await, Err(Error::DataDir { .. })));
}

#[tokio::test]
async fn stopping_does_not_wait_for_clients_who_stay() {
    let server = server().await;
    let mut clients = Vec::new();
    for number in 0..20 {
        clients.push(Client::login(&server, &format!("u{number}"), 5).await);
    }
    let idle = tokio::net::TcpStream::connect(server.addresses().ws_addr.trim_start_matches("ws://")).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.stop()).await.expect("stop hangs");
    for client in &mut clients {
        assert_eq!(client.ended().await.1, Ended::Bare);
    }
    drop(idle);
}

#[tokio::test]
async fn tokens_end_with_the_injected_clock_and_ids_come_from_the_injected_chance() {
    let now = Arc::new(AtomicI64::new(1_700_000_000_000));
    let (clock, counter) = (now.clone(), AtomicU8::new(0));
    let chance = move |bytes: &mut [u8]| bytes.fill(counter.fetch_add(1, Ordering::Relaxed));
    let environment = Environment::new(move || clock.load(Ordering::Relaxed), chance);
    let server = DevServer::start_in(Config { token_expire_days: 1, ..Config::default() }, environment).await.unwrap();
    let token = server.token("alice", 5).await.unwrap();
    let time = data(&server, &token, "/msg/get_server_time", json!({})).await;
    assert_eq!(time["serverTime"], 1_700_000_000_000_i64);
    let mut alice = Client::open(&server, "alice", 5, &token, "").await;
    alice.send_text("alice", "note").await;
    let (_, message) = alice.next_push().await;
    let id = message.server_msg_id;
    assert!(id.len() == 32 && id.as_bytes().chunks(2).all(|digits| digits == &id.as_bytes()[..2]), "{id}");
    now.fetch_add(86_400_000, Ordering::Relaxed);
    let refused = support::call(&server, &token, "/msg/get_server_time", json!({})).await;
    assert_eq!((&refused["errCode"], &refused["errMsg"]), (&json!(1501), &json!("TokenExpiredError")));
    server.stop().await;
}
