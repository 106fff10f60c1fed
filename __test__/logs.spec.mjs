// Logs belong to the process: tests of this file run one after another and each configures them anew.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { OpenIM, Platform } from 'openim-node';
import { startProxy } from './support/proxies.mjs';
import { needsOwnServer } from './support/servers.mjs';
import { BAD_TOKENS } from './support/tokens.mjs';
import { World, say } from './support/world.mjs';

const file = (name) => fileURLToPath(new URL(`support/${name}`, import.meta.url));

/** A folder for logs; they are off again when the test ends. */
function logFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'openim-node-logs-'));
  t.after(async () => {
    await OpenIM.configureLogs({ logLevel: 'off' });
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

const records = (text) => text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
const exported = async (path) => records(gunzipSync(readFileSync(await OpenIM.exportLogs(path))).toString());

/** Waits for a record that the application is handed. */
function listener() {
  const heard = [];
  let watch = () => {};
  return {
    heard,
    onLog(record) {
      heard.push(record);
      watch();
    },
    async until(holds) {
      while (!heard.some(holds)) await new Promise((resolve) => { watch = resolve; });
      return heard.find(holds);
    },
  };
}

test('a whole chat at the finest level leaves no secret in files, application and export', async (t) => {
  const logDir = logFolder(t);
  const { heard, onLog, until } = listener();
  await OpenIM.configureLogs({ logLevel: 'trace', logDir, onLog });

  const world = await World.start(t, needsOwnServer ? {} : { dataDir: true });
  const secrets = ['a very secret message', '一条秘密消息', 'answer for nobody else', 'only-online-secret'];
  const tokens = [];
  const config = {};
  if (!needsOwnServer) {
    const { host } = await startProxy(t, 'http', 'alice:pr@xy-secret');
    config.proxy = `http://alice:pr%40xy-secret@${host}`;
  }
  const alice = await world.enter('alice', { dataDir: world.folder(), ...config });
  const bob = await world.enter('bob');
  tokens.push(alice.token, bob.token);

  await say(alice, bob, secrets[0], { operationID: 'op-of-alice' });
  await say(alice, bob, secrets[1]);
  await bob.recording.messages(2);
  await bob.client.markConversationMessageAsRead(world.chat('alice', 'bob'));
  await alice.recording.heard('OnRecvC2CReadReceipt');
  await say(bob, alice, secrets[2]);
  await alice.recording.messages(1);
  const online = alice.client.createTextMessage(secrets[3]);
  await alice.client.sendMessage({ recvID: bob.id, message: online, isOnlineOnly: true });
  await bob.recording.heard('OnRecvOnlineOnlyMessages');
  await alice.client.getAdvancedHistoryMessageList({ conversationID: world.chat('alice', 'bob'), count: 20 });
  // what goes wrong is told too
  const unknown = { recvID: world.id('nobody'), message: alice.client.createTextMessage(secrets[0]) };
  await assert.rejects(alice.client.sendMessage(unknown), { code: 'OPENIM_RECORD_NOT_FOUND' });
  const wrong = { conversationID: secrets[0], count: 0 };
  await assert.rejects(alice.client.getAdvancedHistoryMessageList(wrong), { field: 'count' });
  for (const { make, code } of Object.values(BAD_TOKENS)) {
    const client = await world.open();
    const token = make(world.id('alice'), Platform.Linux);
    tokens.push(token);
    await assert.rejects(client.login({ userID: world.id('alice'), token, waitUntil: 'connected' }), { code });
  }
  if (!needsOwnServer) {
    await world.server.restart();
    await alice.recording.when('a second sync', () => alice.recording.of('OnSyncServerFinish').length > 1);
  }
  // another login of the same kind takes bob's place
  const again = await world.enter('bob');
  tokens.push(again.token);
  await bob.recording.heard('OnKickedOffline');
  await alice.client.logout();

  await until(({ userID, message }) => userID === alice.id && message === 'session ends');
  const inExport = await exported();
  const everything = [
    ...readdirSync(logDir).filter((name) => name.endsWith('.log')).map((name) => readFileSync(join(logDir, name), 'utf8')),
    JSON.stringify(heard), JSON.stringify(inExport),
  ].join('\n');
  assert.ok(heard.length > 100, `${heard.length} records`);
  assert.ok(everything.includes(alice.id), 'what is looked for would be found');
  for (const token of tokens) secrets.push(token, ...token.split('.').filter((part) => part.length > 40).slice(1));
  secrets.push('pr@xy-secret', 'pr%40xy-secret', Buffer.from('alice:pr@xy-secret').toString('base64'));
  for (const secret of secrets) {
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString('base64')]) {
      assert.ok(!everything.includes(form), `"${form}" is in the log`);
    }
  }

  // and what somebody who reads it needs is there
  const of = (userID, message) => inExport.filter((record) => record.userID === userID && record.message === message);
  for (const message of ['session begins', 'connected', 'in step with the server', 'queued', 'accepted', 'session ends']) {
    assert.notEqual(of(alice.id, message).length, 0, message);
  }
  assert.deepEqual(new Set(of(alice.id, 'connected').map(({ platformID }) => platformID)), new Set([Platform.Linux]));
  assert.deepEqual(of(alice.id, 'queued').map(({ operationID }) => operationID)[0], 'op-of-alice');
  const calls = of(alice.id, 'call done').filter(({ operationID }) => operationID === 'op-of-alice');
  assert.deepEqual(calls.map(({ fields }) => fields.method), ['send_message']);
  assert.equal(of(alice.id, 'parked')[0].fields.code, 'OPENIM_RECORD_NOT_FOUND');
  assert.equal(of(bob.id, 'the server ended the session')[0].fields.code, 'OPENIM_KICKED_OFFLINE');
  for (const record of inExport) {
    assert.deepEqual(Object.keys(record),
      ['time', 'level', 'target', 'message', 'userID', 'platformID', 'operationID', 'fields']);
    assert.equal(new Date(record.time).toISOString(), record.time);
  }
  assert.ok(inExport.at(-1).fields.version);
});

