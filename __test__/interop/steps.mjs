// What two clients of any kind must be able to do with each other.
import assert from 'node:assert/strict';
import { until } from '../support/recording.mjs';

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
    const expected = Array.from({ length: 20 }, (_, i) => `burst ${BURST - 20 + i}`);
    const times = messageList.map(({ sendTime }) => sendTime);
    assert.deepEqual(times, [...times].sort());
    const shown = messageList.map((message) => [message.sendTime, textOf(message)]);
    if (peer.ordersByTime) shown.sort();
    assert.deepEqual(shown.map(([, text]) => text), expected);
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

/** Some clients do not tell of a friend that an acceptance made: the list does. */
async function hasFriend(peer, friend) {
  await until(`${friend.userID} among the friends of ${peer.userID}`, async () => {
    const friends = await peer.call('getFriendListPage', { offset: 0, count: 50, filterBlack: false });
    return list(friends).some(({ userID }) => userID === friend.userID);
  });
}

async function befriend(a, b) {
  await a.call('addFriend', { toUserID: b.userID, reqMsg: 'hi' });
  await b.timeline.wait(['OnFriendApplicationAdded'], ({ fromUserID }) => fromUserID === a.userID);
  const received = await b.call('getFriendApplicationListAsRecipient', { offset: 0, count: 20, handleResults: [] });
  assert.deepEqual(list(received).map(({ fromUserID, reqMsg }) => [fromUserID, reqMsg]), [[a.userID, 'hi']]);
  await b.call('acceptFriendApplication', { toUserID: a.userID, handleMsg: 'ok' });
  await a.timeline.wait(['OnFriendApplicationAccepted'], ({ handleMsg }) => handleMsg === 'ok');
  await hasFriend(a, b);
  await hasFriend(b, a);
}

async function block(a, b) {
  await a.call('addBlack', { toUserID: b.userID, ex: '' });
  await a.timeline.wait(['OnBlackAdded'], ({ userID }) => userID === b.userID);
  await assert.rejects(b.send(a.userID, await b.createText('let me in')), (error) => (
    error.errCode === 1302 || error.message.includes('1302')
  ));
  await a.call('removeBlack', b.userID);
  await sendAndReceive(b, a, 'thank you');
}

async function unfriend(a, b) {
  await a.call('deleteFriend', b.userID);
  await a.timeline.wait(['OnFriendDeleted'], ({ userID }) => userID === b.userID);
  assert.deepEqual(list(await a.call('getFriendListPage', { offset: 0, count: 50, filterBlack: false })), []);
  await hasFriend(b, a);
}

/** A token that is none: an event tells, whether or not the login rejects as well. */
export async function badToken(open) {
  const peer = await open();
  try {
    await Promise.allSettled([peer.login()]);
    await peer.timeline.wait(['OnUserTokenInvalid']);
  } finally {
    await peer.close();
  }
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
    ['A applies, B accepts', () => befriend(a, b)],
    ['A blocks B for a while', () => block(a, b)],
    ['B blocks A for a while', () => block(b, a)],
    ['A deletes the friend, B keeps his', () => unfriend(a, b)],
    ['logout', () => Promise.all([a.logout(), b.logout()])],
  ];
}
