import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OpenIM, Platform } from 'openim-node';
import { Admin } from 'openim-node/admin';

const command = fileURLToPath(new URL('../bin/openim-dev-server.js', import.meta.url));
const { version } = createRequire(import.meta.url)('../package.json');
const FREE_PORTS = ['--api', '127.0.0.1:0', '--ws', '127.0.0.1:0', '--account', '127.0.0.1:0'];

function start(t, ...args) {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => { output[name] += text; });
  }
  return { child, output };
}

/** Runs the command to its end. */
async function run(t, ...args) {
  const { child, output } = start(t, ...args);
  const [code] = await once(child, 'close');
  return { code, ...output };
}

/** Starts the command and resolves with what it prints when it is ready. */
async function ready(t, ...args) {
  const { child, output } = start(t, ...args);
  const [first] = await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'close').then(([code]) => { throw new Error(`ended with ${code}: ${output.stderr}`); }),
  ]);
  return { child, first, output };
}

function makeFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'openim-node-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`--json prints one line with the addresses, and ${signal} stops the server cleanly`, async (t) => {
    const { child, first, output } = await ready(t, ...FREE_PORTS, '--json');
    const addresses = JSON.parse(first);
    assert.deepEqual(Object.keys(addresses), ['apiAddr', 'wsAddr', 'accountAddr']);
    const admin = await Admin.open({ apiAddr: addresses.apiAddr, secret: 'openIM123', adminUserID: 'imAdmin' });
    assert.notEqual(await admin.getAdminToken(), '');
    child.kill(signal);
    assert.deepEqual(await once(child, 'close'), [0, null]);
    assert.deepEqual(output, { stdout: first, stderr: '' });
    assert.equal(first.trimEnd().split('\n').length, 1);
  });
}

test('the banner has the three addresses and a next command that works', async (t) => {
  const { child, first } = await ready(t, ...FREE_PORTS, '--admin', 'boss');
  for (const address of [/http:\/\/127\.0\.0\.1:\d+\n/, /ws:\/\/127\.0\.0\.1:\d+\n/]) assert.match(first, address);
  assert.match(first, new RegExp(`openim-dev-server ${version} is ready, data in memory`));
  const [, body, url] = /curl -H 'operationID: first-try' -d '(.*)' (\S+)/.exec(first);
  const answer = await fetch(url, { method: 'POST', headers: { operationID: 'first-try' }, body });
  assert.equal((await answer.json()).errCode, 0);
  child.kill();
  await once(child, 'close');
});

test('a secret of one\'s own is used and not printed', async (t) => {
  const { child, first } = await ready(t, ...FREE_PORTS, '--secret', 'hush-hush');
  assert.doesNotMatch(first, /hush-hush/);
  child.kill();
  await once(child, 'close');
});

test('--data keeps everything in a folder', async (t) => {
  const folder = join(makeFolder(t), 'server');
  const { child } = await ready(t, ...FREE_PORTS, '--json', '--data', folder);
  child.kill();
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.notDeepEqual(readdirSync(folder), []);
});

test('a client works with it', async (t) => {
  const { first } = await ready(t, ...FREE_PORTS, '--json');
  const { apiAddr, wsAddr } = JSON.parse(first);
  const admin = await Admin.open({ apiAddr, secret: 'openIM123' });
  await admin.registerUsers([{ userID: 'alice', nickname: 'Alice' }]);
  const { token } = await admin.getUserToken({ userID: 'alice', platformID: Platform.Linux });
  const client = await OpenIM.open({ apiAddr, wsAddr, platformID: Platform.Linux, dataDir: ':memory:' });
  t.after(() => client.close());
  await client.login({ userID: 'alice', token, waitUntil: 'synced' });
  assert.equal((await client.getSelfUserInfo()).nickname, 'Alice');
});

