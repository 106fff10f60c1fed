//! Messages.

use openim_proto::constants::content_type as t;
use openim_proto::content::{
    AdvancedTextElem, AtTextElem, CardElem, CustomElem, FaceElem, FileElem, LocationElem, MarkdownTextElem, MergeElem,
    NotificationElem, PictureElem, QuoteElem, SoundElem, TextElem, TypingElem, VideoElem,
};
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A message. `body` is flattened: exactly one element key, chosen by `content_type`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(rename = "MessageBase"))]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Id chosen by the sender.
    #[serde(rename = "clientMsgID")]
    pub client_msg_id: String,
    /// Id given by the server; empty until it accepted the message.
    #[serde(rename = "serverMsgID", default)]
    pub server_msg_id: String,
    /// When the sender made it, ms.
    #[serde(default)]
    pub create_time: i64,
    /// When the server accepted it, ms; the creation time before that.
    #[serde(default)]
    pub send_time: i64,
    /// 1 single, 3 group, 4 notification; 0 until it is sent.
    #[serde(default)]
    pub session_type: i32,
    /// Sender.
    #[serde(rename = "sendID", default)]
    pub send_id: String,
    /// Receiver in single chats.
    #[serde(rename = "recvID", default)]
    pub recv_id: String,
    /// 100 user, 200 system.
    #[serde(default)]
    pub msg_from: i32,
    /// Kind of content; decides which element is there.
    #[cfg_attr(feature = "types", ts(skip))]
    pub content_type: i32,
    /// Platform of the sending device.
    #[serde(rename = "senderPlatformID", default)]
    pub sender_platform_id: i32,
    /// Sender's name: as it is known now, or when it was sent if his profile is not known.
    #[serde(default)]
    pub sender_nickname: String,
    /// Sender's avatar: as it is known now, or when it was sent if his profile is not known.
    #[serde(default)]
    pub sender_face_url: String,
    /// Group; empty in single chats.
    #[serde(rename = "groupID", default)]
    pub group_id: String,
    /// Position in the conversation, from 1; 0 while not known.
    #[serde(default)]
    pub seq: i64,
    /// Own message: the peer has read it. Received message: this user has read it.
    #[serde(default)]
    pub is_read: bool,
    /// 1 sending, 2 sent, 3 failed.
    #[serde(default)]
    pub status: i32,
    /// Offline push text, or null.
    #[serde(default)]
    pub offline_push: Option<Box<OfflinePush>>,
    /// Opaque JSON text that travels with the message.
    #[serde(default)]
    pub attached_info: String,
    /// `attachedInfo`, parsed.
    #[serde(default)]
    pub attached_info_elem: AttachedInfoElem,
    /// The application's own data.
    #[serde(default)]
    pub ex: String,
    /// The application's own data, on this device only.
    #[serde(default)]
    pub local_ex: String,
    /// Why sending failed, or null.
    #[serde(default)]
    pub send_error: Option<SendError>,
    /// The content element.
    #[serde(flatten)]
    #[cfg_attr(feature = "types", ts(skip))]
    pub body: Body,
}

impl Message {
    /// Reads the content and the attached info, which are texts until somebody wants to see them. Stock clients send
    /// attached info as JSON, `null` or nothing (gateway.md 6.4). Done twice it changes nothing.
    pub(crate) fn unfold(&mut self) {
        if let Body::Content(content) = &self.body
            && let Some(Ok(body)) = Body::read(self.content_type, content)
        {
            self.body = body;
        }
        if !self.attached_info.is_empty() {
            self.attached_info_elem = serde_json::from_str(&self.attached_info).unwrap_or_default();
        }
    }

    /// Estimate of the memory it holds and of its JSON.
    pub fn bytes(&self) -> usize {
        700 + self.body.bytes() + self.ex.len() + self.local_ex.len() + self.attached_info.len()
    }
}

/// The content element of a message; a content type without an element of its own keeps its text in `content`. Large
/// elements are boxed: most messages are texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum Body {
    TextElem(TextElem),
    PictureElem(Box<PictureElem>),
    SoundElem(Box<SoundElem>),
    VideoElem(Box<VideoElem>),
    FileElem(Box<FileElem>),
    AtTextElem(Box<AtTextElem>),
    MergeElem(Box<MergeElem>),
    CardElem(Box<CardElem>),
    LocationElem(LocationElem),
    CustomElem(CustomElem),
    QuoteElem(QuoteElem),
    FaceElem(FaceElem),
    AdvancedTextElem(AdvancedTextElem),
    MarkdownTextElem(MarkdownTextElem),
    TypingElem(TypingElem),
    NotificationElem(NotificationElem),
    Content(String),
}

