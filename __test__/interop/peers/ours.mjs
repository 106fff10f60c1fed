// This package, behind the same face.
import { OpenIM, Platform, sdkVersion } from 'openim-node';
import events from '../../../js/events.js';
import { Timeline } from '../timeline.mjs';

export const platformID = Platform.Linux;

export async function open({ label, userID, token, addresses }) {
  const client = await OpenIM.open({ ...addresses, platformID, dataDir: ':memory:' });
  const timeline = new Timeline();
  for (const event of Object.values(events.EVENTS).flat()) client.on(event, (data) => timeline.add(event, data));
  return {
    label,
    userID,
    timeline,
    version: sdkVersion,
    call: (method, params) => client[method](params),
    login: () => client.login({ userID, token }),
    logout: () => client.logout(),
    selfInfo: () => client.getSelfUserInfo(),
    createText: async (text) => client.createTextMessage(text),
    send: (recvID, message) => client.sendMessage({ recvID, groupID: '', message }),
    conversations: () => client.getConversationListSplit({ offset: 0, count: 100 }),
    history: (conversationID, count) => client.getAdvancedHistoryMessageList({
      conversationID, startClientMsgID: '', count, viewType: 0,
    }),
    markRead: (conversationID) => client.markConversationMessageAsRead(conversationID),
    close: () => client.close(),
  };
}
