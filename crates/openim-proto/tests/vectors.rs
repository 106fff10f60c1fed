//! The test vectors of the protocol (gateway.md section 12): each payload is decoded, compared with the message that it
//! stands for, and encoded again to the same bytes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]

use std::collections::BTreeMap;
use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openim_proto::Message;
use openim_proto::msg::GetConversationsHasReadAndMaxSeqReq;
use openim_proto::push::DelUserPushTokenReq;
use openim_proto::sdkws::{
    GetMaxSeqReq, GetMaxSeqResp, MsgData, PullMessageBySeqsReq, PullMsgs, PushMessages, SeqRange,
    SetAppBackgroundStatusReq, SubUserOnlineStatus, SubUserOnlineStatusElem, SubUserOnlineStatusTips,
};

/// Bytes of a hexadecimal text with blanks.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    assert_eq!(digits.len() % 2, 0, "odd number of digits: {text}");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[track_caller]
fn same_both_ways<M: Message + Default + PartialEq + Debug>(text: &str, message: &M) {
    let bytes = hex(text);
    assert_eq!(&M::decode(bytes.as_slice()).unwrap(), message);
    assert_eq!(message.encode_to_vec(), bytes);
}

fn range(conversation_id: &str, begin: i64, end: i64, num: i64) -> SeqRange {
    SeqRange { conversation_id: conversation_id.into(), begin, end, num }
}

#[test]
fn newest_seqs_are_asked_and_answered() {
    let request = GetMaxSeqReq { user_id: "u1".into() };
    same_both_ways("0A 02 75 31", &request);
    assert_eq!(STANDARD.encode(request.encode_to_vec()), "CgJ1MQ==");

    let one = GetMaxSeqResp { max_seqs: BTreeMap::from([("si_u1_u2".to_owned(), 7)]), min_seqs: BTreeMap::default() };
    same_both_ways("0A 0C 0A 08 73 69 5F 75 31 5F 75 32 10 07", &one);
    assert_eq!(STANDARD.encode(one.encode_to_vec()), "CgwKCHNpX3UxX3UyEAc=");

    // a map has no order on the wire: ours is sorted by key, the vector is not
    let two = "0A 0C 0A 08 73695F75315F7532 10 07 0A 0B 0A 07 6E5F75315F7532 10 03";
    let sorted = "0A 0B 0A 07 6E5F75315F7532 10 03 0A 0C 0A 08 73695F75315F7532 10 07";
    let both = GetMaxSeqResp {
        max_seqs: BTreeMap::from([("si_u1_u2".to_owned(), 7), ("n_u1_u2".to_owned(), 3)]),
        min_seqs: BTreeMap::default(),
    };
    assert_eq!(GetMaxSeqResp::decode(hex(two).as_slice()).unwrap(), both);
    same_both_ways(sorted, &both);
}

#[test]
fn ranges_are_pulled_after_connect_and_after_a_gap() {
    same_both_ways(
        "0A 02 7531 12 0E 0A 08 73695F75315F7532 18 07 20 01 12 0D 0A 07 6E5F75315F7532 18 03 20 01",
        &PullMessageBySeqsReq {
            user_id: "u1".into(),
            seq_ranges: vec![range("si_u1_u2", 0, 7, 1), range("n_u1_u2", 0, 3, 1)],
            order: 0,
        },
    );
    same_both_ways(
        "0A 02 7531 12 10 0A 08 73695F75315F7532 10 08 18 14 20 0A",
        &PullMessageBySeqsReq { user_id: "u1".into(), seq_ranges: vec![range("si_u1_u2", 8, 20, 10)], order: 0 },
    );
}

#[test]
fn read_cursors_of_all_conversations_are_asked() {
    same_both_ways(
        "0A 02 7531",
        &GetConversationsHasReadAndMaxSeqReq {
            user_id: "u1".into(),
            conversation_i_ds: Vec::new(),
            return_pinned: false,
        },
    );
}

#[test]
fn online_states_are_subscribed_and_told() {
    same_both_ways(
        "0A 02 7532",
        &SubUserOnlineStatus { subscribe_user_id: vec!["u2".into()], unsubscribe_user_id: Vec::new() },
    );
    same_both_ways(
        "0A 08 0A 02 7532 12 02 02 05",
        &SubUserOnlineStatusTips {
            subscribers: vec![SubUserOnlineStatusElem { user_id: "u2".into(), online_platform_i_ds: vec![2, 5] }],
        },
    );
}

#[test]
fn the_background_flag_is_set_and_cleared() {
    same_both_ways("0A 02 7531 10 01", &SetAppBackgroundStatusReq { user_id: "u1".into(), is_background: true });
    same_both_ways("0A 02 7531", &SetAppBackgroundStatusReq { user_id: "u1".into(), is_background: false });
}

#[test]
fn a_push_token_is_forgotten() {
    same_both_ways("0A 02 7531 10 05", &DelUserPushTokenReq { user_id: "u1".into(), platform_id: 5 });
}

#[test]
fn a_text_message_is_pushed() {
    let message = MsgData {
        send_id: "u2".into(),
        recv_id: "u1".into(),
        client_msg_id: "cm8".into(),
        server_msg_id: "sm8".into(),
        sender_platform_id: 2,
        session_type: 1,
        msg_from: 100,
        content_type: 101,
        content: br#"{"content":"yo"}"#.to_vec(),
        seq: 8,
        send_time: 1_700_000_000_100,
        create_time: 1_700_000_000_100,
        status: 2,
        ..Default::default()
    };
    same_both_ways(
        "0A4E 0A08 73695F75315F7532 1242 0A40 0A02 7532 1202 7531 2203 636D38 2A03 736D38 3002 4801 5064 5865 \
         6210 7B22636F6E74656E74223A22796F227D 7008 78E4D095FFBC31 8001E4D095FFBC31 880102",
        &PushMessages {
            msgs: BTreeMap::from([("si_u1_u2".to_owned(), PullMsgs { msgs: vec![message], ..Default::default() })]),
            ..Default::default()
        },
    );
}
