import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OpenIM, Platform, sdkVersion } from 'openim-node';
import { Proof } from './support/proof.mjs';
import { Recording } from './support/recording.mjs';
import { needsFaultLever } from './support/servers.mjs';
import { World, say, settled, textOf } from './support/world.mjs';

const CONFIG = { apiAddr: 'http://127.0.0.1:1', wsAddr: 'ws://127.0.0.1:1', platformID: 7, dataDir: ':memory:' };
const holder = fileURLToPath(new URL('./support/hold-database.mjs', import.meta.url));

/** The one database file of a folder. */
const databaseIn = (folder) => join(folder, readdirSync(folder).find((name) => name.endsWith('.db')));

for (const [what, change, field] of [
  ['no REST address', { apiAddr: '' }, 'apiAddr'],
  ['no gateway address', { wsAddr: '' }, 'wsAddr'],
  ['a gateway address as REST address', { apiAddr: 'ws://127.0.0.1:1' }, 'apiAddr'],
  ['a REST address as gateway address', { wsAddr: 'http://127.0.0.1:1' }, 'wsAddr'],
  ['platform 0', { platformID: 0 }, 'platformID'],
  ['platform 12', { platformID: 12 }, 'platformID'],
  ['a platform by its name', { platformID: 'Linux' }, 'platformID'],
  ['an empty data folder', { dataDir: '' }, 'dataDir'],
  ['a send timeout of 0', { sendTimeout: 0 }, 'sendTimeout'],
  ['a budget of page caches below 1 MiB', { cacheBudgetBytes: 2 ** 20 - 1 }, 'cacheBudgetBytes'],
  ['a budget of page caches above 1 TiB', { cacheBudgetBytes: 2 ** 40 + 1 }, 'cacheBudgetBytes'],
  ['a negative budget of page caches', { cacheBudgetBytes: -1 }, 'cacheBudgetBytes'],
  ['a budget of page caches with a unit', { cacheBudgetBytes: '64MB' }, 'cacheBudgetBytes'],
]) {
  test(`open refuses ${what}`, async () => {
    await assert.rejects(OpenIM.open({ ...CONFIG, ...change }), {
      name: 'OpenIMError', code: 'OPENIM_ARGS', errCode: 10002, field, retryable: false,
    });
  });
}

test('open refuses a data folder below a regular file, and says which', async (t) => {
  const world = await World.start(t);
  const file = join(world.folder(), 'file');
  writeFileSync(file, '');
  await assert.rejects(OpenIM.open({ ...CONFIG, dataDir: join(file, 'data') }), (error) => {
    assert.equal(error.code, 'OPENIM_DATA_DIR');
    assert.match(error.message, /file/);
    return true;
  });
});

test('open connects nothing', async (t) => {
  const client = await OpenIM.open(CONFIG);
  t.after(() => client.close());
  assert.equal(client.getLoginStatus(), 1);
  assert.equal(client.getConnectionStatus(), 'disconnected');
  assert.equal(client.getSyncStatus(), 'idle');
  assert.equal(client.getLoginUserID(), '');
  assert.equal(client.stats().eventsDropped, 0);
  assert.match(sdkVersion, /^\d+\.\d+\.\d+/);
  const proof = new Proof(t.name);
  proof.add('function', 'sdkVersion');
  proof.write();
});

const CALLS = {
  getSelfUserInfo: [],
  getUsersInfo: [['bob']],
  sendMessage: [{ recvID: 'bob', message: { clientMsgID: 'x', contentType: 101, textElem: { content: '' } } }],
  getAdvancedHistoryMessageList: [{ conversationID: 'si_alice_bob', count: 20 }],
  getAdvancedHistoryMessageListReverse: [{ conversationID: 'si_alice_bob', count: 20 }],
  getAllConversationList: [],
  getConversationListSplit: [{ offset: 0, count: 20 }],
  getOneConversation: [{ sourceID: 'bob', sessionType: 1 }],
  getMultipleConversation: [['si_alice_bob']],
  getTotalUnreadMsgCount: [],
  markConversationMessageAsRead: ['si_alice_bob'],
  markAllConversationMessageAsRead: [],
  networkStatusChanged: [],
};

test('calls before a login are refused, calls after close too', async () => {
  const client = await OpenIM.open(CONFIG);
  for (const [method, args] of Object.entries(CALLS)) {
    await assert.rejects(client[method](...args), { code: 'OPENIM_NOT_LOGGED_IN', errCode: 10009 }, method);
  }
  assert.throws(() => client.createTextMessage('hello'), { code: 'OPENIM_NOT_LOGGED_IN' });
  await client.logout();
  await Promise.all([client.close(), client.close()]);
  await client.close();
  for (const [method, args] of Object.entries({ ...CALLS, login: [{ userID: 'a', token: 't' }], logout: [] })) {
    await assert.rejects(client[method](...args), { code: 'OPENIM_CLOSED', errCode: 10008 }, method);
  }
  assert.throws(() => client.createTextMessage('hello'), { code: 'OPENIM_CLOSED' });
  assert.equal(client.getLoginStatus(), 1);
});

test('close ends the session at once, whatever still runs', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const calls = Array.from({ length: 20 }, () => alice.client.getUsersInfo([world.id('alice')]));
  const outcomes = Promise.allSettled(calls);
  await alice.client.close();
  for (const { status, reason } of await outcomes) {
    if (status === 'rejected') assert.match(reason.code, /^OPENIM_(CLOSED|LOGGED_OUT|NETWORK)$/);
  }
  assert.equal(alice.client.getConnectionStatus(), 'disconnected');
});

