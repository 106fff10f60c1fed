// What the steps ask of a peer, by OpenIM's names: the same of every client.

/** @param call `(method, params) => result` of one client */
export const face = (call) => ({
  call,
  logout: () => call('logout'),
  selfInfo: () => call('getSelfUserInfo'),
  createText: (text) => call('createTextMessage', text),
  send: (recvID, message) => call('sendMessage', { recvID, groupID: '', message }),
  conversations: () => call('getConversationListSplit', { offset: 0, count: 100 }),
  history: (conversationID, count) => call('getAdvancedHistoryMessageList', {
    conversationID, startClientMsgID: '', lastMinSeq: 0, count, viewType: 0,
  }),
  markRead: (conversationID) => call('markConversationMessageAsRead', conversationID),
});