test('requests carry the operation id of their call', async (t) => {
  const { heard, onLog, until } = listener();
  logFolder(t);
  await OpenIM.configureLogs({ logLevel: 'debug', onLog });
  const world = await World.start(t);
  const alice = await world.enter('alice');
  await world.register('bob');
  await alice.client.getUsersInfo([world.id('bob')], { operationID: 'who-is-bob' });
  await until(({ operationID, message }) => operationID === 'who-is-bob' && message === 'call done');
  const ofTheCall = heard.filter(({ operationID }) => operationID === 'who-is-bob');
  assert.deepEqual(ofTheCall.map(({ message }) => message), ['the API answered', 'call done']);
  assert.equal(ofTheCall[0].fields.path, '/user/get_users_info');
});

test('what follows a transaction names its session, whichever thread it ran on', async (t) => {
  const { heard, onLog, until } = listener();
  logFolder(t);
  await OpenIM.configureLogs({ onLog });
  const world = await World.start(t);
  const alice = await world.enter('alice', { dataDir: world.folder() });
  const messages = Array.from({ length: 50 }, (_, i) => alice.client.createTextMessage(`${i}`));
  const sends = messages.map((message) => alice.client.sendMessage({ recvID: world.id('nobody'), message }));
  for (const { status } of await Promise.allSettled(sends)) assert.equal(status, 'rejected');
  await alice.client.logout();
  await until(({ message }) => message === 'session ends');
  const parked = heard.filter(({ message }) => message === 'parked');
  assert.deepEqual(parked.map(({ userID }) => userID), messages.map(() => alice.id));
});

test('logs can be switched on in the middle of a session, name it, and be switched off', async (t) => {
  logFolder(t);
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const bob = await world.enter('bob');
  const { heard, onLog, until } = listener();
  await OpenIM.configureLogs({ logLevel: 'debug', onLog });
  await say(bob, alice, 'one');
  const pushed = await until(({ userID, message }) => userID === alice.id && message === 'pushed');
  assert.equal(pushed.platformID, Platform.Linux);

  await OpenIM.configureLogs({ logLevel: 'info', onLog });
  heard.length = 0;
  await say(bob, alice, 'two');
  await alice.client.networkStatusChanged();
  await until(({ userID, message }) => userID === alice.id && message === 'in step with the server');
  assert.deepEqual(heard.filter(({ level }) => level === 'debug'), []);

  await OpenIM.configureLogs({ logLevel: 'off', onLog });
  heard.length = 0;
  await alice.client.networkStatusChanged();
  await alice.recording.when('a third sync', () => alice.recording.of('OnSyncServerFinish').length > 2);
  assert.deepEqual(heard, []);
  await assert.rejects(OpenIM.exportLogs(), { code: 'OPENIM_ARGS', field: 'logDir' });
});

test('what cannot be done names its field and leaves the logs as they are', async (t) => {
  const logDir = logFolder(t);
  await OpenIM.configureLogs({ logDir });
  for (const [wrong, field] of [
    [{ logDir: '' }, 'logDir'], [{ maxFileBytes: 1 }, 'maxFileBytes'], [{ maxFileBytes: -1 }, 'maxFileBytes'],
    [{ maxFiles: 0 }, 'maxFiles'],
  ]) {
    await assert.rejects(OpenIM.configureLogs({ logDir, ...wrong }), { code: 'OPENIM_ARGS', field });
  }
  writeFileSync(join(logDir, 'file'), '');
  await assert.rejects(OpenIM.configureLogs({ logDir: join(logDir, 'file') }), { code: 'OPENIM_DATA_DIR' });
  await assert.rejects(OpenIM.exportLogs(join(logDir, 'no', 'folder.gz')), { code: 'OPENIM_DATA_DIR' });
  const world = await World.start(t);
  await world.enter('alice');
  const path = join(logDir, 'for support.gz');
  assert.ok((await exported(path)).some(({ message }) => message === 'connected'));
});

test('the last words of a process are in its files, and a listener does not keep it alive', { skip: needsOwnServer }, async (t) => {
  const logDir = logFolder(t);
  const script = `
    const { OpenIM } = require(${JSON.stringify(fileURLToPath(new URL('../index.js', import.meta.url)))});
    const addresses = { apiAddr: 'http://127.0.0.1:1', wsAddr: 'ws://127.0.0.1:1' };
    (async () => {
      await OpenIM.configureLogs({ logDir: ${JSON.stringify(logDir)}, onLog() {} });
      for (let i = 0; i < 100; i++) {
        const client = await OpenIM.open({ ...addresses, platformID: 1, dataDir: ':memory:' });
        await client.close();
      }
    })();
  `;
  await promisify(execFile)(process.execPath, ['-e', script]);
  const opened = records(readFileSync(join(logDir, 'openim.log'), 'utf8')).filter(({ message }) => message === 'client opened');
  assert.equal(opened.length, 100);
});

test('a worker that listens may end: records go on to the files', async (t) => {
  const logDir = logFolder(t);
  const world = await World.start(t);
  const worker = new Worker(file('log-in-a-worker.mjs'), { workerData: { logDir } });
  await once(worker, 'message');
  await worker.terminate();
  await world.enter('alice');
  assert.ok((await exported()).some(({ userID, message }) => userID === world.id('alice') && message === 'connected'));
});
