/**
 * OpenIM client SDK for Node.js and Electron.
 *
 * Times are milliseconds since 1970. Lists are never null, and every field of a type is always present.
 */
import { EventEmitter } from 'node:events';
import type {
  AdvancedHistoryMessages,
  BlackUserItem,
  ConnectionStatus as ConnectionState,
  ConversationItem,
  FriendApplicationItem,
  FriendUserItem,
  FriendshipInfo,
  MessageBase,
  MessageItem,
  MessageSendState,
  OfflinePush,
  PublicUserItem,
  ReceiptInfo,
  SelfUserInfo,
  Stats,
  SyncStatus as SyncState,
  UserOnlineState,
} from './js/types';

export type * from './js/types';

/** Version of this package, as the server sees it. */
export declare const sdkVersion: string;

// ---------------------------------------------------------------------------------------------------------- errors

/** Why a call failed. */
export declare class OpenIMError extends Error {
  readonly name: 'OpenIMError';
  /** Stable name of the situation, such as `OPENIM_TOKEN_EXPIRED`: the thing to branch on. See docs/errors.md. */
  readonly code: string;
  /** OpenIM's number: below 10000 the server's own, from 10000 the client's. */
  readonly errCode: number;
  /** Text for people; may change. */
  readonly errMsg: string;
  /** The server's detail of a refusal, where `openim-node/admin` got one; also part of `message`. */
  readonly errDlt?: string;
  /** Trace id of the call, also in the server's log. */
  readonly operationID: string;
  /** The same call can succeed later without changing anything. */
  readonly retryable: boolean;
  /** With `OPENIM_ARGS`: the parameter that is wrong, as the caller wrote it. */
  readonly field?: string;
  /** Plain data, which survives structured clone (workers, Electron); `from` makes it an error again. */
  toJSON(): OpenIMErrorRecord;
  static from(record: OpenIMErrorRecord | OpenIMError): OpenIMError;
  constructor(record: Omit<OpenIMErrorRecord, 'name'>, options?: { cause?: unknown });
}

export interface OpenIMErrorRecord {
  name: 'OpenIMError';
  code: string;
  errCode: number;
  errMsg: string;
  errDlt?: string;
  operationID: string;
  retryable: boolean;
  field?: string;
}

// ---------------------------------------------------------------------------------------------------------- events

/** Events of `client.connection`. */
export interface ConnectionEvents {
  /** A series of attempts begins. */
  OnConnecting: [];
  /** The server accepted the connection. */
  OnConnectSuccess: [];
  /** One attempt failed; the next follows by itself. */
  OnConnectFailed: [error: { errCode: number; errMsg: string }];
  /** Another login took this one's place; the session is over. */
  OnKickedOffline: [];
  /** The token is expired; the session is over. Log in with a new one. */
  OnUserTokenExpired: [];
  /** The server does not accept the token; the session is over. */
  OnUserTokenInvalid: [errMsg: string];
}

/** Events of `client.user`. */
export interface UserEvents {
  /** The own profile changed. */
  OnSelfInfoUpdated: [user: SelfUserInfo];
  /** A user of `subscribeUsersStatus` came online, went, or changed platforms. */
  OnUserStatusChanged: [state: UserOnlineState];
}

/**
 * Events of `client.friendship`. They come from what the lists were and what they are: each change once, whoever made it,
 * and after an absence as well.
 */
export interface FriendshipEvents {
  /** Somebody applied for friendship: told at both, on all their devices. */
  OnFriendApplicationAdded: [application: FriendApplicationItem];
  /** `deleteFriendRequests` hid it, or the server no longer has it. */
  OnFriendApplicationDeleted: [application: FriendApplicationItem];
  /** Told at both, before `OnFriendAdded`. */
  OnFriendApplicationAccepted: [application: FriendApplicationItem];
  /** Told at both; `handleMsg` says why. The applicant may apply again. */
  OnFriendApplicationRejected: [application: FriendApplicationItem];
  /** Somebody is on the list now: at both after an acceptance, at one after an administrator's import. */
  OnFriendAdded: [friend: FriendUserItem];
  /** Told only at the one who deleted; the friend as he was. */
  OnFriendDeleted: [friend: FriendUserItem];
  /** Name, avatar, remark, pin or data of a friend. */
  OnFriendInfoChanged: [friend: FriendUserItem];
  /** Told only on the devices of the one who blocked. */
  OnBlackAdded: [black: BlackUserItem];
  /** Told only on the devices of the one who had blocked; the entry as it was. */
  OnBlackDeleted: [black: BlackUserItem];
}

/** Events of `client.group`: none yet. */
export interface GroupEvents {}

/** Events of `client.signaling`: none yet. */
export interface SignalingEvents {}

/** Events of `client.conversation`. */
export interface ConversationEvents {
  /** A sync began; true if it is the first one on this device. */
  OnSyncServerStart: [firstTime: boolean];
  /** 1 to 100; first sync only. */
  OnSyncServerProgress: [percent: number];
  /** Everything is here; load what you show. */
  OnSyncServerFinish: [firstTime: boolean];
  /** The sync failed; it is tried again by itself. */
  OnSyncServerFailed: [firstTime: boolean];
  /** Conversations that were not in the list before. */
  OnNewConversation: [conversations: ConversationItem[]];
  /** Conversations of the list as they are now. */
  OnConversationChanged: [conversations: ConversationItem[]];
  /** Unread messages in all conversations that notify. */
  OnTotalUnreadMessageCountChanged: [total: number];
}

