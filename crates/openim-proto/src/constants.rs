//! The numbers of the protocol (gateway.md 3, 6.2-6.8).

/// Operations of the gateway (`reqIdentifier`, gateway.md section 3).
pub mod operation {
    /// Newest seq of every stream of the user.
    pub const GET_NEWEST_SEQ: i32 = 1001;
    /// Pull ranges of seqs.
    pub const PULL_BY_RANGE: i32 = 1002;
    /// Send a message.
    pub const SEND_MSG: i32 = 1003;
    /// Call signalling; open servers answer 1001 `ArgsError`.
    pub const SEND_SIGNAL_MSG: i32 = 1004;
    /// Pull lists of seqs.
    pub const PULL_BY_SEQS: i32 = 1005;
    /// Max seq, read cursor and time per conversation.
    pub const GET_CONV_MAX_READ_SEQ: i32 = 1006;
    /// Newest message that is not deleted, per conversation.
    pub const PULL_CONV_LAST_MESSAGE: i32 = 1007;
    /// Push of messages (server to client).
    pub const PUSH_MSG: i32 = 2001;
    /// This connection is being kicked (server to client).
    pub const KICK_ONLINE: i32 = 2002;
    /// Forget the push token; the server closes the connection afterwards.
    pub const LOGOUT: i32 = 2003;
    /// Set the background flag of this connection.
    pub const SET_BACKGROUND: i32 = 2004;
    /// Subscribe to online states; pushed with an empty `msgIncr` when one changes.
    pub const SUB_ONLINE_STATUS: i32 = 2005;
}

/// `sessionType` and `conversationType` (gateway.md 6.2).
pub mod session {
    /// Two users.
    pub const SINGLE: i32 = 1;
    /// Write-diffusion group of old servers; 3.8 refuses it.
    pub const GROUP_LEGACY: i32 = 2;
    /// Group.
    pub const GROUP: i32 = 3;
    /// Messages of a notification account.
    pub const NOTIFICATION: i32 = 4;
}

/// `msgFrom` (gateway.md 6.2).
pub mod msg_from {
    /// Sent by a user.
    pub const USER: i32 = 100;
    /// Made by the server or through the admin API.
    pub const SYSTEM: i32 = 200;
}

/// `contentType` (gateway.md 6.3).
#[allow(missing_docs)]
pub mod content_type {
    macro_rules! content_types {
        ($($name:ident = $number:literal;)*) => {
            $(pub const $name: i32 = $number;)*

            /// Every content type of this catalogue.
            pub const ALL: &[i32] = &[$($number),*];
        };
    }

    content_types! {
        TEXT = 101;
        PICTURE = 102;
        SOUND = 103;
        VIDEO = 104;
        FILE = 105;
        AT_TEXT = 106;
        MERGER = 107;
        CARD = 108;
        LOCATION = 109;
        CUSTOM = 110;
        REVOKE_LEGACY = 111;
        TYPING = 113;
        QUOTE = 114;
        FACE = 115;
        ADVANCED_TEXT = 117;
        MARKDOWN_TEXT = 118;
        CUSTOM_QUIET = 119;
        CUSTOM_ONLINE_ONLY = 120;
        FRIEND_APPLICATION_APPROVED = 1201;
        FRIEND_APPLICATION_REJECTED = 1202;
        FRIEND_APPLICATION = 1203;
        FRIEND_ADDED = 1204;
        FRIEND_DELETED = 1205;
        FRIEND_REMARK_SET = 1206;
        BLACK_ADDED = 1207;
        BLACK_DELETED = 1208;
        FRIEND_INFO_UPDATED = 1209;
        FRIENDS_INFO_UPDATE = 1210;
        CONVERSATION_CHANGED = 1300;
        USER_INFO_UPDATED = 1303;
        OA_NOTIFICATION = 1400;
        GROUP_CREATED = 1501;
        GROUP_INFO_SET = 1502;
        JOIN_GROUP_APPLICATION = 1503;
        MEMBER_QUIT = 1504;
        GROUP_APPLICATION_ACCEPTED = 1505;
        GROUP_APPLICATION_REJECTED = 1506;
        GROUP_OWNER_TRANSFERRED = 1507;
        MEMBER_KICKED = 1508;
        MEMBER_INVITED = 1509;
        MEMBER_ENTER = 1510;
        GROUP_DISMISSED = 1511;
        GROUP_MEMBER_MUTED = 1512;
        GROUP_MEMBER_CANCEL_MUTED = 1513;
        GROUP_MUTED = 1514;
        GROUP_CANCEL_MUTED = 1515;
        GROUP_MEMBER_INFO_SET = 1516;
        GROUP_MEMBER_SET_TO_ADMIN = 1517;
        GROUP_MEMBER_SET_TO_ORDINARY = 1518;
        GROUP_ANNOUNCEMENT_SET = 1519;
        GROUP_NAME_SET = 1520;
        PRIVATE_CHAT_SET = 1701;
        CONVERSATION_UNREAD = 1702;
        CONVERSATIONS_CLEARED = 1703;
        CONVERSATIONS_DELETED = 1704;
        BUSINESS_NOTIFICATION = 2001;
        REVOKED = 2101;
        MESSAGES_DELETED = 2102;
        READ_RECEIPT = 2200;
    }

