'use strict';

const { checkContent } = require('./content');
const { argsError } = require('../js/errors');
const { MessageType, Platform, SessionType } = require('../js/constants');
const {
  arrayOf, boolean, integer, nonEmpty, object, oneOf, optional, params, positive, string, value,
} = require('../js/validate');

/** Kinds of device that a token may be for; the administrator's own is none of them. */
const platform = oneOf(...Object.values(Platform).filter((number) => number !== Platform.Admin));

/** A page of a list, counted from 1 (http.md 1.9). */
const page = { pageNumber: positive, showNumber: positive };

/** The page as the server takes it, and the rest. */
const paged = ({ pageNumber, showNumber, ...rest }) => ({ pagination: { pageNumber, showNumber }, ...rest });

/** An object all of whose members are texts. */
function strings(given, field) {
  object({})(given, field);
  for (const [name, text] of Object.entries(given)) string(text, `${field}.${name}`);
}

const receiveOption = optional(oneOf(0, 1, 2));

const checkCommon = params({
  sendID: nonEmpty,
  senderNickname: optional(string),
  senderFaceURL: optional(string),
  senderPlatformID: optional(platform),
  isOnlineOnly: optional(boolean),
  notOfflinePush: optional(boolean),
  sendTime: optional(integer),
  offlinePushInfo: optional(object({})),
  ex: optional(string),
});

/** That one of two fields names a receiver, and only one. */
function checkReceiver(params, user, group) {
  optional(string)(params[user], user);
  optional(string)(params[group], group);
  if (!params[user] === !params[group]) throw argsError(user, `or ${group} must be given, and not both`);
}

function checkMessage(message) {
  checkCommon(message);
  checkReceiver(message, 'recvID', 'groupID');
  checkContent(message);
  if (message.contentType === MessageType.OANotification && message.groupID) {
    throw argsError('groupID', 'cannot get an OA notification, which goes to a user');
  }
}

function checkBatch(message) {
  checkCommon(message);
  checkContent(message);
  optional(boolean)(message.isSendAll, 'isSendAll');
  const recvIDs = arrayOf(nonEmpty);
  (message.isSendAll ? optional(recvIDs) : recvIDs)(message.recvIDs, 'recvIDs');
  if (!message.isSendAll && message.recvIDs.length === 0) throw argsError('recvIDs', 'must not be empty');
}

/** The kind of conversation follows from who receives what. */
function sessionType({ contentType, groupID }) {
  if (contentType === MessageType.OANotification) return SessionType.Notification;
  return groupID ? SessionType.Group : SessionType.Single;
}

const message = (given) => ({ ...given, sessionType: sessionType(given) });

function batch({ recvIDs = [], ...given }) {
  return { ...given, recvIDs, sessionType: sessionType({ contentType: given.contentType }) };
}

const checkBusiness = params({
  sendUserID: nonEmpty,
  key: nonEmpty,
  data: string,
  sendMsg: optional(boolean),
  reliabilityLevel: optional(oneOf(1, 2)),
});

const sent = ({ serverMsgID, clientMsgID, sendTime }) => ({ serverMsgID, clientMsgID, sendTime });

/** What remains of a device's status: its token is nobody's business. */
const device = ({ platformID, connID, isBackground }) => ({ platformID, connID, isBackground });

const nothing = () => undefined;

/**
 * Every method with its path, the check of its parameter (null where it takes none), the request's body and what it
 * resolves with. `open` marks a path that takes no token, so that its refusals of a token concern another one.
 */
