//! Content elements of user messages (gateway.md 6.4, client-behaviour.md 2.2): `MsgData.content` is the UTF-8 JSON of
//! one of these. Absent members read as empty; members that stock clients omit when empty are written all the same.

use serde::{Deserialize, Serialize};

macro_rules! elements {
    ($($(#[$doc:meta])* struct $name:ident { $($(#[$field_doc:meta])* $field:ident $json:literal: $kind:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
            #[cfg_attr(feature = "types", derive(ts_rs::TS))]
            #[serde(default)]
            pub struct $name {
                $(
                    $(#[$field_doc])*
                    #[serde(rename = $json, deserialize_with = "crate::json::or_default")]
                    pub $field: $kind,
                )*
            }
        )*
    };
}

elements! {
    /// 101: plain text.
    struct TextElem {
        /// The text.
        content "content": String,
    }

    /// 118: Markdown text.
    struct MarkdownTextElem {
        /// The Markdown source.
        content "content": String,
    }

    /// One size of a picture.
    struct PictureBaseInfo {
        /// Id of the file.
        uuid "uuid": String,
        /// MIME type.
        kind "type": String,
        /// Bytes.
        size "size": i64,
        /// Pixels.
        width "width": i64,
        /// Pixels.
        height "height": i64,
        /// Where it is stored.
        url "url": String,
    }

    /// 102: picture.
    struct PictureElem {
        /// Path on the sender's machine.
        source_path "sourcePath": String,
        /// The original.
        source_picture "sourcePicture": PictureBaseInfo,
        /// Large size.
        big_picture "bigPicture": PictureBaseInfo,
        /// Thumbnail.
        snapshot_picture "snapshotPicture": PictureBaseInfo,
    }

    /// 103: sound.
    struct SoundElem {
        /// Id of the file.
        uuid "uuid": String,
        /// Path on the sender's machine.
        sound_path "soundPath": String,
        /// Where it is stored.
        source_url "sourceUrl": String,
        /// Bytes.
        data_size "dataSize": i64,
        /// Seconds.
        duration "duration": i64,
        /// Extension or MIME type.
        sound_type "soundType": String,
    }

    /// 104: video.
    struct VideoElem {
        /// Path on the sender's machine.
        video_path "videoPath": String,
        /// Id of the file.
        video_uuid "videoUUID": String,
        /// Where it is stored.
        video_url "videoUrl": String,
        /// MIME type.
        video_type "videoType": String,
        /// Bytes.
        video_size "videoSize": i64,
        /// Seconds.
        duration "duration": i64,
        /// Path of the still on the sender's machine.
        snapshot_path "snapshotPath": String,
        /// Id of the still.
        snapshot_uuid "snapshotUUID": String,
        /// Bytes.
        snapshot_size "snapshotSize": i64,
        /// Where the still is stored.
        snapshot_url "snapshotUrl": String,
        /// Pixels.
        snapshot_width "snapshotWidth": i64,
        /// Pixels.
        snapshot_height "snapshotHeight": i64,
        /// MIME type of the still.
        snapshot_type "snapshotType": String,
    }

    /// 105: file.
    struct FileElem {
        /// Path on the sender's machine.
        file_path "filePath": String,
        /// Id of the file.
        uuid "uuid": String,
        /// Where it is stored.
        source_url "sourceUrl": String,
        /// Name to show.
        file_name "fileName": String,
        /// Bytes.
        file_size "fileSize": i64,
        /// MIME type.
        file_type "fileType": String,
    }

    /// A mentioned user.
    struct AtUserInfo {
        /// User id, or `AtAllTag`.
        at_user_id "atUserID": String,
        /// Name in the group.
        group_nickname "groupNickname": String,
    }

    /// 106: text with mentions.
    struct AtTextElem {
        /// The text.
        text "text": String,
        /// Mentioned user ids; `AtAllTag` is everybody.
        at_user_list "atUserList": Vec<String>,
        /// The mentioned users with their names.
        at_users_info "atUsersInfo": Vec<AtUserInfo>,
        /// Message that is quoted, as the SDK's JSON message.
        #[cfg_attr(feature = "types", ts(type = "MessageItem | null"))]
        quote_message "quoteMessage": Option<Box<serde_json::Value>>,
        /// Whether the receiving user is mentioned; computed by the receiver.
        is_at_self "isAtSelf": bool,
    }

    /// 107: several messages forwarded as one.
    struct MergeElem {
        /// Title.
        title "title": String,
        /// One line per message.
        abstract_list "abstractList": Vec<String>,
        /// The messages, as the SDK's JSON messages.
        #[cfg_attr(feature = "types", ts(type = "Array<MessageItem>"))]
        multi_message "multiMessage": Vec<serde_json::Value>,
        /// Formatted spans.
        message_entity_list "messageEntityList": Vec<MessageEntity>,
    }

    /// A formatted span of a text.
    struct MessageEntity {
        /// Kind of span.
        kind "type": String,
        /// Start, in characters.
        offset "offset": i64,
        /// Length, in characters.
        length "length": i64,
        /// Link target.
        url "url": String,
        /// Opaque extension string.
        ex "ex": String,
    }

    /// 108: a user's card.
    struct CardElem {
        /// User id.
        user_id "userID": String,
        /// Name.
        nickname "nickname": String,
        /// Avatar URL.
        face_url "faceURL": String,
        /// Opaque extension string.
        ex "ex": String,
    }

    /// 109: a place.
    struct LocationElem {
        /// Description.
        description "description": String,
        /// Degrees.
        longitude "longitude": f64,
        /// Degrees.
        latitude "latitude": f64,
    }

    /// 110, 119, 120: content of the application's own.
    struct CustomElem {
        /// Payload.
        data "data": String,
        /// Description.
        description "description": String,
        /// Extension.
        extension "extension": String,
    }

    /// 114: a reply that quotes a message.
    struct QuoteElem {
        /// The reply.
        text "text": String,
        /// The quoted message, as the SDK's JSON message.
        #[cfg_attr(feature = "types", ts(type = "MessageItem | null"))]
        quote_message "quoteMessage": Option<Box<serde_json::Value>>,
        /// Formatted spans.
        message_entity_list "messageEntityList": Vec<MessageEntity>,
    }

    /// 115: a sticker.
    struct FaceElem {
        /// Position in the application's set; -1 when `data` is used.
        index "index": i64,
        /// Payload.
        data "data": String,
    }

    /// 117: text with formatted spans.
    struct AdvancedTextElem {
        /// The text.
        text "text": String,
        /// Formatted spans.
        message_entity_list "messageEntityList": Vec<MessageEntity>,
    }

    /// 113: typing.
    struct TypingElem {
        /// `yes` or `no`; older clients send free text.
        msg_tips "msgTips": String,
    }

    /// 1000 to 5000: a notification; `detail` is the JSON text of the tips (gateway.md 4.3).
    struct NotificationElem {
        /// JSON text.
        detail "detail": String,
    }
}
