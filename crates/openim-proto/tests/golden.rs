//! Frames and REST rows captured from a real server and real clients, read and written again.
//!
//! `golden/frames.jsonl`: `dir` (c2s or s2c), `payload_base64` (one WebSocket message, JSON envelope), `decoded` (what an
//! independent decoder made of it; zero values left out, contents parsed). `golden/http.jsonl`: one entity each.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openim_proto::conversation::Conversation;
use openim_proto::envelope::{Request, Response};
use openim_proto::jssdk::GetActiveConversationsResp;
use openim_proto::{Message, msg, sdkws};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn frames() -> Vec<Value> {
    rows(include_str!("golden/frames.jsonl"))
}

fn bytes(row: &Value, key: &str) -> Vec<u8> {
    STANDARD.decode(row[key].as_str().unwrap()).unwrap()
}

fn text_of(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_default().to_owned()
}

#[test]
fn requests_are_read_and_survive_being_written() {
    let mut seen = 0;
    for row in frames().iter().filter(|row| row["dir"] == "c2s") {
        let request = Request::from_json(&bytes(row, "payload_base64")).unwrap();
        let decoded = &row["decoded"];
        assert_eq!(i64::from(request.req_identifier), decoded["reqIdentifier"]);
        assert_eq!(request.send_id, text_of(decoded, "sendID"));
        assert_eq!(request.operation_id, text_of(decoded, "operationID"));
        assert_eq!(request.msg_incr, text_of(decoded, "msgIncr"));
        // clients differ in the order of the keys, so the values are what counts
        assert_eq!(Request::from_json(&request.to_json()).unwrap(), request);
        seen += 1;
    }
    assert!(seen > 20, "{seen} requests");
}

#[test]
fn responses_and_pushes_are_written_byte_for_byte() {
    let mut seen = 0;
    for row in frames().iter().filter(|row| row["dir"] == "s2c") {
        let frame = bytes(row, "payload_base64");
        let response = Response::from_json(&frame).unwrap();
        let decoded = &row["decoded"];
        assert_eq!(i64::from(response.req_identifier), decoded["reqIdentifier"]);
        assert_eq!(response.operation_id, text_of(decoded, "operationID"));
        assert_eq!(response.msg_incr, text_of(decoded, "msgIncr"));
        assert_eq!(i64::from(response.err_code), decoded["errCode"]);
        assert_eq!(response.err_msg, text_of(decoded, "errMsg"));
        assert_eq!(String::from_utf8(response.to_json()).unwrap(), String::from_utf8(frame).unwrap());
        seen += 1;
    }
    assert!(seen > 50, "{seen} responses");
}

/// Leaves out what the independent decoder leaves out. Options are complete there, contents are compared as a whole.
fn without_zeros(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept: Map<String, Value> = fields
                .into_iter()
                .map(|(key, field)| match key.as_str() {
                    "options" | "content" => (key, field),
                    _ => (key, without_zeros(field)),
                })
                .filter(|(_, field)| !is_zero(field))
                .collect();
            Value::Object(kept)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_zeros).collect()),
        other => other,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Replaces the base64 of every content by `{json, detail?}`.
fn with_parsed_contents(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let (true, Some(Value::String(text))) = (fields.contains_key("contentType"), fields.get("content")) {
                let json: Option<Value> = serde_json::from_slice(&STANDARD.decode(text).unwrap()).ok();
                let mut parsed = Map::new();
                if let Some(detail) = json.as_ref().and_then(|json| json["detail"].as_str()) {
                    parsed.insert("detail".to_owned(), serde_json::from_str(detail).unwrap());
                }
                parsed.extend(json.map(|json| ("json".to_owned(), json)));
                fields.insert("content".to_owned(), Value::Object(parsed));
            }
            fields.values_mut().for_each(with_parsed_contents);
        }
        Value::Array(items) => items.iter_mut().for_each(with_parsed_contents),
        _ => {}
    }
}

