// The native methods, written down a second time on purpose: a method that the facade loses or invents is a failure.
export const METHOD_NAMES = [
  'open', 'login', 'logout', 'close', 'networkStatusChanged',
  'getSelfUserInfo', 'getUsersInfo',
  'sendMessage', 'getAdvancedHistoryMessageList', 'getAdvancedHistoryMessageListReverse',
  'getAllConversationList', 'getConversationListSplit', 'getOneConversation', 'getMultipleConversation',
  'getTotalUnreadMsgCount', 'markConversationMessageAsRead', 'markAllConversationMessageAsRead',
];