/** Events of `client.message`. */
export interface MessageEvents {
  /** Messages arrived: once per batch, oldest first. */
  OnRecvNewMessages: [messages: MessageItem[]];
  /** The same for one message at a time, after the list. */
  OnRecvNewMessage: [message: MessageItem];
  /** Instead of `OnRecvNewMessages` while the application is in the background. */
  OnRecvOfflineNewMessages: [messages: MessageItem[]];
  OnRecvOfflineNewMessage: [message: MessageItem];
  /** Messages that are stored nowhere. */
  OnRecvOnlineOnlyMessages: [messages: MessageItem[]];
  OnRecvOnlineOnlyMessage: [message: MessageItem];
  /** Others have read own messages. */
  OnRecvC2CReadReceipt: [receipts: ReceiptInfo[]];
  /** How a send ended whose call no longer waited (`OPENIM_SEND_PENDING`). */
  OnMessageSendStateChanged: [state: MessageSendState];
}

/** Events of the client: those of all its emitters, and its own. */
export interface ClientEvents
  extends ConnectionEvents, UserEvents, FriendshipEvents, GroupEvents, SignalingEvents, ConversationEvents,
    MessageEvents {
  /** Listeners were so slow that events had to be dropped: query again what you show. */
  OnEventsDropped: [dropped: { count: number }];
  /** A damaged database was moved aside (`onCorruptDatabase: 'reset'`); this is a new device now. */
  OnDatabaseReset: [reset: { movedTo: string }];
}

/** An EventEmitter that knows its events and what they carry. */
declare class TypedEmitter<Events> extends EventEmitter {
  protected constructor();
  addListener<E extends EventName<Events>>(event: E, listener: Listener<Events, E>): this;
  on<E extends EventName<Events>>(event: E, listener: Listener<Events, E>): this;
  once<E extends EventName<Events>>(event: E, listener: Listener<Events, E>): this;
  off<E extends EventName<Events>>(event: E, listener: Listener<Events, E>): this;
  removeListener<E extends EventName<Events>>(event: E, listener: Listener<Events, E>): this;
  prependListener<E extends EventName<Events>>(event: E, listener: Listener<Events, E>): this;
  prependOnceListener<E extends EventName<Events>>(event: E, listener: Listener<Events, E>): this;
}

export type { TypedEmitter };

/** Every emitter has `error`: what a listener threw, or what its promise rejected with. */
type EventName<Events> = (keyof Events & string) | 'error';

type Listener<Events, E> =
  (...args: E extends keyof Events ? Extract<Events[E], unknown[]> : [error: unknown]) => void;

// ---------------------------------------------------------------------------------------------------------- client

/** What `setSelfInfo` changes; an empty text clears. */
export interface SelfInfoUpdate {
  nickname?: string;
  faceURL?: string;
  ex?: string;
  /** 0 receive, 1 do not receive, 2 receive without offline push. */
  globalRecvMsgOpt?: 0 | 1 | 2;
}

/** What `updateFriends` changes; an empty text clears. */
export interface FriendsUpdate {
  /** 1 to 1,000 friends. */
  friendUserIDs: string[];
  isPinned?: boolean;
  remark?: string;
  ex?: string;
}

/** Where `searchFriends` looks; one of the switches must be on. */
export interface FriendSearchParams {
  keywordList: string[];
  isSearchUserID?: boolean;
  isSearchNickname?: boolean;
  isSearchRemark?: boolean;
}

/** A found friend; `relationship` 0: on the black list as well. */
export type SearchedFriendItem = FriendUserItem & { relationship: 0 | 1 };

/** Whose application is answered, and what to tell him. */
export interface FriendAnswer {
  toUserID: string;
  handleMsg?: string;
}

/** Which applications; everything by default. */
export interface FriendApplicationPage {
  /** 0 pending, 1 accepted, -1 refused; empty = any. */
  handleResults?: (0 | 1 | -1)[];
  offset?: number;
  /** 0 = all. */
  count?: number;
}

/** A message of a conversation. */
export interface MessageKey {
  conversationID: string;
  clientMsgID: string;
}

