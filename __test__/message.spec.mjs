import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { MessageStatus, Platform } from 'openim-node';
import { World, say, settled, textOf } from './support/world.mjs';

const TEXTS = [
  'hello', '你好，鲍勃', 'こんにちは', 'שלום', '👩‍👩‍👧‍👦 👋🏽', ' leading, "quotes", \\ and \n lines\u0000',
];

const history = async (client, conversationID, count = 20) => (
  (await client.getAdvancedHistoryMessageList({ conversationID, startClientMsgID: '', count })).messageList
);

/** Text that gzip cannot shorten below `bytes`. */
const incompressible = (bytes) => randomBytes(bytes).toString('base64');

for (const text of TEXTS) {
  test(`a text arrives as it was written: ${JSON.stringify(text)}`, async (t) => {
    const world = await World.start(t);
    const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
    const sent = await say(alice, bob, text);
    const [received] = await bob.recording.messages(1);
    assert.equal(textOf(received), text);
    assert.equal(textOf(sent), text);
    assert.equal(received.clientMsgID, sent.clientMsgID);
  });
}

test('a created message is ready to be sent and stored nowhere', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const message = alice.client.createTextMessage('draft');
  assert.equal(message.contentType, 101);
  assert.equal(message.status, MessageStatus.Sending);
  assert.equal(message.sendID, alice.id);
  assert.equal(message.senderNickname, 'alice');
  assert.equal(message.senderPlatformID, Platform.Linux);
  assert.equal(message.seq, 0);
  assert.notEqual(message.clientMsgID, alice.client.createTextMessage('draft').clientMsgID);
  assert.deepEqual(await alice.client.getAllConversationList(), []);
});

test('a sent message is complete at both ends', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const sent = await say(alice, bob, 'hello');
  const [received] = await bob.recording.messages(1);
  for (const message of [sent, received]) {
    assert.equal(message.status, MessageStatus.Succeed);
    assert.equal(message.sendID, alice.id);
    assert.equal(message.recvID, bob.id);
    assert.equal(message.groupID, '');
    assert.equal(message.sessionType, 1);
    assert.equal(message.msgFrom, 100);
    assert.equal(message.isRead, false);
    assert.equal(message.senderNickname, 'alice');
    assert.equal(message.sendError, null);
    assert.notEqual(message.serverMsgID, '');
    assert.ok(message.sendTime >= message.createTime - 60_000);
  }
  assert.equal(received.serverMsgID, sent.serverMsgID);
  assert.equal(received.sendTime, sent.sendTime);
  assert.equal(received.seq, 1);
});

test('first contact: what each side hears, in order', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await settled(alice, bob);
  await settled(bob, alice);
  alice.recording.clear();
  bob.recording.clear();
  const heardBeforeTheAnswer = await say(alice, bob, 'hello').then(() => alice.recording.names);
  await settled(alice, bob);
  await settled(bob, alice);

  assert.deepEqual(heardBeforeTheAnswer, ['OnNewConversation', 'OnConversationChanged']);
  assert.deepEqual(alice.recording.names, heardBeforeTheAnswer);
  const [[created], [changed]] = alice.recording.events.map(([, payload]) => payload);
  assert.equal(created.conversationID, world.chat('alice', 'bob'));
  assert.equal(created.latestMsg.status, MessageStatus.Sending);
  assert.equal(changed.latestMsg.status, MessageStatus.Succeed);
  assert.equal(changed.unreadCount, 0);

  assert.deepEqual(bob.recording.names, [
    'OnRecvNewMessages', 'OnRecvNewMessage', 'OnNewConversation', 'OnTotalUnreadMessageCountChanged',
  ]);
  const [[received], single, [conversation], total] = bob.recording.events.map(([, payload]) => payload);
  assert.equal(textOf(received), 'hello');
  assert.deepEqual(single, received);
  assert.equal(conversation.unreadCount, 1);
  assert.equal(conversation.showName, 'alice');
  assert.equal(conversation.latestMsg.clientMsgID, received.clientMsgID);
  assert.equal(total, 1);
});

test('bob opens the chat and marks it read: what each side hears, in order', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const sent = await say(alice, bob, 'hello');
  await bob.recording.messages(1);
  await settled(alice, bob);
  alice.recording.clear();
  bob.recording.clear();

  const chat = world.chat('alice', 'bob');
  const heardBeforeTheAnswer = await bob.client.markConversationMessageAsRead(chat).then(() => bob.recording.names);
  await alice.recording.heard('OnConversationChanged');
  await settled(bob, alice);

  assert.deepEqual(heardBeforeTheAnswer, ['OnConversationChanged', 'OnTotalUnreadMessageCountChanged']);
  assert.deepEqual(bob.recording.names, heardBeforeTheAnswer);
  assert.equal(bob.recording.of('OnConversationChanged')[0][0].unreadCount, 0);
  assert.deepEqual(bob.recording.of('OnTotalUnreadMessageCountChanged'), [0]);

  assert.deepEqual(alice.recording.names, ['OnRecvC2CReadReceipt', 'OnConversationChanged']);
  const [[receipt], [conversation]] = alice.recording.events.map(([, payload]) => payload);
  assert.deepEqual(receipt.msgIDList, [sent.clientMsgID]);
  assert.equal(receipt.userID, bob.id);
  assert.equal(receipt.sessionType, 1);
  assert.ok(receipt.readTime >= sent.sendTime);
  assert.equal(conversation.latestMsg.isRead, true);
  const [stored] = await history(alice.client, chat);
  assert.equal(stored.isRead, true);
  assert.equal(stored.attachedInfoElem.hasReadTime, receipt.readTime);
});

