/**
 * What an application's back-end asks of an OpenIM server in the administrator's name: accounts, tokens, messages in
 * users' names, business notifications. For back-ends, bots and tests; a secret has no place in an application that
 * users get.
 *
 * Plain JavaScript over `fetch`: nothing here needs the native binary of the package.
 */
import type { CallOptions } from '../index';
import type {
  AtTextElem,
  CustomElem,
  FileElem,
  MarkdownTextElem,
  OfflinePush,
  PictureBaseInfo,
  PictureElem,
  SoundElem,
  TextElem,
  VideoElem,
} from '../js/types';
import { MessageType, Platform } from '../index';

export { MessageStatus, MessageType, OpenIMError, Platform, type CallOptions } from '../index';

/** What `Admin.open` takes. */
export interface AdminConfig {
  /** The server's REST address, `http://` or `https://`; may have a path, behind a proxy. */
  apiAddr: string;
  /** The secret of the server's configuration. It appears in no error and no inspection of the object. */
  secret: string;
  /** An administrator of the server's configuration. Default `imAdmin`. */
  adminUserID?: string;
  /** How long an answer may take, ms; then the call rejects with `OPENIM_TIMEOUT`. Default 10000. */
  timeout?: number;
}

// ---------------------------------------------------------------------------------------------------------- tokens

/** A kind of device that a user logs in on. */
export type DevicePlatform = Exclude<Platform, typeof Platform.Admin>;

export interface IssuedToken {
  /** For `client.login` on the platform that it was issued for. */
  token: string;
  /** Life of the token from now on, seconds. */
  expireTimeSeconds: number;
}

export interface ParsedToken {
  /** Whose token it is. */
  userID: string;
  /** For which kind of device; an administrator's token is for `Platform.Admin`. */
  platformID: Platform;
  /** When it expires, ms since 1970. */
  expireTime: number;
}

// ----------------------------------------------------------------------------------------------------------- users

export interface NewUser {
  /** Letters, digits and `_`; other ids are refused with `OPENIM_SERVER_ARGS`. */
  userID: string;
  nickname: string;
  faceURL?: string;
  /** The application's own data. */
  ex?: string;
  /** 0 (default) or 1 user, 3 notification account, 4 robot; from 3 on the account cannot log in. */
  appMangerLevel?: number;
  /** 0 (default) receive, 1 do not receive, 2 receive without offline push. */
  globalRecvMsgOpt?: 0 | 1 | 2;
}

export interface UserInfo {
  userID: string;
  nickname: string;
  faceURL: string;
  /** The application's own data. */
  ex: string;
  /** When it was registered, ms since 1970. */
  createTime: number;
  /** 0 or 1 user, 2 administrator, 3 notification account, 4 robot. */
  appMangerLevel: number;
  /** 0 receive, 1 do not receive, 2 receive without offline push. */
  globalRecvMsgOpt: number;
}

export interface UpdateUserInfoParams {
  userID: string;
  /** Fields that are left out stay as they are; an empty text clears. */
  nickname?: string;
  faceURL?: string;
  ex?: string;
  /** 0 receive, 1 do not receive, 2 receive without offline push. */
  globalRecvMsgOpt?: 0 | 1 | 2;
}

/** A page of a list. */
export interface Page {
  /** Counted from 1. */
  pageNumber: number;
  /** Entries per page; servers take 1000 and more. */
  showNumber: number;
}

export interface UserOnlineStatus {
  userID: string;
  /** 1 online, 0 not. */
  status: 0 | 1;
  /** Connections of the user; what the server tells of their tokens is left out. */
  detailPlatformStatus: DeviceStatus[];
}

export interface DeviceStatus {
  platformID: Platform;
  /** Id of the connection. */
  connID: string;
  isBackground: boolean;
}

export interface NotificationAccount {
  userID: string;
  nickname: string;
  faceURL: string;
  /** 3 notification account, 4 robot. */
  appMangerLevel: number;
}

// -------------------------------------------------------------------------------------------------------- messages