test('--multi-login decides which tokens end', async (t) => {
  const { first } = await ready(t, ...FREE_PORTS, '--json', '--multi-login', '0:2');
  const { apiAddr } = JSON.parse(first);
  const post = async (path, body, token = '') => {
    const headers = { operationID: 'test', token };
    return (await fetch(apiAddr + path, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  };
  const admin = (await post('/auth/get_admin_token', { secret: 'openIM123', userID: 'imAdmin' })).data.token;
  await post('/user/user_register', { users: [{ userID: 'alice', nickname: 'Alice', faceURL: '' }] }, admin);
  const tokens = [];
  for (let i = 0; i < 3; i += 1) {
    tokens.push((await post('/auth/get_user_token', { userID: 'alice', platformID: 7 }, admin)).data.token);
  }
  const codes = await Promise.all(tokens.map(async (token) => (await post('/auth/parse_token', { token })).errCode));
  assert.deepEqual(codes, [1506, 0, 0]);
});

test('--friend-verify lets only friends write', async (t) => {
  const { first } = await ready(t, ...FREE_PORTS, '--json', '--friend-verify');
  const { apiAddr, wsAddr } = JSON.parse(first);
  const admin = await Admin.open({ apiAddr, secret: 'openIM123' });
  await admin.registerUsers([{ userID: 'alice', nickname: 'Alice' }, { userID: 'bob', nickname: 'Bob' }]);
  const { token } = await admin.getUserToken({ userID: 'alice', platformID: Platform.Linux });
  const alice = await OpenIM.open({ apiAddr, wsAddr, platformID: Platform.Linux, dataDir: ':memory:' });
  t.after(() => alice.close());
  await alice.login({ userID: 'alice', token, waitUntil: 'synced' });
  const say = () => alice.sendMessage({ recvID: 'bob', groupID: '', message: alice.createTextMessage('hello') });
  await assert.rejects(say(), { errCode: 1303 });
  await admin.importFriends({ ownerUserID: 'bob', friendUserIDs: ['alice'] });
  await say();
});

test('--help and --version print and end', async (t) => {
  assert.deepEqual(await run(t, '--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
  const help = await run(t, '--help');
  assert.equal(help.code, 0);
  for (const option of [
    '--api', '--ws', '--account', '--secret', '--admin', '--data', '--memory', '--multi-login', '--friend-verify',
    '--json',
  ]) {
    assert.ok(help.stdout.includes(option), option);
  }
});

test('whatever keeps it from starting is one clear line and exit code 1', async (t) => {
  const folder = makeFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address();
  for (const [args, line] of [
    [['--api', `127.0.0.1:${port}`], `127.0.0.1:${port} is in use`],
    [['--api', 'localhost'], '--api: localhost is not HOST:PORT'],
    [['--ws', '127.0.0.1:70000'], '--ws: 127.0.0.1:70000 is not HOST:PORT'],
    [['--api', '127.0.0.1:0', '--ws', '127.0.0.2:0'], /^the three listeners share one host, /],
    [['--memory', '--data', folder], '--memory and --data exclude each other'],
    [['--data', join(file, 'data'), ...FREE_PORTS], /cannot use the folder .*file/],
    [['--api', '0.0.0.0:0'], /not a loopback address/],
    [['--api', '0.0.0.0:0', '--allow-remote'], /not a loopback address/],
    [['--multi-login', 'all'], '--multi-login: all is not POLICY or POLICY:TOKENS'],
    [['--multi-login', '2', ...FREE_PORTS], /multiLogin\.policy is 2/],
    [['--multi-login', '0:0', ...FREE_PORTS], /multiLogin\.maxNumOneEnd must be at least 1/],
    [['--nonsense'], /Unknown option '--nonsense'/],
    [['word'], /Unexpected argument 'word'/],
  ]) {
    const { code, stdout, stderr } = await run(t, ...args);
    assert.equal(code, 1, args.join(' '));
    assert.equal(stdout, '');
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.length, 1, stderr);
    const said = lines[0].replace(/^openim-dev-server: /, '');
    if (typeof line === 'string') assert.equal(said, line);
    else assert.match(said, line);
  }
});