/** What `OpenIM.open` takes. */
export interface OpenIMConfig {
  /** The server's REST address, `http://` or `https://`. */
  apiAddr: string;
  /** The server's gateway address, `ws://` or `wss://`. */
  wsAddr: string;
  /** The kind of this device; tokens are issued for one kind. */
  platformID: Platform;
  /** Folder of the databases, one file per user and platform; `':memory:'` keeps all in memory. */
  dataDir: string;
  /** How long `sendMessage` waits for the server's answer, ms. Default 60000. */
  sendTimeout?: number;
  /**
   * How long a message may be on its way before it is given up as `OPENIM_SEND_EXPIRED`, ms; it counts over restarts.
   * Default 86400000, a day.
   */
  outboxTtl?: number;
  /**
   * Gives a new token for the logged-in user when the server refuses the one in use because it expired or is no longer
   * valid: the session goes on with it, and no event tells. Asked once at a time, for at most 30 s. A rejection, the same
   * token again, or a new token that is refused as well ends the session with the event it would have ended with at once.
   * After a kick it is not asked.
   */
  tokenProvider?: () => Promise<string> | string;
  /** How many of its newest messages a sync fetches of each recently active conversation. Default 20. */
  syncPullCount?: number;
  /** Of how many of the most recently active conversations; of the others it fetches the newest. Default 50. */
  syncPullConversations?: number;
  /**
   * Encoding of the frames on the socket. Default `'gob'`, which every OpenIM 3.8 server speaks: reading and writing it
   * costs a fraction of JSON's, and large frames are a quarter smaller. `'json'` is text, to be read along the way; servers
   * before 3.8.2 close such connections.
   */
  wireFormat?: 'json' | 'gob';
  /** gzip on the socket. Default true. */
  compression?: boolean;
  /** `'reset'` moves a damaged database aside and starts as a new device. Default `'fail'`: `OPENIM_DB_CORRUPT`. */
  onCorruptDatabase?: 'fail' | 'reset';
  /**
   * What the page caches of all databases of this process may hold together, bytes, from 1048576 (1 MiB) to 2^40 (1 TiB).
   * Default 64 MiB. The logged-in clients with a `dataDir` on disk share it evenly: half of a share is the writer's, a
   * quarter each of two readers'; none has less than 64 KiB for each, and one client alone takes half of the budget. Of
   * clients that give different values the largest counts while that client is logged in. A cache grows only with what is
   * read and written, and an idle database has none.
   */
  cacheBudgetBytes?: number;
  /**
   * The way to the server, for the socket and the REST API alike: `http://host:port` (CONNECT; plain `http://` addresses
   * are forwarded) or `socks5://host:port`. Credentials stand before the host, percent-encoded:
   * `socks5://user:p%40ss@host:1080`. The proxy resolves the server's name. Environment variables such as `HTTPS_PROXY`
   * are not read: pass `proxy: process.env.HTTPS_PROXY` if they shall count. A proxy that cannot be reached, refuses or
   * stays silent is `OPENIM_PROXY`, whose text names it without the credentials.
   */
  proxy?: string;
  /**
   * Certificate authorities to accept beside the built-in ones and the operating system's, for `https://` and `wss://`
   * alike: each the text of a PEM file or its path. A server whose certificate nobody of them signed is
   * `OPENIM_CERTIFICATE`.
   */
  caCertificates?: string | string[];
}

/** The last argument of every call. */
export interface CallOptions {
  /** Ends the call with `OPENIM_ABORTED`; `cause` is the signal's reason. */
  signal?: AbortSignal;
  /** Trace id for logs here and at the server; made when missing. */
  operationID?: string;
}

export interface LoginParams {
  userID: string;
  /** Issued by the server for this user and platform. */
  token: string;
  /**
   * `'local'` (default): the database is open, every query works, also offline. `'connected'`: the server accepted the
   * token. `'synced'`: the first sync after that is complete.
   */
  waitUntil?: 'local' | 'connected' | 'synced';
}

export interface SendMessageParams {
  /** Receiver, in single chats. Give this or `groupID`. */
  recvID?: string;
  /** Group. */
  groupID?: string;
  /** From a `create…Message` function, or a message whose sending failed. */
  message: MessageItem;
  /** Text of the vendor push that receivers without a connection get. */
  offlinePushInfo?: Partial<OfflinePush>;
  /** Deliver to connected devices only, store nowhere. */
  isOnlineOnly?: boolean;
}

export interface HistoryParams {
  conversationID: string;
  /** The page begins beside this message; empty or left out: at the newest (reverse: oldest) message. */
  startClientMsgID?: string;
  /** Messages per page. */
  count: number;
  viewType?: ViewType;
}

/** The other side of a conversation: a user (session type 1) or a group (3). */
export interface ConversationSource {
  sourceID: string;
  sessionType: SessionType;
}

export interface Capabilities {
  friends: boolean;
  groups: boolean;
  objectStore: boolean;
  signaling: boolean;
  groupReadReceipt: boolean;
}

// ------------------------------------------------------------------------------------------------------------ logs

/** How much is logged; each level holds all before it. */
export type LogLevel = 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** Something that happened. Never holds tokens, passwords or contents of messages. */
export interface LogRecord {
  /** `2026-01-31T23:59:59.123Z`. */
  time: string;
  level: Exclude<LogLevel, 'off'>;
  /** The module that speaks, such as `openim_core::net::socket`. */
  target: string;
  /** What happened; a fixed sentence, good to search for. */
  message: string;
  /** Whose client; empty if nobody's. */
  userID: string;
  /** 0 if nobody's. */
  platformID: Platform | 0;
  /** The call or request that it belongs to; empty if none. */
  operationID: string;
  /** Everything else: numbers, codes, ids. */
  fields: Record<string, string | number | boolean>;
}

/** What `OpenIM.configureLogs` takes. What is left out has its default. */
export interface LogConfig {
  /** Default `'info'`: the course of sessions. `'debug'` adds every call and message by its ids. */
  logLevel?: LogLevel;
  /**
   * Folder of the files `openim.log`, `openim.1.log` (older) and so on; lines of JSON, each a `LogRecord`. Made if
   * missing. A folder belongs to one process. Left out: no files.
   */
  logDir?: string;
  /** Size at which a file is closed and the next begins, 10000 to 2^30 bytes. Default 5 MB. */
  maxFileBytes?: number;
  /** How many files are kept, the one being written included, 1 to 100. Default 5. */
  maxFiles?: number;
  /**
   * Gets every record, in order, for applications with a log of their own. Holds up nothing and keeps no process alive:
   * when more than 1000 records wait the oldest go, and a record `records dropped` tells how many.
   */
  onLog?: (record: LogRecord) => void;
}