/** Some fields of an element are needed, the others may be given. */
type Needs<Elem, Required extends keyof Elem> = Pick<Elem, Required> & Partial<Omit<Elem, Required>>;

/** One size of a picture. */
export type PictureSize = Needs<PictureBaseInfo, 'type' | 'width' | 'height' | 'url'>;

/** A message of the operators: sent by a notification account, shown in a conversation of its own. */
export interface OANotification {
  /** Heading. */
  notificationName: string;
  /** The application's number for the kind of notification; not 0. */
  notificationType: number;
  text: string;
  notificationFaceURL?: string;
  url?: string;
  /** Which of the elements belong together, by the application's own meaning. */
  mixType?: 0 | 1 | 2 | 3 | 4 | 5;
  pictureElem?: PictureElem;
  soundElem?: SoundElem;
  videoElem?: VideoElem;
  fileElem?: FileElem;
  ex?: string;
}

/** Kind and content of a message; the server's API takes these kinds. */
export type MessageContent =
  | { contentType: typeof MessageType.TextMessage; content: TextElem }
  | {
    contentType: typeof MessageType.PictureMessage;
    content: { sourcePicture: PictureSize; bigPicture: PictureSize; snapshotPicture: PictureSize; sourcePath?: string };
  }
  | { contentType: typeof MessageType.VoiceMessage; content: Needs<SoundElem, 'sourceUrl' | 'duration'> }
  | {
    contentType: typeof MessageType.VideoMessage;
    content: Needs<
      VideoElem,
      'videoUrl' | 'videoType' | 'videoSize' | 'duration' | 'snapshotUrl' | 'snapshotWidth' | 'snapshotHeight'
    >;
  }
  | { contentType: typeof MessageType.FileMessage; content: Needs<FileElem, 'sourceUrl' | 'fileName' | 'fileSize'> }
  | { contentType: typeof MessageType.AtTextMessage; content: Needs<AtTextElem, 'atUserList'> }
  | { contentType: typeof MessageType.CustomMessage; content: Needs<CustomElem, 'data'> }
  | { contentType: typeof MessageType.QuoteMessage; content: { text?: string; quoteMessage?: object } }
  | { contentType: typeof MessageType.MarkdownMessage; content: MarkdownTextElem }
  | { contentType: typeof MessageType.OANotification; content: OANotification };

export interface SenderParams {
  /** In whose name: any user, for an OA notification a notification account. */
  sendID: string;
  /** Name that travels with the message; the server does not fill it from the profile. */
  senderNickname?: string;
  /** Avatar that travels with the message; the server does not fill it from the profile. */
  senderFaceURL?: string;
  /** Kind of device that it seems to come from. */
  senderPlatformID?: DevicePlatform;
  /** Deliver to connected devices only, store nowhere. */
  isOnlineOnly?: boolean;
  /** No vendor push to receivers without a connection. */
  notOfflinePush?: boolean;
  /** When it was sent, ms since 1970; left out or 0: now. */
  sendTime?: number;
  /** Text of the vendor push. */
  offlinePushInfo?: Partial<OfflinePush>;
  /** The application's own data. */
  ex?: string;
}

export type SendMessageParams = SenderParams & MessageContent & {
  /** Receiver. Give this or `groupID`. */
  recvID?: string;
  /** Receiving group; not with an OA notification. */
  groupID?: string;
};

export type BatchSendMessageParams = SenderParams & MessageContent & {
  /** Receivers; can be left out with `isSendAll`. */
  recvIDs?: string[];
  /** To every user of the server, whatever `recvIDs` says. */
  isSendAll?: boolean;
};

/** Ids of a message that the server accepted. */
export interface SentMessage {
  serverMsgID: string;
  clientMsgID: string;
  /** When the server accepted it, ms since 1970. */
  sendTime: number;
}

export interface BatchSendResult {
  /** One per receiver that got it; the messages of a batch share their `clientMsgID`. */
  results: (SentMessage & { recvID: string })[];
  /** Receivers whose message was refused; the server does not say why. */
  failedUserIDs: string[];
}

