// Generated from the Rust structs by `cargo xtask gen`; not to be edited.

/** 101: plain text. */
export type TextElem = {
  /** The text. */
  content: string;
};

/** One size of a picture. */
export type PictureBaseInfo = {
  /** Id of the file. */
  uuid: string;
  /** MIME type. */
  type: string;
  /** Bytes. */
  size: number;
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  /** Where it is stored. */
  url: string;
};

/** 102: picture. */
export type PictureElem = {
  /** Path on the sender's machine. */
  sourcePath: string;
  /** The original. */
  sourcePicture: PictureBaseInfo;
  /** Large size. */
  bigPicture: PictureBaseInfo;
  /** Thumbnail. */
  snapshotPicture: PictureBaseInfo;
};

/** 103: sound. */
export type SoundElem = {
  /** Id of the file. */
  uuid: string;
  /** Path on the sender's machine. */
  soundPath: string;
  /** Where it is stored. */
  sourceUrl: string;
  /** Bytes. */
  dataSize: number;
  /** Seconds. */
  duration: number;
  /** Extension or MIME type. */
  soundType: string;
};

/** 104: video. */
export type VideoElem = {
  /** Path on the sender's machine. */
  videoPath: string;
  /** Id of the file. */
  videoUUID: string;
  /** Where it is stored. */
  videoUrl: string;
  /** MIME type. */
  videoType: string;
  /** Bytes. */
  videoSize: number;
  /** Seconds. */
  duration: number;
  /** Path of the still on the sender's machine. */
  snapshotPath: string;
  /** Id of the still. */
  snapshotUUID: string;
  /** Bytes. */
  snapshotSize: number;
  /** Where the still is stored. */
  snapshotUrl: string;
  /** Pixels. */
  snapshotWidth: number;
  /** Pixels. */
  snapshotHeight: number;
  /** MIME type of the still. */
  snapshotType: string;
};

/** 105: file. */
export type FileElem = {
  /** Path on the sender's machine. */
  filePath: string;
  /** Id of the file. */
  uuid: string;
  /** Where it is stored. */
  sourceUrl: string;
  /** Name to show. */
  fileName: string;
  /** Bytes. */
  fileSize: number;
  /** MIME type. */
  fileType: string;
};

/** A mentioned user. */
export type AtUserInfo = {
  /** User id, or `AtAllTag`. */
  atUserID: string;
  /** Name in the group. */
  groupNickname: string;
};

/** 106: text with mentions. */
export type AtTextElem = {
  /** The text. */
  text: string;
  /** Mentioned user ids; `AtAllTag` is everybody. */
  atUserList: Array<string>;
  /** The mentioned users with their names. */
  atUsersInfo: Array<AtUserInfo>;
  /** Message that is quoted, as the SDK's JSON message. */
  quoteMessage: MessageItem | null;
  /** Whether the receiving user is mentioned; computed by the receiver. */
  isAtSelf: boolean;
};

/** 107: several messages forwarded as one. */
export type MergeElem = {
  /** Title. */
  title: string;
  /** One line per message. */
  abstractList: Array<string>;
  /** The messages, as the SDK's JSON messages. */
  multiMessage: Array<MessageItem>;
  /** Formatted spans. */
  messageEntityList: Array<MessageEntity>;
};

/** A formatted span of a text. */
export type MessageEntity = {
  /** Kind of span. */
  type: string;
  /** Start, in characters. */
  offset: number;
  /** Length, in characters. */
  length: number;
  /** Link target. */
  url: string;
  /** Opaque extension string. */
  ex: string;
};

/** 108: a user's card. */
export type CardElem = {
  /** User id. */
  userID: string;
  /** Name. */
  nickname: string;
  /** Avatar URL. */
  faceURL: string;
  /** Opaque extension string. */
  ex: string;
};

/** 109: a place. */
export type LocationElem = {
  /** Description. */
  description: string;
  /** Degrees. */
  longitude: number;
  /** Degrees. */
  latitude: number;
};

/** 110, 119, 120: content of the application's own. */
export type CustomElem = {
  /** Payload. */
  data: string;
  /** Description. */
  description: string;
  /** Extension. */
  extension: string;
};

