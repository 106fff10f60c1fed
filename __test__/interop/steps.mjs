// What two clients of any kind must be able to do with each other.
import assert from 'node:assert/strict';

/** Clients differ in the form in which they tell of new messages. */
const NEW_MESSAGE = ['OnRecvNewMessages', 'OnRecvNewMessage', 'OnRecvOfflineNewMessages', 'OnRecvOfflineNewMessage'];
const CONVERSATION = ['OnNewConversation', 'OnConversationChanged'];
const BURST = 50;

const list = (data) => [data ?? []].flat();
const textOf = ({ textElem, content }) => textElem?.content ?? JSON.parse(content).content;

/** Resolves with a message once it arrives. */
const arrival = (peer, { clientMsgID }) => (
  peer.timeline.wait(NEW_MESSAGE, (data) => list(data).find((message) => message.clientMsgID === clientMsgID))
);

/** Ids of the messages that arrived from a mark on, in order, each once: some clients tell of one in two forms. */
function arrived(peer, from) {
  const messages = peer.timeline.of(NEW_MESSAGE, from).flatMap(({ data }) => list(data));
  return [...new Set(messages.map(({ clientMsgID }) => clientMsgID))];
}

async function say(from, to, text) {
  const message = await from.createText(text);
  const sent = await from.send(to.userID, message);
  assert.equal(sent.clientMsgID, message.clientMsgID);
  assert.equal(sent.status, 2);
  assert.notEqual(sent.serverMsgID, '');
  return sent;
}

async function loginAndSync(peer) {
  await peer.login();
  await peer.timeline.wait(['OnConnectSuccess']);
  await peer.timeline.wait(['OnSyncServerFinish']);
}

async function selfInfo(peer) {
  assert.equal((await peer.selfInfo()).userID, peer.userID);
}

async function sendAndReceive(from, to, text) {
  const sent = await say(from, to, text);
  const received = await arrival(to, sent);
  assert.equal(received.sendID, from.userID);
  assert.equal(received.contentType, 101);
  assert.equal(textOf(received), text);
}

async function burst(a, b) {
  const from = b.timeline.length;
  const ids = [];
  for (let i = 0; i < BURST; i++) ids.push((await say(a, b, `burst ${i}`)).clientMsgID);
  await b.timeline.wait(NEW_MESSAGE, () => arrived(b, from).length === BURST, from);
  assert.deepEqual(arrived(b, from), ids, 'in order');
}

async function conversationList(a, b, conversationID) {
  const isChat = (row) => row.conversationID === conversationID;
  await b.timeline.wait(CONVERSATION, (rows) => list(rows).some((row) => isChat(row) && row.unreadCount >= BURST));
  const conversation = (await b.conversations()).find(isChat);
  assert.ok(conversation.unreadCount >= BURST, `unread ${conversation.unreadCount}`);
  assert.equal(conversation.userID, a.userID);
}

async function history(a, b, conversationID) {
  for (const peer of [a, b]) {
    const { messageList } = await peer.history(conversationID, 20);
    assert.deepEqual(messageList.map(textOf), Array.from({ length: 20 }, (_, i) => `burst ${BURST - 20 + i}`));
  }
}

async function markRead(a, b, conversationID) {
  const from = a.timeline.length;
  await b.markRead(conversationID);
  await a.timeline.wait(['OnRecvC2CReadReceipt'], (receipts) => (
    list(receipts).some(({ userID, msgIDList }) => userID === b.userID && msgIDList.length > 0)
  ), from);
  const conversation = (await b.conversations()).find((row) => row.conversationID === conversationID);
  assert.equal(conversation.unreadCount, 0);
}

/** The steps for two peers, in order; a step that fails keeps none of the others from being tried. */
export function steps(a, b) {
  const conversationID = `si_${[a.userID, b.userID].sort().join('_')}`;
  return [
    ['A login, sync', () => loginAndSync(a)],
    ['B login, sync', () => loginAndSync(b)],
    ['A self info', () => selfInfo(a)],
    ['B self info', () => selfInfo(b)],
    ['A sends a text, B receives it', () => sendAndReceive(a, b, 'hello ✓ 你好 👋')],
    ['B replies, A receives it', () => sendAndReceive(b, a, 'reply')],
    [`burst of ${BURST} in order`, () => burst(a, b)],
    ['conversation list and unread count', () => conversationList(a, b, conversationID)],
    ['history at both ends', () => history(a, b, conversationID)],
    ['mark read, receipt', () => markRead(a, b, conversationID)],
    ['logout', () => Promise.all([a.logout(), b.logout()])],
  ];
}
