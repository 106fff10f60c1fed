// What becomes of messages on their way, of refused tokens, and of what an application misses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recording, until } from './support/recording.mjs';
import { needsFaultLever, needsOwnServer, openAdmin } from './support/servers.mjs';
import { World, say, settled, textOf } from './support/world.mjs';

const NEWEST = 1001;
const SEND = 1003;

/** The messages of the chat as a person's database has them. */
async function history({ client }, conversationID) {
  return (await client.getAdvancedHistoryMessageList({ conversationID, count: 50 })).messageList;
}

test('a send whose answer is lost resolves when the message comes back', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  world.server.faults.dropAnswers({ userID: alice.id, operation: SEND, count: 1 });
  const sent = await say(alice, bob, 'found again');
  assert.equal(sent.status, 2);
  assert.equal(sent.seq, 1);
  assert.deepEqual((await bob.recording.messages(1)).map(textOf), ['found again']);
});

test('a server that stores late and then loses the line gets no message twice', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  world.server.faults.delayStore(300, { userID: alice.id });
  const lost = world.server.faults.dropAnswers({ userID: alice.id, operation: SEND, count: 1 });
  const sending = say(alice, bob, 'once');
  await lost.acted();
  world.server.faults.closeConnections({ userID: alice.id });
  assert.equal((await sending).status, 2);
  await say(alice, bob, 'next');
  assert.deepEqual((await bob.recording.messages(2)).map(textOf), ['once', 'next']);
  await settled(alice, bob);
  assert.equal(bob.recording.of('OnRecvNewMessages').flat().length, 2);
});

test('what a new device sends before its first sync is through is not sent twice', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const carol = await world.enter('carol');
  await world.register('bob');
  await say(carol, { id: world.id('bob') }, 'before');
  const { faults } = world.server;
  faults.refuseRequests({ userID: world.id('bob'), operation: NEWEST, code: 500, count: 1 });
  const client = await world.open({ sendTimeout: 200 });
  const bob = { client, recording: new Recording(client), id: world.id('bob') };
  await client.login({ userID: bob.id, token: await world.token('bob'), waitUntil: 'connected' });
  await bob.recording.heard('OnSyncServerFailed');
  faults.dropAnswers({ userID: bob.id, operation: SEND, count: 1 });
  faults.dropPushes({ to: bob.id, count: 1 });
  await assert.rejects(say(bob, carol, 'mine'), { code: 'OPENIM_SEND_PENDING' });
  await carol.recording.messages(1);
  // the push of a younger message says nothing of the one before
  await say(carol, bob, 'after');
  await until('it is there', async () => (await client.getAllConversationList()).some(({ latestMsg }) => textOf(latestMsg) === 'after'));
  faults.closeConnections({ userID: bob.id });
  await until('the outcome is known', () => client.stats().outboxQueued === 0);
  await settled(bob, carol);
  assert.deepEqual(carol.recording.of('OnRecvNewMessages').flat().map(textOf), ['mine']);
  const chat = world.chat('bob', 'carol');
  const admin = await openAdmin(world.server);
  const { seqs } = await admin.post('/msg/get_conversations_has_read_and_max_seq', { userID: bob.id });
  assert.equal(seqs[chat].maxSeq, 3);
  for (const person of [bob, carol]) {
    assert.deepEqual((await history(person, chat)).map(textOf), ['before', 'mine', 'after']);
  }
});

test('a message that is taken back fails at once and can be sent again', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const conversationID = world.chat('alice', 'bob');
  const lost = world.server.faults.dropRequests({ userID: alice.id, operation: SEND, count: 1 });
  const sending = say(alice, bob, 'wait');
  const refused = assert.rejects(sending, { code: 'OPENIM_SEND_CANCELLED' });
  await lost.acted();
  const [{ clientMsgID }] = await history(alice, conversationID);
  const key = { conversationID, clientMsgID };
  await alice.client.cancelSend(key);
  await refused;
  const [{ status, sendError }] = await history(alice, conversationID);
  assert.deepEqual([status, sendError.code], [3, 'OPENIM_SEND_CANCELLED']);
  await assert.rejects(alice.client.cancelSend(key), { code: 'OPENIM_NOT_SENDING' });

  const again = await alice.client.resendMessage(key);
  assert.deepEqual([again.clientMsgID, again.status], [clientMsgID, 2]);
  assert.deepEqual((await bob.recording.messages(1)).map(textOf), ['wait']);
  await assert.rejects(alice.client.resendMessage(key), { code: 'OPENIM_MESSAGE_REPEATED' });
  const unknown = { conversationID, clientMsgID: 'nobody' };
  await assert.rejects(alice.client.resendMessage(unknown), { code: 'OPENIM_NOT_FOUND' });
  await assert.rejects(alice.client.cancelSend({ conversationID: 'si_x_y', clientMsgID }), { code: 'OPENIM_NOT_FOUND' });
  await assert.rejects(alice.client.cancelSend({ conversationID }), { code: 'OPENIM_ARGS', field: 'clientMsgID' });
});