/// Go writes both halves of a map entry even when they are zero, and walks maps in no fixed order.
fn bytes_are_determined(decoded: &Value) -> bool {
    match decoded {
        Value::Object(fields) => fields.iter().all(|(key, field)| match (key.as_str(), field) {
            ("options" | "msgs" | "notificationMsgs" | "maxSeqs" | "seqs", Value::Object(entries)) => {
                entries.len() < 2
                    && entries.values().all(|entry| entry != &Value::Bool(false) && bytes_are_determined(entry))
            }
            ("content", _) => true,
            _ => bytes_are_determined(field),
        }),
        Value::Array(items) => items.iter().all(bytes_are_determined),
        _ => true,
    }
}

/// Whether the bytes had to be, and were, the same.
fn check_payload<M: Message + Default + PartialEq + Serialize>(data: &[u8], decoded: &Value) -> bool {
    let message = M::decode(data).unwrap();
    let mut ours = serde_json::to_value(&message).unwrap();
    with_parsed_contents(&mut ours);
    assert_eq!(without_zeros(ours), without_zeros(decoded.clone()));

    let written = message.encode_to_vec();
    if bytes_are_determined(decoded) {
        assert_eq!(written, data, "{decoded}");
        return true;
    }
    assert!(M::decode(written.as_slice()).unwrap() == message);
    false
}

#[test]
fn payloads_agree_with_an_independent_decoder() {
    let (mut kinds, mut exact) = (BTreeSet::new(), 0);
    for row in frames() {
        let decoded = &row["decoded"];
        let Some(kind) = decoded["dataType"].as_str() else { continue };
        let frame = bytes(&row, "payload_base64");
        let data = if row["dir"] == "c2s" {
            Request::from_json(&frame).unwrap().data
        } else {
            Response::from_json(&frame).unwrap().data
        };
        let check = match kind {
            "MsgData" => check_payload::<sdkws::MsgData>,
            "UserSendMsgResp" => check_payload::<sdkws::UserSendMsgResp>,
            "PushMessages" => check_payload::<sdkws::PushMessages>,
            "GetMaxSeqReq" => check_payload::<sdkws::GetMaxSeqReq>,
            "GetMaxSeqResp" => check_payload::<sdkws::GetMaxSeqResp>,
            "PullMessageBySeqsReq" => check_payload::<sdkws::PullMessageBySeqsReq>,
            "PullMessageBySeqsResp" => check_payload::<sdkws::PullMessageBySeqsResp>,
            "GetSeqMessageReq" => check_payload::<msg::GetSeqMessageReq>,
            "GetSeqMessageResp" => check_payload::<msg::GetSeqMessageResp>,
            "GetConversationsHasReadAndMaxSeqReq" => check_payload::<msg::GetConversationsHasReadAndMaxSeqReq>,
            "GetConversationsHasReadAndMaxSeqResp" => check_payload::<msg::GetConversationsHasReadAndMaxSeqResp>,
            "GetLastMessageReq" => check_payload::<msg::GetLastMessageReq>,
            "GetLastMessageResp" => check_payload::<msg::GetLastMessageResp>,
            "SetAppBackgroundStatusReq" => check_payload::<sdkws::SetAppBackgroundStatusReq>,
            "SubUserOnlineStatus" => check_payload::<sdkws::SubUserOnlineStatus>,
            "SubUserOnlineStatusTips" => check_payload::<sdkws::SubUserOnlineStatusTips>,
            other => panic!("no message for {other}"),
        };
        if decoded.get("dataError").is_some() {
            assert!(sdkws::MsgData::decode(data.as_slice()).is_err());
            continue;
        }
        exact += usize::from(check(&data, &decoded["data"]));
        kinds.insert(kind.to_owned());
    }
    assert_eq!(kinds.len(), 16, "{kinds:?}");
    assert!(exact >= 20, "only {exact} payloads were compared byte for byte");
}

/// Reads a tips struct from its JSON and writes the same JSON.
#[track_caller]
fn same_json<T: DeserializeOwned + Serialize>(json: &Value) {
    let value: T = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&value).unwrap(), json);
}