export interface BusinessNotificationParams {
  /** In whose name; that user's other devices get it too. */
  sendUserID: string;
  /** Receiver. Give this or `recvGroupID`. */
  recvUserID?: string;
  /** Receiving group. */
  recvGroupID?: string;
  /** What it is about, in the application's words. */
  key: string;
  /** The application's data, often JSON text. */
  data: string;
  /** Send it as a chat message too, which is stored and counts as unread. Default false. */
  sendMsg?: boolean;
  /** 1 (default): only devices that are online get it. 2: it is stored, and devices get it when they connect. */
  reliabilityLevel?: 1 | 2;
}

// ----------------------------------------------------------------------------------------------------------- admin

/**
 * The administrator of one server.
 *
 * Promises resolve with the data itself and reject with `OpenIMError`: `errCode`, `errMsg` and `errDlt` are the
 * server's number, its name and its detail. The administrator's token is fetched by the first call, shared by all, and
 * renewed when it is about to expire or the server no longer takes it. There is nothing to close.
 */
export declare class Admin {
  private constructor();

  /** Checks the configuration. Connects nothing: the first call does. */
  static open(config: AdminConfig, options?: CallOptions): Promise<Admin>;

  /**
   * The administrator's token; call it at the start to learn of a wrong secret (`OPENIM_NO_PERMISSION`) or id
   * (`OPENIM_SERVER_ARGS`).
   */
  getAdminToken(options?: CallOptions): Promise<string>;
  /**
   * A fresh token of a user for one kind of device. By the server's default policy it ends the user's older login on
   * that kind. Unknown users are refused with `OPENIM_RECORD_NOT_FOUND`.
   */
  getUserToken(params: { userID: string; platformID: DevicePlatform }, options?: CallOptions): Promise<IssuedToken>;
  /**
   * What a token says, if it is good. Otherwise `OPENIM_TOKEN_EXPIRED`, `OPENIM_TOKEN_INVALID` or
   * `OPENIM_KICKED_OFFLINE`.
   */
  parseToken(token: string, options?: CallOptions): Promise<ParsedToken>;
  /** Ends every login of a user on one kind of device: connections are closed, tokens are no longer taken. */
  forceLogout(params: { userID: string; platformID: DevicePlatform }, options?: CallOptions): Promise<void>;

  /** Creates accounts, all or none: one id that exists refuses the whole call with `errCode` 1102. */
  registerUsers(users: NewUser[], options?: CallOptions): Promise<void>;
  /** Changes a profile; the user's devices, friends and groups are told. */
  updateUserInfo(params: UpdateUserInfoParams, options?: CallOptions): Promise<void>;
  /** Profiles of users, in no particular order; unknown ones are left out. */
  getUsersInfo(userIDs: string[], options?: CallOptions): Promise<UserInfo[]>;
  /**
   * A page of the users, administrators and notification accounts excepted. With `userID` or `nickname`: those whose
   * id or name contains one of them.
   */
  getUsers(
    params: Page & { userID?: string; nickname?: string },
    options?: CallOptions,
  ): Promise<{ total: number; users: UserInfo[] }>;
  /** A page of the ids of all accounts; `total` is their number. */
  getAllUserIDs(params: Page, options?: CallOptions): Promise<{ total: number; userIDs: string[] }>;
  /** Which of these ids are registered (1) and which are not (0). Ids must not repeat. */
  accountCheck(
    checkUserIDs: string[],
    options?: CallOptions,
  ): Promise<{ userID: string; accountStatus: 0 | 1 }[]>;
  /** Who is connected, and with what; in the order of the ids. */
  getUsersOnlineStatus(userIDs: string[], options?: CallOptions): Promise<UserOnlineStatus[]>;

