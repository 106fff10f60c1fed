//! What cases begin with: the captured frames, and what is inside them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openim_proto::Message as _;
use openim_proto::envelope::{Request, Response, decompress};
use openim_proto::sdkws::{MsgData, PullMessageBySeqsResp, PushMessages};
use serde_json::Value;

/// Well-formed material.
pub struct Seeds {
    /// Requests of clients.
    pub requests: Vec<Request>,
    /// Answers and pushes of servers.
    pub responses: Vec<Response>,
    /// Gob streams of all kinds of senders.
    pub gob: Vec<Vec<u8>>,
    /// Payloads of the above.
    pub payloads: Vec<Vec<u8>>,
    /// Contents of messages and notifications.
    pub contents: Vec<Vec<u8>>,
}

fn rows(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("golden rows are JSON"))
}

fn bytes(row: &Value, key: &str) -> Vec<u8> {
    STANDARD.decode(row[key].as_str().expect("golden rows have bytes")).expect("golden bytes are base64")
}

impl Seeds {
    /// Reads the golden files.
    pub fn load() -> Self {
        let (mut requests, mut responses, mut gob) = (Vec::new(), Vec::new(), Vec::new());
        let json = rows(include_str!("../../tests/golden/frames.jsonl"))
            .map(|row| (bytes(&row, "payload_base64"), row, false));
        let packed = rows(include_str!("../../tests/golden/gob_frames.jsonl")).map(|row| {
            let frame = decompress(&bytes(&row, "payload_base64"), 1 << 20).expect("golden frames are gzip members");
            (frame, row, true)
        });
        for (frame, row, is_gob) in json.chain(packed) {
            if row["dir"] == "c2s" {
                let request = if is_gob { Request::from_gob(&frame) } else { Request::from_json(&frame) };
                requests.push(request.expect("golden requests are read"));
            } else {
                let response = if is_gob { Response::from_gob(&frame) } else { Response::from_json(&frame) };
                responses.push(response.expect("golden responses are read"));
            }
            if is_gob {
                gob.push(frame);
            }
        }
        gob.extend(rows(include_str!("../../tests/golden/gob_senders.jsonl")).map(|row| bytes(&row, "frame_base64")));
        let payloads = requests.iter().map(|request| request.data.clone());
        let mut payloads: Vec<Vec<u8>> =
            payloads.chain(responses.iter().map(|response| response.data.clone())).collect();
        payloads.sort();
        payloads.dedup();
        let mut contents: Vec<Vec<u8>> = payloads.iter().flat_map(|payload| contents(payload)).collect();
        contents.sort();
        contents.dedup();
        Self { requests, responses, gob, payloads, contents }
    }
}

/// Contents of the messages in a payload, whichever message it is.
fn contents(payload: &[u8]) -> Vec<Vec<u8>> {
    let push = PushMessages::decode(payload).map(|push| (push.msgs, push.notification_msgs));
    let pull = PullMessageBySeqsResp::decode(payload).map(|pull| (pull.msgs, pull.notification_msgs));
    let pulled = push
        .into_iter()
        .chain(pull)
        .flat_map(|(chats, notifications)| chats.into_values().chain(notifications.into_values()));
    let messages = pulled.flat_map(|pulled| pulled.msgs).chain(MsgData::decode(payload));
    messages.map(|message| message.content).filter(|content| content.first() == Some(&b'{')).collect()
}