const METHODS = {
  // token
  getUserToken: {
    path: '/auth/get_user_token',
    check: params({ userID: nonEmpty, platformID: platform }),
    result: ({ token, expireTimeSeconds }) => ({ token, expireTimeSeconds }),
  },
  parseToken: {
    path: '/auth/parse_token',
    open: true,
    check: value('token', nonEmpty),
    body: (token) => ({ token }),
    result: ({ userID, platformID, expireTimeSeconds }) => ({
      userID, platformID, expireTime: expireTimeSeconds * 1000,
    }),
  },
  forceLogout: {
    path: '/auth/force_logout',
    check: params({ userID: nonEmpty, platformID: platform }),
    result: nothing,
  },

  // user
  registerUsers: {
    path: '/user/user_register',
    check: value('users', arrayOf(object({
      userID: nonEmpty,
      nickname: nonEmpty,
      faceURL: optional(string),
      ex: optional(string),
      appMangerLevel: optional(integer),
      globalRecvMsgOpt: receiveOption,
    }))),
    body: (users) => ({ users }),
    result: nothing,
  },
  updateUserInfo: {
    path: '/user/update_user_info_ex',
    check: params({
      userID: nonEmpty,
      nickname: optional(string),
      faceURL: optional(string),
      ex: optional(string),
      globalRecvMsgOpt: receiveOption,
    }),
    body: (userInfo) => ({ userInfo }),
    result: nothing,
  },
  getUsersInfo: {
    path: '/user/get_users_info',
    check: value('userIDs', arrayOf(nonEmpty)),
    body: (userIDs) => ({ userIDs }),
    result: ({ usersInfo }) => usersInfo ?? [],
  },
  getUsers: {
    path: '/user/get_users',
    check: params({ ...page, userID: optional(string), nickname: optional(string) }),
    body: ({ nickname: nickName = '', userID = '', ...rest }) => paged({ ...rest, userID, nickName }),
    result: ({ total, users }) => ({ total, users: users ?? [] }),
  },
  getAllUserIDs: {
    path: '/user/get_all_users_uid',
    check: params(page),
    body: paged,
    result: ({ total, userIDs }) => ({ total, userIDs: userIDs ?? [] }),
  },
  accountCheck: {
    path: '/user/account_check',
    check: value('checkUserIDs', arrayOf(nonEmpty)),
    body: (checkUserIDs) => ({ checkUserIDs }),
    result: ({ results }) => results ?? [],
  },
  getUsersOnlineStatus: {
    path: '/user/get_users_online_status',
    check: value('userIDs', arrayOf(nonEmpty)),
    body: (userIDs) => ({ userIDs }),
    result: (list) => Array.from(list, ({ userID, status, detailPlatformStatus }) => (
      { userID, status, detailPlatformStatus: (detailPlatformStatus ?? []).map(device) }
    )),
  },

  // friend
  importFriends: {
    path: '/friend/import_friend',
    check: params({ ownerUserID: nonEmpty, friendUserIDs: arrayOf(nonEmpty) }),
    result: nothing,
  },
  deleteFriend: {
    path: '/friend/delete_friend',
    check: params({ ownerUserID: nonEmpty, friendUserID: nonEmpty }),
    result: nothing,
  },
  getFriendIDs: {
    path: '/friend/get_friend_id',
    check: value('userID', nonEmpty),
    body: (userID) => ({ userID }),
    result: ({ friendIDs }) => friendIDs ?? [],
  },
  isFriend: {
    path: '/friend/is_friend',
    check: params({ userID1: nonEmpty, userID2: nonEmpty }),
    result: ({ inUser1Friends, inUser2Friends }) => ({ inUser1Friends, inUser2Friends }),
  },

  // black list
  addBlack: {
    path: '/friend/add_black',
    check: params({ ownerUserID: nonEmpty, blackUserID: nonEmpty, ex: optional(string) }),
    result: nothing,
  },
  removeBlack: {
    path: '/friend/remove_black',
    check: params({ ownerUserID: nonEmpty, blackUserID: nonEmpty }),
    result: nothing,
  },

  // notification account
  addNotificationAccount: {
    path: '/user/add_notification_account',
    check: params({
      userID: optional(string),
      nickname: nonEmpty,
      faceURL: optional(string),
      appMangerLevel: optional(oneOf(3, 4)),
    }),
    body: ({ userID = '', nickname: nickName, faceURL = '', appMangerLevel = 3 }) => (
      { userID, nickName, faceURL, appMangerLevel }
    ),
    result: ({ userID, nickName: nickname, faceURL, appMangerLevel }) => (
      { userID, nickname, faceURL, appMangerLevel }
    ),
  },
  updateNotificationAccount: {
    path: '/user/update_notification_account',
    check: params({ userID: nonEmpty, nickname: optional(string), faceURL: optional(string) }),
    body: ({ userID, nickname: nickName = '', faceURL = '' }) => ({ userID, nickName, faceURL }),
    result: nothing,
  },
  searchNotificationAccounts: {
    path: '/user/search_notification_account',
    check: params({ ...page, keyword: optional(string) }),
    body: ({ keyword = '', ...rest }) => paged({ keyword, ...rest }),
    result: ({ total, notificationAccounts }) => ({
      total,
      accounts: (notificationAccounts ?? []).map(({ nickName: nickname, ...account }) => ({ ...account, nickname })),
    }),
  },

  // client configuration
  getUserClientConfig: {
    path: '/user/get_user_client_config',
    check: value('userID', string),
    body: (userID) => ({ userID }),
    result: ({ configs }) => configs ?? {},
  },
  setUserClientConfig: {
    path: '/user/set_user_client_config',
    check: params({ userID: string, configs: strings }),
    result: nothing,
  },
  deleteUserClientConfig: {
    path: '/user/del_user_client_config',
    check: params({ userID: string, keys: arrayOf(nonEmpty) }),
    result: nothing,
  },

  // message
  sendMessage: { path: '/msg/send_msg', check: checkMessage, body: message, result: sent },
  batchSendMessage: {
    path: '/msg/batch_send_msg',
    check: checkBatch,
    body: batch,
    result: ({ results, failedUserIDs }) => ({ results: results ?? [], failedUserIDs: failedUserIDs ?? [] }),
  },
  sendBusinessNotification: {
    path: '/msg/send_business_notification',
    check(notification) {
      checkBusiness(notification);
      checkReceiver(notification, 'recvUserID', 'recvGroupID');
    },
    result: sent,
  },
  getServerTime: { path: '/msg/get_server_time', check: null, result: ({ serverTime }) => serverTime },
};

module.exports = { METHODS };