/**
 * One account's client. Any number of them live in one process.
 *
 * Promises resolve with the data itself and reject with `OpenIMError`, and never before the events that the call caused
 * were delivered. An open client keeps the process alive unless `unref()` was called.
 */
export declare class OpenIM extends TypedEmitter<ClientEvents> {
  private constructor();

  /** Checks the configuration and opens a client. Connects nothing: `login` does. */
  static open(config: OpenIMConfig, options?: CallOptions): Promise<OpenIM>;

  /**
   * Replaces the logging of this process: of all clients, workers and dev servers. Off until it is called. Resolves when
   * what was logged before is in its files. A wrong setting (`OPENIM_ARGS`) or a folder that cannot be used
   * (`OPENIM_DATA_DIR`) leaves the old configuration in place. See docs/logs.md.
   */
  static configureLogs(config: LogConfig): Promise<void>;
  /**
   * Writes everything that the log files hold into one gzip file, oldest first, and resolves with its path: the given
   * one, or `openim-export.log.gz` in `logDir`. A file that is there is replaced. Needs `logDir` (`OPENIM_ARGS`).
   */
  static exportLogs(path?: string): Promise<string>;

  readonly connection: TypedEmitter<ConnectionEvents>;
  readonly user: TypedEmitter<UserEvents>;
  readonly friendship: TypedEmitter<FriendshipEvents>;
  readonly group: TypedEmitter<GroupEvents>;
  readonly conversation: TypedEmitter<ConversationEvents>;
  readonly message: TypedEmitter<MessageEvents>;
  readonly signaling: TypedEmitter<SignalingEvents>;

  /**
   * Begins a session. The same user again joins it; with another token the session goes on with that one; another user
   * is refused with `OPENIM_LOGIN_REPEATED`. After a rejection with a network error the client is logged in all the
   * same and goes on connecting; after one with a token error it is logged out.
   */
  login(params: LoginParams, options?: CallOptions): Promise<void>;
  /** Ends the session and tells the server; works without a connection. The client can log in again. */
  logout(options?: CallOptions): Promise<void>;
  /**
   * Ends the client and everything of it. Events of what is stored already still come, and then no more: what listeners
   * missed would not be told again. Idempotent; later calls reject with `OPENIM_CLOSED`.
   */
  close(): Promise<void>;
  /** The system's network changed: connect again at once. */
  networkStatusChanged(options?: CallOptions): Promise<void>;
  /**
   * Replaces the token of the logged-in user and connects again with it. After `OnUserTokenExpired`,
   * `OnUserTokenInvalid` or `OnKickedOffline` it begins a session again, with the same database and listeners; after a
   * `logout` it rejects with `OPENIM_NOT_LOGGED_IN`.
   */
  updateToken(token: string, options?: CallOptions): Promise<void>;
  /**
   * Tells whether the application is in the background. There, messages that would notify come as
   * `OnRecvOfflineNewMessages`. Back in the foreground the client compares itself with the server at once
   * (`OnSyncServerStart(false)` to `OnSyncServerFinish(false)`) and tells what it missed.
   */
  setAppBackgroundStatus(isBackground: boolean, options?: CallOptions): Promise<void>;

  getLoginStatus(): LoginStatus;
  /** The logged-in user, or an empty string. */
  getLoginUserID(): string;
  getConnectionStatus(): ConnectionStatus;
  getSyncStatus(): SyncStatus;
  /** Figures of the running client: round trip, queues, reconnects, size of the database. */
  stats(): Stats;
  /** What can be used here; a call that is not offered rejects with `OPENIM_NOT_SUPPORTED`. */
  capabilities(): Capabilities;

  /** The own profile, as last heard from the server. */
  getSelfUserInfo(options?: CallOptions): Promise<SelfUserInfo>;
  /**
   * Changes the own profile, only what is given. `OnSelfInfoUpdated` here, `OnFriendInfoChanged` at friends. Nothing given,
   * or a `globalRecvMsgOpt` other than 0, 1, 2: `OPENIM_ARGS`.
   */
  setSelfInfo(info: SelfInfoUpdate, options?: CallOptions): Promise<void>;
  /** Profiles of users; unknown ones are left out. At most 1,000 ids. Offline: as last known here. */
  getUsersInfo(userIDList: string[], options?: CallOptions): Promise<PublicUserItem[]>;
  /** The server's configuration for clients of this user. */
  getUserClientConfig(options?: CallOptions): Promise<Record<string, string>>;
  /**
   * Subscribes to the presence of users, at most 1,000 in a call, and resolves with their states now, in the order asked
   * for; `OnUserStatusChanged` tells changes. Holds over lost connections, until `unsubscribeUsersStatus` or the end of
   * the session. Needs a connection; what rejects subscribes to nobody.
   */
  subscribeUsersStatus(userIDList: string[], options?: CallOptions): Promise<UserOnlineState[]>;
  /** Ends subscriptions, at most 1,000 in a call; those that are none are passed over. */
  unsubscribeUsersStatus(userIDList: string[], options?: CallOptions): Promise<void>;
  /** The users subscribed to of whom the server has said something, as last heard. */
  getSubscribeUsersStatus(options?: CallOptions): Promise<UserOnlineState[]>;
  /** Asks for the presence of users, subscribed to or not, at most 1,000; who is unknown is offline. */
  getUserStatus(userIDList: string[], options?: CallOptions): Promise<UserOnlineState[]>;
  /** Tells the server this device's token of the push service; `expireTime` in ms. */
  updateFcmToken(params: { fcmToken: string; expireTime?: number }, options?: CallOptions): Promise<void>;
  /** Tells the server the number on the application's icon, 0 to 2,147,483,647: push services show it. */
  setAppBadge(appUnreadCount: number, options?: CallOptions): Promise<void>;