/** 114: a reply that quotes a message. */
export type QuoteElem = {
  /** The reply. */
  text: string;
  /** The quoted message, as the SDK's JSON message. */
  quoteMessage: MessageItem | null;
  /** Formatted spans. */
  messageEntityList: Array<MessageEntity>;
};

/** 115: a sticker. */
export type FaceElem = {
  /** Position in the application's set; -1 when `data` is used. */
  index: number;
  /** Payload. */
  data: string;
};

/** 117: text with formatted spans. */
export type AdvancedTextElem = {
  /** The text. */
  text: string;
  /** Formatted spans. */
  messageEntityList: Array<MessageEntity>;
};

/** 118: Markdown text. */
export type MarkdownTextElem = {
  /** The Markdown source. */
  content: string;
};

/** 113: typing. */
export type TypingElem = {
  /** `yes` or `no`; older clients send free text. */
  msgTips: string;
};

/** 1000 to 5000: a notification; `detail` is the JSON text of the tips (gateway.md 4.3). */
export type NotificationElem = {
  /** JSON text. */
  detail: string;
};

/** Text of the vendor push that a receiver without a connection gets. */
export type OfflinePush = {
  /** Title. */
  title: string;
  /** Text. */
  desc: string;
  /** The application's own data. */
  ex: string;
  /** iOS sound. */
  iOSPushSound: string;
  /** iOS: raise the badge. */
  iOSBadgeCount: boolean;
};

/** Who of a group has read a message. */
export type GroupHasReadInfo = {
  /** Readers. */
  hasReadUserIDList: Array<string>;
  /** How many have read. */
  hasReadCount: number;
  /** How many members the group had when it was sent. */
  groupMemberCount: number;
};

/** What travels with a message beside its content. */
export type AttachedInfoElem = {
  /** Group read state. */
  groupHasReadInfo: GroupHasReadInfo;
  /** Burn after reading. */
  isPrivateChat: boolean;
  /** Burn after reading: seconds after reading. */
  burnDuration: number;
  /** When the peer read it, ms; 0 = not yet. */
  hasReadTime: number;
};

/** Why a message could not be sent. */
export type SendError = {
  /** Stable string code. */
  code: string;
  /** OpenIM's number. */
  errCode: number;
  /** Text. */
  errMsg: string;
};

/** A message. `body` is flattened: exactly one element key, chosen by `content_type`. */
export type MessageBase = {
  /** Id chosen by the sender. */
  clientMsgID: string;
  /** Id given by the server; empty until it accepted the message. */
  serverMsgID: string;
  /** When the sender made it, ms. */
  createTime: number;
  /** When the server accepted it, ms; the creation time before that. */
  sendTime: number;
  /** 1 single, 3 group, 4 notification; 0 until it is sent. */
  sessionType: number;
  /** Sender. */
  sendID: string;
  /** Receiver in single chats. */
  recvID: string;
  /** 100 user, 200 system. */
  msgFrom: number;
  /** Platform of the sending device. */
  senderPlatformID: number;
  /** Sender's name: as it is known now, or when it was sent if his profile is not known. */
  senderNickname: string;
  /** Sender's avatar: as it is known now, or when it was sent if his profile is not known. */
  senderFaceUrl: string;
  /** Group; empty in single chats. */
  groupID: string;
  /** Position in the conversation, from 1; 0 while not known. */
  seq: number;
  /** Own message: the peer has read it. Received message: this user has read it. */
  isRead: boolean;
  /** 1 sending, 2 sent, 3 failed. */
  status: number;
  /** Offline push text, or null. */
  offlinePush: OfflinePush | null;
  /** Opaque JSON text that travels with the message. */
  attachedInfo: string;
  /** `attachedInfo`, parsed. */
  attachedInfoElem: AttachedInfoElem;
  /** The application's own data. */
  ex: string;
  /** The application's own data, on this device only. */
  localEx: string;
  /** Why sending failed, or null. */
  sendError: SendError | null;
};

/**
 * A message. `contentType` tells which element it has; a number that this version does not know keeps its
 * text in `content` and is recognised by `isUnknownMessage`.
 */