test('a receiver, and only one, is needed', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const message = alice.client.createTextMessage('to whom?');
  for (const receivers of [{ recvID: '', groupID: '' }, {}, { recvID: world.id('bob'), groupID: 'group' }]) {
    await assert.rejects(alice.client.sendMessage({ ...receivers, message }), { code: 'OPENIM_ARGS', field: 'recvID' });
  }
  assert.deepEqual(await alice.client.getAllConversationList(), []);
});

test('a message that lacks its element, or whose kind cannot be sent, is refused', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const send = (change) => alice.client.sendMessage({
    recvID: world.id('bob'), message: { ...alice.client.createTextMessage('x'), ...change },
  });
  await assert.rejects(send({ contentType: 1201 }), { code: 'OPENIM_CONTENT_TYPE', errCode: 10205 });
  await assert.rejects(send({ contentType: 110 }), { code: 'OPENIM_ARGS' });
  await assert.rejects(send({ clientMsgID: '' }), { code: 'OPENIM_ARGS', field: 'message.clientMsgID' });
  assert.deepEqual(await alice.client.getAllConversationList(), []);
});

test('a message too large for a frame is refused, nothing is stored, and the connection lives', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  alice.recording.clear();
  await assert.rejects(say(alice, bob, incompressible(48 << 10)), {
    code: 'OPENIM_MESSAGE_TOO_LARGE', errCode: 10002, retryable: false,
  });
  assert.deepEqual(alice.recording.names, []);
  assert.deepEqual(await alice.client.getAllConversationList(), []);
  await say(alice, bob, 'short');
  assert.equal(textOf((await bob.recording.messages(1))[0]), 'short');
  assert.equal(alice.client.stats().reconnects, 0);
});

test('what counts is the frame as it is sent: text that gzip shortens may be longer', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const long = '长'.repeat(100_000);
  await say(alice, bob, long);
  assert.equal(textOf((await bob.recording.messages(1))[0]), long);
});

test('without compression the same text is too large', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice', { compression: false });
  const bob = await world.enter('bob');
  await assert.rejects(say(alice, bob, 'long'.repeat(20_000)), { code: 'OPENIM_MESSAGE_TOO_LARGE' });
});

test('a refused message is parked with its reason, and the same message can be sent again', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const message = alice.client.createTextMessage('to nobody');
  const request = { recvID: world.id('bob'), groupID: '', message };
  await assert.rejects(alice.client.sendMessage(request), { code: 'OPENIM_RECORD_NOT_FOUND', errCode: 1004 });
  const [parked] = await history(alice.client, world.chat('alice', 'bob'));
  assert.equal(parked.status, MessageStatus.Failed);
  assert.equal(parked.sendError.code, 'OPENIM_RECORD_NOT_FOUND');
  assert.equal(parked.sendError.errCode, 1004);

  const bob = await world.enter('bob');
  const sent = await alice.client.sendMessage({ ...request, message: parked });
  assert.equal(sent.status, MessageStatus.Succeed);
  assert.equal(sent.clientMsgID, message.clientMsgID);
  assert.equal(sent.sendError, null);
  assert.deepEqual((await bob.recording.messages(1)).map(textOf), ['to nobody']);
  assert.equal((await history(alice.client, world.chat('alice', 'bob'))).length, 1);
});

test('a message that was sent is not sent twice', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const sent = await say(alice, bob, 'once');
  await assert.rejects(alice.client.sendMessage({ recvID: bob.id, groupID: '', message: sent }), {
    code: 'OPENIM_MESSAGE_REPEATED', errCode: 10204,
  });
  await settled(alice, bob);
  assert.equal(bob.recording.of('OnRecvNewMessages').flat().length, 1);
});

test('messages of one conversation arrive in the order in which they were sent, without awaiting each', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const texts = Array.from({ length: 200 }, (_, i) => `number ${i}`);
  const sent = await Promise.all(texts.map((text) => say(alice, bob, text)));
  const received = await bob.recording.messages(200);
  assert.deepEqual(received.map(textOf), texts);
  assert.deepEqual(received.map(({ seq }) => seq), texts.map((_, i) => i + 1));
  assert.deepEqual(received.map(({ clientMsgID }) => clientMsgID), sent.map(({ clientMsgID }) => clientMsgID));
});

test('an online-only message reaches who is there and is stored nowhere', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const message = alice.client.createTextMessage('now or never');
  const sent = await alice.client.sendMessage({ recvID: bob.id, groupID: '', message, isOnlineOnly: true });
  assert.equal(sent.status, MessageStatus.Succeed);
  const [received] = await bob.recording.heard('OnRecvOnlineOnlyMessages');
  assert.equal(textOf(received), 'now or never');
  assert.deepEqual(await bob.recording.heard('OnRecvOnlineOnlyMessage'), received);
  assert.deepEqual(bob.recording.of('OnRecvNewMessages'), []);
  for (const { client } of [alice, bob]) {
    assert.deepEqual(await history(client, world.chat('alice', 'bob')), []);
    assert.deepEqual(await client.getAllConversationList(), []);
  }
});

test('a text to oneself is one message in one conversation', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  await say(alice, alice, 'note');
  const chat = world.chat('alice', 'alice');
  assert.deepEqual((await history(alice.client, chat)).map(textOf), ['note']);
  const [conversation] = await alice.client.getAllConversationList();
  assert.equal(conversation.conversationID, chat);
  assert.equal(conversation.unreadCount, 0);
});