  /** Every friend, in the server's order: pinned first. `filterBlack` leaves out those on the black list. */
  getFriendList(filterBlack?: boolean, options?: CallOptions): Promise<FriendUserItem[]>;
  /** A slice of that list: `count` friends at most after the first `offset`; 0 gives none. */
  getFriendListPage(
    params: { offset: number; count: number; filterBlack?: boolean },
    options?: CallOptions,
  ): Promise<FriendUserItem[]>;
  /**
   * Those of the users, at most 1,000, who are friends, in the order asked for. Where one is not known as a friend here
   * the server is asked first.
   */
  getSpecifiedFriendsInfo(
    params: { friendUserIDList: string[]; filterBlack?: boolean },
    options?: CallOptions,
  ): Promise<FriendUserItem[]>;
  /** For each of the users, at most 1,000: `result` 1 is a friend and not on the black list, 0 anybody else. */
  checkFriend(userIDList: string[], options?: CallOptions): Promise<FriendshipInfo[]>;
  /** Friends in whose id, name or remark (what is switched on) every keyword occurs, whatever its case. */
  searchFriends(params: FriendSearchParams, options?: CallOptions): Promise<SearchedFriendItem[]>;
  /** Changes remark, pin or data of friends, only what is given; who is no friend is passed over. */
  updateFriends(params: FriendsUpdate, options?: CallOptions): Promise<void>;
  /** Takes a friend off the own list; the user stays on the friend's. */
  deleteFriend(userID: string, options?: CallOptions): Promise<void>;

  /**
   * Applies for friendship; again, it replaces the application before. Refused with `errCode` 1304 if both are friends
   * already, 1301 to oneself, 1004 if there is no such user.
   */
  addFriend(params: { toUserID: string; reqMsg?: string; ex?: string }, options?: CallOptions): Promise<void>;
  /**
   * Accepts the application of `toUserID`: `OnFriendApplicationAccepted`, then `OnFriendAdded`, at both. Refused with
   * `errCode` 1004 if there is no application, 1001 if it is answered already.
   */
  acceptFriendApplication(params: FriendAnswer, options?: CallOptions): Promise<void>;
  /**
   * Refuses the application of `toUserID`: `OnFriendApplicationRejected` at both. Refused with `errCode` 1004 if there is
   * no application, 1305 if it is answered already.
   */
  refuseFriendApplication(params: FriendAnswer, options?: CallOptions): Promise<void>;
  /** Applications of others, newest first; `count` 0 or none gives all. Offline: as last known here. */
  getFriendApplicationListAsRecipient(
    params?: FriendApplicationPage,
    options?: CallOptions,
  ): Promise<FriendApplicationItem[]>;
  /** Own applications, newest first; `count` 0 or none gives all. Offline: as last known here. */
  getFriendApplicationListAsApplicant(
    params?: FriendApplicationPage,
    options?: CallOptions,
  ): Promise<FriendApplicationItem[]>;
  /** Applications of others that wait for an answer and are newer than `time`, ms. */
  getFriendApplicationUnhandledCount(params?: { time?: number }, options?: CallOptions): Promise<number>;
  /** Hides applications on this device, until the same two users have a newer one. */
  deleteFriendRequests(
    friendRequests: { fromUserID: string; toUserID: string }[],
    options?: CallOptions,
  ): Promise<void>;

  /**
   * Puts a user on the black list: the server refuses his messages (`errCode` 1302). Who is on it stays as he is. Oneself:
   * `OPENIM_ARGS`; no such user: `errCode` 1004.
   */
  addBlack(params: { toUserID: string; ex?: string }, options?: CallOptions): Promise<void>;
  /** Takes a user off the black list; who is not on it is passed over. */
  removeBlack(userID: string, options?: CallOptions): Promise<void>;
  /** The black list, oldest entry first. */
  getBlackList(options?: CallOptions): Promise<BlackUserItem[]>;

  /** A text message, ready to be sent. Needs a login, touches neither file nor network. */
  createTextMessage(text: string): Extract<MessageItem, { contentType: 101 }>;
  /**
   * Stores a message, sends it, and resolves with it as the server accepted it. Without an answer within `sendTimeout`
   * it rejects with `OPENIM_SEND_PENDING`: the message stays queued, also over restarts, and
   * `OnMessageSendStateChanged` tells the outcome. A refusal that trying again cannot change fails it (status 3, with the
   * reason in `sendError`). An abort before the request left takes the message back, as `cancelSend` does; afterwards it
   * ends only the waiting.
   */
  sendMessage(params: SendMessageParams, options?: CallOptions): Promise<MessageItem>;
  /**
   * Takes back a message that is on its way: status 3 at once, and the waiting `sendMessage` rejects, both with
   * `OPENIM_SEND_CANCELLED`. If the request had left already the server may have the message all the same; then it
   * becomes status 2 when it comes back and `OnMessageSendStateChanged` tells. A message that is sent or failed rejects
   * with `OPENIM_NOT_SENDING`.
   */
  cancelSend(key: MessageKey, options?: CallOptions): Promise<void>;
  /**
   * Sends a failed message again, under its id and with what it held; settles as `sendMessage` does. One that is sent or
   * on its way rejects with `OPENIM_MESSAGE_REPEATED`.
   */
  resendMessage(key: MessageKey, options?: CallOptions): Promise<MessageItem>;
  /** A page of older messages, oldest first. Gaps are filled from the server. */
  getAdvancedHistoryMessageList(params: HistoryParams, options?: CallOptions): Promise<AdvancedHistoryMessages>;
  /** A page of newer messages, oldest first. */
  getAdvancedHistoryMessageListReverse(params: HistoryParams, options?: CallOptions): Promise<AdvancedHistoryMessages>;

