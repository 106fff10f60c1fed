/**
 * OpenIM client SDK for Node.js and Electron.
 *
 * Times are milliseconds since 1970. Lists are never null, and every field of a type is always present.
 */
import { EventEmitter } from 'node:events';
import type {
  AdvancedHistoryMessages,
  ConnectionStatus as ConnectionState,
  ConversationItem,
  MessageBase,
  MessageItem,
  MessageSendState,
  OfflinePush,
  PublicUserItem,
  ReceiptInfo,
  SelfUserInfo,
  Stats,
  SyncStatus as SyncState,
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
}

/** Events of `client.friendship`: none yet. */
export interface FriendshipEvents {}

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
  /** How many of its newest messages a sync fetches of each recently active conversation. Default 20. */
  syncPullCount?: number;
  /** Of how many of the most recently active conversations; of the others it fetches the newest. Default 50. */
  syncPullConversations?: number;
  /** gzip on the socket. Default true. */
  compression?: boolean;
  /** `'reset'` moves a damaged database aside and starts as a new device. Default `'fail'`: `OPENIM_DB_CORRUPT`. */
  onCorruptDatabase?: 'fail' | 'reset';
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
  /** Ends the client and everything of it. Idempotent; later calls reject with `OPENIM_CLOSED`. */
  close(): Promise<void>;
  /** The system's network changed: connect again at once. */
  networkStatusChanged(options?: CallOptions): Promise<void>;

  getLoginStatus(): LoginStatus;
  /** The logged-in user, or an empty string. */
  getLoginUserID(): string;
  getConnectionStatus(): ConnectionStatus;
  getSyncStatus(): SyncStatus;
  /** Figures of the running client: round trip, queues, reconnects, size of the database. */
  stats(): Stats;
  /** What can be used here; a call that is not offered rejects with `OPENIM_NOT_SUPPORTED`. */
  capabilities(): Capabilities;

  getSelfUserInfo(options?: CallOptions): Promise<SelfUserInfo>;
  /** Profiles of users; unknown ones are left out. */
  getUsersInfo(userIDList: string[], options?: CallOptions): Promise<PublicUserItem[]>;

  /** A text message, ready to be sent. Needs a login, touches neither file nor network. */
  createTextMessage(text: string): Extract<MessageItem, { contentType: 101 }>;
  /**
   * Stores a message, sends it, and resolves with it as the server accepted it. Without an answer within `sendTimeout`
   * it rejects with `OPENIM_SEND_PENDING`: the message stays queued, also over restarts, and
   * `OnMessageSendStateChanged` tells the outcome.
   */
  sendMessage(params: SendMessageParams, options?: CallOptions): Promise<MessageItem>;
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
  /** Which older logins a new one ends. Policy 1 (default): those of the same platform; 0: none. */
  multiLogin?: { policy?: 0 | 1; maxNumOneEnd?: number };
  /** Life of a token in days. Default 90. */
  tokenExpireDays?: number;
  /** Refuse messages to users who do not have the sender in their friend list. Default false. */
  friendVerify?: boolean;
  /** Offer read receipts in groups. Default true. */
  groupReadReceipt?: boolean;
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

