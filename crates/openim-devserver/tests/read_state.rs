//! Reading: cursors, receipts, and the messages that become read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use openim_proto::constants::content_type;
use openim_proto::sdkws::MsgData;
use serde_json::{Value, json};
use support::{Client, data, server};

/// The tips inside a notification.
fn tips(message: &MsgData) -> Value {
    let content: Value = serde_json::from_slice(&message.content).unwrap();
    serde_json::from_str(content["detail"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_read_chat_tells_the_peer_and_is_stored_in_the_notification_stream() {
    let server = server().await;
    let bob_token = server.token("bob", 5).await.unwrap();
    let mut alice = Client::login(&server, "alice", 5).await;
    let mut bob = Client::open(&server, "bob", 5, &bob_token, "").await;
    for text in ["one", "two", "three"] {
        alice.send_text("bob", text).await;
        alice.next_push().await;
        bob.next_push().await;
    }
    let request = json!({"conversationID": "si_alice_bob", "userID": "bob", "hasReadSeq": 2, "seqs": [1, 3]});
    data(&server, &bob_token, "/msg/mark_conversation_as_read", request).await;
    for client in [&mut alice, &mut bob] {
        let (name, receipt) = client.next_push().await;
        assert_eq!((name.as_str(), receipt.seq, receipt.content_type), ("n_alice_bob", 1, content_type::READ_RECEIPT));
        assert_eq!((receipt.send_id.as_str(), receipt.recv_id.as_str(), receipt.msg_from), ("bob", "alice", 200));
        let expected =
            json!({"markAsReadUserID": "bob", "conversationID": "si_alice_bob", "seqs": [1, 2, 3], "hasReadSeq": 2});
        assert_eq!(tips(&receipt), expected);
    }
    let range = json!({"userID": "bob", "seqRanges": [{"conversationID": "si_alice_bob", "begin": 1, "end": 9, "num": 9},
        {"conversationID": "n_alice_bob", "begin": 1, "end": 9, "num": 1}], "order": 0});
    let pulled = data(&server, &bob_token, "/msg/pull_msg_by_seq", range).await;
    let read: Vec<bool> =
        pulled["msgs"]["si_alice_bob"]["Msgs"].as_array().unwrap().iter().map(|it| it["isRead"] == true).collect();
    assert_eq!(read, [true, true, true]);
    assert_eq!(pulled["notificationMsgs"]["n_alice_bob"]["Msgs"].as_array().unwrap().len(), 1);

    let request = json!({"conversationID": "si_alice_bob", "userID": "bob", "seqs": [3]});
    data(&server, &bob_token, "/msg/mark_msgs_as_read", request).await;
    let (_, receipt) = alice.next_push().await;
    assert_eq!((receipt.seq, tips(&receipt)["hasReadSeq"].as_i64()), (2, Some(3)));
    bob.next_push().await;

    // to oneself nothing is stored, and backwards is allowed
    let request = json!({"conversationID": "si_alice_bob", "userID": "bob", "hasReadSeq": 1, "noNotification": true});
    data(&server, &bob_token, "/msg/set_conversation_has_read_seq", request).await;
    let (name, receipt) = bob.next_push().await;
    assert_eq!((name.as_str(), receipt.seq), ("n_bob_bob", 0));
    assert_eq!(tips(&receipt)["seqs"], Value::Null);
    let states =
        data(&server, &bob_token, "/msg/get_conversations_has_read_and_max_seq", json!({"userID": "bob"})).await;
    assert_eq!(states["seqs"]["si_alice_bob"]["hasReadSeq"], 1);
    let newest = data(&server, &bob_token, "/msg/newest_seq", json!({"userID": "bob"})).await;
    assert_eq!(newest["maxSeqs"], json!({"si_alice_bob": 3, "n_alice_bob": 2}));
    server.stop().await;
}

#[tokio::test]
async fn private_chat_comes_twice_the_copy_first() {
    let server = server().await;
    let token = server.token("alice", 5).await.unwrap();
    let mut alice = Client::open(&server, "alice", 5, &token, "").await;
    let mut bob = Client::login(&server, "bob", 5).await;
    let change = json!({"userIDs": ["alice"], "conversation": {"conversationID": "si_alice_bob", "conversationType": 1,
        "userID": "bob", "isPrivateChat": true, "burnDuration": 30}});
    data(&server, &token, "/conversation/set_conversations", change).await;
    let (name, changed) = alice.next_push().await;
    assert_eq!((name.as_str(), changed.content_type, changed.seq), ("n_alice_alice", 1300, 0));
    assert_eq!(tips(&changed), json!({"userID": "alice", "conversationIDList": ["si_alice_bob"]}));
    for client in [&mut alice, &mut bob] {
        let (name, copy) = client.next_push().await;
        assert_eq!((name.as_str(), copy.seq, copy.content_type, copy.status), ("si_alice_bob", 1, 1701, 0));
        assert_eq!(copy.options, [("unreadCount".to_owned(), true), ("offlinePush".to_owned(), false)].into());
        let (name, notification) = client.next_push().await;
        assert_eq!((name.as_str(), notification.seq), ("n_alice_bob", 0));
        assert_eq!(notification.client_msg_id, copy.client_msg_id);
        assert_eq!(notification.options.len(), 11);
        assert!(!notification.options["unreadCount"]);
    }
    let records = json!({"ownerUserID": "bob", "conversationIDs": ["si_alice_bob"]});
    let bob_token = server.token("bob", 5).await.unwrap();
    let records = data(&server, &bob_token, "/conversation/get_conversations", records).await;
    assert_eq!(records["conversations"][0]["isPrivateChat"], true);
    assert_eq!(records["conversations"][0]["burnDuration"], 0);
    server.stop().await;
}