  /** The conversation list, pinned ones first, then the most recent. */
  getAllConversationList(options?: CallOptions): Promise<ConversationItem[]>;
  /** A slice of the conversation list. */
  getConversationListSplit(
    params: { offset: number; count: number },
    options?: CallOptions,
  ): Promise<ConversationItem[]>;
  /** A conversation by its other side; made, though not yet listed, if there is none. */
  getOneConversation(params: ConversationSource, options?: CallOptions): Promise<ConversationItem>;
  /** Conversations by id; unknown ones are left out. */
  getMultipleConversation(conversationIDList: string[], options?: CallOptions): Promise<ConversationItem[]>;
  /** The id of a conversation by its other side. */
  getConversationIDBySessionType(params: ConversationSource): string;
  /** Unread messages in all conversations that notify. */
  getTotalUnreadMsgCount(options?: CallOptions): Promise<number>;
  /** Everything in the conversation is read; in single chats the other side gets a receipt. */
  markConversationMessageAsRead(conversationID: string, options?: CallOptions): Promise<void>;
  markAllConversationMessageAsRead(options?: CallOptions): Promise<void>;

  /** Lets the open client keep the process alive again. */
  ref(): this;
  /** Lets the process end although the client is open. */
  unref(): this;
}

// --------------------------------------------------------------------------------------------------------- messages

/** A message whose kind this version does not know, or whose content cannot be read. */
export type UnknownMessage = MessageBase & { contentType: number; content: string };

/** Whether a message has its text in `content` instead of an element. */
export declare function isUnknownMessage(message: MessageBase): message is UnknownMessage;

// ------------------------------------------------------------------------------------------------------ dev server

export interface DevServerConfig {
  /** Address of all three listeners. Default `127.0.0.1`; others need `allowRemote` and a secret of your own. */
  host?: string;
  /** Port of the REST API; 0 (default) is any free one. */
  apiPort?: number;
  /** Port of the gateway. */
  wsPort?: number;
  /** Port of the account interfaces. */
  accountPort?: number;
  /** Folder of the server's data; left out: everything is in memory and gone with the server. */
  dataDir?: string;
  /** Key of the tokens, and the password of the administrator. Default `openIM123`. */
  secret?: string;
  /** The administrator's user id. Default `imAdmin`. */
  adminUserID?: string;
  /** Allows a `host` that other machines reach. Default false. */
  allowRemote?: boolean;
  /** Which older logins a new one ends. Default: policy 1. */
  multiLogin?: MultiLogin;
  /** Connections that the gateway holds; one more is refused with 1601. Default 100,000. */
  maxConnections?: number;
  /** Life of a token in days. Default 90. */
  tokenExpireDays?: number;
  /** Refuse messages to users who do not have the sender in their friend list. Default false. */
  friendVerify?: boolean;
  /** Offer read receipts in groups. Default true. */
  groupReadReceipt?: boolean;
}

/**
 * Which older logins of a user end when a new one begins. A new *token* ends older tokens: calls with them are refused
 * with 1506, open connections go on. A new *connection* then closes older ones with a kick (2002).
 */
export interface MultiLogin {
  /**
   * - 0: none, but a platform keeps only the newest `maxNumOneEnd` tokens
   * - 1 (default): those of the same platform
   * - 4: those of the same class: mobile (iOS, Android), PC (Windows, macOS, Linux), pad (Android pad, iPad); every
   *   other platform is a class of its own
   * - 5: PCs end nobody; all other platforms together have one login
   */
  policy?: 0 | 1 | 4 | 5;
  /** Tokens that a platform keeps under policy 0. Default 30. */
  maxNumOneEnd?: number;
}

export interface DevServerAddresses {
  apiAddr: string;
  wsAddr: string;
  accountAddr: string;
}

/** A complete OpenIM server inside this process, for trying, testing and working offline. */
export declare class DevServer {
  private constructor();
  /** Starts a server; it is ready when the promise resolves. */
  static start(config?: DevServerConfig): Promise<DevServer>;
  /** Where it listens; can be spread into the configuration of a client. */
  readonly addresses: DevServerAddresses;
  /** Levers that make faults: lost pushes, late answers, kicks, dead lines and more. Made for your tests. */
  readonly faults: Faults;
  /** Creates accounts, all or none. */
  registerUsers(users: { userID: string; nickname: string; faceURL?: string }[]): Promise<void>;
  /** A fresh token; a user who does not exist yet is registered. */
  token(userID: string, platformID: Platform): Promise<string>;
  /** Ends every connection and frees the ports. Idempotent. */
  stop(): Promise<void>;
  /** Stops the server and starts it again on the same folder and the same ports. */
  restart(): Promise<void>;
  /** Lets the running server keep the process alive again. */
  ref(): this;
  /** Lets the process end although the server runs. */
  unref(): this;
}

// ---------------------------------------------------------------------------------------------------------- faults

/** How often a lever acts; left out: until it is cleared. */
interface Counted {
  count?: number;
}

