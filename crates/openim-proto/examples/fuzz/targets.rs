//! What is fuzzed, one case at a time. A target panics when something does not hold.

use std::fmt::Debug;

use openim_proto::constants::operation;
use openim_proto::envelope::{Request, Response, compress, decompress};
use openim_proto::wire::{Wire, WireFormat};
use openim_proto::{Message, content, msg, sdkws};
use peak_alloc::PeakAlloc;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::mutation;
use super::random::Random;
use super::seeds::Seeds;
use super::sender;

/// Counts what is allocated. Only the thread that fuzzes allocates while a case runs.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// A target: its name and its case.
pub type Target = (&'static str, fn(&mut Random, &Seeds));

/// All of them.
pub const TARGETS: [Target; 4] = [("frame", frame), ("gob", gob), ("protobuf", protobuf), ("content", contents)];

/// What frames may decompress to here.
const LIMIT: usize = 1 << 20;

const WIRES: [Wire; 4] = [
    Wire { format: WireFormat::Json, gzip: false },
    Wire { format: WireFormat::Json, gzip: true },
    Wire { format: WireFormat::Gob, gzip: false },
    Wire { format: WireFormat::Gob, gzip: true },
];

/// Envelopes take no more than this many times the input: strings and data of at most its size, and for gob the sender's
/// definitions, of which the smallest field takes six bytes and 24 in memory, three times over while the list grows.
const ENVELOPE_FACTOR: usize = 16;

/// The smallest message inside another takes two bytes, a list that grows holds its elements three times.
const MESSAGE_FACTOR: usize = 2 * size_of::<sdkws::MsgData>();

/// JSON of any form is kept where a message quotes another: a map with one entry takes a node for eleven.
const JSON_FACTOR: usize = 128;

/// Errors, tables and buffers of their own.
const SLACK: usize = 8 * 1024;

/// State of the gzip coders.
const GZIP_SLACK: usize = 512 * 1024;

/// Runs `decode` and checks what it allocated at its peak.
fn measured<T>(bound: usize, decode: impl FnOnce() -> T) -> T {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let decoded = decode();
    let peak = HEAP.peak_usage().saturating_sub(before);
    assert!(peak <= bound, "{peak} bytes allocated, at most {bound} expected");
    decoded
}

/// Envelopes in JSON and gob, with and without gzip.
fn frame(random: &mut Random, seeds: &Seeds) {
    let wire = *random.pick(&WIRES);
    let is_request = random.once_in(2);
    let plain = Wire { gzip: false, ..wire };
    let envelope = if is_request {
        let request = request(random, seeds);
        requests_survive(&request);
        plain.encode_request(&request)
    } else {
        let response = response(random, seeds);
        responses_survive(&response);
        plain.encode_response(&response)
    };
    let damaged = match serde_json::from_slice::<Value>(&envelope) {
        Ok(value) if random.once_in(2) => mutation::json(random, value).to_string().into_bytes(),
        _ => mutation::bytes(random, envelope, &seeds.gob),
    };
    let frame = match (wire.gzip, random.below(8)) {
        (false, _) => damaged,
        (true, 0) => mutation::bytes(random, compress(&damaged), &seeds.gob),
        (true, 1) if random.once_in(20) => compress(&vec![b'['; LIMIT * (1 + random.below(8))]),
        (true, _) => compress(&damaged),
    };
    let bound = if wire.gzip {
        // content and its growing buffer
        let content = decompress(&frame, LIMIT).map_or(LIMIT, |content| content.len());
        (ENVELOPE_FACTOR + 3) * content + 8 * frame.len() + GZIP_SLACK
    } else {
        ENVELOPE_FACTOR * frame.len() + SLACK
    };
    if is_request {
        if let Ok(request) = measured(bound, || wire.decode_request(&frame, LIMIT)) {
            requests_survive(&request);
        }
    } else if let Ok(response) = measured(bound, || wire.decode_response(&frame, LIMIT)) {
        responses_survive(&response);
    }
}

/// A request with a payload that may mean nothing.
fn request(random: &mut Random, seeds: &Seeds) -> Request {
    let mut request = random.pick(&seeds.requests).clone();
    request.data = mutation::protobuf(random, &request.data, &seeds.payloads);
    match random.below(5) {
        0 => request.req_identifier = random.number() as i32,
        1 => request.send_id = text(random, &request.send_id),
        2 => request.msg_incr = text(random, &request.msg_incr),
        3 => request.token = text(random, &request.token),
        _ => request.operation_id = text(random, &request.operation_id),
    }
    request
}

/// An answer or a push with a payload that may mean nothing.
fn response(random: &mut Random, seeds: &Seeds) -> Response {
    let mut response = random.pick(&seeds.responses).clone();
    response.data = mutation::protobuf(random, &response.data, &seeds.payloads);
    match random.below(5) {
        0 => response.req_identifier = random.number() as i32,
        1 => response.err_code = random.number() as i32,
        2 => response.err_msg = text(random, &response.err_msg),
        3 => response.msg_incr = text(random, &response.msg_incr),
        _ => response.operation_id = text(random, &response.operation_id),
    }
    response
}

fn text(random: &mut Random, text: &str) -> String {
    String::from_utf8_lossy(&mutation::bytes(random, text.as_bytes().to_vec(), &[])).into_owned()
}

/// decode(encode(x)) == x, on every wire.
fn requests_survive(request: &Request) {
    for wire in WIRES {
        let frame = wire.encode_request(request);
        let back = wire.decode_request(&frame, LIMIT).expect("what was written is read");
        assert_eq!(&back, request, "{wire:?}");
    }
}

fn responses_survive(response: &Response) {
    for wire in WIRES {
        let frame = wire.encode_response(response);
        let back = wire.decode_response(&frame, LIMIT).expect("what was written is read");
        let mut expected = response.clone();
        // in JSON such answers have no payload, as with the real server
        if wire.format == WireFormat::Json
            && (response.err_code != 0
                || matches!(response.req_identifier, operation::KICK_ONLINE | operation::SET_BACKGROUND))
        {
            expected.data.clear();
        }
        assert_eq!(back, expected, "{wire:?}");
    }
}

/// Gob streams of senders with other types than ours, sound and damaged.
fn gob(random: &mut Random, seeds: &Seeds) {
    let stream = if random.once_in(2) {
        let (stream, expected) = sender::request(random);
        let read = Request::from_gob(&stream).expect("a sound stream is read");
        assert_eq!(read, expected);
        stream
    } else {
        random.pick(&seeds.gob).clone()
    };
    let stream = mutation::bytes(random, stream, &seeds.gob);
    let bound = ENVELOPE_FACTOR * stream.len() + SLACK;
    if let Ok(request) = measured(bound, || Request::from_gob(&stream)) {
        requests_survive(&request);
    }
    if let Ok(response) = measured(bound, || Response::from_gob(&stream)) {
        responses_survive(&response);
    }
}

fn message_survives<M: Message + Default + PartialEq + Debug + Serialize + DeserializeOwned>(payload: &[u8]) {
    let Ok(message) = measured(MESSAGE_FACTOR * payload.len() + SLACK, || M::decode(payload)) else { return };
    let back = M::decode(message.encode_to_vec().as_slice()).expect("what was written is read");
    assert_eq!(back, message);
    json_survives(&message);
}

/// The same for JSON, the form of notifications and REST bodies.
fn json_survives<T: PartialEq + Debug + Serialize + DeserializeOwned>(value: &T) {
    let text = serde_json::to_vec(value).expect("values are written");
    let back: T = serde_json::from_slice(&text).expect("what was written is read");
    assert_eq!(&back, value);
}

/// Payloads: pushes, pulls, messages, requests.
fn protobuf(random: &mut Random, seeds: &Seeds) {
    let mut payload = random.pick(&seeds.payloads).clone();
    for _ in 0..=random.below(3) {
        payload = mutation::protobuf(random, &payload, &seeds.payloads);
    }
    for check in [
        message_survives::<sdkws::PushMessages>,
        message_survives::<sdkws::PullMessageBySeqsResp>,
        message_survives::<sdkws::MsgData>,
        message_survives::<msg::GetSeqMessageResp>,
        message_survives::<msg::GetLastMessageResp>,
        message_survives::<msg::GetConversationsHasReadAndMaxSeqResp>,
        message_survives::<sdkws::GetMaxSeqResp>,
        message_survives::<sdkws::UserSendMsgResp>,
        message_survives::<sdkws::SubUserOnlineStatusTips>,
        message_survives::<sdkws::PullMessageBySeqsReq>,
        message_survives::<msg::GetSeqMessageReq>,
        message_survives::<msg::GetLastMessageReq>,
        message_survives::<sdkws::SubUserOnlineStatus>,
    ] {
        check(&payload);
    }
}

fn content_survives<T: PartialEq + Debug + Serialize + DeserializeOwned>(text: &[u8]) {
    if let Ok(value) = measured(JSON_FACTOR * text.len() + SLACK, || serde_json::from_slice::<T>(text)) {
        json_survives(&value);
    }
}

/// Contents of messages, and the details of notifications.
fn contents(random: &mut Random, seeds: &Seeds) {
    let seed = random.pick(&seeds.contents);
    let damaged = match serde_json::from_slice::<Value>(seed) {
        Ok(mut value) if !random.once_in(4) => {
            for _ in 0..=random.below(3) {
                value = mutation::json(random, value);
            }
            value.to_string().into_bytes()
        }
        _ => mutation::bytes(random, seed.clone(), &seeds.contents),
    };
    for check in ELEMENTS {
        check(&damaged);
    }
    if let Ok(notification) = serde_json::from_slice::<content::NotificationElem>(&damaged) {
        for check in TIPS {
            check(notification.detail.as_bytes());
        }
    }
}

const ELEMENTS: [fn(&[u8]); 17] = [
    content_survives::<content::TextElem>,
    content_survives::<content::MarkdownTextElem>,
    content_survives::<content::PictureElem>,
    content_survives::<content::SoundElem>,
    content_survives::<content::VideoElem>,
    content_survives::<content::FileElem>,
    content_survives::<content::AtTextElem>,
    content_survives::<content::MergeElem>,
    content_survives::<content::CardElem>,
    content_survives::<content::LocationElem>,
    content_survives::<content::CustomElem>,
    content_survives::<content::QuoteElem>,
    content_survives::<content::FaceElem>,
    content_survives::<content::AdvancedTextElem>,
    content_survives::<content::TypingElem>,
    content_survives::<content::NotificationElem>,
    content_survives::<content::MessageEntity>,
];

const TIPS: [fn(&[u8]); 37] = [
    content_survives::<sdkws::FriendApplicationApprovedTips>,
    content_survives::<sdkws::FriendApplicationRejectedTips>,
    content_survives::<sdkws::FriendApplicationTips>,
    content_survives::<sdkws::FriendDeletedTips>,
    content_survives::<sdkws::FriendInfoChangedTips>,
    content_survives::<sdkws::BlackAddedTips>,
    content_survives::<sdkws::BlackDeletedTips>,
    content_survives::<sdkws::UserInfoUpdatedTips>,
    content_survives::<sdkws::FriendsInfoUpdateTips>,
    content_survives::<sdkws::ConversationUpdateTips>,
    content_survives::<sdkws::GroupCreatedTips>,
    content_survives::<sdkws::GroupInfoSetTips>,
    content_survives::<sdkws::JoinGroupApplicationTips>,
    content_survives::<sdkws::MemberQuitTips>,
    content_survives::<sdkws::GroupApplicationAcceptedTips>,
    content_survives::<sdkws::GroupApplicationRejectedTips>,
    content_survives::<sdkws::GroupOwnerTransferredTips>,
    content_survives::<sdkws::MemberKickedTips>,
    content_survives::<sdkws::MemberInvitedTips>,
    content_survives::<sdkws::MemberEnterTips>,
    content_survives::<sdkws::GroupDismissedTips>,
    content_survives::<sdkws::GroupMemberMutedTips>,
    content_survives::<sdkws::GroupMemberCancelMutedTips>,
    content_survives::<sdkws::GroupMutedTips>,
    content_survives::<sdkws::GroupCancelMutedTips>,
    content_survives::<sdkws::GroupMemberInfoSetTips>,
    content_survives::<sdkws::GroupInfoSetAnnouncementTips>,
    content_survives::<sdkws::GroupInfoSetNameTips>,
    content_survives::<sdkws::ConversationSetPrivateTips>,
    content_survives::<sdkws::ClearConversationTips>,
    content_survives::<sdkws::MessageRevokedContent>,
    content_survives::<sdkws::RevokeMsgTips>,
    content_survives::<sdkws::DeleteMsgsTips>,
    content_survives::<sdkws::MarkAsReadTips>,
    content_survives::<sdkws::GroupInfo>,
    content_survives::<sdkws::GroupMemberFullInfo>,
    content_survives::<sdkws::UserInfo>,
];