test('an abort takes back what has not left, and of what has left only the waiting ends', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const conversationID = world.chat('alice', 'bob');
  const late = world.server.faults.delayAnswers({ userID: alice.id, operation: SEND, count: 1, ms: 600 });
  const pushes = world.server.faults.delayPushes({ to: alice.id, ms: 900 });
  const stop = new AbortController();
  const first = say(alice, bob, 'has left', { signal: stop.signal });
  const second = say(alice, bob, 'has not left', { signal: stop.signal });
  const refusals = [first, second].map((sending) => assert.rejects(sending, { code: 'OPENIM_ABORTED' }));
  await late.acted();
  await until('both messages are stored', async () => (await history(alice, conversationID)).length === 2);
  stop.abort();
  await Promise.all(refusals);
  const outcomes = await alice.recording.when('two outcomes', () => {
    const states = alice.recording.of('OnMessageSendStateChanged');
    return states.length === 2 && new Map(states.map(({ clientMsgID, status }) => [clientMsgID, status]));
  });
  pushes.clear();
  const byText = (await history(alice, conversationID)).map((message) => [
    textOf(message), message.status, outcomes.get(message.clientMsgID),
  ]);
  assert.deepEqual(byText, [['has left', 2, 2], ['has not left', 3, 3]]);
  await settled(alice, bob);
  assert.deepEqual(bob.recording.of('OnRecvNewMessages').flat().map(textOf), ['has left']);
});

test('a message that is on its way for too long is given up', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice', { outboxTtl: 300 });
  await world.register('bob');
  world.server.faults.dropRequests({ userID: alice.id, operation: SEND });
  await assert.rejects(say(alice, { id: world.id('bob') }, 'never'), { code: 'OPENIM_SEND_EXPIRED' });
  const [{ status, sendError }] = await history(alice, world.chat('alice', 'bob'));
  assert.deepEqual([status, sendError.code], [3, 'OPENIM_SEND_EXPIRED']);
});

test('a refused token is renewed by the provider, once, and nobody hears of it', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  let asked = 0;
  const alice = await world.enter('alice', {
    tokenProvider: async () => {
      asked += 1;
      return world.token('alice');
    },
  });
  const bob = await world.enter('bob');
  world.server.faults.refuseHandshakes({ userID: alice.id, code: 1501, count: 1 });
  alice.recording.clear();
  world.server.faults.closeConnections({ userID: alice.id });
  await alice.recording.heard('OnSyncServerFinish');
  assert.equal(asked, 1);
  assert.deepEqual(alice.recording.of('OnUserTokenExpired'), []);
  await say(bob, alice, 'still there');
  assert.deepEqual((await alice.recording.messages(1)).map(textOf), ['still there']);
});

test('without a new token the session ends once, and updateToken begins it again', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice', {
    dataDir: world.folder(),
    tokenProvider: () => { throw new Error('the back-end is down'); },
  });
  const bob = await world.enter('bob');
  world.server.faults.refuseHandshakes({ userID: alice.id, code: 1501, count: 1 });
  world.server.faults.closeConnections({ userID: alice.id });
  await alice.recording.heard('OnUserTokenExpired');
  assert.equal(alice.client.getLoginStatus(), 1);
  await assert.rejects(alice.client.getAllConversationList(), { code: 'OPENIM_NOT_LOGGED_IN' });
  await say(bob, alice, 'meanwhile');
  await alice.client.updateToken(await world.token('alice'));
  assert.deepEqual((await alice.recording.messages(1)).map(textOf), ['meanwhile']);
  assert.equal(alice.recording.of('OnUserTokenExpired').length, 1);
  await alice.client.logout();
  await assert.rejects(alice.client.updateToken('another'), { code: 'OPENIM_NOT_LOGGED_IN' });
  await assert.rejects(alice.client.updateToken(''), { code: 'OPENIM_ARGS', field: 'token' });
});

test('a kicked session ends once, whatever provider there is', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  let asked = 0;
  const alice = await world.enter('alice', { tokenProvider: () => `${asked += 1}` });
  world.server.faults.kick({ userID: alice.id });
  await alice.recording.heard('OnKickedOffline');
  await assert.rejects(alice.client.getAllConversationList(), { code: 'OPENIM_NOT_LOGGED_IN' });
  assert.equal(asked, 0);
  assert.equal(alice.recording.of('OnKickedOffline').length, 1);
});