/// Every notification below `value`: its content type and the parsed detail.
fn notifications<'a>(value: &'a Value, found: &mut Vec<(i64, &'a Value)>) {
    match value {
        Value::Object(fields) => {
            if let (Some(kind), Some(detail)) = (value["contentType"].as_i64(), value["content"].get("detail")) {
                found.push((kind, detail));
            }
            fields.values().for_each(|field| notifications(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| notifications(item, found)),
        _ => {}
    }
}

#[test]
fn tips_keep_their_json_form() {
    use sdkws::*;
    let frames = frames();
    let mut found = Vec::new();
    frames.iter().for_each(|row| notifications(&row["decoded"], &mut found));
    let mut kinds = BTreeSet::new();
    for (kind, detail) in found {
        let check = match kind {
            1201 => same_json::<FriendApplicationApprovedTips>,
            1202 => same_json::<FriendApplicationRejectedTips>,
            1203 => same_json::<FriendApplicationTips>,
            1205 => same_json::<FriendDeletedTips>,
            1206 => same_json::<FriendInfoChangedTips>,
            1207 => same_json::<BlackAddedTips>,
            1208 => same_json::<BlackDeletedTips>,
            1209 | 1303 => same_json::<UserInfoUpdatedTips>,
            1210 => same_json::<FriendsInfoUpdateTips>,
            1300 => same_json::<ConversationUpdateTips>,
            1501 => same_json::<GroupCreatedTips>,
            1502 => same_json::<GroupInfoSetTips>,
            1503 => same_json::<JoinGroupApplicationTips>,
            1504 => same_json::<MemberQuitTips>,
            1505 => same_json::<GroupApplicationAcceptedTips>,
            1506 => same_json::<GroupApplicationRejectedTips>,
            1507 => same_json::<GroupOwnerTransferredTips>,
            1508 => same_json::<MemberKickedTips>,
            1509 => same_json::<MemberInvitedTips>,
            1510 => same_json::<MemberEnterTips>,
            1511 => same_json::<GroupDismissedTips>,
            1512 => same_json::<GroupMemberMutedTips>,
            1513 => same_json::<GroupMemberCancelMutedTips>,
            1514 => same_json::<GroupMutedTips>,
            1515 => same_json::<GroupCancelMutedTips>,
            1516..=1518 => same_json::<GroupMemberInfoSetTips>,
            1519 => same_json::<GroupInfoSetAnnouncementTips>,
            1520 => same_json::<GroupInfoSetNameTips>,
            1701 => same_json::<ConversationSetPrivateTips>,
            1703 => same_json::<ClearConversationTips>,
            2101 if detail.get("revokerID").is_some() => same_json::<MessageRevokedContent>,
            2101 => same_json::<RevokeMsgTips>,
            2102 => same_json::<DeleteMsgsTips>,
            2200 => same_json::<MarkAsReadTips>,
            // the application's own
            2001 => continue,
            other => panic!("no tips for {other}"),
        };
        check(detail);
        kinds.insert((kind, detail.get("revokerID").is_some()));
    }
    assert_eq!(kinds.len(), 37, "{kinds:?}");
}

#[test]
fn entities_of_the_rest_api_keep_their_json_form() {
    let mut kinds = BTreeSet::new();
    for row in rows(include_str!("golden/http.jsonl")) {
        let kind = row["kind"].as_str().unwrap();
        kinds.insert(kind.to_owned());
        if row.get("protobuf_base64").is_some() {
            let message = GetActiveConversationsResp::decode(bytes(&row, "protobuf_base64").as_slice()).unwrap();
            assert_eq!(message.conversations.len(), 2);
            same_json::<GetActiveConversationsResp>(&serde_json::to_value(&message).unwrap());
            continue;
        }
        let check = match kind {
            "Conversation" => same_json::<Conversation>,
            "UserInfo" => same_json::<sdkws::UserInfo>,
            "FriendInfo" => same_json::<sdkws::FriendInfo>,
            "FriendRequest" => same_json::<sdkws::FriendRequest>,
            "BlackInfo" => same_json::<sdkws::BlackInfo>,
            "GroupInfo" => same_json::<sdkws::GroupInfo>,
            "GroupMemberFullInfo" => same_json::<sdkws::GroupMemberFullInfo>,
            "GroupRequest" => same_json::<sdkws::GroupRequest>,
            "GetActiveConversationsResp" => same_json::<GetActiveConversationsResp>,
            other => panic!("no entity for {other}"),
        };
        check(&row["value"]);
    }
    assert_eq!(kinds.len(), 9, "{kinds:?}");
}