  /**
   * Makes a user and others, at most 1000, friends of each other without anybody's application; who is a friend already
   * stays one. Both sides are told (`OnFriendAdded`), and the chat begins with a message of type 1201. All or none: an
   * unknown id, or the user himself, refuses the whole call with `OPENIM_RECORD_NOT_FOUND`.
   */
  importFriends(params: { ownerUserID: string; friendUserIDs: string[] }, options?: CallOptions): Promise<void>;
  /** Takes a friend out of a user's list; the other one keeps the user in his. Succeeds if he was no friend. */
  deleteFriend(params: { ownerUserID: string; friendUserID: string }, options?: CallOptions): Promise<void>;
  /** Ids of a user's friends: pinned ones first, then in the order in which they became friends. */
  getFriendIDs(userID: string, options?: CallOptions): Promise<string[]>;
  /** Whether two users have each other in their lists; after a one-sided removal only one of them does. */
  isFriend(
    params: { userID1: string; userID2: string },
    options?: CallOptions,
  ): Promise<{ inUser1Friends: boolean; inUser2Friends: boolean }>;

  /**
   * Puts somebody on a user's black list: his messages to the user are refused with 1302 (`BlockedByPeer`), the other
   * direction stays open. Somebody who is on it already is refused with `errCode` 500.
   */
  addBlack(
    params: { ownerUserID: string; blackUserID: string; ex?: string },
    options?: CallOptions,
  ): Promise<void>;
  /** Takes somebody off a user's black list. Succeeds if he was not on it. */
  removeBlack(params: { ownerUserID: string; blackUserID: string }, options?: CallOptions): Promise<void>;

  /** Creates an account that sends OA notifications and cannot log in; without `userID` the server makes one. */
  addNotificationAccount(
    params: { userID?: string; nickname: string; faceURL?: string; appMangerLevel?: 3 | 4 },
    options?: CallOptions,
  ): Promise<NotificationAccount>;
  /** Changes name and avatar; what is empty or left out stays as it is. */
  updateNotificationAccount(
    params: { userID: string; nickname?: string; faceURL?: string },
    options?: CallOptions,
  ): Promise<void>;
  /** A page of the accounts whose id or name contains `keyword`; without it of all. */
  searchNotificationAccounts(
    params: Page & { keyword?: string },
    options?: CallOptions,
  ): Promise<{ total: number; accounts: NotificationAccount[] }>;

  /** The client configuration of a user, or with an empty id the one for all. Servers of the 3.8.3 line lack it. */
  getUserClientConfig(userID: string, options?: CallOptions): Promise<Record<string, string>>;
  /** Sets keys of a user's client configuration, or with an empty id of the one for all; other keys stay. */
  setUserClientConfig(
    params: { userID: string; configs: Record<string, string> },
    options?: CallOptions,
  ): Promise<void>;
  /** Deletes keys of a client configuration. */
  deleteUserClientConfig(params: { userID: string; keys: string[] }, options?: CallOptions): Promise<void>;

  /**
   * Sends a message in the name of a user. Black lists and mutes do not hold it up; a receiver whose option is "do not
   * receive" refuses it with `OPENIM_SERVER_ARGS`. After a network error or a timeout the outcome is unknown:
   * `getSendStatus(error.operationID)` tells it.
   */
  sendMessage(params: SendMessageParams, options?: CallOptions): Promise<SentMessage>;
  /** Sends one message to many users, each in a single chat with the sender. */
  batchSendMessage(params: BatchSendMessageParams, options?: CallOptions): Promise<BatchSendResult>;
  /**
   * How the `sendMessage` with this operation id ended: 0 unknown, 1 being sent, 2 sent, 3 refused. The server
   * remembers it for a while. The id is also the trace id of this call.
   */
  getSendStatus(operationID: string, options?: Pick<CallOptions, 'signal'>): Promise<0 | 1 | 2 | 3>;
  /** Sends the application's own data to a user or a group, as an event of their clients rather than as a message. */
  sendBusinessNotification(params: BusinessNotificationParams, options?: CallOptions): Promise<SentMessage>;
  /** The server's clock, ms since 1970. */
  getServerTime(options?: CallOptions): Promise<number>;

  /**
   * Calls any other path of the REST API with the administrator's token, and resolves with the `data` of the answer as
   * it is: lists may be null, and integers above 2^53 are rounded. `OPENIM_NOT_SUPPORTED` where the server lacks it.
   */
  post<Data = unknown>(path: string, body?: object, options?: CallOptions): Promise<Data>;
}