export type MessageItem = MessageBase & (
  | { contentType: 101; textElem: TextElem }
  | { contentType: 102; pictureElem: PictureElem }
  | { contentType: 103; soundElem: SoundElem }
  | { contentType: 104; videoElem: VideoElem }
  | { contentType: 105; fileElem: FileElem }
  | { contentType: 106; atTextElem: AtTextElem }
  | { contentType: 107; mergeElem: MergeElem }
  | { contentType: 108; cardElem: CardElem }
  | { contentType: 109; locationElem: LocationElem }
  | { contentType: 110 | 119 | 120; customElem: CustomElem }
  | { contentType: 111; content: string }
  | { contentType: 113; typingElem: TypingElem }
  | { contentType: 114; quoteElem: QuoteElem }
  | { contentType: 115; faceElem: FaceElem }
  | { contentType: 117; advancedTextElem: AdvancedTextElem }
  | { contentType: 118; markdownTextElem: MarkdownTextElem }
  | { contentType: 1201 | 1202 | 1203 | 1204 | 1205 | 1206 | 1207 | 1208 | 1209 | 1210 | 1300 | 1303 | 1400 | 1501 | 1502 | 1503 | 1504 | 1505 | 1506 | 1507 | 1508 | 1509 | 1510 | 1511 | 1512 | 1513 | 1514 | 1515 | 1516 | 1517 | 1518 | 1519 | 1520 | 1701 | 1702 | 1703 | 1704 | 2001 | 2101 | 2102 | 2200; notificationElem: NotificationElem }
);

/** Payload of `OnMessageSendStateChanged`. */
export type MessageSendState = {
  /** Conversation. */
  conversationID: string;
  /** Message. */
  clientMsgID: string;
  /** 2 sent, 3 failed. */
  status: number;
  /** Why it failed, or null. */
  sendError: SendError | null;
};

/** A page of history. */
export type AdvancedHistoryMessages = {
  /** Ascending, oldest first, in both directions. */
  messageList: Array<MessageItem>;
  /** Nothing more in this direction. */
  isEnd: boolean;
  /** 0; 100 if the page stops at a gap that could not be filled now. */
  errCode: number;
  /** Text for `errCode`. */
  errMsg: string;
};

/** A row of the conversation list. */
export type ConversationItem = {
  /** `si_…` single, `sg_…` group, `sn_…` notification account. */
  conversationID: string;
  /** 1 single, 3 group, 4 notification. */
  conversationType: number;
  /** Peer; empty for groups. */
  userID: string;
  /** Group; empty otherwise. */
  groupID: string;
  /** Name to show: the peer's or the group's; the id until a name is known. */
  showName: string;
  /** Avatar URL to show. */
  faceURL: string;
  /** 0 receive, 1 do not receive, 2 receive without offline push and without counting in the total. */
  recvMsgOpt: number;
  /** Messages not read yet. */
  unreadCount: number;
  /** 0 none, 1 me, 2 all, 3 both, 4 announcement. */
  groupAtType: number;
  /** Newest visible message, or null. */
  latestMsg: MessageItem | null;
  /** Its time, ms; 0 if there is none. */
  latestMsgSendTime: number;
  /** Draft; on this device only. */
  draftText: string;
  /** When the draft was written, ms; 0 if there is none. */
  draftTextTime: number;
  /** Pinned to the top. */
  isPinned: boolean;
  /** Burn after reading is on. */
  isPrivateChat: boolean;
  /** Burn after reading: seconds after reading. */
  burnDuration: number;
  /** The user is no longer in the group. */
  isNotInGroup: boolean;
  /** Periodic deletion is on. */
  isMsgDestruct: boolean;
  /** Periodic deletion: age in seconds. */
  msgDestructTime: number;
  /** The user's ceiling; 0 = none. Set when the user left the group. */
  maxSeq: number;
  /** The user's floor; 0 = none. */
  minSeq: number;
  /** The user's read cursor. */
  hasReadSeq: number;
  /** Opaque, synced. */
  attachedInfo: string;
  /** The application's own data, synced. */
  ex: string;
};

/** The logged-in user's own profile. */
export type SelfUserInfo = {
  /** User id. */
  userID: string;
  /** Display name. */
  nickname: string;
  /** Avatar URL. */
  faceURL: string;
  /** The application's own data. */
  ex: string;
  /** When the account was made, ms. */
  createTime: number;
  /** 0 receive, 1 do not receive, 2 receive without offline push. */
  globalRecvMsgOpt: number;
};