    /// The range that skips verification on sending: 1000 to 5000.
    pub const fn is_notification(content_type: i32) -> bool {
        content_type >= 1000 && content_type <= 5000
    }
}

/// `status` of a message (gateway.md 6.6).
pub mod status {
    /// Being sent; also what a client's request carries.
    pub const SENDING: i32 = 1;
    /// Sent, or received.
    pub const SENT: i32 = 2;
    /// Sending failed (clients only).
    pub const FAILED: i32 = 3;
    /// Deleted, or a placeholder for a seq without a message. Everything from here on is not displayable.
    pub const DELETED: i32 = 4;
    /// Own message that is not shown (clients only).
    pub const FILTERED: i32 = 5;
}

/// `recvMsgOpt` and `globalRecvMsgOpt` (gateway.md 6.8).
pub mod recv_msg_opt {
    /// Receive.
    pub const RECEIVE: i32 = 0;
    /// Do not receive: the sender is refused.
    pub const NOT_RECEIVE: i32 = 1;
    /// Receive without offline push; not part of the total unread count.
    pub const RECEIVE_NOT_NOTIFY: i32 = 2;
}

/// Platform ids (gateway.md 6.7).
#[allow(missing_docs)]
pub mod platform {
    pub const IOS: i32 = 1;
    pub const ANDROID: i32 = 2;
    pub const WINDOWS: i32 = 3;
    pub const OSX: i32 = 4;
    pub const WEB: i32 = 5;
    pub const MINI_WEB: i32 = 6;
    pub const LINUX: i32 = 7;
    pub const ANDROID_PAD: i32 = 8;
    pub const IPAD: i32 = 9;
    pub const ADMIN: i32 = 10;
    pub const HARMONY_OS: i32 = 11;

    /// Every platform with its name on the wire.
    pub const ALL: [(i32, &str); 11] = [
        (IOS, "IOS"),
        (ANDROID, "Android"),
        (WINDOWS, "Windows"),
        (OSX, "OSX"),
        (WEB, "Web"),
        (MINI_WEB, "MiniWeb"),
        (LINUX, "Linux"),
        (ANDROID_PAD, "APad"),
        (IPAD, "IPad"),
        (ADMIN, "Admin"),
        (HARMONY_OS, "HarmonyOS"),
    ];

    /// The name of a platform, or `None` if the number is none.
    pub fn name(platform_id: i32) -> Option<&'static str> {
        ALL.iter().find(|(id, _)| *id == platform_id).map(|(_, name)| *name)
    }
}

/// The user id that stands for everybody in a list of mentions.
pub const AT_ALL_TAG: &str = "AtAllTag";

/// The highest seq that can be: what a number of JavaScript holds exactly. A server that says more is wrong, and sums and
/// neighbours of smaller ones stay within 64 bits.
pub const MAX_SEQ: i64 = (1 << 53) - 1;

/// Bytes per WebSocket message that a server reads at most, as sent (gateway.md 2.5).
pub const MAX_FRAME_BYTES: usize = 51_200;