test('an aborted call rejects with the reason, and the client goes on', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  world.server.faults.dropAnswers({ path: '/user/get_users_info' });
  const stop = new AbortController();
  const call = alice.client.getUsersInfo([world.id('bob')], { signal: stop.signal, operationID: 'aborted-call' });
  stop.abort('changed my mind');
  await assert.rejects(call, { code: 'OPENIM_ABORTED', cause: 'changed my mind', operationID: 'aborted-call' });
  assert.equal((await alice.client.getSelfUserInfo()).userID, alice.id);
});

test('profiles: the own one, others, and unknown users are left out', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  await world.register('bob');
  const self = await alice.client.getSelfUserInfo();
  assert.equal(self.nickname, 'alice');
  assert.equal(self.faceURL, 'https://faces.example/alice.png');
  const users = await alice.client.getUsersInfo([world.id('bob'), world.id('nobody')]);
  assert.deepEqual(users.map(({ userID, nickname }) => [userID, nickname]), [[world.id('bob'), 'bob']]);
});

test('one database is for one client: a second one is refused until the first is closed', async (t) => {
  const world = await World.start(t);
  const dataDir = world.folder();
  const first = await world.enter('alice', { dataDir });
  const second = await world.open({ dataDir });
  const login = () => second.login({ userID: first.id, token: first.token });
  await assert.rejects(login(), { code: 'OPENIM_DB_IN_USE' });
  assert.equal(second.getLoginStatus(), 1);
  await first.client.close();
  await login();
  assert.equal(second.getLoginStatus(), 3);
});

test('other users and other platforms have databases of their own in the same folder', async (t) => {
  const world = await World.start(t);
  const dataDir = world.folder();
  await world.enter('alice', { dataDir });
  await world.enter('bob', { dataDir });
  await world.enter('alice', { dataDir, platformID: Platform.Windows });
  assert.equal(readdirSync(dataDir).filter((name) => name.endsWith('.db')).length, 3);
});

test('a database that another process has open is refused', async (t) => {
  const world = await World.start(t);
  const dataDir = world.folder();
  const token = await world.token('alice');
  const login = { userID: world.id('alice'), token };
  const child = fork(holder);
  t.after(() => child.kill());
  child.send({ config: { ...world.server.addresses, platformID: 7, dataDir }, login });
  assert.deepEqual(await once(child, 'message').then(([message]) => message), 'holding');
  const client = await world.open({ dataDir });
  await assert.rejects(client.login(login), { code: 'OPENIM_DB_IN_USE' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await client.login(login);
});

/** A database of alice with one sent message, then damaged in its first page. */
async function damagedDatabase(world) {
  const dataDir = world.folder();
  const alice = await world.enter('alice', { dataDir });
  const bob = await world.enter('bob');
  await say(alice, bob, 'stored');
  await alice.client.close();
  const file = databaseIn(dataDir);
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 0, 4096);
  writeFileSync(file, bytes);
  return { dataDir, file, bytes, alice, bob };
}

test('a damaged database is refused and left untouched', async (t) => {
  const world = await World.start(t);
  const { dataDir, file, bytes, alice } = await damagedDatabase(world);
  const client = await world.open({ dataDir });
  const login = () => client.login({ userID: alice.id, token: alice.token });
  await assert.rejects(login(), (error) => {
    assert.equal(error.code, 'OPENIM_DB_CORRUPT');
    assert.ok(error.message.includes(file));
    return true;
  });
  assert.equal(client.getLoginStatus(), 1);
  assert.ok(readFileSync(file).equals(bytes), 'the file is as it was');
  await assert.rejects(login(), { code: 'OPENIM_DB_CORRUPT' });
});

test("onCorruptDatabase: 'reset' moves a damaged database aside, and everything comes from the server", async (t) => {
  const world = await World.start(t);
  const { dataDir, bytes, alice } = await damagedDatabase(world);
  const client = await world.open({ dataDir, onCorruptDatabase: 'reset' });
  const recording = new Recording(client);
  await client.login({ userID: alice.id, token: alice.token, waitUntil: 'synced' });
  const { movedTo } = await recording.heard('OnDatabaseReset');
  assert.ok(readFileSync(movedTo).equals(bytes), 'the damaged file is kept');
  world.shows('callback', 'OnDatabaseReset');
  await recording.heard('OnSyncServerFinish', (firstTime) => firstTime === true);
  const { messageList } = await client.getAdvancedHistoryMessageList({
    conversationID: world.chat('alice', 'bob'), startClientMsgID: '', count: 20,
  });
  assert.deepEqual(messageList.map(textOf), ['stored']);
});

test('a folder with a name in any language is used', async (t) => {
  const world = await World.start(t);
  const dataDir = join(world.folder(), '数据 – déjà vu');
  await world.enter('alice', { dataDir });
  assert.ok(statSync(databaseIn(dataDir)).size > 0);
});

test('what a listener is told, a query in the listener confirms', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const told = new Promise((resolve) => {
    bob.client.once('OnNewConversation', async ([conversation]) => {
      resolve([conversation, await bob.client.getMultipleConversation([conversation.conversationID])]);
    });
  });
  await say(alice, bob, 'hello');
  const [event, [query]] = await told;
  assert.deepEqual(query, event);
});

test('many clients live in one process, each with its own events', async (t) => {
  const world = await World.start(t);
  const names = Array.from({ length: 20 }, (_, i) => `user${i}`);
  const people = await Promise.all(names.map((name) => world.enter(name)));
  await Promise.all(people.map((person, i) => say(person, people[(i + 1) % people.length], `from ${i}`)));
  for (const [i, person] of people.entries()) {
    const [message] = await person.recording.messages(1);
    const before = (i + people.length - 1) % people.length;
    assert.equal(textOf(message), `from ${before}`);
  }
  await settled(people[0], people[1]);
  assert.equal(people[1].recording.of('OnRecvNewMessages').flat().length, 1);
});
