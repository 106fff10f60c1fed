import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DevServer, OpenIM, Platform } from 'openim-node';
import { Admin } from 'openim-node/admin';

async function startServer(t, config) {
  const server = await DevServer.start(config);
  t.after(() => server.stop());
  return server;
}

function makeFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'openim-node-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A client of a user, logged in and in step. */
async function enter(t, server, userID, token) {
  const client = await OpenIM.open({ ...server.addresses, platformID: Platform.Linux, dataDir: ':memory:' });
  t.after(() => client.close());
  await client.login({ userID, token: token ?? await server.token(userID, Platform.Linux), waitUntil: 'synced' });
  return client;
}

test('a server listens on three free ports of the loopback', async (t) => {
  const server = await startServer(t);
  const { apiAddr, wsAddr, accountAddr } = server.addresses;
  assert.match(apiAddr, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(wsAddr, /^ws:\/\/127\.0\.0\.1:\d+$/);
  assert.match(accountAddr, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(new Set([apiAddr, wsAddr, accountAddr].map((address) => new URL(address).port)).size, 3);
  assert.equal((await fetch(`${accountAddr}/auth/login`, { method: 'POST', body: '{}' })).status, 404);
});

test('a token registers who is unknown, and works', async (t) => {
  const server = await startServer(t);
  const client = await enter(t, server, 'alice');
  assert.equal((await client.getSelfUserInfo()).nickname, 'alice');
});

test('accounts are registered all or none, and never twice', async (t) => {
  const server = await startServer(t);
  const [alice, bob] = ['alice', 'bob'].map((userID) => ({ userID, nickname: userID.toUpperCase(), faceURL: '' }));
  await server.registerUsers([alice]);
  await assert.rejects(server.registerUsers([bob, alice]), { name: 'OpenIMError', errCode: 1102 });
  const client = await enter(t, server, 'alice');
  assert.equal((await client.getSelfUserInfo()).nickname, 'ALICE');
  assert.deepEqual(await client.getUsersInfo(['bob']), []);
});

test('the administrator has the secret that was configured', async (t) => {
  const server = await startServer(t, { secret: 'of my own', adminUserID: 'boss' });
  const { apiAddr } = server.addresses;
  const stranger = await Admin.open({ apiAddr, secret: 'openIM123', adminUserID: 'boss' });
  await assert.rejects(stranger.getAdminToken(), { code: 'OPENIM_NO_PERMISSION' });
  const boss = await Admin.open({ apiAddr, secret: 'of my own', adminUserID: 'boss' });
  await boss.registerUsers([{ userID: 'alice', nickname: 'Alice' }]);
  const { token } = await boss.getUserToken({ userID: 'alice', platformID: Platform.Linux });
  await enter(t, server, 'alice', token);
});

test('a restart keeps ports, accounts, tokens and messages of a server with a folder', async (t) => {
  const server = await startServer(t, { dataDir: makeFolder(t) });
  const { addresses } = server;
  const token = await server.token('alice', Platform.Linux);
  const alice = await enter(t, server, 'alice', token);
  await server.token('bob', Platform.Linux);
  const { clientMsgID } = await alice.sendMessage({ recvID: 'bob', message: alice.createTextMessage('kept') });
  await alice.close();
  await server.restart();
  assert.deepEqual(server.addresses, addresses);
  const again = await enter(t, server, 'alice', token);
  const { messageList } = await again.getAdvancedHistoryMessageList({ conversationID: 'si_alice_bob', count: 10 });
  assert.deepEqual(messageList.map((message) => message.clientMsgID), [clientMsgID]);
});

test('a server in memory forgets everything when it is restarted', async (t) => {
  const server = await startServer(t);
  await server.registerUsers([{ userID: 'alice', nickname: 'Alice' }]);
  await server.restart();
  await server.registerUsers([{ userID: 'alice', nickname: 'Alice again' }]);
});

test('what keeps a server from starting is one clear error', async (t) => {
  const folder = makeFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address();
  await assert.rejects(DevServer.start({ apiPort: port }), (error) => {
    assert.equal(error.message, `127.0.0.1:${port} is in use`);
    return error.name === 'OpenIMError';
  });
  await assert.rejects(DevServer.start({ dataDir: join(file, 'data') }), { code: 'OPENIM_DATA_DIR' });
  await assert.rejects(DevServer.start({ host: '0.0.0.0' }), { code: 'OPENIM_ARGS' });
  await assert.rejects(DevServer.start({ host: '0.0.0.0', allowRemote: true }), { code: 'OPENIM_ARGS' });
  await assert.rejects(DevServer.start({ secret: '' }), { code: 'OPENIM_ARGS', message: /secret/ });
  await assert.rejects(DevServer.start({ apiPrt: 7 }), { code: 'OPENIM_ARGS', message: /apiPrt/ });
});

test('a folder is for one server at a time', async (t) => {
  const dataDir = makeFolder(t);
  const first = await startServer(t, { dataDir });
  await assert.rejects(DevServer.start({ dataDir }), { code: 'OPENIM_DB_IN_USE' });
  await first.stop();
  await startServer(t, { dataDir });
});

test('a stopped server refuses, and can be stopped again', async (t) => {
  const server = await startServer(t);
  await server.stop();
  await server.stop();
  await assert.rejects(server.token('alice', Platform.Linux), { code: 'OPENIM_CLOSED' });
  await assert.rejects(fetch(server.addresses.apiAddr));
});