/** Another user's profile. */
export type PublicUserItem = {
  /** User id. */
  userID: string;
  /** Display name. */
  nickname: string;
  /** Avatar URL. */
  faceURL: string;
  /** The application's own data. */
  ex: string;
  /** When the account was made, ms. */
  createTime: number;
};

/** Whether a user is online, and where. */
export type UserOnlineState = {
  /** User id. */
  userID: string;
  /** 1 online, 0 offline. */
  status: number;
  /** Platforms on which the user is online, ascending. */
  platformIDs: Array<number>;
};

/** A friend, as his owner sees him. */
export type FriendUserItem = {
  /** Whose friend. */
  ownerUserID: string;
  /** The friend. */
  userID: string;
  /** Display name. */
  nickname: string;
  /** Avatar URL. */
  faceURL: string;
  /** The owner's own name for the friend; empty if he gave none. */
  remark: string;
  /** Since when, ms. */
  createTime: number;
  /** 1 imported by an administrator, 2 applied. */
  addSource: number;
  /** Who made them friends. */
  operatorUserID: string;
  /** The application's own data of this friendship. */
  ex: string;
  /** Kept for older servers; empty. */
  attachedInfo: string;
  /** At the top of the list. */
  isPinned: boolean;
};

/** What `checkFriend` says of a user. */
export type FriendshipInfo = {
  /** User. */
  userID: string;
  /** 1 a friend and not on the black list, 0 otherwise. */
  result: number;
};

/** An application for friendship, received or sent. Between two users there is at most one in each direction. */
export type FriendApplicationItem = {
  /** Applicant. */
  fromUserID: string;
  /** His name as the server gave it last. */
  fromNickname: string;
  /** His avatar as the server gave it last. */
  fromFaceURL: string;
  /** Who is asked. */
  toUserID: string;
  /** His name as the server gave it last. */
  toNickname: string;
  /** His avatar as the server gave it last. */
  toFaceURL: string;
  /** 0 pending, 1 accepted, -1 refused. */
  handleResult: number;
  /** What the applicant wrote. */
  reqMsg: string;
  /** When he applied, ms. */
  createTime: number;
  /** Who answered; the server leaves it empty after a refusal. */
  handlerUserID: string;
  /** What the answer says. */
  handleMsg: string;
  /** When it was answered, ms; 0 while pending. */
  handleTime: number;
  /** The application's own data. */
  ex: string;
  /** Kept for older servers; empty. */
  attachedInfo: string;
};

/** Somebody on the black list. */
export type BlackUserItem = {
  /** Whose list. */
  ownerUserID: string;
  /** Who is on it. */
  userID: string;
  /** Display name. */
  nickname: string;
  /** Avatar URL. */
  faceURL: string;
  /** Since when, ms. */
  createTime: number;
  /** How it came about; the server's number. */
  addSource: number;
  /** Who put him there. */
  operatorUserID: string;
  /** The application's own data of this entry. */
  ex: string;
  /** Kept for older servers; empty. */
  attachedInfo: string;
};

/** A peer has read messages of the logged-in user. */
export type ReceiptInfo = {
  /** Group id; empty in single chats. */
  groupID: string;
  /** Who read. */
  userID: string;
  /** `clientMsgID`s of the messages read. */
  msgIDList: Array<string>;
  /** When they were read, ms. */
  readTime: number;
  /** 100 user, 200 system. */
  msgFrom: number;
  /** Content type of the notification that told it. */
  contentType: number;
  /** 1 single chat. */
  sessionType: number;
};

/** State of the connection to the gateway. */
export type ConnectionStatus = "disconnected" | "connecting" | "connected";

/** State of the sync that follows each connect. */
export type SyncStatus = "idle" | "syncing" | "synced" | "failed";

/** Figures of a running client. */
export type Stats = {
  /** Round trip of the last answered request, ms; 0 before the first. */
  rttMs: number;
  /** Connections made after the first. */
  reconnects: number;
  /** Requests without an answer yet. */
  requestsInFlight: number;
  /** Messages waiting to be sent. */
  outboxQueued: number;
  /** Events waiting for the listener side. */
  eventsQueued: number;
  /** Events dropped since the client was opened. */
  eventsDropped: number;
  /** Bytes of the database file and its log; 0 in memory. */
  databaseBytes: number;
};
