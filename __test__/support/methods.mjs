// The native methods, written down a second time on purpose: a method that the facade loses or invents is a failure.
export const METHOD_NAMES = [
  'open', 'login', 'logout', 'close', 'networkStatusChanged', 'updateToken', 'setAppBackgroundStatus',
  'getSelfUserInfo', 'setSelfInfo', 'getUsersInfo', 'getUserClientConfig', 'updateFcmToken', 'setAppBadge',
  'subscribeUsersStatus', 'unsubscribeUsersStatus', 'getSubscribeUsersStatus', 'getUserStatus',
  'getFriendList', 'getFriendListPage', 'getSpecifiedFriendsInfo', 'checkFriend', 'searchFriends', 'updateFriends',
  'deleteFriend', 'addFriend', 'acceptFriendApplication', 'refuseFriendApplication',
  'getFriendApplicationListAsRecipient', 'getFriendApplicationListAsApplicant', 'getFriendApplicationUnhandledCount',
  'deleteFriendRequests', 'addBlack', 'removeBlack', 'getBlackList',
  'sendMessage', 'cancelSend', 'resendMessage',
  'getAdvancedHistoryMessageList', 'getAdvancedHistoryMessageListReverse',
  'getAllConversationList', 'getConversationListSplit', 'getOneConversation', 'getMultipleConversation',
  'getTotalUnreadMsgCount', 'markConversationMessageAsRead', 'markAllConversationMessageAsRead',
];
