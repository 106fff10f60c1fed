import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageStatus, Platform } from 'openim-node';
import { Recording, until } from '../support/recording.mjs';
import { needsOwnServer } from '../support/servers.mjs';
import { World, say, settled, textOf } from '../support/world.mjs';

const options = { skip: needsOwnServer };

const texts = async (client, conversationID) => (
  (await client.getAdvancedHistoryMessageList({ conversationID, startClientMsgID: '', count: 100 }))
    .messageList.map(textOf)
);

test('clients come back by themselves when the server does, and the talk goes on', options, async (t) => {
  const world = await World.start(t, { dataDir: true });
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await say(alice, bob, 'before');
  await bob.recording.messages(1);
  alice.recording.clear();
  bob.recording.clear();

  await world.server.restart();
  for (const { recording } of [alice, bob]) await recording.heard('OnSyncServerFinish');
  for (const { client, recording } of [alice, bob]) {
    assert.equal(client.getConnectionStatus(), 'connected');
    assert.ok(client.stats().reconnects >= 1);
    assert.equal(recording.of('OnConnecting').length, 1, 'once per series of attempts');
    assert.equal(recording.of('OnConnectSuccess').length, 1);
    assert.deepEqual(recording.of('OnRecvNewMessages'), [], 'nothing is delivered twice');
  }
  await say(alice, bob, 'after');
  await say(bob, alice, 'yes');
  await settled(alice, bob);
  await settled(bob, alice);
  for (const { client } of [alice, bob]) {
    assert.deepEqual(await texts(client, world.chat('alice', 'bob')), ['before', 'after', 'yes']);
  }
});

test('what is sent while the server is away arrives afterwards, in order and exactly once', options, async (t) => {
  const world = await World.start(t, { dataDir: true });
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await say(alice, bob, 'before');
  await bob.recording.messages(1);
  await world.server.stop();
  await until('alice notices', () => alice.client.getConnectionStatus() !== 'connected');
  alice.recording.clear();

  const sends = [];
  for (const text of ['one', 'two', 'three']) {
    sends.push(say(alice, bob, text));
    await alice.recording.heard('OnConversationChanged', ([{ latestMsg }]) => textOf(latestMsg) === text);
  }
  const waiting = await alice.client.getAdvancedHistoryMessageList({
    conversationID: world.chat('alice', 'bob'), startClientMsgID: '', count: 20,
  });
  assert.deepEqual(waiting.messageList.map(textOf), ['before', 'one', 'two', 'three']);
  assert.deepEqual(waiting.messageList.map(({ status }) => status), [2, 1, 1, 1]);
  assert.equal(alice.client.stats().outboxQueued, 3);

  await world.server.restart();
  const sent = await Promise.all(sends);
  assert.deepEqual(sent.map(({ status }) => status), Array(3).fill(MessageStatus.Succeed));
  await bob.recording.messages(4);
  await settled(alice, bob);
  // what was stored before bob came back may be told after what was pushed since; each is told once
  const told = bob.recording.of('OnRecvNewMessages').flat().map(textOf);
  assert.deepEqual(told.sort(), ['before', 'one', 'three', 'two']);
  for (const { client } of [alice, bob]) {
    assert.deepEqual(await texts(client, world.chat('alice', 'bob')), ['before', 'one', 'two', 'three']);
  }
  assert.equal(alice.client.stats().outboxQueued, 0);
});

test('a send without an answer is pending, and an event tells how it ended', options, async (t) => {
  const world = await World.start(t, { dataDir: true });
  const alice = await world.enter('alice', { sendTimeout: 200 });
  const bob = await world.enter('bob');
  await world.server.stop();
  const message = alice.client.createTextMessage('patience');
  await assert.rejects(alice.client.sendMessage({ recvID: bob.id, groupID: '', message }), {
    code: 'OPENIM_SEND_PENDING', retryable: true,
  });
  await world.server.restart();
  assert.deepEqual(await alice.recording.heard('OnMessageSendStateChanged'), {
    conversationID: world.chat('alice', 'bob'),
    clientMsgID: message.clientMsgID,
    status: MessageStatus.Succeed,
    sendError: null,
  });
  assert.deepEqual((await bob.recording.messages(1)).map(textOf), ['patience']);
});

test('a client that is closed with messages in its outbox sends them in its next life', options, async (t) => {
  const world = await World.start(t, { dataDir: true });
  const dataDir = world.folder();
  const alice = await world.enter('alice', { dataDir });
  const bob = await world.enter('bob');
  await world.server.stop();
  const sending = assert.rejects(say(alice, bob, 'from the last life'), { name: 'OpenIMError' });
  await alice.recording.heard('OnNewConversation');
  await alice.client.close();
  await sending;

  await world.server.restart();
  const again = await world.open({ dataDir });
  const recording = new Recording(again);
  await again.login({ userID: alice.id, token: alice.token });
  const { status } = await recording.heard('OnMessageSendStateChanged');
  assert.equal(status, MessageStatus.Succeed);
  assert.deepEqual((await bob.recording.messages(1)).map(textOf), ['from the last life']);
  await settled({ client: again }, bob);
  assert.equal(bob.recording.of('OnRecvNewMessages').flat().length, 1);
});

test('a chat is read from the own database while there is no server', options, async (t) => {
  const world = await World.start(t, { dataDir: true });
  const dataDir = world.folder();
  const alice = await world.enter('alice');
  const bob = await world.enter('bob', { dataDir });
  for (let i = 0; i < 30; i++) await say(alice, bob, `${i}`);
  await bob.recording.messages(30);
  await bob.client.close();
  await world.server.stop();

  const offline = await world.open({ dataDir });
  await offline.login({ userID: bob.id, token: bob.token });
  assert.deepEqual(
    await texts(offline, world.chat('alice', 'bob')),
    Array.from({ length: 30 }, (_, i) => `${i}`),
  );
  assert.equal(await offline.getTotalUnreadMsgCount(), 30);
});

test('what is read while the server is away is told afterwards, even below an own message', options, async (t) => {
  const world = await World.start(t, { dataDir: true });
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const phone = await world.enter('bob', { platformID: Platform.Android });
  await say(alice, bob, 'hello');
  await bob.recording.messages(1);
  // the server moves the cursor of whoever writes: it cannot tell that nothing was read yet
  await say(bob, alice, 'busy');
  await settled(alice, bob);
  await settled(alice, phone);
  await world.server.stop();
  await until('bob notices', () => bob.client.getConnectionStatus() !== 'connected');
  await bob.client.markConversationMessageAsRead(world.chat('alice', 'bob'));
  await world.server.restart();
  const [{ msgIDList }] = await alice.recording.heard('OnRecvC2CReadReceipt');
  assert.equal(msgIDList.length, 1);
  await phone.recording.heard('OnTotalUnreadMessageCountChanged', (total) => total === 0);
});

test('what is read while the server is away is read there too afterwards', options, async (t) => {
  const world = await World.start(t, { dataDir: true });
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await say(alice, bob, 'hello');
  await settled(alice, bob);
  await world.server.stop();
  await until('bob notices', () => bob.client.getConnectionStatus() !== 'connected');
  await bob.client.markConversationMessageAsRead(world.chat('alice', 'bob'));
  assert.equal(await bob.client.getTotalUnreadMsgCount(), 0);
  await world.server.restart();
  await alice.recording.heard('OnRecvC2CReadReceipt');
  await bob.recording.heard('OnSyncServerFinish', (firstTime) => firstTime === false);
  assert.equal(await bob.client.getTotalUnreadMsgCount(), 0);
});
