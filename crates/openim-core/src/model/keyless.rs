//! Messages as they cross into JavaScript in events: the values without their names, which would be two thirds of the
//! text. `js/keyless.js`, written from [`KEYS`], puts the names back.

use serde::ser::{Serialize, SerializeTuple, Serializer};

use super::{AttachedInfoElem, Message};

/// A message as the list of its values in the order of [`KEYS`], and then its element as an object of one member. What is
/// hardly ever anything but its default crosses as `null` then.
pub(crate) struct Keyless<'a>(pub(crate) &'a Message);

macro_rules! keys {
    ($message:ident: $($key:literal $value:expr,)*) => {
        /// Names of the values of a message, in order.
        pub const KEYS: &[&str] = &[$($key),*];

        impl Serialize for Keyless<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $message = self.0;
                let mut values = serializer.serialize_tuple(KEYS.len() + 1)?;
                $(values.serialize_element(&$value)?;)*
                values.serialize_element(&$message.body)?;
                values.end()
            }
        }
    };
}

keys! { message:
    "clientMsgID" message.client_msg_id,
    "serverMsgID" message.server_msg_id,
    "createTime" message.create_time,
    "sendTime" message.send_time,
    "sessionType" message.session_type,
    "sendID" message.send_id,
    "recvID" message.recv_id,
    "msgFrom" message.msg_from,
    "contentType" message.content_type,
    "senderPlatformID" message.sender_platform_id,
    "senderNickname" message.sender_nickname,
    "senderFaceUrl" message.sender_face_url,
    "groupID" message.group_id,
    "seq" message.seq,
    "isRead" message.is_read,
    "status" message.status,
    "offlinePush" message.offline_push,
    "attachedInfo" message.attached_info,
    "attachedInfoElem" given(&message.attached_info_elem),
    "ex" message.ex,
    "localEx" message.local_ex,
    "sendError" message.send_error,
}

fn given(elem: &AttachedInfoElem) -> Option<&AttachedInfoElem> {
    (*elem != AttachedInfoElem::default()).then_some(elem)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::model::{Body, GroupHasReadInfo, OfflinePush, SendError};

    /// What `js/keyless.js` does.
    fn with_keys(message: &Message) -> Value {
        let Value::Array(mut values) = serde_json::to_value(Keyless(message)).unwrap() else { panic!("a list") };
        let Some(Value::Object(element)) = values.pop() else { panic!("an element") };
        let mut object: Map<_, _> = KEYS.iter().map(|key| (*key).to_owned()).zip(values).collect();
        if object["attachedInfoElem"].is_null() {
            object["attachedInfoElem"] = json!(AttachedInfoElem::default());
        }
        object.extend(element);
        Value::Object(object)
    }

    #[test]
    fn with_its_keys_a_message_is_the_same_as_in_the_answer_of_a_query() {
        let full = Message {
            client_msg_id: "c".into(),
            server_msg_id: "s".into(),
            create_time: 1,
            send_time: 2,
            session_type: 3,
            send_id: "a".into(),
            recv_id: "b".into(),
            msg_from: 4,
            content_type: 101,
            sender_platform_id: 5,
            sender_nickname: "n".into(),
            sender_face_url: "f".into(),
            group_id: "g".into(),
            seq: 6,
            is_read: true,
            status: 7,
            offline_push: Some(Box::new(OfflinePush { title: "t".into(), ..OfflinePush::default() })),
            attached_info: "{}".into(),
            attached_info_elem: AttachedInfoElem {
                group_has_read_info: GroupHasReadInfo { has_read_count: 8, ..GroupHasReadInfo::default() },
                ..AttachedInfoElem::default()
            },
            ex: "x".into(),
            local_ex: "l".into(),
            send_error: Some(SendError { code: "e".into(), ..SendError::default() }),
            body: Body::from_content(101, r#"{"content":"hello"}"#.into()),
        };
        for message in [full, Message::default()] {
            assert_eq!(with_keys(&message), serde_json::to_value(&message).unwrap());
        }
    }
}