test('whoever waits for a message hears that its session is over, and the next one sends it', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice', { dataDir: world.folder() });
  const bob = await world.enter('bob');
  const lost = world.server.faults.dropRequests({ userID: alice.id, operation: SEND, count: 1 });
  // long before sendTimeout
  const pending = assert.rejects(say(alice, bob, 'later'), { code: 'OPENIM_SEND_PENDING' });
  await lost.acted();
  world.server.faults.kick({ userID: alice.id });
  await pending;
  await alice.client.updateToken(await world.token('alice'));
  const { status } = await alice.recording.heard('OnMessageSendStateChanged');
  assert.equal(status, 2);
  assert.deepEqual((await bob.recording.messages(1)).map(textOf), ['later']);
});

test('in the background messages come as offline messages; the foreground brings what was missed', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await bob.client.setAppBackgroundStatus(true);
  await say(alice, bob, 'while you were away');
  const [offline] = await bob.recording.heard('OnRecvOfflineNewMessages');
  assert.equal(textOf(offline), 'while you were away');
  assert.deepEqual(bob.recording.of('OnRecvNewMessages'), []);
  bob.recording.clear();
  await bob.client.setAppBackgroundStatus(false);
  assert.equal(await bob.recording.heard('OnSyncServerFinish'), false);
  await say(alice, bob, 'welcome back');
  assert.deepEqual((await bob.recording.messages(1)).map(textOf), ['welcome back']);
  await assert.rejects(bob.client.setAppBackgroundStatus('yes'), { code: 'OPENIM_ARGS', field: 'isBackground' });
});

test('a server that was installed anew costs no message', { skip: needsOwnServer }, async (t) => {
  const world = await World.start(t);
  const renewing = (name) => ({ tokenProvider: () => world.server.token(world.id(name), 7) });
  const alice = await world.enter('alice', renewing('alice'));
  const bob = await world.enter('bob', renewing('bob'));
  for (const text of ['old 1', 'old 2', 'old 3']) await say(alice, bob, text);
  await bob.recording.messages(3);
  await settled(alice, bob);
  for (const person of [alice, bob]) person.recording.clear();
  // in memory: it comes back on the same addresses and knows nothing; later, so that it issues other tokens
  world.server.faults.shiftClock(5000);
  await world.server.restart();
  await Promise.all([alice, bob].map(({ recording }) => recording.heard('OnSyncServerFinish')));
  assert.equal((await say(alice, bob, 'new')).status, 2);
  assert.deepEqual((await bob.recording.messages(1)).map(textOf), ['new']);
  for (const person of [alice, bob]) {
    const messages = await history(person, world.chat('alice', 'bob'));
    assert.deepEqual(messages.map(textOf), ['old 1', 'old 2', 'old 3', 'new']);
  }
  assert.equal(await bob.client.getTotalUnreadMsgCount(), 1);
});

test('late listeners hear of a session that began without them', async (t) => {
  const world = await World.start(t);
  const client = await world.open();
  await client.login({ userID: world.id('alice'), token: await world.token('alice'), waitUntil: 'synced' });
  const recording = new Recording(client);
  await recording.heard('OnSyncServerFinish');
  assert.deepEqual(recording.names.slice(0, 2), ['OnConnecting', 'OnConnectSuccess']);
});

test('what arrives while a client is closed and opened again is told exactly once', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const config = { dataDir: world.folder(), syncPullCount: 1000 };
  let bob = await world.enter('bob', config);
  const { id, token } = bob;
  const told = [];
  const sending = (async () => {
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 20 }, (_, j) => say(alice, { id }, `${20 * i + j}`)));
  })();
  for (let life = 0; life < 5; life++) {
    await bob.recording.messages(1);
    await bob.client.close();
    told.push(...bob.recording.of('OnRecvNewMessages').flat().map(textOf));
    const client = await world.open(config);
    bob = { client, recording: new Recording(client), id };
    await client.login({ userID: id, token });
  }
  await sending;
  const expected = Array.from({ length: 400 }, (_, i) => `${i}`);
  await until('all are told', () => told.length + bob.recording.of('OnRecvNewMessages').flat().length >= expected.length);
  await settled(alice, bob);
  told.push(...bob.recording.of('OnRecvNewMessages').flat().map(textOf));
  assert.deepEqual(told.sort((a, b) => a - b), expected);
});