/** Which pushes: all that are given must fit. */
export interface PushScope extends Counted {
  /** The receiver, who may be the sender himself: his own devices are told too. Left out: everybody. */
  to?: string;
  /** Only his connections of this platform. */
  platformID?: Platform;
  /** 2001 (default): messages and notifications; 2005: online states. */
  operation?: number;
  /** Only messages with this content type. */
  contentType?: number;
  /** Only messages of this conversation. */
  conversationID?: string;
}

/** Which requests, over the gateway and REST: all that are given must fit. */
export interface RequestScope extends Counted {
  /** Who asks. */
  userID?: string;
  /** From which platform; REST calls have none. */
  platformID?: Platform;
  /** Operation of the gateway, such as 1003 (send a message) or 1002 (pull messages). Excludes `path`. */
  operation?: number;
  /** Path of the REST API, such as `/friend/add_friend`. Excludes `operation`. */
  path?: string;
}

/** Which connections, of those that are open now. */
export interface ConnectionScope {
  /** Whose; left out: everybody's. */
  userID?: string;
  platformID?: Platform;
}

/** A refusal. */
export interface Refusal {
  /** `errCode`, not 0. */
  code: number;
  /** `errMsg`. Default: the code's own name. */
  message?: string;
}

/** A frame that no server sends: exactly one of `text`, `binary`, `malformed`. */
export type RawFrame =
  /** A text frame. */
  | { text: string }
  /** A binary frame with exactly these bytes, at most 64 MiB. */
  | { binary: Uint8Array }
  /**
   * - `truncated`: an answer, in the connection's encoding, that stops in the middle
   * - `invalidUtf8`: a text frame that is not UTF-8
   * - `garbage`: a binary frame of noise
   * - `gzipBomb`: a gzip member of less than 1 MiB that grows to 80 MiB
   */
  | { malformed: 'truncated' | 'invalidUtf8' | 'garbage' | 'gzipBomb' }
  /** A binary frame of so many zeros, at most 64 MiB. */
  | { malformed: 'oversized'; bytes: number };

/** A lever that was set. */
export interface Fault {
  /** The method that set it. */
  readonly name: string;
  /** How often it has acted. */
  readonly hits: number;
  /** How often it will act: `Infinity` until it is cleared, 0 when it is over. */
  readonly left: number;
  /**
   * Waits until it has acted `times` times (default: its `count`, or once). Resolves with false if it is cleared or the
   * server stops before.
   */
  acted(times?: number): Promise<boolean>;
  /** Takes it away; what it held back goes on. Does nothing if it is over. */
  clear(): void;
}

/**
 * Faults made on purpose, to test how an application takes them. Every lever is in force when its method returns. The
 * oldest lever that fits acts, alone. Levers survive {@link DevServer.restart}. Wrong parameters throw `OPENIM_ARGS`
 * with the `field`; what concerns open connections throws `OPENIM_CLOSED` while the server is stopped.
 */
export interface Faults {
  // Pushes. A message counts once, however many devices its receiver has.

  /** Pushes get lost; the messages are stored and can be pulled. */
  dropPushes(scope?: PushScope): Fault;
  /** Pushes come `ms` milliseconds (at most 600,000) later; others overtake them. */
  delayPushes(scope: PushScope & { ms: number }): Fault;
  /** Pushes come twice. */
  duplicatePushes(scope?: PushScope): Fault;
  /** The next `count` pushes (at least 2) are held back and come in reverse order once the last one is there. */
  reorderPushes(scope: PushScope & { count: number }): Fault;
  /** Connections miss pushes during their first `ms` milliseconds, as they do with real servers for about a second. */
  loseEarlyPushes(ms: number, scope?: PushScope): Fault;
  /** The pushes of the next `count` stored messages get lost, so that the receiver sees a jump in the seqs. */
  leaveGap(scope: PushScope & { count: number }): Fault;

  // Requests and answers. A REST call that is lost stays open until the caller gives up or the server stops.

  /** Requests get lost: nothing happens and no answer comes. */
  dropRequests(scope?: RequestScope): Fault;
  /** Requests are refused, and nothing else happens. */
  refuseRequests(scope: RequestScope & Refusal): Fault;
  /** Answers get lost, although what was asked for happened. */
  dropAnswers(scope?: RequestScope): Fault;
  /** Answers come `ms` milliseconds (at most 600,000) later; on the gateway others overtake them. */
  delayAnswers(scope: RequestScope & { ms: number }): Fault;
  /** Gateway answers come twice. REST calls have one answer: `path` is refused. */
  repeatAnswers(scope?: RequestScope): Fault;
  /**
   * Connections are refused: 1501 to 1507 are about the token, and a client gives up; after any other code, such as
   * 1601 (too many connections), it tries again.
   */
  refuseHandshakes(scope: Counted & ConnectionScope & Refusal): Fault;

  // Storing and the server itself.

  /**
   * Messages are acknowledged at once and stored `ms` milliseconds (at most 600,000) later, as real servers do for a
   * moment: until then no pull and no push shows them, and one that is sent again in between is stored twice. The order
   * stays. What waits is stored when the server stops.
   */
  delayStore(
    ms: number,
    scope?: Counted & { userID?: string; contentType?: number; conversationID?: string },
  ): Fault;
  /** Every commit of the database takes `ms` milliseconds (at most 600,000) longer, and with it what waits for it. */
  slowDisk(ms: number, scope?: Counted): Fault;
  /**
   * Skips `count` seqs (at most 1,000,000) of a conversation that has messages, and announces the newest one, which is
   * returned. Those seqs exist nowhere: pulls answer an empty placeholder for each, as after a real server lost its
   * cache. It stays.
   */
  makeHole(hole: { conversationID: string; count: number }): number;
  /** Puts the server's clock `ms` milliseconds ahead of the true time (negative: behind); 0 sets it right. */
  shiftClock(ms: number): void;

