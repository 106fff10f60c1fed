'use strict';

const {
  arrayOf, boolean, func, integer, object, oneOf, oneOrMany, optional, params, string, value,
} = require('./validate');

/** What `OpenIM.open` takes. */
const config = params({
  apiAddr: string,
  wsAddr: string,
  platformID: integer,
  dataDir: string,
  sendTimeout: optional(integer),
  outboxTtl: optional(integer),
  tokenProvider: optional(func),
  syncPullCount: optional(integer),
  syncPullConversations: optional(integer),
  wireFormat: optional(oneOf('json', 'gob')),
  compression: optional(boolean),
  onCorruptDatabase: optional(oneOf('fail', 'reset')),
  cacheBudgetBytes: optional(integer),
  proxy: optional(string),
  caCertificates: optional(oneOrMany(string)),
});

const historyPage = params({
  conversationID: string,
  startClientMsgID: optional(string),
  count: integer,
  viewType: optional(integer),
});

const source = params({ sourceID: string, sessionType: integer });
const userIDs = value('userIDList', arrayOf(string));
const friendAnswer = params({ toUserID: string, handleMsg: optional(string) });
const applicationPage = optional(params({
  handleResults: optional(arrayOf(oneOf(0, 1, -1))),
  offset: optional(integer),
  count: optional(integer),
}));
const messageKey = params({ conversationID: string, clientMsgID: string });

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
  updateToken: value('token', string),
  setAppBackgroundStatus: value('isBackground', boolean),

  // user
  getSelfUserInfo: null,
  setSelfInfo: params({
    nickname: optional(string),
    faceURL: optional(string),
    ex: optional(string),
    globalRecvMsgOpt: optional(integer),
  }),
  getUsersInfo: userIDs,
  getUserClientConfig: null,
  subscribeUsersStatus: userIDs,
  unsubscribeUsersStatus: userIDs,
  getSubscribeUsersStatus: null,
  getUserStatus: userIDs,
  updateFcmToken: params({ fcmToken: string, expireTime: optional(integer) }),
  setAppBadge: value('appUnreadCount', integer),

  // friend
  getFriendList: value('filterBlack', optional(boolean)),
  getFriendListPage: params({ offset: integer, count: integer, filterBlack: optional(boolean) }),
  getSpecifiedFriendsInfo: params({ friendUserIDList: arrayOf(string), filterBlack: optional(boolean) }),
  checkFriend: userIDs,
  searchFriends: params({
    keywordList: arrayOf(string),
    isSearchUserID: optional(boolean),
    isSearchNickname: optional(boolean),
    isSearchRemark: optional(boolean),
  }),
  updateFriends: params({
    friendUserIDs: arrayOf(string),
    isPinned: optional(boolean),
    remark: optional(string),
    ex: optional(string),
  }),
  deleteFriend: value('userID', string),

  // friend request
  addFriend: params({ toUserID: string, reqMsg: optional(string), ex: optional(string) }),
  acceptFriendApplication: friendAnswer,
  refuseFriendApplication: friendAnswer,
  getFriendApplicationListAsRecipient: applicationPage,
  getFriendApplicationListAsApplicant: applicationPage,
  getFriendApplicationUnhandledCount: optional(params({ time: optional(integer) })),
  deleteFriendRequests: value('friendRequests', arrayOf(object({ fromUserID: string, toUserID: string }))),

  // black list
  addBlack: params({ toUserID: string, ex: optional(string) }),
  removeBlack: value('userID', string),
  getBlackList: null,

  // message
  sendMessage: params({
    recvID: optional(string),
    groupID: optional(string),
    message: object({ clientMsgID: string, contentType: integer }),
    offlinePushInfo: optional(object({})),
    isOnlineOnly: optional(boolean),
  }),
  cancelSend: messageKey,
  resendMessage: messageKey,
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
