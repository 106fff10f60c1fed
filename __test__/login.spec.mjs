import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoginStatus, Platform } from 'openim-node';
import { Recording } from './support/recording.mjs';
import { needsFaultLever, needsOption, needsOwnServer } from './support/servers.mjs';
import { BAD_TOKENS } from './support/tokens.mjs';
import { World, say, settled, textOf } from './support/world.mjs';

const SESSION_END = ['OnUserTokenInvalid', 'OnUserTokenExpired', 'OnKickedOffline'];

test("waitUntil 'local': resolved before there is a connection, which follows", async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice', { waitUntil: 'local' });
  assert.equal(alice.client.getLoginStatus(), LoginStatus.Logged);
  assert.equal(alice.client.getLoginUserID(), alice.id);
  assert.deepEqual(await alice.client.getAllConversationList(), []);
  await alice.recording.heard('OnSyncServerFinish');
});

test("waitUntil 'connected': resolved once the server accepted the token", async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice', { waitUntil: 'connected' });
  assert.equal(alice.client.getConnectionStatus(), 'connected');
  assert.deepEqual(alice.recording.names.slice(0, 2), ['OnConnecting', 'OnConnectSuccess']);
});

test('what is pushed to a new device during its first sync is stored and no news', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await say(bob, alice, 'before');
  await settled(bob, alice);
  // the first sync of the new device, which asks for the black list, waits; the connection is there
  const slow = world.server.faults.delayAnswers({ path: '/friend/get_black_list', userID: alice.id, ms: 1000, count: 1 });
  const fresh = await world.enter('alice', { platformID: Platform.Web, waitUntil: 'connected' });
  await slow.acted();
  assert.equal(fresh.client.getSyncStatus(), 'syncing');
  await say(bob, alice, 'meanwhile');
  await fresh.recording.heard('OnSyncServerFinish');
  const heard = fresh.recording.names.filter((name) => /^On(RecvNew|NewConversation|ConversationChanged|Total)/.test(name));
  assert.deepEqual(heard, []);
  const conversationID = world.chat('alice', 'bob');
  const { messageList } = await fresh.client.getAdvancedHistoryMessageList({ conversationID, count: 10 });
  assert.deepEqual(messageList.map(textOf), ['before', 'meanwhile']);
  assert.equal(await fresh.client.getTotalUnreadMsgCount(), 2);
  await say(bob, alice, 'after');
  await fresh.recording.messages(1);
});

test("waitUntil 'synced': resolved after the first sync and its events, and nothing else was told", async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  assert.equal(alice.client.getSyncStatus(), 'synced');
  assert.deepEqual(
    alice.recording.names.filter((name) => name !== 'OnSyncServerProgress'),
    ['OnConnecting', 'OnConnectSuccess', 'OnSyncServerStart', 'OnSyncServerFinish'],
  );
  assert.deepEqual(alice.recording.of('OnSyncServerStart'), [true]);
  assert.deepEqual(alice.recording.of('OnSyncServerFinish'), [true]);
  const progress = alice.recording.of('OnSyncServerProgress');
  assert.equal(progress.at(-1), 100);
  assert.deepEqual(progress, [...progress].sort((a, b) => a - b));
});

test('the second sync of a device is not a first one', async (t) => {
  const world = await World.start(t);
  const dataDir = world.folder();
  const first = await world.enter('alice', { dataDir });
  await first.client.close();
  const again = await world.enter('alice', { dataDir });
  assert.deepEqual(again.recording.of('OnSyncServerStart'), [false]);
  assert.deepEqual(again.recording.of('OnSyncServerProgress'), []);
  assert.deepEqual(again.recording.of('OnSyncServerFinish'), [false]);
});

for (const [kind, { make, code, event }] of Object.entries(BAD_TOKENS)) {
  for (const waitUntil of ['connected', 'synced']) {
    test(`a token that is ${kind}: waiting until ${waitUntil} rejects, after the event`, async (t) => {
      const world = await World.start(t);
      await world.register('alice');
      const client = await world.open();
      const recording = new Recording(client);
      const login = { userID: world.id('alice'), token: make(world.id('alice'), Platform.Linux), waitUntil };
      await assert.rejects(client.login(login), { code, retryable: false });
      assert.deepEqual(recording.names.filter((name) => SESSION_END.includes(name)), [event]);
      assert.equal(client.getLoginStatus(), LoginStatus.Logout);
      await assert.rejects(client.getSelfUserInfo(), { code: 'OPENIM_NOT_LOGGED_IN' });
    });
  }

  test(`a token that is ${kind}: without waiting an event tells, and a good token repairs`, async (t) => {
    const world = await World.start(t);
    await world.register('alice');
    const client = await world.open();
    const recording = new Recording(client);
    const userID = world.id('alice');
    await client.login({ userID, token: make(userID, Platform.Linux) });
    await recording.heard(event);
    assert.equal(client.getLoginStatus(), LoginStatus.Logout);
    recording.clear();
    await client.login({ userID, token: await world.token('alice'), waitUntil: 'synced' });
    assert.equal(client.getLoginStatus(), LoginStatus.Logged);
    assert.deepEqual(recording.names.filter((name) => SESSION_END.includes(name)), []);
  });
}