  // Open connections. Each method returns how many there were.

  /** Kicks, as another login would: the kick frame (2002), the end, and the tokens are refused with 1506 from now on. */
  kick(connections?: ConnectionScope): number;
  /** Closes: with `code`, 1000 to 4999, after a close frame, otherwise without one. They may come back. */
  closeConnections(connections?: ConnectionScope & { code?: number; reason?: string }): number;
  /** A dead line: the socket stays open, but nothing is read or written any more, pongs included. */
  stall(connections?: ConnectionScope): number;
  /** The line is back, and what waited goes on. */
  resume(connections?: ConnectionScope): number;
  /** Sends a frame out of turn. */
  sendFrame(frame: ConnectionScope & RawFrame): number;
  /** Sends an answer, of operation 1001 unless another is given, to a request that was never made. */
  answerUnknown(answer?: ConnectionScope & { operation?: number }): number;

  /** The levers that will act, oldest first. */
  pending(): Fault[];
  /** Takes every lever away, sets the clock right and lets stalled connections go on. Holes stay. */
  clear(): void;
}

// ------------------------------------------------------------------------------------------------------- constants

export declare const Platform: {
  readonly iOS: 1;
  readonly Android: 2;
  readonly Windows: 3;
  readonly MacOSX: 4;
  readonly Web: 5;
  readonly MiniWeb: 6;
  readonly Linux: 7;
  readonly AndroidPad: 8;
  readonly iPad: 9;
  readonly Admin: 10;
  readonly HarmonyOS: 11;
};
export type Platform = (typeof Platform)[keyof typeof Platform];

export declare const LoginStatus: { readonly Logout: 1; readonly Logging: 2; readonly Logged: 3 };
export type LoginStatus = (typeof LoginStatus)[keyof typeof LoginStatus];

export declare const ConnectionStatus: {
  readonly Disconnected: 'disconnected';
  readonly Connecting: 'connecting';
  readonly Connected: 'connected';
};
export type ConnectionStatus = ConnectionState;

export declare const SyncStatus: {
  readonly Idle: 'idle';
  readonly Syncing: 'syncing';
  readonly Synced: 'synced';
  readonly Failed: 'failed';
};
export type SyncStatus = SyncState;

export declare const SessionType: { readonly Single: 1; readonly Group: 3; readonly Notification: 4 };
export type SessionType = (typeof SessionType)[keyof typeof SessionType];

export declare const MessageStatus: { readonly Sending: 1; readonly Succeed: 2; readonly Failed: 3 };
export type MessageStatus = (typeof MessageStatus)[keyof typeof MessageStatus];

export declare const MessageFrom: { readonly User: 100; readonly System: 200 };
export type MessageFrom = (typeof MessageFrom)[keyof typeof MessageFrom];

/** Kinds of content; decides which element a message has. */
export declare const MessageType: {
  readonly TextMessage: 101;
  readonly PictureMessage: 102;
  readonly VoiceMessage: 103;
  readonly VideoMessage: 104;
  readonly FileMessage: 105;
  readonly AtTextMessage: 106;
  readonly MergeMessage: 107;
  readonly CardMessage: 108;
  readonly LocationMessage: 109;
  readonly CustomMessage: 110;
  readonly TypingMessage: 113;
  readonly QuoteMessage: 114;
  readonly FaceMessage: 115;
  readonly AdvancedTextMessage: 117;
  readonly MarkdownMessage: 118;
  readonly CustomMessageNotTriggerConversation: 119;
  readonly CustomMessageOnlineOnly: 120;
  readonly FriendAdded: 1201;
  readonly OANotification: 1400;
  readonly GroupCreated: 1501;
  readonly GroupInfoUpdated: 1502;
  readonly MemberQuit: 1504;
  readonly GroupOwnerTransferred: 1507;
  readonly MemberKicked: 1508;
  readonly MemberInvited: 1509;
  readonly MemberEnter: 1510;
  readonly GroupDismissed: 1511;
  readonly GroupMemberMuted: 1512;
  readonly GroupMemberCancelMuted: 1513;
  readonly GroupMuted: 1514;
  readonly GroupCancelMuted: 1515;
  readonly GroupAnnouncementUpdated: 1519;
  readonly GroupNameUpdated: 1520;
  readonly BurnMessageChange: 1701;
  readonly RevokeMessage: 2101;
};
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

export declare const MessageReceiveOptType: { readonly Normal: 0; readonly NotReceive: 1; readonly NotNotify: 2 };
export type MessageReceiveOptType = (typeof MessageReceiveOptType)[keyof typeof MessageReceiveOptType];

export declare const GroupAtType: {
  readonly AtNormal: 0;
  readonly AtMe: 1;
  readonly AtAll: 2;
  readonly AtAllAtMe: 3;
  readonly AtGroupNotice: 4;
};
export type GroupAtType = (typeof GroupAtType)[keyof typeof GroupAtType];

export declare const ViewType: { readonly History: 0; readonly Search: 1 };
export type ViewType = (typeof ViewType)[keyof typeof ViewType];

