//! Error numbers and their names (gateway.md 9.5, http.md section 7). `errMsg` of a server answer is the name.

macro_rules! codes {
    ($($(#[$doc:meta])* $constant:ident = $number:literal, $name:literal;)*) => {
        $($(#[$doc])* pub const $constant: i32 = $number;)*

        /// Every code of this table with its name.
        pub const ALL: &[(i32, &str)] = &[$(($number, $name)),*];
    };
}

codes! {
    /// Success.
    OK = 0, "";
    /// An uncoded failure inside the server, or an undecodable payload.
    SERVER_INTERNAL = 500, "ServerInternalError";
    /// Validation failed.
    ARGS = 1001, "ArgsError";
    /// The caller may not do this.
    NO_PERMISSION = 1002, "NoPermissionError";
    /// Rarely surfaced.
    DUPLICATE_KEY = 1003, "DuplicateKeyError";
    /// User, group, conversation or another record is missing.
    RECORD_NOT_FOUND = 1004, "RecordNotFoundError";
    /// User unknown in group creation and removal.
    USER_ID_NOT_FOUND = 1101, "UserIDNotFoundError";
    /// Registration of an id that exists.
    REGISTERED_ALREADY = 1102, "RegisteredAlreadyError";
    /// Group missing in some reads.
    GROUP_ID_NOT_FOUND = 1201, "GroupIDNotFoundError";
    /// Group id in use.
    GROUP_ID_EXISTED = 1202, "GroupIDExisted";
    /// Not a member.
    NOT_IN_GROUP = 1203, "NotInGroupYetError";
    /// The group is dismissed.
    DISMISSED_ALREADY = 1204, "DismissedAlreadyError";
    /// The group type is not supported.
    GROUP_TYPE_NOT_SUPPORT = 1205, "";
    /// The join request was handled before.
    GROUP_REQUEST_HANDLED = 1206, "GroupRequestHandled";
    /// A friend request to oneself.
    CAN_NOT_ADD_YOURSELF = 1301, "CanNotAddYourselfError";
    /// The receiver blocks the sender.
    BLOCKED_BY_PEER = 1302, "BlockedByPeer";
    /// Friend verification is on and the sender is not in the receiver's list.
    NOT_PEERS_FRIEND = 1303, "NotPeersFriend";
    /// Friends already.
    RELATIONSHIP_ALREADY = 1304, "RelationshipAlreadyError";
    /// The friend request was handled before.
    FRIEND_REQUEST_HANDLED = 1305, "FriendRequestHandled";
    /// Legacy.
    MESSAGE_HAS_READ_DISABLE = 1401, "MessageHasReadDisable";
    /// The sender is muted in the group.
    MUTED_IN_GROUP = 1402, "MutedInGroup";
    /// The whole group is muted.
    MUTED_GROUP = 1403, "MutedGroup";
    /// Revoked before.
    MSG_ALREADY_REVOKE = 1404, "MsgAlreadyRevoke";
    /// The token is expired.
    TOKEN_EXPIRED = 1501, "TokenExpiredError";
    /// User or platform of the token differ from the request.
    TOKEN_INVALID = 1502, "TokenInvalidError";
    /// Not a JWT.
    TOKEN_MALFORMED = 1503, "TokenMalformedError";
    /// The token is not valid yet.
    TOKEN_NOT_VALID_YET = 1504, "TokenNotValidYetError";
    /// Bad signature or another JWT error.
    TOKEN_UNKNOWN = 1505, "TokenUnknownError";
    /// Another login took this token's place.
    TOKEN_KICKED = 1506, "TokenKickedError";
    /// The server does not know the token.
    TOKEN_NOT_EXIST = 1507, "TokenNotExistError";
    /// The gateway is full.
    CONN_OVER_MAX_NUM_LIMIT = 1601, "ConnOverMaxNumLimit";
    /// A parameter of the handshake is missing or wrong.
    CONN_ARGS = 1602, "args err, need token, sendID, platformID";
    /// The upload is expired.
    FILE_UPLOADED_EXPIRED = 1701, "FileUploadedExpiredError";
    /// A webhook refused or failed.
    CALLBACK = 80000, "CallbackError";
    /// The server's database failed.
    DATABASE = 90002, "DatabaseError";
    /// The server's network failed.
    NETWORK = 90004, "NetworkError";
    /// The server's data are inconsistent.
    DATA = 90007, "DataError";
}

/// The name of a server code, or `""` if the table has none.
pub fn name(code: i32) -> &'static str {
    ALL.iter().find(|(number, _)| *number == code).map_or("", |(_, name)| name)
}

/// Whether the code says that the token is no longer (or not yet) good: 1501 to 1507.
pub const fn is_token_error(code: i32) -> bool {
    code >= TOKEN_EXPIRED && code <= TOKEN_NOT_EXIST
}