impl Default for Body {
    fn default() -> Self {
        Self::Content(String::new())
    }
}

impl Body {
    /// Reads the wire content (gateway.md 6.4). What cannot be read is kept as it came, never dropped.
    pub fn from_content(content_type: i32, content: String) -> Self {
        match Self::read(content_type, &content) {
            Some(Ok(body)) => body,
            _ => Self::Content(content),
        }
    }

    /// Reads the element of a content type; `None` for those without one.
    fn read(content_type: i32, content: &str) -> Option<serde_json::Result<Self>> {
        fn elem<T: DeserializeOwned>(content: &str, body: fn(T) -> Body) -> Option<serde_json::Result<Body>> {
            Some(serde_json::from_str(content).map(body))
        }
        match content_type {
            t::TEXT => elem(content, Self::TextElem),
            t::PICTURE => elem(content, Self::PictureElem),
            t::SOUND => elem(content, Self::SoundElem),
            t::VIDEO => elem(content, Self::VideoElem),
            t::FILE => elem(content, Self::FileElem),
            t::AT_TEXT => elem(content, Self::AtTextElem),
            t::MERGER => elem(content, Self::MergeElem),
            t::CARD => elem(content, Self::CardElem),
            t::LOCATION => elem(content, Self::LocationElem),
            t::CUSTOM | t::CUSTOM_QUIET | t::CUSTOM_ONLINE_ONLY => elem(content, Self::CustomElem),
            t::QUOTE => elem(content, Self::QuoteElem),
            t::FACE => elem(content, Self::FaceElem),
            t::ADVANCED_TEXT => elem(content, Self::AdvancedTextElem),
            t::MARKDOWN_TEXT => elem(content, Self::MarkdownTextElem),
            t::TYPING => elem(content, Self::TypingElem),
            other if t::is_notification(other) => elem(content, Self::NotificationElem),
            _ => None,
        }
    }

    /// A content type whose element has this key in a message.
    fn content_type_of(key: &str) -> Option<i32> {
        Some(match key {
            "textElem" => t::TEXT,
            "pictureElem" => t::PICTURE,
            "soundElem" => t::SOUND,
            "videoElem" => t::VIDEO,
            "fileElem" => t::FILE,
            "atTextElem" => t::AT_TEXT,
            "mergeElem" => t::MERGER,
            "cardElem" => t::CARD,
            "locationElem" => t::LOCATION,
            "customElem" => t::CUSTOM,
            "quoteElem" => t::QUOTE,
            "faceElem" => t::FACE,
            "advancedTextElem" => t::ADVANCED_TEXT,
            "markdownTextElem" => t::MARKDOWN_TEXT,
            "typingElem" => t::TYPING,
            "notificationElem" => t::FRIEND_APPLICATION,
            _ => return None,
        })
    }

    /// The wire content: JSON of exactly the element.
    pub fn to_content(&self) -> String {
        // elements are plain data: they cannot fail to serialise
        match self {
            Self::TextElem(elem) => serde_json::to_string(elem),
            Self::PictureElem(elem) => serde_json::to_string(elem),
            Self::SoundElem(elem) => serde_json::to_string(elem),
            Self::VideoElem(elem) => serde_json::to_string(elem),
            Self::FileElem(elem) => serde_json::to_string(elem),
            Self::AtTextElem(elem) => serde_json::to_string(elem),
            Self::MergeElem(elem) => serde_json::to_string(elem),
            Self::CardElem(elem) => serde_json::to_string(elem),
            Self::LocationElem(elem) => serde_json::to_string(elem),
            Self::CustomElem(elem) => serde_json::to_string(elem),
            Self::QuoteElem(elem) => serde_json::to_string(elem),
            Self::FaceElem(elem) => serde_json::to_string(elem),
            Self::AdvancedTextElem(elem) => serde_json::to_string(elem),
            Self::MarkdownTextElem(elem) => serde_json::to_string(elem),
            Self::TypingElem(elem) => serde_json::to_string(elem),
            Self::NotificationElem(elem) => serde_json::to_string(elem),
            Self::Content(text) => return text.clone(),
        }
        .unwrap_or_default()
    }