test('an empty user or token is refused by name', async (t) => {
  const world = await World.start(t);
  const client = await world.open();
  await assert.rejects(client.login({ userID: '', token: 't' }), { code: 'OPENIM_ARGS', field: 'userID' });
  await assert.rejects(client.login({ userID: 'u', token: '' }), { code: 'OPENIM_ARGS', field: 'token' });
});

test('the same user again joins the running login', async (t) => {
  const world = await World.start(t);
  const client = await world.open();
  const recording = new Recording(client);
  const login = { userID: world.id('alice'), token: await world.token('alice'), waitUntil: 'synced' };
  await Promise.all([client.login(login), client.login(login), client.login({ ...login, waitUntil: 'local' })]);
  await client.login(login);
  assert.equal(recording.of('OnConnectSuccess').length, 1);
  assert.equal(recording.of('OnSyncServerFinish').length, 1);
});

test('the same user with another token goes on with that one', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const token = await world.token('alice');
  await alice.client.login({ userID: alice.id, token, waitUntil: 'synced' });
  assert.equal(alice.client.getLoginStatus(), LoginStatus.Logged);
  assert.equal((await alice.client.getSelfUserInfo()).userID, alice.id);
  assert.deepEqual(alice.recording.names.filter((name) => SESSION_END.includes(name)), []);
});

test('another user is refused until the first one is logged out, and sees nothing of her', async (t) => {
  const world = await World.start(t);
  const dataDir = world.folder();
  const alice = await world.enter('alice', { dataDir });
  const carol = await world.enter('carol');
  await say(carol, alice, 'for alice');
  await alice.recording.messages(1);
  const bob = { userID: world.id('bob'), token: await world.token('bob'), waitUntil: 'synced' };
  await assert.rejects(alice.client.login(bob), { code: 'OPENIM_LOGIN_REPEATED', errCode: 10102 });
  assert.equal(alice.client.getLoginUserID(), alice.id);

  await alice.client.logout();
  alice.recording.clear();
  await alice.client.login(bob);
  assert.equal(alice.client.getLoginUserID(), bob.userID);
  assert.deepEqual(await alice.client.getAllConversationList(), []);
  assert.equal(await alice.client.getTotalUnreadMsgCount(), 0);
  assert.deepEqual(alice.recording.of('OnRecvNewMessages'), []);

  await alice.client.logout();
  await alice.client.login({ userID: alice.id, token: await world.token('alice'), waitUntil: 'synced' });
  const [chat] = await alice.client.getAllConversationList();
  assert.equal(textOf(chat.latestMsg), 'for alice');
});

test('logging out is idempotent and silent', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  alice.recording.clear();
  await Promise.all([alice.client.logout(), alice.client.logout()]);
  assert.equal(alice.client.getLoginStatus(), LoginStatus.Logout);
  assert.equal(alice.client.getConnectionStatus(), 'disconnected');
  assert.equal(alice.client.getLoginUserID(), '');
  assert.deepEqual(alice.recording.names, []);
});

test('a second login on the same kind of device ends the first', { skip: needsOption('multiLogin') }, async (t) => {
  const world = await World.start(t, { multiLogin: { policy: 1 } });
  const first = await world.enter('alice');
  const second = await world.enter('alice');
  await first.recording.heard('OnKickedOffline');
  assert.equal(first.client.getLoginStatus(), LoginStatus.Logout);
  await assert.rejects(first.client.getSelfUserInfo(), { code: 'OPENIM_NOT_LOGGED_IN' });
  assert.equal(first.recording.of('OnKickedOffline').length, 1);
  assert.equal((await second.client.getSelfUserInfo()).userID, second.id);
});

test('without a server: local resolves, connected rejects, and the client connects as soon as it can', {
  skip: needsOwnServer,
}, async (t) => {
  const world = await World.start(t, { dataDir: true });
  const login = { userID: world.id('alice'), token: await world.token('alice') };
  await world.server.stop();

  const client = await world.open();
  const recording = new Recording(client);
  await client.login(login);
  assert.equal(client.getLoginStatus(), LoginStatus.Logged);
  assert.deepEqual(await client.getAllConversationList(), []);
  await assert.rejects(client.login({ ...login, waitUntil: 'connected' }), {
    code: 'OPENIM_NETWORK', errCode: 10000, retryable: true,
  });
  assert.equal(client.getLoginStatus(), LoginStatus.Logged);
  const { errCode, errMsg } = await recording.heard('OnConnectFailed');
  assert.equal(errCode, 10000);
  assert.notEqual(errMsg, '');
  assert.equal(recording.of('OnConnecting').length, 1, 'once per series of attempts');

  await world.server.restart();
  await recording.heard('OnConnectSuccess');
  await client.login({ ...login, waitUntil: 'synced' });
  assert.equal(client.getSyncStatus(), 'synced');
});
