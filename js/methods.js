'use strict';

const { arrayOf, boolean, integer, object, oneOf, optional, params, string, value } = require('./validate');

/** What `OpenIM.open` takes. */
const config = params({
  apiAddr: string,
  wsAddr: string,
  platformID: integer,
  dataDir: string,
  sendTimeout: optional(integer),
  syncPullCount: optional(integer),
  syncPullConversations: optional(integer),
  compression: optional(boolean),
  onCorruptDatabase: optional(oneOf('fail', 'reset')),
});

const historyPage = params({
  conversationID: string,
  startClientMsgID: optional(string),
  count: integer,
  viewType: optional(integer),
});

const source = params({ sourceID: string, sessionType: integer });

/**
 * Every asynchronous method of a client with the check of its parameter, or null where it takes none. One table: the
 * class gets its methods from it, so a name is written once.
 */
const METHODS = {
  // session
  login: params({
    userID: string,
    token: string,
    waitUntil: optional(oneOf('local', 'connected', 'synced')),
  }),
  logout: null,
  networkStatusChanged: null,

  // user
  getSelfUserInfo: null,
  getUsersInfo: value('userIDList', arrayOf(string)),

  // message
  sendMessage: params({
    recvID: optional(string),
    groupID: optional(string),
    message: object({ clientMsgID: string, contentType: integer }),
    offlinePushInfo: optional(object({})),
    isOnlineOnly: optional(boolean),
  }),
  getAdvancedHistoryMessageList: historyPage,
  getAdvancedHistoryMessageListReverse: historyPage,

  // conversation
  getAllConversationList: null,
  getConversationListSplit: params({ offset: integer, count: integer }),
  getOneConversation: source,
  getMultipleConversation: value('conversationIDList', arrayOf(string)),
  getTotalUnreadMsgCount: null,
  markConversationMessageAsRead: value('conversationID', string),
  markAllConversationMessageAsRead: null,
};

/** Methods that touch neither file nor network: they answer at once and throw. */
const SYNC_METHODS = {
  createTextMessage: value('text', string),
  getConversationIDBySessionType: source,
};

module.exports = { METHODS, SYNC_METHODS, config };