    fn bytes(&self) -> usize {
        match self {
            Self::TextElem(elem) => elem.content.len(),
            Self::MarkdownTextElem(elem) => elem.content.len(),
            Self::NotificationElem(elem) => elem.detail.len(),
            Self::CustomElem(elem) => elem.data.len() + elem.description.len() + elem.extension.len(),
            Self::Content(text) => text.len(),
            _ => 600,
        }
    }
}

/// The first key that names an element counts. Its value takes the way that wire content takes: read by the derived code,
/// every element's reader would be in the addon twice.
impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Element;

        impl<'de> Visitor<'de> for Element {
            type Value = Body;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a message with an element such as textElem")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Body, A::Error> {
                while let Some(key) = members.next_key::<String>()? {
                    if key == "content" {
                        return members.next_value().map(Body::Content);
                    }
                    let Some(content_type) = Body::content_type_of(&key) else {
                        members.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    let element: serde_json::Value = members.next_value()?;
                    if let Some(body) = Body::read(content_type, &element.to_string()) {
                        return body.map_err(|error| A::Error::custom(format!("{key}: {error}")));
                    }
                }
                Err(A::Error::custom("there is no element such as textElem"))
            }
        }

        deserializer.deserialize_map(Element)
    }
}

/// Text of the vendor push that a receiver without a connection gets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(default)]
pub struct OfflinePush {
    /// Title.
    pub title: String,
    /// Text.
    pub desc: String,
    /// The application's own data.
    pub ex: String,
    /// iOS sound.
    #[serde(rename = "iOSPushSound")]
    pub ios_push_sound: String,
    /// iOS: raise the badge.
    #[serde(rename = "iOSBadgeCount")]
    pub ios_badge_count: bool,
}

/// Who of a group has read a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default)]
pub struct GroupHasReadInfo {
    /// Readers.
    #[serde(rename = "hasReadUserIDList")]
    pub has_read_user_id_list: Vec<String>,
    /// How many have read.
    pub has_read_count: i32,
    /// How many members the group had when it was sent.
    pub group_member_count: i32,
}

/// What travels with a message beside its content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default)]
pub struct AttachedInfoElem {
    /// Group read state.
    pub group_has_read_info: GroupHasReadInfo,
    /// Burn after reading.
    pub is_private_chat: bool,
    /// Burn after reading: seconds after reading.
    pub burn_duration: i32,
    /// When the peer read it, ms; 0 = not yet.
    pub has_read_time: i64,
}

/// Why a message could not be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default)]
pub struct SendError {
    /// Stable string code.
    pub code: String,
    /// OpenIM's number.
    pub err_code: i32,
    /// Text.
    pub err_msg: String,
}

/// Payload of `OnMessageSendStateChanged`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default)]
pub struct MessageSendState {
    /// Conversation.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// Message.
    #[serde(rename = "clientMsgID")]
    pub client_msg_id: String,
    /// 2 sent, 3 failed.
    pub status: i32,
    /// Why it failed, or null.
    pub send_error: Option<SendError>,
}

/// A page of history.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct AdvancedHistoryMessages {
    /// Ascending, oldest first, in both directions.
    #[cfg_attr(feature = "types", ts(type = "Array<MessageItem>"))]
    pub message_list: Vec<Message>,
    /// Nothing more in this direction.
    pub is_end: bool,
    /// 0; 100 if the page stops at a gap that could not be filled now.
    pub err_code: i32,
    /// Text for `errCode`.
    pub err_msg: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_read_back_as_it_was_written() {
        for content_type in 0..3000 {
            let body = Body::from_content(content_type, "{}".to_owned());
            let message = Message { content_type, client_msg_id: "m1".to_owned(), body, ..Message::default() };
            let text = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message, "{text}");
        }
    }

    #[test]
    fn an_element_that_is_wrong_or_missing_is_named() {
        let read =
            |body: &str| serde_json::from_str::<Message>(&format!(r#"{{"clientMsgID":"m","contentType":101{body}}}"#));
        let wrong = read(r#","unknown":1,"textElem":{"content":5}"#).unwrap_err().to_string();
        assert!(wrong.starts_with("textElem: invalid type: integer `5`, expected a string"), "{wrong}");
        let missing = read("").unwrap_err().to_string();
        assert!(missing.starts_with("there is no element such as textElem"), "{missing}");
    }
}
